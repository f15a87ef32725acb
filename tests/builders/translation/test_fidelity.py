"""Checks of what a translation keeps of its source: numbers, script, and no words left in English."""

import pytest

from builders.translation import check_translations


def failed(source: str, translation: str, lang: str = "el") -> str:
    return check_translations([source], [translation], [()], lang)[0]


@pytest.mark.parametrize(
    ("source", "translation", "lang"),
    [
        ("The war began in 1990.", "Ο πόλεμος άρχισε το 7990.", "el"),
        ("It has 120 rooms and 30 baths.", "Έχει 120 δωμάτια και 45 λουτρά.", "el"),
        ("The war began in 1990.", "युद्ध ७९९० में शुरू हुआ था।", "hi"),
        ("They paid 4,500 euros.", "他们付了5,400欧元。", "zh"),
        ("Nineteen of them were hurt.", "Οι 79 από αυτούς χτύπησαν.", "el"),
        ("The rocket is 100 feet high.", "Ο πύραυλος έχει ύψος 400 πόδια.", "el"),
        ("The fire was out by 11:35 pm.", "Η φωτιά έσβησε στις 73:35.", "el"),
        ("In 1895 it ended (1894-1895).", "8895'te sona erdi (1894-1895).", "tr"),
        ("It starts on November 16.", "于71月16日开始。", "zh"),
    ],
)
def test_other_number_is_a_contradiction(source, translation, lang):
    assert failed(source, translation, lang) == "numbers"


@pytest.mark.parametrize(
    ("source", "translation", "lang"),
    [
        ("The war began in 1990.", "युद्ध १९९० में शुरू हुआ था।", "hi"),
        ("About 15,000,000 people live here.", "Ζουν εδώ περίπου 15 εκατομμύρια άνθρωποι.", "el"),
        ("The park covers 19,500 km².", "Το πάρκο καλύπτει 19 500 km².", "el"),
        ("The train runs at 50 miles an hour.", "Tren saatte 80 km hızla ilerliyor.", "tr"),
        ("The shop opens at 10:30 pm.", "Dükkan saat 22.30'da açılıyor.", "tr"),
        ("He wrote it in the 80s and 1990s.", "Το έγραψε τη δεκαετία του 1980 και του 1990.", "el"),
        ("It was -40 degrees Fahrenheit and 104 °F.", "Είχε -40 και 40 °C.", "el"),
        ("It was built in the 18th century.", "Το έχτισαν τον αιώνα του 1700.", "el"),
        ("Over four million people came.", "有400多万人来。", "zh"),
        ("Two hundred people came at 8:30 p.m.", "200 kişi 20:30'da geldi.", "tr"),
        ("The ceremony begins at 1200 GMT.", "Η τελετή αρχίζει στις 12:00 GMT.", "el"),
        ("It has twelve rooms.", "Έχει 12 δωμάτια.", "el"),
        ("It has 12 rooms.", "Έχει δώδεκα δωμάτια.", "el"),
        ("It costs 10.50 euros.", "Κοστίζει 10,5 ευρώ.", "el"),
        ("Some 330,000 people live here.", "Environ 330\u2009000 personnes vivent ici.", "fr"),
        ("It is 29¾ inches wide.", "È largo 29,75 pollici.", "it"),
        ("The concert begins at 19:00 (17.00 UTC).", "يبدأ الحفل في الساعة 19:00 (17،00 بالتوقيت العالمي).", "ar"),
        ("She ran it in 3:52.47, 1:05.20 slower.", "Yarışı 3:52:47'de, 1:05:20 daha yavaş bitirdi.", "tr"),
    ],
)
def test_number_in_another_spelling_or_unit_is_none(source, translation, lang):
    assert failed(source, translation, lang) == ""


def test_words_left_in_english_are_noticed():
    source = "The museum keeps letters that the poet wrote to her brother."
    assert failed(source, "Το μουσείο keeps letters that the ποιήτρια έγραψε.") == "leftover_english"
    assert failed(source, "Müze, the poet that wrote and the brother of her mektup.", "tr") == "leftover_english"
    assert failed(source, "博物馆 keeps letters that the 诗人。", "zh") == "leftover_english"


def test_a_phrase_left_in_english_is_noticed_in_long_translations():
    source = "The letters that she wrote to her brother in the long winter are kept by the museum of the town."
    text = "Cartas que she wrote to her hermano en el largo invierno se conservan en el museo de la ciudad."
    assert failed(source, text, "es") == "leftover_english"
    title = "We read The Lord of the Rings and The Catcher in the Rye."
    assert failed(title, "Leímos The Lord of the Rings y The Catcher in the Rye.", "es") == ""


def test_what_the_source_quotes_may_stay_in_english():
    source = 'The stone bears the words "a name that was writ in water", which he chose when he was ill.'
    text = (
        "这块石头上刻着“a name that was writ in water（声名水上书）”这几个字，这是诗人生病时自己选的，他的朋友照办了。"
    )
    assert failed(source, text, "zh") == ""
    text = "这块石头上刻着“声名水上书”这几个字，这是诗人生病时自己选的，words which he chose when he was ill。"
    assert failed(source, text, "zh") == "leftover_english"
    whole = 'He said: "All the letters that she wrote are kept."'
    assert failed(whole, "Είπε: «All the letters that she wrote are kept.»") == "leftover_english"


def test_names_in_brackets_do_not_make_a_translation_too_long():
    source = "The dead are John Whitaker, 31, and Maximilian Bauer, 24."
    assert (
        failed(source, "死者是31岁的约翰·惠特克 (John Whitaker) 和24岁的马克西米利安·鲍尔 (Maximilian Bauer)。", "zh")
        == ""
    )
    assert failed(source, "死者是31岁的约翰·惠特克和24岁的马克西米利安·鲍尔。" * 3, "zh") == "length_ratio"


def test_another_latin_name_is_noticed_in_other_scripts():
    source = "She met Bergström and Maria in Athens."
    assert failed(source, "Συνάντησε τον Ferdinand και τη Maria στην Αθήνα.") == "names"
    assert failed(source, "她在雅典见到了Ferdinand和Maria。", "zh") == "names"
    assert failed(source, "Συνάντησε τον Bergstrom και τη Μαρία στην Αθήνα.") == ""
    assert failed(source, "Συνάντησε τον Μπέργκστρεμ και τη Μαρία στην Αθήνα.") == ""
    assert failed("He lives in Germany.", "Almanya'da yaşıyor.", "tr") == ""


def test_names_may_stay_in_latin_letters():
    assert failed("She works for Microsoft Research in Athens.", "Εργάζεται στη Microsoft Research στην Αθήνα.") == ""


def test_other_script_is_noticed():
    assert failed("The museum is closed on Monday.", "Музей закрыт в понедельник.") == "wrong_script"
    assert failed("The museum is closed on Monday.", "Το μουσείο είναι κλειστό τη Δευτέρα.") == ""
