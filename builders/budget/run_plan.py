"""Plan which sizes to measure next: the verb `plan`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from builders.budget.format import plan_html, plan_text
from builders.budget.inputs import LangValues, LawsLike, Limits, ResultSelection, ResultsLike, build_problem, load_laws
from builders.budget.objectives import ObjectiveOptions
from builders.budget.transfer_format import mixture_plan_text
from cards.releases import ReleaseLike
from corpora.arguments import checked
from corpora.errors import InputError
from recipes.mixing import OVERHEAD_PAIRS, NextRun, next_runs, optimum
from recipes.scaling import Floats, Laws
from recipes.transfer import AnyLaws, MixturePlan, NextMixture, law_surfaces, next_mixtures

DEFAULT_NOISE = 0.5  # points of a run's value where no law says more


@dataclass(frozen=True, repr=False)
class PlanResult:
    """The next runs to make.

    Args:
        runs: The runs, in order.
        num_runs: How many were asked for at most.
        target_regret: The expected regret at which to stop, in units of the metric.
        unit: The unit of the runs' costs: pairs, or tokens.
    """

    runs: tuple[NextRun, ...]
    num_runs: int
    target_regret: float
    unit: str = "pairs"

    def to_json(self) -> list[dict[str, Any]]:
        """Return the runs as JSON values."""
        return [asdict(run) for run in self.runs]

    def __repr__(self) -> str:
        return plan_text(self.runs, self.unit, self.num_runs, self.target_regret)

    def _repr_html_(self) -> str:
        return plan_html(self.runs, self.unit)


@dataclass(frozen=True, repr=False)
class MixturePlanResult:
    """The next mixtures to train and evaluate, by laws with transfer.

    Args:
        plan: The runs, in order, and why to stop.
        unit: The unit of the runs' costs: pairs, or tokens.
    """

    plan: MixturePlan
    unit: str = "pairs"

    @property
    def runs(self) -> tuple[NextMixture, ...]:
        """The runs, in order."""
        return self.plan.runs

    def to_json(self) -> dict[str, Any]:
        """Return the runs and why to stop as JSON values."""
        return asdict(self.plan)

    def __repr__(self) -> str:
        return mixture_plan_text(self.plan, self.unit)

    def _repr_html_(self) -> str:
        return mixture_plan_text(self.plan, self.unit, "html")


@checked
def plan(
    budget: float | str,
    *,
    laws: LawsLike = None,
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
    runs: int = 6,
    target_regret: float = 0.001,
    max_size: float | None = None,
    overhead: float = OVERHEAD_PAIRS,
) -> PlanResult | MixturePlanResult:
    """Choose the next sizes to measure: the runs that lower an allocation's expected regret most for their cost.

    Args:
        budget: The number of sentence pairs to allocate; of tokens where `costs` are given; device hours such as
            `12h` where they are of a run.
        laws: The result of `fit`, its laws, or its file; without, laws are fitted to `results`.
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
        objective: What the mixture is for: `mean`, the weighted mean of the languages, or `worst`, the worst language.
        no_worse_than: Mixtures against which no language may lose, each with the points that it may: `unimax:1.0`.
        runs: The most runs.
        target_regret: The expected regret at which to stop, in units of the metric.
        max_size: The most pairs of a run; by default the largest share of the optimum.
        overhead: What a run costs beside its pairs, in pairs.

    Raises:
        InputError: A file or option is not as expected, or the laws have no uncertainty.
    """
    if not (overhead >= 0 and target_regret >= 0 and (max_size is None or max_size >= 1)):
        raise InputError("--overhead and --target-regret take numbers of at least 0, --max-size one of at least 1.")
    fitted = load_laws(laws, ResultSelection(results, metric, benchmark, direction, model, langs))
    limits = Limits(release, registry, available, min, max, weight, costs, epochs, allow_partial)
    problem, _ = build_problem(budget, fitted, langs, limits)
    goal = ObjectiveOptions(objective, no_worse_than)
    if not isinstance(fitted, Laws) or not goal.is_plain:
        draws, noise = law_surfaces(fitted, problem), _noise(fitted, problem.langs)
        chosen_for = goal.read(problem, registry)
        proposed = next_mixtures(draws, noise, chosen_for, problem, runs, target_regret, overhead)
        return MixturePlanResult(proposed, problem.unit)
    chosen = fitted.select(problem.langs)
    most = max_size or float(optimum(chosen, problem).pairs.max())
    proposal = next_runs(chosen, problem, runs, target_regret, most, overhead)
    return PlanResult(tuple(proposal), runs, target_regret, problem.unit)


def _noise(laws: AnyLaws, langs: Sequence[str]) -> Floats:
    """Return the standard deviation of a run's value in each language; DEFAULT_NOISE where its law says none."""
    return np.array([laws.laws[lang].noise or DEFAULT_NOISE for lang in langs])
