"""Amounts on the command line: 60000, 60k or 1.2M."""

import re
from typing import Any

import click

from builders.budget import read_hours
from corpora.errors import InputError

FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
PATTERN = re.compile(r"(\d[\d_,]*(?:\.\d+)?(?:e\d+)?)([kmb]?)", re.ASCII)


class Amount(click.ParamType):  # type: ignore[type-arg]
    """A number of pairs or tokens, perhaps with k, M or B, or device hours."""

    name = "amount"

    def __init__(self, whole: bool = False, has_hours: bool = False) -> None:
        self.whole, self.has_hours = whole, has_hours

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | int | str:
        """Return the number of a text such as 60k; hours such as 12h stay a text."""
        if isinstance(value, int | float):
            return value
        if self.has_hours and read_hours(str(value)) is not None:
            return str(value)
        match = PATTERN.fullmatch(str(value).strip().lower())
        if not match and not self.whole and (number := _number(str(value))) is not None:
            return number  # negative, or no number: the verb says what it takes
        if not match:
            self.fail(f"{value!r} is not an amount. Amounts look like 60000, 60k or 1.2M.", param, ctx)
        amount = float(match[1].replace("_", "").replace(",", "")) * FACTORS[match[2]]
        if self.whole and amount != round(amount):
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        return int(amount) if amount == round(amount) else amount


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def by_lang(texts: tuple[str, ...], name: str) -> dict[str, float]:
    """Return texts such as `el=3` as numbers by language."""
    if not texts:
        return {}
    from recipes.mixing import parse_lang_values

    return parse_lang_values(texts, name)


def by_metric(texts: tuple[str, ...], name: str) -> dict[str, float]:
    """Return texts such as `comet=3` as numbers by metric."""
    values: dict[str, float] = {}
    for text in texts:
        metric, _, number = text.partition("=")
        try:
            values[metric] = float(number)
        except ValueError:
            raise InputError(f"{name} takes METRIC=NUMBER, such as comet=2, not {text!r}.") from None
    return values
