"""Pictures of scaling laws: measured points, curves and intervals by language."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.display_names import metric_name
from cards.escaping import label as escape
from cards.manifest_types import Manifest
from cards.plots.style import AMBER, BLUE, PURPLE, STYLE, TITLE, WIDTH, save, tidy
from corpora.catalog import language, languages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = {1: 1, 2: 2, 4: 2}  # columns of panels by the number of laws; else MAX_COLUMNS
MAX_COLUMNS = 3
PANEL_HEIGHT, HEAD = 2.6, 0.9  # inches, of a row of panels and of the title
LABELS = (  # the ratio of an axis's ends, and the multiples of powers of ten that have a label below that ratio
    (4, range(1, 10)),
    (10, (1, 2, 3, 5)),
    (500, (1, 3)),
    (math.inf, (1,)),
)


def draw_laws(
    laws: Sequence[Mapping[str, Any]], title: str, path: Path, chosen: Mapping[str, float] | None = None,
    others: Sequence[Mapping[str, Any]] = (), metric: str = "value",
) -> None:  # fmt: skip
    """Write a PNG or SVG with a panel for each law: its points, curve and 90% interval, over pairs on a log scale.

    A curve is dashed beyond the largest size that was measured.

    Args:
        laws: Each is {lang, points: [[size, value, std, used], ...], curve: [[pairs, score, low, high], ...]}; without
            any, no file is written.
        title: The title of the picture.
        path: The file.
        chosen: The pairs of a mixture by language, which are marked.
        others: Laws of other models, each drawn over that of its language.
        metric: The metric of the values.
    """
    if not laws:
        return
    import matplotlib.style
    from matplotlib.figure import Figure

    columns = COLUMNS.get(len(laws), MAX_COLUMNS)
    rows = -(-len(laws) // columns)
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEAD + PANEL_HEIGHT * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, law in zip(panels, laws, strict=False):
            _draw_curve(axes, law, BLUE, "", "black")
            for other in (other for other in others if other["lang"] == law["lang"]):
                _draw_curve(axes, other, PURPLE, " (compared against)")
            if (mark := (chosen or {}).get(law["lang"])) is not None:
                _mark_mixture(axes, law, mark)
            _finish_panel(axes, law)
        figure.supylabel(escape(metric_name(metric)), size=9)
        for axes in panels[len(laws) :]:
            axes.set_visible(False)
        for axes in panels[len(laws) - min(columns, len(laws)) : len(laws)]:
            axes.set_xlabel("sentence pairs" if not others else "sentence pairs, or documents", size=9)
            axes.tick_params(labelbottom=True)
        _draw_key(figure, escape(title))
        save(figure, path)


def draw_allocation(manifest: Manifest, *paths: Path) -> None:
    """Write PNGs or SVGs of the laws that a budget was allocated by, the mixture marked; no file without such laws."""
    allocation: Any = manifest.get("allocation") or {}
    pairs = {row["lang"]: row["num_pairs"] for row in allocation.get("mixture", ())}
    title = f"{manifest['name']} {manifest['version']}: scaling laws, and what the mixture is predicted to reach"
    for path in paths:
        draw_laws(allocation.get("laws", ()), title, path, pairs, metric=allocation.get("metric", "value"))


def _draw_curve(
    axes: "Axes", law: Mapping[str, Any], colour: str, of: str, dots: str | None = None
) -> None:  # fmt: skip
    """Draw interval, curve and points of a law in a colour; `of` is added to the labels of the legend."""
    pairs, score, low, high = zip(*law["curve"], strict=True)
    largest = max((p[0] for p in law["points"]), default=math.inf)
    inside = sum(size <= largest for size in pairs)
    axes.fill_between(pairs, low, high, color=colour, alpha=0.25, linewidth=0, label=f"90% interval of the law{of}")
    axes.plot(pairs[:inside], score[:inside], color=colour, linewidth=1.5, label=f"law{of}")
    if inside < len(pairs):
        start = max(0, inside - 1)
        axes.plot(
            pairs[start:], score[start:], color=colour, linewidth=1.5, linestyle=(0, (3, 2)),
            label=f"beyond the measured sizes{of}",
        )  # fmt: skip
    for used, name in ((True, f"measured{of}"), (False, "set aside as an outlier")):
        points = [p for p in law["points"] if p[3] is used and p[0] > 0]
        bars = [1.645 * (p[2] or 0.0) for p in points]
        axes.errorbar(
            [p[0] for p in points], [p[1] for p in points], bars or None, fmt="o" if used else "X", markersize=4,
            color=dots or colour, markerfacecolor=(dots or colour) if used else "white", elinewidth=1,
            label=name if points else None,
        )  # fmt: skip


def _mark_mixture(axes: "Axes", law: Mapping[str, Any], pairs: float) -> None:
    """Mark the pairs of a mixture on a law's curve, with the value that the law predicts."""
    sizes, values = [row[0] for row in law["curve"]], [row[1] for row in law["curve"]]
    value = _interpolate(pairs, sizes, values)
    axes.plot([pairs], [value], "D", color=AMBER, markersize=8, markeredgecolor="white", label="the mixture", zorder=5)
    axes.annotate(
        f"{value:.1f}", (pairs, value), (0, -13), textcoords="offset points", ha="left", size=9, weight="bold"
    )


def _interpolate(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the value at x on a curve, linear in the logarithm of x."""
    following = next((i for i, own in enumerate(xs) if own >= x), len(xs) - 1)
    if following == 0 or xs[following] == xs[following - 1]:
        return ys[following]
    low, high = math.log(xs[following - 1]), math.log(xs[following])
    share = (math.log(x) - low) / (high - low)
    return ys[following - 1] + min(1.0, share) * (ys[following] - ys[following - 1])


def _finish_panel(axes: "Axes", law: Mapping[str, Any]) -> None:
    _log_scale(axes, "x")
    axes.set_title(escape(_title(law)), size=10, loc="left", weight="bold")
    axes.minorticks_off()
    tidy(axes)


def _log_scale(axes: "Axes", which: str) -> None:
    """Set a log scale with few labels, such as 300, 1k, 3k, that do not overlap."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    {"x": axes.set_xscale, "y": axes.set_yscale}[which]("log")
    axis = {"x": axes.xaxis, "y": axes.yaxis}[which]
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=next(subs for ratio, subs in LABELS if high < ratio * low)))
    axis.set_major_formatter(FuncFormatter(lambda value, index: _short(value)))
    axis.set_minor_formatter(NullFormatter())


def _short(count: float) -> str:
    """Return a number of pairs in few letters: 300, 1k, 2M."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= factor:
            return f"{count / factor:g}{letter}"
    return f"{count:g}"


def _title(law: Mapping[str, Any]) -> str:
    lang = law["lang"]
    return f"{language(lang).name} ({lang})" if lang in languages() else str(lang)


def _draw_key(
    figure: "Figure", title: str
) -> None:  # fmt: skip
    """Draw the title and the legend, once for all panels."""
    named: dict[str, Any] = {}
    for panel in figure.axes:
        named |= {label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(
        named.values(), named.keys(), loc="outside upper left", ncols=len(named) if len(named) < 5 else 3, title=title,
        title_fontproperties=TITLE, alignment="left", handlelength=1.4, columnspacing=1.4,
    )  # fmt: skip
