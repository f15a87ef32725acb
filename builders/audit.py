"""audit(): the share of misaligned pairs of a bitext, before anything is built from it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.arguments import checked
from corpora.catalog import language
from corpora.errors import InputError
from corpora.files import open_file

if TYPE_CHECKING:
    from builders.alignment import JudgedTexts


@dataclass(frozen=True)
class AuditedPair:
    """A pair of the bitext, with what its words say."""

    line_number: int
    alignment: float
    chance: float
    en: str
    xx: str


@dataclass(frozen=True)
class AuditedDomain:
    """A part of the bitext with a vocabulary of its own, which is judged by random pairs of its own."""

    words: Sequence[str]  # typical of it
    num_pairs: int
    num_spared: int  # pairs that all random pairs reject, and those of the domain do not


@dataclass(frozen=True, repr=False)
class Audit:
    """How many pairs of a bitext are misaligned, as far as their words show."""

    lang: str
    num_pairs: int
    num_judged: int
    share: float  # estimated share of misaligned pairs among those judged
    share_low: float  # ends of its interval of 90 %
    share_high: float
    worst: Sequence[AuditedPair]  # the lowest alignments, lowest first
    domains: Sequence[AuditedDomain] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)

    def __repr__(self) -> str:
        if not self.num_judged:
            return (
                f"None of {self.num_pairs:,} pairs is judged: their sentences are nearly all alike, share no words "
                "with those of other pairs, or one of the two halves that judge each other is too small. Add pairs."
            )
        interval = f"{self.share_low:.1%} to {self.share_high:.1%}, an interval of 90%"
        lines = [f"{self.share:.1%} of {self.num_judged:,} pairs are misaligned ({interval})."]
        if rest := self.num_pairs - self.num_judged:
            lines.append(
                f"{rest:,} pairs are not judged: no other pair has words of a side, or sentences are nearly alike."
            )
        lines += [
            f"{own.num_pairs:,} pairs have a vocabulary of their own ({', '.join(own.words)}) and are judged by random "
            f"pairs of the same kind; `misaligned` keeps {own.num_spared:,} of them that it would reject."
            for own in self.domains
        ]
        lines += [f"{row.line_number:>9}  {row.alignment:>6.2f}  {row.en} | {row.xx}" for row in self.worst]
        return "\n".join(lines)


@checked
def audit(en_file: str | Path, xx_file: str | Path, *, lang: str, worst: int = 10) -> Audit:
    """Return the estimated share of misaligned pairs of a bitext: two text files, a sentence a line.

    Nothing but the bitext itself is needed: its words teach which translate each other.

    Args:
        en_file: The English sentences.
        xx_file: Their translations, line by line.
        lang: The language of the translations.
        worst: How many of the pairs with the lowest alignment to return.

    Raises:
        InputError: The files differ in length, have too few lines, or are no text.
    """
    import numpy as np
    import pyarrow as pa

    from builders.alignment import MIN_HALF_PAIRS, judge_texts

    code = language(lang).code
    en, xx = (_read(Path(path)) for path in (en_file, xx_file))
    if len(en) != len(xx):
        raise InputError(f"{en_file} has {len(en):,} lines and {xx_file} has {len(xx):,}; line by line they are pairs.")
    if len(en) < 2 * MIN_HALF_PAIRS:
        raise InputError(
            f"{en_file} has {len(en):,} lines. An audit needs at least {2 * MIN_HALF_PAIRS:,}, and more where English "
            "sentences repeat: the words of one half judge the other."
        )
    judged = judge_texts(pa.array(en), pa.array(xx), code)
    rows = np.flatnonzero(judged.is_judged)
    lowest = rows[np.argsort(judged.alignment[rows], kind="stable")][:worst]
    pairs = [
        AuditedPair(int(row) + 1, float(judged.alignment[row]), float(judged.chance[row]), en[row], xx[row])
        for row in lowest.tolist()
    ]
    return Audit(code, len(en), len(rows), *judged.share, pairs, _domains(judged, en))


def _domains(judged: "JudgedTexts", en: Sequence[str]) -> list[AuditedDomain]:
    """Return the domains that are judged apart."""
    import numpy as np

    from builders.alignment import MAX_TEXTS, MIN_NAMED, typical_words

    domains = []
    for number, num_spared in ((number, num) for number, num in judged.apart.items() if num >= MIN_NAMED):
        rows = [np.flatnonzero((judged.domain == number) == is_own) for is_own in (True, False)]
        words = typical_words(*([en[row] for row in own[:MAX_TEXTS].tolist()] for own in rows))
        domains.append(AuditedDomain(words, len(rows[0]), num_spared))
    return domains


def _read(path: Path) -> list[str]:
    """Return the lines of a text file."""
    with open_file(path) as file:
        data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path} is not valid UTF-8 at line {line}. An audit reads text files, a sentence a line."
        ) from None
    return text.removesuffix("\n").replace("\r\n", "\n").split("\n")
