"""What the pictures share: colours, fonts, sizes, and how a file is written."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, DPI = 10.0, 200  # inches, and pixels an inch
PAD = 0.16  # inches around a picture
# Each has a contrast of at least 3 with white; neighbours differ in lightness too, for the colour-blind.
BLUE, GREY, RED, GREEN, PURPLE, AMBER = "#0066B3", "#6E6E6E", "#B23A22", "#00865F", "#7A3AA0", "#B87A00"
TEAL = "#3F8F8A"
LINE_COLOURS = (BLUE, RED, GREEN, PURPLE, AMBER, GREY, TEAL)
MARKERS = "os^DvPX"
STYLE = {
    **{"font.family": "DejaVu Sans", "font.size": 10.0, "legend.fontsize": 9.5, "legend.frameon": False},
    **{"svg.hashsalt": "coit-builders", "figure.constrained_layout.h_pad": PAD / 2, "hatch.linewidth": 0.6},
    **{"figure.constrained_layout.w_pad": PAD},
}
TITLE = {"weight": "bold", "size": 13}


def save(figure: "Figure", *paths: Path) -> None:
    """Write a picture as PNG, or SVG where a file is named so, laid out once; without names of programs and dates."""
    for path in paths:
        if path.suffix == ".svg":
            figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})
        figure.set_layout_engine("none")


def tidy(axes: "object") -> None:
    """Draw a light grid, and no lines above and on the right."""
    axes.grid(alpha=0.25, linewidth=0.6)  # type: ignore[attr-defined]
    axes.spines[["top", "right"]].set_visible(False)  # type: ignore[attr-defined]
