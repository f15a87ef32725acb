"""From records in English to records in another language: cut, translated, judged, filled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation import quality_checks as guards
from builders.translation.do_not_translate import FIELDS, exemption
from builders.translation.memory import digest
from builders.translation.outcomes import KEPT, outcomes, remembered
from builders.translation.placeholders import rows
from builders.translation.segment import cut, is_spaced
from builders.translation.translator import Translator
from builders.workspace.workspace import Unit, Work, inputs_text, unit_of
from corpora.catalog import languages
from corpora.files import atomic_path

VERSION = 2  # of what these functions make; raise it whenever their results change
TEXTS = pa.list_(pa.string())
# A row is one field of one kept record, cut; a field that stays in English has no segments.
SEGMENTS = pa.schema(
    [("id", pa.string()), ("field", pa.string()), ("exempt", pa.string()), ("frame", TEXTS), ("segments", TEXTS)]
)
# A row is one distinct segment in one language: its translation, how it came about, or the guard that stopped it.
TRANSLATIONS = pa.schema([(name, pa.string()) for name in ("sha256", "lang", "en", "text", "how", "stopped_by")])
Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """The tables between the records of a corpus and the same in each language, by language."""

    segments: Path
    translations: Mapping[str, Path]
    translated: Mapping[str, Path]


def translate(records: Path, name: str, langs: Sequence[str], translator: Translator, work: Work) -> Made:
    """The `records` of the corpus `name` in each language, and what they were made from."""
    tables = {table: rows(table) for table in ("placeholders", "lines", "do_not_translate")}
    inputs: Row = {"from": records.name, "version": VERSION, "sentencex": version("sentencex"), **tables}
    unit = Unit("segments", name, inputs)
    segments = work.make(unit, partial(write_segments, records=records, inputs=inputs_text(unit)))
    translations = {lang: _translations(segments, f"{lang}-{name}", lang, translator, work) for lang in langs}
    translated = {
        lang: _translated(records, segments, path, f"{lang}-{name}", lang, work) for lang, path in translations.items()
    }
    return Made(segments, translations, translated)


def _translations(segments: Path, name: str, lang: str, translator: Translator, work: Work) -> Path:
    inputs: Row = {"from": segments.name, "version": VERSION, "guards": guards.identity(), **translator.key()}
    unit = Unit("translations", name, inputs | {"ratio": languages()[lang].ratio})
    write = partial(write_translations, segments=segments, lang=lang, translator=translator, inputs=inputs_text(unit))
    return work.make(unit, write)


def _translated(records: Path, segments: Path, translations: Path, name: str, lang: str, work: Work) -> Path:
    tables = {"instructions": [records], "segments": [segments], "translations": [translations]}
    values = {"lang": lang, "spaced": is_spaced(lang)}
    unit = unit_of("translated_instructions", f"{lang}-{name}", [records, segments, translations], **values)
    return work.query(unit, tables, values)


def write_segments(path: Path, records: Path, inputs: str) -> None:
    """Write every field of every kept record, cut into segments and frame."""
    cuts = [row for record in kept(records) for row in _cut(record)]
    _write(path, pa.Table.from_pylist(cuts, schema=SEGMENTS), inputs)


def kept(records: Path) -> list[Row]:
    """The records that no filter has rejected."""
    table = pq.read_table(records)
    rows: list[Row] = table.filter(pc.is_null(table["reject_reason"])).to_pylist()
    return rows


def _cut(record: Row) -> Iterator[Row]:
    exempt, english = exemption(record) or ("", ())
    for field in FIELDS:
        segments, frame = ([], [record[field]]) if field in english else cut(record[field])
        yield {"id": record["id"], "field": field, "exempt": exempt, "frame": frame, "segments": segments}


def write_translations(path: Path, segments: Path, lang: str, translator: Translator, inputs: str) -> None:
    """Write every distinct segment with its translation into `lang`, in the order of digests."""
    distinct = pc.unique(pq.read_table(segments, columns=["segments"])["segments"].combine_chunks().flatten())
    texts = dict(sorted((digest(text), text) for text in distinct.to_pylist()))
    known = remembered(texts, lang, translator)
    found = outcomes({key: text for key, text in texts.items() if key not in known}, lang, translator)
    told = [
        [known[key] if key in known else found[key].text for key in texts],
        [KEPT if key in known else found[key].how for key in texts],
        ["" if key in known else found[key].stopped_by for key in texts],
    ]
    columns = [list(texts), [lang] * len(texts), list(texts.values()), *told]
    _write(path, pa.table(columns, schema=TRANSLATIONS), inputs)


def counted(made: Made, corpus: str) -> Iterator[Row]:
    """The ledger rows of what was cut and translated of a corpus.

    Of `segments` the records: kept to be translated whole, or the row of exempt.toml that keeps them in English,
    `_in_part` where it keeps some fields only. Of `translations` the distinct segments: how they came about, or the
    guard that stopped them.
    """
    by_record = (
        pl.scan_parquet(made.segments, glob=False)
        .group_by("id")
        .agg(pl.col("exempt").first(), in_part=(pl.col("segments").list.len() > 0).any())
        .select(reason=pl.col("exempt") + pl.when("in_part").then(pl.lit("_in_part")).otherwise(pl.lit("")))
        .select(reason=pl.when(pl.col("reason").is_in(["", "_in_part"])).then(pl.lit("kept")).otherwise("reason"))
    )
    yield from _account("segments", corpus, "en", by_record)
    for lang, path in made.translations.items():
        stopped_by = pl.col("stopped_by")
        reason = pl.when(stopped_by == "").then("how").otherwise(stopped_by)
        yield from _account("translations", corpus, lang, pl.scan_parquet(path, glob=False).select(reason=reason))


def _account(stage: str, corpus: str, lang: str, reasons: pl.LazyFrame) -> Iterator[Row]:
    place = {"stage": stage, "corpus": corpus, "lang": lang}
    counts = reasons.group_by("reason").agg(rows=pl.len()).sort("reason").collect()
    if counts.height:
        yield place | {"reason": "in", "rows": int(counts["rows"].sum())}
    for reason, count in counts.rows():
        yield place | {"reason": reason, "rows": count}


def _write(path: Path, table: pa.Table, inputs: str) -> None:
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata({"inputs": inputs}), temporary, compression="zstd")
