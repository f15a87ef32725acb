"""The licences of a release: those of what its rows hold, and the one that follows for the whole."""

from cards.manifest import list_licences
from cards.manifest_types import Manifest, ModelEntry, SourceEntry

SPDX = {"mit": "MIT", "apache-2.0": "Apache-2.0", "odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0"}
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


def row_licences(manifest: Manifest) -> list[str]:
    """Return the licences that rows of a release are under, each once, in alphabetical order."""
    return list_licences([*text_sources(manifest), *translation_models(manifest)])


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


def licence_url(name: str) -> str:
    """Return the SPDX page of a licence that the Hub calls so, or the name where there is none."""
    if name.startswith(("cc-by", "cc0")):
        return f"https://spdx.org/licenses/{name.upper()}.html"
    return f"https://spdx.org/licenses/{SPDX[name]}.html" if name in SPDX else name
