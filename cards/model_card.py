"""The card of a model: README.md from the metadata of its run."""

from collections.abc import Mapping
from typing import Any

from cards.dataset_card import make_environment
from cards.escaping import front_matter
from cards.manifest import list_licences
from cards.manifest_types import Manifest
from corpora.catalog import language


def render_model_card(metadata: Mapping[str, Any], manifest: Manifest, has_picture: bool = False) -> str:
    """Return the README.md of a model.

    Args:
        metadata: The content of the run's run.json.
        manifest: The manifest of the release that the model was trained on.
        has_picture: Whether the picture of the losses, `losses.png`, is beside the card.
    """
    langs = metadata["release"]["langs"]
    front = {
        "language": sorted({"en", *langs}),
        "license": _licence(manifest),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["trl", "sft", "cross-lingual", metadata["recipe"]["name"]],
    }
    front |= {"base_model": metadata["model"]["name"]} if "commit" in metadata["model"] else {}
    return (
        make_environment()
        .get_template("model.md.jinja")
        .render(
            run=metadata,
            settings=metadata["recipe"]["settings"],
            front=front_matter(front),
            names={lang: language(lang).name for lang in langs},
            non_commercial=any("-nc" in terms for terms in list_licences(manifest["sources"])),
            has_picture=has_picture,
            evaluation=metadata["evaluations"][-1] if metadata["evaluations"] else {},
        )
    )


def _licence(manifest: Manifest) -> Any:
    """Return the licences of the text that the model was trained on."""
    terms = list_licences(manifest["sources"])
    return terms[0] if len(terms) == 1 else terms
