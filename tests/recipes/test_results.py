"""Results are read strictly and only ever appended."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.errors import InputError
from recipes.results import append_results, parse_result, read_results, to_line

ROW = {
    "release": "coit@v1.0.0",
    "lang": "el",
    "num_pairs": 50_000,
    "num_documents": 0,
    "seed": 0,
    "composition": {"translation": {"el": 50_000}},
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
    """A results.jsonl of lines of objects or texts."""

    def write(*lines: object) -> Path:
        path = tmp_path / "results.jsonl"
        path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines), encoding="utf-8")
        return path

    return write


def test_result_survives_writing_and_reading(file: Callable[..., Path]) -> None:
    (result,) = read_results(file(ROW))
    assert (result.lang, result.size, result.value, result.interval) == ("el", 50_000, 81.5, (81.0, 82.0))
    assert json.loads(to_line(result)) == ROW
    assert result.std == pytest.approx(0.2551, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": 101}, "0 to 100"),
        ({"value": -0.1}, "0 to 100"),
        ({"value": True}, "'value' must be a number"),
        ({"value": "81"}, "'value' must be a number"),
        ({"value": None}, "'value' must be a number"),
        ({"num_pairs": 1.5}, "'num_pairs' must be a whole number"),
        ({"num_pairs": -1}, "'num_pairs' must be at least 0"),
        ({"num_pairs": 2**70}, "'num_pairs' must be below"),
        ({"num_documents": None}, "'num_documents' must be a whole number"),
        ({"composition": "el=1"}, "'composition' must be a table"),
        ({"composition": {"translation": 1}}, "'composition.translation' must be a table"),
        ({"interval": [82, 81]}, "'interval' must be null or"),
        ({"interval": [81]}, "'interval' must be null or"),
        ({"interval": [1, 2]}, "not inside its interval"),
        ({"lang": "xx"}, "Unknown language 'xx'"),
        ({"lang": ["el"]}, "'lang' must be a string"),
        ({"metric_max": 80}, "0 to 80"),
        ({"metric_min": 100}, "must be less than 'metric_max'"),
        ({"metric_min": None}, "'metric_min' must be a number"),
        ({"direction": "en-x"}, "Unknown value of 'direction' 'en-x'. Did you mean en-xx"),
        ({"extra": 1}, "Unknown key 'extra'"),
    ],
)
def test_wrong_field_names_file_line_and_field(
    file: Callable[..., Path], change: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=f"results.jsonl, line 2: .*{message}"):
        read_results(file(ROW, ROW | {"seed": 1} | change))


def test_size_counts_documents_only_for_models_without_pairs() -> None:
    both = {"translation": {"el": 7}, "text": {"hi": 5}}
    assert parse_result(ROW | {"num_documents": 9}, "").size == 50_000
    assert parse_result(ROW | {"num_pairs": 0, "num_documents": 5, "composition": {"text": {"el": 5}}}, "").size == 5
    assert parse_result(ROW | {"num_pairs": 0, "num_documents": 5, "lang": "hi", "composition": both}, "").size == 0


@pytest.mark.parametrize("field", sorted(ROW))
def test_every_field_is_required(field: str) -> None:
    with pytest.raises(InputError, match=f"the key '{field}' is missing"):
        parse_result({k: v for k, v in ROW.items() if k != field}, "here")


@pytest.mark.parametrize("line", ["{", "[1]", "1", '{"lang": "el", "lang": "hi"}', "\x00", "[" * 100_000])
def test_line_that_is_no_object_is_an_error(file: Callable[..., Path], line: str) -> None:
    with pytest.raises(InputError, match="line 1: "):
        read_results(file(line))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_value_must_be_a_finite_number(file: Callable[..., Path], number: str) -> None:
    with pytest.raises(InputError, match="'value' must be a finite number"):
        read_results(file(json.dumps(ROW).replace("81.5", number)))


def test_same_run_twice_is_an_error_unless_the_seed_differs(file: Callable[..., Path]) -> None:
    assert len(read_results(file(ROW, ROW | {"seed": 1}))) == 2
    with pytest.raises(InputError, match="line 2 is about the same run as line 1"):
        read_results(file(ROW, ROW | {"value": 81.6}))


def test_file_that_cannot_be_read_is_an_error(file: Callable[..., Path], tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "no.jsonl", "There is no file"),
        (tmp_path, "is a folder"),
        (file(""), "no result"),
    ):
        with pytest.raises(InputError, match=message):
            read_results(path)
    with pytest.raises(InputError, match="HTML page"):
        read_results(file("<html>"))


def test_results_are_added_once_and_never_changed(tmp_path: Path) -> None:
    path, result = tmp_path / "results.jsonl", parse_result(ROW, "")
    assert append_results(path, [result]) == 1
    before = path.read_bytes()
    assert append_results(path, [result]) == 0
    assert path.read_bytes() == before
    other = parse_result(ROW | {"value": 81.9}, "")
    with pytest.raises(InputError, match=r"has the value 81\.5 for a run"):
        append_results(path, [other])
    assert append_results(path, [parse_result(ROW | {"seed": 1}, "")]) == 1
    assert path.read_bytes().startswith(before)
    assert not list(tmp_path.glob(".tmp-*"))


def test_damaged_file_is_left_as_it_is(file: Callable[..., Path]) -> None:
    path = file(ROW, "{half")
    before = path.read_bytes()
    with pytest.raises(InputError, match="line 2"):
        append_results(path, [parse_result(ROW | {"seed": 9}, "")])
    assert path.read_bytes() == before


@given(st.dictionaries(st.sampled_from(sorted(ROW)), st.none() | st.integers() | st.floats() | st.text(max_size=5)))
def test_any_row_is_a_result_or_an_error(change: dict[str, object]) -> None:
    try:
        result = parse_result({**ROW, **change}, "here")
    except InputError as error:
        message = str(error)
    else:
        message = "here: " + json.loads(to_line(result))["lang"]
    assert message.startswith("here: ")
