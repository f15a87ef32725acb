"""The shapes of the pictures: bars and lines as numbers, which templates draw as SVG in the colours of the theme."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builders.lines import SERIES, Histogram

WIDTH, HEIGHT = 720, 220  # of the area that a histogram is drawn in, in units of its own
LEFT, BOTTOM, TOP = 8, 24, 8


@dataclass(frozen=True)
class Rectangle:
    """A bar, with its series and the text that describes it."""

    x: float
    y: float
    width: float
    height: float
    series: int
    text: str


@dataclass(frozen=True)
class HistogramShapes:
    """A histogram: its bars, the labels below, and where thresholds are."""

    bars: list[Rectangle]
    ticks: list[tuple[float, str]]
    mark: float
    old_mark: float
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - BOTTOM


def histogram_shapes(histogram: Histogram, threshold: float, old: float) -> HistogramShapes:
    """Return the shapes of a histogram with the threshold and the one that the build has."""
    edges, counts = histogram.edges.tolist(), histogram.counts
    low, high = edges[0], edges[-1]
    scale = (WIDTH - 2 * LEFT) / (high - low)

    def x_of(value: float) -> float:
        return float(round(LEFT + (min(max(value, low), high) - low) * scale, 1))

    largest = max(int(counts.sum(axis=0).max()), 1)
    room = HEIGHT - BOTTOM - TOP
    bars = []
    for n in range(len(edges) - 1):
        y = float(HEIGHT - BOTTOM)
        for series in range(len(SERIES)):
            if count := int(counts[series][n]):
                height = max(count / largest * room, 0.6)
                y -= height
                text = f"{edges[n]:.4g} to {edges[n + 1]:.4g}: {count:,} lines {SERIES[series]}"
                left, right = x_of(edges[n]), x_of(edges[n + 1])
                bars.append(
                    Rectangle(left, round(y, 2), round(max(right - left - 0.6, 0.5), 2), round(height, 2), series, text)
                )
    return HistogramShapes(bars, [(x_of(v), f"{v:g}") for v in nice_ticks(low, high)], x_of(threshold), x_of(old))


def nice_ticks(low: float, high: float, num: int = 7) -> list[float]:
    """Return round numbers from `low` to `high`, about `num` of them."""
    if high <= low:
        return [low]
    step = (high - low) / num
    power = 10 ** math.floor(math.log10(step))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step)
    first = math.ceil(low / step)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def stacked_bar(parts: Sequence[tuple[str, int]], total: int, series: Sequence[str]) -> list[dict[str, Any]]:
    """Return the parts of a bar of 1,000 units by name, each with the number of its colour."""
    shapes, x = [], 0.0
    for name, count in parts:
        width = 1000 * count / total if total else 0.0
        if count:
            shapes.append(
                {"name": name, "count": count, "x": round(x, 2), "width": round(width, 2), "series": series.index(name)}
            )
        x += width
    return shapes


def column_chart(counts: Sequence[int], width: int, height: int = 96) -> dict[str, Any]:
    """Return the bars and ticks of a histogram of whole numbers, each bar of `width` of them."""
    step, largest = (WIDTH - 2 * LEFT) / max(len(counts), 1), max([*counts, 1])
    bars = []
    for n, count in enumerate(counts):
        size = count / largest * height
        text = f"{n * width:,} to {(n + 1) * width - 1:,}: {count:,}"
        bars.append(
            Rectangle(
                round(LEFT + n * step, 1), round(4 + height - size, 1), round(step - 0.8, 1), round(size, 1), 0, text
            )
        )
    ticks = [(round(LEFT + value / width * step, 1), f"{value:g}") for value in nice_ticks(0, len(counts) * width)]
    return {"bars": bars, "ticks": ticks}


def line_chart(points: Sequence[tuple[float, float]], width: int = 320, height: int = 90) -> dict[str, Any]:
    """Return a line through points, as the attribute `points` of SVG, with its ends in numbers."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x_of, y_of = _scale(min(xs), max(xs), 4, width - 4), _scale(min(ys), max(ys), height - 6, 6)
    return {"points": _points([(x_of(x), y_of(y)) for x, y in points]), "width": width, "height": height}


def curve_chart(law: Mapping[str, Any], width: int = 340, height: int = 190) -> dict[str, Any]:
    """Return a law's curve with its interval and points, over pairs on a log scale."""
    curve = [row for row in law["curve"] if row[0] > 0]
    points = [row for row in law["points"] if row[0] > 0]
    xs = [math.log10(row[0]) for row in [*curve, *points]]
    ys = [value for row in curve for value in row[1:]] + [row[1] for row in points]
    x_of, y_of = _scale(min(xs), max(xs), 34, width - 8), _scale(min(ys), max(ys), height - 24, 8)
    ends = [(x_of(math.log10(row[0])), y_of(row[2])) for row in curve]
    ends += [(x_of(math.log10(row[0])), y_of(row[3])) for row in reversed(curve)]
    return {
        "lang": law["lang"],
        "law": law["law"],
        "width": width,
        "height": height,
        "band": _points(ends),
        "line": _points([(x_of(math.log10(row[0])), y_of(row[1])) for row in curve]),
        "dots": [(x_of(math.log10(row[0])), y_of(row[1]), row) for row in points],
        "x_ticks": [(x_of(n), f"{10**n:,.0f}") for n in range(math.ceil(min(xs)), math.floor(max(xs)) + 1)],
        "y_ticks": [(y_of(value), f"{value:g}") for value in nice_ticks(min(ys), max(ys), 4)],
    }


def _scale(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    width = (high - low) or 1.0
    return lambda value: round(first + (value - low) / width * (last - first), 1)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
