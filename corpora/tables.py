"""Read the project's tables (TOML, CSV, YAML) strictly: a row becomes a dataclass, or an error with file, row and key.

A row type is a frozen dataclass whose annotations are the schema. Set `__pydantic_config__ = STRICT` in its body, so
that an unknown key is an error and no value is converted; write a docstring below each field, from which the reference
tables of the documentation are generated.
"""

import csv
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from corpora.errors import InputError, unknown

Row = TypeVar("Row")
STRICT = {"extra": "forbid", "strict": True, "use_attribute_docstrings": True, "arbitrary_types_allowed": True}
PLAIN_WORDS = {  # pydantic's names of what it expects, and ours
    "a valid string": "a string",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
    "a valid array": "a list",
    "an object": "a table",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "above",
    "less than": "below",
}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        InputError: The file is missing, a folder, or not valid TOML; the message has the line.
    """
    try:
        return tomllib.loads(_read_text(path, "TOML"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: The file is missing, a folder, not valid YAML, or holds anything but a mapping.
    """
    try:
        content = yaml.safe_load(_read_text(path, "YAML"))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold keys and values, not {content!r}.")
    return content


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

    A column without a value takes the default of its field. Fields that are tuples hold words separated by spaces.

    Raises:
        InputError: The file cannot be read, a line does not fit `row_type`, or two lines have the same key.
    """
    rows: dict[str, Row] = {}
    for where, line in _csv_lines(path):
        row = _parse(row_type, line, {}, where, is_text=True)
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
    return _parse(row_type, values, fixed, where)


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


def row_keys(row_type: Any) -> list[dict[str, str]]:
    """Return the keys of a row type with type, default and description, for the documentation's reference tables."""
    schema = _adapter(row_type).json_schema()
    required = schema.get("required", [])
    return [
        {
            "key": key,
            "type": _type_name(value),
            "default": "required" if key in required else json.dumps(value.get("default"), ensure_ascii=False),
            "description": value.get("description", ""),
        }
        for key, value in schema["properties"].items()
    ]


@cache
def _adapter(row_type: Any) -> TypeAdapter[Any]:
    return TypeAdapter(row_type)


def _read_text(path: Path, kind: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a {kind} file was expected.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not valid {kind}: {error}.") from None


def _csv_lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv.DictReader(_read_text(path, "CSV").splitlines(), strict=True)
    try:
        for line in reader:
            where = f"{path}, line {reader.line_num}"
            if None in line or None in line.values():
                raise InputError(
                    f"{where}: {len(reader.fieldnames or ())} columns were expected, as in the first line."
                )
            yield where, {key: value for key, value in line.items() if value != ""}
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}, is not valid CSV: {error}.") from None


def _parse(
    row_type: type[Row], values: Mapping[str, Any], fixed: Mapping[str, Any], where: str, is_text: bool = False
) -> Row:
    schema: Any = row_type
    fields: Mapping[str, Any] = schema.__dataclass_fields__
    known = [key for key in fields if key not in fixed]
    for key in values:
        if key not in known:
            raise InputError(f"{where}: {unknown('key', str(key), known)}")
    try:
        if is_text:
            texts = {k: v.split() if str(fields[k].type).startswith("tuple") else v for k, v in values.items()}
            row: Row = _adapter(schema).validate_python({**texts, **fixed}, strict=False)
        else:
            # JSON, because in pydantic's strict mode only its arrays may become tuples.
            text = json.dumps({**values, **fixed}, default=str)
            row = _adapter(schema).validate_json(text)
    except ValidationError as error:
        raise InputError(f"{where}: {_sentence(error.errors()[0], values)}") from None
    return row


def _sentence(error: Any, values: Mapping[str, Any]) -> str:
    """Return what pydantic found wrong first, in one sentence."""
    key = ".".join(_key_path(error["loc"], values))
    if error["type"] in ("missing", "missing_argument"):
        return f"the key '{key}' is missing."
    if error["type"] == "literal_error":
        choices = [choice.strip("'") for choice in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return str(unknown(f"value of '{key}'", str(error["input"]), choices))
    expected = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    for pydantic, plain in PLAIN_WORDS.items():
        expected = expected.replace(pydantic, plain)
    return f"'{key}' must be {expected}, not {error['input']!r}."


def _key_path(location: Iterable[str | int], values: Any) -> Iterator[str]:
    """Yield the keys on the way to an error, without places in lists and pydantic's names of types."""
    for part in location:
        if isinstance(values, Mapping) and "[" not in str(part):
            yield str(part)
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int):
            values = values[part]


def _type_name(schema: Mapping[str, Any]) -> str:
    """Return a readable name for a JSON schema's type."""
    if "anyOf" in schema:
        return " or ".join(_type_name(part) for part in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type_name(schema['items'])}s" if "items" in schema else "list"
    if schema.get("type") == "object":
        return "table"
    return str(schema.get("type", "any"))
