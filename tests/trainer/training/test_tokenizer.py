"""The tokenizer of the tiny recipe is what the bundled sample makes, on every machine."""

import importlib.util
from pathlib import Path

from trainer.recipe import load_recipe
from trainer.training.tokenizer import load_tokenizer, tokenizer_sha256

ROOT = Path(__file__).parents[3]


def test_the_tiny_tokenizer_is_made_from_the_sample_byte_for_byte(tmp_path: Path) -> None:
    described = importlib.util.spec_from_file_location("maker", ROOT / "tests" / "sample" / "tokenizer.py")
    maker = importlib.util.module_from_spec(described)
    described.loader.exec_module(maker)
    maker.main(tmp_path)
    for path in (ROOT / "recipes" / "training" / "tiny-tokenizer").iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_any_text_can_be_written_and_read_back() -> None:
    tokenizer = load_tokenizer(load_recipe("tiny"))
    for text in ("Καλημέρα κόσμε", "नमस्ते दुनिया", "שלום 你好 🙂", "tab\tand\nline"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_digest_follows_the_chat_template() -> None:
    tokenizer = load_tokenizer(load_recipe("tiny"))
    before = tokenizer_sha256(tokenizer)
    assert before == tokenizer_sha256(load_tokenizer(load_recipe("tiny")))
    tokenizer.chat_template = "{{ messages }}"
    assert tokenizer_sha256(tokenizer) != before
