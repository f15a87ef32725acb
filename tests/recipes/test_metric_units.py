"""Values of metrics that are fractions where hundredths were expected."""

import pytest

from corpora.errors import InputError
from recipes.metric_units import check_units
from recipes.results import Result, parse_result

UNKNOWN = {"release": "", "composition": {}, "num_documents": 0, "n": 0, "signature": "imported"}
UNKNOWN |= {"model": "m", "benchmark": "", "direction": "", "num_pairs": 1000, "seed": 0, "interval": None}


def results(metric: str, values: dict[str, list[float]], metric_max: float = 100) -> list[Result]:
    limits = {"metric": metric, "metric_min": -1 if metric == "log_odds" else 0, "metric_max": metric_max}
    rows = [{"lang": lang, "value": value} for lang, numbers in values.items() for value in numbers]
    return [parse_result(UNKNOWN | limits | row, "x.csv") for row in rows]


@pytest.mark.parametrize("metric", ["comet", "COMET-22", "bleurt", "xcomet", "wmt22-comet"])
def test_fractions_of_a_metric_in_hundredths_are_refused(metric: str) -> None:
    with pytest.raises(InputError, match=r"x.csv: the values of .* are from 0\.71 to 0\.86, which are fractions"):
        check_units(results(metric, {"el": [0.86, 0.71]}), "x.csv")
    check_units(results(metric, {"el": [0.86, 0.71]}, 1), "x.csv")
    check_units(results(metric, {"el": [86.0, 71.0]}), "x.csv")


ONE_LANGUAGE = {"comet": [0.66, 0.83], "bleurt": [1.02], "xcomet": [0.5], "COMET-22": [0.1, 0.9], "bertscore": [0.91]}


@pytest.mark.parametrize(("metric", "values"), ONE_LANGUAGE.items())
def test_one_language_in_fractions_among_others_in_hundredths_is_refused_by_name(metric, values) -> None:
    with pytest.raises(InputError, match=r"x.csv: the values of .* in hi are .*, which are fractions"):
        check_units(results(metric, {"el": [73.4, 85.1], "hi": values, "ar": [71.9]}), "x.csv")


FRACTIONS = {
    "chrf++": {"el": [0.31, 0.52]},
    "spbleu": {"el": [0.05, 0.3]},
    "em": {"el": [0.4, 1.0]},
    "f1": {"el": [0.0, 0.66]},
    "my_metric": {"el": [0.9]},
    "bleu": {"el": [31.0, 35.0], "hi": [0.2, 0.25]},
    "comet": {"el": [73.0, 78.0, 0.81]},
}
POINTS = {
    "chrf++": {"el": [0.9, 12.0]},
    "spbleu": {"el": [1.4, 3.2]},
    "em": {"el": [0.0, 0.0]},
    "log_odds": {"el": [-0.7, 0.2]},
    "f1": {},
    "bleu": {"el": [4.0, 5.0], "hi": [0.2, 0.9]},
    "bleurt": {"el": [55.0, 61.0], "hi": [12.0, 21.0]},
}


@pytest.mark.parametrize(("metric", "values"), FRACTIONS.items())
def test_values_that_look_like_fractions_are_said_with_the_remedy(metric, values, caplog) -> None:
    check_units(results(metric, values), "x.csv")
    assert f"values of {metric}" in caplog.text
    assert "If they are fractions, multiply them by 100, or import them with --metric-range 0,1." in caplog.text


@pytest.mark.parametrize(("metric", "values"), POINTS.items())
def test_poor_scores_and_fractions_with_their_range_are_left_alone(metric, values, caplog) -> None:
    check_units(results(metric, values), "x.csv")
    check_units(results(metric, {"el": [0.5]}, 1), "x.csv")
    assert caplog.text == ""
