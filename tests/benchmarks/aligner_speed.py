"""How many sentence pairs a core judges by their words in a second, in memory: tokenizing, learning, and scores.

    python tests/benchmarks/aligner_speed.py SENTENCES [--lang el] [--lines 40000] [--rounds 3]

SENTENCES is that of `misaligned.py`, whose lines are joined here so that they have about 12 and about 24 English words,
30 % with the other side of another line. Prints, for each length, the CPU seconds and pairs a second of each round, and
at the end the largest memory of the process. Compiled code is loaded before.
"""

import argparse
import random
import resource
import time
from pathlib import Path
from statistics import mean

import pyarrow as pa
from misaligned import Pairs, read_sentences, shuffle_share
from tabulate import tabulate

from builders.alignment import judge_texts

LENGTHS = (12, 24)  # English words of a line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--lang", default="el")
    parser.add_argument("--lines", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    sentences = read_sentences(asked.sentences, asked.lang)
    seconds(join_to_length(sentences, LENGTHS[0], 3_000), asked.lang)
    rows = []
    for length in LENGTHS:
        lines, _ = shuffle_share(join_to_length(sentences, length, asked.lines), 0.3)
        words = mean(len(en.split()) for en, _ in lines)
        for _ in range(asked.rounds):
            took = seconds(lines, asked.lang)
            rows.append([f"{words:.1f}", f"{len(lines):,}", f"{took:.2f}", f"{len(lines) / took:,.0f}"])
            print(*rows[-1], flush=True)
    print(tabulate(rows, ["words", "pairs", "CPU s", "pairs/s"], disable_numparse=True))
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-6:.2f} GB at most")


def join_to_length(sentences: Pairs, length: int, count: int) -> Pairs:
    """Return lines of sentences that are joined until they have so many English words, less half a sentence."""
    source = random.Random(length)
    lines = []
    half = mean(len(en.split()) for en, _ in sentences) / 2
    while len(lines) < count:
        en, xx = "", ""
        while len(en.split()) < length - half:
            own = source.choice(sentences)
            en, xx = f"{en} {own[0]}".strip(), f"{xx} {own[1]}".strip()
        lines.append((en, xx))
    return lines


def seconds(lines: Pairs, lang: str) -> float:
    """Return the CPU seconds in which lines are judged."""
    en, xx = (pa.array([pair[side] for pair in lines], pa.string()) for side in (0, 1))
    begun = time.process_time()
    judge_texts(en, xx, lang)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
