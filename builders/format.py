"""What the command prints: tables, sentences and JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from tabulate import tabulate

from builders.pipeline import BuildResult
from builders.publishing import Published, UploadPlan
from cards.dataset_card import load_call
from cards.description import describe_rows
from cards.manifest import count_rows, identity, num_split_rows
from cards.manifest_types import Manifest
from cards.summary import FIRST_STAGE, LAST_STAGE, count_rejections
from corpora.download import SourceFile
from corpora.urls import is_url, public_url


def published_text(item: Published) -> str:
    """Return what was published, where it is, and how to load it."""
    manifest, configs = item.manifest, list(item.manifest["configs"])
    kept = sum(row["num_kept"] or 0 for row in manifest["ledger"] if row["stage"] == LAST_STAGE)
    num_lines = sum(row["num_in"] or 0 for row in manifest["ledger"] if row["stage"] == FIRST_STAGE)
    verb = "Would publish" if item.is_preview else "Published" if item.is_new else "Unchanged:"
    lines = [
        f"{verb} {manifest['name']} {manifest['version']} ({item.reason})",
        f"  {count_rows(manifest):,} examples in config{'s' if len(configs) > 1 else ''} {', '.join(configs)}"
        + (f"; {kept:,} of {num_lines:,} sentence pairs kept" if num_lines else ""),
    ]
    lines += _planned(item.upload_plan) if item.upload_plan else _location_lines(item)
    if manifest.get("allocation"):
        from builders.budget import mixture_lines

        lines += mixture_lines(manifest)
    return "\n".join(lines)


def _location_lines(item: Published) -> list[str]:
    """Return where a release is and how to load it."""
    call = load_call(item.load_path, item.manifest, next(iter(item.manifest["configs"])))
    if item.load_path.startswith("hf://"):
        return [f"  hub     {item.uri}", f"  load    {call}", f"  check   builders verify {item.uri}"]
    return [f"  folder  {item.uri}", f"  load    {call}", f"  card    {Path(item.uri) / 'README.md'}"]


def _planned(plan: UploadPlan) -> list[str]:
    """Return the changes that a preview found."""
    changes = [
        f"  {verb:8}{path}"
        for verb, paths in (("add", plan.added), ("change", plan.changed), ("delete", plan.deleted))
        for path in paths
    ]
    return [*changes, f"  {plan.num_bytes:,} bytes to write. Nothing was published."]


def published_json(published: Sequence[Published]) -> str:
    """Return the releases as JSON."""
    return _json(
        [
            {"name": p.manifest["name"], "version": p.manifest["version"], "configs": p.manifest["configs"]}
            | {"uri": p.uri, "folder": None if p.load_path.startswith("hf://") else p.uri}
            | {"is_new": p.is_new and not p.is_preview, "reason": p.reason, "num_rows": count_rows(p.manifest)}
            | {"manifest_sha256": identity(p.manifest), "upload_plan": asdict(p.upload_plan) if p.upload_plan else None}
            for p in published
        ]
    )


def built_text(built: Sequence[BuildResult]) -> str:
    """Return the counts of each build."""
    return "\n\n".join(repr(item) for item in built)


def built_json(built: Sequence[BuildResult]) -> str:
    """Return the recipe's name, ledger and composition of each build."""
    return _json(
        [
            {"recipe": b.recipe.name, "ledger": b.ledger.to_dicts(), "composition": b.composition.to_dicts()}
            for b in built
        ]
    )


def pulled_text(fetched: Sequence[SourceFile]) -> str:
    """Return the downloaded files as a table."""
    rows = [(f.source.corpus, f.source.lang, f"{f.size:,}", f.sha256[:12], str(f.path)) for f in fetched]
    return tabulate(rows, ["corpus", "lang", "bytes", "sha256", "file"], colalign=("left", "left", "right"))


def pulled_json(fetched: Sequence[SourceFile]) -> str:
    """Return the downloaded files as JSON."""
    return _json(
        [
            {
                "corpus": f.source.corpus,
                "lang": f.source.lang,
                "url": _shown(f.source.url),
                "path": str(f.path),
            }
            | {"sha256": f.sha256, "size": f.size}
            for f in fetched
        ]
    )


def _shown(location: str) -> str:
    """Return a path, or a URL without user names and tokens."""
    return public_url(location) if is_url(location) else location


def release_text(folder: str, manifest: Manifest) -> str:
    """Return the configs, rows, ledger and sources of a release."""
    configs = [
        (name, ", ".join(entry["langs"]), *(f"{num_split_rows(entry, split):,}" for split in SPLITS))
        for name, entry in manifest["configs"].items()
    ]
    cost = [
        (rule["name"], *(f"{rule['num_rows'][lang]:,}" for lang in manifest["langs"]), f"{rule['total']:,}")
        for rule in count_rejections(manifest)
    ]
    sources = [(s["corpus"], s["lang"], s["licence"], s["sha256"][:12], s["url"]) for s in manifest["sources"]]
    parts = [
        f"{manifest['name']} {manifest['version']}  {folder}\n{describe_rows(manifest)}\nidentity {identity(manifest)}",
        tabulate(configs, ["config", "languages", *SPLITS], disable_numparse=True),
        tabulate(cost, ["rejected by", *manifest["langs"], "all"], disable_numparse=True) if cost else "",
        tabulate(_stages(manifest), ["stage", "corpus", "lang", "in", "rejected", "kept"], disable_numparse=True),
        tabulate(sources, ["source", "lang", "licence", "sha256", "url"], disable_numparse=True),
    ]
    text = "\n\n".join(part for part in parts if part)
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)  # no control characters of others


SPLITS = ("train", "validation")


def _stages(manifest: Manifest) -> list[tuple[str, ...]]:
    """Return the ledger by stage, corpus and language: rows in, rejected and kept."""
    sums: dict[tuple[str, str, str], dict[str, int]] = {}
    for n in manifest["ledger"]:
        row = sums.setdefault((n["stage"], n["corpus"], n["lang"]), {"in": 0, "rejected": 0, "kept": 0})
        for name, count in (("in", n["num_in"]), ("rejected", n["num_rows"]), ("kept", n["num_kept"])):
            row[name] += count or 0
    return [(*key, *(f"{row[k]:,}" for k in ("in", "rejected", "kept"))) for key, row in sums.items()]


def lines_text(rows: pl.DataFrame) -> str:
    """Return lines with their position, reason, both sides and measurements."""
    if rows.is_empty():
        return "There is no such line."
    return "\n\n".join(_line(row) for row in rows.iter_rows(named=True))


def _line(row: dict[str, Any]) -> str:
    shown = ("corpus", "line_number", "en", "xx", "lang", "reject_reason", "matched_corpus", "matched_line_number")
    measures = {
        key: format_measure(value) if isinstance(value, float) else value
        for key, value in row.items()
        if key not in shown and value is not None
    }
    match = f" of {row['matched_corpus']}:{row['matched_line_number']}" if row["matched_corpus"] else ""
    head = f"{row['corpus']}:{row['line_number']}  {row['reject_reason'] or 'kept'}{match}"
    values = "  ".join(f"{name} {value}" for name, value in measures.items())
    return f"{head}\n  en  {_cut(row['en'])}\n  xx  {_cut(row['xx'])}\n  {values}"


def format_measure(value: float) -> str:
    """Return a measure with six digits, or with more where six would round it to a rounder number.

    A margin of 1.0399999 is not printed as 1.04: a threshold of 1.04 rejects it.
    """
    for digits in range(6, 18):
        text = f"{value:.{digits}g}"
        significant = text.partition("e")[0].replace(".", "").lstrip("-0")
        if float(text) == value or len(significant) == digits:
            return text
    return repr(value)


def _cut(text: str | None) -> str:
    """Return a text on one line, its control characters visible, cut after 300 characters."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in (text or "")[:301])
    return safe if len(safe) <= 300 else safe[:300] + "…"


def lines_json(rows: pl.DataFrame) -> str:
    """Return lines as JSON Lines."""
    return "\n".join(json.dumps(row) for row in rows.iter_rows(named=True))


def _json(value: object) -> str:
    """Return JSON in ASCII, because texts of others may hold control characters."""
    return json.dumps(value, indent=2)
