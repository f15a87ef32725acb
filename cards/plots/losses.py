"""The picture of a run: the loss, and the norm of its gradient, by step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.escaping import label as escape
from cards.plots.style import LINE_COLOURS, STYLE, TITLE, WIDTH, save
from corpora.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 4.2  # inches


def draw_losses(rows: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Write a PNG with the training loss by step, and below it the norm of the gradient.

    Without rows no file is written.

    Args:
        rows: Rows with `step`, `loss` (nats per target token), and maybe `grad_norm`.
        title: The title of the picture.
        path: The file.
    """
    if not rows:
        return
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", STYLE]), atomic_path(path) as temporary:
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
        _draw(upper, rows, "loss", LINE_COLOURS[0], "loss (nats per token)")
        _draw(lower, rows, "grad_norm", LINE_COLOURS[1], "gradient norm")
        lower.set_xlabel("step")
        figure.suptitle(escape(title), x=0.01, ha="left", **TITLE)
        save(figure, temporary)


def _draw(axes: "Axes", rows: Sequence[Mapping[str, Any]], key: str, colour: str, label: str) -> None:
    points = [(row["step"], row[key]) for row in rows if row.get(key) is not None]
    if points:
        axes.plot(*zip(*points, strict=True), color=colour, marker="o" if len(points) < 40 else None, markersize=3)
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
