"""Options: what a caller or the command line gives becomes BuildOptions, or an error that shows the form."""

from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from builders.api import build
from builders.cli.run_options import RUN_OPTIONS
from builders.options import BuildOptions, RunOptions, parse_memory, parse_thresholds, read_options
from corpora.cli import assignments
from corpora.errors import InputError


def test_options_are_normalized() -> None:
    options = read_options("coit", {"langs": "el, hi", "work": "here", "with_": "mine", "max_memory": "1.5GB"})
    assert options.recipes == ("coit",)
    assert options.langs == ("el", "hi")
    assert (options.work, options.with_) == (Path("here"), (Path("mine"),))
    assert options.max_memory == 1_500_000_000
    assert read_options(None, {}) == BuildOptions()
    assert read_options(None, {}).recipes == ("coit", "muit")


def test_unknown_option_is_named_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"option 'lang'\. Did you mean langs"):
        read_options("coit", {"lang": ["el"]})


def test_thresholds_are_read_by_filter_key_and_language() -> None:
    assert parse_thresholds({"low_margin.min": "1.06", "too_long.max": 100, "length_ratio.max.zh": "2e0"}) == {
        "low_margin": {"min": 1.06},
        "too_long": {"max": 100.0},
        "length_ratio": {"max": {"zh": 2.0}},
    }
    assert parse_thresholds({}) == {}


@pytest.mark.parametrize(
    "text",
    [
        *("", "low_margin", "low_margin.min", "low_margin.min=", "low_margin=1", ".min=1", "low_margin.min=x"),
        *("low_margin.min=nan", "low_margin.min=1.1.1", "a.b.c.d=1", "low_margin.min==1"),
    ],
)
def test_thresholds_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--set takes FILTER\.KEY\[\.LANG\]=NUMBER") as error:
        parse_thresholds(assignments([text], "--set", "FILTER.KEY[.LANG]=NUMBER"))
    assert f"'{text.partition('=')[0]}" in str(error.value)


@pytest.mark.parametrize("texts", [["a.b=1", "a.b=2"], ["a.b=1", "a.b.el=2"]])
def test_thresholds_that_contradict_each_other_are_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match="--set gives"):
        parse_thresholds(assignments(texts, "--set", "FILTER.KEY[.LANG]=NUMBER"))


@pytest.mark.parametrize("size", ["1", "100MB", "lots", "1TB", "-1GB", 5])
def test_memory_below_the_minimum_or_of_another_form_is_refused(size: Any) -> None:
    with pytest.raises(InputError, match="at least 800MB"):
        parse_memory(size)


def test_options_are_the_same_in_the_api_the_command_line_and_the_dataclass() -> None:
    names = {f.name for f in fields(BuildOptions)} - {"recipes", "store"}  # the address of a store is a --work
    assert set(RunOptions.__annotations__) == names

    def verb() -> None: ...

    for add in RUN_OPTIONS:
        add(verb)
    assert {param.name for param in verb.__click_params__} == names - {"corpora"}
    assert names <= set(signature(build).parameters)
