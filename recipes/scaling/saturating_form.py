"""The forms with a free asymptote E (saturating), and with an offset D0 too (shifted), by variable projection.

On a grid of (exponent, offset), E and A are linear and solved exactly; what the linear part and the noise leave is
the weight of each node of the grid. The grid is narrowed to where the weight lies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.scaling.law import Floats
from recipes.scaling.posterior import (
    EPSILON,
    MAX_EXPONENT,
    MIN_EXPONENT,
    Posterior,
    Prior,
    Series,
    sobol_points,
    t_samples,
)

GRID_SIZE = 32  # nodes along each axis
NUM_ZOOMS = 4
LOG_WEIGHT_CUTOFF = 14.0  # log weight below the best at which a node no longer matters
MIN_GAP = 1e-12  # the least E - L at a medium size, in units of the metric, so that a law always rises


@dataclass(frozen=True)
class Grid:
    """The nodes of a grid, arrays of shape (nodes,); `scale` is A for sizes in multiples of `unit`.

    `middle` is the weighted mean of the power, at which level and scale are independent.
    """

    exponent: Floats
    offset: Floats
    unit: Floats
    asymptote: Floats
    scale: Floats
    middle: Floats
    spread: Floats
    rss: Floats
    log_weight: Floats

    def weights(self) -> Floats:
        """Return the nodes' posterior weights, which sum to 1."""
        weights = np.exp(self.log_weight - self.log_weight.max())
        return np.asarray(weights / weights.sum())


def fit_saturating(form: str, series: Series, prior: Prior, metric_max: float, num_samples: int) -> Posterior:
    """Fit the saturating or the shifted form."""
    bounds = [(MIN_EXPONENT, MAX_EXPONENT)]
    if form == "shifted":
        positive = series.size[series.size > 0]
        bounds += [(float(np.log(positive.min() / 30)), float(np.log(positive.max() * 3)))]
    grid = _grid(bounds, series, prior, metric_max)
    for _ in range(NUM_ZOOMS - 1):
        bounds = _narrowed(bounds, grid)
        grid = _grid(bounds, series, prior, metric_max)
    weights, best = grid.weights(), int(np.argmax(grid.log_weight))
    num_parameters = 3 + (form == "shifted")
    df = max(prior.noise_df + len(series.size) - num_parameters, 1.0)
    exponent = float(weights @ grid.exponent)
    return Posterior(
        _parameters(grid, np.array([best]), grid.asymptote[[best]], grid.scale[[best]])[0],
        _sample(grid, weights, series, prior, metric_max, num_samples),
        exponent,
        max(float(weights @ (grid.exponent - exponent) ** 2), 1e-12),
        float(grid.rss[best]),
        max((prior.noise_df * prior.noise + float(grid.rss[best])) / df, EPSILON),
    )


def _grid(bounds: list[tuple[float, float]], series: Series, prior: Prior, metric_max: float) -> Grid:
    """Return every node of the grid, its asymptote and scale solved by weighted least squares."""
    axes = np.meshgrid(*(np.linspace(*bound, GRID_SIZE) for bound in bounds), indexing="ij")
    exponent = axes[0].ravel()
    offset = np.exp(axes[1].ravel()) if len(axes) > 1 else np.zeros_like(exponent)
    shifted = series.size + offset[:, None]
    unit = np.exp(np.log(shifted).mean(axis=1))
    power = (shifted / unit[:, None]) ** -exponent[:, None]
    weight, value = series.weight, series.value
    middle, level = power @ weight / weight.sum(), float(value @ weight / weight.sum())
    spread = np.maximum((power - middle[:, None]) ** 2 @ weight, 1e-300)
    scale = np.maximum(-((power - middle[:, None]) @ (weight * (value - level))) / spread, MIN_GAP)
    asymptote = level + scale * middle
    is_above = asymptote > metric_max  # then the asymptote is metric_max, and only the scale is free
    only = np.maximum(((metric_max - value) * weight * power).sum(1) / (power**2 @ weight), MIN_GAP)
    scale, asymptote = np.where(is_above, only, scale), np.minimum(asymptote, metric_max)
    rss = ((value - asymptote[:, None] + scale[:, None] * power) ** 2) @ weight
    ends = np.abs(power[:, np.argmax(series.size)] - power[:, np.argmin(series.size)])
    df = prior.noise_df + len(value) - 2
    log_weight = -0.5 * df * np.log(prior.noise_df * prior.noise + rss + EPSILON * len(value))
    log_weight -= 0.5 * np.log(spread / np.maximum(ends, 1e-150) ** 2)
    log_weight -= 0.5 * (exponent - prior.mean) ** 2 / prior.variance
    return Grid(exponent, offset, unit, asymptote, scale, middle, spread, rss, log_weight)


def _narrowed(bounds: list[tuple[float, float]], grid: Grid) -> list[tuple[float, float]]:
    """Return the bounds of the nodes that matter, one step wider."""
    matters = grid.log_weight > grid.log_weight.max() - LOG_WEIGHT_CUTOFF
    narrower = []
    for (low, high), values in zip(bounds, (grid.exponent, np.log(np.maximum(grid.offset, 1e-300))), strict=False):
        step = (high - low) / (GRID_SIZE - 1)
        narrower.append((max(low, values[matters].min() - step), min(high, values[matters].max() + step)))
    return narrower


def _sample(grid: Grid, weights: Floats, series: Series, prior: Prior, metric_max: float, num_samples: int) -> Floats:
    """Return equally likely parameters: a node by its weight, then its linear part and the noise from their t."""
    if not num_samples:
        return np.empty((0, 4))
    points = sobol_points(series.seed, num_samples)
    node = np.minimum(np.searchsorted(np.cumsum(weights), points[:, 3]), len(weights) - 1)
    df = max(prior.noise_df + len(series.size) - 2, 1.0)
    noise = np.maximum((prior.noise_df * prior.noise + grid.rss[node]) / df, EPSILON)
    t = t_samples(series.seed, df, num_samples) * np.sqrt(noise)[:, None]
    level = grid.asymptote[node] - grid.scale[node] * grid.middle[node] + t[:, 0] / np.sqrt(series.weight.sum())
    level = np.minimum(level, metric_max - 1e-9)
    scale = np.maximum(grid.scale[node] + t[:, 1] / np.sqrt(grid.spread[node]), MIN_GAP)
    scale = np.minimum(scale, (metric_max - level) / grid.middle[node])  # the asymptote is not above metric_max
    return _parameters(grid, node, level + scale * grid.middle[node], scale)


def _parameters(grid: Grid, node: NDArray[np.int64], asymptote: Floats, scale: Floats) -> Floats:
    """Return (asymptote, scale, exponent, offset), with the scale for sizes in pairs."""
    exponent = grid.exponent[node]
    return np.column_stack([asymptote, scale * grid.unit[node] ** exponent, exponent, grid.offset[node]])
