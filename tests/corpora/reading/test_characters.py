"""Characters that change how a text is written are folded; those that say something stay."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.reading import InputFile, read_pairs
from corpora.reading.characters import clean, clean_column

FOLDED = {
    "invisible": [
        ("The har\u200bbour is closed.", "The harbour is closed."),
        ("co\u00adoperation", "cooperation"),
        ("Το λι\ufeffμάνι", "Το λιμάνι"),
        ("word\u2060joiner", "wordjoiner"),
        ("left\u200e to \u202bright\u202c", "left to right"),
        ("هذا\u200f نص عربي", "هذا نص عربي"),
        ("one\u2028two", "one two"),
        ("\uf0b7 A point of a list", "A point of a list"),
        ("fami\u200dly and wo\u200crd", "family and word"),
        ("کتاب\u200c ها", "کتاب ها"),
    ],
    "forms": [
        ("ﺍﻟﺴﻼﻡ", "السلام"),
        ("o\ufb03ce \ufb01le", "office file"),
        ("Ｐｙｔｈｏｎ ３", "Python 3"),
        ("What？", "What?"),
        ("版本２．０", "版本2．0"),
        ("𝐁𝐨𝐥𝐝 𝓼𝓬𝓻𝓲𝓹𝓽", "Bold script"),
        ("Ⓗⓔⓛⓛⓞ", "Hello"),
        ("sᴍᴀʟʟ ᴄᴀᴘɪᴛᴀʟs ᴀʀᴇ", "sᴍᴀʟʟ ᴄᴀᴘɪᴛᴀʟs are"),
        ("ﾊﾟｿｺﾝ", "パソコン"),
        ("كـــتاب", "كتاب"),
        ("cafe\u0301 i\u0307stanbul", "café istanbul"),
    ],
    "look-alikes": [
        ("рrосеss", "process"),
        ("Mοscow", "Moscow"),
        ("Mοsсow", "Moscow"),
        ("Россия и Mосква", "Россия и Москва"),
        ("Eίναι καλή", "Είναι καλή"),
        ("µετά το φαγητό", "μετά το φαγητό"),
    ],
    "entities": [
        ("Tom &amp; Ann", "Tom & Ann"),
        ("&quot;Hi&QUOT;", '"Hi"'),
        ("&eacute;t&#233; &#xE9;", "été é"),
        ("&amp;quot;Hi&amp;quot;", '"Hi"'),
        ("&amp;amp;lt;", "<"),
        ("Tom & amp ; Ann &apos ;s", "Tom & Ann 's"),
        ("it &# 39 ; s", "it ' s"),
        ("a&nbsp b &lt 5", "a\xa0 b < 5"),
        ("one&#10;two", "one two"),
    ],
    "quotation marks": [
        ("``Hello,'' she said.", "“Hello,” she said."),
        (",,Guten Tag'', sagte er.", "„Guten Tag“, sagte er."),
        ("Il dit <<bonjour>>.", "Il dit «bonjour»."),
    ],
}
KEPT = [
    "می\u200cخواهم کتاب\u200cها را",  # ZWNJ between letters in Persian
    "क्\u200dष और क्\u200cष",  # joiners in Hindi
    "ශ්\u200dරී ලංකා",  # and in Sinhala
    "سنة 1430هـ",  # the tatweel of an abbreviation
    "ه\u200d.ق",
    "ประเทศ\u200bไทย",  # where there are no spaces
    "👨\u200d👩\u200d👧 ❤\ufe0f 🏴\U000e0067\U000e0062\U000e007f",
    "اسمه \u200fC++\u200f عندهم",  # both directions meet
    "你好，世界！（２０）".replace("２０", "20"),
    "Δt = 5 μs, αTHC and the Δx of pH",
    "ВКонтакте, SMS-ка, 3D-модель и iPhone'а",
    "The letter а is Cyrillic, ο is Greek.",
    "AT&T, R&D and a=1&copy=2&lt=3",
    "Use &foo; or & alone.",
    "Ⓐ and ② and ½ and ² and № 5",
    "x << 3 >> 1, cout << x; a,,b",
    "5' 10'' and ''italic''",
    "« Oui », dit-il : 10 000 €",  # spaces that do not break
    "[ɪˈɡzɑːmpəl] ʀ",
    "naïve Ümlaut ßharp İstanbul ığdır",
    "Ã­ Ð\xad C\x85",  # not cleaned: `bad_encoding` counts it
]


@pytest.mark.parametrize(("text", "folded"), [case for cases in FOLDED.values() for case in cases])
def test_way_of_writing_is_folded(text, folded):
    assert clean(text) == folded
    assert clean(folded) == folded
    assert clean_column(pa.array([text, None, folded])).to_pylist() == [folded, None, folded]


@pytest.mark.parametrize("text", KEPT)
def test_character_that_says_something_stays(text):
    assert clean(text) == text
    assert clean_column(pa.array([text])).to_pylist() == [text]


ALPHABET = "aéİi\u0307дсαοµش\u0640ک\u200c\u200d\u200b\u00ad\u200f\ufeff"
ALPHABET += "&;#39quotamp <>`',“Ａ？版\ufb01𝐁Ⓗᴀʙᴄ\ue000\u2028\ufe0f\u0301"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(ALPHABET, max_size=12) | st.text(max_size=6), max_size=5))
def test_search_finds_every_text_that_cleaning_changes(texts):
    cleaned = [clean(text) for text in texts]
    found = clean_column(pa.array(texts, pa.string())).to_pylist()
    import unicodedata

    normal = [unicodedata.normalize("NFC", text) for text in texts]
    assert [a for a, b, c in zip(found, cleaned, normal, strict=True) if a != b and b != c] == []


def test_readers_of_pairs_fold_both_sides(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("en\txx\nTom &amp; I\tΟ \u200bΤομ\n", encoding="utf-8")
    (batch,) = read_pairs(InputFile(path, "tsv", "el", xx_code="el"))
    assert batch.to_pylist()[0] | {"line_number": 1} == {
        "line_number": 1,
        "en": "Tom & I",
        "xx": "Ο Τομ",
        "margin": None,
        "read_error": None,
    }
