"""What is learned and what is not: token by token, in every prompt form and language."""

from pathlib import Path

import polars as pl
import pytest
from transformers import PreTrainedTokenizerBase

from corpora.errors import InputError
from recipes.prompts import PromptTemplate, prompt_template, prompt_templates
from tests.trainer.conftest import LANGS
from tests.trainer.tokenizers import merging, metaspace
from trainer.recipe import load_recipe
from trainer.release import Release, read_rows
from trainer.training.examples import Encoder, Example, fit
from trainer.training.tokenizer import load_tokenizer

TURNS = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}"
CHAT = TURNS + "{% if add_generation_prompt %}<assistant>{% endif %}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreTrainedTokenizerBase]:
    folder = tmp_path_factory.mktemp("tokenizers")
    found = {"tiny": load_tokenizer(load_recipe("tiny")), "metaspace": metaspace(folder / "metaspace")}
    for tokenizer in found.values():
        tokenizer.chat_template = CHAT
    return found


def rows_of(release: Release, lang: str) -> pl.DataFrame:
    """A few rows of each task in a language, among them rows with and without an input."""
    rows = read_rows(release, lang, "train", (lang,)).with_columns(bare=pl.col("input") == "")
    return pl.concat([part.head(4) for part in rows.partition_by("lang", "task", "bare")])


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", sorted(prompt_templates()))
@pytest.mark.parametrize("kind", ["tiny", "metaspace"])
def test_the_answer_and_its_end_are_learned_and_nothing_else(
    kind: str, name: str, lang: str, release: Release, made: dict[str, PreTrainedTokenizerBase]
) -> None:
    tokenizer, asked = made[kind], prompt_template(name)
    rows = rows_of(release, lang)
    for example, row in zip(Encoder(asked, tokenizer).encode(rows), rows.iter_rows(named=True), strict=True):
        before, learned = example.input_ids[: example.num_prompt], example.input_ids[example.num_prompt :]
        shown = tokenizer.decode(before).replace("</s> ", "</s>")  # LLaMA's manner: a space after each special token
        assert shown == expected_prompt(asked, tokenizer, row)
        assert learned[-1] == tokenizer.eos_token_id
        assert tokenizer.eos_token_id not in learned[:-1] or name == "chatml"
        answer = tokenizer.decode(learned[:-1])
        assert answer.removesuffix("<|im_end|>\n").lstrip(" ") == row["output"].lstrip(" ")


def expected_prompt(asked: PromptTemplate, tokenizer: PreTrainedTokenizerBase, row: dict[str, str]) -> str:
    """The prompt as it was written by hand here, after the token that the tokenizer begins every text with."""
    begin = "<s>" if tokenizer("")["input_ids"] and asked.chat is None else ""
    question = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
    written = {
        "text": "",
        "raw": question + "\n\n",
        "chat": f"<user>{question}</s>\n<assistant>",
        "chatml": f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n",
        "alpaca": alpaca(row),
    }[asked.name]
    return begin + (" " if begin and written else "") + written if begin else written


def alpaca(row: dict[str, str]) -> str:
    with_input = ", paired with an input that provides further context" if row["input"] else ""
    text = f"Below is an instruction that describes a task{with_input}. Write a response that appropriately completes "
    text += f"the request.\n\n### Instruction:\n{row['instruction']}\n\n"
    return text + (f"### Input:\n{row['input']}\n\n" if row["input"] else "") + "### Response:"


def test_a_token_across_the_boundary_is_not_made(tmp_path: Path) -> None:
    tokenizer = merging(tmp_path)
    rows = pl.DataFrame({"id": "1", "lang": "el", "task": "instruction", "direction": "", "instruction": "Say it."})
    for output, merged in (("To be", True), ("be", False)):
        given = rows.with_columns(input=pl.lit(""), output=pl.lit(output))
        (example,) = Encoder(prompt_template("alpaca"), tokenizer).encode(given)
        together = tokenizer(prompt_template("alpaca").prompt("Say it.", "") + output)["input_ids"]
        assert (tokenizer.convert_tokens_to_ids(":T") in together) is merged
        assert example.merged is merged
        assert tokenizer.decode(example.input_ids[: example.num_prompt]).endswith("### Response:")
        assert tokenizer.decode(example.input_ids[example.num_prompt :]) == f"{output}</s>"


def test_a_template_that_rewrites_the_question_is_refused(made: dict[str, PreTrainedTokenizerBase]) -> None:
    rewriting = PromptTemplate("mine", "a test", chat="{{ messages | length }}{{ messages[0].content }}")
    with pytest.raises(InputError, match="writes the question differently once it is answered"):
        Encoder(rewriting, made["tiny"]).texts("a", "b", "c")


def test_a_tokenizer_without_a_chat_template_is_told_of_another_prompt(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="brings no chat template"):
        Encoder(prompt_template("chat"), metaspace(tmp_path)).texts("a", "b", "c")


@pytest.mark.parametrize(
    ("num_prompt", "length", "too_long", "verdict"),
    [
        (3, 10, "drop", "kept"),
        (3, 11, "drop", "too_long"),
        (3, 11, "stop", "too_long"),
        (3, 11, "cut", "cut"),
        (9, 11, "cut", "cut"),
        (10, 11, "cut", "emptied"),
        (12, 14, "drop", "emptied"),
        (5, 5, "drop", "emptied"),
        (0, 1, "drop", "emptied"),
        (0, 2, "drop", "kept"),
    ],
)
def test_what_the_limit_of_ten_tokens_does(num_prompt: int, length: int, too_long: str, verdict: str) -> None:
    example = Example("k", "el", "instruction", list(range(length)), num_prompt, False)
    found, left = fit(example, 10, too_long)
    assert found == verdict
    assert (left is not None) is (verdict in ("kept", "cut"))
    if left is not None:
        assert left.input_ids == list(range(min(length, 10)))
        assert len(left.input_ids) > max(left.num_prompt, 1)
