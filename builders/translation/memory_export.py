"""The translation memory shown and exported: Parquet for ourselves, TMX 1.4 for everyone."""

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version as metadata_version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tabulate import tabulate

from builders.translation.store import REMEMBERED, MemoryFolder, Shelf
from corpora.catalog import language, languages
from corpora.errors import InputError
from corpora.files import atomic_path

UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # characters that XML cannot hold
Row = dict[str, Any]


def statistics(work: Path) -> dict[str, Any]:
    """Segments by model, language and decoding; bytes on disk; of the newest builds, how many segments were known."""
    folder = MemoryFolder(work / "memory")
    shelves = [_counted(shelf, count) for shelf in folder.shelves() for count in _by_decoding(shelf)]
    size = sum(path.stat().st_size for path in folder.folder.rglob("*.parquet"))
    return {"folder": str(folder.folder), "bytes": size, "shelves": shelves, "runs": _runs(folder)}


def _by_decoding(shelf: Shelf) -> list[tuple[str, int, int]]:
    rows = shelf.rows()
    pairs = zip(rows["decoding"].to_pylist(), rows["stopped_by"].to_pylist(), strict=True)
    counts = Counter((decoding, bool(stopped)) for decoding, stopped in pairs)
    return [(name, counts[name, False], counts[name, True]) for name in sorted({name for name, _ in counts})]


def _counted(shelf: Shelf, count: tuple[str, int, int]) -> Row:
    names = ("model", "lang", "decoding", "segments", "stopped", "unfinished_batches")
    decoding, passed, stopped = count
    values = (shelf.model, shelf.lang, decoding, passed + stopped, stopped, len(shelf.batches()))
    return dict(zip(names, values, strict=True))


def _runs(folder: MemoryFolder) -> list[Row]:
    """What the newest run into each language asked for, and how much of it the memory had."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.folder.glob("*/*/run.json"))]
    return [run | {"hit_rate": run["known"] / run["asked"] if run["asked"] else 1.0} for run in found]


def shown_json(found: dict[str, Any]) -> str:
    """The statistics for a machine."""
    return json.dumps(found, indent=2)


def shown_text(found: dict[str, Any]) -> str:
    """The statistics for people."""
    if not found["shelves"]:
        return f"The translation memory {found['folder']} is empty."
    rows = [
        (s["model"][:16], s["lang"], s["decoding"], f"{s['segments']:,}", f"{s['stopped']:,}") for s in found["shelves"]
    ]
    heads = ["model", "lang", "decoding", "segments", "stopped by a guard"]
    table = tabulate(rows, heads, colalign=("left", "left", "left", "right", "right"))
    runs = [
        f"  {run['lang']}: {run['known']:,} of {run['asked']:,} distinct segments were known ({run['hit_rate']:.1%})"
        for run in found["runs"]
    ]
    size = f"{found['bytes'] / 1e6:,.1f} MB in {found['folder']}"
    return "\n".join([table, "", size, *(["Newest runs:", *runs] if runs else [])])


def export_memory(work: Path, file: Path, langs: str | None) -> str:
    """Write the memory, or some languages of it, to a TMX or Parquet file; a sentence on what was written."""
    wanted = [language(lang.strip().lower()).code for lang in langs.split(",")] if langs else list(languages())
    check_name(file)
    with MemoryFolder(work / "memory").opened() as folder:
        tables = [shelf.rows() for shelf in folder.shelves() if shelf.lang in wanted]
    table = pa.concat_tables([REMEMBERED.empty_table(), *tables])
    if not table.num_rows:
        raise InputError(
            f"The translation memory {work / 'memory'} holds nothing to export. Translate something first."
        )
    if file.suffix == ".tmx":
        table = table.filter(pc.equal(table["stopped_by"], ""))
    with atomic_path(file) as temporary:
        if file.suffix == ".tmx":
            _write_tmx(temporary, table.to_pylist())
        else:
            pq.write_table(table, temporary, compression="zstd")
    return f"{table.num_rows:,} translations are in {file}."


def check_name(file: Path) -> None:
    """Raise InputError unless a file is named like one that a memory is exchanged in."""
    if file.suffix not in (".tmx", ".parquet"):
        raise InputError(f"{file}: a translation memory is exchanged as .tmx or .parquet, and its name says which.")


def _write_tmx(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as TMX 1.4, a unit a translation."""
    root = ET.Element("tmx", version="1.4")
    version = metadata_version("coit-builders")
    form = {"creationtool": "coit-builders", "creationtoolversion": version, "segtype": "sentence"}
    ET.SubElement(
        root, "header", form | {"o-tmf": "Parquet", "adminlang": "en", "srclang": "en", "datatype": "plaintext"}
    )
    body = ET.SubElement(root, "body")
    for row in rows:
        unit = ET.SubElement(body, "tu")
        ET.SubElement(unit, "prop", type="x-model").text = row["model"]
        for lang, text in (("en", row["en"]), (row["lang"], row["text"])):
            ET.SubElement(ET.SubElement(unit, "tuv", {"xml:lang": lang}), "seg").text = UNSPEAKABLE.sub("", text)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
