"""chrF (Popović 2015) between two lists of translations, by the formula and defaults of sacreBLEU: n to 6, beta 2."""

from collections import Counter
from collections.abc import Sequence

MAX_N, BETA = 6, 2


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Return the chrF of a corpus, between 0 and 100; 0 if it is empty."""
    totals = [[0, 0, 0] for _ in range(MAX_N)]  # n-grams of the hypotheses, of the references, in both
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        for n, total in enumerate(totals, 1):
            own, other = _ngrams(hypothesis, n), _ngrams(reference, n)
            counts = own.total(), other.total(), (own & other).total()
            for index, count in enumerate(counts if counts[1] else (0, 0, 0)):
                total[index] += count
    scored = [(both / own, both / other) for own, other, both in totals if own and other]
    if not scored:
        return 0.0
    precision, recall = (sum(values) / len(scored) for values in zip(*scored, strict=True))
    factor = BETA**2
    return 100 * (1 + factor) * precision * recall / (factor * precision + recall) if precision + recall else 0.0


def _ngrams(text: str, n: int) -> Counter[str]:
    letters = "".join(text.split())
    return Counter(letters[index : index + n] for index in range(len(letters) - n + 1))
