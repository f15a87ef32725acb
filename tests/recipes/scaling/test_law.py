"""Laws: they predict, are written and read as they are, and refuse what is none."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.scaling.fit import fit
from recipes.scaling.law import Laws, Point, ScalingLaw, read_laws, write_laws

Measured = Callable[..., Mapping[str, Sequence[Point]]]


def test_the_papers_arabic_law_gives_the_scores_that_its_formula_does() -> None:
    """arXiv 2308.04948, Figure 3: 100 - 42.5 (0.04 x)^-0.11, x the raw number of pairs."""
    law = ScalingLaw("ar", 100.0, 60.5567, -0.11, gamma=0.04)
    for pairs, score in ((50_000, 81.58), (200_000, 84.19), (1_097_200, 86.89)):
        assert float(law.predict(pairs)) == pytest.approx(score, abs=0.01)
    assert law.alpha == pytest.approx(42.5, abs=0.01)


def test_laws_are_read_as_they_were_written(measured: Measured, tmp_path: Path) -> None:
    laws = fit({**measured(0), "de": [Point(5, 50.0)]}, metric="comet")
    write_laws(tmp_path / "laws.json", laws)
    again = read_laws(tmp_path / "laws.json")
    assert (again.metric, again.top, again.refused) == ("comet", 100.0, laws.refused)
    for lang, law in laws.laws.items():
        other = again.laws[lang]
        assert (other.k, other.beta, other.form, other.points) == (law.k, law.beta, law.form, law.points)
        assert np.allclose(other.scores(200_000.0), law.scores(200_000.0), atol=1e-6)


def test_a_law_by_hand_needs_a_language_k_and_beta_alone(tmp_path: Path) -> None:
    path = tmp_path / "laws.json"
    path.write_text('{"laws": [{"lang": "ar", "k": 60.5567, "beta": -0.11}]}')
    law = read_laws(path).laws["ar"]
    assert float(law.predict(50_000)) == pytest.approx(81.58, abs=0.01)
    assert law.interval(50_000) == (law.predict(50_000), law.predict(50_000))


GOOD = {"lang": "ar", "k": 60.0, "beta": -0.11}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({**GOOD, "beta": 0.11}, "beta between -1 and 0"),
        ({**GOOD, "beta": -1}, "beta between -1 and 0"),
        ({**GOOD, "k": 0}, "k above 0"),
        ({**GOOD, "k": "60"}, "k above 0"),
        ({**GOOD, "k": float("nan")}, "k above 0"),
        ({**GOOD, "start": -5}, "start from 0 to 1e18"),
        ({**GOOD, "lang": "xx"}, "Unknown language"),
        ({**GOOD, "kk": 1}, "Unknown key 'kk'"),
        ({"lang": "ar", "k": 1}, "beta must be there"),
        ({**GOOD, "form": "line"}, "Unknown form"),
        ({**GOOD, "noise": -1}, "'noise' must be"),
        ({**GOOD, "draws": [[1, 2]]}, "'draws' must be"),
        ({**GOOD, "draws": [[100, 60, 0.5, 0]]}, "beta between -1 and 0"),
        ({**GOOD, "points": [[1, 2]]}, "a point must be"),
        ({**GOOD, "held_out": []}, "'held_out' must be"),
        ([], "an object was expected"),
    ],
)
def test_what_is_no_law_is_told(tmp_path: Path, row: object, told: str) -> None:
    path = tmp_path / "laws.json"
    path.write_text(json.dumps({"laws": [row]}))
    with pytest.raises(InputError, match=f"law 1: .*{told}"):
        read_laws(path)


def test_a_file_without_laws_or_with_two_for_a_language_is_told(tmp_path: Path) -> None:
    path = tmp_path / "laws.json"
    for text in ("{}", "[]", '{"laws": []}', '{"laws": {}}'):
        path.write_text(text)
        with pytest.raises(InputError, match="a list 'laws' was expected"):
            read_laws(path)
    path.write_text(json.dumps({"laws": [GOOD, GOOD]}))
    with pytest.raises(InputError, match="ar has a law already"):
        read_laws(path)
    with pytest.raises(InputError, match="There is no file"):
        read_laws(tmp_path / "none.json")


def test_a_language_without_a_law_is_named_with_the_reason() -> None:
    laws = Laws("comet", 100.0, {}, {"el": "one size shows no trend."})
    with pytest.raises(InputError, match=r"There is no law for el\. el: one size"):
        laws.of(["el"])
