"""Pictures of mixtures: the surface of a law, what budgets achieve by objective, and predicted against measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.display_names import metric_name, mixture_name
from cards.plots.style import AMBER, BLUE, LINE_COLOURS, STYLE, WIDTH, save
from corpora.catalog import language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 4.2  # inches
NUM_CONTOURS = 9
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
OBJECTIVE_LINES = {"optimum": (BLUE, "-"), "unimax": (AMBER, "--"), "by-weight": (BLUE, ":")}


def draw_surface(table: Mapping[str, Any], path: Path) -> None:
    """Write a PNG of a law over the pairs of two languages: contours of its value, the runs, and a mixture.

    Args:
        table: {lang, other, metric, pairs, other_pairs, values, runs, chosen}: `values` has a row for each of
            `other_pairs`, `runs` are [pairs, other pairs, value], and `chosen` is [pairs, other pairs] or null.
        path: The file.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH * 0.75, HEIGHT), layout="constrained")
        axes = figure.subplots()
        filled = axes.contourf(table["pairs"], table["other_pairs"], table["values"], NUM_CONTOURS, cmap="Blues")
        lines = axes.contour(table["pairs"], table["other_pairs"], table["values"], NUM_CONTOURS, colors="white")
        axes.clabel(lines, fmt="%.3g", fontsize=8, colors="black")
        if table["runs"]:
            own, other, _ = zip(*table["runs"], strict=True)
            axes.scatter(own, other, s=22, color="white", edgecolor="black", label="runs", clip_on=False, zorder=3)
        if table["chosen"]:
            at, of_other = table["chosen"]
            axes.scatter(at, of_other, s=110, marker="*", color=AMBER, label="the mixture", zorder=4)
        name, second = language(table["lang"]).name, language(table["other"]).name
        axes.set_xlabel(f"sentence pairs in {name}")
        axes.set_ylabel(f"sentence pairs in {second}")
        _thousands(axes)
        axes.set_xlim(0, None)
        axes.set_ylim(0, None)
        figure.colorbar(filled, ax=axes, label=metric_name(table["metric"]))
        figure.suptitle(
            f"{metric_name(table['metric'])} in {name}, by its pairs and those in {second}",
            size=12,
            weight="bold",
            x=0.01,
            ha="left",
        )
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9)
        save(figure, path)


def _thousands(axes: "Axes") -> None:
    from matplotlib.ticker import StrMethodFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def draw_objectives(table: Mapping[str, Any], title: str, path: Path) -> None:
    """Write a PNG of what the optimum gains over plain mixtures, by budget, a panel for each objective.

    Args:
        table: {unit, metric, budgets, objectives}: each objective has a name and, by plain mixture, its `gains` over
            the budgets as [gain, low, high].
        title: The title.
        path: The file.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    objectives = table["objectives"]
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEIGHT * 0.9), layout="constrained")
        panels = figure.subplots(1, len(objectives), squeeze=False, sharey=True)[0]
        for axes, objective in zip(panels, objectives, strict=True):
            _draw_gains(axes, table["budgets"], objective)
            axes.set_xlabel(table["unit"])
        panels[0].set_ylabel(f"points of {metric_name(table['metric'])}")
        figure.suptitle(title, size=12, weight="bold", x=0.01, ha="left")
        keys = dict(reversed([(text, key) for axes in panels for key, text in _legend(axes)]))
        figure.legend(list(keys.values()), list(keys), loc="outside lower left", ncols=4, frameon=False, fontsize=9)
        save(figure, path)


def _legend(axes: "Axes") -> list[tuple[Any, Any]]:
    return list(zip(*axes.get_legend_handles_labels(), strict=True))


def _draw_gains(axes: "Axes", budgets: Sequence[float], objective: Mapping[str, Any]) -> None:
    axes.axhline(0, color="black", linewidth=0.8)
    for number, (name, rows) in enumerate(objective["gains"].items()):
        colour, style = OBJECTIVE_LINES.get(name, (LINE_COLOURS[number % len(LINE_COLOURS)], "-."))
        gains, low, high = zip(*rows, strict=True)
        axes.plot(budgets, gains, style, color=colour, label=f"over {mixture_name(name)}")
        axes.fill_between(budgets, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xscale("log")
    axes.set_xticks([budgets[0], budgets[len(budgets) // 2], budgets[-1]])
    axes.set_xticks([], minor=True)
    axes.set_xticklabels([_short(budget) for budget in (budgets[0], budgets[len(budgets) // 2], budgets[-1])])
    axes.set_title(objective["name"], size=10)


def _short(count: float) -> str:
    return f"{count / 1e6:.3g}M" if count >= 1e6 else f"{count / 1e3:.3g}k" if count >= 1e3 else f"{count:.3g}"


def draw_predictions(rows: Sequence[Mapping[str, Any]], metric: str, path: Path) -> None:
    """Write a PNG of measured against predicted values with the diagonal, a mark for each language.

    Args:
        rows: Predictions: {lang, predicted, interval, measured, measured_interval}.
        metric: The metric.
        path: The file.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH * 0.62, WIDTH * 0.62), layout="constrained")
        axes = figure.subplots()
        for number, lang in enumerate(sorted({row["lang"] for row in rows})):
            own = [row for row in rows if row["lang"] == lang]
            _draw_predicted(axes, own, LINE_COLOURS[number % len(LINE_COLOURS)], MARKS[number % len(MARKS)])
        ends = [end for row in rows for end in (*row["interval"], row["measured"])]
        low, high = min(ends), max(ends)
        axes.plot([low, high], [low, high], color="black", linewidth=0.8, zorder=1)
        axes.set_aspect("equal")
        axes.set_xlabel(f"predicted {metric_name(metric)} (90% interval)")
        axes.set_ylabel("measured (95% interval over seeds)")
        covered = sum(row["interval"][0] <= row["measured"] <= row["interval"][1] for row in rows)
        title = f"{covered} of {len(rows)} measured values are within the 90% interval"
        figure.suptitle(title, size=12, weight="bold", x=0.01, ha="left")
        figure.legend(loc="outside lower left", ncols=4, frameon=False, fontsize=9)
        save(figure, path)


def _draw_predicted(axes: "Axes", rows: Sequence[Mapping[str, Any]], colour: str, mark: str) -> None:
    predicted, measured = [row["predicted"] for row in rows], [row["measured"] for row in rows]
    ends = [row["measured_interval"] or (row["measured"], row["measured"]) for row in rows]
    below_above = [[abs(m - end[side]) for m, end in zip(measured, ends, strict=True)] for side in (0, 1)]
    sides = [[abs(row["predicted"] - row["interval"][side]) for row in rows] for side in (0, 1)]
    axes.errorbar(predicted, measured, yerr=below_above, xerr=sides, fmt="none", ecolor=colour, alpha=0.35, zorder=2)
    axes.scatter(predicted, measured, color=colour, marker=mark, s=30, label=language(rows[0]["lang"]).name, zorder=3)
