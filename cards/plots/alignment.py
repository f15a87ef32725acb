"""The picture of alignment: sentences of each language at some layers, and their similarity to English at each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cards.plots.funnel import DPI, LINE_COLOURS, STYLE, WIDTH
from corpora.catalog import language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 6.6  # inches
MARKERS = "ov^sPDX*"
Points = Mapping[int, Mapping[str, Sequence[Sequence[float]]]]


def draw_alignment(points: Points, lines: Mapping[str, Sequence[float]], title: str, path: Path) -> None:
    """Write a PNG: sentences of every language in a plane for some layers, and below the similarity by layer.

    The picture is that of Figure 5 of arXiv 2308.04948, with numbers.

    Args:
        points: {layer: {lang: [[x, y], ...]}}.
        lines: {lang: [similarity at layer 0, 1, ...]}, in 0..1.
        title: The title of the picture.
        path: The file.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        grid = figure.add_gridspec(2, len(points), height_ratios=(1.1, 1))
        for column, (layer, plane) in enumerate(points.items()):
            _draw_plane(figure.add_subplot(grid[0, column]), plane, f"layer {layer}")
        _draw_lines(figure.add_subplot(grid[1, :]), lines)
        figure.suptitle(f"{title}: sentences of the same meaning", weight="bold", size=12, x=0.01, ha="left")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), markerscale=2)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def style(langs: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a marker for each language, English first and black."""
    others = [lang for lang in langs if lang != "en"]
    styles = {lang: (LINE_COLOURS[n % len(LINE_COLOURS)], MARKERS[1 + n % 7]) for n, lang in enumerate(others)}
    return {"en": ("#000000", MARKERS[0])} | styles


def _draw_plane(axes: "Axes", points: Mapping[str, Sequence[Sequence[float]]], title: str) -> None:
    for lang, (colour, marker) in style(list(points)).items():
        across, up = zip(*points[lang], strict=True)
        axes.scatter(across, up, s=7, color=colour, marker=marker, alpha=0.55, linewidths=0, label=language(lang).name)
    axes.set_title(title, size=10, loc="left", weight="bold")
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_lines(axes: "Axes", lines: Mapping[str, Sequence[float]]) -> None:
    from matplotlib.ticker import PercentFormatter

    for lang, (colour, marker) in style(["en", *lines]).items():
        if lang in lines:
            axes.plot(range(len(lines[lang])), lines[lang], color=colour, marker=marker, markersize=5, linewidth=1.2)
    axes.set_xticks(range(max(map(len, lines.values()))))
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("layer (0: the embeddings)", size=9)
    axes.set_title("translation of an English sentence found as the nearest, and back", size=10, loc="left")
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
