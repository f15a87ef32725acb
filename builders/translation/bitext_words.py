"""Check translations by the words of a bitext: whether they say what their sources say, and all of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.alignment import TaughtWords, TranslationJudge, link_table, make_translation_judge
from builders.translation.name_swaps import NameJudge, make_name_judge
from builders.translation.partition import Entry
from builders.translation.quality_checks import BITEXT_CHECKS, quality_check_rows

Texts = Mapping[str, str]  # segments by their digest
Entries = Mapping[str, Entry]  # their translations


@dataclass(frozen=True)
class BitextWords:
    """The files of what the bitext of a language has taught: `word_links` and `token_counts`."""

    links: Path
    counts: Path

    def read(self) -> TaughtWords | None:
        """Return what the files hold; None if the pairs were too few to teach."""
        links, counts = pq.read_table(self.links), pq.read_table(self.counts)
        if not links.num_rows:
            return None
        columns = [links[name].to_numpy() for name in ("en", "xx", "evidence")]
        sides = []
        for is_english in (True, False):
            own = counts.filter(pc.equal(counts["is_english"], is_english))
            sides += [own["token"].to_numpy(), own["count"].to_numpy()]
        return TaughtWords(link_table(*columns), *sides)


@dataclass
class MeaningCheck:
    """What judges the translations of a run; it has to read them before."""

    words: TaughtWords
    lang: str
    judge: TranslationJudge | None = None  # None: too few translations, so that none is judged
    names: NameJudge | None = None  # for languages of Latin script
    judged: set[str] = field(default_factory=set)
    _read: dict[str, str] = field(default_factory=dict)  # translations by which it was made

    @classmethod
    def of(cls, words: BitextWords, lang: str) -> "MeaningCheck | None":
        """Return the check of a language; None if its bitext was too small, or no row of the checks needs it."""
        taught = words.read() if any(row.needs_bitext for row in quality_check_rows().values()) else None
        return cls(taught, lang) if taught else None

    def read(self, texts: Texts, entries: Entries) -> None:
        """Learn what is usual from translations, but for those that fail another check."""
        self._read = {key: entries[key].text for key in texts if not entries[key].failed_check}
        sources = [texts[key] for key in self._read]
        self.judge = make_translation_judge(self.words, sources, list(self._read.values()), self.lang)
        self.names = make_name_judge(self.words, sources, list(self._read.values()), self.lang) if self.judge else None

    def apply(self, texts: Texts, entries: Entries) -> dict[str, Entry]:
        """Return the entries, with the check that fails where none had."""
        keys = [key for key in texts if not entries[key].failed_check]
        if not self.judge or not keys:
            return dict(entries)
        own = [entries[key].text for key in keys]
        is_counted = np.array([self._read.get(key) == text for key, text in zip(keys, own, strict=True)])
        sources = [texts[key] for key in keys]
        scores = [*self.judge.measure(sources, own, is_counted)]
        scores.append(np.array(self.names.measure(sources, own)) if self.names else np.full(len(keys), np.nan))
        self.judged.update(key for key, score in zip(keys, scores[0], strict=True) if np.isfinite(score))
        checked = dict(entries)
        for name, values in reversed(list(zip(BITEXT_CHECKS, scores, strict=True))):
            row = quality_check_rows().get(name)
            for key, value in zip(keys, values, strict=True):
                if row and row.needs_bitext and value > row.thresholds["max"]:
                    checked[key] = entries[key]._replace(failed_check=name)
        return checked
