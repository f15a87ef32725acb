"""The card of a model: what it is, how to use it, and its data, whatever its texts say."""

import ast
import re

import pytest
import yaml
from hypothesis import given, settings

from cards.model_card import render_model_card
from recipes.prompts import prompt_template
from tests.cards.test_dataset_card import BLOCKS, front, headings, manifest, rendered, tags
from tests.cards.test_escaping import HOSTILE

ALPACA = prompt_template("alpaca")


def metadata(**changes):
    row = {"split": "train", "lang": "el", "task": "translation", "num_rows": 9, "kept": 7, "truncated": 1}
    row |= {"dropped": 1, "no_target": 0, "num_tokens": 1234}
    release = {"name": "coit", "version": "v1.0.0", "config": "el", "langs": ["el"], "manifest_sha256": "0" * 64}
    values = {
        "release": release | {"origin": "hf://ours/coit@v1.0.0"},
        "recipe": {"name": "tiny", "settings": {"title": "Tiny", "model_config": None, "use_peft": False}},
        "model": {"name": "base/model", "commit": "1" * 40, "num_parameters": 5_000_000},
        "prompt": {"name": "alpaca", "sha256": ALPACA.sha256()},
        "size": None,
        "seed": 0,
        "step": 3,
        "num_tokens": 1234,
        "losses": [{"step": 1, "loss": 6.0}, {"step": 3, "loss": 4.5}],
        "evaluations": [{"step": 3, "el": {"loss": 4.4, "token_accuracy": 0.25}}],
        "example_counts": [row],
        "tokenizer": "2" * 64,
        "key": "3" * 64,
    }
    return values | changes


def python_of(card: str) -> str:
    return re.search(r"^(```+)python\n(.*?)^\1$", card, re.DOTALL | re.MULTILINE)[2]


def test_card_links_data_and_base_and_states_prompt_and_licence():
    card = render_model_card(metadata(), manifest(), ALPACA, has_picture=True)
    data, text = front(card)
    assert (data["datasets"], data["base_model"], data["license"]) == (["ours/coit"], "base/model", "cc-by-4.0")
    assert "[ours/coit](https://huggingface.co/datasets/ours/coit/tree/v1.0.0)" in text
    assert ALPACA.without_input.split("\n")[0] in text
    assert "![Training loss by step, from 6.00 to 4.50" in text
    assert text.index("<details>") < text.index("0" * 64)


def test_model_from_random_weights_has_no_base():
    scratch = {"name": "tiny", "num_parameters": 282_048}
    recipe = {"name": "tiny", "settings": {"title": "", "model_config": {"hidden_size": 64}, "use_peft": False}}
    data, text = front(render_model_card(metadata(model=scratch, recipe=recipe), manifest()))
    assert "base_model" not in data
    assert "- **Base:** random weights." in text
    assert "a model for tests and for scaling laws" in text


def test_release_in_a_folder_is_not_linked():
    data, _ = front(render_model_card(metadata(release=metadata()["release"] | {"origin": "registry"}), manifest()))
    assert "datasets" not in data


@pytest.mark.parametrize("name", ["alpaca", "chat", "chatml", "unknown"])
def test_example_is_python_with_the_prompt_of_the_training(name):
    template = None if "unknown" in name else prompt_template(name)
    code = python_of(render_model_card(metadata(), manifest(), template))
    ast.parse(code)
    assert ("apply_chat_template" in code) is name.startswith("chat")
    assert repr(ALPACA.prompt("Translate into Greek.", "Yes."))[1:-1] in code or name != "alpaca"


@settings(max_examples=20, deadline=None)
@given(HOSTILE)
def test_hostile_texts_add_no_heading_html_link_or_row(text):
    def card(own):
        example = manifest()["examples"][0] | dict.fromkeys(("instruction", "input"), own)
        release = metadata()["release"] | dict.fromkeys(("name", "config", "manifest_sha256"), own)
        recipe = {"name": own, "settings": metadata()["recipe"]["settings"] | {"title": own}}
        model = metadata()["model"] | {"name": own, "commit": own}
        return render_model_card(
            metadata(release=release, recipe=recipe, model=model), manifest(examples=[example]), ALPACA
        )

    expected, tokens = rendered(card("plain")), rendered(card(f"plain {text}"))
    assert headings(tokens)[1:] == headings(expected)[1:]
    assert tags(tokens) == tags(expected)
    assert [t.type for t in tokens if t.type in BLOCKS] == [t.type for t in expected if t.type in BLOCKS]
    ast.parse(python_of(card(f"plain {text}")))
    assert yaml.safe_load(card(f"plain {text}").split("\n---\n")[0])["base_model"] == f"plain {text}"
