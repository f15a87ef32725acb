"""The model's card: the record of a run -> README.md."""

from collections.abc import Mapping
from typing import Any

import yaml

from cards.dataset_card import make_environment
from cards.manifest import licences
from corpora.catalog import language


def render_model_card(record: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The text of README.md for a model: a pure function of its run's record and of its release's manifest."""
    langs = record["release"]["langs"]
    front = {
        "language": sorted({"en", *langs}),
        "license": _licence(manifest),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["trl", "sft", "cross-lingual", record["recipe"]["name"]],
    }
    front |= {"base_model": record["model"]["name"]} if "commit" in record["model"] else {}
    return (
        make_environment()
        .get_template("model.md.jinja")
        .render(
            r=record,
            s=record["recipe"]["settings"],
            front=yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip(),
            names={lang: language(lang).name for lang in langs},
            non_commercial=any("-nc" in terms for terms in licences(manifest["sources"])),
            evaluation=record["evaluations"][-1] if record["evaluations"] else {},
        )
    )


def _licence(manifest: Mapping[str, Any]) -> Any:
    """The licences of the text that the model learned from."""
    terms = licences(manifest["sources"])
    return terms[0] if len(terms) == 1 else terms
