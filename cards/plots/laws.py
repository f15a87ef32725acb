"""Pictures of scaling laws: measured points, curves and intervals by language; and the mean score by budget."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.manifest_types import Manifest
from cards.plots.funnel import DPI, LINE_COLOURS, PALETTE, STYLE, WIDTH
from corpora.catalog import language, languages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = {1: 1, 2: 2, 4: 2}  # columns of panels by the number of laws; else MAX_COLUMNS
MAX_COLUMNS = 3
PANEL_HEIGHT, HEAD = 2.6, 0.9  # inches, of a row of panels and of the title
BLUE, GREY, ORANGE = PALETTE[0], PALETTE[1], PALETTE[2]
LABELS = (  # the ratio of an axis's ends, and the multiples of powers of ten that have a label below that ratio
    (4, range(1, 10)),
    (10, (1, 2, 3, 5)),
    (500, (1, 3)),
    (math.inf, (1,)),
)
LINES = {"optimum": (BLUE, "-"), "unimax": (ORANGE, "--"), "proportional": (GREY, ":")}


def draw_laws(
    laws: Sequence[Mapping[str, Any]], title: str, path: Path, chosen: Mapping[str, float] | None = None,
    others: Sequence[Mapping[str, Any]] = (),
) -> None:  # fmt: skip
    """Write a PNG with a panel for each law: its points, its curve and its 90 % interval, over pairs on a log scale.

    Args:
        laws: Each is {lang, points: [[size, value, std, used], ...], curve: [[pairs, score, low, high], ...]}; without
            any, no file is written.
        title: The title of the picture.
        path: The file.
        chosen: The pairs of a mixture by language, which are marked.
        others: Laws of other models, each drawn over that of its language.
    """
    if not laws:
        return
    import matplotlib.style
    from matplotlib.figure import Figure

    columns = COLUMNS.get(len(laws), MAX_COLUMNS)
    rows = -(-len(laws) // columns)
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEAD + PANEL_HEIGHT * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axes, law in zip(panels, laws, strict=False):
            _draw_curve(axes, law, BLUE, "", "black")
            for other in (other for other in others if other["lang"] == law["lang"]):
                _draw_curve(axes, other, ORANGE, " (compared against)")
            if (mark := (chosen or {}).get(law["lang"])) is not None:
                axes.axvline(mark, color=ORANGE, linewidth=1.4, label="the mixture")
            _finish_panel(axes, law)
        for axes in panels[len(laws) :]:
            axes.set_visible(False)
        for axes in panels[len(laws) - min(columns, len(laws)) : len(laws)]:
            axes.set_xlabel("sentence pairs" if not others else "sentence pairs, or documents", size=9)
        _draw_key(figure, title)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def draw_allocation(manifest: Manifest, path: Path) -> None:
    """Write a PNG of the laws by which a budget was split, with the mixture marked; no file without such laws."""
    allocation: Any = manifest.get("allocation") or {}
    pairs = {row["lang"]: row["num_pairs"] for row in allocation.get("mixture", ())}
    draw_laws(allocation.get("laws", ()), f"{manifest['name']} {manifest['version']}: the scaling laws", path, pairs)


def _draw_curve(
    axes: "Axes", law: Mapping[str, Any], colour: str, of: str, dots: str | None = None
) -> None:  # fmt: skip
    """Draw interval, curve and points of a law in a colour; `of` is added to the labels of the legend."""
    pairs, score, low, high = zip(*law["curve"], strict=True)
    axes.fill_between(pairs, low, high, color=colour, alpha=0.3, linewidth=0.3, label=f"90 % interval of the law{of}")
    axes.plot(pairs, score, color=colour, linewidth=1.1, label=f"law{of}")
    for used, name in ((True, f"measured{of}"), (False, "set aside as an outlier")):
        points = [p for p in law["points"] if p[3] is used and p[0] > 0]
        bars = [1.645 * (p[2] or 0.0) for p in points]
        axes.errorbar(
            [p[0] for p in points], [p[1] for p in points], bars or None, fmt="o" if used else "X", markersize=4.5,
            color=(dots or colour) if used else PALETTE[-1], elinewidth=1, label=name if points else None,
        )  # fmt: skip


def _finish_panel(axes: "Axes", law: Mapping[str, Any]) -> None:
    _log_scale(axes, "x")
    axes.set_title(_title(law), size=10, loc="left", weight="bold")
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


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
    bold = {"weight": "bold", "size": 13}
    figure.legend(
        named.values(), named.keys(), loc="outside upper left", ncols=len(named) if len(named) < 5 else 3, title=title,
        title_fontproperties=bold, alignment="left", handlelength=1.4, columnspacing=1.4,
    )  # fmt: skip


def draw_frontier(table: Mapping[str, Any], title: str, path: Path) -> None:
    """Write a PNG of the mean score by mixture and budget, and of the best split of each budget.

    Args:
        table: {unit, metric, budget, budgets: [...], values: {name: [...]}, low, high: [...] or None, pairs: {lang:
            [...]}}.
        title: The title of the picture.
        path: The file.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_scores(left, table)
        _draw_split(right, table)
        for axes in (left, right):
            axes.axvline(table["budget"], color="black", linewidth=0.8, linestyle=(0, (1, 2)))
            axes.set_xlabel(f"budget in {table['unit']} (the dotted line: this one)", size=9)
            axes.grid(alpha=0.25, linewidth=0.6)
            axes.spines[["top", "right"]].set_visible(False)
            _log_scale(axes, "x")
        figure.suptitle(title, x=0.01, ha="left", weight="bold", size=13)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def _draw_scores(axes: "Axes", table: Mapping[str, Any]) -> None:
    if table["low"] is not None:
        axes.fill_between(
            table["budgets"], table["low"], table["high"], color=BLUE, alpha=0.18, linewidth=0,
            label="90 % interval of the optimum",
        )  # fmt: skip
    for name, scores in table["values"].items():
        colour, style = LINES[name]
        axes.plot(table["budgets"], scores, color=colour, linestyle=style, linewidth=1.8, label=name)
    axes.set_title(f"predicted mean {table['metric']}", size=10, loc="left")
    axes.legend(loc="lower right")


def _draw_split(axes: "Axes", table: Mapping[str, Any]) -> None:
    for index, (lang, pairs) in enumerate(table["pairs"].items()):
        style = ("-", "--", ":")[index // len(LINE_COLOURS) % 3]
        axes.plot(
            table["budgets"],
            pairs,
            color=LINE_COLOURS[index % len(LINE_COLOURS)],
            linestyle=style,
            linewidth=1.6,
            label=lang,
        )
    _log_scale(axes, "y")
    axes.set_title("pairs of each language in the best split", size=10, loc="left")
    axes.legend(loc="upper left", ncols=2 if len(table["pairs"]) > 4 else 1)
