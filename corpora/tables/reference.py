"""Describe the keys of a row type, for the reference tables of the documentation."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from corpora.tables.rows import adapter


def row_keys(row_type: Any, *fixed: str) -> list[dict[str, str]]:
    """Return the keys of a row type with type, default and description.

    Args:
        row_type: The dataclass of a row.
        *fixed: Fields that are no keys of the file, such as the table's name.
    """
    schema = adapter(row_type).json_schema()
    definitions = schema.get("$defs", {})
    return [
        {
            "key": field.name,
            "type": _type_name(schema["properties"][field.name], definitions),
            "default": _default(field),
            "description": schema["properties"][field.name].get("description", ""),
        }
        for field in fields(row_type)
        if field.name not in fixed
    ]


def keys_table(row_type: Any, *fixed: str) -> str:
    """Return the keys of a row type as a table in Markdown; a test compares it with the room's README.

    Args:
        row_type: The dataclass of a row.
        *fixed: Fields that are no keys of the file, such as the table's name.
    """
    lines = ["| key | type | default | description |", "|---|---|---|---|"]
    for row in row_keys(row_type, *fixed):
        default = row["default"] if row["default"] == "required" else f"`{row['default']}`"
        description = " ".join(row["description"].split()).replace("|", r"\|")
        lines.append(f"| `{row['key']}` | {row['type']} | {default} | {description} |")
    return "\n".join(lines) + "\n"


def _default(field: Any) -> str:
    if field.default_factory is not MISSING:
        return _as_toml(field.default_factory())
    return "required" if field.default is MISSING else _as_toml(field.default)


def _as_toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_as_toml, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_as_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False, default=str)


def _type_name(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return a readable name for a JSON schema's type."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        parts = [_type_name(part, definitions) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(parts))
    if "const" in schema:
        return f"`{_as_toml(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{_as_toml(value)}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_plural(_type_name(schema['items'], definitions))}" if "items" in schema else "list"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        if not isinstance(values, Mapping) or not values:
            return "table"
        return f"table of {_plural(_type_name(values, definitions))}"
    name = str(schema.get("type", "any"))
    return {"integer": "whole number", "boolean": "true or false"}.get(name, name)


def _plural(name: str) -> str:
    """Return the name of a type in the plural; a value that is quoted stays as it is."""
    if name.startswith("`") and " or " not in name:
        return name
    if name.startswith(("table of ", "list of ")):
        return name.replace(" of ", "s of ", 1)
    first, _, rest = name.partition(" or ")
    return f"{_plural(first)} or {_plural(rest)}" if rest else f"{name}s"
