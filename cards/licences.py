"""The licences of a release: those of what its rows hold, and the one that follows for the whole."""

import re

from cards.manifest import list_licences
from cards.manifest_types import Manifest, ModelEntry, SourceEntry

SPDX = {"mit": "MIT", "apache-2.0": "Apache-2.0", "odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0"}
# The identifiers of the Hub (huggingface.co/docs/hub/repositories-licenses); it refuses a card with another one.
HUB_LICENCES = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m
    afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5
    cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0
    lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl
    openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
    fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma unknown other
"""
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


def hub_licence(manifest: Manifest) -> dict[str, str | list[str]]:
    """Return the keys of the card's YAML on the licence: one that the Hub does not know is `other`, with its name."""
    licence = release_licence(manifest)
    names = [licence] if isinstance(licence, str) else licence
    identifiers = HUB_LICENCES.split()
    known = list(dict.fromkeys(name if name in identifiers else "other" for name in names))
    others = [re.sub(r"[^a-z0-9.+-]+", "-", name.lower()).strip("-") for name in names if name not in identifiers]
    return {"license": known[0] if len(known) == 1 else known} | ({"license_name": "-".join(others)} if others else {})


def licence_url(name: str) -> str:
    """Return the SPDX page of a licence that the Hub calls so, or the name where there is none."""
    if name.startswith(("cc-by", "cc0")):
        return f"https://spdx.org/licenses/{name.upper()}.html"
    return f"https://spdx.org/licenses/{SPDX[name]}.html" if name in SPDX else name
