"""Files of any size are imported some rows at a time: the bytes of an import at once, also after a kill."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.translation import digest, digest_ranges, import_memory, memory_import, partition
from builders.translation.partition import STORE_SCHEMA, Partition
from corpora.errors import InputError

TABLE_ROWS = 30


def row(number: int, text: str = "Το κείμενο") -> dict[str, object]:
    en = f"The text number {number}."
    key = {"sha256": digest(en), "lang": ("el", "de")[number % 2], "origin": "model", "model": "0" * 64}
    return key | {"decoding": "d", "text": f"{text} {number}.", "flags": [], "en": en}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an export in which a third of the keys come again, with other translations."""
    monkeypatch.setattr(partition, "MAX_ROWS", TABLE_ROWS)
    rows = [*map(row, range(90)), *(row(number, "Άλλο") for number in range(0, 90, 3))]
    path = tmp_path / "export.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=STORE_SCHEMA), path)
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, write and add few rows at a time."""
    monkeypatch.setattr(memory_import, "BATCH_ROWS", 16)
    monkeypatch.setattr(digest_ranges, "RANGE_ROWS", 20)


def content(work: Path) -> dict[str, bytes]:
    return {str(path.relative_to(work)): path.read_bytes() for path in work.rglob("*.parquet")}


@pytest.fixture
def expected(file: Path, tmp_path: Path) -> dict[str, bytes]:
    """Return the memory after an import at once."""
    assert import_memory(file, work=tmp_path / "whole").num_added == 90
    return content(tmp_path / "whole")


def test_import_in_ranges_leaves_the_bytes_of_one_at_once(
    file: Path, expected: dict[str, bytes], small: None, tmp_path: Path
) -> None:
    first = import_memory(file, work=tmp_path / "work")
    again = import_memory(file, work=tmp_path / "work")
    assert (first.num_added, first.num_known, again.num_added, again.num_known) == (90, 0, 0, 90)
    assert content(tmp_path / "work") == expected
    assert len(expected) == 32


@pytest.mark.slow
@pytest.mark.parametrize("kill_at", [1, 12])
def test_killed_import_ends_with_the_same_bytes(
    file: Path, expected: dict[str, bytes], small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    count, write = [0], Partition._write

    def dying(own: Partition, path: Path, table: pa.Table) -> None:
        count[0] += 1
        if count[0] == kill_at:
            raise KeyboardInterrupt
        write(own, path, table)

    monkeypatch.setattr(Partition, "_write", dying)
    with pytest.raises(KeyboardInterrupt):
        import_memory(file, work=tmp_path / "work")
    (tmp_path / "work" / "memory" / ".tmp-0123456789abcdef").mkdir()  # as a SIGKILL leaves
    import_memory(file, work=tmp_path / "work")
    assert content(tmp_path / "work") == expected
    assert not list(tmp_path.rglob(".tmp-*"))


def test_fault_in_the_last_row_leaves_the_memory_as_it_was(
    file: Path, expected: dict[str, bytes], small: None, tmp_path: Path
) -> None:
    table = pq.read_table(file)
    bad = pa.Table.from_pylist([row(500) | {"en": "Another text."}], schema=STORE_SCHEMA)
    pq.write_table(pa.concat_tables([table, bad]), tmp_path / "bad.parquet")
    with pytest.raises(InputError, match=r"bad\.parquet, row 121: sha256 is not that of the text"):
        import_memory(tmp_path / "bad.parquet", work=tmp_path / "whole")
    assert content(tmp_path / "whole") == expected
    assert not list(tmp_path.rglob(".tmp-*"))
