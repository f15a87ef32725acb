"""What the command prints: tables, sentences and JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builders.pipeline import BuildResult, lost_records
from builders.publishing import Published, UploadPlan
from cards.dataset_card import load_call
from cards.description import describe_rows
from cards.manifest import count_rows, identity
from cards.manifest_types import Manifest
from cards.summary import FIRST_STAGE, LAST_STAGE, count_pairs, count_rejections, group_by_corpus, sum_statistics
from corpora.catalog import language
from corpora.download import SourceFile
from corpora.terminal_tables import format_table, wrap_after
from corpora.urls import is_url, public_url

LOST_SHARE = 0.1  # of the records of a corpus; from there on the end of a run says it


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
    lines += lost_records(manifest["ledger"], LOST_SHARE)
    lines += _planned(item.upload_plan) if item.upload_plan else _location_lines(item)
    if manifest.get("allocation"):
        from builders.budget import mixture_lines

        lines += mixture_lines(manifest)
    return "\n".join(lines)


def _location_lines(item: Published) -> list[str]:
    """Return where a release is and how to load it."""
    if not item.is_folder and not item.load_path.startswith("hf://"):
        call = f'cards.releases.open_release("{item.uri}").load("{next(iter(item.manifest["configs"]))}")'
        return [f"  store   {item.uri}", f"  load    {call}", f"  check   builders verify {item.uri}"]
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
            | {"uri": p.uri, "folder": p.uri if p.is_folder else None}
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
    return format_table(["corpus", "lang", "bytes", "sha256", "file"], rows, drop=["sha256", "file"])


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


SOURCE_HEADS = ("source", "langs", "version", "licence", "page")


def release_text(folder: str, manifest: Manifest) -> str:
    """Return what the rows of a release are, by language; what filters removed; its ledger and its sources."""
    sources = [
        (s["corpus"], ", ".join(s["langs"]), s["version"], s["licence"], s["homepage"])
        for s in group_by_corpus(manifest["sources"])
    ]
    stages = ["stage", "corpus", "lang", "in", "rejected", "kept"]
    parts = [
        f"{manifest['name']} {manifest['version']}  {folder}",
        "\n".join([*wrap_after("", describe_rows(manifest)), f"identity {identity(manifest)}"]),
        _languages_table(manifest),
        _rejections_table(manifest),
        format_table(stages, _stages(manifest), drop=["corpus"]),
        format_table(
            ["source", "langs", "version", "licence", "page"], sources, drop=["page", "version"], wrap=["langs"]
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _languages_table(manifest: Manifest) -> str:
    """Return the distinct rows by language, with their sums."""
    keys = ("num_pairs", "num_instructions", "num_documents", "num_train", "num_validation")
    total: dict[str, Any] = {"lang": "", **sum_statistics(manifest)}
    table: list[dict[str, Any]] = [*map(dict, manifest["statistics"]), total]
    rows = [
        (
            language(row["lang"]).name if row["lang"] else "all",
            row["lang"],
            *(f"{row[key]:,}" if row[key] or row is total else "" for key in keys if total[key]),
            f"{row['num_bytes'] / 1e6:,.1f}",
        )
        for row in table
    ]
    heads = [key.removeprefix("num_") for key in keys if total[key]]
    return format_table(["language", "code", *heads, "MB"], rows, drop=["code", "MB"])


def _rejections_table(manifest: Manifest) -> str:
    """Return the filters that removed any pair, by language."""
    rules = [rule for rule in count_rejections(manifest) if rule["total"]]
    num_in = sum(row["num_in"] for row in count_pairs(manifest))
    langs = manifest["langs"]
    rows = [
        (
            rule["name"],
            f"{rule['total']:,}",
            f"{rule['total'] / num_in:.1%}",
            *(f"{rule['num_rows'][lang]:,}" for lang in langs),
        )
        for rule in rules
    ]
    return format_table(["removed by", "pairs", "share", *langs], rows, drop=list(reversed(langs))) if rows else ""


def _stages(manifest: Manifest) -> list[tuple[str, ...]]:
    """Return the ledger by stage, corpus and language: rows in, rejected and kept."""
    sums: dict[tuple[str, str, str], dict[str, int]] = {}
    for n in manifest["ledger"]:
        row = sums.setdefault((n["stage"], n["corpus"], n["lang"]), {"in": 0, "rejected": 0, "kept": 0})
        for name, count in (("in", n["num_in"]), ("rejected", n["num_rows"]), ("kept", n["num_kept"])):
            row[name] += count or 0
    return [(*key, *(f"{row[k]:,}" for k in ("in", "rejected", "kept"))) for key, row in sums.items()]


def _json(value: object) -> str:
    """Return JSON in ASCII, because texts of others may hold control characters."""
    return json.dumps(value, indent=2)
