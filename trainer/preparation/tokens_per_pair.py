"""Tokens of a sentence pair by language: the prices of a budget in tokens (`builders allocate`)."""

import csv
from pathlib import Path

from corpora.files import atomic_path
from trainer.preparation.example_table import Counts

COLUMNS = ("lang", "tokens")


def tokens_per_pair(counts: Counts) -> dict[str, float]:
    """Return the mean tokens of a translation as it is trained, prompt and end token included, by language."""
    means = {}
    for row in counts:
        trained = row["kept"] + row["truncated"]
        if row["task"] == "translation" and trained:
            means[row["lang"]] = round(row["num_tokens"] / trained, 3)
    return means


def write_tokens_per_pair(counts: Counts, path: Path) -> None:
    """Write the tokens of a pair by language as CSV with the columns of COLUMNS."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(tokens_per_pair(counts).items())
