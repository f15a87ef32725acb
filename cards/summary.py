"""Tables of a card and a picture, counted from a manifest: pairs kept, reasons of rejection, composition."""

from collections.abc import Iterable, Mapping
from typing import Any

from cards.manifest_types import Manifest

FIRST_STAGE, LAST_STAGE = "measured", "decisions"  # of those that reject sentence pairs
PAIR_STAGES = (FIRST_STAGE, "duplicates", "contaminated", LAST_STAGE)


def count_pairs(manifest: Manifest) -> list[dict[str, Any]]:
    """Return {lang, corpus, num_in, num_kept}: the sentence pairs of each language and corpus."""
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for row in manifest["ledger"]:
        counts = rows.setdefault((row["lang"], row["corpus"]), {"num_in": 0, "num_kept": 0})
        if row["stage"] == FIRST_STAGE:
            counts["num_in"] += row["num_in"] or 0
        if row["stage"] == LAST_STAGE:
            counts["num_kept"] += row["num_kept"] or 0
    return [{"lang": lang, "corpus": corpus, **v} for (lang, corpus), v in rows.items() if v["num_in"]]


def count_rejections(manifest: Manifest) -> list[dict[str, Any]]:
    """Return {name, description, thresholds, num_rows by lang, total} for each filter, in the order of the filters."""
    table = []
    for rule in manifest["filters"]:
        num_rows = dict.fromkeys(manifest["langs"], 0)
        for row in manifest["ledger"]:
            if row["reason"] == rule["name"] and row["stage"] in PAIR_STAGES:
                num_rows[row["lang"]] += row["num_rows"] or 0
        total = sum(num_rows.values())
        texts = {"name": rule["name"], "description": rule["description"]}
        thresholds = format_thresholds(rule["thresholds"])
        table.append(texts | {"thresholds": thresholds, "num_rows": num_rows, "total": total})
    return table


def format_thresholds(thresholds: Mapping[str, Mapping[str, float]]) -> str:
    """Return thresholds as text, such as `min 40 (zh 12)`: the most frequent value, and the languages with another."""
    texts = []
    for name, by_lang in thresholds.items():
        values = list(by_lang.values())
        usual = max(values, key=values.count)
        others = ", ".join(f"{lang} {value:g}" for lang, value in by_lang.items() if value != usual)
        texts.append(f"{name} {usual:g}" + (f" ({others})" if others else ""))
    return ", ".join(texts)


def count_contents(manifest: Manifest) -> list[dict[str, Any]]:
    """Return {config, lang, task, direction, corpus, train, validation}: the rows of each part of a release."""
    table: dict[tuple[str, ...], dict[str, int]] = {}
    for row in manifest["composition"]:
        part = (row["config"], row["lang"], row["task"], row["direction"], row["corpus"])
        table.setdefault(part, {"train": 0, "validation": 0})[row["split"]] += row["num_rows"]
    keys = ("config", "lang", "task", "direction", "corpus")
    return [{**dict(zip(keys, part, strict=True)), **counts} for part, counts in table.items()]


def group_by_corpus(sources: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the sources with one entry per corpus, which lists its languages."""
    corpora: dict[str, dict[str, Any]] = {}
    for source in sources:
        corpora.setdefault(source["corpus"], dict(source) | {"langs": []})["langs"].append(source["lang"])
    return list(corpora.values())
