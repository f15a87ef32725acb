"""fit, allocate and plan as functions: the same as the commands, with Python values."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.results import Result

SCALES = {"el": 71.2, "hi": 128.9, "zh": 57.4}
AVAILABLE = {"el": 620_800, "hi": 234_233, "zh": 912_500}


def results(models: Mapping[str, float], noise: float = 0.1) -> list[Result]:
    """Return results of models with laws that differ in scale by a factor."""
    rng = np.random.default_rng(1)
    return [
        Result(
            release="r@v1.0.0",
            lang=lang,
            num_pairs=size,
            num_documents=0,
            seed=0,
            composition={},
            model=f"{model}-{size}",
            benchmark="flores",
            direction="en-xx",
            metric="comet",
            value=float(100 - factor * scale * size**-0.13 + rng.normal(0, noise)),
            interval=None,
            n=1012,
            signature="s",
            metric_min=0.0,
            metric_max=100.0,
        )
        for model, factor in models.items()
        for lang, scale in SCALES.items()
        for size in (5_000, 20_000, 80_000, 320_000)
    ]


def test_fit_returns_laws_that_allocate_and_plan_use() -> None:
    from builders.budget import allocate, fit, plan

    fitted = fit(results({"coit": 1.0}))
    assert set(fitted.laws.laws) == set(SCALES)
    assert "100 - " in repr(fitted)
    assert fitted._repr_html_().startswith("<table>")
    allocated = allocate(600_000, laws=fitted.laws, available=AVAILABLE)
    assert allocated.mixture.pairs.sum() == 600_000
    assert "Expected regret" in repr(allocated)
    assert allocated._repr_html_().count("<table>") == 2
    assert allocated.to_json()["alternatives"][1]["name"] == "unimax"
    planned = plan(600_000, laws=fitted.laws, available=AVAILABLE, runs=2, target_regret=0.0)
    assert len(planned.runs) == 2
    assert planned.to_json()[0]["regret_after"] < planned.to_json()[0]["regret_before"]


def test_languages_are_a_list_or_a_text() -> None:
    from builders.budget import fit

    rows = results({"coit": 1.0})
    assert set(fit(rows, langs=["el", "hi"]).laws.laws) == set(fit(rows, langs="el,hi").laws.laws) == {"el", "hi"}
    with pytest.raises(InputError, match="Unknown language 'ell'"):
        fit(rows, langs="ell")


def test_allocate_takes_limits_for_all_or_by_language() -> None:
    from builders.budget import allocate

    rows = results({"coit": 1.0})
    pairs = dict(
        zip(
            sorted(SCALES),
            allocate(600_000, results=rows, available=AVAILABLE, min=1_000, max={"hi": 2_000}).mixture.pairs.tolist(),
            strict=True,
        )
    )
    assert pairs["hi"] == 2_000
    with pytest.raises(InputError, match="--min names de, which is not one of the languages el, hi, zh"):
        allocate(600_000, results=rows, available=AVAILABLE, min={"de": 5})


@pytest.mark.slow
def test_fit_compares_with_a_baseline(tmp_path: Path) -> None:
    from builders.budget import fit

    both = results({"coit": 1.0, "continued": 1.2})
    fitted = fit(both, model="coit-*", baseline="continued-*", output=tmp_path / "laws.json")
    equivalences = fitted.to_json()["equivalences"]
    assert [e["lang"] for e in equivalences] == ["el", "hi", "zh"]
    assert all(e["equivalent_size"] < e["baseline_size"] for e in equivalences)
    assert "law of continued-*" in repr(fitted)
    assert [path.name for path in fitted.files] == ["laws.json", "laws.png"]
    assert all(path.stat().st_size for path in fitted.files)
    with pytest.raises(InputError, match="No result is of these models and languages"):
        fit(both, baseline="nothing-*")


def test_results_and_laws_may_be_tables_and_results_of_fit(tmp_path: Path) -> None:
    from dataclasses import asdict

    import polars as pl

    from builders.budget import allocate, fit, read_budget

    rows = [asdict(result) | {"composition": {"text": {result.lang: 1}}} for result in results({"coit": 1.0})]
    fitted = fit(pl.DataFrame(rows, infer_schema_length=None))
    expected = fit(results({"coit": 1.0}))
    assert repr(fitted) == repr(expected)
    by_fit = allocate(600_000, laws=fitted, available=AVAILABLE, langs="el,hi")
    assert list(by_fit.mixture.langs) == ["el", "hi"]
    budget = read_budget(1000, fitted)
    assert budget is not None
    assert budget.laws is fitted.laws
    table = pl.DataFrame(rows).select("lang", "num_pairs", "value")
    imported = fit(tmp_path / "results.jsonl", metric="comet", model="m", import_=table)
    assert imported.imported == (12, 12)
    assert set(imported.laws.laws) == set(SCALES)


def test_tables_that_are_no_results_are_errors(tmp_path: Path) -> None:
    import polars as pl

    from builders.budget import fit, read_budget

    with pytest.raises(InputError, match="results, row 1: "):
        fit(pl.DataFrame({"a": [1]}))
    with pytest.raises(InputError, match="holds no row"):
        fit(pl.DataFrame())
    with pytest.raises(InputError, match="results= takes a text or a path or a list or a Table, not 5"):
        fit(5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="laws= takes the result of fit, its laws or its file, not 5"):
        read_budget(1000, 5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="The table has the columns a; lang, num_pairs, value"):
        fit(tmp_path / "results.jsonl", metric="comet", model="m", import_=pl.DataFrame({"a": [1]}))
