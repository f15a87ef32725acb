"""Laws of either kind: of one language each, or with transfer between languages."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from corpora.errors import InputError
from corpora.reading import parse_json
from recipes.mixing import AllocationProblem
from recipes.results import Result
from recipes.scaling import Laws, ScalingLaw, fit_results, read_laws
from recipes.transfer.fit import fit_transfer
from recipes.transfer.law import TransferLaws
from recipes.transfer.laws_file import parse_transfer_laws
from recipes.transfer.runs import has_mixtures, runs_from_results
from recipes.transfer.surfaces import Surfaces

AnyLaws = Laws | TransferLaws
MAX_DRAWS = 400


def fit_any(results: Sequence[Result], gamma: Mapping[str, float] | None = None) -> AnyLaws:
    """Return laws with transfer where models were trained on mixtures of languages, else a law for each language.

    Raises:
        InputError: No language has a law.
    """
    if not has_mixtures(results):
        return fit_results(results, gamma)
    first = results[0]
    return fit_transfer(runs_from_results(results), first.metric, (first.metric_min, first.metric_max))


def read_any_laws(path: Path) -> AnyLaws:
    """Return the laws in a JSON file of either kind.

    Raises:
        InputError: The file cannot be read, or a law is not as expected.
    """
    if not path.is_file():
        return read_laws(path)  # raises with the reason
    content = parse_json(path.read_bytes(), path)
    if isinstance(content, Mapping) and "transfer" in content:
        return parse_transfer_laws(content, path)
    return read_laws(path)


def law_surfaces(laws: AnyLaws, problem: AllocationProblem) -> Surfaces:
    """Return the posterior samples of laws as surfaces over mixtures of the problem's languages.

    Raises:
        InputError: A language has no law, or a law has no samples.
    """
    unique = np.where(problem.max_pairs > problem.num_unique, problem.num_unique, np.inf)
    if isinstance(laws, TransferLaws):
        return laws.surfaces(problem.langs, unique, MAX_DRAWS)
    return _separable(laws.select(problem.langs), unique)


def _separable(laws: Sequence[ScalingLaw], unique: np.ndarray) -> Surfaces:
    """Return laws of one language each: E - A (D + D0)^-alpha is a + s (z^k - 1) / k with k = -alpha."""
    if any(not len(law.samples) for law in laws):
        raise InputError("These laws have no uncertainty, which an objective needs. Fit laws to results first.")
    num = min(MAX_DRAWS, *(len(law.samples) for law in laws), *([MAX_DRAWS]))
    asymptote, scale, exponent, offset = np.stack([law.samples[:num] for law in laws], axis=1).transpose(2, 0, 1)
    unit = np.array([float(np.median([p.size for p in law.points if p.size] or [1000])) for law in laws])
    slope = scale * exponent * unit**-exponent
    none = np.zeros_like(scale)
    donors = np.broadcast_to(np.eye(len(laws)), (num, len(laws), len(laws)))
    return Surfaces(
        own=np.arange(len(laws)),
        unit=unit,
        level=asymptote - slope / exponent,
        slope=slope,
        curvature=-exponent,
        offset=offset / unit,
        transfer=none,
        substitution=none + 1.0,
        donors=donors,
        num_unique=unique,
    )
