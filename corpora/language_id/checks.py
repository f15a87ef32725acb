"""Checks of texts by their language: is a text in another language, is a translation too short or too long.

The formulas and thresholds are the rows of language_checks.toml. Filters of sentence pairs evaluate them in DuckDB (as
macros), quality checks of translations in Polars (here).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.catalog import base_code, languages
from corpora.errors import InputError
from corpora.extensions import extension_versions, read_extended_rows
from corpora.language_id.fasttext_model import MODEL_FINGERPRINT, identify_languages
from corpora.language_id.letter_case import CASE_VERSION, identify_set_plainly
from corpora.tables import STRICT

if TYPE_CHECKING:
    import polars as pl

FILE = Path(__file__).with_name("language_checks.toml")


@dataclass(frozen=True)
class LanguageCheck:
    """A row of language_checks.toml: a formula over a text's measures, and its thresholds by language."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """What the formula says."""
    inputs: tuple[str, ...]
    """The names of the measures in the formula."""
    formula: str
    """SQL expression over inputs and thresholds."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """The thresholds of all languages."""
    by_language: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Thresholds of some languages that differ."""

    def thresholds_of(self, lang: str) -> dict[str, float]:
        """Return the thresholds for a language; a variant has those of its language."""
        return {**self.thresholds, **self.by_language.get(base_code(lang), {}), **self.by_language.get(lang, {})}


def language_checks() -> Mapping[str, LanguageCheck]:
    """Return the rows of language_checks.toml by name, the user's among them.

    Raises:
        InputError: A row is malformed, or its formula is not valid.
    """
    rows = read_extended_rows(FILE, LanguageCheck)
    _check_formulas(extension_versions(FILE.name))
    return rows


@cache
def _check_formulas(versions: tuple[Any, ...]) -> None:
    """Evaluate the formulas over no rows."""
    import polars as pl

    for row in read_extended_rows(FILE, LanguageCheck).values():
        try:
            _evaluate(pl.DataFrame(schema=dict.fromkeys(row.inputs, pl.Float64)), row, "en")
        except pl.exceptions.PolarsError as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise InputError(f"{FILE.name}, table [{row.name}], key 'formula': {reason}.") from None


def language_check_macros() -> str:
    """Return a macro of DuckDB for each row; its parameters are the inputs and the thresholds in the formula."""
    macros = []
    for row in language_checks().values():
        thresholds = [name for name in row.thresholds if re.search(rf"\b{name}\b", row.formula)]
        macros.append(f"create macro {row.name}({', '.join([*row.inputs, *thresholds])}) as ({row.formula});\n")
    return "".join(macros)


def language_checks_key(lang: str) -> dict[str, object]:
    """Return all that the checks of a language depend on beside the texts, as JSON values."""
    rows = {name: [row.formula, row.thresholds_of(lang)] for name, row in language_checks().items()}
    known = languages()[lang]
    return {
        **rows,
        "identification": f"{MODEL_FINGERPRINT} {CASE_VERSION}",
        "ratio": known.ratio,
        "labels": list(known.labels),
    }


def find_wrong_language(texts: Sequence[str], lang: str) -> list[bool]:
    """Return for each text whether fastText identifies another language with confidence; short texts pass."""
    import polars as pl

    labels, confidence = identify_languages(texts)
    identify_set_plainly(texts, labels, confidence, lang, languages()[lang].labels)
    row = language_checks()["wrong_language"]
    measures = pl.DataFrame({"text": texts, "confidence": confidence}, schema={"text": pl.String, "confidence": float})
    measures = measures.with_columns(num_letters=pl.col("text").str.count_matches(r"[\pL\pM]"))
    is_confident = _evaluate(measures, row, lang)
    return [
        confident and not languages()[lang].accepts(label)
        for label, confident in zip(labels, is_confident.to_list(), strict=True)
    ]


def length_ratios(english: Sequence[str], translations: Sequence[str], lang: str) -> list[float]:
    """Return how many times longer one text of each pair is than a translation of the other, at least 1."""
    import polars as pl

    measures = pl.DataFrame(
        {
            "num_en_chars": pl.Series(map(len, english), dtype=pl.Int64),
            "num_xx_chars": pl.Series(map(len, translations), dtype=pl.Int64),
        }
    ).with_columns(ratio=pl.lit(languages()[lang].ratio))
    ratios: list[float] = _evaluate(measures, language_checks()["length_ratio"], lang).to_list()
    return ratios


def find_wrong_length(english: Sequence[str], translations: Sequence[str], lang: str) -> list[bool]:
    """Return for each pair whether a text is much longer than a translation of the other."""
    most = language_checks()["length_ratio"].thresholds_of(lang)["max"]
    return [ratio > most for ratio in length_ratios(english, translations, lang)]


def _evaluate(measures: "pl.DataFrame", row: LanguageCheck, lang: str) -> "pl.Series":
    import polars as pl

    thresholds = {name: pl.lit(float(value)) for name, value in row.thresholds_of(lang).items()}
    return measures.with_columns(**thresholds).select(pl.sql_expr(row.formula).alias(row.name)).to_series()
