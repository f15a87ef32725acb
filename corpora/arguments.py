"""The arguments of the Python API: names, types and least values are checked before any work.

    @checked
    def build(recipes: str, *, langs: Sequence[str] = (), threads: int | None = None) -> BuildResult: ...

A text such as `el,hi` stands for a list of names, as on the command line; None stands for an empty list or mapping,
and a path for a list of one.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin

from corpora.errors import InputError

if TYPE_CHECKING:
    from typing import overload as overload
else:

    def overload(function: Any) -> Any:
        """Return the function; `typing.overload` would keep it, and DuckDB with it, until the interpreter ends."""
        return function


F = TypeVar("F", bound=Callable[..., Any])
AT_LEAST_ONE = {  # arguments that count something
    *("batch_size", "beam", "limit", "max_instructions", "max_new_tokens"),
    *("processes", "runs", "sample_rejected", "seeds", "threads"),
}
NUMBERS = {int: Integral, float: Real}
WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    os.PathLike: "a path",
    NoneType: "None",
    Iterable: "a list",
    Sequence: "a list",
    Mapping: "a mapping",
    Callable: "a function",
}


def checked(function: F) -> F:
    """Check the arguments of each call: an unknown name is a TypeError, a value of another type an InputError."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        shown = _signature(function)
        _check_names(function.__name__, shown, kwargs)
        bound = shown.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            parameter = shown.parameters[name]
            if parameter.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL):
                bound.arguments[name] = _read(value, parameter)
        return function(*bound.args, **bound.kwargs)

    return call  # type: ignore[return-value]


def split_names(value: Any, option: str) -> tuple[str, ...]:
    """Return the names in a text such as `el,hi`, or in a list of names.

    Raises:
        InputError: A name is empty; `option` says what it was given to.
    """
    names = value.split(",") if isinstance(value, str) else value
    names = tuple(str(name).strip() for name in names)
    if not all(names):
        raise InputError(f"{option} holds an empty name in '{value}'. Join names by commas, such as el,hi.")
    return names


@cache
def _signature(function: Callable[..., Any]) -> Signature:
    return signature(function)


def _check_names(function: str, shown: Signature, names: Iterable[str]) -> None:
    if any(parameter.kind == Parameter.VAR_KEYWORD for parameter in shown.parameters.values()):
        return
    for name in names:
        if name not in shown.parameters:
            near = get_close_matches(name, shown.parameters, n=2, cutoff=0.6)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(shown.parameters)}."
            raise TypeError(f"{function}() has no argument '{name}'. {hint}")


def _read(value: Any, parameter: Parameter) -> Any:
    """Return the value of an argument: lists as tuples of names or values; InputError if it has another type."""
    hint, name = parameter.annotation, parameter.name
    kinds = _alternatives(hint)
    if value is None and NoneType not in kinds and isinstance(parameter.default, tuple | Mapping):
        return parameter.default
    if isinstance(value, str) and Sequence[str] in kinds and str not in kinds:
        return split_names(value, f"{name}=") if value else ()
    if isinstance(value, str) and Sequence[int | str] in kinds:
        return tuple(value.split(","))
    if isinstance(value, str | os.PathLike) and Sequence[str | Path] in kinds:
        return (value,)
    if not any(_fits(value, kind) for kind in kinds):
        words = " or ".join(dict.fromkeys(_words(kind) for kind in kinds if kind is not NoneType))
        raise InputError(f"{name}= takes {words}, not {_shown(value)}.")
    if name in AT_LEAST_ONE and isinstance(value, Integral) and value < 1:
        raise InputError(f"{name}= takes a whole number of at least 1, not {value}.")
    if Sequence[str] in kinds and not isinstance(value, str | os.PathLike | Mapping) and value is not None:
        return split_names(value, f"{name}=")
    return value


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _fits(value: Any, kind: Any) -> bool:
    """Return whether a value is of a kind; kinds that cannot be distinguished at run time always fit."""
    origin = get_origin(kind) or kind
    if origin is Literal:
        return value in get_args(kind)
    if origin in NUMBERS:
        return isinstance(value, NUMBERS[origin]) and not isinstance(value, bool)
    if origin is Mapping:
        return isinstance(value, Mapping) and _fits_items(value, *get_args(kind))
    if origin in (Iterable, Sequence, list, tuple):
        items = get_args(kind) or (Any,)
        several = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | os.PathLike)
        return several and (not isinstance(value, Sequence) or all(_fits_any(item, items[0]) for item in value))
    if _is_path(origin):
        return isinstance(value, os.PathLike)
    return origin in (Any, Parameter.empty) or not isinstance(origin, type) or isinstance(value, origin)


def _fits_items(items: Mapping[Any, Any], key: Any = Any, value: Any = Any) -> bool:
    """Return whether the keys of a mapping fit, and its values where they are to be numbers."""
    return all(_fits_any(each, key) for each in items) and (
        value is not float or all(_fits(each, float) for each in items.values())
    )


def _fits_any(value: Any, hint: Any) -> bool:
    return any(_fits(value, kind) for kind in _alternatives(hint))


def _is_path(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, os.PathLike)


def _words(kind: Any) -> str:
    origin = get_origin(kind) or kind
    if origin is Literal:
        return " or ".join(map(str, get_args(kind)))
    if _is_path(origin):
        return "a path"
    if kind == Sequence[str]:
        return "a list of names"
    if kind == Mapping[str, float]:
        return "a mapping of names to numbers"
    return WORDS.get(origin) or f"a {getattr(origin, '__name__', origin)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 and "\n" not in text else f"a {type(value).__name__}"
