"""How many right pairs of a minority domain `misaligned` rejects: news and encyclopedia among short sentences.

    python tests/benchmarks/minority.py SENTENCES FLORES [--langs ar,el,hi,tr,zh] [--sizes 100,300,1012] [--share 0.3]

SENTENCES is the folder that `misaligned.py` reads, FLORES one with a file of human translations for each language. The
sides of a share of all lines are shuffled; 0 among the sizes adds no other lines, and `--joined` makes lines of one to
three sentences of those that are many. Prints right pairs lost and wrong ones rejected, in both domains, those lost by
a fixed alignment of -1.5, without estimate and cap, how many parts are judged apart for their vocabulary, which share
of their pairs is of the minority, and the same of those that a build warns of: means over `--seeds` orders of lines.
`--together` judges no part apart.
"""

import argparse
import random
from pathlib import Path
from statistics import mean

import numpy as np
import pyarrow as pa
from broken_translations import read
from misaligned import Pairs, join_sentences, read_sentences, shuffle_share
from tabulate import tabulate

from builders.alignment import MIN_NAMED, JudgedTexts, domains, judge_texts

MAX_CHANCE, FIXED_ALIGNMENT = 0.05, -1.5
MEASURES = ["lost", "caught", "minority lost", "minority caught", "lost at -1.5", "minority lost at -1.5"]
MEASURES += ["apart", "of minority", "named", "named of minority"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("flores", type=Path)
    parser.add_argument("--langs", default="ar,el,hi,tr,zh")
    parser.add_argument("--sizes", default="100,300,1012")
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--joined", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--together", action="store_true")
    asked = parser.parse_args()
    if asked.together:
        domains.MAX_DOMAIN_SHARE = 0
    for lang in asked.langs.split(","):
        sentences = read_sentences(asked.sentences, lang)
        random.Random(3).shuffle(sentences)
        sentences = join_sentences(sentences, asked.joined) if asked.joined else sentences[:11_000]
        minority = list(zip(read(asked.flores, "en"), read(asked.flores, lang), strict=True))
        for size in map(int, asked.sizes.split(",")):
            rows = [measure(sentences, minority[:size], lang, asked.share, seed) for seed in range(5, 5 + asked.seeds)]
            means = {name: mean(row[name] for row in rows) for name in MEASURES}
            row = {"lang": lang, "lines": len(sentences) + size, "minority": size, **means}
            print(tabulate([row], headers="keys", floatfmt=".3f", tablefmt="plain"), flush=True)


def measure(majority: Pairs, minority: Pairs, lang: str, share: float, seed: int) -> dict[str, float]:
    """Return the numbers of a row."""
    lines = [(pair, False) for pair in majority] + [(pair, True) for pair in minority]
    random.Random(seed).shuffle(lines)
    pairs, wrong = shuffle_share([pair for pair, _ in lines], share)
    is_wrong, is_minority = np.array(wrong), np.array([own for _, own in lines])
    judged = judge_texts(*(pa.array(list(side)) for side in zip(*pairs, strict=True)), lang)
    is_rejected = reject(judged)
    groups = [is_minority == own for own in (False, True)]
    values = [share_of(is_rejected, group & (is_wrong == bad)) for group in groups for bad in (False, True)]
    values += [share_of(judged.alignment < FIXED_ALIGNMENT, group & ~is_wrong) for group in groups]
    named = [number for number, num_spared in judged.apart.items() if num_spared >= MIN_NAMED]
    values += [len(judged.apart), share_of(is_minority, np.isin(judged.domain, list(judged.apart)))]
    values += [len(named), share_of(is_minority, np.isin(judged.domain, named))]
    return dict(zip(MEASURES, values, strict=True))


def share_of(is_one: np.ndarray, group: np.ndarray) -> float:
    """Return the share of the pairs of a group that are one; NaN if it has none."""
    return float(is_one[group].mean()) if group.any() else float("nan")


def reject(judged: JudgedTexts) -> np.ndarray:
    """Return which pairs the filter rejects: the lowest, never more than the upper end of the estimated share."""
    most = int(judged.share[2] * judged.is_judged.sum())
    lowest = np.argsort(np.where(judged.is_judged, judged.alignment, np.inf), kind="stable")[:most]
    is_rejected = np.zeros(len(judged.alignment), np.bool_)
    is_rejected[lowest] = judged.chance[lowest] > MAX_CHANCE
    return is_rejected


if __name__ == "__main__":
    main()
