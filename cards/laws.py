"""The pictures of scaling laws: measured points, curves and bands by language; and what a budget buys."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.plots import DPI, PALETTE, STYLE, WIDTH
from corpora.catalog import language, languages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3  # panels beside one another
HEIGHT = 2.6  # inches a row of panels
HEAD = 0.9
BLUE, GREY, ORANGE = PALETTE[0], PALETTE[1], PALETTE[2]
LINES = {"optimum": (BLUE, "-"), "unimax": (ORANGE, "--"), "proportional": (GREY, ":")}


def draw_laws(
    laws: Sequence[Mapping[str, Any]], title: str, path: Path, chosen: Mapping[str, float] | None = None
) -> None:
    """Write a PNG with a panel for each law: its points, its curve, and its 90 % band, over pairs on a log scale.

    A law is {lang, points: [[size, value, std, used], ...], curve: [[pairs, score, low, high], ...]}; `chosen` are
    the pairs of a mixture by language, marked on the curves. The same laws give the same bytes. No laws, no file.
    """
    if not laws:
        return
    import matplotlib.style
    from matplotlib.figure import Figure

    rows = -(-len(laws) // COLUMNS)
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEAD + HEIGHT * rows), layout="constrained")
        panels = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True).ravel()
        for axes, law in zip(panels, laws, strict=False):
            _draw_law(axes, law, (chosen or {}).get(law["lang"]))
        for axes in panels[len(laws) :]:
            axes.set_visible(False)
        for axes in panels[len(laws) - min(COLUMNS, len(laws)) : len(laws)]:
            axes.set_xlabel("sentence pairs", size=9)
        _draw_key(figure, title)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def draw_budget(manifest: Mapping[str, Any], path: Path) -> None:
    """The laws that a release's budget was split by, with its mixture marked; no file for a release without any."""
    budget = manifest.get("budget") or {}
    pairs = {row["lang"]: row["pairs"] for row in budget.get("mixture", ())}
    draw_laws(budget.get("laws", ()), f"{manifest['name']} {manifest['version']}: the laws behind it", path, pairs)


def _draw_law(axes: "Axes", law: Mapping[str, Any], chosen: float | None) -> None:
    pairs, score, low, high = zip(*law["curve"], strict=True)
    axes.fill_between(pairs, low, high, color=BLUE, alpha=0.3, linewidth=0.3, label="90 % interval of the law")
    axes.plot(pairs, score, color=BLUE, linewidth=1.1, label="law")
    for used, colour, name in ((True, "black", "measured"), (False, PALETTE[-1], "set aside as an outlier")):
        points = [p for p in law["points"] if p[3] is used and p[0] > 0]
        bars = [1.645 * (p[2] or 0.0) for p in points]
        axes.errorbar(
            [p[0] for p in points], [p[1] for p in points], bars or None, fmt="o" if used else "X", markersize=4.5,
            color=colour, elinewidth=1, label=name if points else None,
        )  # fmt: skip
    if chosen:
        axes.axvline(chosen, color=ORANGE, linewidth=1.4, label="the mixture")
    axes.set_xscale("log")
    axes.set_title(_title(law), size=10, loc="left", weight="bold")
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _title(law: Mapping[str, Any]) -> str:
    lang = law["lang"]
    return f"{language(lang).name} ({lang})" if lang in languages() else str(lang)


def _draw_key(
    figure: "Figure", title: str
) -> None:  # fmt: skip
    """The title and what lines and points mean, once for all panels."""
    named: dict[str, Any] = {}
    for panel in figure.axes:
        named |= {label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    bold = {"weight": "bold", "size": 13}
    figure.legend(
        named.values(), named.keys(), loc="outside upper left", ncols=len(named), title=title,
        title_fontproperties=bold, alignment="left", handlelength=1.4, columnspacing=1.4,
    )  # fmt: skip


def draw_frontier(table: Mapping[str, Any], title: str, path: Path) -> None:
    """Write a PNG of what a budget buys: the mean score by mixture and budget, and the best split of each budget.

    `table` is {unit, metric, budget, budgets: [...], scores: {name: [...]}, low, high: [...] or None, pairs:
    {lang: [...]}}.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_scores(left, table)
        _draw_split(right, table)
        for axes in (left, right):
            axes.set_xscale("log")
            axes.axvline(table["budget"], color="black", linewidth=0.8, linestyle=(0, (1, 2)))
            axes.set_xlabel(f"budget in {table['unit']} (the dotted line: this one)", size=9)
            axes.grid(alpha=0.25, linewidth=0.6)
            axes.spines[["top", "right"]].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", weight="bold", size=13)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def _draw_scores(axes: "Axes", table: Mapping[str, Any]) -> None:
    if table["low"] is not None:
        axes.fill_between(
            table["budgets"], table["low"], table["high"], color=BLUE, alpha=0.18, linewidth=0,
            label="90 % interval of the optimum",
        )  # fmt: skip
    for name, scores in table["scores"].items():
        colour, style = LINES[name]
        axes.plot(table["budgets"], scores, color=colour, linestyle=style, linewidth=1.8, label=name)
    axes.set_title(f"predicted mean {table['metric']}", size=10, loc="left")
    axes.legend(loc="lower right")


def _draw_split(axes: "Axes", table: Mapping[str, Any]) -> None:
    colours = (*PALETTE, "#CC79A7", "#009E73")
    for place, (lang, pairs) in enumerate(table["pairs"].items()):
        style = ("-", "--", ":")[place // len(colours) % 3]
        axes.plot(
            table["budgets"], pairs, color=colours[place % len(colours)], linestyle=style, linewidth=1.6, label=lang
        )
    axes.set_yscale("log")
    axes.set_title("pairs of each language in the best split", size=10, loc="left")
    axes.legend(loc="upper left", ncols=2 if len(table["pairs"]) > 4 else 1)
