"""The picture of alignment: sentences of each language at some layers, and their similarity to English at each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cards.escaping import label as escape
from cards.plots.style import LINE_COLOURS, MARKERS, STYLE, TITLE, WIDTH, save, tidy
from corpora.catalog import language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 7.4  # inches
LABEL_BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1}
Points = Mapping[int, Mapping[str, Sequence[Sequence[float]]]]


def draw_alignment(
    points: Points, lines: Mapping[str, Sequence[float]], title: str, path: Path, num_items: int = 0
) -> None:
    """Write a PNG or SVG: sentences of every language in a plane for some layers, and below the similarity by layer.

    The picture is that of Figure 5 of arXiv 2308.04948, with numbers.

    Args:
        points: {layer: {lang: [[x, y], ...]}}.
        lines: {lang: [similarity at layer 0, 1, ...]}, in 0..1.
        title: The title of the picture.
        path: The file.
        num_items: The sentences among which a translation is searched for; by default those of `points`.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        grid = figure.add_gridspec(2, len(points), height_ratios=(1, 1.15))
        num_sentences = len(next(iter(next(iter(points.values())).values())))
        for column, (layer, plane) in enumerate(points.items()):
            _draw_plane(figure.add_subplot(grid[0, column]), plane, f"layer {layer}")
        _draw_lines(figure.add_subplot(grid[1, :]), lines, num_items or num_sentences)
        figure.suptitle(escape(f"{title}: {_result(lines, num_items or num_sentences)}"), x=0.01, ha="left", **TITLE)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 8), markerscale=2)
        save(figure, path)


def _result(lines: Mapping[str, Sequence[float]], num_items: int) -> str:
    """Return the result in words: the language that is most similar to English at the last layer."""
    best = max((lang for lang in lines if lang != "en"), key=lambda lang: lines[lang][-1])
    if lines[best][-1] < 3 / num_items:
        return "at the last layer translations are hardly found more often than by chance"
    return f"at the last layer {language(best).name} is nearest to English, {lines[best][-1]:.1%} of translations found"


def style(langs: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a marker for each language, English first and black."""
    others = [lang for lang in langs if lang != "en"]
    styles = {lang: (LINE_COLOURS[n % len(LINE_COLOURS)], MARKERS[n % len(MARKERS)]) for n, lang in enumerate(others)}
    return {"en": ("#000000", "o")} | styles


def _draw_plane(axes: "Axes", points: Mapping[str, Sequence[Sequence[float]]], title: str) -> None:
    for lang, (colour, marker) in style(list(points)).items():
        across, up = zip(*points[lang], strict=True)
        axes.scatter(across, up, s=9, color=colour, marker=marker, alpha=0.8, linewidths=0, label=language(lang).name)
    axes.set_title(title, size=10, loc="left", weight="bold")
    axes.set_xlabel("1st principal component", size=8)
    axes.set_ylabel("2nd", size=8)
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_lines(axes: "Axes", lines: Mapping[str, Sequence[float]], num_items: int) -> None:
    """Draw the share of translations that are found by layer, with the share that chance would find."""
    from matplotlib.ticker import FuncFormatter

    chance = 1 / num_items
    for lang, (colour, marker) in style(["en", *lines]).items():
        if lang in lines:
            axes.plot(range(len(lines[lang])), lines[lang], color=colour, marker=marker, markersize=6, linewidth=1.6)
    num_layers = max(map(len, lines.values()))
    _label_ends(axes, {lang: values[-1] for lang, values in lines.items()}, num_layers - 1)
    axes.axhline(chance, color="black", linewidth=1, linestyle=(0, (4, 3)))
    text = f"chance: 1 of {num_items:,}"
    axes.annotate(text, (0.02, chance), (0, -4), textcoords="offset points", size=8.5, va="top")
    axes.set_xticks(range(num_layers))
    axes.set_yscale("symlog", linthresh=chance)
    axes.set_ylim(0, 1)
    ticks = [tick for tick in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3) if tick > 1.5 * chance]
    axes.set_yticks([0, *ticks, 1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, index: f"{100 * share:g}%"))
    axes.set_xlabel("layer (0: the embeddings)", size=9)
    axes.set_title("share of sentences whose translation is the nearest, both ways (logarithmic)", size=10, loc="left")
    tidy(axes)


def _label_ends(axes: "Axes", ends: Mapping[str, float], x: int) -> None:
    """Write the languages beside the ends of their lines; those that end together are in one label."""
    clusters: list[tuple[float, list[str]]] = []
    for lang, value in sorted(ends.items(), key=lambda end: end[1]):
        if clusters and value <= clusters[-1][0] * 1.25 + 1e-4:
            clusters[-1][1].append(language(lang).name)
        else:
            clusters.append((value, [language(lang).name]))
    for value, names in clusters:
        axes.annotate(
            ", ".join(names), (x, value), (8, 0), textcoords="offset points", va="center", size=8.5, bbox=LABEL_BOX
        )  # fmt: skip
