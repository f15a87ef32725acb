"""Simulate labellings, and count how often the intervals of `builders browse` hold the truth.

Each world has kept lines and filters of random sizes, with random shares of wrong pairs. Lines are drawn as the pages
draw them: some from each decision, and some from an interval of it. Then precision of each filter, recall of each and
of all, and the share of wrong kept lines are estimated. Prints how many intervals hold the truth, and their widths.

    python tests/benchmarks/labelling.py --worlds 500
"""

import argparse

import numpy as np

from builders.labels.estimates import combine
from builders.labels.intervals import Cell, Interval

NAMES = ("kept", "low_margin", "wrong_language_xx", "length_ratio", "numbers")


def draw_cell(rng: np.random.Generator, size: int, wrong: int, num: int) -> Cell:
    """Label `num` lines of a cell, drawn at random."""
    num = min(num, size)
    return Cell(size, num, int(rng.hypergeometric(wrong, size - wrong, num)) if num else 0)


def simulate(rng: np.random.Generator, num: int) -> dict[str, list[tuple[Interval, float]]]:
    """Return for one world each kind of interval with the truth."""
    cells: dict[str, list[Cell]] = {}
    truth: dict[str, tuple[int, int]] = {}
    for name in NAMES:
        size = int(10 ** rng.uniform(3, 6.5)) if name == "kept" else int(10 ** rng.uniform(1, 5.5))
        near = int(size * rng.uniform(0, 0.4)) if rng.random() < 0.5 else 0
        share, near_share = rng.beta(3, 1), rng.beta(1.5, 1.5)
        if name == "kept":
            share, near_share = rng.beta(0.5, 8), rng.beta(1, 3)
        wrong = [int(rng.binomial(size - near, share)), int(rng.binomial(near, near_share))]
        plain = int(rng.binomial(num, 1 - near / size))  # the sample of the decision falls into both cells
        cells[name] = [draw_cell(rng, size - near, wrong[0], plain)]
        if near:
            cells[name].append(draw_cell(rng, near, wrong[1], num - plain + 20))
        truth[name] = (sum(wrong), size)
    estimates, total = combine(cells), sum(wrong for wrong, _ in truth.values())
    kinds: dict[str, list[tuple[Interval, float]]] = {"precision": [], "recall": [], "wrong among kept": []}
    for row in estimates.strata:
        wrong_lines, size = truth[row.decision]
        kinds["wrong among kept" if row.decision == "kept" else "precision"].append(
            (row.share_wrong, wrong_lines / size)
        )
        if row.recall and total:
            kinds["recall"].append((row.recall, wrong_lines / total))
    kinds["recall of all filters"] = [(estimates.recall, 1 - truth["kept"][0] / total)] if total else []
    return kinds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=500)
    parser.add_argument("--labels", type=int, default=30, help="labels of each decision")
    arguments = parser.parse_args()
    rng = np.random.default_rng(11)
    results: dict[str, list[tuple[bool, float]]] = {}
    for _ in range(arguments.worlds):
        for kind, rows in simulate(rng, arguments.labels).items():
            for interval, value in rows:
                is_inside = interval.low - 1e-9 <= value <= interval.high + 1e-9
                results.setdefault(kind, []).append((is_inside, interval.high - interval.low))
    print(f"{'interval':24} {'hold':>7} {'of':>7} {'median width':>13}")
    for kind, rows in results.items():
        inside, widths = zip(*rows, strict=True)
        print(f"{kind:24} {np.mean(inside):7.1%} {len(rows):7,} {np.median(widths):13.3f}")


if __name__ == "__main__":
    main()
