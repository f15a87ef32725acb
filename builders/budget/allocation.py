"""Allocate a budget of pairs to languages: the verb `allocate`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from builders.budget.format import allocation_json, allocation_text, mixture_html
from builders.budget.inputs import LangValues, LawsLike, Limits, ResultSelection, ResultsLike, build_problem
from builders.budget.metric_laws import load_metric_laws
from builders.budget.objectives import ObjectiveOptions
from builders.budget.pictures import draw
from builders.budget.transfer_allocation import ObjectiveResult, allocate_objective, with_files
from cards.releases import ReleaseLike
from corpora.arguments import checked
from corpora.errors import InputError
from recipes.mixing import (
    AllocationProblem,
    Mixture,
    optimum,
    quantile_optimum,
    write_mixture,
)
from recipes.scaling import Laws
from recipes.transfer import MATTERS, Objective, objective_gains


@dataclass(frozen=True, repr=False)
class AllocationResult:
    """A mixture for a budget.

    Args:
        mixture: How many pairs of each language.
        problem: What was allocated, and within which limits.
        laws: The laws that it is by.
        available_from: Where the numbers of available pairs are from.
        files: The files that were written.
    """

    mixture: Mixture
    problem: AllocationProblem
    laws: Laws
    available_from: str
    files: tuple[Path, ...] = ()

    def to_json(self) -> Mapping[str, Any]:
        """Return the mixture, what the laws predict of it, the baselines and the expected regret as JSON values."""
        return allocation_json(self.laws, self.problem, self.mixture)

    def __repr__(self) -> str:
        text = allocation_text(self.laws, self.problem, self.mixture, self.available_from)
        return "\n".join([text, *(f"Written: {path}" for path in self.files)])

    def _repr_html_(self) -> str:
        return mixture_html(self.laws, self.problem, self.mixture)


@checked
def allocate(
    budget: float | str,
    *,
    laws: LawsLike | Sequence[LawsLike] = None,
    results: ResultsLike = "results.jsonl",
    metric: str | None = None,
    benchmark: str | None = None,
    direction: str | None = None,
    model: str | None = None,
    langs: Sequence[str] = (),
    release: ReleaseLike = "muit",
    registry: str | Path = "registry",
    available: str | Path | LangValues | None = None,
    min: float | LangValues | None = None,
    max: float | LangValues | None = None,
    weight: LangValues | None = None,
    costs: str | Path | LangValues | None = None,
    epochs: float = 1.0,
    allow_partial: bool = False,
    objective: str = "mean",
    no_worse_than: Sequence[str | Path] = (),
    near: str | Path | None = None,
    matters: float = MATTERS,
    metric_weight: Mapping[str, float] | None = None,
    no_metric_worse_than: Sequence[str | Path] = (),
    quantile: float | None = None,
    output: str | Path | None = None,
    picture: str | Path | None = None,
) -> AllocationResult | ObjectiveResult:
    """Allocate a budget to languages so that an objective is highest, exactly and in whole pairs.

    Args:
        budget: The number of sentence pairs; of tokens where `costs` are given; device hours such as `12h` where they
            are of a run.
        laws: The result of `fit`, its laws, or its file; a list of those of several metrics; without, laws are fitted
            to `results`.
        results: A `results.jsonl`, results, or a table of them.
        metric: The metric, where the results have several.
        benchmark: The benchmark, where the results have several.
        direction: `en-xx` or `xx-en`, where the results have both.
        model: Only models of this name; a pattern such as `tiny-*`.
        langs: The languages; by default all of the release.
        release: The release whose counts are the available pairs.
        registry: Where the release is: a folder, or hf://ORG.
        available: A CSV of lang,rows with the available pairs, or a mapping, instead of a release.
        min: The fewest pairs of every language, or by language.
        max: The most pairs of every language, or by language.
        weight: The weight of each language, by language; 1 by default.
        costs: A CSV of lang,tokens with the tokens in a pair, a mapping, or the folder of a run that has counted them:
            the budget is in tokens then.
        epochs: How often a pair may be seen, from 1 to 100.
        allow_partial: Spend what there is where the budget is larger.
        objective: `mean`, the weighted mean of the languages, or `worst`, the worst language.
        no_worse_than: Mixtures against which no language may lose, each with the points that it may: `unimax:1.0`. A
            mixture is a baseline, a CSV of lang,rows,epochs, or a release.
        near: Of the mixtures within `matters` points of the best, choose the one that changes this mixture least.
        matters: The difference in points for which the optimum is preferred to a plainer mixture.
        metric_weight: With laws of several metrics, what a point of each counts, by metric; 1 by default.
        no_metric_worse_than: With several metrics, mixtures against which no metric's mean may lose: `unimax:0`.
        quantile: Maximise this lower quantile of the mean value, between 0 and 0.5, instead of its prediction.
        output: Write the mixture to this CSV, for `builders publish --mixture`.
        picture: Write a picture of the shares, and of what they are worth, to this PNG or SVG.

    Raises:
        InputError: A file or option is not as expected, or no allocation is within the limits.
    """
    if quantile is not None and not 0 < quantile < 0.5:
        raise InputError(f"--quantile takes a number between 0 and 0.5, such as 0.1, not {quantile:g}.")
    goal = ObjectiveOptions(objective, no_worse_than, near, matters, no_metric_worse_than)
    goal.check()
    selection = ResultSelection(results, metric, benchmark, direction, model, langs)
    of_metrics = load_metric_laws(laws, selection, metric_weight)
    limits = Limits(release, registry, available, min, max, weight, costs, epochs, allow_partial)
    problem, source = build_problem(budget, of_metrics, langs, limits)
    fitted = of_metrics.laws[0]
    if not isinstance(fitted, Laws) or not goal.is_plain or not of_metrics.is_single:
        if quantile is not None:
            raise InputError("--quantile is for laws of one metric and one language each, and the mean. Leave it out.")
        result = allocate_objective(of_metrics, problem, goal.read(problem, registry, of_metrics), matters, source)
        return with_files(result, _write_files(result, output, picture))
    chosen = fitted.select(problem.langs)
    mixture = quantile_optimum(chosen, problem, quantile) if quantile else optimum(chosen, problem)
    files = [Path(path) for path in (output, picture) if path]
    if output:
        write_mixture(Path(output), mixture)
    if picture:
        _draw_frontier(Path(picture), fitted, problem, mixture)
    return AllocationResult(mixture, problem, fitted, source, tuple(files))


def _write_files(result: ObjectiveResult, output: str | Path | None, picture: str | Path | None) -> tuple[Path, ...]:
    """Write the mixture as a CSV, and a picture of what budgets achieve; return the files."""
    if output:
        write_mixture(Path(output), result.mixture)
    if picture:
        _draw_objectives(Path(picture), result)
    return tuple(Path(path) for path in (output, picture) if path)


def _draw_objectives(path: Path, result: ObjectiveResult) -> None:
    """Draw what the optimum gains over plain mixtures, by budget, for the mean, the worst and the chosen objective."""
    from cards.plots import draw_objectives

    problem = result.problem
    num = len(problem.langs)
    equal = result.laws.target_weights(replace(problem, weights=np.full(num, 1 / num)))
    objectives = [Objective("mean", equal)]
    if np.ptp(problem.weights) > 0:
        objectives.append(Objective("mean", result.laws.target_weights(problem)))
    if result.laws.is_single:
        objectives.append(Objective("worst", equal))
    table = objective_gains(result.draws, problem, objectives, result.metric)
    title = f"What the optimum gains at budgets around {problem.budget:,.0f} {problem.unit}"
    draw(path, lambda temporary: draw_objectives(table, title, temporary))


def _draw_frontier(path: Path, laws: Laws, problem: AllocationProblem, mixture: Mixture) -> None:
    from cards.plots import draw_frontier

    table = allocation_json(laws, problem, mixture)
    for row, num_unique in zip(table["mixture"], problem.num_unique.tolist(), strict=True):
        row["num_available"] = int(num_unique) if math.isfinite(num_unique) else None
    title = f"How {problem.budget:,.0f} {problem.unit} are divided, and what that is worth"
    draw(path, lambda temporary: draw_frontier(table, title, temporary))
