"""Rows of a release from the very bytes that were checked, in Parquet that says the same to every reader."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cards.manifest_types import Feature, FileEntry, Split
from cards.releases.files import copy_verified
from cards.releases.private_folder import private_folder
from corpora.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PARQUET_KEYS = {b"ARROW:schema"}  # what a writer may add; `huggingface` and `pandas` would change types and columns
MAGIC = b"PAR1"
FIXED = ("path", "name", "data_dir", "data_files", "revision")  # options of `load_dataset` that choose files
DROPPING = ("filters", "on_bad_files")  # that leave out rows, by statistics that may lie, or files, without a word


def read_split(folder: Path, split: Split, features: Sequence[Feature]) -> "Iterator[pa.Table]":
    """Yield the rows of each file of a split, from bytes that are read once and checked.

    Raises:
        InputError: A file is not as published, or has other columns or another number of rows than the manifest.
    """
    num_rows = 0
    for entry in split["files"]:
        table = _read_table(folder, entry, features)
        num_rows += table.num_rows
        yield table
    if num_rows != split["num_rows"]:
        names = ", ".join(entry["path"] for entry in split["files"][:3])
        raise InputError(f"{folder}: {names} has {num_rows:,} rows; the manifest states {split['num_rows']:,}.")


def _read_table(folder: Path, entry: FileEntry, features: Sequence[Feature]) -> "pa.Table":
    import pyarrow as pa

    copy = io.BytesIO()
    copy_verified(folder, entry, copy)
    path = folder / entry["path"]
    try:
        file = _open_parquet(copy, features, path)
        table = file.read()
        table.validate(full=True)  # texts are UTF-8: readers do different things with bytes that are not
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from None
    if table.num_rows != file.metadata.num_rows:
        raise InputError(f"{path} has {table.num_rows:,} rows, but states {file.metadata.num_rows:,}.")
    return table


def _open_parquet(file: BinaryIO, features: Sequence[Feature], path: Path) -> "pq.ParquetFile":
    """Return a Parquet file with the columns of the manifest and nothing else that could change what is read."""
    import pyarrow.parquet as pq

    file.seek(0)
    if (first := file.read(len(MAGIC))) != MAGIC:
        raise InputError(f"{path} begins as {first!r}, not as Parquet: `datasets` unpacks some files by that.")
    parquet = pq.ParquetFile(file)
    metadata, schema = parquet.metadata, parquet.schema_arrow
    columns = [(field.name, _describe(field.type)) for field in schema]
    expected = [(feature["name"], feature.get("dtype") or feature.get("list")) for feature in features]
    if columns != expected or any(map(_has_metadata, schema)):
        raise InputError(f"{path} has the columns {columns}; the manifest states {expected}.")
    keys = {*(metadata.metadata or {}), *(schema.metadata or {})}  # of the file, and of the schema within its key
    if unknown_keys := sorted(keys - PARQUET_KEYS):
        raise InputError(f"{path} has the key {unknown_keys[0].decode(errors='replace')!r}, which readers may obey.")
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if sum(groups) != metadata.num_rows:
        raise InputError(f"{path} states {metadata.num_rows:,} rows, but its row groups {sum(groups):,}.")
    if not all(groups):
        raise InputError(f"{path} has a row group without rows, at which `datasets` stops.")
    return parquet


def _has_metadata(field: "pa.Field") -> bool:
    """Return whether a column, or a field within it, has keys: they may name a type of another library."""
    nested = [field.type.field(number) for number in range(field.type.num_fields)]
    return bool(field.metadata) or any(map(_has_metadata, nested))


def _describe(kind: "pa.DataType") -> object:
    """Return a type as the manifest states it."""
    import pyarrow as pa

    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if is_list and pa.types.is_struct(kind.value_type):
        return [{"name": field.name, "dtype": _describe(field.type)} for field in kind.value_type]
    return str(kind).removeprefix("large_")


def load_splits(
    folder: Path, splits: Mapping[str, Split], features: Sequence[Feature], options: Mapping[str, Any]
) -> Any:
    """Return splits as `datasets` has them, prepared from copies that nobody else can change.

    What `datasets` prepared before is not used: its cache is named after paths and times, which anyone can set.

    Args:
        folder: The folder of the release.
        splits: The splits of a config.
        features: The columns.
        options: Those of `datasets.load_dataset`; `cache_dir` is where the private folder is made.

    Raises:
        InputError: A file is not as published, or an option chooses other files.
    """
    import datasets
    import pyarrow as pa

    if wrong := [name for name in FIXED if name in options]:
        raise InputError(f"load() takes the files from the manifest, so it has no option '{wrong[0]}'. Leave it out.")
    if dropping := [name for name in DROPPING if name in options]:
        raise InputError(
            f"load() returns every row, so it has no option '{dropping[0]}'. Call `.filter(...)` on what it returns."
        )
    parent = Path(options.get("cache_dir") or datasets.config.HF_DATASETS_CACHE)
    with private_folder(parent) as private:
        files = {name: _copy_split(folder, split, features, private / name) for name, split in splits.items()}
        own = {**options, "cache_dir": str(private / "prepared")}
        try:
            loaded = datasets.load_dataset("parquet", data_files=files, **own)
        except (ValueError, OSError, pa.ArrowException, datasets.exceptions.DatasetsError) as error:
            words = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"`datasets` does not load the files of {folder}: {words}") from None
        if not options.get("streaming"):
            for path in (path for paths in files.values() for path in paths):
                Path(path).unlink()
    return loaded


def _copy_split(folder: Path, split: Split, features: Sequence[Feature], target: Path) -> list[str]:
    """Copy the files of a split, checked as they are copied, and return the paths of the copies."""
    import pyarrow as pa

    target.mkdir()
    copies, num_rows = [], 0
    for number, entry in enumerate(split["files"]):
        copies.append(target / f"{number:05}.parquet")
        with copies[-1].open("wb") as copy:
            copy_verified(folder, entry, copy)
        try:
            with copies[-1].open("rb") as file:
                num_rows += _open_parquet(file, features, folder / entry["path"]).metadata.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(f"{folder / entry['path']} cannot be read as Parquet: {error}") from None
    if num_rows != split["num_rows"]:
        raise InputError(f"{folder} has {num_rows:,} rows in {target.name}; the manifest states {split['num_rows']:,}.")
    return [str(path) for path in copies]
