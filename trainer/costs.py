"""What an example costs in tokens, by language and task: what a budget in tokens is spent by."""

import csv
from pathlib import Path

from corpora.files import atomic_path
from trainer.table import Counts

COLUMNS = ("lang", "task", "examples", "tokens_per_example")


def costs(account: Counts) -> list[dict[str, object]]:
    """Tokens an example, prompt and end token included, as trained; by language and task."""
    rows = []
    for row in account:
        trained = row["kept"] + row["cut"]
        if trained:
            found = {"lang": row["lang"], "task": row["task"], "examples": trained}
            rows.append(found | {"tokens_per_example": round(row["tokens"] / trained, 3)})
    return rows


def write_costs(account: Counts, path: Path) -> None:
    """Write the costs as CSV with the columns of COLUMNS."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(costs(account))
