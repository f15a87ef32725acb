"""Draw the pictures of cards; the same numbers give the same bytes."""

from cards.plots.alignment import draw_alignment
from cards.plots.frontier import draw_frontier
from cards.plots.funnel import GROUPS, OTHER, draw_funnel
from cards.plots.laws import draw_allocation, draw_laws
from cards.plots.losses import draw_losses
from cards.plots.mixtures import draw_objectives, draw_predictions, draw_surface

__all__ = [
    "GROUPS",
    "OTHER",
    "draw_alignment",
    "draw_allocation",
    "draw_frontier",
    "draw_funnel",
    "draw_laws",
    "draw_losses",
    "draw_objectives",
    "draw_predictions",
    "draw_surface",
]
