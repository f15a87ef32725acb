"""What `builders translate` says of a run: the files, and of each language what was not translated, and why."""

import json

import polars as pl
from tabulate import tabulate

from builders.run import Translated

STAGES = ("instructions", "segments", "translations", "translated_instructions")


def translated_text(made: Translated) -> str:
    """What became of the records and the segments in each language, and where the files are."""
    order = pl.col("stage").replace_strict(STAGES, range(len(STAGES)), default=None, return_dtype=pl.Int8)
    ledger = made.built.ledger.filter(pl.col("stage").is_in(STAGES)).sort(order, maintain_order=True)
    rows = ledger.select("stage", "lang", "reason", pl.col("rows").map_elements("{:,}".format, pl.String)).rows()
    table = tabulate(rows, ["stage", "lang", "reason", "rows"], colalign=("left", "left", "left", "right"))
    unread = _reasons(ledger, "instructions", "en")
    lines = [f"{sum(unread.values()):,} records were left out: {_listed(unread)}."] if unread else []
    for lang, path in made.files.items():
        english = _reasons(ledger, "translated_instructions", lang)
        done, given = (_rows(ledger, "translated_instructions", lang, reason) for reason in ("kept", "in"))
        stay = f"; {sum(english.values()):,} stay in English: {_listed(english)}" if english else ""
        lines.append(f"{lang}  {path}\n    {done:,} of {given:,} records{stay}.")
    return "\n".join([table, "", *lines])


def _reasons(ledger: pl.DataFrame, stage: str, lang: str) -> dict[str, int]:
    """How many records of a stage in a language were not kept, by reason, the most frequent first."""
    lost = ledger.filter(
        (pl.col("stage") == stage) & (pl.col("lang") == lang) & ~pl.col("reason").is_in(["in", "kept"])
    )
    return dict(lost.sort("rows", "reason", descending=[True, False]).select("reason", "rows").rows())


def _rows(ledger: pl.DataFrame, stage: str, lang: str, reason: str) -> int:
    found = (pl.col("stage") == stage) & (pl.col("lang") == lang) & (pl.col("reason") == reason)
    return int(ledger.filter(found)["rows"].sum())


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def translated_json(made: Translated) -> str:
    """The same for a machine."""
    files = {lang: str(path) for lang, path in made.files.items()}
    described = made.built.translator.described()
    found = {"files": files, "ledger": made.built.ledger.to_dicts(), "translator": described}
    return json.dumps(found, indent=2)
