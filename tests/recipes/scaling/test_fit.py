"""Fits find the laws behind values, with intervals, and refuse values that follow none."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from corpora.errors import InputError
from recipes.results import Result, parse_result
from recipes.scaling import Point, fit_form, fit_points, fit_results, mean_gammas, read_laws, select_results, write_laws

Measured = Callable[..., Mapping[str, Sequence[Point]]]
Truth = Callable[[str, float], float]


def test_fit_recovers_laws_without_noise(measured: Measured, true_score: Truth) -> None:
    for lang, law in fit_points(measured(0, noise=0.0)).laws.items():
        for pairs in (10_000, 3_000_000):
            assert float(law.predict(pairs)) == pytest.approx(true_score(lang, pairs), abs=1e-3)


def test_noise_is_in_metric_units_with_and_without_known_errors(measured: Measured) -> None:
    points = measured(3)
    known = {lang: [Point(p.size, p.value, 0.1) for p in own] for lang, own in points.items()}
    for form in ("power", "saturating"):
        plain, message = fit_form(points, form, 100.0), fit_form(known, form, 100.0)
        for lang in points:
            assert message[lang].noise == pytest.approx(plain[lang].noise, rel=1e-6)


def test_power_form_equals_weighted_least_squares() -> None:
    """Against the textbook: slope, standard error and t quantile of a straight line in log space."""
    rng = np.random.default_rng(5)
    size = np.array([10_000, 30_000, 100_000, 300_000, 1_000_000], float)
    value = 100 - 60 * size**-0.11 + rng.normal(0, 0.3, 5)
    law = fit_form({"ar": [Point(int(x), y) for x, y in zip(size, value, strict=True)]}, "power", 100.0)["ar"]
    x, y = np.log(size), np.log(100 - value)
    weight = (law.scale * size**-law.exponent) ** 2  # of a score's own error in the log of the gap
    middle = np.average(x, weights=weight)
    spread = weight @ (x - middle) ** 2
    slope = weight @ ((x - middle) * y) / spread
    residual = y - np.average(y, weights=weight) - slope * (x - middle)
    width = student.ppf(0.95, 3) * np.sqrt(weight @ residual**2 / 3 / spread)
    assert law.exponent == pytest.approx(-slope, abs=1e-6)
    low, high = law.parameter_interval("exponent")
    assert (low, high) == (pytest.approx(-slope - width, rel=0.03), pytest.approx(-slope + width, rel=0.03))


def test_90_percent_intervals_cover_the_truth(measured: Measured, true_score: Truth) -> None:
    found = [
        bool(law.interval(pairs)[0][0] <= true_score(lang, pairs) <= law.interval(pairs)[1][0])
        for seed in range(1000, 1040)
        for lang, law in fit_form(measured(seed), "power", 100.0).items()
        for pairs in (50_000.0, 200_000.0)
    ]
    assert 0.85 <= np.mean(found) <= 0.95


def test_language_with_two_points_is_shrunk_towards_the_others(measured: Measured, true_score: Truth) -> None:
    points = dict(measured(1))
    points["el"] = [p for p in points["el"] if p.size in (10_000, 30_000)]
    laws = fit_points(points).laws
    assert laws["el"].shrinkage > 0.05 > laws["ar"].shrinkage
    low, high = laws["el"].interval(300_000.0)
    assert low[0] < true_score("el", 300_000) < high[0]


def test_outlier_is_not_used(measured: Measured, true_score: Truth) -> None:
    points = dict(measured(2))
    bad = points["tr"][2]
    points["tr"] = [Point(p.size, p.value - 4 if p is bad else p.value) for p in points["tr"]]
    law = fit_points(points).laws["tr"]
    assert [p.size for p in law.points if not p.used] == [bad.size]
    assert float(law.predict(200_000)) == pytest.approx(true_score("tr", 200_000), abs=0.6)


def test_good_points_are_rarely_outliers(measured: Measured) -> None:
    laws = [law for seed in range(20) for law in fit_form(measured(seed), "power", 100.0, 0).values()]
    assert sum(not p.used for law in laws for p in law.points) <= 6  # of 600 points


def test_known_errors_weigh_points() -> None:
    sizes = (10_000, 30_000, 100_000, 300_000, 1_000_000)
    exact = {x: 100 - 60 * x**-0.11 for x in sizes}
    off = {x: value + (2.0 if x == 1_000_000 else 0.1 * (-1) ** n) for n, (x, value) in enumerate(exact.items())}

    def error(std: float) -> float:
        points = [Point(x, y, std if x == 1_000_000 else 0.1) for x, y in off.items()]
        return abs(float(fit_form({"ar": points}, "power", 100.0)["ar"].predict(1_000_000)) - exact[1_000_000])

    assert error(4.0) < 0.5 * error(0.1)


def test_repeated_runs_narrow_the_interval(measured: Measured) -> None:
    once = fit_form(measured(3), "power", 100.0)["ar"].interval(200_000.0)
    many = {lang: [p for seed in range(6) for p in measured(seed)[lang]] for lang in ("ar",)}
    often = fit_form(many, "power", 100.0)["ar"].interval(200_000.0)
    assert (often[1] - often[0])[0] < 0.7 * (once[1] - once[0])[0]


def test_saturating_form_is_chosen_only_where_it_predicts_better(measured: Measured) -> None:
    rng = np.random.default_rng(0)
    sizes = [int(x) for x in np.geomspace(2_000, 2_000_000, 9)]
    low = {lang: [Point(x, 40 - 900 * x**-0.5 + rng.normal(0, 0.05)) for x in sizes] for lang in ("ar", "el")}
    for law in fit_points(low).laws.values():
        assert law.functional_form != "power"
        assert law.holdout_error[law.functional_form] < 0.5 * law.holdout_error["power"]
        assert law.asymptote == pytest.approx(40, abs=1)
        assert float(law.predict(20_000_000)) == pytest.approx(40 - 900 * 2e7**-0.5, abs=0.5)
    assert {law.functional_form for law in fit_points(measured(5)).laws.values()} == {"power"}


def test_shifted_form_finds_the_offset() -> None:
    rng = np.random.default_rng(1)
    sizes = [0, *(int(x) for x in np.geomspace(500, 1_000_000, 10))]
    points = {"el": [Point(x, 60 - 3000 * (x + 20_000) ** -0.4 + rng.normal(0, 0.05)) for x in sizes]}
    law = fit_points(points).laws["el"]
    assert law.functional_form == "shifted"
    assert law.offset == pytest.approx(20_000, rel=0.3)
    assert float(law.predict(0.0)) == pytest.approx(60 - 3000 * 20_000**-0.4, abs=0.3)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "no size above 0"),
        ([Point(0, 20.0)], "no size above 0"),
        ([Point(1000, 50.0)], "1 size above 0"),
        ([Point(1000, 50.0), Point(1000, 51.0)], "1 size above 0"),
        ([Point(1000, 50.0), Point(1500, 51.0), Point(1900, 52.0)], "too close"),
        ([Point(1000, 50.0), Point(9000, 49.0), Point(90_000, 48.0)], "do not rise"),
        ([Point(1000, 50.0), Point(9000, 50.0), Point(90_000, 50.0)], "do not rise"),
        ([Point(1000, 50.0), Point(9000, 100.0), Point(90_000, 100.0)], "leaves no gap"),
        ([Point(1000, 50.0), Point(9000, 60.0)], "two points in every language"),
    ],
)
def test_points_without_a_law_give_the_reason(measured: Measured, points: list[Point], message: str) -> None:
    with pytest.raises(InputError, match=f"No law can be fitted. el: .*{message}"):
        fit_points({"el": points})
    if "every language" not in message:
        laws = fit_points({**measured(0), "el": points})
        assert message in laws.not_fitted["el"]
        assert "el" not in laws.laws


def test_two_points_need_all_errors() -> None:
    points = {"el": [Point(1000, 50.0, 0.3), Point(100_000, 60.0, 0.3)], "ar": [Point(1000, 50.0), Point(9000, 55.0)]}
    with pytest.raises(InputError, match="no estimate of the noise"):
        fit_points(points)


def test_two_points_with_known_errors_have_a_law() -> None:
    law = fit_points({"el": [Point(1000, 50.0, 0.3), Point(100_000, 60.0, 0.3)]}).laws["el"]
    low, high = law.interval(100_000.0)
    assert (high - low)[0] / 2 == pytest.approx(1.645 * 0.3, rel=0.05)


def test_laws_and_samples_are_monotonic_and_within_bounds(measured: Measured) -> None:
    pairs = np.geomspace(1, 1e9, 50)
    for form in ("power", "saturating", "shifted"):
        for law in fit_form(measured(5), form, 100.0).values():
            assert np.all(np.diff(law.predict_samples(pairs), axis=1) >= 0)
            assert np.all(law.samples[:, 0] <= 100 + 1e-6)
            assert np.all((law.samples[:, 2] > 0) & (law.samples[:, 2] < 1))


def row(**changes: object) -> Result:
    known = {
        "release": "r",
        "lang": "el",
        "num_pairs": 1000,
        "num_documents": 0,
        "seed": 0,
        "composition": {},
        "model": "m",
        "benchmark": "b",
    }
    known |= {"direction": "", "metric": "comet", "value": 50.0, "interval": None, "n": 1, "signature": "s"} | {
        "metric_min": 0.0,
        "metric_max": 100.0,
    }
    return parse_result(known | changes, "")


def test_select_results_refuses_results_that_cannot_be_compared() -> None:
    two = [row(), row(metric="spbleu")]
    with pytest.raises(InputError, match=r"2 metrics \(comet, spbleu\)\. Choose one by --metric"):
        select_results(two)
    assert select_results(two, metric="comet") == two[:1]
    with pytest.raises(InputError, match="No result has the metric 'chrf'"):
        select_results(two, metric="chrf")
    with pytest.raises(InputError, match="computed in 2 ways"):
        select_results([row(), row(signature="other")])
    with pytest.raises(InputError, match="Known: none"):
        select_results([row()], model="x*")


def test_gamma_results_give_the_alpha_of_the_paper() -> None:
    scores = [row(num_pairs=x, value=100 - 60.5567 * x**-0.11) for x in (5_000, 50_000, 500_000)]
    similar = [row(lang="el", metric="gamma", value=0.04)]
    law = fit_results(select_results([*scores, *similar]), mean_gammas(similar)).laws["el"]
    assert law.paper_alpha == pytest.approx(42.5, abs=0.05)


SIZE = st.sampled_from([0, 1, 2, 10, 1_000, 1_001, 50_000, 10**7, 2**50])
VALUE = st.floats(0, 100) | st.sampled_from([0.0, 1e-300, 50.0, 99.9999999, 100.0])
STD = st.none() | st.sampled_from([1e-9, 0.3, 1000.0])
POINTS = st.lists(st.builds(Point, SIZE, VALUE, STD), max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["ar", "el", "hi"]), POINTS, min_size=1))
@example({"ar": [Point(1000, 50.0), Point(2000, 60.0), Point(4000, 60.0), Point(2**50, 60.0)]})
def test_any_points_give_readable_laws_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, points: dict[str, list[Point]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "laws.json"
    try:
        laws = fit_points(points, metric="comet")
    except InputError as error:
        assert set(points) <= {lang for lang in points if f"{lang}: " in str(error)}  # noqa: PT017
        return
    assert laws.laws.keys() | laws.not_fitted.keys() == points.keys()
    write_laws(path, laws)
    for lang, law in read_laws(path).laws.items():
        assert np.all(np.isfinite(law.predict_samples(np.array([1.0, 1e6, 1e12])))), lang
