"""A release of conversations becomes a model: every answer is learned, and templates that lack turns are refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from corpora.errors import InputError

from .conftest import small_recipe

pytestmark = pytest.mark.slow
TRANSLATOR = """
from builders.translation import Translation, Translator
class Book(Translator):
    name, fingerprint, licence, languages = "Greek", "1", "cc0-1.0", ("el",)
    def __init__(self, model, options): pass
    def translate(self, texts, lang):
        return [Translation(WORDS[text]) for text in texts]
"""
GREEK = {
    "Be kind.": "Να είσαι ευγενικός.",
    "Name a red fruit.": "Ονόμασε ένα κόκκινο φρούτο.",
    "An apple.": "Ένα μήλο.",
    "And a green one?": "Και ένα πράσινο;",
    "A pear.": "Ένα αχλάδι.",
}
TOKENIZER = Path(__file__).parents[2] / "recipes" / "training" / "tiny-tokenizer"
ROLES = ("system", "user", "assistant", "user", "assistant")
RECIPE = {
    "name": "talks",
    "title": "Talks",
    "summary": "Talks.",
    "configs": "language",
    "langs": ["el"],
    "instructions": ["talks"],
    "instruction_langs": ["en", "xx"],
    "decontaminate_against": [],
}


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a release of one conversation with a system message, in English and Greek."""
    import builders

    folder = tmp_path_factory.mktemp("talks")
    (folder / "my").mkdir()
    (folder / "my" / "greek.py").write_text(f"WORDS = {GREEK!r}\n{TRANSLATOR}", encoding="utf-8")
    turns = [{"role": role, "content": text} for role, text in zip(ROLES, GREEK, strict=True)]
    return builders.publish(
        RECIPE, registry=folder / "registry", format="messages", corpora={"talks": pl.DataFrame({"messages": [turns]})},
        with_=[folder / "my"], translator="greek:Book", work=folder / "work", corpora_lock=folder / "lock",
    )  # fmt: skip


def config_of(talks: Any, output: Path, *changes: str) -> Any:
    from trainer.preparation import TrainConfig

    return TrainConfig(small_recipe("max_steps=1", *changes), talks, output, config_name="el")


def test_every_answer_of_a_conversation_is_learned(talks: Any, tmp_path: Path, one_thread: None) -> None:
    from trainer.preparation import prepare
    from trainer.train import train

    config = config_of(talks, tmp_path / "run", "prompt=chatml")
    state = prepare(config)
    learned = [
        state.tokenizer.decode([token for token in row["labels"] if token != -100]).replace("</s>", "")
        for split in state.tables
        for row in state.tables[split].select(["key", "labels"]).to_pylist()
        if row["key"]  # others fill a step up
    ]
    answers = ["An apple.A pear.", "Ένα μήλο.Ένα αχλάδι."]
    assert sorted(text.replace("<|im_end|>", "").replace("\n", "") for text in learned) == answers
    metadata = train(config)
    assert metadata["status"] == "done"
    assert (config.output / "model" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("chat", "message"),
    [
        ("", "has no place for a conversation with several questions or a system message"),
        ("{% for m in messages if m.role != 'system' %}<{{ m.content }}>{% endfor %}", "leaves out message 1"),
        ("{{ messages[0].content }}{{ messages[-1].content }}", "leaves out message"),
    ],
)
def test_template_that_lacks_turns_ends_a_run_before_its_first_step(
    chat: str, message: str, talks: Any, tmp_path: Path
) -> None:
    from trainer.train import train

    if chat:
        folder = Path(shutil.copytree(TOKENIZER, tmp_path / "chat"))
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": chat}), encoding="utf-8")
        changes = ("prompt=chat", f"tokenizer={folder}")
    else:
        changes = ("prompt=alpaca",)
    with pytest.raises(InputError, match=message):
        train(config_of(talks, tmp_path / "run", *changes))
    assert not list(tmp_path.glob("run/checkpoint-*"))
