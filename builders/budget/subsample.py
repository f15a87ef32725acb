"""A build cut to a mixture: a budget, the counts that are there, and what the release says of how it was split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from builders.pipeline.build import Built
from builders.pipeline.examples import count_rows
from builders.workspace import Workspace, sql_task
from corpora.errors import InputError
from recipes.recipe import Recipe

if TYPE_CHECKING:
    from recipes.mixing.mixture import Mixture
    from recipes.scaling.law import Laws

DEFAULT = "unimax"
ALLOCATION = pa.schema([("lang", pa.string()), ("direction", pa.string()), ("num_rows", pa.int64())])


@dataclass(frozen=True)
class Budget:
    """What a release by budget is asked to be: pairs to be seen, and what splits them.

    Of `laws`, `file` (a mixture) and `named` (a mixture that needs no laws) at most one; none means UniMax. A pair is
    seen at most `epochs` times; `at_most` takes what there is where the budget is more.
    """

    pairs: int
    laws: "Laws | None" = None
    file: Path | None = None
    named: str | None = None
    epochs: float = 1.0
    at_most: bool = False

    def suffix(self) -> str:
        """What stands behind a recipe's name: `1200k`, or `300-unimax` for a mixture asked for by its name."""
        thousands, rest = divmod(self.pairs, 1000)
        amount = str(self.pairs) if rest else f"{thousands}k"
        return f"{amount}-{self.named.replace(':', '-')}" if self.named else amount


def check_budget(recipe: Recipe, budget: Budget) -> None:
    """InputError, before anything is fetched, if a recipe cannot be split as asked."""
    from recipes.mixing.mixture import read_mixture

    if not recipe.directions:
        raise InputError(f"Recipe {recipe.name} has no translation data, so there is nothing for --budget to split.")
    if budget.laws:
        budget.laws.of(recipe.langs)
    if budget.file:
        mixture = read_mixture(budget.file, recipe.langs)
        if int(mixture.pairs.sum()) != budget.pairs:
            raise InputError(
                f"{budget.file} is a mixture of {int(mixture.pairs.sum()):,} pairs, not of the --budget of "
                f"{budget.pairs:,}. Name the budget that it was made for."
            )


def budgeted(recipe: Recipe, budget: Budget | None) -> Recipe:
    """The recipe under the name that its release by a budget has."""
    return replace(recipe, name=f"{recipe.name}-{budget.suffix()}") if budget else recipe


def available(counts: pl.DataFrame, langs: Sequence[str]) -> dict[str, int]:
    """The translation examples for training that there are, by language, from a table of counts."""
    train = counts.filter((pl.col("task") == "translation") & (pl.col("split") == "train"))
    return {lang: int(train.filter(pl.col("lang") == lang)["rows"].sum()) for lang in langs}


def mix(built: Built, budget: Budget, work: Workspace) -> Built:
    """The build with its translations cut to the budget's mixture, under a name of its own.

    Of each language and direction the first rows by id are taken (for xx-en the last, as everywhere), so that the rows
    of a smaller count are among those of a larger one. Validation shrinks in proportion, as it does by `pairs`.
    """
    recipe = budgeted(built.recipe, budget)
    there = available(built.mixture, recipe.langs)
    mixture, described = _split(recipe.langs, budget, there)
    allocation = _allocation(mixture, recipe.directions)
    values = {"validation": recipe.validation}
    examples = {
        config: work.query(
            sql_task("subsampled", f"{recipe.name}-{config}", [path], allocation=allocation, **values),
            {"examples": [path], "allocation": pa.Table.from_pylist(allocation, schema=ALLOCATION)},
            values,
        )
        for config, path in built.examples.items()
    }
    epochs = dict(zip(mixture.langs, mixture.epochs.round(6).tolist(), strict=True))
    seen = pl.col("lang").replace_strict(epochs, default=1.0, return_dtype=pl.Float64)
    translated = (pl.col("task") == "translation") & (pl.col("split") == "train")
    counts = count_rows(examples).with_columns(epochs=pl.when(translated).then(seen).otherwise(1.0))
    described = _counts(budget, mixture, there) | described
    return replace(built, recipe=recipe, examples=examples, mixture=counts, budget=described)


def _split(langs: Sequence[str], budget: Budget, there: Mapping[str, int]) -> tuple["Mixture", dict[str, Any]]:
    """The mixture that the budget asks for, and what its laws say of it, if it has any."""
    import numpy as np

    from recipes.mixing.allocation import problem
    from recipes.mixing.mixture import named, optimum, read_mixture
    from recipes.mixing.serialize import laws_json, outlook_json

    if budget.file:
        return read_mixture(budget.file, langs, there), {}
    unique = np.array([there[lang] for lang in langs], float)
    given = problem(langs, budget.pairs, unique=unique, epochs=budget.epochs, at_most=budget.at_most)
    if not budget.laws:
        return named(budget.named or DEFAULT, given), {}
    laws = budget.laws.of(langs)
    mixture = optimum(laws, given)
    return mixture, {
        "metric": budget.laws.metric,
        "laws": laws_json(laws, mixture),
        **outlook_json(laws, given, mixture),
    }


def _allocation(mixture: "Mixture", directions: Sequence[str]) -> list[dict[str, object]]:
    """The rows of each language and direction; directions share a language's rows equally, the first takes the odd."""
    n = len(directions)
    return [
        {"lang": lang, "direction": direction, "num_rows": (rows + n - 1 - place) // n}
        for lang, rows in zip(mixture.langs, mixture.rows.tolist(), strict=True)
        for place, direction in enumerate(directions)
    ]


def _counts(budget: Budget, mixture: "Mixture", there: Mapping[str, int]) -> dict[str, Any]:
    """What the manifest says of any mixture, language by language."""
    rows = zip(mixture.langs, mixture.pairs.tolist(), mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)
    return {
        "asked": budget.pairs,
        "pairs": int(mixture.pairs.sum()),
        "by": "laws" if budget.laws else budget.file.name if budget.file else budget.named or DEFAULT,
        "epochs": budget.epochs,
        "mixture": [
            {"lang": lang, "pairs": pairs, "rows": own, "epochs": round(epochs, 6), "available": there[lang]}
            for lang, pairs, own, epochs in rows
        ],
    }
