"""Rows from a user's folder: they replace ours of the same name and follow them."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from corpora.errors import InputError
from corpora.extensions import Extensions, read_extended_rows, use_extensions
from corpora.tables import STRICT


@dataclass(frozen=True)
class Check:
    __pydantic_config__ = STRICT
    name: str
    description: str


def test_rows_of_a_user_replace_ours_and_follow_them_and_count_once_edited(tmp_path: Path) -> None:
    ours, own = tmp_path / "ours" / "checks.toml", tmp_path / "own" / "checks.toml"
    for path in (ours, own):
        path.parent.mkdir()
    ours.write_text('[a]\ndescription = "A."\n[b]\ndescription = "B."\n')
    own.write_text('[a]\ndescription = "Mine."\n[c]\ndescription = "C."\n')
    assert list(read_extended_rows(ours, Check)) == ["a", "b"]
    with use_extensions(Extensions((own.parent,))):
        rows = read_extended_rows(ours, Check)
        assert {name: row.description for name, row in rows.items()} == {"a": "Mine.", "b": "B.", "c": "C."}
        assert read_extended_rows(ours, Check) is rows
        own.write_text('[b]\ndescription = "Mine too."\n')
        assert read_extended_rows(ours, Check)["b"].description == "Mine too."
        own.write_text('[b]\nwhy = "Mine too."\n')
        with pytest.raises(InputError, match=r"own.checks.toml, table \[b\]: Unknown key 'why'"):
            read_extended_rows(ours, Check)
