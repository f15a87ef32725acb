"""The design runs of a study on tiny models: what they were trained on, and their token accuracy in four languages."""

import json
from pathlib import Path

import numpy as np

from recipes.transfer import Runs

FILE = Path(__file__).parent / "design_runs.jsonl"
LANGS = ("el", "hi", "tr", "vi")
MAXIMUMS = (6839, 2558, 9588, 1271)


def design_runs() -> Runs:
    """The 23 runs: 6 mixtures of 3,000 pairs and 5 of 1,500, and 12 of one language."""
    rows = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
    pairs = np.array([[row["pairs"][lang] for lang in LANGS] for row in rows], float)
    values = np.array([[row["values"][lang] for lang in LANGS] for row in rows])
    return Runs(tuple(row["name"] for row in rows), LANGS, LANGS, pairs, values, tuple(row["seed"] for row in rows))
