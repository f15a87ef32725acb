"""From records in English to records in another language: cut, translated, judged, filled."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.memory import digest
from builders.rows import RECORDS
from builders.segment import cut, fill, is_spaced
from builders.translating import guards
from builders.translating.exempt import FIELDS, exemption
from builders.translating.outcomes import Outcome, outcomes
from builders.translating.spans import rows
from builders.translating.translator import Translator
from builders.work import Unit, Work, inputs_text
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
    tables = {table: rows(table) for table in ("spans", "lines", "exempt")}
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
    inputs: Row = {"from": [records.name, segments.name, translations.name], "version": VERSION}
    unit = Unit("translated", name, inputs)
    sources = {"records": records, "segments": segments, "translations": translations}
    return work.make(unit, partial(write_translated, **sources, lang=lang, inputs=inputs_text(unit)))


def write_segments(path: Path, records: Path, inputs: str) -> None:
    """Write every field of every kept record, cut into segments and frame."""
    cuts = [row for record in kept(records) for row in _cut(record)]
    _write(path, cuts, SEGMENTS, inputs)


def kept(records: Path) -> list[Row]:
    """The records that no filter has rejected."""
    table = pq.read_table(records)
    rows: list[Row] = table.filter(pc.is_null(table["rejected_by"])).to_pylist()
    return rows


def _cut(record: Row) -> Iterator[Row]:
    exempt, english = exemption(record) or ("", ())
    for field in FIELDS:
        segments, frame = ([], [record[field]]) if field in english else cut(record[field])
        yield {"id": record["id"], "field": field, "exempt": exempt, "frame": frame, "segments": segments}


def write_translations(path: Path, segments: Path, lang: str, translator: Translator, inputs: str) -> None:
    """Write every distinct segment with its translation into `lang`, in the order of digests."""
    distinct = pc.unique(pq.read_table(segments, columns=["segments"])["segments"].combine_chunks().flatten())
    texts = {digest(text): text for text in distinct.to_pylist()}
    found = outcomes(dict(sorted(texts.items())), lang, translator)
    _write(path, [_row(key, lang, texts[key], outcome) for key, outcome in found.items()], TRANSLATIONS, inputs)


def _row(sha256: str, lang: str, english: str, outcome: Outcome) -> Row:
    values = (sha256, lang, english, outcome.text, outcome.how, outcome.stopped_by)
    return dict(zip(TRANSLATIONS.names, values, strict=True))


def write_translated(path: Path, records: Path, segments: Path, translations: Path, lang: str, inputs: str) -> None:
    """Write every kept record in `lang`; one that stays in English is charged to a row of exempt.toml or a guard."""
    table = pq.read_table(translations)
    known = {
        row["en"]: Outcome(row["text"], row["how"], row["stopped_by"])
        for row in table.select(["en", "text", "how", "stopped_by"]).to_pylist()
    }
    cuts: dict[str, list[Row]] = {}
    for row in pq.read_table(segments).to_pylist():
        cuts.setdefault(row["id"], []).append(row)
    made = [
        record | {"lang": lang} | _filled(record, cuts[record["id"]], known, is_spaced(lang))
        for record in kept(records)
    ]
    _write(path, made, RECORDS, inputs)


def _filled(record: Row, fields: Sequence[Row], known: Mapping[str, Outcome], spaced: bool) -> Row:
    """The fields of a record in the language, or why it stays in English."""
    if not any(row["segments"] for row in fields):
        return {"rejected_by": fields[0]["exempt"] or "nothing_said"}
    texts = {}
    for row in fields:
        found = [known[segment] for segment in row["segments"]]
        for outcome in found:
            if outcome.text is None:
                return {"rejected_by": outcome.stopped_by}
        texts[row["field"]] = fill(row["frame"], [outcome.text or "" for outcome in found], spaced)
    same = texts["input"].casefold() == texts["output"].casefold() != ""
    if same and record["input"].casefold() != record["output"].casefold():
        return {"rejected_by": "input_is_output"}
    return texts


def counted(made: Made, corpus: str) -> Iterator[Row]:
    """The ledger rows of what was cut and translated of a corpus.

    Of `segments` the records: kept to be translated whole, or the row of exempt.toml that keeps them in English,
    `_in_part` where it keeps some fields only. Of `translations` the distinct segments: how they came about, or the
    guard that stopped them.
    """
    records: dict[str, str] = {}
    for row in pq.read_table(made.segments, columns=["id", "exempt", "segments"]).to_pylist():
        part = "_in_part" if row["segments"] or records.get(row["id"], "").endswith("_in_part") else ""
        records[row["id"]] = f"{row['exempt']}{part}" if row["exempt"] else "kept"
    yield from _account("segments", corpus, "en", list(records.values()))
    for lang, path in made.translations.items():
        table = pq.read_table(path, columns=["how", "stopped_by"])
        reasons = [row["stopped_by"] or row["how"] for row in table.to_pylist()]
        yield from _account("translations", corpus, lang, reasons)


def _account(stage: str, corpus: str, lang: str, reasons: Sequence[str]) -> Iterator[Row]:
    place = {"stage": stage, "corpus": corpus, "lang": lang}
    if reasons:
        yield place | {"reason": "in", "rows": len(reasons)}
    for reason, count in sorted(Counter(reasons).items()):
        yield place | {"reason": reason, "rows": count}


def _write(path: Path, made: Sequence[Row], schema: pa.Schema, inputs: str) -> None:
    table = pa.Table.from_pylist(list(made), schema=schema.with_metadata({"inputs": inputs}))
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
