"""Every row of languages.csv, held against a real sentence, other tables of languages, and mistakes made on purpose."""

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from corpora.catalog import Language, language, language_codes, languages, load_catalog, script_variants
from corpora.errors import InputError
from corpora.language_id import identify_languages, script_patterns

SENTENCES = Path(__file__).with_name("sentences.csv")  # mostly article 1 of the Universal Declaration of Human Rights
ISO15924 = {  # of codes such as zho_Hant, with the scripts of Unicode; Hans, Hant and Jpan are several or none of them
    **{"Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Cyrl": "Cyrillic", "Deva": "Devanagari"},
    **{"Ethi": "Ethiopic", "Geor": "Georgian", "Grek": "Greek", "Gujr": "Gujarati", "Guru": "Gurmukhi"},
    **{"Hang": "Hangul", "Hans": "Han", "Hant": "Han", "Hebr": "Hebrew", "Jpan": "Hiragana", "Khmr": "Khmer"},
    **{"Knda": "Kannada", "Laoo": "Lao", "Latn": "Latin", "Mlym": "Malayalam", "Mymr": "Myanmar"},
    **{"Olck": "Ol_Chiki", "Orya": "Oriya", "Sinh": "Sinhala", "Taml": "Tamil", "Telu": "Telugu"},
    **{"Tfng": "Tifinagh", "Thai": "Thai", "Tibt": "Tibetan"},
}
NAMES = {"CJK": "Han", "OL": "Ol_Chiki", "KATAKANA-HIRAGANA": "Katakana"}  # of characters, by their first word
SURE = 0.5  # the probability from which the filter wrong_language rejects a label


@pytest.fixture(scope="module")
def sentences() -> Mapping[str, str]:
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["sentence"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def labels(sentences: Mapping[str, str]) -> Mapping[str, tuple[str, float]]:
    """The label and probability of each sentence."""
    return dict(zip(sentences, zip(*identify_languages(list(sentences.values())), strict=True), strict=True))


def script_of(letter: str) -> str:
    word = unicodedata.name(letter).split()[0]
    return NAMES.get(word, word.capitalize())


def problems(row: Language, sentence: str, identified: tuple[str, float]) -> list[str]:
    """Return what is wrong with a row, as far as a sentence and the codes show it."""
    letters = [char for char in sentence if char.isalpha() and script_of(char) != "Modifier"]
    own = sum(script_of(char) in row.script for char in letters)
    codes = [row.flores, f"{row.iso639_3}_{row.code.partition('-')[2]}"]
    scripts = [ISO15924[code[4:]] for code in codes if code[4:] in ISO15924]
    label, probability = identified
    return [
        *(["script"] if own < 0.8 * len(letters) else []),
        *(["label"] if probability >= SURE and not row.accepts(label) else []),
        *(["flores"] if row.flores and row.flores[:3] not in (row.iso639_3, "nob") else []),
        *(["script of the code"] if any(script not in row.script for script in scripts) else []),
        *(["iso639_3"] if len(row.code) == 3 and row.iso639_3 != row.code and row.code != "yue" else []),
    ]


def test_every_row_fits_its_sentence_and_its_codes(sentences, labels):
    assert list(sentences) == list(languages()) or set(sentences) == set(languages())
    found = {code: problems(row, sentences[code], labels[code]) for code, row in languages().items()}
    assert not {code: wrong for code, wrong in found.items() if wrong}


def test_mistakes_in_rows_are_noticed(sentences, labels):
    for code, row in languages().items():
        other = "Thai" if "Thai" not in row.script else "Greek"
        assert "script" in problems(replace(row, script=(other,)), sentences[code], labels[code]), code
        label, probability = labels[code]
        if probability >= SURE:
            wrong = replace(row, labels=("en" if label != "en" else "el",))
            assert "label" in problems(wrong, sentences[code], labels[code]), code
        if row.flores:
            assert problems(replace(row, flores="xyz_Latn"), sentences[code], labels[code]), code
            moved = replace(row, flores=row.flores[:4] + ("Thai" if row.flores[4:] != "Thai" else "Grek"))
            assert problems(moved, sentences[code], labels[code]), code


def test_every_language_of_nllb_and_wikimatrix_is_a_row():
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    tokens = {row.nllb or row.flores for row in languages().values()}
    assert set(FAIRSEQ_LANGUAGE_CODES) <= tokens
    assert tokens - set(FAIRSEQ_LANGUAGE_CODES) - {""} == {"arb_Latn", "min_Arab"}  # FLORES-200 has them, NLLB has not
    assert len({row.wikimatrix for row in languages().values()} - {""}) == 85  # Schwenk et al. 2021


def test_labels_are_those_of_the_model():
    from corpora.language_id.fasttext_model import _compiled_model

    known = set(_compiled_model()[1].to_pylist())
    assert {label for row in languages().values() for label in row.labels} <= known
    own = {code for code, row in languages().items() if not row.labels}
    assert not own & known  # a language that the model knows by its code has labels


def test_rows_have_names_and_plausible_ratios():
    for code, row in languages().items():
        assert row.autonym, code
        assert 0.2 < row.ratio < 1.7, code
    assert len({row.name for row in languages().values()}) == len(languages())


def test_languages_with_short_sentences_have_lower_thresholds():
    from corpora.language_id import language_checks

    check = language_checks()["wrong_language"]
    for code, row in languages().items():
        assert (row.ratio >= 0.65) == (check.thresholds_of(code)["min_letters"] == 40), code


def test_a_variant_is_read_from_the_files_of_its_language():
    catalog = load_catalog()
    assert script_variants("sr") == ("sr-Cyrl", "sr-Latn")
    assert catalog["wikimatrix"].location("zh-Hant").endswith("WikiMatrix.en-zh.tsv.gz")
    assert catalog["news-commentary"].location("zh-Hant").endswith("en-zh.txt.zip")
    assert catalog["xquad"].location("zh-Hant").endswith("xquad.zh.json")
    assert catalog["flores200"].upstream_code("zh-Hant") == "zho_Hant"
    assert catalog["flores200"].upstream_code("sr-Latn") == "srp_Cyrl"
    assert not catalog["news-commentary"].has("yue")


def test_codes_are_known_in_any_case_and_names_lead_to_them():
    assert language_codes(["ZH-hant", "EL"]) == ("zh-Hant", "el")
    with pytest.raises(InputError, match=r"Unknown language 'ell'. Did you mean el \(Greek\)\?"):
        language("ell")
    with pytest.raises(InputError, match=r"Unknown language 'polski'. Did you mean pl \(Polish\)\?"):
        language("polski")
    with pytest.raises(InputError, match=r"Unknown language 'qqq'. `builders languages list` shows all 2\d\d."):
        language("qqq")


def test_patterns_hold_single_letters_of_no_script():
    assert "ー" in str(script_patterns("ja")["script"])


@pytest.mark.parametrize(
    ("code", "own"),
    [
        ("ell_Grek", "el"),
        ("ELL_GREK", "el"),
        ("zho_Hans", "zh-Hans"),
        ("zho_Hant", "zh-Hant"),
        ("srp_Cyrl", "sr-Cyrl"),
        ("cmn_Hant", "zh-Hant"),
        ("zho_simpl", "zh-Hans"),
        ("ekk_Latn", "et"),
        ("fil_Latn", "tl"),
    ],
)
def test_codes_of_flores_are_languages(code, own):
    assert language_codes([code, own]) == (own,)


@pytest.mark.parametrize(
    "code", ["ell", "ell_Latn", "ell-Grek", "Grek", "_", "ell_Grek_x", "cmn", "cmn_Latn", "ell_trad"]
)
def test_other_codes_are_unknown(code):
    with pytest.raises(InputError, match="Unknown language"):
        language(code)
