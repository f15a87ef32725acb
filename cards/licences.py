"""The licences of a release: those of what its rows hold, and the one that follows for the whole."""

import re
from typing import Any

from cards.manifest import list_licences
from cards.manifest_types import Manifest, ModelEntry, OriginEntry, SourceEntry
from corpora.licences import hub_licences, notes

MODELS = {"nllb": "cc-by-nc-4.0", "m2m": "mit", "opus-mt": "cc-by-4.0", "madlad": "apache-2.0"}  # by part of the name


def model_licence(name: str) -> str:
    """Return the licence that a translation model's output comes under."""
    return next((licence for part, licence in MODELS.items() if part in name.lower()), "other")


def text_sources(manifest: Manifest) -> list[SourceEntry]:
    """Return the sources whose text is in the rows; benchmarks are only searched for."""
    return [source for source in manifest["sources"] if source["kind"] != "benchmark"]


def translation_models(manifest: Manifest) -> list[ModelEntry]:
    """Return the models that translated rows of a release."""
    return [model for model in manifest["models"] if model["role"] == "translation" and model["licence"]]


def people(manifest: Manifest) -> list[OriginEntry]:
    """Return the people whose translations are in a release under a stated licence."""
    origins = manifest["translator"].get("origins", [])
    return [origin for origin in origins if origin["origin"] == "human" and origin["licence"]]


def row_licences(manifest: Manifest) -> list[str]:
    """Return the licences that rows of a release are under, each once, in alphabetical order."""
    return list_licences([*text_sources(manifest), *translation_models(manifest), *people(manifest)])


def obligations(manifest: Manifest) -> list[dict[str, Any]]:
    """Return what licences of rows demand: attribution of these sources, or the same licence for what is made of them.

    Keys are licence, url, sources (to be named), attribution and share_alike.
    """
    sources: dict[str, list[str]] = {}
    for source in text_sources(manifest):
        sources.setdefault(source["licence"], []).append(source["title"])
    for entry in [*translation_models(manifest), *people(manifest)]:
        sources.setdefault(entry["licence"], []).append(f"translations by {entry['name'] or 'people'}")
    return [
        {
            "licence": name,
            "url": licence_url(name),
            "sources": list(dict.fromkeys(own)),
            "attribution": notes(name).attribution,
            "share_alike": notes(name).share_alike,
        }
        for name, own in sorted(sources.items())
        if notes(name).attribution or notes(name).share_alike
    ]


def is_non_commercial(manifest: Manifest) -> bool:
    """Return whether a part of a release, and so all of it taken together, may not be used commercially."""
    return any("-nc" in name for name in row_licences(manifest))


def release_licence(manifest: Manifest) -> str | list[str]:
    """Return the licence of a release as the Hub's metadata takes it.

    The licence of all rows, if they have one. If a part is non-commercial, the strictest such licence, since a list
    would read as a choice. Otherwise all licences.
    """
    names = row_licences(manifest)
    if strict := [name for name in names if "-nc" in name]:
        return max(strict, key=lambda name: (len(name.split("-")), name))
    return names[0] if len(names) == 1 else names


def hub_licence(manifest: Manifest) -> dict[str, str | list[str]]:
    """Return the keys of the card's YAML on the licence: one that the Hub does not know is `other`, with its name."""
    licence = release_licence(manifest)
    names = [licence] if isinstance(licence, str) else licence
    identifiers = hub_licences()
    known = list(dict.fromkeys(name if name in identifiers else "other" for name in names))
    others = [re.sub(r"[^a-z0-9.+-]+", "-", name.lower()).strip("-") for name in names if name not in identifiers]
    return {"license": known[0] if len(known) == 1 else known} | ({"license_name": "-".join(others)} if others else {})


def licence_url(name: str) -> str:
    """Return the SPDX page of a licence that the Hub calls so, or the name where there is none."""
    spdx = notes(name).spdx
    return f"https://spdx.org/licenses/{spdx}.html" if spdx else name
