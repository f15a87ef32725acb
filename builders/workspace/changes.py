"""Describe why a task is done again: the differences between its inputs and those of the newest such task."""

from typing import Any

CONTEXT_CHARS = 40  # characters of a text that are shown on either side of a difference


def describe_changes(before: Any, now: Any, path: str = "") -> list[str]:
    """Return a sentence for each difference between two JSON values, with its path."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [d for k in keys for d in describe_changes(before.get(k), now.get(k), f"{path}.{k}".lstrip("."))]
    if before == now:
        return []
    if isinstance(before, list) and isinstance(now, list):
        before, now = [x for x in before if x not in now] or before, [x for x in now if x not in before] or now
    if isinstance(before, str) and isinstance(now, str):
        before, now = _without_common_ends(before, now)
    return [f"{path} was {before!r}, is {now!r}"]


def _without_common_ends(before: str, now: str) -> tuple[str, str]:
    """Return two texts without most of their common beginning and end."""
    start = max(0, _common_length(before, now) - CONTEXT_CHARS)
    end = max(0, _common_length(before[:start:-1], now[:start:-1]) - CONTEXT_CHARS)
    head, tail = "…" * (start > 0), "…" * (end > 0)
    return head + before[start : len(before) - end] + tail, head + now[start : len(now) - end] + tail


def _common_length(one: str, other: str) -> int:
    """Return the number of characters with which both texts begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (x, y) in pairs if x != y), min(len(one), len(other)))
