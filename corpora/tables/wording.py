"""Say in one sentence what pydantic found wrong with a row."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from corpora.errors import unknown

EXPECTED = {  # pydantic's type of an error -> what was expected
    "string": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list",
    "list": "a list",
    "dict": "a table",
    "mapping": "a table",
    "dataclass": "a table",
    "path": "a path",
    "none": "left out",
}
STARTS = {  # of pydantic's sentences -> of what follows "must be"
    "Input should be ": "",
    "Value error, ": "",
    "String should match pattern": "a string that matches the pattern",
    "String should have": "a string with",
    "Tuple should have": "a list with",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "above",
    "less than": "below",
}
UNION_MEMBERS = ("float", "int", "str", "bool")  # pydantic's names of a union's plain members
UNKNOWN_KEY = ("unexpected_keyword_argument", "extra_forbidden")
MISSING_KEY = ("missing", "missing_argument", "missing_keyword_only_argument")


def describe_errors(errors: Sequence[Any], row_type: Any, values: Mapping[str, Any]) -> str:
    """Return a sentence on the first of pydantic's errors, with key and what was expected.

    An unknown key comes first: a key that is missing may be the same one, spelled right. A value of a union has an
    error for each of its types; the sentence names all of them.
    """
    first = next((error for error in errors if error["type"] in UNKNOWN_KEY), _innermost(errors, values))
    path = _path(first["loc"], values)
    if first["type"] in UNKNOWN_KEY:
        kind = "key" if len(path) == 1 else f"key of {_shown(path[:-1])}"
        return str(unknown(kind, str(path[-1]), _known_keys(row_type, path[:-1])))
    if first["type"] in MISSING_KEY:
        return f"the key {_shown(path)} is missing."
    keys = [part for part in path if not isinstance(part, int)]
    same = [error for error in errors if _path(error["loc"], values) == path]
    if first["type"] == "literal_error" and len(same) == 1:
        return str(unknown(f"value of {_shown(keys)}", str(first["input"]), _choices(first)))
    expected = " or ".join(dict.fromkeys(_expected(error) for error in same))
    return f"{_shown(path)} must be {expected}, not {first['input']!r}."


def _innermost(errors: Sequence[Any], values: Any) -> Any:
    """Return the first error, or one about a part of the same value: of a union, the member that fits best."""
    start = _path(errors[0]["loc"], values)
    same = [error for error in errors if _path(error["loc"], values)[: len(start)] == start]
    return max(same, key=lambda error: len(_path(error["loc"], values)))


def _path(location: Sequence[Any], values: Any) -> tuple[Any, ...]:
    """Return the keys and indexes of a location, without the names by which pydantic tells a union's members apart."""
    path: list[Any] = []
    for part in location:
        if isinstance(values, Mapping) and "[" not in str(part):
            if part in UNION_MEMBERS and part not in values:
                continue
            path.append(part)
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int):
            path.append(part)
            values = values[part] if part < len(values) else None
    return tuple(path)


def _shown(path: Sequence[Any]) -> str:
    """Return a key as a person names it: `'rows.el'`, or `'langs' (item 2)`."""
    keys = ".".join(str(part) for part in path if not isinstance(part, int))
    items = "".join(f" (item {part + 1})" for part in path if isinstance(part, int))
    return f"'{keys}'{items}"


def _choices(error: Any) -> list[str]:
    return [choice.strip("'") for choice in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]


def _expected(error: Any) -> str:
    if error["type"] == "literal_error":
        return " or ".join(f'"{choice}"' for choice in _choices(error))
    stem = error["type"].removesuffix("_type").removesuffix("_parsing").removesuffix("_exact")
    text: str = error["msg"]
    for start, words in STARTS.items():
        text = text.replace(start, words)
    return EXPECTED.get(stem, text)


def _known_keys(row_type: Any, path: Sequence[Any]) -> list[str]:
    """Return the keys of the row type at a path below another one."""
    for part in path:
        row_type = _below(row_type, part)
    row_type = _row_type(row_type)
    return [field.name for field in fields(row_type)] if row_type else []


def _below(annotation: Any, part: Any) -> Any:
    """Return the type of a key or item of a type."""
    row_type = _row_type(annotation)
    if row_type and part in (hints := get_type_hints(row_type)):
        return hints[part]
    arguments = get_args(annotation)
    if get_origin(annotation) and _is_mapping(get_origin(annotation)):
        return arguments[1]
    return next((argument for argument in arguments if argument is not Ellipsis), None)


def _is_mapping(origin: Any) -> bool:
    """Return whether the origin of a generic type is a mapping."""
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _row_type(annotation: Any) -> Any:
    """Return the dataclass that a type is, or that is a member of a union; None if there is none."""
    members = (annotation, *get_args(annotation)) if not is_dataclass(annotation) else (annotation,)
    return next((member for member in members if is_dataclass(member)), None)
