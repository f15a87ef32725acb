"""The tables of a partition of the memory: split by digits when they grow, whole after a kill, read in ranges."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.translation import digest, digest_ranges, export_memory, list_memory, partition, text_ranges
from builders.translation.partition import Partition
from builders.translation.store import TranslationStore

KEYS = sorted(digest(f"segment {number}") for number in range(200))


def row(key: str, text: str = "κείμενο") -> dict[str, object]:
    return {"sha256": key, "decoding": "d", "text": f"{text} {key[:6]}", "flags": [], "en": "words", "failed_check": ""}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Partition:
    """Return a partition whose tables have at most six rows."""
    monkeypatch.setattr(partition, "MAX_ROWS", 6)
    own = TranslationStore(tmp_path / "memory").partition("f" * 64, "el")
    for number in range(0, 200, 8):
        own.write_batch(own.batch_path("d", KEYS[number : number + 8]), map(row, KEYS[number : number + 8]))
    return own


def texts(own: Partition) -> dict[str, str]:
    return {key: entry.text for key, entry in own.entries(KEYS, "d").items()}


def expected(text: str = "κείμενο") -> dict[str, str]:
    return {key: f"{text} {key[:6]}" for key in KEYS}


def test_tables_are_split_and_answer_like_one(small: Partition) -> None:
    assert small.rows()["sha256"].to_pylist() == KEYS
    small.compact()
    assert not small.batches()
    sizes = [pq.read_metadata(path).num_rows for path in small.folder.glob("memory*.parquet")]
    assert sum(sizes) == 200
    assert max(sizes) <= 6
    assert texts(small) == expected()
    assert small.rows()["sha256"].to_pylist() == KEYS
    asked = pa.Table.from_pylist([row(KEYS[1]) | {"decoding": "e"}, *[row(KEYS[0])] * 2], schema=partition.STORE_SCHEMA)
    assert small.lacking(asked).select(["decoding", "sha256"]).to_pylist() == [{"decoding": "e", "sha256": KEYS[1]}]
    small.add(row(key, "other") for key in KEYS)
    assert texts(small) == expected()
    small.put([row(key, "other") for key in KEYS])
    assert texts(small) == expected("other")


@pytest.mark.parametrize("kill_at", range(1, 40, 5))
def test_a_kill_while_tables_are_split_loses_nothing(
    small: Partition, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    count, write = [0], Partition._write

    def dying(own: Partition, path: Path, table: pa.Table) -> None:
        count[0] += 1
        if count[0] == kill_at:
            raise KeyboardInterrupt
        write(own, path, table)

    monkeypatch.setattr(Partition, "_write", dying)
    with pytest.raises(KeyboardInterrupt):
        small.compact()
    assert small.rows()["sha256"].to_pylist() == KEYS
    small.compact()
    assert texts(small) == expected()
    assert small.rows()["sha256"].to_pylist() == KEYS


def test_parts_of_a_table_that_is_there_too_keep_what_they_have_more(small: Partition, tmp_path: Path) -> None:
    small.put([row(key) for key in KEYS[:100]])
    whole = small.rows()
    small.put([row(key, "other") for key in KEYS])
    partition.MAX_ROWS = 1000
    small._write_table("", whole)  # as of a store whose newest change was not put there whole
    partition.MAX_ROWS = 6
    small.add([row(KEYS[0])])
    assert texts(small) == expected("other")
    assert small.rows()["sha256"].to_pylist() == KEYS


def test_rows_of_a_table_that_was_set_aside_are_written_again(small: Partition) -> None:
    small.compact()
    lost = next(path for path in small.folder.glob("memory-*.parquet") if pq.read_metadata(path).num_rows)
    lost.rename(lost.with_name(f"{lost.name}.damaged"))
    assert len(texts(small)) < 200
    small.add(row(key) for key in KEYS)
    assert texts(small) == expected()


def test_split_memories_are_listed_and_exported(small: Partition, tmp_path: Path) -> None:
    (listed,) = list_memory(tmp_path)["partitions"]
    assert (listed["segments"], listed["unfinished_batches"]) == (200, 25)
    small.compact()
    assert export_memory(tmp_path / "all.parquet", work=tmp_path) == 200
    assert sorted(pq.read_table(tmp_path / "all.parquet")["sha256"].to_pylist()) == KEYS


def test_ranges_are_the_distinct_segments_in_the_order_of_their_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = [[f"text {n % 90}", f"other {n}"] for n in range(200)] + [[]]
    pq.write_table(pa.table({"segments": lists}), tmp_path / "segments.parquet")
    (whole,) = text_ranges.text_ranges(tmp_path / "segments.parquet", tmp_path)
    monkeypatch.setattr(digest_ranges, "RANGE_ROWS", 50)
    ranges = list(text_ranges.text_ranges(tmp_path / "segments.parquet", tmp_path))
    assert len(ranges) == 8
    assert json.dumps({key: text for own in ranges for key, text in own.items()}) == json.dumps(whole)
    assert whole == dict(sorted((digest(text), text) for text in {text for own in lists for text in own}))
