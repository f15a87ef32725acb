"""The user's own scores of sentence pairs, such as LaBSE, COMET-QE or bicleaner: a column a score."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.decisions import PartTables
from builders.pipeline.filters import Filter
from builders.pipeline.parts import Part
from builders.workspace import Task, Workspace, inputs_json
from corpora.catalog import Corpus, languages
from corpora.errors import InputError, unknown
from corpora.files import sha256_of

KEY = pl.Schema({"corpus": pl.String, "lang": pl.String, "line_number": pl.Int64})
NO_SCORES = pa.schema([("corpus", pa.string()), ("line_number", pa.int64())])
READERS = {
    ".parquet": partial(pl.scan_parquet, glob=False),
    ".csv": partial(pl.scan_csv, glob=False, infer_schema_length=None),
    ".tsv": partial(pl.scan_csv, glob=False, infer_schema_length=None, separator="\t"),
    ".jsonl": partial(pl.scan_ndjson, infer_schema_length=None),
}


@dataclass(frozen=True)
class QualityScores:
    """A checked file of scores: `frame` has corpus, lang, line_number and, for each of `names`, score_NAME."""

    file: str
    sha256: str
    names: tuple[str, ...]
    frame: pl.DataFrame


def read_quality_scores(path: Path, catalog: Mapping[str, Corpus], langs: Sequence[str]) -> QualityScores:
    """Return the scores in a Parquet, CSV, TSV or JSONL file; CSV and TSV begin with a line of column names.

    Args:
        path: The file, with the columns corpus, lang, line_number (from 1, as `builders inspect` shows it), and scores.
        catalog: Corpora by id.
        langs: Where there is one language, the column lang may be missing.

    Raises:
        InputError: The format, a column, a corpus or a language is unknown, a pair appears twice, or a score is not a
            finite number.
    """
    frame = _read(path)
    if "lang" not in frame.columns and len(langs) == 1:
        frame = frame.with_columns(lang=pl.lit(langs[0]))
    for name in KEY:
        if name not in frame.columns:
            raise InputError(
                f"{path} has no column '{name}': scores are given by corpus, lang and line_number (from 1)."
            )
    names = [name for name in frame.columns if name not in KEY]
    if not names:
        raise InputError(f"{path} has no score: a numeric column beside corpus, lang and line_number is needed.")
    for name in names:
        _check_score(frame[name], path)
    _check_key(frame, path, [name for name, corpus in catalog.items() if corpus.kind == "bitext"])
    columns = [pl.col(name).cast(pl.Float64).alias(f"score_{name}") for name in names]
    return QualityScores(path.name, sha256_of(path), tuple(names), frame.cast(KEY).select(*KEY, *columns))


def _read(path: Path) -> pl.DataFrame:
    reader = READERS.get(path.suffix.lower())
    if not reader:
        raise InputError(f"--quality-scores {path}: scores are read from {', '.join(READERS)}, not '{path.suffix}'.")
    if not path.is_file():
        raise InputError(f"--quality-scores {path}: there is no such file.")
    try:
        return reader(path).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).split("\n", 1)[0]
        raise InputError(f"--quality-scores {path} is not a valid {path.suffix[1:]} file: {first}") from None


def _check_score(scores: pl.Series, path: Path) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", scores.name):
        rule = "a lower-case letter and up to 39 letters, digits and _"
        raise InputError(f"{path}: the name of a score consists of {rule}, not '{scores.name}'.")
    if not scores.dtype.is_numeric():
        raise InputError(f"{path}: the column '{scores.name}' holds {scores.dtype}, but scores are numbers.")
    finite = scores.cast(pl.Float64).is_finite().fill_null(False)
    for row in (~finite).arg_true().head(1):
        value = "missing" if scores[row] is None else scores[row]
        raise InputError(f"{path}, row {row + 1}: '{scores.name}' is {value}, but a score is a finite number.")


def _check_key(frame: pl.DataFrame, path: Path, corpora: Sequence[str]) -> None:
    """Raise InputError for an invalid line number, an unknown corpus or language, or a pair that appears twice."""
    lines = frame["line_number"]
    if not lines.dtype.is_integer() or lines.null_count() or (lines < 1).any():
        raise InputError(f"{path}: 'line_number' is the number of a line in the corpus, from 1.")
    for name, known in (("corpus", corpora), ("lang", list(languages()))):
        for value in frame[name].unique(maintain_order=True):
            if value not in known:
                raise InputError(f"{path}: {unknown(name, str(value), known)}")
    keys = frame.select(KEY.names())
    twice = keys.filter(keys.is_duplicated()).sort(KEY.names())
    if twice.height:
        corpus, lang, line = twice.row(0)
        raise InputError(f"{path}: line {line} of {corpus} in {lang} appears twice. A pair has one row of scores.")


def score_filters(scores: QualityScores | None) -> list[Filter]:
    """Return a filter for each score, `score_NAME`; its thresholds min and max reject nothing by default."""
    if scores is None:
        return []
    description = f"The user's own score of the pair is too low or too high ({scores.file}, sha256 {scores.sha256})."
    return [
        Filter(
            name=f"score_{name}",
            table="decisions",
            reject=f"score_{name} < $min or score_{name} > $max",
            description=description,
            thresholds={"min": -math.inf, "max": math.inf},
        )
        for name in scores.names
    ]


def scores_of(
    scores: QualityScores | None, lang: str, parts: Sequence[Part], work: Workspace
) -> Sequence[Path] | pa.Table:
    """Make `quality_scores`: the scores of the pairs of a language.

    Raises:
        InputError: A score is of a line that does not exist.
    """
    if scores is None:
        return NO_SCORES.empty_table()
    rows = scores.frame.filter(pl.col("lang") == lang).drop("lang").sort("corpus", "line_number")
    num_lines = {part.corpus: 0 for part in parts}
    for part in parts:
        num_lines[part.corpus] += part.num_rows
    for corpus, lines in num_lines.items():
        beyond = rows.filter((pl.col("corpus") == corpus) & (pl.col("line_number") > lines))
        if beyond.height:
            line = beyond["line_number"][0]
            raise InputError(f"{scores.file} scores line {line} of {corpus} in {lang}, which has {lines:,} lines.")
    task = Task("quality_scores", lang, {"sha256": scores.sha256, "columns": list(scores.names)})

    def write(path: Path) -> None:
        pq.write_table(rows.to_arrow().replace_schema_metadata({"inputs": inputs_json(task)}), path)

    return [work.make(task, write)]


def score_warnings(
    scores: QualityScores, filters: Sequence[Filter], parts: Mapping[str, Sequence[PartTables]]
) -> Iterator[str]:
    """Yield a sentence for each score that rejects nothing, and for kept pairs without a score."""
    for rule in filters:
        if rule.name.startswith("score_") and not any(map(math.isfinite, rule.every_threshold())):
            yield f"{rule.name} rejects nothing: it has no threshold. Add --set {rule.name}.min=NUMBER (or .max)."
    first = pl.col(f"score_{scores.names[0]}")
    for lang, tables in parts.items():
        kept = pl.scan_parquet([str(own.decisions) for own in tables], glob=False).filter(
            pl.col("reject_reason").is_null()
        )
        rows, without = kept.select(pl.len(), without=first.is_null().sum()).collect().row(0)
        if without:
            yield f"{without:,} of the {rows:,} pairs kept in {lang} have no score in {scores.file}."
