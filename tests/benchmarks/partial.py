"""How many partial pairs each kind of evidence finds: a clause left out of one side, a sentence added to the other.

    python tests/benchmarks/partial.py SENTENCES FLORES [--langs ar,el,hi,tr,vi,zh]

SENTENCES is the folder that `misaligned.py` reads, whose pairs teach the words; FLORES one with a file of human
translations for each language. The longest clause between commas is left out of the translation, or of the English
sentence, which is the same as one added to the translation. Prints for each kind of evidence the share that it finds
where 5 % of the whole pairs are lost: the chance that `misaligned` reads for translations, the log odds that
`incomplete` reads, and the ratio of lengths alone.
"""

import argparse
from pathlib import Path

import numpy as np
from broken_translations import drop_clause, learn_words, read
from misaligned import read_sentences
from tabulate import tabulate

from builders.alignment import TranslationJudge, make_translation_judge

LOSS = 0.05
HEADS = ["lang", "clause left out of", "pairs", "another's", "incomplete", "length"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentences", type=Path)
    parser.add_argument("flores", type=Path)
    parser.add_argument("--langs", default="ar,el,hi,tr,vi,zh")
    asked = parser.parse_args()
    for lang in asked.langs.split(","):
        whole = list(zip(read(asked.flores, "en"), read(asked.flores, lang), strict=True))
        words = learn_words(read_sentences(asked.sentences, lang), lang)
        judge = make_translation_judge(words, *map(list, zip(*whole, strict=True)), lang)
        assert judge
        cut = {
            lang: [(en, short) for en, xx in whole if (short := drop_clause(xx)) != xx],
            "en": [(short, xx) for en, xx in whole if (short := drop_clause(en)) != en],
        }
        usual = evidence(judge, whole, True)
        for side, pairs in cut.items():
            row = [found(own, other) for own, other in zip(usual, evidence(judge, pairs, False), strict=True)]
            print(tabulate([(lang, side, len(pairs), *row)], HEADS, floatfmt=".2f", tablefmt="plain"), flush=True)


def evidence(judge: TranslationJudge, pairs: list[tuple[str, str]], is_counted: bool) -> list[np.ndarray]:
    """Return for each kind of evidence how much of it is against each pair."""
    en, xx = map(list, zip(*pairs, strict=True))
    chance, odds = judge.measure(en, xx, np.full(len(pairs), is_counted))
    length, others = (np.log([1.0 + len(text) for text in side]) for side in (en, xx))
    median, spread = judge.lengths.at(length)
    return [np.nan_to_num(chance), np.nan_to_num(odds, nan=-99), np.abs(others - length - median) / spread]


def found(whole: np.ndarray, cut: np.ndarray) -> float:
    return float(np.mean(cut > np.quantile(whole, 1 - LOSS)))


if __name__ == "__main__":
    main()
