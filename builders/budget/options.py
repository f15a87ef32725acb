"""The options of a release by budget, read and checked; what the verbs about mixtures share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from builders.budget.subsample import Budget

Verb = TypeVar("Verb", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)
BUDGET_OPTIONS = [
    click.option("--budget", type=int, help="Cut the translations to so many pairs; with a name of its own."),
    click.option("--laws", "laws_file", type=FILE, help="Split the budget by these laws (`builders fit` writes them)."),
    click.option("--mixture", help="Or by a CSV of lang,rows,epochs, or uniform, unimax, proportional, temperature:A."),
    click.option("--epochs", type=float, default=1.0, help="How often a pair may be seen; 1 by default."),
    click.option("--at-most", is_flag=True, help="Publish what there is where the budget is more."),
]


def options(*lists: list[Any]) -> Callable[[Verb], Verb]:
    """A decorator that gives a verb the options of some lists, in their order."""

    def decorate(verb: Verb) -> Verb:
        for option in reversed([option for one in lists for option in one]):
            verb = option(verb)
        return verb

    return decorate


def budget_options(verb: Any) -> Any:
    """The options of a release by budget, given to the verb as one: `budget`, None if it is not asked for."""

    @wraps(verb)
    def with_budget(
        budget: int | None, laws_file: Path | None, mixture: str | None, epochs: float, at_most: bool, **others: Any
    ) -> Any:
        return verb(budget=_budget(budget, laws_file, mixture, epochs, at_most), **others)

    return options(BUDGET_OPTIONS)(with_budget)


def _budget(
    pairs: int | None, laws_file: Path | None, mixture: str | None, epochs: float, at_most: bool
) -> "Budget | None":
    """The budget that the options describe, its files read; InputError if they contradict one another."""
    from corpora.errors import InputError

    if pairs is None:
        if laws_file or mixture or at_most or epochs != 1.0:
            raise InputError("--laws, --mixture, --epochs and --at-most say how a --budget is split: give one.")
        return None
    from builders.budget.subsample import Budget
    from recipes.mixing.mixture import NAMED, parse_name
    from recipes.scaling.law import read_laws

    if pairs < 1:
        raise InputError(f"--budget takes a number of pairs of at least 1, not {pairs}.")
    check_epochs(epochs)
    if laws_file and mixture:
        raise InputError("A budget is split by --laws or by a --mixture, not by both.")
    named = mixture if mixture and mixture.partition(":")[0] in NAMED else None
    if named:
        parse_name(named)
    file = Path(mixture) if mixture and not named else None
    return Budget(pairs, read_laws(laws_file) if laws_file else None, file, named, epochs, at_most)


def check_epochs(epochs: float) -> None:
    from corpora.errors import InputError

    if not 1 <= epochs <= 100:
        raise InputError(f"--epochs takes a number from 1 to 100, not {epochs:g}.")
