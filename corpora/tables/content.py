"""Read TOML, YAML and CSV files; what cannot be read is an error with file and line."""

import csv
import io
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import InputError


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        InputError: The file is missing, a folder, or not valid TOML; the message has the line.
    """
    try:
        return tomllib.loads(_read_text(path, "TOML"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from None


class _UniqueKeys(yaml.SafeLoader):
    """Reads YAML as `safe_load` does, but a key that appears twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for index, (key, _) in enumerate(node.value):
            if key.value in keys[:index]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' appears twice", key.start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: The file is missing, a folder, not valid YAML, or holds anything but a mapping.
    """
    try:
        content = yaml.load(_read_text(path, "YAML"), Loader=_UniqueKeys)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}," if mark else ""
        raise InputError(f"{path}{line} is not valid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold keys and values, not {content!r}.")
    return content


def read_csv(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the lines of a CSV file, each with its file and line number for errors; empty cells are left out.

    Raises:
        InputError: The file is missing, a folder, not valid CSV, or a line has another number of columns than the
            first one.
    """
    reader = csv.DictReader(io.StringIO(_read_text(path, "CSV"), newline=""), strict=True)
    try:
        columns = reader.fieldnames or []
        if repeated := {column for column in columns if columns.count(column) > 1}:
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
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a {kind} file was expected.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not valid {kind}: {error}.") from None
