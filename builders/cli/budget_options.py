"""The options of a release by budget."""

from builders.cli.amounts import Amount
from corpora.cli import FILE, option

GROUP = "Budget"
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
]
