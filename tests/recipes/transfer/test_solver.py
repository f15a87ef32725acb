"""Values and derivatives of laws with transfer, and the mixtures that are best by them."""

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.mixing import allocation_problem, law_curves, waterfill
from recipes.scaling import Laws, Point, ScalingLaw
from recipes.transfer import Floor, Near, Objective, best_mixture, law_surfaces
from recipes.transfer.objective import to_whole_pairs
from recipes.transfer.surfaces import Derivatives, Surfaces, box_cox

from .worlds import slsqp, world


def numeric_gradient(surfaces: Surfaces, pairs: np.ndarray, step: float = 1e-3) -> np.ndarray:
    columns = [surfaces.values(pairs + step * e) - surfaces.values(pairs - step * e) for e in np.eye(len(pairs))]
    return np.stack(columns, axis=-1) / (2 * step)


@pytest.mark.parametrize("repeated", [False, True])
def test_derivatives_are_those_of_the_values(repeated: bool) -> None:
    surfaces, problem = world(1, num_draws=3)
    pairs = np.minimum(problem.max_pairs, 900.0)
    limits = np.full(6, 300.0) if repeated else surfaces.num_unique
    surfaces = Surfaces(**{**vars(surfaces), "num_unique": limits})
    derivatives = surfaces.derivatives(pairs)
    np.testing.assert_allclose(derivatives.gradient, numeric_gradient(surfaces, pairs), rtol=1e-6, atol=1e-9)
    assert_sums_agree(derivatives, np.random.default_rng(0))
    weights = np.arange(1.0, 7.0)
    step = 1e-2
    columns = [
        weights
        @ (surfaces.derivatives(pairs + step * e).gradient - surfaces.derivatives(pairs - step * e).gradient).mean(0)
        for e in np.eye(6)
    ]
    numeric = np.stack(columns, axis=-1) / (2 * step)
    hessian = surfaces.hessian(derivatives, weights)
    np.testing.assert_allclose(hessian, numeric, rtol=1e-4, atol=1e-10)
    assert np.linalg.eigvalsh(hessian).max() < 1e-12  # concave


def assert_sums_agree(derivatives: Derivatives, rng: np.random.Generator) -> None:
    """Sums of the gradients are the same without the gradients written out."""
    gradient, weights, step = derivatives.gradient, rng.uniform(size=derivatives.values.shape), rng.normal(size=6)
    np.testing.assert_allclose(derivatives.means(), gradient.mean(axis=0))
    np.testing.assert_allclose(derivatives.of_draws(weights), (weights[..., None] * gradient).sum(axis=1))
    np.testing.assert_allclose(derivatives.along(step), gradient @ step)


def test_box_cox_is_the_logarithm_at_0() -> None:
    z = np.array([0.1, 1.0, 5.0])
    np.testing.assert_allclose(box_cox(z, np.zeros(3)), np.log(z))
    np.testing.assert_allclose(box_cox(z, np.full(3, 0.5)), (z**0.5 - 1) / 0.5)


def test_model_of_one_language_has_the_size_of_its_own_pairs() -> None:
    surfaces, _ = world(2)
    pairs = np.array([800.0, 0, 0, 0, 0, 0])
    alone = Surfaces(**{**vars(surfaces), "transfer": np.zeros((1, 6))})
    assert surfaces.values(pairs)[0, 0] == pytest.approx(alone.values(pairs)[0, 0], abs=1e-3)


@pytest.mark.parametrize(("kind", "tolerance"), [("mean", 1e-5), ("worst", 1e-4)])
@pytest.mark.parametrize("seed", range(3))
def test_optimum_agrees_with_slsqp(kind: str, tolerance: float, seed: int) -> None:
    assert_agrees(kind, tolerance, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "tolerance"), [("mean", 1e-5), ("worst", 1e-4)])
def test_optimum_agrees_with_slsqp_in_forty_worlds(kind: str, tolerance: float) -> None:
    for seed in range(40):
        assert_agrees(kind, tolerance, seed)


@pytest.mark.parametrize("kind", ["mean", "worst"])
def test_optimum_of_a_hundred_languages_and_sixty_draws_is_proven(kind: str) -> None:
    surfaces, problem = world(5, 100, 60)
    solution = best_mixture(surfaces, Objective(kind, problem.weights), problem)
    assert solution.gap < 1e-6
    assert solution.value == pytest.approx({"mean": 28.1995095, "worst": 9.6685399}[kind], abs=2e-6)


def assert_agrees(kind: str, tolerance: float, seed: int) -> None:
    surfaces, problem = world(seed, num_draws=1 + 4 * (seed % 2))
    weights = np.random.default_rng(seed).permutation([6.0, 3, 1, 1, 1, 1])
    objective = Objective(kind, weights / weights.sum())
    solution = best_mixture(surfaces, objective, problem)
    assert solution.gap < 1e-6
    assert solution.pairs.sum() == pytest.approx(problem.budget, rel=1e-9)
    start = problem.max_pairs * problem.budget / problem.max_pairs.sum()
    found = max(slsqp(surfaces, problem, objective, at) for at in (start, 0.9 * solution.pairs + 0.1 * start))
    assert solution.value > found - tolerance


def test_laws_of_one_language_have_the_optimum_of_water_filling() -> None:
    laws = {}
    rng = np.random.default_rng(0)
    for lang, (scale, exponent) in {"el": (60.0, 0.15), "hi": (80.0, 0.11), "tr": (50.0, 0.2)}.items():
        samples = np.column_stack([np.full(8, 100.0), np.full(8, scale), np.full(8, exponent), np.full(8, 40.0)])
        laws[lang] = ScalingLaw(lang, 100.0, scale, exponent, 40.0, points=(Point(1000, 50.0),), samples=samples)
    problem = allocation_problem(tuple(laws), 90_000, max_pairs=np.array([50_000, 20_000, 60_000.0]))
    exact = waterfill(law_curves(list(laws.values()), problem), problem)
    surfaces = law_surfaces(Laws("m", 100.0, laws), problem)
    at = np.array([3000.0, 500.0, 12_000.0]) * rng.uniform(1, 2, 3)
    np.testing.assert_allclose(surfaces.means(at), [float(laws[x].predict(n)) for x, n in zip(laws, at, strict=True)])
    solution = best_mixture(surfaces, Objective("mean", problem.weights), problem)
    np.testing.assert_allclose(solution.pairs, exact, rtol=2e-2)
    assert solution.gap < 1e-6
    whole = to_whole_pairs(solution.pairs, surfaces, problem.weights, problem)
    assert whole.sum() == 90_000


def test_floors_are_kept_and_cost_something() -> None:
    surfaces, problem = world(3, num_draws=5)
    base = np.minimum(1000.0, problem.max_pairs)
    base *= problem.budget / base.sum()
    weights = np.array([6.0, 3, 1, 1, 1, 1]) / 13
    free = best_mixture(surfaces, Objective("mean", weights), problem).value
    for points in (1.0, 0.5):
        solution = best_mixture(surfaces, Objective("mean", weights, (Floor("base", base, points),)), problem)
        assert (surfaces.means(solution.pairs) - surfaces.means(base)).min() > -points - 1e-3
        assert solution.value < free
        assert solution.gap < 1e-5


def test_floor_that_nothing_keeps_says_by_how_much() -> None:
    surfaces, problem = world(3)
    message = r"No mixture of 6,000 pairs keeps every language .* still loses \d\.\d\d points too many in l\d"
    with pytest.raises(InputError, match=message):
        best_mixture(surfaces, Objective("mean", problem.weights, (Floor("x", np.full(6, 1800.0), 0.0),)), problem)


def test_nearest_mixture_changes_least() -> None:
    surfaces, problem = world(3, num_draws=5)
    base = np.minimum(1000.0, problem.max_pairs)
    base *= problem.budget / base.sum()
    best = best_mixture(surfaces, Objective("worst", problem.weights), problem)
    near = best_mixture(surfaces, Objective("worst", problem.weights, near=Near("base", base, 0.3)), problem)
    assert near.value == pytest.approx(best.value - 0.3, abs=2e-3)
    assert np.abs(near.pairs - base).sum() < np.abs(best.pairs - base).sum()
    same = best_mixture(surfaces, Objective("worst", problem.weights, near=Near("base", base, 50.0)), problem)
    np.testing.assert_allclose(same.pairs, base, rtol=1e-2)


def test_budget_of_all_that_there_is_and_fixed_languages() -> None:
    surfaces, problem = world(4)
    everything = allocation_problem(
        problem.langs, float(np.floor(problem.max_pairs).sum()), max_pairs=problem.max_pairs
    )
    solution = best_mixture(surfaces, Objective("mean", everything.weights), everything)
    np.testing.assert_allclose(solution.pairs, np.floor(problem.max_pairs))
    fixed = allocation_problem(
        problem.langs,
        3000,
        min_pairs=np.array([400.0, 0, 0, 0, 0, 0]),
        max_pairs=np.array([400.0, *problem.max_pairs[1:]]),
    )
    solution = best_mixture(surfaces, Objective("worst", fixed.weights), fixed)
    assert solution.pairs[0] == pytest.approx(400)
    assert solution.pairs.sum() == pytest.approx(3000)
