"""Read the project's tables (TOML, CSV, YAML) strictly: a row becomes a dataclass, or an error with file, row and key.

A row type is a frozen dataclass whose annotations are the schema. Set `__pydantic_config__ = STRICT` in its body, so
that an unknown key is an error and no value is converted. Write a docstring below each field: the reference tables of
the documentation are generated from them.

    @dataclass(frozen=True)
    class Filter:
        __pydantic_config__ = STRICT
        name: str
        '''Name of the table.'''
        description: str
        '''Why a pair is rejected, in one sentence.'''
        langs: tuple[str, ...] = ()
        '''Languages that the filter is for; none: all.'''

    read_toml_rows(path, Filter)              # {"copy": Filter(name="copy", ...)}
    row_keys(Filter, "name")                  # [{"key": "description", "type": "string", "default": "required", ...}]
"""

from corpora.tables.content import parse_yaml, read_toml, read_yaml
from corpora.tables.reference import keys_table, row_keys
from corpora.tables.rows import (
    STRICT,
    Regex,
    Row,
    check_reference,
    parse_row,
    parse_rows,
    read_csv_rows,
    read_toml_rows,
)

__all__ = [
    "STRICT",
    "Regex",
    "Row",
    "check_reference",
    "keys_table",
    "parse_row",
    "parse_rows",
    "parse_yaml",
    "read_csv_rows",
    "read_toml",
    "read_toml_rows",
    "read_yaml",
    "row_keys",
]
