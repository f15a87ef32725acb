"""Laws with transfer: what they predict of runs that were left out, their file, and what cannot be fitted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.transfer import (
    Objective,
    TransferLaws,
    allocate_by_transfer,
    allocation_summary,
    fit_transfer,
    law_surfaces,
    noise_floor,
    read_any_laws,
    transfer_laws_json,
    without_largest,
    write_transfer_laws,
)

from .runs import MAXIMUMS, design_runs


@pytest.fixture(scope="module")
def laws() -> TransferLaws:
    return fit_transfer(design_runs(), "token_accuracy")


def problem(weights: tuple[float, ...] | None = None):
    from recipes.mixing import allocation_problem

    own = None if weights is None else np.array(weights)
    return allocation_problem(("el", "hi", "tr", "vi"), 4000, num_unique=np.array(MAXIMUMS, float), weights=own)


@pytest.mark.slow
def test_mixtures_left_out_are_predicted(laws: TransferLaws) -> None:
    assert laws.holdout_error[laws.form] < 1.4
    assert laws.holdout_error["separable"] > 1.5 * laws.holdout_error[laws.form]
    assert all(law.effective_samples > 100 for law in laws.laws.values())


@pytest.mark.slow
def test_runs_of_one_language_predict_mixtures_too_low() -> None:
    runs = design_runs()
    alone = fit_transfer(runs.select(~runs.is_mixed), form="separable")
    errors = alone.predict(runs.pairs[runs.is_mixed]) - runs.values[runs.is_mixed]
    assert errors.mean() < -3
    assert np.sqrt((errors**2).mean()) > 4


@pytest.mark.slow
def test_largest_budget_left_out_is_predicted() -> None:
    runs = design_runs()
    smaller, is_largest = without_largest(runs)
    laws = fit_transfer(smaller, form="shared")
    errors = laws.predict(runs.pairs[is_largest]) - runs.values[is_largest]
    assert np.sqrt((errors**2).mean()) < 1.6


@pytest.mark.slow
def test_plainest_mixture_is_recommended_unless_it_is_clearly_behind(laws: TransferLaws) -> None:
    plain = problem()
    mean = allocate_by_transfer(law_surfaces(laws, plain), Objective("mean", plain.weights), plain)
    assert mean.recommended.mixture.name == "unimax"
    assert mean.optimum.pairs.sum() == 4000
    worst = allocate_by_transfer(law_surfaces(laws, plain), Objective("worst", plain.weights), plain)
    assert worst.recommended.mixture.name == "optimum"
    heavy = problem((1, 3, 1, 3))
    weighted = allocate_by_transfer(law_surfaces(laws, heavy), Objective("mean", heavy.weights), heavy)
    assert weighted.recommended.mixture.name == "by-weight"
    careful = allocate_by_transfer(law_surfaces(laws, plain), Objective("worst", plain.weights), plain, matters=20)
    assert careful.recommended.mixture.name == "unimax"


@pytest.mark.slow
def test_summary_has_what_the_card_of_a_release_shows(laws: TransferLaws) -> None:
    plain = problem()
    draws, objective = law_surfaces(laws, plain), Objective("mean", plain.weights)
    allocation = allocate_by_transfer(draws, objective, plain)
    summary = allocation_summary(allocation, allocation.optimum, draws, objective, plain)
    assert summary["regret"].keys() == {"expected", "quantile_95"}
    assert summary["alternatives"][0]["p_better"] is None
    assert summary["recommended"]["sentence"].startswith("Take unimax: the optimum is ahead by ")
    for law in transfer_laws_json(laws, laws.langs, allocation.optimum):
        assert {"lang", "law", "intervals", "points", "holdout_error", "functional_form", "curve"} <= law.keys()


@pytest.mark.slow
def test_laws_survive_their_file(laws: TransferLaws, tmp_path: Path) -> None:
    write_transfer_laws(tmp_path / "laws.json", laws)
    again = read_any_laws(tmp_path / "laws.json")
    assert isinstance(again, TransferLaws)
    pairs = np.array([[1000.0, 500, 700, 900]])
    np.testing.assert_allclose(again.predict(pairs), laws.predict(pairs), rtol=1e-4)
    np.testing.assert_array_equal(again.runs[0], laws.runs[0])
    text = (tmp_path / "laws.json").read_text("utf-8")
    for old, new, message in [
        ('"transfer": "shared"', '"transfer": "magic"', "transfer"),
        ('"hi",', '"tr",', "hi is not among the donors"),
        ('"unit": 1000.0', '"unit": -1', "unit"),
    ]:
        (tmp_path / "broken.json").write_text(text.replace(old, new, 1), "utf-8")
        with pytest.raises(InputError, match=message):
            read_any_laws(tmp_path / "broken.json")


def test_language_that_no_run_holds_has_a_reason() -> None:
    runs = design_runs()
    without = replace(runs, pairs=runs.pairs * np.array([1, 1, 1, 0.0]))
    laws = fit_transfer(without, form="shared")
    assert laws.langs == ("el", "hi", "tr")
    with pytest.raises(InputError, match=r"no law for vi\. vi: no run that was evaluated in it holds it"):
        laws.check(["el", "vi"])


def test_few_samples_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from recipes.transfer import fit

    monkeypatch.setattr(fit, "MIN_EFFECTIVE_SAMPLES", 100_000)
    with pytest.raises(InputError, match=r"determine the law of el too little: .* Train more mixtures"):
        fit_transfer(design_runs(), form="shared")


def test_noise_floor_needs_more_difference_for_fewer_seeds() -> None:
    runs = design_runs()
    again = replace(
        runs, pairs=np.vstack([runs.pairs, runs.pairs[:3]]), values=np.vstack([runs.values, runs.values[:3] + 1])
    )
    floor = noise_floor(replace(again, names=again.names * 2, seeds=again.seeds * 2))
    assert floor is not None
    assert floor.df == 3
    np.testing.assert_allclose(floor.noise, np.sqrt(0.5))
    assert floor.smallest(1)[1] == pytest.approx(3.182 * np.sqrt(2 * 0.5), rel=1e-3)
    assert floor.smallest(5)[1] < floor.smallest(3)[1] < floor.smallest(1)[1]
    assert noise_floor(runs) is None
