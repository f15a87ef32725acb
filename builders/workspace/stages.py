"""The stages of a build: the rows of `stages.toml`, one for each kind of table in the work folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from corpora.tables import STRICT, read_toml_rows


@dataclass(frozen=True)
class Stage:
    """A stage of a build; its tasks write the tables of that name."""

    __pydantic_config__ = STRICT
    name: str
    """Name of the table, of its folder and, if DuckDB makes it, of its file in builders/sql."""
    title: str
    """What the stage does, for progress and reports."""
    row: str
    """What a row of the table is."""
    kind: Literal["cache", "funnel"]
    """`funnel`: the ledger counts the stage's rows in, kept and rejected; `cache`: it does not."""
    unit: str = "rows"
    """What the rows are counted as."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The table's columns in their order, and what they mean."""


@cache
def all_stages() -> dict[str, Stage]:
    """Return the stages by name, in the order of a build."""
    return read_toml_rows(Path(__file__).parent / "stages.toml", Stage)


def funnel_stages(unit: str) -> list[str]:
    """Return the names of the stages whose rows the ledger counts as this unit, in the order of a build."""
    return [stage.name for stage in all_stages().values() if stage.kind == "funnel" and stage.unit == unit]
