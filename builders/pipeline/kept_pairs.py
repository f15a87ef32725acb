"""Kept pairs over all parts and languages: their tables, the keys of several ranges, and what languages share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from builders.pipeline.parts import Part
from builders.pipeline.ranges import Range, ranges_of
from builders.workspace import Workspace, query_task

OVERLAP = pl.Schema({"lang": pl.String, "other": pl.String, "num_sentences": pl.Int64})
WHOLE = "bitext"
IN_RANGE = "(from keys where bucket >= $first_bucket and bucket < $after_bucket)"


@dataclass(frozen=True)
class KeptPairs:
    """The files of `bitext` by language, and of `keys` where some languages together need several ranges."""

    bitext: Mapping[str, Sequence[Path]]
    keys: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    num_rows: Mapping[str, int] = field(default_factory=dict)  # lines, of which some are kept

    def of(self, langs: Sequence[str]) -> "KeptPairs":
        """Return those of some languages."""
        own = [lang for lang in langs if lang in self.bitext]
        bitext, num_rows = {lang: self.bitext[lang] for lang in own}, {lang: self.num_rows[lang] for lang in own}
        return KeptPairs(bitext, {lang: self.keys[lang] for lang in own if lang in self.keys}, num_rows)

    @property
    def ranges(self) -> Sequence[Range]:
        """The ranges of keys, or of ids, by which all pairs are read."""
        return ranges_of(sum(self.num_rows.values()))

    def files(self) -> list[Path]:
        """Return the files of `bitext` of all languages."""
        return [path for paths in self.bitext.values() for path in paths]

    def sides(self) -> tuple[Mapping[str, Sequence[Path]], str]:
        """Return the table with both keys of every pair, and the SQL that reads a range of it."""
        if len(self.ranges) > 1:
            return {"keys": [path for paths in self.keys.values() for path in paths]}, IN_RANGE
        return {"bitext": self.files()}, WHOLE


def kept_pairs(parts: Mapping[str, Sequence[tuple[Part, Path]]], work: Workspace) -> KeptPairs:
    """Return the kept pairs of a build; submit `keys` if they need several ranges."""
    bitext = {lang: [path for _, path in own] for lang, own in parts.items()}
    kept = KeptPairs(bitext, {}, {lang: sum(part.num_rows for part, _ in own) for lang, own in parts.items()})
    if len(kept.ranges) == 1:
        return kept
    keys = {
        lang: [
            work.submit(query_task("keys", f"kept-{part.name}", {"bitext": [path]}, columns="lang", pairs=WHOLE))
            for part, path in own
        ]
        for lang, own in parts.items()
    }
    return KeptPairs(bitext, keys, kept.num_rows)


def english_overlap(kept: KeptPairs, work: Workspace) -> pl.DataFrame:
    """Return `english_overlap`: the number of English sentences that each two languages have in common."""
    if not kept.bitext:
        return pl.DataFrame(schema=OVERLAP)
    tables, pairs = kept.sides()
    paths = [
        work.submit(query_task("english_overlap", own.name, tables, own.buckets("en"), pairs=pairs))
        for own in kept.ranges
    ]
    work.wait(paths)
    counts = pl.concat([pl.read_parquet(path, glob=False) for path in paths])
    return counts.group_by("lang", "other").agg(pl.col("num_sentences").sum()).sort("lang", "other")
