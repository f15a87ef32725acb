"""The tokenizer of the tiny recipe is rebuilt from the bundled sample byte for byte."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


def load_tiny() -> Any:
    from trainer.preparation import load_tokenizer
    from trainer.recipe import load_recipe

    return load_tokenizer(load_recipe("tiny"))


def test_tiny_tokenizer_is_rebuilt_byte_for_byte(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("maker", ROOT / "tests" / "sample" / "tokenizer.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    maker.main(tmp_path)
    for path in (ROOT / "recipes" / "training" / "tiny-tokenizer").iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_any_text_is_encoded_and_decoded_without_loss() -> None:
    tokenizer = load_tiny()
    for text in ("Καλημέρα κόσμε", "नमस्ते दुनिया", "שלום 你好 🙂", "tab\tand\nline"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_digest_depends_on_the_chat_template() -> None:
    from trainer.preparation import tokenizer_sha256

    tokenizer = load_tiny()
    before = tokenizer_sha256(tokenizer)
    assert before == tokenizer_sha256(load_tiny())
    tokenizer.chat_template = "{{ messages }}"
    assert tokenizer_sha256(tokenizer) != before
