"""Several metrics at once: weights, floors of each metric, and what the commands print."""

from pathlib import Path

import numpy as np
import pytest

from builders.budget import allocate
from corpora.errors import InputError
from recipes.transfer import TransferLaws, write_transfer_laws
from tests.recipes.transfer.laws_of_metrics import AVAILABLE, laws_of

pytestmark = pytest.mark.slow
BUDGET = 3000


@pytest.fixture(scope="module")
def chrf() -> TransferLaws:
    return laws_of("chrf++", np.array([6.0, 2.0, 2.0]))


@pytest.fixture(scope="module")
def comet() -> TransferLaws:
    return laws_of("comet", np.array([1.0, 4.0, 1.0]), seed=1)


def test_mixture_moves_from_one_metric_to_the_other_with_the_weight(chrf: TransferLaws, comet: TransferLaws) -> None:
    el = []
    for weight in (0.01, 0.5, 1.0, 2.0, 100.0):
        result = allocate(BUDGET, laws=[chrf, comet], available=AVAILABLE, metric_weight={"chrf++": weight})
        el.append(int(result.mixture.pairs[0]))
        assert result.mixture.pairs.sum() == BUDGET
    assert el == sorted(el)
    for index, laws in ((0, comet), (-1, chrf)):
        alone = allocate(BUDGET, laws=laws, available=AVAILABLE).mixture.pairs[0]
        assert el[index] == pytest.approx(alone, abs=0.05 * BUDGET)


def test_no_metric_loses_against_a_mixture(chrf: TransferLaws, comet: TransferLaws) -> None:
    both = {"laws": [chrf, comet], "available": AVAILABLE, "metric_weight": {"chrf++": 20.0}}
    free = allocate(BUDGET, **both).to_json()["alternatives"]
    unimax = next(row for row in free if row["name"] == "unimax")
    assert unimax["by_metric"]["comet"]["advantage"] < -0.1, "comet pays for chrF++"
    kept = allocate(BUDGET, **both, no_metric_worse_than=["unimax"]).to_json()
    unimax = next(row for row in kept["alternatives"] if row["name"] == "unimax")
    assert unimax["by_metric"]["comet"]["advantage"] > -0.06
    assert unimax["by_metric"]["chrf++"]["advantage"] > 0.1
    assert kept["objective"]["no_worse_than"] == [{"name": "unimax", "points": 0.0, "of": "metric"}]


def test_tables_have_a_column_for_each_metric(chrf: TransferLaws, comet: TransferLaws, tmp_path: Path) -> None:
    paths = [tmp_path / "chrf.json", tmp_path / "comet.json"]
    for path, laws in zip(paths, (chrf, comet), strict=True):
        write_transfer_laws(path, laws)
    result = allocate(BUDGET, laws=paths, available=AVAILABLE, no_worse_than=["unimax:1"], picture=tmp_path / "a.png")
    text = repr(result)
    for shown in ("by the laws of chrf++ and comet", "chrF++ [90%]", "COMET [90%]", "in COMET [90%]"):
        assert shown in text
    assert "10k more" not in text, "the mixture has 3,000 pairs"
    assert set(result.to_json()["predicted"][0]["metrics"]) == {"chrf++", "comet"}
    assert (tmp_path / "a.png").stat().st_size


def test_metrics_that_cannot_be_added_are_an_error(chrf: TransferLaws, comet: TransferLaws) -> None:
    half = TransferLaws(**{**vars(comet), "metric_range": (0.0, 1.0)})
    for laws, options, message in (
        ([chrf, chrf], {}, "Several --laws are of chrf"),
        ([chrf, half], {}, "chrf.. up to 100, comet up to 1"),
        ([chrf, comet], {"metric_weight": {"bleu": 2}}, "Unknown metric 'bleu'"),
        ([chrf, comet], {"metric_weight": {"comet": 0}}, "a number above 0"),
        ([chrf, comet], {"objective": "worst"}, "--objective worst is for one metric"),
        ([chrf, comet], {"quantile": 0.1}, "--quantile is for laws of one metric"),
        ([chrf], {"no_metric_worse_than": ["unimax"]}, "is for several metrics"),
    ):
        with pytest.raises(InputError, match=message):
            allocate(BUDGET, laws=laws, available=AVAILABLE, **options)
