"""What one series of scores says of its law: the best parameters and equally likely others, for each form.

The power form is a straight line in log space, log(top - S) = log k - b log X, fitted by least squares whose weights
are those of the scores themselves, with exact t intervals. The others are solved by variable projection: on a grid of
(exponent, start), ceiling and k are linear and solved exactly; what the linear part and the noise leave is each
node's weight.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import chi2, norm, qmc

from recipes.scaling.law import Floats

DRAWS = 512
LEAST_B, MOST_B = 1e-3, 0.999
GRID = 32  # nodes along each axis
ZOOMS = 4
FAR = 14.0  # log weight below the best at which a node no longer matters
LEAST_GAP = 1e-12  # points below the ceiling at a middling size, so that a law always rises
LOG_GAP = 25.0  # the logarithm of the gap at a middling size is within this of 0: no metric has a wider one
NOTHING = 1e-18  # squared points: noise that no metric can show, for scores without any


@dataclass(frozen=True)
class Series:
    """The scores of a language: pairs, values, weights (1 for a usual error), and the seed of its draws."""

    size: Floats
    value: Floats
    weight: Floats
    seed: int = 0

    def part(self, chosen: Floats) -> "Series":
        """Some of the points."""
        return Series(self.size[chosen], self.value[chosen], self.weight[chosen], self.seed)


@dataclass(frozen=True)
class Prior:
    """What is known beforehand: the noise as (degrees of freedom, variance), the exponent b as (mean, variance)."""

    df: float = 0.0
    noise: float = 0.0
    mean: float = 0.0
    variance: float = np.inf


@dataclass(frozen=True)
class Posterior:
    """What is known afterwards: best (ceiling, k, beta, start), draws of them, b's mean and variance, residuals."""

    best: Floats
    draws: Floats
    b: float
    b_variance: float
    rss: float
    noise: float  # variance of a point of weight 1


def posterior(form: str, series: Series, prior: Prior, top: float, draws: int = DRAWS) -> Posterior:
    """Fit one form to a series; sizes must be above 0 (at least 0 for `shifted`) and values below `top`."""
    return line(series, prior, top, draws) if form == "power" else curve(form, series, prior, top, draws)


def line(series: Series, prior: Prior, top: float, draws: int) -> Posterior:
    """The power form, by weighted least squares of log(top - S) on log X; the fitted gap gives each point's weight."""
    x, y = np.log(series.size), np.log(top - series.value)
    gap = top - series.value
    for _ in range(6):
        weight = series.weight * gap**2  # d log(top - S) = -dS / (top - S)
        total = weight.sum()
        middle, level = float(weight @ x / total), float(weight @ y / total)
        spread = float(weight @ (x - middle) ** 2)
        b = float(-(weight @ ((x - middle) * (y - level))) / spread)
        gap = np.exp(level - b * (x - middle))
    rss = float(weight @ (y - level + b * (x - middle)) ** 2)
    df = prior.df + len(x) - 2
    noise = (prior.df * prior.noise + rss) / df if df > 0 else prior.noise
    noise = max(noise, NOTHING)
    precision = spread / noise + 1 / prior.variance
    variance = 1 / precision
    pulled = float(np.clip((spread / noise * b + prior.mean / prior.variance) / precision, LEAST_B, MOST_B))
    normal = _t_draws(series.seed, max(df, 1.0), draws)
    levels = np.clip(level + normal[:, 0] * np.sqrt(noise / total), -LOG_GAP, LOG_GAP)
    exponents = np.clip(pulled + normal[:, 1] * np.sqrt(variance), LEAST_B, MOST_B)
    rows = _law_rows(np.full(draws, top), levels, exponents, middle)
    best = _law_rows(np.array([top]), np.array([level]), np.array([pulled]), middle)[0]
    return Posterior(best, rows, b, noise / spread, rss, noise)


def _law_rows(ceiling: Floats, level: Floats, b: Floats, middle: float) -> Floats:
    """(ceiling, k, beta, start) from the log of the gap at log X = `middle` and the exponent."""
    return np.column_stack([ceiling, np.exp(level + b * middle), -b, np.zeros_like(b)])


@cache
def _uniform(seed: int, draws: int) -> Floats:
    """Scrambled Sobol points of four dimensions, in an order of the seed's own, so that languages are independent."""
    points = qmc.Sobol(4, rng=np.random.default_rng(seed)).random(draws)
    return np.asarray(np.random.default_rng(seed + 1).permutation(np.clip(points, 1e-9, 1 - 1e-9)))


@cache
def _t_draws(seed: int, df: float, draws: int) -> Floats:
    """Two columns of normal draws with one common chi-squared divisor: a bivariate t."""
    if not draws:
        return np.empty((0, 2))
    points = _uniform(seed, draws)
    return np.asarray(norm.ppf(points[:, :2]) / np.sqrt(chi2.ppf(points[:, 2], df) / df)[:, None])


@dataclass(frozen=True)
class Nodes:
    """The grid: exponent and log start, and for each node the best ceiling and k (of the scaled size), and its rss."""

    b: Floats
    start: Floats
    scale: Floats
    ceiling: Floats
    k: Floats
    middle: Floats  # weighted mean of the scaled power: there, level and k are independent
    spread: Floats
    rss: Floats
    weight: Floats


def curve(form: str, series: Series, prior: Prior, top: float, draws: int) -> Posterior:
    """A form with a free ceiling, by variable projection on a grid that is narrowed to where the weight lies."""
    positive = series.size[series.size > 0]
    bounds = [(LEAST_B, MOST_B)]
    if form == "shifted":
        bounds += [(float(np.log(positive.min() / 30)), float(np.log(positive.max() * 3)))]
    for zoom in range(ZOOMS):
        nodes = _nodes(bounds, series, prior, top)
        if zoom < ZOOMS - 1:
            bounds = _narrowed(bounds, nodes)
    share = np.exp(nodes.weight - nodes.weight.max())
    share /= share.sum()
    best = int(np.argmax(nodes.weight))
    parameters = 3 + (form == "shifted")
    df = max(prior.df + len(series.size) - parameters, 1.0)
    noise = max((prior.df * prior.noise + nodes.rss[best]) / df, NOTHING)
    b = float(share @ nodes.b)
    return Posterior(
        _scaled(nodes, np.array([best]), nodes.ceiling[[best]], nodes.k[[best]])[0],
        _curve_draws(nodes, share, series, prior, top, draws),
        b,
        max(float(share @ (nodes.b - b) ** 2), 1e-12),
        float(nodes.rss[best]),
        noise,
    )


def _nodes(bounds: list[tuple[float, float]], series: Series, prior: Prior, top: float) -> Nodes:
    """Every node of the grid, its ceiling and k solved by weighted least squares."""
    axes = np.meshgrid(*(np.linspace(*bound, GRID) for bound in bounds), indexing="ij")
    b = axes[0].ravel()
    start = np.exp(axes[1].ravel()) if len(axes) > 1 else np.zeros_like(b)
    shifted = series.size + start[:, None]
    scale = np.exp(np.log(shifted).mean(axis=1))
    power = (shifted / scale[:, None]) ** -b[:, None]
    weight, value = series.weight, series.value
    middle, level = power @ weight / weight.sum(), float(value @ weight / weight.sum())
    spread = np.maximum((power - middle[:, None]) ** 2 @ weight, 1e-300)
    k = np.maximum(-((power - middle[:, None]) @ (weight * (value - level))) / spread, LEAST_GAP)
    ceiling = level + k * middle
    above = ceiling > top  # then the ceiling is the top, and k alone is left
    k = np.where(above, np.maximum(((top - value) * weight * power).sum(1) / (power**2 @ weight), LEAST_GAP), k)
    ceiling = np.minimum(ceiling, top)
    rss = ((value - ceiling[:, None] + k[:, None] * power) ** 2) @ weight
    ends = np.abs(power[:, np.argmax(series.size)] - power[:, np.argmin(series.size)])
    evidence = -0.5 * (prior.df + len(value) - 2) * np.log(prior.df * prior.noise + rss + NOTHING * len(value))
    evidence -= 0.5 * np.log(spread / np.maximum(ends, 1e-150) ** 2) + 0.5 * (b - prior.mean) ** 2 / prior.variance
    return Nodes(b, start, scale, ceiling, k, middle, spread, rss, evidence)


def _narrowed(bounds: list[tuple[float, float]], nodes: Nodes) -> list[tuple[float, float]]:
    """The bounds of the nodes that matter, one step wider."""
    matters = nodes.weight > nodes.weight.max() - FAR
    narrower = []
    for (low, high), values in zip(bounds, (nodes.b, np.log(np.maximum(nodes.start, 1e-300))), strict=False):
        step = (high - low) / (GRID - 1)
        narrower.append((max(low, values[matters].min() - step), min(high, values[matters].max() + step)))
    return narrower


def _curve_draws(nodes: Nodes, share: Floats, series: Series, prior: Prior, top: float, draws: int) -> Floats:
    """Equally likely (ceiling, k, beta, start): a node by its share, then its linear part and noise from their t."""
    if not draws:
        return np.empty((0, 4))
    points = _uniform(series.seed, draws)
    node = np.minimum(np.searchsorted(np.cumsum(share), points[:, 3]), len(share) - 1)
    df = max(prior.df + len(series.size) - 2, 1.0)
    noise = np.maximum((prior.df * prior.noise + nodes.rss[node]) / df, NOTHING)
    normal = _t_draws(series.seed, df, draws) * np.sqrt(noise)[:, None]
    level = nodes.ceiling[node] - nodes.k[node] * nodes.middle[node] + normal[:, 0] / np.sqrt(series.weight.sum())
    k = nodes.k[node] + normal[:, 1] / np.sqrt(nodes.spread[node])
    k = np.maximum(k, LEAST_GAP)
    level = np.minimum(level, top - 1e-9)
    k = np.minimum(k, (top - level) / nodes.middle[node])  # so that the ceiling is not above the top
    return _scaled(nodes, node, level + k * nodes.middle[node], k)


def _scaled(nodes: Nodes, node: "np.ndarray[tuple[int], np.dtype[np.int64]]", ceiling: Floats, k: Floats) -> Floats:
    """(ceiling, k, beta, start) with k for sizes as they are."""
    b = nodes.b[node]
    return np.column_stack([ceiling, k * nodes.scale[node] ** b, -b, nodes.start[node]])
