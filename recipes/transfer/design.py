"""Designs: mixtures that fill the space of shares, for runs that laws with transfer are fitted to."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import qmc

from corpora.errors import InputError
from recipes.mixing import Integers, ShareCurves, allocate_integers, allocation_problem
from recipes.scaling import Floats

LEAST_SHARE = 0.12  # of an equal share: the least that a mixture gives a language


def design_mixtures(
    available: Mapping[str, int], budgets: Sequence[int], num_mixtures: int, seed: int = 0
) -> list[dict[str, int]]:
    """Return mixtures of each budget whose shares fill the simplex evenly, within what there is of each language.

    Sobol points become shares by their negative logarithms, which makes them uniform in the simplex.

    Args:
        available: How many pairs there are of each language.
        budgets: The numbers of pairs of the mixtures.
        num_mixtures: The mixtures of each budget.
        seed: The seed of the points.

    Raises:
        InputError: A budget is above what there is, or below a pair of each language.
    """
    langs = tuple(available)
    if len(langs) < 2:
        raise InputError(f"A design mixes at least two languages, not only {', '.join(langs) or 'none'}.")
    limits = np.array([available[lang] for lang in langs], float)
    design = []
    for number, budget in enumerate(budgets):
        problem = allocation_problem(langs, budget, num_unique=limits)
        for share in simplex_points(num_mixtures, len(langs), seed + 7 * number):
            design.append(_by_lang(langs, allocate_integers(ShareCurves(share), problem)))
    return design


def simplex_points(num: int, num_langs: int, seed: int) -> Floats:
    """Return points that fill the simplex evenly, none of whose shares is 0, shape (num, languages)."""
    size = 1 << max(num - 1, 0).bit_length()  # Sobol points are balanced in powers of two
    points = qmc.Sobol(num_langs, rng=np.random.default_rng(seed)).random(size)[:num]
    gaps = -np.log(np.clip(points, 1e-6, 1 - 1e-6))
    least = LEAST_SHARE / num_langs
    return np.asarray(least + (1 - num_langs * least) * gaps / gaps.sum(axis=1, keepdims=True))


def _by_lang(langs: Sequence[str], pairs: Integers) -> dict[str, int]:
    return dict(zip(langs, pairs.tolist(), strict=True))
