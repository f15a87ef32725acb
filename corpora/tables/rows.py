"""Turn tables into rows, which are frozen dataclasses, or into an error with file, row and key."""

import datetime
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pydantic_core
from pydantic import AfterValidator, TypeAdapter, ValidationError

from corpora.errors import InputError, unknown
from corpora.tables.content import read_csv, read_toml
from corpora.tables.wording import describe_errors

Row = TypeVar("Row")
STRICT = {"extra": "forbid", "strict": True, "use_attribute_docstrings": True, "arbitrary_types_allowed": True}


def _check_regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    return text


Regex = Annotated[str, AfterValidator(_check_regex)]  # the text of a regular expression of Python
DATES = (datetime.date, datetime.time)  # TOML and YAML have them, our tables do not


def read_toml_rows(path: Path, row_type: type[Row], name: str = "name", **fixed: Any) -> dict[str, Row]:
    """Return the tables of a TOML file as rows by name.

    Args:
        path: The file; each of its tables is a row.
        row_type: The dataclass of a row.
        name: The field that receives the table's name; it is no key of the file.
        **fixed: Fields with the same value in every row; they are no keys of the file.

    Raises:
        InputError: The file cannot be read, or a row does not fit `row_type`.
    """
    return parse_rows(read_toml(path), row_type, f"{path}, table", name, **fixed)


def parse_rows(
    tables: Mapping[str, Any], row_type: type[Row], where: str, name: str = "name", **fixed: Any
) -> dict[str, Row]:
    """Return tables as rows by name; `where` says whose tables they are in errors."""
    return {
        key: parse_row(table, row_type, f"{where} [{key}]", **{name: key}, **fixed) for key, table in tables.items()
    }


def read_csv_rows(path: Path, row_type: type[Row], key: str) -> dict[str, Row]:
    """Return the lines of a CSV file as rows by the value of their column `key`.

    A cell without a value takes the default of its field. Fields that are tuples hold words separated by spaces.

    Raises:
        InputError: The file cannot be read, a line does not fit `row_type`, or two lines have the same key.
    """
    schema: Any = row_type
    rows: dict[str, Row] = {}
    for where, line in read_csv(path):
        _check_keys(line, list(schema.__dataclass_fields__), where)
        is_list = {k: str(schema.__dataclass_fields__[k].type).startswith("tuple") for k in line}
        row = _validate(schema, {k: v.split() if is_list[k] else v for k, v in line.items()}, where, is_text=True)
        if (value := getattr(row, key)) in rows:
            raise InputError(f"{where}: {key} '{value}' appears twice. Keep one of the lines.")
        rows[value] = row
    return rows


def parse_row(values: object, row_type: type[Row], where: str, **fixed: Any) -> Row:
    """Return one row.

    Args:
        values: The keys and values of the row, as TOML, YAML or JSON give them.
        row_type: The dataclass of a row.
        where: The file and row, for errors.
        **fixed: Fields that are set by the caller; as keys of `values` they are unknown.

    Raises:
        InputError: A key is unknown or missing, or a value has the wrong type.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{where}: keys and values were expected, not {values!r}.")
    schema: Any = row_type
    _check_keys(values, [key for key in schema.__dataclass_fields__ if key not in fixed], where)
    row: Row = _validate(schema, {**values, **fixed}, where)
    return row


def check_reference(name: str, known: Iterable[str], kind: str, where: str) -> None:
    """Raise InputError with the nearest known names unless `name` is one of `known`.

    Args:
        name: The name that a row refers to.
        known: The names that exist.
        kind: What is named, such as "corpus" or "value of 'configs'".
        where: The file, row and key that holds the name.
    """
    names = set(known)
    if name not in names:
        raise InputError(f"{where}: {unknown(kind, name, names)}")


@cache
def adapter(row_type: Any) -> TypeAdapter[Any]:
    """Return pydantic's validator of a row type."""
    return TypeAdapter(row_type)


def _check_keys(values: Mapping[Any, object], known: Sequence[str], where: str) -> None:
    for key, value in values.items():
        if key not in known:
            raise InputError(f"{where}: {unknown('key', str(key), known)}")
        if _has_date(value):
            raise InputError(f"{where}: '{key}' must not be a date or time. Put it in quotation marks.")


def _has_date(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_date, value.values()))
    return any(map(_has_date, value)) if isinstance(value, list) else isinstance(value, DATES)


def _validate(row_type: Any, values: Mapping[str, Any], where: str, is_text: bool = False) -> Any:
    try:
        if is_text:
            return adapter(row_type).validate_python(values, strict=False)
        # JSON, because in pydantic's strict mode only its arrays may become tuples, and its objects rows.
        return adapter(row_type).validate_json(json.dumps(values, default=pydantic_core.to_jsonable_python))
    except ValidationError as error:
        raise InputError(f"{where}: {describe_errors(error.errors(), row_type, values)}") from None
