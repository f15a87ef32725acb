"""Checks of language and length: the values of the formulas, and the same values in DuckDB as in Polars."""

from pathlib import Path

import pytest

from corpora.catalog import languages
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions
from corpora.language_id import find_wrong_language, find_wrong_length, language_checks, length_ratios

GERMAN = "Die alte Bibliothek am Fluss öffnet im Frühling wieder ihre Türen."
GREEK = "Η παλιά βιβλιοθήκη δίπλα στο ποτάμι ανοίγει ξανά τις πόρτες της την άνοιξη."
CHINESE = "河边的旧图书馆将在春天重新开放。"


@pytest.mark.parametrize(
    ("text", "lang", "is_wrong"),
    [
        (GREEK, "el", False),
        (GERMAN, "el", True),
        (GREEK, "zh", True),
        (CHINESE, "zh", False),
        (CHINESE, "el", False),  # 15 letters are too few in any language but Chinese
        (GERMAN[:16], "el", False),
        ("", "el", False),
        ("12 + 3 = 15", "el", False),
    ],
)
def test_texts_in_another_language_are_found(text: str, lang: str, is_wrong: bool) -> None:
    assert find_wrong_language([text], lang) == [is_wrong]


def test_length_ratio_counts_in_characters_of_english() -> None:
    assert length_ratios(["x" * 90], ["y" * 90], "en") == [1.0]
    assert length_ratios(["x" * 90, "x" * 10], ["y" * 190, "y" * 50], "en") == [2.0, 3.0]
    assert find_wrong_length(["x" * 90] * 3, ["y" * 250, "y" * 251, ""], "en") == [False, True, True]
    assert find_wrong_length([], [], "el") == []


def test_duckdb_evaluates_the_same_formulas() -> None:
    import duckdb

    rows = [(en, xx) for en in (0, 7, 40, 300) for xx in (0, 3, 41, 900)]
    formula = language_checks()["length_ratio"].formula
    ratio = languages()["el"].ratio
    values = ", ".join(f"({en}, {xx}, {ratio}::double)" for en, xx in rows)
    found = duckdb.sql(f"select {formula} from (values {values}) as t(num_en_chars, num_xx_chars, ratio)").fetchall()
    assert [value for (value,) in found] == length_ratios(
        ["x" * en for en, _ in rows], ["x" * xx for _, xx in rows], "el"
    )


def test_user_s_row_replaces_thresholds(tmp_path: Path) -> None:
    row = language_checks()["length_ratio"]
    (tmp_path / "language_checks.toml").write_text(
        f'[length_ratio]\ndescription = "Mine."\ninputs = {list(row.inputs)}\nformula = "{row.formula}"\n'
        "thresholds = { max = 1.5 }\n"
    )
    with use_extensions(Extensions((tmp_path,))):
        assert find_wrong_length(["x" * 90], ["y" * 190], "en") == [True]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("formulas = 1", "Did you mean formula"),
        ('formula = "num_leters > 1"', r"table \[own\], key 'formula': .*num_leters"),
        ('formula = "num_letters >"', r"table \[own\], key 'formula': "),
    ],
)
def test_faulty_formula_is_an_error_with_its_row(tmp_path: Path, keys: str, message: str) -> None:
    row = f'[own]\ndescription = "Mine."\ninputs = ["num_letters"]\n{keys}\n'
    (tmp_path / "language_checks.toml").write_text(row)
    with use_extensions(Extensions((tmp_path,))), pytest.raises(InputError, match=message):
        language_checks()


@pytest.mark.parametrize(
    ("lang", "right", "wrong"),
    [
        (
            "af",
            "Elkeen het die reg tot lewe, vryheid en sekuriteit van persoon.",
            "Een ieder heeft het recht op leven, vrijheid en onschendbaarheid van zijn persoon.",
        ),
        (
            "tk",
            "Her bir adam parahat ýygnanyşyklar we birleşmeler azatlygyna haklydyr.",
            "Her şahıs saldırısız toplanma ve dernek kurma ve derneğe katılma serbestisine maliktir.",
        ),
        (
            "sk",
            "Každý, bez hociakého rozlišovania, má nárok na rovnaký plat za rovnakú prácu.",
            "Všichni, bez jakéhokoli rozlišování, mají nárok na stejný plat za stejnou práci.",
        ),
        (
            "sa",
            "न कोऽपि जनः स्वेच्छया निग्रहीतुं, धर्तुं, निष्कासयितुं वा अनुज्ञास्यते।",
            "प्रत्येक व्यक्ति को जीवन, स्वाधीनता और वैयक्तिक सुरक्षा का अधिकार है।",
        ),
    ],
)
def test_language_is_not_taken_for_its_relative(lang, right, wrong):
    assert find_wrong_language([right, wrong], lang) == [False, True]
