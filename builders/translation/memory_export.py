"""Statistics and export of the translation memory: Parquet for this project, TMX 1.4 for other programs."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version as metadata_version
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.partition import STORE_SCHEMA, Partition
from builders.translation.store import TranslationStore
from builders.translation.tmx_provenance import PROVENANCE
from corpora.arguments import checked
from corpora.catalog import language_codes, languages
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.strict_json import load_json

NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # characters that XML cannot hold
Row = dict[str, Any]


@checked
def list_memory(work: Path | str = "work") -> dict[str, Any]:
    """Return statistics of the translation memory of a work folder.

    Returns:
        `folder`, `bytes`, `partitions` (segments by origin, model, language and decoding, and how many of them fail a
        check) and `runs` (how many of the segments of the newest run into each language were known).
    """
    store = TranslationStore(Path(work) / "memory")
    partitions = [row for partition in store.partitions() for row in _count(partition)]
    size = sum(path.stat().st_size for path in store.memory_dir.rglob("*.parquet"))
    return {"folder": str(store.memory_dir), "bytes": size, "partitions": partitions, "runs": _runs(store)}


def _count(partition: Partition) -> list[Row]:
    """Return the number of segments of a partition by decoding."""
    counts: Counter[tuple[str, bool]] = Counter()
    for rows in partition.parts():
        pairs = zip(rows["decoding"].to_pylist(), rows["failed_check"].to_pylist(), strict=True)
        counts.update((decoding, bool(failed)) for decoding, failed in pairs)
    key = {"origin": partition.origin, "model": partition.model, "lang": partition.lang}
    return [
        {
            **key,
            "decoding": decoding,
            "segments": counts[decoding, False] + counts[decoding, True],
            "failed": counts[decoding, True],
            "unfinished_batches": len(partition.batches()),
        }
        for decoding in sorted({decoding for decoding, _ in counts})
    ]


def _runs(store: TranslationStore) -> list[Row]:
    """Return the usage of the memory by the newest run into each language."""
    runs = [load_json(path.read_text(encoding="utf-8")) for path in sorted(store.memory_dir.glob("*/*/run.json"))]
    return [
        run | {"hit_rate": run["num_known"] / run["num_requested"] if run["num_requested"] else 1.0} for run in runs
    ]


@checked
def export_memory(file: Path | str, *, langs: Sequence[str] = (), work: Path | str = "work") -> int:
    """Write the translation memory to a .tmx or .parquet file, and return the number of translations.

    Args:
        file: The file. A .tmx holds what passes all checks, a .parquet all.
        langs: Only these languages; all by default.
        work: The work folder of the memory.

    Raises:
        InputError: The file has another suffix, or the memory is empty.
    """
    file, codes = Path(file), language_codes(langs) or tuple(languages())
    check_suffix(file)
    with TranslationStore(Path(work) / "memory").open() as store, atomic_path(file) as temporary:
        own = (partition for partition in store.partitions() if partition.lang in codes)
        tables = (table for partition in own for table in partition.parts() if table.num_rows)
        first = next(tables, None)
        if first is None:
            raise InputError(
                f"The translation memory {store.memory_dir} has nothing to export. Translate something first."
            )
        write = _write_tmx if file.suffix == ".tmx" else _write_parquet
        return write(temporary, chain([first], tables))


def check_suffix(file: Path) -> None:
    """Raise InputError unless a file is named .tmx or .parquet."""
    if file.suffix not in (".tmx", ".parquet"):
        raise InputError(f"{file}: a translation memory is a .tmx or .parquet file. Name a file with one of them.")


def _write_parquet(path: Path, tables: Iterable[pa.Table]) -> int:
    num_rows = 0
    with pq.ParquetWriter(path, STORE_SCHEMA, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.replace_schema_metadata(None))
            num_rows += table.num_rows
    return num_rows


def _write_tmx(path: Path, tables: Iterable[pa.Table]) -> int:
    """Write what passes all checks as TMX 1.4, one unit for each translation, and return their number."""
    header = {"creationtool": "coit-builders", "creationtoolversion": metadata_version("coit-builders")}
    header |= {"segtype": "sentence", "o-tmf": "Parquet", "adminlang": "en", "srclang": "en", "datatype": "plaintext"}
    num_rows = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("<?xml version='1.0' encoding='utf-8'?>\n<tmx version=\"1.4\">\n  ")
        file.write(ET.tostring(ET.Element("header", header), encoding="unicode") + "\n  <body>")
        for table in tables:
            for row in table.filter(pc.equal(table["failed_check"], "")).to_pylist():
                file.write(f"\n    {_unit(row)}")
                num_rows += 1
        file.write("\n  </body>\n</tmx>")
    return num_rows


def _unit(row: Row) -> str:
    """Return a translation as a unit of TMX."""
    unit = ET.Element("tu")
    for name in PROVENANCE:
        if row[name]:
            ET.SubElement(unit, "prop", type=f"x-{name}").text = NOT_IN_XML.sub("", row[name])
    for lang, text in (("en", row["en"]), (row["lang"], row["text"])):
        ET.SubElement(ET.SubElement(unit, "tuv", {"xml:lang": lang}), "seg").text = NOT_IN_XML.sub("", text)
    ET.indent(unit, level=2)
    return ET.tostring(unit, encoding="unicode")
