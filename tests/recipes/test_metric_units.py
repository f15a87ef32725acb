"""Values of metrics that are fractions where hundredths were expected."""

import pytest

from corpora.errors import InputError
from recipes.metric_units import check_units


@pytest.mark.parametrize("metric", ["comet", "COMET-22", "bleurt", "xcomet", "wmt22-comet"])
def test_fractions_of_a_metric_in_hundredths_are_refused(metric: str) -> None:
    with pytest.raises(InputError, match=r"x.csv: the values of .* are from 0\.71 to 0\.86, which are fractions"):
        check_units(metric, [0.86, 0.71], (0, 100), "x.csv")
    check_units(metric, [0.86, 0.71], (0, 1), "x.csv")
    check_units(metric, [86.0, 71.0], (0, 100), "x.csv")


FRACTIONS = {"chrf++": [0.31, 0.52], "spbleu": [0.05, 0.3], "em": [0.4, 1.0], "f1": [0.0, 0.66], "my_metric": [0.9]}
POINTS = {
    "chrf++": [0.9, 12.0],
    "spbleu": [1.4, 3.2],
    "em": [0.0, 0.0],
    "log_odds": [-0.7, 0.2],
    "f1": [],
}


@pytest.mark.parametrize(("metric", "values"), FRACTIONS.items())
def test_values_that_look_like_fractions_are_said_with_the_remedy(metric, values, caplog) -> None:
    check_units(metric, values, (0, 100), "x.csv")
    assert f"x.csv: all values of {metric} are at most 1" in caplog.text
    assert "--metric-range 0,1" in caplog.text


@pytest.mark.parametrize(("metric", "values"), POINTS.items())
def test_poor_scores_and_fractions_with_their_range_are_left_alone(metric, values, caplog) -> None:
    check_units(metric, values, (0, 100), "x.csv")
    check_units(metric, FRACTIONS.get(metric, [0.5]), (0, 1), "x.csv")
    assert caplog.text == ""
