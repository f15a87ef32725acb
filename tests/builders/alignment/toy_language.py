"""Sentence pairs of a toy language: English words have Greek-looking ones, some are left out, and most are rare."""

import random
from itertools import product

NUM_WORDS = 12_000
NUM_FREQUENT = 400
SHARE_DROPPED = 0.4  # of the words of the Greek side: translations are free


def words(letters: str) -> list[str]:
    """Return words that all have different first four letters."""
    found = ["".join(letter) for letter in product(letters, repeat=4)]
    random.Random(1).shuffle(found)
    return [f"{word}{word[0]}" for word in found[:NUM_WORDS]]


ENGLISH, GREEK = words("bdfgklmnprstvzaeiou"), words("βδφγκλμνπρστθχαεηιο")


def toy_pairs(count: int, share_wrong: float, seed: int = 0) -> tuple[list[tuple[str, str]], list[bool]]:
    """Return sentence pairs, and whether each is wrong: its Greek side belongs to another English one."""
    source = random.Random(seed)
    weights = [1 / (n + NUM_FREQUENT) for n in range(NUM_WORDS)]
    pairs = []
    for _ in range(count):
        chosen = source.choices(range(NUM_WORDS), weights, k=source.randint(7, 14))
        moved = sorted(range(len(chosen)), key=lambda place: place + source.uniform(0, 3))
        kept = [chosen[place] for place in moved if source.random() > SHARE_DROPPED] or chosen
        pairs.append((" ".join(ENGLISH[n] for n in chosen), " ".join(GREEK[n] for n in kept)))
    return swap(pairs, share_wrong, source)


def domain_pairs(count: int, share_wrong: float, seed: int = 5) -> tuple[list[tuple[str, str]], list[bool]]:
    """Return pairs of another domain, long sentences that are translated more freely, and whether each is wrong."""
    source = random.Random(seed)
    words = range(0, NUM_WORDS, 3)
    weights = [1 / (n + NUM_FREQUENT) for n in words]
    pairs = []
    for _ in range(count):
        chosen = source.choices(words, weights, k=source.randint(35, 45))
        kept = [n for n in chosen if source.random() < 0.2] or chosen
        pairs.append((" ".join(ENGLISH[n] for n in chosen), " ".join(GREEK[n] for n in kept)))
    return swap(pairs, share_wrong, source)


def swap(
    pairs: list[tuple[str, str]], share_wrong: float, source: random.Random
) -> tuple[list[tuple[str, str]], list[bool]]:
    """Return pairs of which a share has the other side of another one, and which do."""
    wrong = source.sample(range(len(pairs)), int(len(pairs) * share_wrong))
    wrong.sort(key=lambda row: len(pairs[row][1]))
    others = wrong[1:] + wrong[:1]
    changed = {row: pairs[other][1] for row, other in zip(wrong, others, strict=True)}
    swapped = [(en, changed.get(row, xx)) for row, (en, xx) in enumerate(pairs)]
    return swapped, [row in changed for row in range(len(pairs))]
