"""The pages of filters: what each rejects, and what another threshold would change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from builders.labels import Slice, exact_interval
from builders.lines import (
    Build,
    Comparison,
    Effect,
    Histogram,
    Lines,
    comparison_or_none,
    count_replaced,
    effect_of,
    first_at_random,
    histogram_of,
    lines_near,
    measure_values,
    open_lines,
    read_lines_at,
    read_together,
    rerun_sample,
)
from builders.pages.charts import histogram_shapes
from builders.pages.frame import build_of, frame, html, is_part
from builders.pages.line_view import LineView, view_lines
from builders.pages.project import Project
from builders.pages.recipe_file import save_thresholds
from builders.pages.render import query
from builders.pipeline import Filter
from corpora.errors import InputError

NUM_LINES = 20  # that a page shows at the edge
NUM_QUICK = 1_000_000  # lines whose measure is read before anything is shown
_histograms: dict[Any, Histogram] = {}


def filters_page(project: Project, request: Request) -> Response:
    """Return the list of the filters of a build, with what each rejects in every language."""
    build = build_of(project, request)
    counts = {lang: open_lines(build, lang).counts() for lang in build.langs}
    totals = {lang: sum(own.values()) for lang, own in counts.items()}
    rows = [
        {
            "rule": rule,
            "counts": {lang: counts[lang][rule.name] for lang in build.langs},
            "can_move": comparison_or_none(open_lines(build, build.lang(None)), rule) is not None,
        }
        for rule in build.filters
    ]
    values = frame(project, request, "filters", build)
    return html("filters", **values, rows=rows, totals=totals)


def filter_page(project: Project, request: Request) -> Response:
    """Return the page of one filter, or the part of it that another threshold changes."""
    build = build_of(project, request)
    lines = open_lines(build, build.lang(request.query_params.get("lang")))
    rule = build.filter(request.query_params.get("name", ""))
    thresholds = read_thresholds(rule, lines.lang, request.query_params)
    values = frame(project, request, "filters", build)
    values |= {"lang": lines.lang, "rule": rule, "thresholds": thresholds}
    fields = {"build": build.recipe, "name": rule.name, "lang": lines.lang}
    values["address"] = query(fields | {f"t.{name}": repr(value) for name, value in thresholds.items()})
    is_effect = request.headers.get("hx-target", "").endswith("effect")
    if not is_effect and "read" not in request.query_params and is_slow(lines, rule):
        return html("filter_first", **values, num_lines=lines.num_rows)
    values |= threshold_view(lines, rule, thresholds)
    return html("filter_effect" if is_effect else "filter", **values)


def is_slow(lines: Lines, rule: Filter) -> bool:
    """Return whether the measure of a filter has to be read from the disk for so many lines that a user waits."""
    comparison = comparison_or_none(lines, rule)
    return comparison is not None and lines.num_rows > NUM_QUICK and not lines.has_read(comparison.measure)


def read_thresholds(rule: Filter, lang: str, values: Mapping[str, str]) -> dict[str, float]:
    """Return the thresholds that an address names, the others as the build has them.

    Raises:
        InputError: One of them is no finite number.
    """
    thresholds = {}
    for name in rule.thresholds:
        text = values.get(f"t.{name}", "")
        try:
            thresholds[name] = float(text) if text.strip() else rule.threshold(name, lang)
        except ValueError:
            thresholds[name] = math.nan
        if not math.isfinite(thresholds[name]):
            raise InputError(f"The threshold {rule.name}.{name} is a number, not '{text}'.")
    return thresholds


def threshold_view(lines: Lines, rule: Filter, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """Return the histogram of a filter's measure, the effect of thresholds, and lines at the edge."""
    comparison = comparison_or_none(lines, rule)
    if comparison is None:
        own = np.flatnonzero(lines.reasons == lines.code(rule.name))
        shown = read_together(lines, first_at_random(lines, own, NUM_LINES * 40), NUM_LINES)
        return {"comparison": None, "sample": view_lines(lines, read_lines_at(lines, shown)), "num_rejected": len(own)}
    histogram = read_histogram(lines, rule, comparison)
    old, new = rule.threshold(comparison.threshold, lines.lang), thresholds[comparison.threshold]
    effect = effect_of(lines, rule, thresholds)
    return {
        "comparison": comparison,
        "histogram": histogram,
        "shapes": histogram_shapes(histogram, new, old),
        "old": old,
        "new": new,
        "is_moved": dict(thresholds) != {name: rule.threshold(name, lines.lang) for name in rule.thresholds},
        "effect": effect,
        "range": slider_range(histogram, old),
        "edge": edge_lines(lines, comparison, effect, new),
        "assignment": ",".join(assignments(rule, lines.lang, thresholds)),
        "commands": commands(lines.build, rule, lines.lang, thresholds),
        "slices": changed_slices(rule, comparison, old, new),
        "num_lines": lines.num_rows,
        "num_kept": int(np.count_nonzero(lines.reasons == 0)),
    }


def read_histogram(lines: Lines, rule: Filter, comparison: Comparison) -> Histogram:
    """Return the histogram of a filter's measure, counted once for each build."""
    key = (lines.build.work, lines.build.recipe, lines.build.stamp, lines.lang, rule.name)
    if key not in _histograms:
        if len(_histograms) > 200:
            _histograms.clear()
        _histograms[key] = histogram_of(lines, rule, comparison)
    return _histograms[key]


def slider_range(histogram: Histogram, threshold: float) -> dict[str, float]:
    """Return the ends and the step of the slider."""
    low, high = float(histogram.edges[0]), float(histogram.edges[-1])
    step = 10 ** math.floor(math.log10(max(high - low, 1e-9) / 200))
    is_whole = float(threshold).is_integer() and step >= 0.1
    return {"low": _down(low, step), "high": _down(high, step) + step, "step": 1 if is_whole else step}


def _down(value: float, step: float) -> float:
    return round(math.floor(value / step) * step, 10)


def changed_slices(rule: Filter, comparison: Comparison, old: float, new: float) -> dict[str, Slice]:
    """Return the kept lines that a threshold would reject, and the rejected ones that it would release."""
    low, high = min(old, new), max(old, new)
    is_stricter = (new > old) == ("<" in comparison.sign)
    if rule.histogram or low == high:
        return {}
    decision = "kept" if is_stricter else rule.name
    return {"lost" if is_stricter else "released": Slice(decision, rule.name, low, high)}


def edge_lines(lines: Lines, comparison: Comparison, effect: Effect, threshold: float) -> list[LineView]:
    """Return lines next to the threshold: half that the filter rejects or would, half that it keeps or would."""
    values = measure_values(lines, comparison)
    own = lines.code(effect.rule.name)
    is_ours = (lines.reasons == 0) | (lines.reasons == own)
    sides = [np.flatnonzero(is_ours & effect.after), np.flatnonzero(is_ours & ~effect.after)]
    indices = [*chain(*lines_near(lines, values, threshold, sides, NUM_LINES // 2))]
    views = view_lines(lines, read_lines_at(lines, indices))
    for view, index in zip(views, indices, strict=True):
        view.value = float(values[index])
        view.is_rejected = bool(effect.after[index])
        view.was_rejected = bool(lines.reasons[index] == own)
    return sorted(views, key=lambda view: view.value)


@dataclass(frozen=True)
class Commands:
    """How a user makes a threshold so: recipe lines, and the options of the command."""

    recipe: str
    options: str


def assignments(rule: Filter, lang: str, thresholds: Mapping[str, float]) -> list[str]:
    """Return the changed thresholds as `--set` takes them, for one language."""
    return [
        f"{rule.name}.{name}.{lang}={value:.12g}"
        for name, value in thresholds.items()
        if value != rule.threshold(name, lang)
    ]


def commands(build: Build, rule: Filter, lang: str, thresholds: Mapping[str, float]) -> Commands:
    """Return the recipe lines and the command that make thresholds so."""
    recipe = "\n".join(
        f"{name} = {{ {lang} = {value:.12g} }}"
        for name, value in thresholds.items()
        if value != rule.threshold(name, lang)
    )
    options = " ".join(f"--set {text}" for text in assignments(rule, lang, thresholds))
    is_sample = build.recipe.endswith("-sample")
    name = build.recipe.removesuffix("-sample")
    langs = ",".join(build.langs)
    command = f"builders build {name}{' --sample' if is_sample else ''} --langs {langs} {options}"
    return Commands(f"[filters.{rule.name}]\n{recipe}", command)


def estimate_page(project: Project, request: Request) -> Response:
    """Return what later filters would do with released lines, estimated on a sample that is decided on again."""
    build = build_of(project, request)
    lines = open_lines(build, build.lang(request.query_params.get("lang")))
    rule = build.filter(request.query_params.get("name", ""))
    thresholds = read_thresholds(rule, lines.lang, request.query_params)
    effect = effect_of(lines, rule, thresholds)
    rerun = rerun_sample(effect, thresholds)
    kept = exact_interval(rerun.num_kept, rerun.num_sampled, rerun.num_released)
    num_replaced, num_lost = count_replaced(effect), len(effect.lost)
    ends = [round(rerun.num_released * share) + num_replaced - num_lost for share in (kept.low, kept.high)]
    values = frame(project, request, "filters", build) | {"rerun": rerun, "kept": kept, "ends": ends}
    return html("estimate", **values, num_lost=num_lost, num_replaced=num_replaced, rule=rule, is_part=is_part(request))


def save_form(project: Project, request: Request, form: dict[str, str]) -> Response:
    """Save thresholds in the recipe file that the user has named."""
    build = build_of(project, request)
    lang, rule = build.lang(form.get("lang")), build.filter(form.get("name", ""))
    thresholds = read_thresholds(rule, lang, form)
    changed = {name: value for name, value in thresholds.items() if value != rule.threshold(name, lang)}
    if project.recipe_file is None:
        raise InputError("No recipe to save in was named. Start `builders browse --recipe-file FILE`.")
    if not changed:
        raise InputError("No threshold differs from the build's; there is nothing to save.")
    save_thresholds(project.recipe_file, rule.name, lang, changed, build.langs)
    names = ", ".join(f"{rule.name}.{name}.{lang} = {value:.12g}" for name, value in changed.items())
    sentence = f"Saved in {project.recipe_file}: {names}."
    values = frame(project, request, "filters", build) | {"sentence": sentence}
    return html("saved_part" if is_part(request) else "saved", **values, back=f"name={rule.name}&lang={lang}")
