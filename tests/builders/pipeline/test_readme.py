"""The README of the pipeline: its tables are generated from the rows of stages.toml and filters.toml."""

from pathlib import Path

import pytest

from builders.pipeline.filters import TABLES, Filter, all_filters
from builders.scoring import ScorerRow
from builders.workspace import all_stages
from corpora.tables import keys_table

README = Path(__file__).parents[3] / "builders" / "pipeline" / "README.md"
FILTER_ONLY = {  # what conditions read beside the columns of the table
    "pairs": {"en_length": "characters of the English side", "xx_length": "characters of the other side"},
    "duplicates": {"is_exact": "both sides are equal byte for byte"},
    "one_to_many": {"num_counterparts": "different sentences that a side is paired with"},
    "decisions": {
        "en_is_expected": "the English side is identified as English",
        "xx_is_expected": "the other side is identified as its language",
        "score_NAME": "the user's score NAME, with --quality-scores",
    },
    "alignments": {
        "alignment": "how well the words of both sides fit, in standard deviations; null if it was not judged",
        "chance": "the share of random pairs of the corpus, half by weight of like length, that are aligned as well",
        "max_alignment": "the highest alignment that a rejected pair of the corpus may have",
    },
    "model_scores": {
        "model_score": "the score of the model of --score-with; null without one, or if the pair is too long for it",
        "model_chance": "the share of random pairs of the corpus that score as high",
        "max_model_score": "the highest score that a rejected pair of the corpus may have",
    },
}


def table(heads: list[str], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def stages() -> str:
    rows = [
        (f"`{stage.name}`", stage.row, stage.unit if stage.kind == "funnel" else "") for stage in all_stages().values()
    ]
    return table(["table", "a row is", "counted as"], rows)


def described_columns(name: str) -> dict[str, str]:
    """Return what conditions over a table read; those over the last two tables read `decisions` too."""
    own = {} if name in ("alignments", "model_scores") else all_stages()[name].columns
    return {**own, **FILTER_ONLY.get(name, {})}


def columns() -> str:
    rows = []
    for name in TABLES:
        described = described_columns(name)
        earlier = all_stages()["measured"].columns if name == "decisions" else {}
        earlier = earlier | FILTER_ONLY["alignments"] if name == "decisions" else earlier
        rows += [(f"`{name}`", f"`{column}`", text) for column, text in described.items() if column not in earlier]
    return table(["table", "column", "meaning"], rows)


def filters() -> str:
    rows = [
        (
            f"`{rule.name}`",
            f"`{rule.table}`",
            rule.description,
            ", ".join(f"`{name} = {value:g}`" for name, value in rule.thresholds.items()),
            "if enabled" if rule.default == "off" else "unless disabled" if rule.can_disable else "always",
        )
        for rule in all_filters().values()
    ]
    return table(["filter", "table", "why it rejects", "thresholds", "applied"], rows)


GENERATED = {
    "stages": stages,
    "columns": columns,
    "filters": filters,
    "keys": lambda: keys_table(Filter, "name"),
    "keys of models that score pairs": lambda: keys_table(ScorerRow, "name"),
}


@pytest.mark.parametrize("name", GENERATED)
def test_tables_are_generated(name: str) -> None:
    assert GENERATED[name]() in README.read_text(encoding="utf-8"), f"put this into the README:\n{GENERATED[name]()}"


def test_filters_read_only_described_columns() -> None:
    for rule in all_filters().values():
        described = described_columns(rule.table)
        for name in ("en_length", "is_exact", "num_counterparts", "en_is_expected", "en_probability", "length_ratio"):
            assert name not in rule.reject or name in described, rule.name
