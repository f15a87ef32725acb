"""Read TOML, YAML and CSV files; what cannot be read is an error with file and line."""

import csv
import io
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import InputError, first_line
from corpora.limits import hint, limit

MAX_DEPTH, MAX_DOTS = 50, 1000  # of tables that people write


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        InputError: The file is missing, a folder, or not valid TOML; the message has the line.
    """
    text = _read_text(path, "TOML")
    if any(line.count(".") > MAX_DOTS for line in text.split("\n")):  # tomllib reads a dotted key in quadratic time
        raise InputError(f"{path} is not TOML that can be read: a line has more than {MAX_DOTS:,} dots.")
    try:
        return _check_depth(tomllib.loads(text), path)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from None
    except (RecursionError, ValueError) as error:  # ValueError: a number or a date out of range
        raise InputError(f"{path} is not TOML that can be read: {first_line(error)}") from None


class _UniqueKeys(yaml.SafeLoader):
    """Reads YAML as `safe_load` does, but keys that appear twice and aliases are errors: aliases can grow at will."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' appears twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: The file is missing, a folder, not valid YAML, or holds anything but a mapping.
    """
    return parse_yaml(_read_text(path, "YAML"), path)


def parse_yaml(text: str, path: object) -> dict[str, Any]:
    """Return the mapping in a YAML text; `path` names it in the InputError."""
    try:
        content = yaml.load(text, Loader=_UniqueKeys)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}," if mark else ""
        raise InputError(f"{path}{line} is not valid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    except (RecursionError, ValueError) as error:  # ValueError: a date or a number out of range
        raise InputError(f"{path} is not YAML that can be read: {first_line(error)}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold keys and values, not {str(content)[:100]}.")
    return _check_depth(content, path)


def _check_depth(content: dict[str, Any], path: object) -> dict[str, Any]:
    """Return tables as they are; InputError if they are nested deeper than people write them."""
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        below = [value.values() if isinstance(value, dict) else value for value in level]
        level = [value for values in below for value in values if isinstance(value, dict | list)]
        if not level:
            return content
    raise InputError(f"{path} is nested deeper than {MAX_DEPTH} levels.")


def read_csv(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the lines of a CSV file, each with its file and line number for errors; empty cells are left out.

    Raises:
        InputError: The file is missing, a folder, not valid CSV, or a line has another number of columns than the
            first one.
    """
    reader = csv.DictReader(io.StringIO(_read_text(path, "CSV"), newline=""), strict=True)
    try:
        columns = reader.fieldnames or []
        if repeated := [column for column, count in Counter(columns).items() if count > 1]:
            raise InputError(f"{path}, line 1: the column '{min(repeated)}' appears twice. Keep one of them.")
        for line in reader:
            where = f"{path}, line {reader.line_num}"
            if None in line or None in line.values():
                raise InputError(f"{where}: {len(columns)} columns were expected, as in the first line.")
            yield where, {key: value for key, value in line.items() if value != ""}
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}, is not valid CSV: {error}.") from None


def _read_text(path: Path, kind: str) -> str:
    try:
        if path.is_file() and (size := path.stat().st_size) > limit("table_bytes"):
            raise InputError(f"{path} has {size:,} bytes, too many for a {kind} file. {hint('table_bytes')}")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a {kind} file was expected.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not valid {kind}: {error}.") from None
