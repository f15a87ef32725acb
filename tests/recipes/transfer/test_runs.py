"""Runs on mixtures from results, and what makes results unusable."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.results import Result
from recipes.transfer import design_mixtures, fit_any, has_mixtures, runs_from_results


def result(
    lang: str, value: float, composition: Mapping[str, Any], model: str = "m", seed: int = 0, **changes: Any
) -> Result:
    pairs = composition.get("translation", {}).get(lang, 0)
    fields = {"release": "r@v1.0.0", "num_pairs": pairs, "num_documents": 0, "benchmark": "b", "direction": "en-xx"}
    fields |= {"metric": "chrf++", "interval": None, "n": 10, "signature": "s", "metric_min": 0.0, "metric_max": 100.0}
    return Result(
        **fields | {"lang": lang, "value": value, "composition": composition, "model": model, "seed": seed} | changes
    )


def of(el: int, hi: int, **others: Any) -> dict[str, Any]:
    return {"translation": {"el": el, "hi": hi}, **others}


def test_runs_have_the_counts_of_their_models() -> None:
    results = [result(x, v, of(10, 20), "a") for x, v in {"el": 5.0, "hi": 6.0}.items()]
    results += [result("el", 7.0, {"translation": {"el": 40}, "instruction": {"en": 8}}, "b")]
    assert has_mixtures(results)
    runs = runs_from_results(results)
    assert (runs.langs, runs.donors) == (("el", "hi"), ("el", "hi", "instruction/en"))
    np.testing.assert_array_equal(runs.pairs, [[10, 20, 0], [40, 0, 8]])
    np.testing.assert_array_equal(runs.values, [[5, 6], [7, np.nan]])
    assert runs.is_mixed.tolist() == [True, False]


def test_equal_counts_of_other_tasks_are_no_donors() -> None:
    results = [result("el", 5.0 + n, of(10, n, instruction={"en": 8}), f"m{n}") for n in (2, 5)]
    assert runs_from_results(results).donors == ("el", "hi")


def test_models_of_one_language_need_no_transfer() -> None:
    assert not has_mixtures([result("el", 5.0, {"translation": {"el": 4}}), result("el", 6.0, {}, "b")])


def test_results_without_composition_beside_mixtures_are_refused() -> None:
    with pytest.raises(InputError, match=r"1 results are of models on mixtures .* but 1 .* composition is empty"):
        has_mixtures([result("el", 5.0, of(1, 2)), result("el", 6.0, {}, "b", num_pairs=5)])


def test_composition_must_add_up() -> None:
    with pytest.raises(InputError, match="num_pairs is 11, but its composition has 10 translations with el"):
        runs_from_results([result("el", 5.0, of(10, 20), num_pairs=11)])
    with pytest.raises(InputError, match="the composition has -3 examples"):
        runs_from_results([result("el", 5.0, of(10, -3))])


def test_equal_runs_with_other_values_are_refused_unless_the_seed_differs() -> None:
    varied = [result("el", 4.0, of(30, 5), "z")]
    with pytest.raises(InputError, match=r"a \(seed 0\) and b \(seed 0\) .* differ by 10.00 in el"):
        runs_from_results([*varied, result("el", 5.0, of(9, 9), "a"), result("el", 15.0, of(9, 9), "b")])
    runs_from_results([*varied, result("el", 5.0, of(9, 9), "a"), result("el", 15.0, of(9, 9), "b", seed=1)])


def test_runs_of_one_mixture_are_refused() -> None:
    with pytest.raises(InputError, match="All 2 runs have the same mixture"):
        fit_any([result("el", 5.0, of(10, 20), "a"), result("el", 6.0, of(20, 40), "b")])


def test_design_fills_the_space_of_shares_within_what_there_is() -> None:
    available = {"el": 6839, "hi": 2558, "tr": 9588, "vi": 1271}
    design = design_mixtures(available, [1500, 3000], 8)
    assert len(design) == 16
    assert {sum(mixture.values()) for mixture in design} == {1500, 3000}
    assert all(0 < mixture[lang] <= available[lang] for mixture in design for lang in available)
    shares = np.array([[mixture[lang] / sum(mixture.values()) for lang in available] for mixture in design])
    assert (shares.max(axis=0) > 0.35).all()
    assert (shares.min(axis=0) < 0.12).all()
    assert design_mixtures(available, [1500], 3) == design_mixtures(available, [1500], 3)
    with pytest.raises(InputError, match="at least two languages"):
        design_mixtures({"el": 5}, [4], 1)
    with pytest.raises(InputError, match="above the sum of the maximums"):
        design_mixtures({"el": 5, "hi": 6}, [400], 1)
