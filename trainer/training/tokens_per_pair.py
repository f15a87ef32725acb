"""What a translation costs in tokens, by language: what `builders allocate --costs` spends a budget in tokens by."""

import csv
from pathlib import Path

from corpora.files import atomic_path
from trainer.training.example_table import Counts

COLUMNS = ("lang", "tokens")


def costs(account: Counts) -> dict[str, float]:
    """Tokens of a translation as it is trained, prompt and end token included, by language."""
    found = {}
    for row in account:
        trained = row["kept"] + row["cut"]
        if row["task"] == "translation" and trained:
            found[row["lang"]] = round(row["tokens"] / trained, 3)
    return found


def write_costs(account: Counts, path: Path) -> None:
    """Write the costs as CSV with the columns of COLUMNS."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(costs(account).items())
