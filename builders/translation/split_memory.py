"""A translation memory in a file that does not fit in memory: split by digests, in a folder of the work folder."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.digest_ranges import num_bits, range_of, write_ranges
from builders.translation.memory import (
    MEMORY_SCHEMA,
    MODEL,
    Origin,
    Remembered,
    choose_rows,
    count_rows,
    read_tables,
    remembered_rows,
)
from corpora.errors import InputError
from corpora.files import lock_folder, move_into_place, remove_leftovers, sha256_of, temporary_folder
from corpora.strict_json import load_json

SUMMARY = "memory.json"  # of the folder: what is known of all its translations
GROUP_ROWS = 1 << 13  # of a file's rows that are read together
WAIT_SECONDS = 3600  # for another run that splits a memory
VERSION = 1  # of the folder; raise it whenever its content changes


@dataclass(frozen=True)
class SplitMemory:
    """The translations of a file in ranges of digests, of several of a segment the one that counts."""

    folder: Path
    bits: int
    langs: tuple[str, ...]
    origins: tuple[Origin, ...]

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it has translations into."""
        return frozenset(self.langs)

    def find(self, digests: Iterable[str], lang: str) -> dict[str, Remembered]:
        """Return the translations of those segments that have one into a language, by digest."""
        by_range = defaultdict[int, list[str]](list)
        for digest in digests:
            by_range[range_of(digest, self.bits)].append(digest)
        known: dict[str, Remembered] = {}
        for number, own in sorted(by_range.items()):
            table = _read(self.folder / f"{number}.parquet", lang)
            known |= remembered_rows(table.filter(pc.is_in(table["sha256"], pa.array(own))))
        return known

    def models(self) -> list[Origin]:
        """Return the models that translations are from."""
        return [origin for origin in self.origins if origin.origin == MODEL]


def split_memory(path: Path, work: Path) -> SplitMemory:
    """Return the translation memory in a Parquet file, split into a folder of the work folder unless it is already.

    Raises:
        InputError: The file is no translation memory.
    """
    parent = work / "split-memories"
    folder = parent / f"{sha256_of(path)[:32]}-{VERSION}"
    with lock_folder(parent, "folder of split translation memories", WAIT_SECONDS):
        remove_leftovers(parent)
        if not (folder / SUMMARY).exists():
            with temporary_folder(parent) as temporary:
                _write(path, temporary)
                move_into_place(temporary, folder)
    summary = load_json((folder / SUMMARY).read_text(encoding="utf-8"))
    origins = tuple(Origin(**origin) for origin in summary["origins"])
    return SplitMemory(folder, summary["bits"], tuple(summary["langs"]), origins)


def _write(path: Path, folder: Path) -> None:
    """Write the files of a split memory, and what is known of all of them."""
    bits = num_bits(count_rows(path))
    langs, origins = set[str](), set[Origin]()
    with temporary_folder(folder) as spill:
        for number, part in enumerate(write_ranges(_tables(path), MEMORY_SCHEMA, bits, spill)):
            chosen = choose_rows(pq.read_table(part).to_pylist())
            rows = [chosen[key] for key in sorted(chosen, key=lambda key: (key[1], key[0]))]
            langs.update(row["lang"] for row in rows)
            origins.update(map(Origin.of_row, rows))
            table = pa.Table.from_pylist(rows, schema=MEMORY_SCHEMA)
            pq.write_table(table, folder / f"{number}.parquet", compression="zstd", row_group_size=GROUP_ROWS)
    summary = {"bits": bits, "langs": sorted(langs), "origins": [origin._asdict() for origin in sorted(origins)]}
    (folder / SUMMARY).write_text(json.dumps(summary) + "\n")


def _tables(path: Path) -> Iterator[pa.Table]:
    """Yield the rows of a memory whose key can be looked up."""
    for table in read_tables(path, MEMORY_SCHEMA.names):
        is_digest = pc.match_substring_regex(table["sha256"], "^[0-9a-f]{64}$")
        yield table.filter(pc.and_(is_digest, pc.is_valid(table["lang"]))).cast(MEMORY_SCHEMA)


@lru_cache(3)
def _read(path: Path, lang: str) -> pa.Table:
    """Return the translations into a language of one range; InputError if its file is damaged or gone."""
    try:
        return pq.read_table(path, filters=[("lang", "=", lang)])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}. Delete its folder and run the same command again.") from None
