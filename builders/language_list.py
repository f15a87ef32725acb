"""The functions behind `builders languages`: the table of languages, and what a user's own texts say of a row."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpora.arguments import checked
from corpora.catalog import Language, language, language_codes, languages
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.terminal_tables import format_table

MIN_LINES = 100  # fewer say little about the ratio of lengths


@dataclass(frozen=True, repr=False)
class LanguageList:
    """Languages, as `builders languages list` shows them."""

    languages: tuple[Language, ...]

    def __repr__(self) -> str:
        heads = ["code", "language", "autonym", "scripts", "FLORES-200", "WikiMatrix", "lid.176", "ratio"]
        rows = [_row(known) for known in self.languages]
        return format_table(heads, rows, drop=["autonym", "FLORES-200", "WikiMatrix"])

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rows of languages.csv as JSON values."""
        return [asdict(known) for known in self.languages]


def _row(known: Language) -> list[str]:
    ratio = f"{known.ratio:g}" + (" (guess)" if known.ratio_from == "guess" else "")
    scripts = " ".join(script for script in known.script if len(script) > 1)
    cells = [known.code, known.name, known.autonym, scripts, known.flores, known.wikimatrix]
    return [*(cell or "-" for cell in cells), " ".join(known.labels) or "unknown", ratio]


@checked
def list_languages(*, langs: Sequence[str] = (), with_: Sequence[str | Path] = ()) -> LanguageList:
    """Return the languages of languages.csv, ours and the user's.

    Args:
        langs: Codes of languages; none means all.
        with_: Folders with the user's own tables.
    """
    with extend(with_):
        return LanguageList(tuple(map(language, language_codes(langs) or languages())))


@dataclass(frozen=True)
class Measurement:
    """What lines of a language, beside the same lines in English, say of its row in languages.csv."""

    code: str
    num_lines: int
    """Lines that are empty in neither language."""
    ratio: float
    """Median length in characters, divided by that of the English line."""
    ratio_low: float
    """Lower end of the 95 % interval of the median, by order statistics."""
    ratio_high: float
    script_share: float
    """Share of the letters that are in a script of the row."""
    labels: Mapping[str, float]
    """The labels that lid.176 gives to at least 1 % of the lines, and their shares."""


@dataclass(frozen=True, repr=False)
class LanguageMeasurements:
    """Measurements by language, as `builders languages measure` shows them."""

    measurements: tuple[Measurement, ...]

    def __repr__(self) -> str:
        heads = ["code", "lines", "ratio", "95 % interval", "in languages.csv", "script", "labels of lid.176"]
        table = format_table(heads, [_measured_row(row) for row in self.measurements], drop=["script"])
        few = [row.code for row in self.measurements if row.num_lines < MIN_LINES]
        note = f"\n\nFewer than {MIN_LINES} lines say little: {', '.join(few)}." if few else ""
        return table + note

    def to_json(self) -> list[dict[str, Any]]:
        """Return the measurements as JSON values."""
        return [asdict(row) for row in self.measurements]


def _measured_row(row: Measurement) -> list[str]:
    known = language(row.code)
    labels = ", ".join(f"{label} {share:.0%}" for label, share in row.labels.items())
    interval = f"[{row.ratio_low:.3f}, {row.ratio_high:.3f}]"
    return [
        *(row.code, f"{row.num_lines:,}", f"{row.ratio:.3f}", interval),
        *(f"{known.ratio:g} ({known.ratio_from})", f"{row.script_share:.1%}", labels),
    ]


@checked
def measure_languages(
    files: Mapping[str, str | Path] | Sequence[str], *, english: str | Path, with_: Sequence[str | Path] = ()
) -> LanguageMeasurements:
    """Return the ratios of lengths, and what is in the scripts, of files with the same lines as an English one.

    Args:
        files: The file of each language by its code; the command takes them as LANG=FILE.
        english: The English file.
        with_: Folders with the user's own tables.

    Raises:
        InputError: A language is unknown, a file cannot be read, or files have different numbers of lines.
    """
    named = files if isinstance(files, Mapping) else dict(map(_split_argument, files))
    with extend(with_):
        lines = _read_lines(Path(english))
        rows = (_measure(language(lang), Path(path), lines, Path(english)) for lang, path in named.items())
        return LanguageMeasurements(tuple(rows))


def _split_argument(text: str) -> tuple[str, str]:
    lang, equals, path = text.partition("=")
    if not (equals and lang and path):
        raise InputError(f"'{text}' is not LANG=FILE, such as el=devtest.el.")
    return lang, path


def _read_lines(path: Path) -> list[str]:
    from corpora.reading import file_chunks, read_lines

    lines: list[str] = []
    for batch in read_lines(file_chunks(path), str(path)):
        for row in batch.to_pylist():
            if row["read_error"]:
                raise InputError(f"{path}, line {len(lines) + 1}: {row['read_error']}. Correct the line.")
            lines.append(row["text"].strip())
    return lines


def _measure(known: Language, path: Path, english: Sequence[str], english_path: Path) -> Measurement:
    lines = _read_lines(path)
    if len(lines) != len(english):
        raise InputError(
            f"{path} has {len(lines):,} lines and {english_path} has {len(english):,}, not the same lines."
        )
    pairs = [(en, xx) for en, xx in zip(english, lines, strict=True) if en and xx]
    if not pairs:
        raise InputError(f"{path} and {english_path} have no line that is empty in neither.")
    ratios = sorted(len(xx) / len(en) for en, xx in pairs)
    texts = [xx for _, xx in pairs]
    low, high = _median_ranks(len(ratios))
    ratio = statistics.median(ratios)
    return Measurement(
        known.code, len(pairs), ratio, ratios[low], ratios[high], _script_share(texts, known), _labels(texts)
    )


def _median_ranks(number: int) -> tuple[int, int]:
    """Return the indexes of the order statistics between which the median lies with a probability of 95 %."""
    half = 1.96 * math.sqrt(number) / 2
    return max(0, math.floor(number / 2 - half)), min(number - 1, math.ceil(number / 2 + half))


def _script_share(texts: Sequence[str], known: Language) -> float:
    import polars as pl

    from corpora.language_id import script_characters

    frame = pl.DataFrame({"text": texts}).select(
        own=pl.col("text").str.count_matches(f"[{script_characters(known.script)}&&\\pL]").sum(),
        letters=pl.col("text").str.count_matches(r"\pL").sum(),
    )
    own, letters = frame.row(0)
    return own / letters if letters else 0.0


def _labels(texts: Sequence[str]) -> dict[str, float]:
    from corpora.language_id import identify_languages

    labels = identify_languages(texts)[0]
    shares = {label: labels.count(label) / len(labels) for label in sorted(set(labels))}
    return {label: share for label, share in sorted(shares.items(), key=lambda item: -item[1]) if share >= 0.01}
