"""The user's own scores: read strictly, joined by corpus and line number, a filter for each column."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from builders.pipeline.lines import read_lines
from builders.run import run_build
from corpora.errors import InputError
from tests.builders.messages import logged_messages

pytestmark = pytest.mark.slow

LINES = [
    (1.2, "The lamp is on the table.", "Η λάμπα είναι στο τραπέζι."),
    (1.2, "The door is open.", "Η πόρτα είναι ανοιχτή."),
    (1.2, "The bell is ringing.", "Η καμπάνα χτυπάει."),
    (1.0, "The clock has stopped.", "Το ρολόι σταμάτησε."),
]
ROWS = [("small", "el", 1, 0.9, 3), ("small", "el", 2, 0.2, 9), ("small", "el", 4, 0.1, 1)]
COLUMNS = ["corpus", "lang", "line_number", "labse", "kiwi"]


@pytest.fixture
def build(request_for, tmp_path):
    """The reasons of four lines, built with a file of scores and changes of the request; and what was told."""

    def run(scores: Path, **changes):
        options = replace(request_for({"small": {"el": LINES}}, folder=tmp_path), quality_scores=scores)
        with logged_messages() as told:
            (built,) = run_build(replace(options, **changes))
        rows = built.lines("el").collect().sort("line_number")
        return rows, told

    return run


def write(path: Path, rows=ROWS, columns=COLUMNS) -> Path:
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    writers = {
        ".parquet": frame.write_parquet,
        ".csv": frame.write_csv,
        ".tsv": lambda path: frame.write_csv(path, separator="\t"),
        ".jsonl": frame.write_ndjson,
    }
    writers[path.suffix](path)
    return path


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".tsv", ".jsonl"])
def test_scores_of_each_format_reject_by_their_thresholds(build, tmp_path, ending):
    thresholds = {"score_labse.min": 0.5, "score_kiwi.max": 8}
    rows, _ = build(write(tmp_path / f"own{ending}"), set=thresholds)
    assert rows["reject_reason"].to_list() == [None, "score_labse", None, "low_margin"]
    assert rows["score_labse"].to_list() == [0.9, 0.2, None, 0.1]
    assert rows["score_kiwi"].to_list() == [3, 9, None, 1]


def test_scores_without_thresholds_reject_nothing_and_warn(build, tmp_path):
    rows, told = build(write(tmp_path / "own.csv"))
    assert rows["reject_reason"].to_list() == [None, None, None, "low_margin"]
    assert "score_labse rejects nothing: it has no threshold" in told[-3]
    assert told[-1] == "1 of the 3 pairs kept in el have no score in own.csv."


def test_ledger_and_lines_have_the_score_by_its_name(build, tmp_path):
    build(write(tmp_path / "own.csv"), set={"score_labse.min": 0.5})
    found = read_lines(tmp_path / "work", "el", reason="score_labse").collect()
    assert found.select("line_number", "score_labse").rows() == [(2, 0.2)]


def test_other_scores_make_decisions_again_and_equal_ones_do_not(build, tmp_path):
    thresholds = {"score_labse.min": 0.5}
    build(write(tmp_path / "own.csv"), set=thresholds)
    _, explained = build(tmp_path / "own.csv", set=thresholds, explain=True)
    assert not [line for line in explained if ": made" in line]
    better = [(*row[:3], 0.9, row[4]) for row in ROWS]
    rows, explained = build(write(tmp_path / "own.csv", better), set=thresholds, explain=True)
    assert rows["reject_reason"].to_list() == [None, None, None, "low_margin"]
    assert any(line.startswith("quality_scores el: made, sha256 was") for line in explained)


def test_column_lang_may_be_missing_for_one_language(build, tmp_path):
    rows = [(corpus, line, labse) for corpus, _, line, labse, _ in ROWS]
    scores = write(tmp_path / "own.csv", rows, ["corpus", "line_number", "labse"])
    assert build(scores, langs=("el",))[0]["score_labse"].to_list() == [0.9, 0.2, None, 0.1]
    with pytest.raises(InputError, match="no column 'lang'"):
        build(scores)


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ([("smal", "el", 1, 0.5)], None, "Unknown corpus 'smal'. Did you mean small?"),
        ([("small", "xx", 1, 0.5)], None, "Unknown lang 'xx'"),
        ([("small", "el", 0, 0.5)], None, "'line_number' is the number of a line in the corpus, from 1"),
        ([("small", "el", 1, 0.5), ("small", "el", 1, 0.5)], None, "line 1 of small in el appears twice"),
        ([("small", "el", 1, 0.5), ("small", "el", 2, float("nan"))], None, "row 2: 'labse' is nan"),
        ([("small", "el", 1, 0.5), ("small", "el", 2, None)], None, "row 2: 'labse' is missing"),
        ([("small", "el", 1, "good")], None, "'labse' holds String, but scores are numbers"),
        ([("small", "el", 5, 0.5)], None, "scores line 5 of small in el, which has 4 lines"),
        (
            [("small", "el", 1, 0.5)],
            ["corpus", "lang", "line_number", "x; drop table"],
            "the name of a score consists of",
        ),
        ([("small", "el", 1)], ["corpus", "lang", "line_number"], "has no score"),
        ([("small", "el", 0.5)], ["corpus", "lang", "labse"], "no column 'line_number'"),
    ],
)
def test_invalid_scores_are_refused(build, tmp_path, rows, columns, said):
    scores = write(tmp_path / "own.csv", rows, columns or ["corpus", "lang", "line_number", "labse"])
    with pytest.raises(InputError) as caught:
        build(scores)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"), [("own.csv", ""), ("own.jsonl", "{"), ("own.parquet", "PAR1"), ("own.pkl", "")]
)
def test_invalid_files_are_refused(build, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"own\."):
        build(tmp_path / name)
    with pytest.raises(InputError, match="there is no such file"):
        build(tmp_path / "none.csv")


def test_threshold_of_a_missing_score_names_the_option(build, tmp_path):
    with pytest.raises(InputError, match="score_comet needs --quality-scores FILE with a column 'comet'"):
        build(write(tmp_path / "own.csv"), set={"score_comet.min": 0.5})
