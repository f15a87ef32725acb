"""What the README says of adding filters is applied: a row, a Python function, a new measure, quality scores."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from builders.workspace import queries

README = Path(__file__).parents[3] / "builders" / "pipeline" / "README.md"
SQL = Path(__file__).parents[3] / "builders" / "sql"
LINES = [
    (1.2, "The cat sleeps on the roof.", "Η γάτα κοιμάται στη στέγη."),
    (1.2, "THE DOG BARKS AT THE STRANGER.", "Ο σκύλος γαβγίζει στον ξένο."),
    (1.2, "The more the more the more the more.", "Όσο περισσότερο, τόσο καλύτερα."),
    (1.2, "Call 2105551234 or 2105559876.", "Καλέστε 2105551234 ή 2105559876."),
]
pytestmark = pytest.mark.slow


def blocks(language: str, name: str) -> list[str]:
    """The blocks of the README that begin with a comment of this name."""
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(?:#|--) {re.escape(name)}[^\n]*\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def reasons(judge, tmp_path: Path) -> Callable[[], list[str | None]]:
    """Why each of LINES is rejected, with the blocks of the README as files of a --with folder."""
    (tmp_path / "filters.toml").write_text("\n".join(blocks("toml", "my/filters.toml")[:2]), encoding="utf-8")
    (tmp_path / "my_filters.py").write_text(blocks("python", "my/my_filters.py")[0], encoding="utf-8")
    return lambda: [row["reject_reason"] for row in judge(LINES, folder=tmp_path)]


def test_row_and_python_function_reject(reasons):
    assert reasons() == [None, "shouting", "repeated_words", None]


def test_new_measure_is_a_column_for_filters(reasons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (snippet,) = blocks("sql", "builders/sql/measured.sql")
    shutil.copytree(SQL, tmp_path / "sql")
    lines = (SQL / "measured.sql").read_text(encoding="utf-8").split("\n")
    index = next(number for number, line in enumerate(lines) if line.strip() == "en_num_letters,")
    lines.insert(index + 1, snippet.rstrip("\n"))
    (tmp_path / "sql" / "measured.sql").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(queries, "SQL", tmp_path / "sql")
    own = tmp_path / "filters.toml"
    own.write_text(own.read_text(encoding="utf-8") + blocks("toml", "my/filters.toml")[2], encoding="utf-8")
    assert reasons() == [None, "shouting", "repeated_words", "many_digits"]


def test_quality_scores_reject_below_their_threshold(request_for, tmp_path: Path):

    from builders.run import run_build

    text = README.read_text(encoding="utf-8")
    (csv,) = re.findall(r"<<'CSV'\n(.*?)CSV\n", text, re.DOTALL)
    (tmp_path / "scores.csv").write_text(csv.replace("sample-wikimatrix", "small"), encoding="utf-8")
    request = request_for({"small": {"el": LINES[:2]}}, folder=tmp_path)
    options = {"quality_scores": tmp_path / "scores.csv", "set": {"score_labse.min": 0.6}}
    (built,) = run_build(replace(request, **options))
    rows = built.lines("el").collect().sort("line_number")
    assert rows["reject_reason"].to_list() == [None, "score_labse"]
