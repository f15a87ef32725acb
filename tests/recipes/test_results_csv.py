"""Results are read from a CSV."""

from pathlib import Path

import pytest

from corpora.errors import InputError
from recipes.results_csv import read_results_csv


def write_csv(folder: Path, text: str) -> Path:
    (folder / "results.csv").write_text(text, encoding="utf-8")
    return folder / "results.csv"


def test_equal_rows_of_a_csv_are_repeated_runs(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "num_pairs,lang, value,std\n5000,el,70.5,0.5\n5000,el,70.5,\n20000,el,75,0\n")
    results = read_results_csv(path, "m", "comet", "flores101", "en-xx")
    assert [(r.num_pairs, r.seed, r.value) for r in results] == [(5000, 0, 70.5), (5000, 1, 70.5), (20000, 0, 75.0)]
    assert [r.std for r in results] == [pytest.approx(0.5), None, pytest.approx(0.0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the columns lang,num_pairs,value"),
        ("lang,num_pairs\nel,1\n", "line 1"),
        ("lang,num_pairs,value\n", "no row"),
        ("lang,num_pairs,value\nel,5000,nan\n", "line 2: 'value' must be a number, not 'nan'"),
        ("lang,num_pairs,value\nel,5e3,7\nel,0.5,7\n", "line 3: 'num_pairs' must be a whole number"),
        ("lang,num_pairs,value\nel,5_0,7\n", "'num_pairs'"),
        ("lang,num_pairs,value\nel,5000\n", "'value' is missing"),
        ("lang,num_pairs,value\nel,5000,70,1,2\n", "more values than"),
        ("lang,num_pairs,value\nΕλ,5000,70\n", "Unknown language"),
        ("lang,num_pairs,value,std\nel,5000,70,-1\n", "'std' must be"),
        ("lang,num_pairs,value\nel,5000,170\n", "0 to 100"),
    ],
)
def test_mistake_in_a_csv_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_results_csv(write_csv(tmp_path, text), "m", "comet")


def test_csv_of_a_user_metric_has_its_range(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "lang,num_pairs,value\nel,5000,-0.5\n")
    (result,) = read_results_csv(path, "m", "my-metric", metric_range=(-1.0, 1.0))
    assert (result.value, result.metric_min, result.metric_max) == (-0.5, -1.0, 1.0)
