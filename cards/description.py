"""Describe a release in sentences: what its rows are, where they are from, and what a budget was worth."""

from collections.abc import Mapping, Sequence
from typing import Any

from cards.display_names import metric_name, mixture_name
from cards.manifest_types import Manifest
from cards.summary import sum_statistics
from corpora.catalog import language

SMALL_GAIN = 0.3  # points of a metric that are not worth another mixture, as in recipes.transfer
MAX_NAMES = 6  # the most languages that a sentence names
DIRECTIONS = {("en-xx",): "from English", ("xx-en",): "into English", ("en-xx", "xx-en"): "from and into English"}


def describe_rows(manifest: Manifest) -> str:
    """Return one sentence on what the rows of a release are, counted from the rows themselves."""
    total = sum_statistics(manifest)
    has_tasks = total["num_pairs"] or total["num_instructions"]
    purpose = "instruction tuning" if has_tasks else "language modelling"
    purpose = "evaluation" if manifest["recipe"]["kind"] == "benchmark" else purpose
    parts = [part for part in (_pairs(manifest), *_instructions(manifest), _documents(manifest)) if part]
    langs = [row["lang"] for row in manifest["statistics"] if row["lang"] != "en"]
    has_english = len(langs) < len(manifest["statistics"])
    names = [*list_languages(langs), *(["English"] if has_english else [])]
    return f"{total['num_rows']:,} rows for {purpose} in {join(names)}: {join(parts)}."


def list_languages(langs: Sequence[str]) -> list[str]:
    """Return the names of languages, or of many their number."""
    return [language(lang).name for lang in langs] if len(langs) <= MAX_NAMES else [f"{len(langs)} languages"]


def join(parts: Sequence[str]) -> str:
    """Return parts of a sentence joined by commas and `and`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _pairs(manifest: Manifest) -> str:
    num_pairs = sum_statistics(manifest)["num_pairs"]
    used = {row["direction"] for row in manifest["composition"] if row["task"] == "translation"}
    known = tuple(direction for direction in ("en-xx", "xx-en") if direction in used)
    return f"translation {DIRECTIONS.get(known, '')} ({num_pairs:,} sentence pairs)" if num_pairs else ""


def _instructions(manifest: Manifest) -> list[str]:
    """Return how many instructions there are in English, and in other languages."""
    rows = {row["lang"]: row["num_instructions"] for row in manifest["statistics"] if row["num_instructions"]}
    others = [lang for lang in rows if lang != "en"]
    english = [f"{rows['en']:,} instructions in English"] if "en" in rows else []
    num = sum(rows[lang] for lang in others)
    return english + ([f"{num:,} instructions translated into {join(list_languages(others))}"] if others else [])


def _documents(manifest: Manifest) -> str:
    num = sum_statistics(manifest)["num_documents"]
    return f"{num:,} documents" if num else ""


def describe_advantage(table: Mapping[str, Any]) -> str:
    """Return in a sentence what a mixture is worth against UniMax, or against uniform shares.

    Args:
        table: {metric, alternatives} of an allocation; the first of the alternatives is the mixture itself.
    """
    others = {row["name"]: row for row in table["alternatives"][1:]}
    other = others.get("unimax") or others.get("uniform")
    if other is None or other["advantage"] is None:
        return ""
    name, metric = mixture_name(other["name"]), metric_name(table["metric"])
    low, high = other["advantage_interval"] or (None, None)
    interval = "" if low is None else f" (90% interval [{low:.2f}, {high:.2f}])"
    gain = f"Worth {other['advantage']:.2f} points of {metric} against {name}{interval}"
    if other["advantage"] < SMALL_GAIN:
        return f"{gain}: {name} will do."
    return f"{gain}, which may be nothing." if low is not None and low <= 0 else f"{gain}."


def describe_goal(objective: Mapping[str, Any]) -> str:
    """Return what a mixture was chosen for, such as `the worst language, no language losing more than 1 point ...`.

    Args:
        objective: {kind, weights, no_worse_than, near} of an allocation by objective.
    """
    weights = set(objective["weights"].values())
    text = "the worst language" if objective["kind"] == "worst" else "the mean"
    if len(weights) > 1:
        text = "the weighted mean"
    for floor in objective["no_worse_than"]:
        of, name = floor.get("of", "language"), mixture_name(floor["name"])
        text += f", no {of} losing more than {floor['points']:g} against {name}"
    if near := objective["near"]:
        text += f", nearest to {mixture_name(near['name'])} within {near['points']:g} points of the best"
    return text


def describe_measured(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return in sentences how a mixture's predictions compare with what was measured afterwards.

    Args:
        rows: Each is {lang, predicted, value, num_seeds, is_covered}.
    """
    covered, error = sum(row["is_covered"] for row in rows), [row["predicted"] - row["value"] for row in rows]
    seeds = max(row["num_seeds"] for row in rows)
    return (
        f"Models were trained on this mixture afterwards ({seeds} seed{'s' * (seeds > 1)}) and evaluated in "
        f"{len(rows)} language{'s' * (len(rows) > 1)}: {covered} of {len(rows)} values are within the predicted 90% "
        f"intervals; predicted less measured is {sum(error) / len(error):+.2f} points on average."
    )
