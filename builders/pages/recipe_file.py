"""Save thresholds in a recipe file: its other lines stay as they are."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from corpora.errors import InputError
from corpora.files import atomic_path, read_whole


def save_thresholds(path: Path, rule: str, lang: str, thresholds: Mapping[str, float], langs: Sequence[str]) -> None:
    """Write thresholds of a filter for one language into a recipe.

    Args:
        path: The recipe.
        rule: The filter.
        lang: The language.
        thresholds: Values by key.
        langs: The languages of the build, which keep a value that the recipe has for all of them.

    Raises:
        InputError: There is no such file, or its filters are written in a form that cannot be changed line by line.
    """
    if not path.is_file():
        raise InputError(f"{path} is no file. Name an existing recipe as --recipe-file.")
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=20):
        text = read_whole(path).decode("utf-8")
        try:
            recipe = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is not valid TOML: {error}. Correct it.") from None
        known = recipe.get("filters", {}).get(rule, {})
        values = {key: _merged(known.get(key), lang, value, langs) for key, value in thresholds.items()}
        changed = _with_lines(text, rule, values)
        _check(path, changed, recipe, rule, {**known, **values})
        with atomic_path(path) as temporary:
            temporary.write_text(changed, encoding="utf-8")


def _merged(known: Any, lang: str, value: float, langs: Sequence[str]) -> dict[str, float]:
    """Return the values by language: those of the recipe, and the new one."""
    before = known if isinstance(known, dict) else {} if known is None else dict.fromkeys(langs, known)
    return {**before, lang: value}


def _with_lines(text: str, rule: str, values: Mapping[str, Mapping[str, float]]) -> str:
    """Return a recipe with these lines in the table of a filter, which is added if it is missing."""
    rows = {
        key: f"{key} = {{ {', '.join(f'{lang} = {value!r}' for lang, value in own.items())} }}"
        for key, own in values.items()
    }
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    header = f"[filters.{rule}]"
    start = next((n for n, line in enumerate(lines) if re.sub(r"\s", "", line.split("#")[0]) == header), None)
    if start is None:
        return "\n".join([*lines, "", header, *rows.values(), ""])
    end = next((n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    own = [line for line in lines[start + 1 : end] if line.split("=")[0].strip() not in rows]
    return "\n".join([*lines[: start + 1], *rows.values(), *own, *lines[end:], ""])


def _check(path: Path, text: str, before: dict[str, Any], rule: str, expected: Mapping[str, Any]) -> None:
    """Raise InputError unless a text is the recipe with other thresholds of one filter."""
    try:
        after: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        after = {}
    filters = {**before.get("filters", {}), rule: dict(expected)}
    if after != {**before, "filters": filters}:
        raise InputError(
            f"{path} writes its filters in a form that is not changed line by line. Copy the lines into it."
        )
