"""The card of a model: README.md from the metadata of its run."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from cards.dataset_card import HOMEPAGE, make_environment
from cards.description import join, list_languages
from cards.escaping import code, front_matter
from cards.manifest import list_licences
from cards.manifest_types import Manifest

REPOSITORY = re.compile(r"hf://([\w.-]+/[\w.-]+)(@.*)?")
EXAMPLE = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # the folder that holds this card
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)

{prompt}
answer = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))"""
TEXT_PROMPT = """\
prompt = {prompt!r}
inputs = tokenizer(prompt, return_tensors="pt")"""
CHAT_PROMPT = """\
messages = [{{"role": "user", "content": {instruction!r}}}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)"""


class Prompt(Protocol):
    """The prompt template of a run, as `recipes.prompts` has it."""

    @property
    def without_input(self) -> str:
        """The text before the answer to an instruction without an input."""

    @property
    def chat(self) -> str | None:
        """A chat template; None where the prompt is text."""

    def prompt(self, instruction: str, input: str) -> str:
        """Return the text before the answer."""


def render_model_card(
    metadata: Mapping[str, Any], manifest: Manifest, template: Prompt | None = None, has_picture: bool = False
) -> str:
    """Return the README.md of a model.

    Args:
        metadata: The content of the run's run.json.
        manifest: The manifest of the release that the model was trained on.
        template: The prompt template of the run; None if it is not known.
        has_picture: Whether the picture of the losses, `losses.png`, is beside the card.
    """
    langs = metadata["release"]["langs"]
    trained = [row for row in metadata["example_counts"] if row["split"] == "train"]
    licences = list_licences(manifest["sources"])
    return (
        make_environment()
        .get_template("model.md.jinja")
        .render(
            run=metadata,
            settings=metadata["recipe"]["settings"],
            front=front_matter(_front(metadata, manifest)),
            homepage=HOMEPAGE,
            dataset=_dataset(metadata),
            languages=join(list_languages(langs)),
            num_rows=sum(row["kept"] + row["truncated"] for row in trained),
            licence_names=join([code(name) for name in licences]),
            non_commercial=any("-nc" in terms for terms in licences),
            example=_example(template, manifest),
            prompt_text=template.without_input if template and template.chat is None else "",
            has_picture=has_picture,
            evaluation=metadata["evaluations"][-1] if metadata["evaluations"] else {},
        )
    )


def _front(metadata: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
    """Return the YAML of the card, as the Hub spells it."""
    front = {
        "language": sorted({"en", *metadata["release"]["langs"]}),
        "license": _licence(manifest),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["trl", "sft", "cross-lingual", metadata["recipe"]["name"]],
    }
    front |= {"base_model": metadata["model"]["name"]} if "commit" in metadata["model"] else {}
    return front | ({"datasets": [_dataset(metadata)]} if _dataset(metadata) else {})


def _dataset(metadata: Mapping[str, Any]) -> str:
    """Return the repository of the release on the Hub; nothing if it is a folder."""
    match = REPOSITORY.fullmatch(str(metadata["release"].get("origin", "")))
    return match[1] if match else ""


def _example(template: Prompt | None, manifest: Manifest) -> str:
    """Return Python code that loads the model and lets it answer the first example of its release."""
    instruction, own_input = next(
        ((row["instruction"], row["input"]) for row in manifest["examples"]), ("Say hello.", "")
    )
    if template and template.chat is None:
        prompt = TEXT_PROMPT.format(prompt=template.prompt(instruction, own_input))
    elif template:
        prompt = CHAT_PROMPT.format(instruction="\n".join(filter(None, (instruction, own_input))))
    else:
        prompt = TEXT_PROMPT.format(prompt=instruction)
    return EXAMPLE.format(prompt=prompt)


def _licence(manifest: Manifest) -> Any:
    """Return the licences of the text that the model was trained on."""
    terms = list_licences(manifest["sources"])
    return terms[0] if len(terms) == 1 else terms
