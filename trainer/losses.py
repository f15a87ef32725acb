"""losses.jsonl in the folder of a run: a row for each logged step, written while the run trains."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.files import atomic_path
from corpora.strict_json import load_json

LOSSES = "losses.jsonl"


def read_losses_file(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of losses, by step; a line that a killed process left incomplete is not one."""
    rows: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = load_json(line)
            rows[int(row["step"])] = row
        except (ValueError, KeyError, TypeError):
            continue
    return [rows[step] for step in sorted(rows)]


def keep_losses(path: Path, last_step: int) -> None:
    """Keep the rows up to a step: those after it are trained again."""
    rows = [row for row in read_losses_file(path) if row["step"] <= last_step]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(_line(row) for row in rows), encoding="utf-8")


def append_loss(path: Path, row: Mapping[str, Any]) -> None:
    """Add a row; whoever follows the file sees it at once."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(row))


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
