"""The options of a release by budget, and of what laws allocate a budget for."""

from collections.abc import Callable
from typing import Any

import click

from builders.cli.amounts import Amount
from corpora.cli import FILE, option

GROUP = "Budget"


def objective_options(group: str) -> list[Callable[[Any], Any]]:
    """Return the options of what a budget is allocated for."""
    return [
        option(
            "--objective",
            type=click.Choice(("mean", "worst")),
            default="mean",
            show_default=True,
            group=group,
            help="Maximise the weighted mean of the languages, or the worst language.",
        ),
        option(
            "--no-worse-than",
            multiple=True,
            metavar="MIXTURE[:POINTS]",
            group=group,
            help="No language may lose more than POINTS against a mixture, such as unimax:1.0, a CSV or a release. "
            "Repeatable.",
        ),
        option(
            "--near",
            metavar="MIXTURE",
            group=group,
            help="Of the mixtures within --matters of the best, choose the one that changes this mixture least.",
        ),
        option(
            "--matters",
            type=float,
            default=0.3,
            show_default=True,
            metavar="POINTS",
            group=group,
            help="The difference for which the optimum is preferred to a plainer mixture.",
        ),
    ]


def weight_option(group: str) -> Callable[[Any], Any]:
    """Return the option of the weights of languages."""
    return option(
        "--weight",
        multiple=True,
        metavar="LANG=NUMBER",
        group=group,
        help="The weight of a language; 1 by default. Repeatable.",
    )


BUDGET_OPTIONS = [
    option(
        "--budget",
        type=Amount(whole=True),
        metavar="PAIRS",
        group=GROUP,
        help="Limit the translation examples to this many sentence pairs; the release gets a name of its own.",
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
    *objective_options(GROUP),
    weight_option(GROUP),
    option(
        "--predictions",
        type=FILE,
        metavar="FILE",
        group=GROUP,
        help="The ledger of `builders check`: the card shows what was measured of the mixture.",
    ),
]
