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


def test_poor_scores_of_other_metrics_are_no_fractions() -> None:
    check_units("chrf++", [0.3, 0.9], (0, 100), "x.csv")
