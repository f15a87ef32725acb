"""How many right pairs of a minority domain `misaligned` rejects: news and encyclopedia among short sentences.

    python tests/benchmarks/minority.py SENTENCES FLORES [--langs ar,el,hi,tr,zh] [--sizes 100,300,1012] [--share 0.3]

SENTENCES is the folder that `misaligned.py` reads, FLORES one with a file of human translations for each language. The
sides of a share of all lines are shuffled. Prints right pairs lost and wrong ones rejected, in both domains, and those
lost by a fixed alignment of -1.5, without estimate and cap.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
from broken_translations import read
from misaligned import Pairs, read_sentences, shuffle_share
from tabulate import tabulate

from builders.alignment import WRONG_CHANCE, judge_texts, wrong_share

MAX_CHANCE, FIXED_ALIGNMENT = 0.05, -1.5
HEADS = ["lang", "lines", "minority", "lost", "caught", "minority lost", "caught", "lost at -1.5", "minority"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("flores", type=Path)
    parser.add_argument("--langs", default="ar,el,hi,tr,zh")
    parser.add_argument("--sizes", default="100,300,1012")
    parser.add_argument("--share", type=float, default=0.3)
    asked = parser.parse_args()
    for lang in asked.langs.split(","):
        sentences = read_sentences(asked.sentences, lang)
        random.Random(3).shuffle(sentences)
        minority = list(zip(read(asked.flores, "en"), read(asked.flores, lang), strict=True))
        for size in map(int, asked.sizes.split(",")):
            row = measure(sentences[:11_000], minority[:size], lang, asked.share)
            print(tabulate([row], HEADS, floatfmt=".3f", tablefmt="plain"), flush=True)


def measure(majority: Pairs, minority: Pairs, lang: str, share: float) -> tuple[object, ...]:
    """Return a row of the table."""
    lines = [(pair, False) for pair in majority] + [(pair, True) for pair in minority]
    random.Random(5).shuffle(lines)
    pairs, wrong = shuffle_share([pair for pair, _ in lines], share)
    is_wrong, is_minority = np.array(wrong), np.array([own for _, own in lines])
    alignment, chance = judge_texts(*(pa.array(list(side)) for side in zip(*pairs, strict=True)), lang)
    is_rejected = reject(alignment, chance)
    shares = [np.mean(is_rejected[(is_minority == own) & (is_wrong == bad)]) for own in (0, 1) for bad in (0, 1)]
    fixed = [np.mean(alignment[(is_minority == own) & ~is_wrong] < FIXED_ALIGNMENT) for own in (0, 1)]
    return lang, len(pairs), len(minority), *shares, *fixed


def reject(alignment: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return which pairs the filter rejects: the lowest, never more than the upper end of the estimated share."""
    judged = np.isfinite(alignment)
    high = wrong_share(int(judged.sum()), int((chance[judged] > WRONG_CHANCE).sum()))[2]
    lowest = np.argsort(np.where(judged, alignment, np.inf), kind="stable")[: int(high * judged.sum())]
    is_rejected = np.zeros(len(alignment), np.bool_)
    is_rejected[lowest] = chance[lowest] > MAX_CHANCE
    return is_rejected


if __name__ == "__main__":
    main()
