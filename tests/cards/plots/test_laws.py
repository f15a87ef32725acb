"""The pictures of laws: whole PNG files, the same for the same values, with what they should show."""

from itertools import pairwise
from pathlib import Path

import pytest

from cards.plots.laws import _log_scale, draw_allocation, draw_frontier, draw_laws

POINTS = [[1000, 50.0, None, True], [10_000, 60.0, 0.5, True], [100_000, 20.0, None, False]]
CURVE = [[1000.0, 50.0, 49.0, 51.0], [10_000.0, 60.0, 59.0, 61.0], [1_000_000.0, 75.0, 70.0, 80.0]]
TABLE = {
    "unit": "pairs",
    "metric": "comet",
    "budget": 100.0,
    "budgets": [10.0, 100.0, 1000.0],
    "values": {"optimum": [1.0, 2.0, 3.0], "unimax": [1.0, 1.9, 2.9]},
    "low": [0.9, 1.9, 2.9],
    "high": [1.1, 2.1, 3.1],
    "pairs": {"el": [5, 50, 500], "hi": [5, 50, 500]},
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
def test_frontier_is_drawn_with_and_without_a_band(tmp_path: Path) -> None:
    draw_frontier(TABLE, "Frontier", tmp_path / "a.png")
    draw_frontier(TABLE | {"low": None, "high": None}, "Frontier", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


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
