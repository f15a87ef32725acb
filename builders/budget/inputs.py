"""What fit, allocate and plan read: results, laws, and how many pairs there are."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from builders.budget.run_costs import budget_amount, costs_file
from cards.releases import ReleaseLike, open_release
from corpora.arguments import split_names
from corpora.catalog import language_codes
from corpora.errors import InputError
from corpora.in_memory import Table, to_arrow
from recipes.mixing import AllocationProblem, allocation_problem, check_lang, read_lang_values
from recipes.results import Result, read_results, read_results_table
from recipes.scaling import Floats, Laws, select_results
from recipes.transfer import AnyLaws, TransferLaws, fit_any, read_any_laws

ResultsLike = str | Path | Iterable[Result] | Table
LangValues = Mapping[str, float]  # by language; the key "" stands for all others
MAX_EPOCHS = 100


@runtime_checkable
class HasLaws(Protocol):
    """The result of a fit."""

    @property
    def laws(self) -> AnyLaws: ...


class HasCheck(Protocol):
    """What raises an error for languages that it has no laws of."""

    def check(self, langs: Sequence[str]) -> None: ...


LawsLike = AnyLaws | HasLaws | str | Path | None


@dataclass(frozen=True)
class ResultSelection:
    """Which results the laws are fitted to: a file or results, and the options that select some of them."""

    results: ResultsLike
    metric: str | None = None
    benchmark: str | None = None
    direction: str | None = None
    model: str | None = None
    langs: Sequence[str] = ()

    def read(self) -> list[Result]:
        """Return all results."""
        if isinstance(self.results, Table):
            return read_results_table(to_arrow(self.results, "results").to_pylist())
        return read_results(Path(self.results)) if isinstance(self.results, str | Path) else list(self.results)

    def select(self, results: Sequence[Result], model: str | None, without: str | None = None) -> list[Result]:
        """Return the selected results of models with a name or pattern; those of `without` are left out."""
        left = [r for r in results if without is None or not fnmatchcase(r.model, without)]
        return select_results(left, self.metric, self.benchmark, self.direction, model, check_langs(self.langs))


@dataclass(frozen=True)
class Limits:
    """What limits an allocation; the values of each field are those of the option of the same name."""

    release: ReleaseLike = "muit"
    registry: str | Path = "registry"
    available: str | Path | LangValues | None = None
    min: float | LangValues | None = None
    max: float | LangValues | None = None
    weight: LangValues | None = None
    costs: str | Path | LangValues | None = None
    epochs: float = 1.0
    allow_partial: bool = False


def check_langs(langs: str | Sequence[str]) -> tuple[str, ...]:
    """Return the codes of languages, each once; a text such as `el,hi` names several."""
    return language_codes(split_names(langs or (), "--langs"))


def check_epochs(epochs: float) -> None:
    """Raise InputError unless a pair may be seen between 1 and MAX_EPOCHS times."""
    if not 1 <= epochs <= MAX_EPOCHS:
        raise InputError(f"--epochs takes a number from 1 to {MAX_EPOCHS}, not {epochs:g}.")


def load_laws(laws: LawsLike, selection: ResultSelection | None = None) -> AnyLaws:
    """Return laws, those in a file, or those fitted to the selected results."""
    if isinstance(laws, Laws | TransferLaws):
        return laws
    if isinstance(laws, HasLaws):
        return laws.laws
    if not isinstance(laws, str | Path | None):
        raise InputError(f"laws= takes the result of fit, its laws or its file, not {laws!r}.")
    if laws or selection is None:
        return read_any_laws(Path(laws or ""))
    return fit_any(selection.select(selection.read(), selection.model))


def build_problem(
    budget: float | str, laws: "AnyLaws | HasCheck", langs: Sequence[str], limits: Limits
) -> tuple[AllocationProblem, str]:
    """Return the problem, and where the numbers of available pairs are from.

    Raises:
        InputError: An option is not as expected, or no allocation is within the limits.
    """
    check_epochs(limits.epochs)
    amount = budget_amount(budget, limits.costs)
    available, source = _available(limits)
    chosen = check_langs(langs) or tuple(sorted(available))
    if not limits.costs and math.isfinite(amount) and amount % 1:
        raise InputError(f"--budget is a whole number of pairs, not {amount:g}; with --costs it is in tokens.")
    _check_has(available, chosen, source)
    costs = _values(limits.costs, "tokens")
    if costs is not None:
        _check_has(costs, chosen, str(limits.costs))
    laws.check(chosen)
    problem = allocation_problem(
        chosen,
        amount,
        num_unique=_column(available, chosen, 0.0),
        epochs=limits.epochs,
        min_pairs=_column(_by_lang(limits.min, chosen, "--min"), chosen, 0.0),
        max_pairs=_column(_by_lang(limits.max, chosen, "--max"), chosen, np.inf),
        weights=_column(_by_lang(limits.weight, chosen, "--weight"), chosen, 1.0),
        costs=None if costs is None else _column(costs, chosen, 0.0),
        allow_partial=limits.allow_partial,
    )
    return problem, source


def _available(limits: Limits) -> tuple[LangValues, str]:
    """Return how many pairs there are for training by language, and who says so."""
    values = _values(limits.available, "rows")
    if values is not None:
        return values, str(limits.available) if isinstance(limits.available, str | Path) else "available"
    try:
        manifest = open_release(limits.release, limits.registry).manifest
    except InputError as error:
        raise InputError(
            f"{error} The pairs that there are come from a --release, or from a CSV with --available."
        ) from None
    counts: dict[str, float] = {}
    for row in manifest["composition"]:
        if (row["task"], row["split"]) == ("translation", "train"):
            counts[row["lang"]] = counts.get(row["lang"], 0) + row["num_rows"]
    if not counts:
        raise InputError(f"{manifest['name']} has no translation data, so there is nothing to allocate.")
    return counts, f"{manifest['name']} {manifest['version']}"


def _values(values: str | Path | LangValues | None, column: str) -> LangValues | None:
    """Return numbers by language, from a CSV with the columns lang and `column` if a path is given."""
    if isinstance(values, str | Path):
        return read_lang_values(costs_file(Path(values)) if column == "tokens" else Path(values), column)
    return None if values is None else {check_lang(lang, column): number for lang, number in values.items()}


def _by_lang(values: float | LangValues | None, langs: Sequence[str], option: str) -> LangValues:
    """Return a number for every language, or numbers by language, which must be among `langs`."""
    if not isinstance(values, Mapping):
        values = {} if values is None else {"": values}
    for lang in values:
        if lang and check_lang(lang, option) not in langs:
            raise InputError(f"{option} names {lang}, which is not one of the languages {', '.join(langs)}.")
        if option != "--weight" and 0 < values[lang] < 1:
            raise InputError(
                f"{option} {lang}={values[lang]:g}: a number of pairs was expected, not a share. Half of a budget of "
                f"60,000 is {option} {lang or 'el'}=30000."
            )
    return values


def check_weights(weight: LangValues | None, langs: Sequence[str]) -> list[float]:
    """Return the weight of each language; 1 by default.

    Raises:
        InputError: A weight is of no language among `langs`.
    """
    weights: list[float] = _column(_by_lang(weight, langs, "--weight"), langs, 1.0).tolist()
    return weights


def _column(values: LangValues, langs: Sequence[str], default: float) -> Floats:
    return np.array([values.get(lang, values.get("", default)) for lang in langs], float)


def _check_has(values: LangValues, langs: Sequence[str], source: str) -> None:
    if missing := [lang for lang in langs if lang not in values]:
        raise InputError(f"{source} has no number for {', '.join(missing)}. Add it, or leave it out of --langs.")
