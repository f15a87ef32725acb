"""Statistics and export of the translation memory: Parquet for this project, TMX 1.4 for other programs."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version as metadata_version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.store import STORE_SCHEMA, Partition, TranslationStore
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
    rows = partition.rows()
    pairs = zip(rows["decoding"].to_pylist(), rows["failed_check"].to_pylist(), strict=True)
    counts = Counter((decoding, bool(failed)) for decoding, failed in pairs)
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
    with TranslationStore(Path(work) / "memory").open() as store:
        tables = [partition.rows() for partition in store.partitions() if partition.lang in codes]
    table = pa.concat_tables([STORE_SCHEMA.empty_table(), *tables])
    if not table.num_rows:
        raise InputError(f"The translation memory {store.memory_dir} has nothing to export. Translate something first.")
    if file.suffix == ".tmx":
        table = table.filter(pc.equal(table["failed_check"], ""))
    with atomic_path(file) as temporary:
        if file.suffix == ".tmx":
            _write_tmx(temporary, table.to_pylist())
        else:
            pq.write_table(table, temporary, compression="zstd")
    return int(table.num_rows)


def check_suffix(file: Path) -> None:
    """Raise InputError unless a file is named .tmx or .parquet."""
    if file.suffix not in (".tmx", ".parquet"):
        raise InputError(f"{file}: a translation memory is a .tmx or .parquet file. Name a file with one of them.")


def _write_tmx(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as TMX 1.4, one unit for each translation."""
    root = ET.Element("tmx", version="1.4")
    version = metadata_version("coit-builders")
    header = {"creationtool": "coit-builders", "creationtoolversion": version, "segtype": "sentence"}
    ET.SubElement(
        root, "header", header | {"o-tmf": "Parquet", "adminlang": "en", "srclang": "en", "datatype": "plaintext"}
    )
    body = ET.SubElement(root, "body")
    for row in rows:
        unit = ET.SubElement(body, "tu")
        for name in PROVENANCE:
            if row[name]:
                ET.SubElement(unit, "prop", type=f"x-{name}").text = NOT_IN_XML.sub("", row[name])
        for lang, text in (("en", row["en"]), (row["lang"], row["text"])):
            ET.SubElement(ET.SubElement(unit, "tuv", {"xml:lang": lang}), "seg").text = NOT_IN_XML.sub("", text)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
