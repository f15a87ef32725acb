"""Read columns of a Parquet file; what Parquet does not check, such as UTF-8, is checked here."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.errors import InputError
from corpora.reading.archives import DAMAGE, check_file, damaged
from corpora.reading.columns import BATCH_ROWS, NUMBERS, batch_of_columns, find_columns, mark_errors
from corpora.reading.input_file import InputFile


def read_parquet(file: InputFile, required: Sequence[str], optional: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns of a Parquet file; a dot in a column's name leads into a struct."""
    check_file(file.path)
    try:
        with pq.ParquetFile(file.path) as parquet:
            leaves = _leaf_types(parquet.schema_arrow)
            paths = find_columns(file, required, optional, list(leaves))
            for name, path in paths.items():
                _check_type(file, name, path, leaves[path])
            for batch in parquet.iter_batches(BATCH_ROWS, columns=list(dict.fromkeys(paths.values()))):
                yield _our_columns(batch, paths, (*required, *optional), required)
    except (*DAMAGE, pa.ArrowException) as error:
        raise damaged(file.path, error) from None


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


def _our_columns(
    batch: pa.RecordBatch, paths: dict[str, str], names: Sequence[str], required: Sequence[str]
) -> pa.RecordBatch:
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
