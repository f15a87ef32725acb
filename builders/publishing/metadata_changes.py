"""What two manifests state differently: which recipe key, threshold, source or model changed, from what to what."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cards.manifest_types import Manifest

# The parts that are compared, each with the keys that name an entry of a list.
PARTS: dict[str, tuple[str, ...]] = {
    "title": (),
    "summary": (),
    "langs": (),
    "recipe": (),
    "filters": ("name",),
    "prompts": ("name",),
    "sources": ("corpus", "lang"),
    "models": ("role", "name"),
    "translator": (),
    "allocation": (),
    "ledger": (),
}
SUMMARISED = ("ledger",)  # parts that are numbers of a build: only that they changed is stated
MAX_CHARS = 120  # of a value


@dataclass(frozen=True)
class MetadataChange:
    """One key that differs, such as `filters.low_margin.thresholds.min.el`; None where a release lacks it."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return self.key if self.key in SUMMARISED else f"{self.key}: {_shown(self.before)} -> {_shown(self.after)}"


def metadata_changes(before: Manifest, after: Manifest) -> tuple[MetadataChange, ...]:
    """Return the keys of the manifests' metadata that differ, in the order of the parts.

    Thresholds of a language that only one of the releases has are left out.
    """
    old, new = (json.loads(json.dumps({part: manifest.get(part) for part in PARTS})) for manifest in (before, after))
    other_langs = set(old["langs"]) ^ set(new["langs"])
    changes: list[MetadataChange] = []
    for part, names in PARTS.items():
        if part in SUMMARISED:
            changes += [MetadataChange(part, None, None)] if old[part] != new[part] else []
        else:
            changes += _changes(part, _named(old[part], names), _named(new[part], names), other_langs)
    return tuple(changes)


def _named(value: Any, names: tuple[str, ...]) -> Any:
    """Return a list of entries as a mapping by their names."""
    if not names or not isinstance(value, list):
        return value
    return {"/".join(str(entry.get(name)) for name in names): entry for entry in value}


def _changes(key: str, before: Any, after: Any, ignored: Collection[str]) -> list[MetadataChange]:
    if before == after:
        return []
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return [MetadataChange(key, before, after)]
    if one := _one_change(key, before, after):
        return [one]
    keys = [name for name in dict.fromkeys((*before, *after)) if not (key.startswith("filters") and name in ignored)]
    return [c for name in keys for c in _changes(f"{key}.{name}", before.get(name), after.get(name), ignored)]


def _one_change(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> MetadataChange | None:
    """Return one change for a threshold that was the same in all languages, and is again."""
    old, new = (set(map(str, values.values())) for values in (before, after))
    if ".thresholds." in key and len(old) == len(new) == 1 and before and after:
        return MetadataChange(key, next(iter(before.values())), next(iter(after.values())))
    return None


def _shown(value: Any) -> str:
    """Return a value as a short line of JSON; `none` where a release lacks it."""
    text = "none" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"
