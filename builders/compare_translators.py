"""Compare translators on the same instructions before one of them translates all: `builders translate --compare`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from time import monotonic
from typing import Any

import polars as pl

from builders.options import BuildOptions
from builders.pipeline import BuildResult
from builders.run_translation import build_translations
from builders.translation import chrf
from corpora.errors import InputError
from corpora.notebook import TextInNotebook
from corpora.progress import Progress
from corpora.terminal_tables import format_table

MAX_INSTRUCTIONS = 200  # that are translated unless the user names another number


@dataclass(frozen=True, repr=False)
class TranslatorComparison(TextInNotebook):
    """What each translator made of the same instructions.

    `rows` are by language and translator: distinct segments, how many failed a check (by check), instructions that were
    translated whole, seconds of the run (with segments that the memory knew already) and licence. `agreement` is the
    chrF between the translations of two translators, over the segments that both translated.
    """

    rows: tuple[Mapping[str, Any], ...]
    agreement: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return both lists, for JSON."""
        return {"translators": [dict(row) for row in self.rows], "chrf": [dict(row) for row in self.agreement]}

    def __repr__(self) -> str:
        heads = ["lang", "translator", "segments", "failed", "instructions", "seconds", "licence", "checks failed"]
        rows = [
            (
                *(row["lang"], row["translator"], f"{row['num_segments']:,}", f"{sum(row['failed'].values()):,}"),
                f"{row['num_kept']:,} of {row['num_instructions']:,}",
                *(f"{row['seconds']:,.1f}", row["licence"]),
                ", ".join(f"{name} {count:,}" for name, count in row["failed"].items()),
            )
            for row in self.rows
        ]
        pairs = [
            f"{row['lang']}  chrF {row['chrf']:.1f} between {row['first']} and {row['second']}, over "
            f"{row['num_segments']:,} segments"
            for row in self.agreement
        ]
        return "\n".join([format_table(heads, rows, drop=["checks failed", "licence"]), "", *pairs])


def compare_translators(
    what: str, translators: Sequence[str], options: BuildOptions, progress: Progress
) -> TranslatorComparison:
    """Return what several translators make of the first instructions of a corpus or file."""
    if len(set(translators)) < 2 or len(set(translators)) < len(translators):
        raise InputError("--compare needs two or more different translators, such as small-100,opus-mt.")
    options = replace(options, max_instructions=options.max_instructions or MAX_INSTRUCTIONS)
    rows: list[dict[str, Any]] = []
    texts: dict[tuple[str, str], dict[str, str]] = {}
    for name in translators:
        began = monotonic()
        _, built = build_translations(what, replace(options, translator=name), progress)
        seconds = monotonic() - began
        for lang in built.recipe.langs:
            row, texts[lang, name] = _measure(built, lang)
            rows.append({"lang": lang, "translator": name, **row, "seconds": seconds})
    langs = dict.fromkeys(lang for lang, _ in texts)
    pairs = [(lang, first, second) for lang in langs for first, second in combinations(translators, 2)]
    agreement = [_agreement(lang, first, second, texts) for lang, first, second in pairs]
    return TranslatorComparison(tuple(sorted(rows, key=lambda row: str(row["lang"]))), tuple(agreement))


def _measure(built: BuildResult, lang: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the counts of a language, and its translations by segment."""
    (tables,) = built.translations.values()
    table = pl.read_parquet(tables.translations[lang], glob=False)
    failed = Counter(table["failed_check"].to_list())
    del failed[""]
    kept = pl.read_parquet(tables.translated[lang], columns=["reject_reason"], glob=False)["reject_reason"]
    models = built.translator.models()
    row = {
        "num_segments": len(table),
        "failed": dict(failed.most_common()),
        "num_instructions": len(kept),
        "num_kept": int(kept.is_null().sum()),
        "licence": models[0]["licence"] if models else "",
    }
    own = table.filter(pl.col("failed_check") == "")
    return row, dict(zip(own["en"].to_list(), own["text"].to_list(), strict=True))


def _agreement(
    lang: str, first: str, second: str, texts: Mapping[tuple[str, str], Mapping[str, str]]
) -> dict[str, Any]:
    own, other = texts[lang, first], texts[lang, second]
    both = [en for en in own if en in other]
    value = chrf([own[en] for en in both], [other[en] for en in both])
    return {"lang": lang, "first": first, "second": second, "num_segments": len(both), "chrf": value}
