"""What was translated, counted: ledger rows, and what the manifest of a release says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from builders.ledger_rows import count_reasons
from builders.translation.memory import Origin
from builders.translation.translation_table import BY
from builders.translation.translator import Translator

Row = dict[str, Any]


@dataclass(frozen=True)
class TranslationTables:
    """The tables between the instructions of a corpus and the same in each language, by language."""

    segments: Path
    translations: Mapping[str, Path]
    translated: Mapping[str, Path]
    human_sha256: str = ""  # of the translations by people that were used before the translator


def count_translations(tables: TranslationTables, corpus: str) -> Iterator[Row]:
    """Yield the ledger rows of the segments and translations of a corpus.

    Of `segments`, instructions are counted: kept to be translated whole, or the do-not-translate rule that keeps them
    in English (`_in_part` where it keeps some fields only). Of `translations`, distinct segments are counted: kept, or
    the quality check that failed.
    """
    by_instruction = (
        pl.scan_parquet(tables.segments, glob=False)
        .group_by("id")
        .agg(pl.col("do_not_translate").first(), in_part=(pl.col("segments").list.len() > 0).any())
        .select(reason=pl.col("do_not_translate") + pl.when("in_part").then(pl.lit("_in_part")).otherwise(pl.lit("")))
        .select(reason=pl.when(~pl.col("reason").is_in(["", "_in_part"])).then("reason"))
    )
    yield from _count("segments", corpus, "en", by_instruction)
    for lang, path in tables.translations.items():
        failed = pl.when(pl.col("failed_check") != "").then("failed_check")
        yield from _count("translations", corpus, lang, pl.scan_parquet(path, glob=False).select(reason=failed))


def describe_translations(translator: Translator, tables: Iterable[TranslationTables]) -> dict[str, Any]:
    """Return what the manifest of a release says about its translations.

    That is the description of the translator, with the number of translated segments by language and method, by
    whether their meaning was checked, and by origin, and the digest of the translations by people that came before it.
    """
    methods: dict[str, Counter[str]] = {}
    checked: dict[str, Counter[bool]] = {}
    origins: Counter[Origin] = Counter()
    human_sha256 = ""
    for own in tables:
        human_sha256 = human_sha256 or own.human_sha256
        for lang, path in own.translations.items():
            for method, is_checked, *origin, num in _count_used(path):
                methods.setdefault(lang, Counter())[method] += num
                checked.setdefault(lang, Counter())[is_checked] += num
                origins[Origin(*origin)] += num
    meaning = {lang: {"num_checked": own[True], "num_unchecked": own[False]} for lang, own in checked.items()}
    entry: dict[str, Any] = {lang: dict(sorted(counts.items())) for lang, counts in methods.items()}
    return {
        **translator.describe(),
        **({"human_sha256": human_sha256} if human_sha256 else {}),
        **({"methods": entry} if entry else {}),
        **({"meaning": meaning} if meaning else {}),
        **({"origins": [_origin_entry(origin, origins[origin]) for origin in sorted(origins)]} if origins else {}),
    }


def _count_used(path: Path) -> list[tuple[Any, ...]]:
    """Return how many translations that pass all checks there are by method, meaning checked, and origin."""
    by = ("method", "is_meaning_checked", *BY)
    used = pl.scan_parquet(path, glob=False).filter(pl.col("failed_check") == "")
    return used.group_by(by).len().collect(engine="streaming").rows()


def _origin_entry(origin: Origin, num_segments: int) -> Row:
    """Return an origin as a manifest has it."""
    entry = origin._asdict()
    sha256 = entry.pop("model")
    return {**entry, "sha256": sha256, "num_segments": num_segments}


def _count(stage: str, corpus: str, lang: str, reasons: pl.LazyFrame) -> Iterator[Row]:
    counts = reasons.group_by("reason").len().collect()
    yield from count_reasons(stage, corpus, lang, dict(counts.rows()))
