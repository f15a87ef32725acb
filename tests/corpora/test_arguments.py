"""Arguments of the Python API: what fits passes, anything else is an error that names the argument."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from corpora.arguments import checked
from corpora.errors import InputError


@checked
def function(
    release: str | Path | None = None,
    *,
    langs: Sequence[str] = (),
    folders: Sequence[str | Path] = (),
    values: Mapping[str, float] | None = None,
    threads: int = 1,
    epochs: float = 1.0,
    sample: bool = False,
    kind: Literal["a", "b"] = "a",
    progress: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """Return the arguments."""
    return dict(locals())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("langs", "el, hi", ("el", "hi")),
        ("langs", ["el"], ("el",)),
        ("langs", {"el": 1}.keys(), ("el",)),
        ("langs", None, ()),
        ("langs", "", ()),
        ("folders", "mine", ("mine",)),
        ("release", Path("x"), Path("x")),
        ("release", None, None),
        ("epochs", 2, 2),
        ("values", {"el": 1.0}, {"el": 1.0}),
    ],
)
def test_arguments_that_fit_are_passed_on(name: str, value: Any, expected: Any) -> None:
    assert function(**{name: value})[name] == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("release", 5, "release= takes a text or a path, not 5."),
        ("langs", 5, "langs= takes a list of names, not 5."),
        ("langs", [1], r"langs= takes a list of names, not \[1\]."),
        ("langs", ["el", ""], "langs= holds an empty name"),
        ("folders", [None], r"folders= takes a list, not \[None\]."),
        ("values", ["el=1"], "values= takes a mapping of names to numbers, not "),
        ("values", {"el": "1"}, "values= takes a mapping of names to numbers, not "),
        ("values", {1: 1.0}, "values= takes a mapping of names to numbers, not "),
        ("threads", "2", "threads= takes a whole number, not '2'."),
        ("threads", True, "threads= takes a whole number, not True."),
        ("threads", 0, "threads= takes a whole number of at least 1, not 0."),
        ("epochs", "1", "epochs= takes a number, not '1'."),
        ("sample", "yes", "sample= takes True or False, not 'yes'."),
        ("kind", "c", "kind= takes a or b, not 'c'."),
        ("progress", 5, "progress= takes a function, not 5."),
    ],
)
def test_arguments_of_other_types_are_named(name: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        function(**{name: value})


def test_unknown_argument_is_a_type_error_with_the_nearest_name() -> None:
    with pytest.raises(TypeError, match=r"function\(\) has no argument 'lang'. Did you mean langs\?"):
        function(lang=["el"])  # type: ignore[call-arg]
