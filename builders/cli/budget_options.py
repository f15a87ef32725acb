"""The options of a release by budget."""

from functools import wraps
from typing import Any

from corpora.cli import FILE, option, options

GROUP = "Budget"
BUDGET_OPTIONS = [
    option(
        "--budget",
        type=int,
        metavar="PAIRS",
        group=GROUP,
        help="Cut the translations to this many sentence pairs; the release gets a name of its own.",
    ),
    option("--laws", type=FILE, metavar="FILE", group=GROUP, help="Allocate the budget by the laws of `builders fit`."),
    option(
        "--mixture",
        metavar="FILE|NAME",
        group=GROUP,
        help="Allocate it by a CSV of lang,rows,epochs, or by uniform, unimax, proportional or temperature:A.",
    ),
    option(
        "--epochs",
        type=float,
        default=1.0,
        show_default=True,
        metavar="N",
        group=GROUP,
        help="How often a pair may be seen.",
    ),
    option("--allow-partial", is_flag=True, group=GROUP, help="Publish what there is where the budget is larger."),
]


def budget_options(verb: Any) -> Any:
    """Give a verb the options of a release by budget, which it gets as one argument, `budget`."""

    @wraps(verb)
    def with_budget(**settings: Any) -> Any:
        from builders.budget import read_budget

        own = {name: settings.pop(name) for name in ("budget", "laws", "mixture", "epochs", "allow_partial")}
        return verb(budget=read_budget(**own), **settings)

    return options(BUDGET_OPTIONS)(with_budget)
