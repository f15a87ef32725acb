"""Goal: what is maximised over mixtures, and Solution: the best one, with the bound that no mixture exceeds."""

from dataclasses import dataclass

from recipes.scaling import Floats


@dataclass(frozen=True)
class Goal:
    """Maximise weights . S + has_worst m + W - near KL(mixture, shares), where rows . S - bounds - in_worst m >= 0.

    S are the targets' means over the draws, and W the mean over the draws of the worst target of each. m is a free
    number: with all rows in it, it is by how much the worst of them is above its bound.

    Args:
        weights: Shape (targets,).
        rows: Shape (constraints, targets).
        bounds: Shape (constraints,).
        in_worst: 1 for constraints that bound the worst value m, 0 for others, shape (constraints,).
        shares: The shares of the budget that a mixture should be near, shape (languages,); None for any.
        expects_worst: Whether W is a part of what is maximised.
        least_worst: What W must be at least; None for any.
    """

    weights: Floats
    rows: Floats
    bounds: Floats
    in_worst: Floats
    shares: Floats | None = None
    expects_worst: bool = False
    least_worst: float | None = None

    @property
    def has_worst(self) -> bool:
        """Whether the worst of some rows is maximised."""
        return bool(self.in_worst.any())


@dataclass(frozen=True)
class Solution:
    """The best mixture.

    Args:
        pairs: The real numbers of pairs, shape (languages,).
        value: The value of the goal.
        bound: What no mixture exceeds, in units of the goal.
        margin: The least amount by which a constraint that bounds no worst value is kept; infinite without any.
    """

    pairs: Floats
    value: float
    bound: float
    margin: float

    @property
    def gap(self) -> float:
        """By how much at most another mixture could be better, in units of the goal."""
        return max(self.bound - self.value, 0.0)
