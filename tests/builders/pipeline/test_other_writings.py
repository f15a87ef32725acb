"""Benchmark sentences are found in another writing of the same words, and in longer lines; others are left alone."""

from collections.abc import Callable

import duckdb
import pyarrow as pa
import pytest

from builders.pipeline.decontamination import MIN_LENGTH, NGRAM_SIZE, STRIDE, scale_length
from builders.pipeline.ngram_index import find_candidates, find_matches, make_index
from builders.workspace import macros, sql
from corpora.language_id import plain_letter_table, plain_letters, without_accents

pytestmark = pytest.mark.slow

GREEK = "Το παλιό θέατρο του λιμανιού άνοιξε ξανά ύστερα από είκοσι χρόνια"
ARABIC = "افتتح المسرح القديم في الميناء أبوابه مرة أخرى بعد عشرين عاما"
VIETNAMESE = "Nhà hát cũ ở bến cảng đã mở cửa trở lại sau hai mươi năm vì thuỷ triều hoà thuận"
HEBREW = "התיאטרון הישן בנמל נפתח שוב לאחר עשרים שנה של שתיקה"
SENTENCES = {"el": [GREEK, "Πότε άνοιξε ξανά το παλιό θέατρο;"], "ar": [ARABIC], "vi": [VIETNAMESE], "he": [HEBREW]}
SENTENCES |= {
    "en": ["When was the old harbour theatre opened?"],
    "hi": ["पुराना नाट्यगृह बीस वर्षों के बाद फिर से खोला गया है"],
}
SAME = [
    ("el", "το παλιο θεατρο του λιμανιου ανοιξε ξανα υστερα απο εικοσι χρονια"),
    ("el", "Τὸ παλιὸ θέατρο τοῦ λιμανιοῦ ἄνοιξε ξανὰ ὕστερα ἀπὸ εἴκοσι χρόνια"),
    ("el", "ΤΟ ΠΑΛΙΟ ΘΕΑΤΡΟ ΤΟΥ ΛΙΜΑΝΙΟΥ ΑΝΟΙΞΕ ΞΑΝΑ ΥΣΤΕΡΑ ΑΠΟ ΕΙΚΟΣΙ ΧΡΟΝΙΑ"),
    ("ar", "اِفْتَتَحَ المَسْرَحُ القَدِيمُ في المِينَاءِ أَبْوَابَهُ مَرَّةً أُخْرَى بَعْدَ عِشْرِينَ عَامًا"),
    ("ar", "افتتح المسرح القديم فى الميناء ابوابه مره اخرى بعد عشرين عاما"),
    ("vi", "Nha hat cu o ben cang da mo cua tro lai sau hai muoi nam vi thuy trieu hoa thuan"),
    ("vi", "Nhà hát cũ ở bến cảng đã mở cửa trở lại sau hai mươi năm vì thủy triều hòa thuận"),
    ("he", "הַתֵּיאַטְרוֹן הַיָּשָׁן בַּנָּמָל נִפְתַּח שׁוּב לְאַחַר עֶשְׂרִים שָׁנָה שֶׁל שְׁתִיקָה"),
    ("el", "Ο οδηγός ρώτησε: «Ποτε ανοιξε ξανα το παλιο θεατρο;» και κανείς δεν ήξερε να απαντήσει."),
    ("en", "Question 7. When was the old harbour theatre opened? Nobody in the class knew the answer."),
]
OTHER = [
    ("el", "Το παλιό κάστρο του νησιού έκλεισε ξανά ύστερα από πενήντα μήνες"),
    ("ar", "أغلقت المدرسة الجديدة في القرية نوافذها هذا الأسبوع بسبب المطر"),
    ("vi", "Nhà thờ mới ở làng chài đóng cửa từ tuần trước vì trời mưa to và gió lớn"),
    ("he", "בית הספר החדש בכפר נסגר השבוע בגלל הגשם והרוח החזקה"),
    ("en", "The old harbour theatre was opened by the mayor, and nobody knew when."),
    ("hi", "पराना नटयगह बस वरष क बद फर स खल गय ह"),  # other words: vowel signs are no accents
]


@pytest.fixture(scope="module")
def database():
    connection = duckdb.connect()
    connection.execute(macros())
    return connection


@pytest.fixture(scope="module")
def is_found(database) -> Callable[[str, str], bool]:
    """Whether a text contains a sentence of its language, by NumPy and by compiled code."""
    indexes = {}
    for lang, texts in SENTENCES.items():
        rows = [{"benchmark": "exam", "field": "text", "text": without_accents(text.lower())} for text in texts]
        lengths = scale_length(NGRAM_SIZE, lang), STRIDE, scale_length(MIN_LENGTH, lang)
        database.register("benchmark_texts", pa.Table.from_pylist(rows))
        values = dict(zip(("n", "stride", "shortest"), lengths, strict=True))
        indexes[lang] = make_index(database.sql(sql("ngrams"), params=values).to_arrow_table(), *lengths)

    def is_found(lang: str, text: str) -> bool:
        (norm,) = database.execute("select normalize($text)", {"text": text}).fetchone()
        norms = pa.array([norm, ""])
        expected = find_matches(norms, indexes[lang])[0].tolist()
        assert find_candidates(norms, indexes[lang], True).tolist() == expected
        return expected[0]

    return is_found


@pytest.mark.parametrize(("lang", "text"), [*SAME, *((lang, texts[0]) for lang, texts in SENTENCES.items())])
def test_sentence_in_another_writing_or_a_longer_line_is_found(is_found, lang, text):
    assert is_found(lang, text)


@pytest.mark.parametrize(("lang", "text"), OTHER)
def test_other_sentence_with_the_same_pattern_is_left_alone(is_found, lang, text):
    assert not is_found(lang, text)


def test_sql_and_the_table_drop_the_same_marks(database):
    characters = [chr(point) for point in range(1, 0x2000)] + list("漢字かが한글𝟘")
    texts = [character.lower() for character in characters if len(character.lower()) == 1]
    rows = database.execute("select without_accents(unnest($texts))", {"texts": texts}).fetchall()
    assert [row[0] for row in rows] == [without_accents(text) for text in texts]
    table = plain_letter_table()
    assert {chr(point) for point in range(len(table)) if table[point] not in (point, 0xFFFF)} == set(plain_letters())


@pytest.mark.parametrize("text", ["हिन्दी में", "ภาษาไทย", "がぎぐげご", "한국어", "தமிழ்"])
def test_marks_that_nobody_leaves_out_stay(database, text):
    assert database.execute("select without_accents($text)", {"text": text}).fetchone() == (text,)
    assert without_accents(text) == text
