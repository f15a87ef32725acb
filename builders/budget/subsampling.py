"""Subsample a build's translations to a budget, and describe how the budget was allocated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from builders.pipeline import BuildResult, count_rows
from builders.workspace import Workspace, query_task
from corpora.errors import InputError
from recipes.recipe import Recipe

if TYPE_CHECKING:
    from builders.budget.law_allocation import LawGoal
    from recipes.mixing import Mixture
    from recipes.transfer import AnyLaws

DEFAULT_BASELINE = "unimax"
ALLOCATION = pa.schema([("lang", pa.string()), ("direction", pa.string()), ("num_rows", pa.int64())])


@dataclass(frozen=True)
class Budget:
    """The budget of a release, and what allocates it: at most one of `laws`, `file` and `baseline`; without, UniMax.

    Args:
        pairs: How many translation examples are seen in training, repetitions included.
        laws: Laws, for their optimum.
        file: A mixture as a CSV.
        baseline: The name of a mixture that needs no laws.
        epochs: How often a row may be seen.
        allow_partial: Whether to publish what there is where the budget is larger.
        goal: What laws allocate the budget for; None for the plain mean.
    """

    pairs: int
    laws: "AnyLaws | None" = None
    file: Path | None = None
    baseline: str | None = None
    epochs: float = 1.0
    allow_partial: bool = False
    goal: "LawGoal | None" = None

    def suffix(self) -> str:
        """Return the suffix of the recipe's name: `1200k`, `300-unimax` for a baseline that was named, `300-worst`."""
        thousands, rest = divmod(self.pairs, 1000)
        amount = str(self.pairs) if rest else f"{thousands}k"
        if self.goal:
            return amount + self.goal.suffix
        return f"{amount}-{self.baseline.replace(':', '-')}" if self.baseline else amount

    def method(self) -> str:
        """Return what allocates the budget: `laws`, a file's name, or a baseline's."""
        if self.laws:
            return "laws"
        return self.file.name if self.file else self.baseline or DEFAULT_BASELINE


def check_budget(recipe: Recipe, budget: Budget) -> None:
    """Raise InputError, before anything is downloaded, if a budget cannot be allocated for a recipe."""
    from recipes.mixing import read_mixture

    if not recipe.directions:
        raise InputError(f"Recipe {recipe.name} has no translation data, so --budget has nothing to allocate.")
    if budget.laws:
        budget.laws.check(recipe.langs)
    if budget.goal:
        budget.goal.weights(recipe.langs)
    if budget.file:
        num_pairs = int(read_mixture(budget.file, recipe.langs).pairs.sum())
        if num_pairs != budget.pairs:
            raise InputError(
                f"{budget.file} is a mixture of {num_pairs:,} pairs, but the --budget is {budget.pairs:,}. Use the "
                "budget that it was made for."
            )


def name_by_budget(recipe: Recipe, budget: Budget | None) -> Recipe:
    """Return the recipe under the name of its release by a budget."""
    return replace(recipe, name=f"{recipe.name}-{budget.suffix()}") if budget else recipe


def count_available(counts: pl.DataFrame, langs: Sequence[str]) -> dict[str, int]:
    """Return how many translation examples for training there are by language, from a table of counts."""
    train = counts.filter((pl.col("task") == "translation") & (pl.col("split") == "train"))
    return {lang: int(train.filter(pl.col("lang") == lang)["num_rows"].sum()) for lang in langs}


def subsample(built: BuildResult, budget: Budget, work: Workspace) -> BuildResult:
    """Return the build with its translations cut to the budget's mixture, under a name of its own.

    Of each language and direction the first rows by id are taken (for xx-en the last), so that the rows of a smaller
    count are among those of a larger one. Validation shrinks in proportion, as it does by `max_pairs`.
    """
    recipe = name_by_budget(built.recipe, budget)
    available = count_available(built.composition, recipe.langs)
    mixture, predicted = _allocate(recipe.langs, budget, available)
    allocation = _rows_by_direction(mixture, recipe.directions)
    values = {"validation": recipe.validation}
    table = pa.Table.from_pylist(allocation, schema=ALLOCATION)
    inputs = {"allocation": allocation}
    examples = {
        config: [
            work.submit(
                query_task(
                    "subsampled",
                    f"{recipe.name}-{config}-{number:05}",
                    {"examples": [path], "allocation": table, "places": counts_of_file},
                    values,
                    inputs=inputs | {"places": counts_of_file.to_pylist()},
                )
            )
            for number, (path, counts_of_file) in enumerate(zip(paths, _count_before(paths), strict=True))
        ]
        for config, paths in built.examples.items()
    }
    work.wait([path for paths in examples.values() for path in paths])
    description = _describe(budget, mixture, available) | predicted
    counts = _count_with_epochs(examples, mixture)
    return replace(built, recipe=recipe, examples=examples, composition=counts, allocation=description)


def _count_before(paths: Sequence[Path]) -> list[pa.Table]:
    """Return for each file of a config how many rows of each kind are in the files before it, and in all."""
    kind = ["lang", "task", "direction", "split"]
    counts = pl.concat(
        [
            pl.scan_parquet(path, glob=False)
            .group_by(kind)
            .agg(num_rows=pl.len().cast(pl.Int64))
            .with_columns(file=pl.lit(number))
            for number, path in enumerate(paths)
        ]
    ).collect()
    total = pl.col("num_rows").sum().over(kind)
    before = (pl.col("num_rows").cum_sum() - pl.col("num_rows")).over(kind, order_by="file")
    counted = counts.sort("file", *kind).with_columns(total=total, num_before=before)
    return [
        counted.filter(pl.col("file") == number).select(*kind, "total", "num_before").to_arrow()
        for number in range(len(paths))
    ]


def _count_with_epochs(examples: Mapping[str, Sequence[Path]], mixture: "Mixture") -> pl.DataFrame:
    """Return the counts of the examples, with how often each is seen."""
    by_lang = dict(zip(mixture.langs, mixture.epochs.round(6).tolist(), strict=True))
    epochs = pl.col("lang").replace_strict(by_lang, default=1.0, return_dtype=pl.Float64)
    is_repeated = (pl.col("task") == "translation") & (pl.col("split") == "train")
    return count_rows(examples).with_columns(epochs=pl.when(is_repeated).then(epochs).otherwise(1.0))


def _allocate(langs: Sequence[str], budget: Budget, available: Mapping[str, int]) -> tuple["Mixture", dict[str, Any]]:
    """Return the budget's mixture, and what its laws, if any, predict of it."""
    import numpy as np

    from recipes.mixing import allocation_problem, baseline, read_mixture

    if budget.file:
        return read_mixture(budget.file, langs, available), {}
    num_unique = np.array([available[lang] for lang in langs], float)
    weights = None if budget.goal is None else np.array(budget.goal.weights(langs))
    problem = allocation_problem(
        langs,
        budget.pairs,
        num_unique=num_unique,
        epochs=budget.epochs,
        weights=weights,
        allow_partial=budget.allow_partial,
    )
    if not budget.laws:
        return baseline(budget.baseline or DEFAULT_BASELINE, problem), {}
    from builders.budget.law_allocation import LawGoal, allocate_release

    return allocate_release(budget.laws, budget.goal or LawGoal(), problem)


def _rows_by_direction(mixture: "Mixture", directions: Sequence[str]) -> list[dict[str, object]]:
    """Return the rows of each language and direction; directions share equally, and the first takes what is left."""
    n = len(directions)
    return [
        {"lang": lang, "direction": direction, "num_rows": (num_rows + n - 1 - index) // n}
        for lang, num_rows in zip(mixture.langs, mixture.rows.tolist(), strict=True)
        for index, direction in enumerate(directions)
    ]


def _describe(budget: Budget, mixture: "Mixture", available: Mapping[str, int]) -> dict[str, Any]:
    """Return what the manifest says of any mixture, language by language."""
    rows = zip(mixture.langs, mixture.pairs.tolist(), mixture.rows.tolist(), mixture.epochs.tolist(), strict=True)
    return {
        "budget": budget.pairs,
        "num_pairs": int(mixture.pairs.sum()),
        "method": budget.method(),
        "epochs": budget.epochs,
        "mixture": [
            {
                "lang": lang,
                "num_pairs": pairs,
                "num_rows": num_rows,
                "epochs": round(epochs, 6),
                "num_available": available[lang],
            }
            for lang, pairs, num_rows, epochs in rows
        ],
    }
