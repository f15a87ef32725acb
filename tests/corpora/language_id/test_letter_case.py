"""Capitals, titles and spaced letters are no other language; a text in another language stays one."""

import pytest

from corpora.language_id import find_wrong_language, set_plainly

RIGHT = [
    ("en", "KEEP THIS DOOR CLOSED AT ALL TIMES"),
    ("en", "PLEASE LEAVE YOUR WET BOOTS AT THE DOOR"),
    ("tr", "BÜTÜN ZİYARETÇİLER YEŞİL DEFTERİ İMZALAMALIDIR"),
    ("tr", "IŞIKLARI KAPATMAYI VE KAPIYI KİLİTLEMEYİ UNUTMAYINIZ"),
    ("vi", "NHÀ TRƯỜNG THÔNG BÁO LỊCH NGHỈ TẾT CHO HỌC SINH"),
    ("de", "BITTE DIE TÜR IMMER GESCHLOSSEN HALTEN UND NICHT RAUCHEN"),
    ("en", "P L E A S E  K E E P  T H I S  D O O R  C L O S E D  today and tomorrow"),
    ("en", "The Quick Fox Jumps Over The Lazy Dog In The Park"),
    ("am", "ማንም፡ሰው፡ቢሆን፡የጭካኔ፡ስቃይ፡እንዳይደርስበት፡ወይም፡ከሰብዓዊ፡አፈጻጸም፡ውጭ፡የሆነ፡የተዋረደ፡ተግባር፡ወይም፡ቅጣት፡አይፈጸምበትም።"),
    ("el", "ΟΛΟΙ ΟΙ ΕΠΙΣΚΕΠΤΕΣ ΠΡΕΠΕΙ ΝΑ ΥΠΟΓΡΑΦΟΥΝ"),
]
WRONG = [
    ("en", "DIE TÜR MUSS IMMER GESCHLOSSEN BLEIBEN, DENN ES IST KALT"),
    ("en", "La Porte De La Maison Est Toujours Fermée Pendant La Nuit"),
    ("en", "Die Tür muss immer geschlossen bleiben, denn es ist kalt."),
    ("tr", "PLEASE LEAVE YOUR WET BOOTS AT THE DOOR OF THE HOUSE"),
    ("vi", "THE SCHOOL IS CLOSED FOR THE HOLIDAYS UNTIL NEXT MONDAY"),
]
KEPT = ["An ordinary sentence about NATO and the EU.", "Tom Smith", "I am at home.", "漢字とかな", "1 2 3 4", "ß ﬁ"]


@pytest.mark.parametrize(("lang", "text"), RIGHT)
def test_way_of_setting_is_no_other_language(lang, text):
    assert find_wrong_language([text], lang) == [False]


@pytest.mark.parametrize(("lang", "text"), WRONG)
def test_text_in_another_language_stays_one_in_capitals(lang, text):
    assert find_wrong_language([text], lang) == [True]


@pytest.mark.parametrize("text", [text for text in KEPT if text != "1 2 3 4"])
def test_ordinary_text_is_identified_as_it_is(text):
    assert set_plainly(text, "en") == text


def test_capitals_of_turkish_keep_their_dots():
    assert set_plainly("IŞIK VE İNSAN", "tr") == "ışık ve insan"
    assert set_plainly("IN THE INN", "en") == "in the inn"
