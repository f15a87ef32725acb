"""The picture of a mixture: what it is worth against others, and which share each language has."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.description import describe_advantage
from cards.display_names import metric_name, mixture_name
from cards.escaping import label
from cards.plots.style import AMBER, BLUE, STYLE, TITLE, WIDTH, save, tidy
from corpora.catalog import language, languages

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEAD, ROW = 1.9, 0.34  # inches, of title and axes, and of each row


def draw_frontier(table: Mapping[str, Any], title: str, path: Path) -> None:
    """Write a PNG or SVG: predicted means behind that of the mixture, with intervals; and the shares of languages.

    Args:
        table: {unit, metric, alternatives, mixture}, as `allocation_json` returns it.
        title: The title of the picture.
        path: The file.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    num_rows = max(len(table["alternatives"]), len(table["mixture"]), 3)
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEAD + ROW * num_rows), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_differences(left, table)
        _draw_shares(right, table)
        sentence = describe_advantage(table)
        figure.suptitle(label(title), x=0.01, ha="left", **TITLE)
        if sentence:
            figure.supxlabel(label(sentence), x=0.01, ha="left", size=10.5)
        save(figure, path)


def _draw_differences(axes: "Axes", table: Mapping[str, Any]) -> None:
    """Draw how far each mixture is predicted to be behind the first, with its interval."""
    rows = table["alternatives"]
    for index, row in enumerate(rows):
        low, high = row["advantage_interval"] or (row["advantage"], row["advantage"])
        axes.plot([-high, -low], [index, index], color=BLUE, linewidth=2)
        axes.plot([-row["advantage"]], [index], "o", color="black" if index == 0 else BLUE, markersize=7)
        text = f"predicted mean {row['value']:.2f}" if index == 0 else f"{-row['advantage']:+.2f}"
        axes.annotate(text, (-row["advantage"], index), (0, 6), textcoords="offset points", ha="right", size=8.5)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [label(mixture_name(row["name"])) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.set_title(
        label(f"predicted {metric_name(table['metric'])} behind the first, 90% intervals"), size=10, loc="left"
    )
    tidy(axes)


def _draw_shares(axes: "Axes", table: Mapping[str, Any]) -> None:
    """Draw the share of each language in the mixture, the largest first, with UniMax's marked."""
    rows = sorted(table["mixture"], key=lambda row: -row["num_pairs"])
    total = sum(row["num_pairs"] for row in rows) or 1
    unimax: Mapping[str, int] = next((row["pairs"] for row in table["alternatives"] if row["name"] == "unimax"), {})
    for index, row in enumerate(rows):
        axes.barh(index, row["num_pairs"] / total, 0.7, color=BLUE)
        available = f" of {row['num_available']:,}" if row.get("num_available") else ""
        text = f" {row['num_pairs'] / total:.1%}   {row['num_pairs']:,}{available}"
        end = max(row["num_pairs"], unimax.get(row["lang"], 0)) / total
        axes.annotate(text, (end, index), (4, 0), textcoords="offset points", va="center", size=8.5)
        if row["lang"] in unimax:
            share = unimax[row["lang"]] / total
            axes.plot([share, share], [index - 0.42, index + 0.42], color=AMBER, linewidth=2.5)
    axes.set_yticks(range(len(rows)), [label(_name(row["lang"])) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.set_xlim(0, 1.9 * max((row["num_pairs"] / total for row in rows), default=1))
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_title(
        f"share of the {total:,} pairs" + (" (upright lines: UniMax)" if unimax else ""), size=10, loc="left"
    )
    tidy(axes)


def _name(lang: str) -> str:
    return language(lang).name if lang in languages() else lang
