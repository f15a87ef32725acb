"""The pictures of laws: whole PNG files, the same for the same values, with what they should show."""

from itertools import pairwise
from pathlib import Path

import pytest

from cards.description import describe_advantage
from cards.plots.frontier import draw_frontier
from cards.plots.laws import _log_scale, draw_allocation, draw_laws

POINTS = [[1000, 50.0, None, True], [10_000, 60.0, 0.5, True], [100_000, 20.0, None, False]]
CURVE = [[1000.0, 50.0, 49.0, 51.0], [10_000.0, 60.0, 59.0, 61.0], [1_000_000.0, 75.0, 70.0, 80.0]]
ROW = {
    "name": "optimum",
    "value": 50.0,
    "advantage": 0.0,
    "advantage_interval": [0.0, 0.0],
    "pairs": {"el": 5, "hi": 9},
}
TABLE = {
    "unit": "pairs",
    "metric": "chrf++",
    "alternatives": [
        ROW,
        ROW | {"name": "unimax", "value": 49.9, "advantage": 0.06, "advantage_interval": [0.03, 0.09]},
    ],
    "mixture": [{"lang": "el", "num_pairs": 5, "num_available": 50}, {"lang": "hi", "num_pairs": 9}],
}


def law(lang: str) -> dict[str, object]:
    return {"lang": lang, "points": POINTS, "curve": CURVE}


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 4])
def test_laws_are_drawn_with_the_same_bytes(tmp_path: Path, number: int) -> None:
    laws = [law(lang) for lang in ("el", "hi", "series 3", "ελ")[:number]]
    for name in ("a", "b"):
        draw_laws(laws, "Laws", tmp_path / name, {"el": 5000})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes().startswith(b"\x89PNG")


def test_law_without_points_is_a_curve(tmp_path: Path) -> None:
    draw_laws([law("el") | {"points": []}], "Laws", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_no_laws_draw_no_file(tmp_path: Path) -> None:
    draw_laws([], "Laws", tmp_path / "a.png")
    draw_allocation({"name": "x", "version": "v1.0.0"}, tmp_path / "a.png")
    draw_allocation({"name": "x", "version": "v1.0.0", "allocation": {"mixture": []}}, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


@pytest.mark.slow
def test_frontier_is_drawn_with_and_without_intervals(tmp_path: Path) -> None:
    draw_frontier(TABLE, "Frontier", tmp_path / "a.png")
    exact = [row | {"advantage_interval": None} for row in TABLE["alternatives"]]
    draw_frontier(TABLE | {"alternatives": exact}, "Frontier", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("advantage", "interval", "sentence"),
    [
        (0.06, [0.03, 0.09], "Worth 0.06 points of chrF++ against UniMax (90% interval [0.03, 0.09]): UniMax will do."),
        (1.5, [1.0, 2.0], "Worth 1.50 points of chrF++ against UniMax (90% interval [1.00, 2.00])."),
        (
            1.5,
            [-1.0, 2.0],
            "Worth 1.50 points of chrF++ against UniMax (90% interval [-1.00, 2.00]), which may be nothing.",
        ),
        (0.06, None, "Worth 0.06 points of chrF++ against UniMax: UniMax will do."),
    ],
)
def test_worth_of_a_mixture_in_a_sentence(advantage: float, interval: list[float] | None, sentence: str) -> None:
    other = ROW | {"name": "unimax", "advantage": advantage, "advantage_interval": interval}
    assert describe_advantage(TABLE | {"alternatives": [ROW, other]}) == sentence
    assert describe_advantage(TABLE | {"alternatives": [ROW]}) == ""


@pytest.mark.slow
def test_pictures_are_svg_where_the_file_is_named_so(tmp_path: Path) -> None:
    from xml.etree import ElementTree

    for name in ("a.svg", "b.svg"):
        draw_laws([law("el")], "Laws & <laws> $x$", tmp_path / name, {"el": 5000})
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")


def test_colours_have_a_contrast_of_three_with_white() -> None:
    from cards.plots.funnel import COLOURS
    from cards.plots.style import LINE_COLOURS

    pale = {"unreadable or empty"}  # beside its name in the legend; under 1 % of a bar
    for colour in {*LINE_COLOURS, *(own for group, own in COLOURS.items() if group not in pale)}:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) >= 3, colour


@pytest.mark.parametrize(
    "ends", [(250, 600), (1100, 4300), (250, 2300), (250, 20_000), (5_000, 2_000_000), (300, 30_000), (100, 3e7)]
)
def test_labels_of_a_narrow_panel_do_not_overlap(ends: tuple[float, float]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.0, 2.6), layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.subplots()
    axes.plot(ends, ends)
    _log_scale(axes, "x")
    canvas.draw()
    shown = [label.get_window_extent() for label in axes.get_xticklabels(which="both") if label.get_text()]
    inside = [box for box in shown if axes.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1 + 1]
    assert len(inside) >= 2
    assert all(left.x1 < right.x0 for left, right in pairwise(inside))


def test_gain_that_does_not_matter_is_that_of_the_mixtures() -> None:
    from cards.description import SMALL_GAIN
    from recipes.transfer import MATTERS

    assert SMALL_GAIN == MATTERS
