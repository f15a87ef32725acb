"""The verbs from evaluation results to a mixture: `fit`, `allocate` and `plan`."""

from typing import Any

import click

from builders.cli.amounts import Amount, by_lang, by_metric
from builders.cli.budget_options import objective_options, weight_option
from corpora.cli import FILE, NAMES, option, options, verb
from corpora.options import JSON, registry_option
from corpora.printing import print_text

RESULTS = [
    option(
        "--results", type=FILE, default="results.jsonl", show_default=True, metavar="FILE", group="Results",
        help="The results that laws are fitted to.",
    ),
    option("--metric", metavar="NAME", group="Results", help="The metric, where the results have several."),
    option("--benchmark", metavar="NAME", group="Results", help="The benchmark, where the results have several."),
    option(
        "--direction", type=click.Choice(("en-xx", "xx-en")), group="Results",
        help="The direction, where the results have both.",
    ),
    option(
        "--model", metavar="PATTERN", group="Results", help="Only models of this name or pattern, such as 'tiny-*'."
    ),
    option("--langs", type=NAMES, default=(), metavar="A,B", group="Results", help="Only these languages."),
]  # fmt: skip
LIMITS = [
    option(
        "--release", default="muit", show_default=True, metavar="RELEASE", group="Limits",
        help="The release whose counts are the available pairs.",
    ),
    registry_option("Limits"),
    option(
        "--available", type=FILE, metavar="FILE", group="Limits",
        help="A CSV of lang,rows with the available pairs, instead of a release.",
    ),
    option(
        "--min", multiple=True, metavar="[LANG=]PAIRS", group="Limits",
        help="The fewest pairs of a language, or of each. Repeatable.",
    ),
    option(
        "--max", multiple=True, metavar="[LANG=]PAIRS", group="Limits",
        help="The most pairs of a language, or of each. Repeatable.",
    ),
    weight_option("Limits"),
    option(
        "--costs", type=FILE, metavar="FILE|RUN", group="Limits",
        help="A CSV of lang,tokens with the tokens in a pair, or the folder of a run that has it: the budget is in "
        "tokens then.",
    ),
    option(
        "--epochs", type=float, default=1.0, show_default=True, metavar="N", group="Limits",
        help="How often a pair may be seen.",
    ),
    option("--allow-partial", is_flag=True, group="Limits", help="Spend what there is where the budget is larger."),
]  # fmt: skip
BUDGET = [
    option(
        "--budget",
        type=Amount(has_hours=True),
        required=True,
        metavar="PAIRS|HOURS",
        group="Budget",
        help="The number of pairs, such as 60000, 60k or 1.2M; of tokens with --costs; or device hours, such as 12h, "
        "at the speed of the run that --costs names.",
    ),
]
LAWS = option(
    "--laws", type=FILE, metavar="FILE", group="Budget", help="The laws of `builders fit`, instead of --results."
)


@verb("fit")
@options(RESULTS)
@option(
    "--import",
    "import_",
    type=FILE,
    metavar="FILE",
    group="Import",
    help="First add the rows of a CSV of lang,num_pairs,value[,std], of --model, to --results.",
)
@option(
    "--metric-range",
    default="0,100",
    show_default=True,
    metavar="MIN,MAX",
    group="Import",
    help="The range of the imported metric.",
)
@option(
    "--gamma",
    multiple=True,
    metavar="LANG=NUMBER",
    group="Laws",
    help="A language's similarity to English, to print the paper's alpha. Repeatable.",
)
@option(
    "--baseline",
    metavar="PATTERN",
    group="Laws",
    help="Fit models of this name or pattern, such as 'continued-*', apart, and compare the others with them.",
)
@option(
    "--predictions",
    type=FILE,
    default="predictions.jsonl",
    show_default=True,
    metavar="FILE",
    group="Output",
    help="The ledger of `builders check`, whose calibration is shown where it exists.",
)
@option(
    "--surface",
    type=NAMES,
    default=(),
    metavar="A,B",
    group="Output",
    help="Draw the law of A over the pairs of A and B, where models were trained on mixtures.",
)
@option(
    "--output",
    type=FILE,
    default="laws.json",
    show_default=True,
    metavar="FILE",
    group="Output",
    help="Where to write the laws; a picture goes beside it.",
)
@JSON
def fit_verb(metric_range: str, gamma: tuple[str, ...], as_json: bool, **settings: Any) -> None:
    """Fit a scaling law to the results of each language."""
    import builders

    result = builders.fit(gamma=by_lang(gamma, "--gamma"), metric_range=_range(metric_range), **settings)
    _print(result, as_json)


@verb("allocate")
@options(BUDGET)
@option(
    "--laws",
    type=FILE,
    multiple=True,
    metavar="FILE",
    group="Budget",
    help="The laws of `builders fit`, instead of --results. Repeatable, for several metrics at once.",
)
@options(RESULTS, LIMITS)
@options(objective_options("Objective"))
@option(
    "--metric-weight",
    multiple=True,
    metavar="METRIC=NUMBER",
    group="Objective",
    help="With several metrics, what a point of one counts; 1 by default. Repeatable.",
)
@option(
    "--no-metric-worse-than",
    multiple=True,
    metavar="MIXTURE[:POINTS]",
    group="Objective",
    help="With several metrics, the mean of none may lose more than POINTS against a mixture. Repeatable.",
)
@option(
    "--quantile",
    type=float,
    metavar="Q",
    group="Limits",
    help="Maximise this lower quantile of the mean value, such as 0.1, instead of its prediction.",
)
@option(
    "--output",
    type=FILE,
    metavar="FILE",
    group="Output",
    help="Write the mixture to this CSV, for `builders publish --mixture`.",
)
@option(
    "--picture", type=FILE, metavar="FILE", group="Output", help="Draw what budgets around this one achieve as a PNG."
)
@JSON
def allocate_verb(as_json: bool, **settings: Any) -> None:
    """Allocate a budget to languages by their scaling laws, with the expected regret."""
    import builders

    settings["metric_weight"] = by_metric(settings["metric_weight"], "--metric-weight")
    _print(builders.allocate(**_parse_limits(settings)), as_json)


@verb("plan")
@options(BUDGET, [LAWS], RESULTS, LIMITS, objective_options("Objective")[:2])
@option(
    "--runs",
    type=click.IntRange(1, 1000),
    default=6,
    show_default=True,
    metavar="N",
    group="Runs",
    help="The most runs.",
)
@option(
    "--target-regret",
    type=float,
    default=0.001,
    show_default=True,
    metavar="POINTS",
    group="Runs",
    help="The expected regret at which to stop.",
)
@option(
    "--max-size",
    type=float,
    metavar="PAIRS",
    group="Runs",
    help="The most pairs of a run; by default the largest share of the optimum.",
)
@option(
    "--overhead",
    type=float,
    default=20_000,
    show_default=True,
    metavar="PAIRS",
    group="Runs",
    help="What a run costs beside its pairs.",
)
@JSON
def plan_verb(as_json: bool, **settings: Any) -> None:
    """Choose the language and size to measure next, by how much it lowers the expected regret."""
    import builders

    _print(builders.plan(**_parse_limits(settings)), as_json)


@verb("check")
@option(
    "--laws",
    type=FILE,
    default="laws.json",
    show_default=True,
    metavar="FILE",
    group="Results",
    help="The laws as they were before the models were trained.",
)
@options(RESULTS)
@option(
    "--predictions",
    type=FILE,
    default="predictions.jsonl",
    show_default=True,
    metavar="FILE",
    group="Output",
    help="The ledger of predictions, to which these are added.",
)
@option("--picture", type=FILE, metavar="FILE", group="Output", help="Draw predicted against measured values as a PNG.")
@JSON
def check_verb(laws: Any, as_json: bool, **settings: Any) -> None:
    """Compare what laws predicted of mixtures with what was measured afterwards."""
    import builders

    _print(builders.check(laws, **settings), as_json)


VERBS = (fit_verb, allocate_verb, plan_verb, check_verb)


def _parse_limits(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with their LANG=NUMBER texts as mappings."""
    return settings | {name: by_lang(settings[name], f"--{name}") for name in ("min", "max", "weight")}


def _range(text: str) -> tuple[float, float]:
    """Return the two numbers of a metric's range."""
    from corpora.errors import InputError

    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--metric-range takes two numbers such as 0,100, not {text!r}.") from None
    return low, high


def _print(result: Any, as_json: bool) -> None:
    import json

    print_text(json.dumps(result.to_json(), indent=2) if as_json else repr(result))
