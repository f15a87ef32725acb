"""stages.toml: the one list of stages, which the code, the SQL files and the tables of a build agree with."""

import ast
from pathlib import Path

import pytest

from builders.workspace import all_stages, funnel_stages

ROOT = Path(__file__).parents[3]
SQL = ROOT / "builders" / "sql"
HELPERS = {
    "alignment_sample",
    "kept_texts",
    "character_counts",
    "macros",
    "random_texts",
    "texts",
    "split_pairs",
    "changes",
    "difference",
    "digests",
    "domain_texts",
}  # SQL files that make no table of a build
CALLS = {"Task", "query_task", "kept_texts_task", "_task"}  # whose first argument is a stage
OWN_COLUMNS = {"ledger", "quality_scores"}  # described where they are made, or the user's


def named_stages(path: Path) -> set[str]:
    """The stages that a file makes tasks of: the first argument of each of CALLS."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    called = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in CALLS]
    return {call.args[0].value for call in called if isinstance(call.args[0], ast.Constant)}


def test_every_stage_that_the_code_names_is_listed():
    named = {stage for path in (ROOT / "builders").rglob("*.py") for stage in named_stages(path)}
    assert {"pairs", "documents", "subsampled"} <= named
    assert named <= set(all_stages())
    assert set(all_stages()) == named


def test_every_sql_file_is_a_stage_or_a_helper():
    names = {path.stem for path in SQL.glob("*.sql")}
    assert names - set(all_stages()) == HELPERS


def test_stages_of_the_pairs_come_in_the_order_of_the_funnel():
    assert funnel_stages("pairs") == ["measured", "duplicates", "contaminated", "decisions"]


def test_cards_and_translation_know_the_stages():
    from builders.translation.format import STAGES
    from cards.summary import PAIR_STAGES

    assert list(PAIR_STAGES) == funnel_stages("pairs")
    assert set(STAGES) == {*funnel_stages("instructions"), *funnel_stages("segments")}


@pytest.mark.slow
def test_described_columns_are_those_of_the_tables(tmp_path):
    import pyarrow.parquet as pq

    from builders.run import BuildOptions, run_build

    request = BuildOptions(
        ("muit",), ("el",), sample=True, threads=1, work=tmp_path / "work", corpora_lock=tmp_path / "corpora.lock"
    )
    run_build(request)
    made = {path.relative_to(request.work).parts[0]: path for path in request.work.rglob("*.parquet")}
    assert {"pairs", "language_ids", "translated_instructions", "ledger"} <= set(made)
    for stage in all_stages().values():
        if stage.name in made and stage.name not in OWN_COLUMNS:
            assert list(stage.columns) == pq.read_schema(made[stage.name]).names, stage.name
