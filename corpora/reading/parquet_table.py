"""Read columns of a Parquet file; what Parquet does not check, such as UTF-8, is checked here."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.reading.archives import BLOCK_BYTES, DAMAGE, bomb, check_file, damaged, max_expanded
from corpora.reading.columns import BATCH_ROWS, NUMBERS, batch_of_columns, find_columns, mark_errors
from corpora.reading.input_file import InputFile


def read_parquet(file: InputFile, required: Sequence[str], optional: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns of a Parquet file; a dot in a column's name leads into a struct."""
    check_file(file.path)
    try:
        with pq.ParquetFile(file.path) as parquet:
            paths = find_paths(file, parquet.schema_arrow, required, optional)
        # As dictionaries, so that a text that is stored once takes its memory once, however often it is repeated.
        texts = [path for name, path in paths.items() if name not in NUMBERS]
        with pq.ParquetFile(file.path, read_dictionary=texts) as parquet:
            check_size(file.path, parquet.metadata, set(paths.values()))
            batches = parquet.iter_batches(BATCH_ROWS, columns=list(dict.fromkeys(paths.values())))
            for batch in _small_batches(batches, file.path, paths):
                yield our_columns(batch, paths, (*required, *optional), required)
    except (*DAMAGE, pa.ArrowException, MemoryError) as error:
        raise damaged(file.path, error) from None


def check_expansion(path: Path, columns: Sequence[str]) -> None:
    """Raise InputError if texts of a Parquet file take far more memory than the file, as in a bomb."""
    with pq.ParquetFile(path) as parquet:
        own = [name for name in columns if name in parquet.schema_arrow.names]
        texts = [name for name in own if pa.types.is_string(parquet.schema_arrow.field(name).type)]
    with pq.ParquetFile(path, read_dictionary=texts) as parquet:
        check_size(path, parquet.metadata, set(texts))
        for _ in _small_batches(parquet.iter_batches(BATCH_ROWS, columns=texts), path, {name: name for name in texts}):
            pass


def find_paths(file: InputFile, schema: pa.Schema, required: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """Return the paths of our columns in a schema; InputError if one is missing or of another type."""
    leaves = _leaf_types(schema)
    paths = find_columns(file, required, optional, list(leaves))
    for name, path in paths.items():
        _check_type(file, name, path, leaves[path])
    return paths


def check_size(path: Path, metadata: pq.FileMetaData, columns: Collection[str]) -> None:
    """Raise InputError if the pages of the columns would take more memory than is plausible for the file."""
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    total = sum(chunk.total_uncompressed_size for chunk in chunks if _is_below(chunk.path_in_schema, columns))
    if total > (most := max_expanded(path)):
        raise bomb(path, most)


def _is_below(path: str, columns: Collection[str]) -> bool:
    """Return whether a column is one of some, or a part of one, as the texts of a list are."""
    return any(path == column or path.startswith(f"{column}.") for column in columns)


def _small_batches(batches: Iterable[pa.RecordBatch], path: Path, paths: dict[str, str]) -> Iterator[pa.RecordBatch]:
    """Yield batches cut to BLOCK_BYTES of text, as long as their sum is plausible for a file of this size."""
    total, most = 0, max_expanded(path)
    for batch in batches:
        ends = np.cumsum(sum(_row_bytes(_take(batch, column)) for column in paths.values()))
        total += int(ends[-1]) if len(ends) else 0
        if total > most:
            raise bomb(path, most)
        begin = 0
        while begin < batch.num_rows:
            before = int(ends[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, before + BLOCK_BYTES)))
            yield batch.slice(begin, end - begin)
            begin = end


def _row_bytes(array: pa.Array) -> Any:
    """Return the bytes that each value of a column takes as a text, at least eight."""
    if pa.types.is_dictionary(array.type):
        lengths = pc.binary_length(array.dictionary.cast(pa.large_binary())).take(array.indices)
    elif pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        lengths = pc.binary_length(array)
    else:
        return np.full(len(array), 8)
    return np.maximum(pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False), 8)


def _leaf_types(fields: Iterable[pa.Field], prefix: str = "") -> dict[str, pa.DataType]:
    """Return the types of columns, those inside of structs with a dotted path."""
    leaves: dict[str, pa.DataType] = {}
    for field in fields:
        if pa.types.is_struct(field.type):
            leaves |= _leaf_types((field.type.field(i) for i in range(field.type.num_fields)), f"{prefix}{field.name}.")
        else:
            leaves[prefix + field.name] = field.type
    return leaves


def _check_type(file: InputFile, name: str, path: str, kind: pa.DataType) -> None:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    if pa.types.is_null(kind) or (is_number if name in NUMBERS else is_text):
        return
    expected = "numbers" if name in NUMBERS else "texts"
    raise InputError(f"{file.path}: the column '{path}' has the type {kind}, but {expected} were expected.")


def our_columns(
    batch: pa.RecordBatch, paths: dict[str, str], names: Sequence[str], required: Sequence[str]
) -> pa.RecordBatch:
    """Return our columns of a batch, checked: texts that are UTF-8, and finite numbers."""
    errors = pa.nulls(batch.num_rows, pa.string())
    columns = []
    for name in names:
        kind = pa.float64() if name in NUMBERS else pa.string()
        array = _take(batch, paths[name]) if name in paths else pa.nulls(batch.num_rows, kind)
        if name in NUMBERS:
            array = array.cast(pa.float64(), safe=False)
            bad, error = pc.fill_null(pc.invert(pc.is_finite(array)), False), "invalid_margin"
            array = pc.if_else(bad, None, array)
        else:
            array, bad = _decode(array)
            error = "invalid_utf8"
        errors = mark_errors(errors, bad, error)
        columns.append(array)
    return batch_of_columns(names, columns, errors, required)


def _take(batch: pa.RecordBatch, path: str) -> pa.Array:
    first, *rest = path.split(".") if path not in batch.schema.names else [path]
    array = batch.column(first)
    for part in rest:
        array = pc.struct_field(array, part)
    return array


def _decode(array: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return texts as strings that are surely UTF-8, and whether each one was not: Parquet does not check it."""
    if pa.types.is_dictionary(array.type):
        array = pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.large_string()))
        array = array.dictionary_decode()
    data = array.cast(pa.large_binary())
    try:
        return data.cast(pa.string()), pa.repeat(False, len(data))
    except pa.ArrowInvalid:
        texts = [None if value is None else value.decode("utf-8", "replace") for value in data.to_pylist()]
        bad = [value is not None and not _is_utf8(value) for value in data.to_pylist()]
        return pa.array(texts, pa.string()), pa.array(bad, pa.bool_())


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
