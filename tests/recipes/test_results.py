"""Scores: strict in, append-only, and the same again is nothing new."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.errors import InputError
from recipes.results import append_scores, read_csv, read_scores, score_of, to_line

ROW = {
    "release": "coit@v1.0.0",
    "lang": "el",
    "size": 50_000,
    "seed": 0,
    "mixture": "",
    "model": "tiny",
    "benchmark": "flores101",
    "direction": "en-xx",
    "metric": "comet",
    "value": 81.5,
    "interval": [81.0, 82.0],
    "n": 1012,
    "signature": "s",
    "metric_min": 0.0,
    "metric_max": 100.0,
}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """A scores.jsonl of lines given as objects or as texts."""

    def write(*lines: object) -> Path:
        path = tmp_path / "scores.jsonl"
        path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines), encoding="utf-8")
        return path

    return write


def test_a_line_is_read_as_it_was_written(file: Callable[..., Path]) -> None:
    (score,) = read_scores(file(ROW))
    assert (score.lang, score.size, score.value, score.interval) == ("el", 50_000, 81.5, (81.0, 82.0))
    assert json.loads(to_line(score)) == ROW
    assert score.std == pytest.approx(0.2551, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"value": 101}, "0 to 100"),
        ({"value": -0.1}, "0 to 100"),
        ({"value": True}, "'value' must be a number"),
        ({"value": "81"}, "'value' must be a number"),
        ({"value": None}, "'value' must be a number"),
        ({"size": 1.5}, "'size' must be a whole number"),
        ({"size": -1}, "'size' must be a whole number"),
        ({"size": 2**70}, "'size' must be a whole number"),
        ({"interval": [82, 81]}, "'interval' must be null or"),
        ({"interval": [81]}, "'interval' must be null or"),
        ({"interval": [1, 2]}, "not inside its interval"),
        ({"lang": "xx"}, "Unknown language 'xx'"),
        ({"lang": ["el"]}, "'lang' must be a string"),
        ({"metric_max": 80}, "0 to 80"),
        ({"metric_min": 100}, "must be less than 'metric_max'"),
        ({"metric_min": None}, "'metric_min' must be a number"),
        ({"direction": "el-en"}, "'direction' must be"),
        ({"extra": 1}, "Unknown field 'extra'"),
    ],
)
def test_a_field_that_is_wrong_is_told_with_its_line(
    file: Callable[..., Path], change: dict[str, object], told: str
) -> None:
    with pytest.raises(InputError, match=f"scores.jsonl, line 2: .*{told}"):
        read_scores(file(ROW, ROW | {"seed": 1} | change))


@pytest.mark.parametrize("field", sorted(ROW))
def test_no_field_may_be_missing(field: str) -> None:
    with pytest.raises(InputError, match=f"the field {field} must be there"):
        score_of({k: v for k, v in ROW.items() if k != field}, "here")


@pytest.mark.parametrize("line", ["{", "[1]", "1", '{"lang": "el", "lang": "hi"}', "\x00", "[" * 100_000])
def test_a_line_that_is_no_object_is_told(file: Callable[..., Path], line: str) -> None:
    with pytest.raises(InputError, match="line 1: "):
        read_scores(file(line))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_finite_number_is_no_score(file: Callable[..., Path], number: str) -> None:
    with pytest.raises(InputError, match="'value' must be a number"):
        read_scores(file(json.dumps(ROW).replace("81.5", number)))


def test_the_same_run_twice_is_an_error_and_another_seed_is_not(file: Callable[..., Path]) -> None:
    assert len(read_scores(file(ROW, ROW | {"seed": 1}))) == 2
    with pytest.raises(InputError, match="line 2 is about the same run as line 1"):
        read_scores(file(ROW, ROW | {"value": 81.6}))


def test_a_file_that_is_not_there_is_empty_or_is_a_page_is_told(file: Callable[..., Path], tmp_path: Path) -> None:
    for path, told in ((tmp_path / "no.jsonl", "There is no file"), (tmp_path, "is a folder"), (file(""), "no score")):
        with pytest.raises(InputError, match=told):
            read_scores(path)
    with pytest.raises(InputError, match="HTML page"):
        read_scores(file("<html>"))


def test_scores_are_added_once_and_never_changed(tmp_path: Path) -> None:
    path, score = tmp_path / "scores.jsonl", score_of(ROW, "")
    assert append_scores(path, [score]) == 1
    before = path.read_bytes()
    assert append_scores(path, [score]) == 0
    assert path.read_bytes() == before
    other = score_of(ROW | {"value": 81.9}, "")
    with pytest.raises(InputError, match=r"says 81\.5 of a run"):
        append_scores(path, [other])
    assert append_scores(path, [score_of(ROW | {"seed": 1}, "")]) == 1
    assert path.read_bytes().startswith(before)
    assert not list(tmp_path.glob(".tmp-*"))


def test_nothing_is_added_to_a_file_that_is_damaged(file: Callable[..., Path]) -> None:
    path = file(ROW, "{half")
    before = path.read_bytes()
    with pytest.raises(InputError, match="line 2"):
        append_scores(path, [score_of(ROW | {"seed": 9}, "")])
    assert path.read_bytes() == before


def write_csv(folder: Path, text: str) -> Path:
    (folder / "results.csv").write_text(text, encoding="utf-8")
    return folder / "results.csv"


def test_a_csv_becomes_scores_and_equal_rows_repeated_runs(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "size,lang, score,std\n5000,el,70.5,0.5\n5000,el,70.5,\n20000,el,75,0\n")
    scores = read_csv(path, "comet", "flores101", "en-xx")
    assert [(s.size, s.seed, s.value) for s in scores] == [(5000, 0, 70.5), (5000, 1, 70.5), (20000, 0, 75.0)]
    assert [s.std for s in scores] == [pytest.approx(0.5), None, pytest.approx(0.0)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1"),
        ("lang,size\nel,1\n", "line 1"),
        ("lang,size,score\n", "no row"),
        ("lang,size,score\nel,5000,nan\n", "line 2: 'score' must be a number, not 'nan'"),
        ("lang,size,score\nel,5e3,7\nel,0.5,7\n", "line 3: 'size' must be a whole number"),
        ("lang,size,score\nel,5_0,7\n", "'size'"),
        ("lang,size,score\nel,5000\n", "'score' is missing"),
        ("lang,size,score\nel,5000,70,1,2\n", "more values than"),
        ("lang,size,score\nΕλ,5000,70\n", "Unknown language"),
        ("lang,size,score,std\nel,5000,70,-1\n", "'std' must be"),
        ("lang,size,score\nel,5000,170\n", "0 to 100"),
    ],
)
def test_a_csv_that_is_odd_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_csv(write_csv(tmp_path, text), "comet")


def test_an_imported_metric_has_the_range_that_is_given(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "lang,size,score\nel,5000,-0.5\n")
    (score,) = read_csv(path, "my-metric", metric_range=(-1.0, 1.0))
    assert (score.value, score.metric_min, score.metric_max) == (-0.5, -1.0, 1.0)


@given(st.dictionaries(st.sampled_from(sorted(ROW)), st.none() | st.integers() | st.floats() | st.text(max_size=5)))
def test_any_row_is_a_score_or_a_sentence(change: dict[str, object]) -> None:
    try:
        score = score_of({**ROW, **change}, "here")
    except InputError as error:
        told = str(error)
    else:
        told = "here: " + json.loads(to_line(score))["lang"]
    assert told.startswith("here: ")
