"""Train models on releases and evaluate them: one function for each verb of the command `trainer`.

    import trainer

    run = trainer.sft("tiny", release="coit-sample", config="el")
    trainer.evaluate(run, benchmarks=["flores"], langs=["el"])

The functions take the options of the command line as keyword arguments. What they need is imported at the first use.
"""

from typing import TYPE_CHECKING, Any

try:
    from corpora.hidden_packages import check_not_hidden
    from corpora.lazy_names import load_name
except ImportError:  # another package 'corpora'
    import corpora

    raise ImportError(f"{corpora.__file__} hides the package 'corpora' of coit-builders. Rename it.") from None

check_not_hidden()

if TYPE_CHECKING:
    from corpora.errors import InputError
    from trainer.api import estimate, plan_sweep, sft, sweep
    from trainer.estimation import Estimate
    from trainer.evaluation import (
        Alignment,
        Comparison,
        Leaderboard,
        ResultTable,
        align,
        compare,
        evaluate,
        judge,
        leaderboard,
    )
    from trainer.publish_model import PushedModel, push
    from trainer.results import Run, Sweep
    from trainer.run import Diverged, Stopped
    from trainer.run_list import RunList, RunSummary, list_runs, show_run

__all__ = [
    "Alignment",
    "Comparison",
    "Diverged",
    "Estimate",
    "InputError",
    "Leaderboard",
    "PushedModel",
    "ResultTable",
    "Run",
    "RunList",
    "RunSummary",
    "Stopped",
    "Sweep",
    "align",
    "compare",
    "estimate",
    "evaluate",
    "judge",
    "leaderboard",
    "list_runs",
    "plan_sweep",
    "push",
    "sft",
    "show_run",
    "sweep",
]
_MODULES = {
    "corpora.errors": ("InputError",),
    "trainer.api": ("estimate", "plan_sweep", "sft", "sweep"),
    "trainer.estimation": ("Estimate",),
    "trainer.evaluation": (
        *("Alignment", "Comparison", "Leaderboard", "ResultTable"),
        *("align", "compare", "evaluate", "judge", "leaderboard"),
    ),
    "trainer.publish_model": ("PushedModel", "push"),
    "trainer.results": ("Run", "Sweep"),
    "trainer.run": ("Diverged", "Stopped"),
    "trainer.run_list": ("RunList", "RunSummary", "list_runs", "show_run"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return __all__
