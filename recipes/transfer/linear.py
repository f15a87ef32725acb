"""The linear problems of the solver: a Newton step within the budget, and the best corner of what a budget allows."""

import numpy as np

from recipes.scaling import Floats


def best_corner(gradient: Floats, costs: Floats, low: Floats, high: Floats) -> Floats:
    """Return the pairs within limits and a budget of 1 that maximise a linear function, by sorting."""
    corner, left = low.copy(), 1.0 - float(costs @ low)
    for index in np.argsort(-gradient / costs):
        added = min(high[index] - corner[index], left / costs[index])
        corner[index] += added
        left -= added * costs[index]
    return np.asarray(corner)


def bordered(matrix: Floats, border: Floats) -> Floats:
    """Return a matrix with a row and column for the budget."""
    n = len(border)
    full = np.zeros((n + 1, n + 1))
    full[:n, :n] = matrix
    full[:n, n] = full[n, :n] = border
    return full


def solve(matrix: Floats, right: Floats) -> Floats:
    """Return the solution of a linear system, scaled so that languages at and off their limits are comparable."""
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-12))
    scale[-1] = 1.0
    scaled = matrix * scale[:, None] * scale
    try:
        return np.asarray(scale * np.linalg.solve(scaled, scale * right))
    except np.linalg.LinAlgError:
        return np.asarray(scale * np.linalg.lstsq(scaled, scale * right, rcond=None)[0])
