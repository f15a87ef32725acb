"""Laws predict, and are read from files as they were written."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.scaling import Laws, Point, ScalingLaw, fit_points, read_laws, write_laws

Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_arabic_law_of_the_paper_gives_the_values_of_its_formula() -> None:
    """arXiv 2308.04948, Figure 3: 100 - 42.5 (0.04 x)^-0.11, x the raw number of pairs."""
    law = ScalingLaw("ar", 100.0, 60.5567, 0.11, gamma=0.04)
    for pairs, value in ((50_000, 81.58), (200_000, 84.19), (1_097_200, 86.89)):
        assert float(law.predict(pairs)) == pytest.approx(value, abs=0.01)
    assert law.paper_alpha == pytest.approx(42.5, abs=0.01)


def test_law_of_the_formula_with_all_parameters() -> None:
    law = ScalingLaw("ar", 80.0, 300.0, 0.5, 100.0)
    assert float(law.predict(0.0)) == pytest.approx(80 - 300 / 10)
    assert law.predict(np.array([800.0, 2400.0])) == pytest.approx([70.0, 74.0])


def test_laws_survive_writing_and_reading(measured: Measured, tmp_path: Path) -> None:
    laws = fit_points({**measured(0), "de": [Point(5, 50.0)]}, metric="comet")
    write_laws(tmp_path / "laws.json", laws)
    again = read_laws(tmp_path / "laws.json")
    assert (again.metric, again.metric_max, again.not_fitted) == ("comet", 100.0, laws.not_fitted)
    for lang, law in laws.laws.items():
        other = again.laws[lang]
        assert np.array_equal(other.parameters, law.parameters)
        assert (other.functional_form, other.points, other.shrinkage) == (
            law.functional_form,
            law.points,
            law.shrinkage,
        )
        assert np.allclose(other.predict_samples(200_000.0), law.predict_samples(200_000.0), atol=1e-6)


def test_law_by_hand_needs_language_scale_and_exponent(tmp_path: Path) -> None:
    path = tmp_path / "laws.json"
    path.write_text('{"laws": [{"lang": "ar", "scale": 60.5567, "exponent": 0.11}]}')
    law = read_laws(path).laws["ar"]
    assert float(law.predict(50_000)) == pytest.approx(81.58, abs=0.01)
    assert law.interval(50_000) == (law.predict(50_000), law.predict(50_000))


GOOD = {"lang": "ar", "scale": 60.0, "exponent": 0.11}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**GOOD, "exponent": -0.11}, "'exponent' must be at least .*, not -0.11"),
        ({**GOOD, "exponent": 1}, "'exponent' must be below 1"),
        ({**GOOD, "scale": 0}, "'scale' must be at least"),
        ({**GOOD, "scale": "60"}, "'scale' must be a number"),
        ({**GOOD, "scale": float("nan")}, "'scale' must be"),
        ({**GOOD, "offset": -5}, "'offset' must be at least 0"),
        ({**GOOD, "asymptote": 1e9}, "'asymptote' must be at most"),
        ({**GOOD, "lang": "xx"}, "Unknown language"),
        ({**GOOD, "scal": 1}, "Unknown key 'scal'. Did you mean scale"),
        ({"lang": "ar", "scale": 1}, "the key 'exponent' is missing"),
        ({**GOOD, "functional_form": "powr"}, "Unknown value of 'functional_form' 'powr'. Did you mean power"),
        ({**GOOD, "noise": -1}, "'noise' must be"),
        ({**GOOD, "samples": [[1, 2]]}, "'samples"),
        ({**GOOD, "samples": [[100, 60, -0.5, 0]]}, "'samples' must hold"),
        ({**GOOD, "points": [[1, 2]]}, "'points"),
        ({**GOOD, "holdout_error": []}, "'holdout_error' must be a table"),
    ],
)
def test_mistake_in_a_law_names_file_law_and_key(tmp_path: Path, row: object, message: str) -> None:
    path = tmp_path / "laws.json"
    path.write_text(json.dumps({"laws": [row]}))
    with pytest.raises(InputError, match=f"laws.json, law 1: .*{message}"):
        read_laws(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "the key 'laws' is missing"),
        ("[]", "keys and values were expected"),
        ('{"laws": []}', "'laws' must be"),
        ('{"laws": {}}', "'laws' must be a list"),
        ('{"laws": [[]]}', "'laws' .* must be a table"),
        (json.dumps({"laws": [GOOD], "metrics": "comet"}), "Unknown key 'metrics'. Did you mean metric"),
        (json.dumps({"laws": [GOOD, GOOD]}), "law 2: ar has a law already"),
    ],
)
def test_mistake_in_a_file_of_laws_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "laws.json"
    path.write_text(text)
    with pytest.raises(InputError, match=f"laws.json.*{message}"):
        read_laws(path)


def test_missing_file_of_laws_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_laws(tmp_path / "none.json")


def test_language_without_a_law_gives_the_reason() -> None:
    laws = Laws("comet", 100.0, {}, {"el": "one size shows no trend."})
    with pytest.raises(InputError, match=r"There is no law for el\. el: one size"):
        laws.select(["el"])
