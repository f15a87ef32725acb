"""Read the options of a release by budget."""

from collections.abc import Sequence
from pathlib import Path

from builders.budget.inputs import LangValues, LawsLike, check_epochs, load_laws
from builders.budget.law_allocation import LawGoal
from builders.budget.objectives import ObjectiveOptions
from builders.budget.subsampling import Budget
from corpora.errors import InputError
from recipes.mixing import BASELINES, parse_baseline
from recipes.transfer import MATTERS


def read_budget(
    budget: int | None,
    laws: LawsLike = None,
    mixture: str | Path | None = None,
    epochs: float = 1.0,
    allow_partial: bool = False,
    objective: str = "mean",
    weight: LangValues | None = None,
    no_worse_than: Sequence[str | Path] = (),
    near: str | Path | None = None,
    matters: float = MATTERS,
    predictions: str | Path | None = None,
    registry: str | Path = "registry",
) -> Budget | None:
    """Return the budget that the options describe, with its files read; None without `budget`.

    Args:
        budget: The number of translation examples.
        laws: Laws, or a file of `fit`, by which the budget is allocated.
        mixture: A CSV of lang,rows,epochs, or uniform, unimax, proportional or temperature:A.
        epochs: How often a pair may be seen.
        allow_partial: Whether to publish what there is where the budget is larger.
        objective: What the laws allocate it for; as in `allocate`, and so are the next four.
        weight: The weight of each language.
        no_worse_than: Mixtures against which no language may lose.
        near: The mixture that should change least.
        matters: The difference in points that matters.
        predictions: The ledger of `builders check`, for what was measured of the mixture.
        registry: Where releases of `no_worse_than` and `near` are.

    Raises:
        InputError: The options contradict one another, or a file cannot be read.
    """
    options = ObjectiveOptions(objective, no_worse_than, near, matters)
    goal = LawGoal(options, weight or {}, Path(predictions) if predictions else None, registry)
    is_usual = goal == LawGoal(registry=registry)
    if budget is None:
        if laws or mixture or allow_partial or epochs != 1.0 or not is_usual:
            raise InputError("--laws, --mixture, --epochs, --allow-partial and objectives are of a --budget. Give one.")
        return None
    if budget < 1:
        raise InputError(f"--budget takes a number of pairs of at least 1, not {budget}.")
    check_epochs(epochs)
    if laws and mixture:
        raise InputError("A budget is allocated by --laws or by a --mixture, not by both. Remove one of them.")
    if not laws and not is_usual:
        raise InputError("An objective, weights and --predictions are for the --laws of `builders fit`. Give them.")
    options.check()
    baseline = str(mixture) if mixture and str(mixture).partition(":")[0] in BASELINES else None
    if baseline:
        parse_baseline(baseline)
    file = Path(mixture) if mixture and not baseline else None
    read = load_laws(laws) if laws else None
    return Budget(budget, read, file, baseline, epochs, allow_partial, goal if laws else None)
