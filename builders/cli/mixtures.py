"""The verbs that turn scores into the next mixture: `fit`, `allocate` and `plan`."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builders.budget.options import FILE, check_epochs, options

if TYPE_CHECKING:
    from recipes.mixing.allocation import Problem
    from recipes.results import Result
    from recipes.scaling.law import Laws

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
SCORE_OPTIONS = [
    click.option("--results", type=FILE, default="results.jsonl", show_default=True, help="The file of results."),
    click.option("--metric", help="The metric, where the scores are of several."),
    click.option("--benchmark", help="The benchmark, where the scores are of several."),
    click.option("--direction", help="en-xx or xx-en, where the scores are of both."),
    click.option("--model", help="Only models of this name; a pattern such as 'tiny-*'."),
    click.option("--langs", help="Only these languages, such as ar,el,hi."),
]
SPLIT_OPTIONS = [
    click.option("--budget", type=float, required=True, help="Sentence pairs in all; tokens with --costs."),
    click.option("--laws", "laws_file", type=FILE, help="Laws that `builders fit` wrote, instead of --results."),
    click.option("--release", default="muit", show_default=True, help="Whose counts are the caps."),
    click.option("--registry", default="registry", show_default=True, help="Where it is: a folder, or hf://ORG."),
    click.option("--caps", type=FILE, help="A CSV of lang,rows for the caps, instead of a release."),
    click.option("--cap", "cap", multiple=True, metavar="[LANG=]PAIRS", help="Most pairs of a language, or of each."),
    click.option("--floor", "floor", multiple=True, metavar="[LANG=]PAIRS", help="Least pairs of a language."),
    click.option("--weight", multiple=True, metavar="LANG=WEIGHT", help="What its score counts; 1 by default."),
    click.option("--costs", type=FILE, help="A CSV of lang,tokens (a pair): the budget is in tokens then."),
    click.option("--epochs", type=float, default=1.0, show_default=True, help="How often a pair may be seen."),
    click.option("--at-most", is_flag=True, help="Spend what there is where the budget is more."),
]


@click.command("fit")
@options(SCORE_OPTIONS)
@click.option(
    "--import", "table", type=FILE, help="First add the rows of a CSV of lang,num_pairs,value[,std] to --results."
)
@click.option(
    "--metric-range", default="0,100", show_default=True, metavar="MIN,MAX", help="Range of an imported metric."
)
@click.option("--gamma", multiple=True, metavar="LANG=VALUE", help="Similarity to English: alpha is reported too.")
@click.option("--against", metavar="MODEL", help="Models of this name by laws of their own, such as 'continued-*'.")
@click.option("--to", type=FILE, default="laws.json", show_default=True, help="The laws; a picture goes beside them.")
@JSON
def fit_verb(
    table: Path | None, metric_range: str, gamma: tuple[str, ...], against: str | None, to: Path, as_json: bool,
    **asked: Any,
) -> None:  # fmt: skip
    """Fit a scaling law for each language to scores: with intervals, in the form that predicts larger sizes best."""
    from builders.budget.comparison import Families, families_json, families_text
    from builders.budget.format import laws_text
    from cards.plots.laws import draw_laws
    from corpora.errors import InputError
    from recipes.mixing.csv_values import parse_amounts
    from recipes.mixing.serialize import laws_json
    from recipes.scaling.fit import fit_scores, gammas
    from recipes.scaling.law import write_laws

    if to.suffix in ("", ".png"):
        raise InputError(f"--to takes a JSON file, such as laws.json, not '{to}'; the picture is put beside it.")
    if table:
        _import(table, metric_range, asked)
    scores, chosen = _scores(**asked, without=against)
    known = gammas(scores) | parse_amounts(gamma, "--gamma", sorted({s.lang for s in chosen}))
    laws = fit_scores(chosen, known)
    picture = to.with_suffix(".png")
    told: dict[str, Any] = {"laws": laws_json(list(laws.laws.values())), "refused": laws.refused}
    text = laws_text(laws, to, picture)
    if against:
        both = Families(laws, fit_scores(_scores(**asked | {"model": against})[1]), asked["model"] or "others", against)
        told |= families_json(both)
        text += f"\n\n{families_text(both)}"
    write_laws(to, laws)
    title = f"Scaling laws of {laws.metric}" + (f", against those of {against}" if against else "")
    _draw(picture, lambda path: draw_laws(told["laws"], title, path, others=told.get("against", ())))
    click.echo(_json(told) if as_json else text)


@click.command("allocate")
@options(SPLIT_OPTIONS, SCORE_OPTIONS)
@click.option("--robust", type=float, metavar="Q", help="Maximise the score's quantile Q (such as 0.1) instead.")
@click.option("--to", type=FILE, help="Write the mixture as a CSV for `builders publish --mixture`.")
@click.option("--picture", type=FILE, help="Draw the frontier over budgets as a PNG.")
@JSON
def allocate_verb(robust: float | None, to: Path | None, picture: Path | None, as_json: bool, **asked: Any) -> None:
    """Split a budget among languages exactly by their laws; beside it the usual mixtures and how sure all that is."""
    from builders.budget.format import split_json, split_text
    from cards.plots.laws import draw_frontier
    from corpora.errors import InputError
    from recipes.mixing.mixture import optimum, write_mixture
    from recipes.mixing.mixture import robust as robust_mixture
    from recipes.mixing.regret import frontier
    from recipes.mixing.serialize import frontier_json

    if robust is not None and not 0 < robust < 0.5:
        raise InputError(f"--robust takes a lower quantile between 0 and 0.5, such as 0.1, not {robust:g}.")
    laws, given, caps_from = _problem(**asked)
    own = laws.of(given.langs)
    mixture = robust_mixture(own, given, robust) if robust else optimum(own, given)
    if to:
        write_mixture(to, mixture)
    if picture:
        table = frontier_json(frontier(own, given), given, laws.metric)
        _draw(picture, lambda path: draw_frontier(table, f"What {given.budget:,.0f} {given.unit} buy", path))
    if as_json:
        click.echo(_json(split_json(laws, given, mixture)))
        return
    click.echo(split_text(laws, given, mixture, caps_from))
    for path in filter(None, (to, picture)):
        click.echo(f"Written: {path}")


@click.command("plan")
@options(SPLIT_OPTIONS, SCORE_OPTIONS)
@click.option("--runs", type=click.IntRange(1, 1000), default=6, show_default=True, help="How many runs to plan.")
@click.option("--enough", type=float, default=0.001, show_default=True, help="Expected regret, in points, to stop at.")
@click.option("--largest", type=float, help="Most pairs of a run; by default the largest share of the best split.")
@click.option(
    "--overhead", type=float, default=20_000, show_default=True, help="What a run costs beside its pairs, in pairs."
)
@JSON
def plan_verb(runs: int, enough: float, largest: float | None, overhead: float, as_json: bool, **asked: Any) -> None:
    """Which (language, size) to measure next: the runs that lessen a split's expected regret most for their cost."""
    from builders.budget.format import plan_json, plan_text
    from corpora.errors import InputError
    from recipes.mixing.mixture import optimum
    from recipes.mixing.next_runs import plan

    laws, given, _ = _problem(**asked)
    own = laws.of(given.langs)
    if not (overhead >= 0 and enough >= 0 and (largest is None or largest >= 1)):
        raise InputError("--overhead and --enough take numbers of at least 0, --largest one of at least 1.")
    reach = largest or float(optimum(own, given).pairs.max())
    found = plan(own, given, runs, enough, reach, overhead=overhead)
    click.echo(_json(plan_json(found)) if as_json else plan_text(found, own, given, runs, enough))


VERBS = (fit_verb, allocate_verb, plan_verb)


def _range(text: str) -> tuple[float, float]:
    """Return the two numbers of --metric-range."""
    from corpora.errors import InputError

    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise InputError(f"--metric-range takes two numbers such as 0,100, not '{text}'.") from None
    return low, high


def _import(table: Path, metric_range: str, asked: Mapping[str, Any]) -> None:
    """Add the rows of a CSV to the file of scores."""
    from corpora.errors import InputError
    from recipes.results import append_results
    from recipes.results_csv import read_results_csv

    if not asked["metric"]:
        raise InputError(f"Say which --metric the scores of {table} are of, such as comet.")
    rows = read_results_csv(
        table, asked["metric"], asked["benchmark"] or "", asked["direction"] or "", _range(metric_range)
    )
    added = append_results(asked["results"], rows)
    click.echo(f"{added:,} of {len(rows):,} rows of {table} are new in {asked['results']}.", err=True)


def _scores(
    results: Path, metric: str | None, benchmark: str | None, direction: str | None, model: str | None,
    langs: str | None, without: str | None = None,
) -> tuple[list["Result"], list["Result"]]:  # fmt: skip
    """All scores of a file, and those that were asked for; none of models named `without`."""
    from recipes.results import read_results
    from recipes.scaling.fit import choose_scores

    found = read_results(results)
    left = [s for s in found if without is None or not fnmatchcase(s.model, without)]
    return found, choose_scores(left, metric, benchmark, direction, model, _langs(langs))


def _langs(text: str | None) -> tuple[str, ...]:
    from corpora.catalog import language

    return tuple(dict.fromkeys(language(lang.strip().lower()).code for lang in text.split(","))) if text else ()


def _problem(
    budget: float, laws_file: Path | None, release: str, registry: str, caps: Path | None, cap: tuple[str, ...],
    floor: tuple[str, ...], weight: tuple[str, ...], costs: Path | None, epochs: float, at_most: bool,
    langs: str | None, **asked: Any,
) -> tuple["Laws", "Problem", str]:  # fmt: skip
    """The laws, the problem, and where the caps are from."""
    import math

    import numpy as np

    from corpora.errors import InputError
    from recipes.mixing.allocation import problem
    from recipes.mixing.csv_values import parse_amounts, read_amounts
    from recipes.scaling.fit import fit_scores
    from recipes.scaling.law import read_laws

    check_epochs(epochs)
    laws = read_laws(laws_file) if laws_file else fit_scores(_scores(langs=langs, **asked)[1])
    there, caps_from = _there(release, registry, caps)
    chosen = _langs(langs) or tuple(sorted(there))
    if not costs and math.isfinite(budget) and budget % 1:
        raise InputError(f"--budget is a whole number of pairs, not {budget:g}; with --costs it is in tokens.")
    missing = [lang for lang in chosen if lang not in there]
    _refuse_missing(missing, caps_from)
    prices = read_amounts(costs, "tokens") if costs else {}
    _refuse_missing([lang for lang in chosen if costs and lang not in prices], str(costs))
    named = {option: parse_amounts(texts, f"--{option}", chosen)
             for option, texts in (("cap", cap), ("floor", floor), ("weight", weight))}  # fmt: skip
    laws.of(chosen)

    def column(values: Mapping[str, float], default: float) -> Any:
        return np.array([values.get(lang, default) for lang in chosen], float)

    given = problem(
        chosen, budget, unique=column(there, 0.0), epochs=epochs, caps=column(named["cap"], np.inf),
        floors=column(named["floor"], 0.0), weights=column(named["weight"], 1.0),
        costs=column(prices, 0.0) if costs else None, at_most=at_most,
    )  # fmt: skip
    return laws, given, caps_from


def _refuse_missing(langs: list[str], where: str) -> None:
    from corpora.errors import InputError

    if langs:
        raise InputError(f"{where} says nothing of {', '.join(langs)}. Add it there, or leave it out of --langs.")


def _there(release: str, registry: str, caps: Path | None) -> tuple[dict[str, float], str]:
    """How many pairs there are for training, by language, and who says so: a file of caps, or a release's mixture."""
    from cards.releases import open_release
    from corpora.errors import InputError
    from recipes.mixing.csv_values import read_amounts

    if caps:
        return read_amounts(caps, "rows"), str(caps)
    try:
        manifest = open_release(release, registry).manifest
    except InputError as error:
        raise InputError(f"{error} The caps are a --release's counts; --caps takes them from a CSV instead.") from None
    there: dict[str, float] = {}
    for row in manifest["mixture"]:
        if (row["task"], row["split"]) == ("translation", "train"):
            there[row["lang"]] = there.get(row["lang"], 0) + row["rows"]
    if not there:
        raise InputError(f"{release} has no translation data, so there is nothing to split.")
    return there, f"{manifest['name']} {manifest['version']}"


def _draw(path: Path, draw: Any) -> None:
    """A picture that is whole or not there."""
    from corpora.files import atomic_path

    with atomic_path(path) as temporary:
        draw(temporary)


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=2)
