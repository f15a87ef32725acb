"""Read the options of a release by budget."""

from pathlib import Path

from builders.budget.inputs import LawsLike, check_epochs, load_laws
from builders.budget.subsampling import Budget
from corpora.errors import InputError
from recipes.mixing import BASELINES, parse_baseline


def read_budget(
    budget: int | None,
    laws: LawsLike = None,
    mixture: str | Path | None = None,
    epochs: float = 1.0,
    allow_partial: bool = False,
) -> Budget | None:
    """Return the budget that the options describe, with its files read; None without `budget`.

    Args:
        budget: The number of translation examples.
        laws: Laws, or a file of `fit`, by which the budget is allocated.
        mixture: A CSV of lang,rows,epochs, or uniform, unimax, proportional or temperature:A.
        epochs: How often a pair may be seen.
        allow_partial: Whether to publish what there is where the budget is larger.

    Raises:
        InputError: The options contradict one another, or a file cannot be read.
    """
    if budget is None:
        if laws or mixture or allow_partial or epochs != 1.0:
            raise InputError("--laws, --mixture, --epochs and --allow-partial allocate a --budget. Give one.")
        return None
    if budget < 1:
        raise InputError(f"--budget takes a number of pairs of at least 1, not {budget}.")
    check_epochs(epochs)
    if laws and mixture:
        raise InputError("A budget is allocated by --laws or by a --mixture, not by both. Remove one of them.")
    baseline = str(mixture) if mixture and str(mixture).partition(":")[0] in BASELINES else None
    if baseline:
        parse_baseline(baseline)
    file = Path(mixture) if mixture and not baseline else None
    read = load_laws(laws) if laws else None
    return Budget(budget, read, file, baseline, epochs, allow_partial)
