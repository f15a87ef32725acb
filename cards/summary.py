"""Tables of a card and a picture, counted from a manifest: pairs kept, reasons of rejection, composition."""

from collections.abc import Iterable, Mapping
from typing import Any

from cards.manifest_types import Manifest, StatisticsRow

FIRST_STAGE, LAST_STAGE = "measured", "decisions"  # of those that reject sentence pairs
NOTABLE = 0.001  # the least share of a language's pairs that a filter rejects to be in the first table
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
            if row["reason"] == rule["name"] and row["stage"] in PAIR_STAGES and row["lang"] in num_rows:
                num_rows[row["lang"]] += row["num_rows"] or 0
        total = sum(num_rows.values())
        texts = {"name": rule["name"], "description": rule["description"]}
        thresholds = format_thresholds(rule["thresholds"])
        table.append(texts | {"thresholds": thresholds, "num_rows": num_rows, "total": total})
    return table


def sum_ledger(manifest: Manifest) -> list[dict[str, Any]]:
    """Return {stage, corpus, num_in, num_kept, reasons}: the whole ledger by stage and corpus, over all languages."""
    table: dict[tuple[str, str], dict[str, Any]] = {}
    for row in manifest["ledger"]:
        key = (row["stage"], row["corpus"])
        entry = table.setdefault(key, {"stage": key[0], "corpus": key[1], "num_in": 0, "num_kept": 0, "reasons": {}})
        if row["reason"] is None:
            entry["num_in"] += row["num_in"] or 0
            entry["num_kept"] += row["num_kept"] or 0
        else:
            entry["reasons"][row["reason"]] = entry["reasons"].get(row["reason"], 0) + (row["num_rows"] or 0)
    return list(table.values())


def count_translated(manifest: Manifest) -> list[dict[str, Any]]:
    """Return {lang, num_in, num_checked, num_unchecked, reasons}: the distinct segments of instructions by language.

    `num_checked` and `num_unchecked` are the translations that are used, by whether their meaning was compared by the
    words of a bitext; `reasons` are the checks that stopped others.
    """
    table: dict[str, dict[str, Any]] = {}
    for lang, counts in manifest["translator"].get("meaning", {}).items():
        table[lang] = {"lang": lang, "num_in": 0, **counts, "reasons": {}}
    for row in manifest["ledger"]:
        if row["stage"] == "translations" and (entry := table.get(row["lang"])):
            if row["reason"] is None:
                entry["num_in"] += row["num_in"] or 0
            else:
                entry["reasons"][row["reason"]] = entry["reasons"].get(row["reason"], 0) + (row["num_rows"] or 0)
    return list(table.values())


def select_rejections(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the filters that rejected a notable share of some language's pairs, those that rejected most first.

    Each has, beside the keys of `count_rejections`, `share` of all pairs, and the language `most_in` with its share
    `most`.
    """
    lines = dict.fromkeys(manifest["langs"], 0)
    for row in count_pairs(manifest):
        lines[row["lang"]] = lines.get(row["lang"], 0) + row["num_in"]
    table = []
    for rule in count_rejections(manifest):
        shares = {lang: num / lines[lang] for lang, num in rule["num_rows"].items() if lines[lang]}
        most_in = max(shares, key=lambda lang: shares[lang], default="")
        if most_in and shares[most_in] >= NOTABLE:
            share = rule["total"] / sum(lines.values())
            table.append(rule | {"share": share, "most_in": most_in, "most": shares[most_in]})
    return sorted(table, key=lambda rule: -rule["total"])


def sum_statistics(manifest: Manifest) -> dict[str, int]:
    """Return the sums of the statistics over all languages, by their names."""
    rows: list[dict[str, Any]] = [dict(row) for row in manifest["statistics"]]
    return {name: sum(row[name] for row in rows) for name in StatisticsRow.__annotations__ if name != "lang"}


def format_thresholds(thresholds: Mapping[str, Mapping[str, float]]) -> str:
    """Return thresholds as text, such as `min 40 (zh 12)`: the most frequent value, and the languages with another."""
    texts = []
    for name, by_lang in thresholds.items():
        values = list(by_lang.values())
        usual = max(values, key=values.count)
        others = ", ".join(f"{lang} {_number(value)}" for lang, value in by_lang.items() if value != usual)
        texts.append(f"{name} {_number(usual)}" + (f" ({others})" if others else ""))
    return ", ".join(texts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 and value == int(value) else f"{value:g}"


def sum_benchmarks(manifest: Manifest) -> list[dict[str, Any]]:
    """Return {name, num_sentences, num_rows, parts} for each benchmark; `parts` are its rows by language."""
    table: dict[str, dict[str, Any]] = {}
    for row in manifest["decontamination"]:
        entry = table.setdefault(row["benchmark"], {"name": row["benchmark"], "parts": []})
        entry["parts"].append(row)
    for entry in table.values():
        entry |= {name: sum(row[name] for row in entry["parts"]) for name in ("num_sentences", "num_rows")}
    return list(table.values())


def most_shared(manifest: Manifest, limit: int = 5) -> list[dict[str, Any]]:
    """Return {lang, num_sentences, others}: English sentences by language, and the languages that share most of them.

    `others` has at most `limit` pairs of a language and a number, the largest number first.
    """
    counts: dict[str, dict[str, int]] = {lang: {} for lang in manifest["langs"]}
    for row in manifest["english_overlap"]:
        counts.setdefault(row["lang"], {})[row["other"]] = row["num_sentences"]
    table = []
    for lang, by_other in counts.items():
        others = sorted(((o, n) for o, n in by_other.items() if o != lang and n), key=lambda pair: -pair[1])
        table.append({"lang": lang, "num_sentences": by_other.get(lang, 0), "others": others[:limit]})
    return table


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
