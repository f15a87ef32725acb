"""Which tokens are learned: checked token by token for every prompt template and language."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from corpora.errors import InputError
from recipes.prompts import PromptTemplate, prompt_template, prompt_templates
from tests.trainer.conftest import LANGS
from trainer.preparation import Encoder, Example, limit_length

TURNS = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}"
CHAT = TURNS + "{% if add_generation_prompt %}<assistant>{% endif %}"


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from tests.trainer.tokenizers import metaspace
    from trainer.preparation import load_tokenizer
    from trainer.recipe import load_recipe

    folder = tmp_path_factory.mktemp("tokenizers")
    found = {"tiny": load_tokenizer(load_recipe("tiny")), "metaspace": metaspace(folder / "metaspace")}
    for tokenizer in found.values():
        tokenizer.chat_template = CHAT
    return found


@pytest.fixture
def rows_of(release: Any) -> Callable[[str], pl.DataFrame]:
    """Return a few rows of each task in a language, with and without an input."""
    from trainer.rows import read_rows

    def read(lang: str) -> pl.DataFrame:
        rows = read_rows(release, lang, "train", (lang,)).with_columns(bare=pl.col("input") == "")
        return pl.concat([part.head(4) for part in rows.partition_by("lang", "task", "bare")])

    return read


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", sorted(prompt_templates()))
@pytest.mark.parametrize("kind", ["tiny", "metaspace"])
def test_only_the_answer_and_its_end_are_learned(
    kind: str, name: str, lang: str, rows_of: Callable[[str], pl.DataFrame], tokenizers: dict[str, Any]
) -> None:
    tokenizer, template = tokenizers[kind], prompt_template(name)
    rows = rows_of(lang)
    for example, row in zip(Encoder(template, tokenizer).encode(rows), rows.iter_rows(named=True), strict=True):
        prompt, target = example.input_ids[: example.num_prompt], example.input_ids[example.num_prompt :]
        text = tokenizer.decode(prompt).replace("</s> ", "</s>")  # as LLaMA: a space after each special token
        assert text == expected_prompt(template, tokenizer, row)
        assert target[-1] == tokenizer.eos_token_id
        assert tokenizer.eos_token_id not in target[:-1] or name == "chatml"
        answer = tokenizer.decode(target[:-1])
        assert answer.removesuffix("<|im_end|>\n").lstrip(" ") == row["output"].lstrip(" ")


def expected_prompt(template: PromptTemplate, tokenizer: Any, row: dict[str, str]) -> str:
    """Return the prompt written out here, after the token that the tokenizer puts before every text."""
    begin = "<s>" if tokenizer("")["input_ids"] and template.chat is None else ""
    question = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
    written = {
        "text": "",
        "raw": question + "\n\n",
        "chat": f"<user>{question}</s>\n<assistant>",
        "chatml": f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n",
        "alpaca": alpaca(row),
    }[template.name]
    return begin + (" " if begin and written else "") + written if begin else written


def alpaca(row: dict[str, str]) -> str:
    with_input = ", paired with an input that provides further context" if row["input"] else ""
    text = f"Below is an instruction that describes a task{with_input}. Write a response that appropriately completes "
    text += f"the request.\n\n### Instruction:\n{row['instruction']}\n\n"
    return text + (f"### Input:\n{row['input']}\n\n" if row["input"] else "") + "### Response:"


@pytest.mark.slow
def test_prompt_and_answer_are_tokenized_separately_if_a_token_spans_both(tmp_path: Path) -> None:
    from tests.trainer.tokenizers import merging

    tokenizer = merging(tmp_path)
    rows = pl.DataFrame({"id": "1", "lang": "el", "task": "instruction", "direction": "", "instruction": "Say it."})
    for output, merged in (("To be", True), ("be", False)):
        (example,) = Encoder(prompt_template("alpaca"), tokenizer).encode(
            rows.with_columns(input=pl.lit(""), output=pl.lit(output))
        )
        together = tokenizer(prompt_template("alpaca").prompt("Say it.", "") + output)["input_ids"]
        assert (tokenizer.convert_tokens_to_ids(":T") in together) is merged
        assert example.boundary_merged is merged
        assert tokenizer.decode(example.input_ids[: example.num_prompt]).endswith("### Response:")
        assert tokenizer.decode(example.input_ids[example.num_prompt :]) == f"{output}</s>"


@pytest.mark.slow
def test_chat_template_that_changes_the_prompt_is_refused(tokenizers: dict[str, Any]) -> None:
    rewriting = PromptTemplate("mine", "a test", chat="{{ messages | length }}{{ messages[0].content }}")
    with pytest.raises(InputError, match="changes the prompt once an answer follows"):
        Encoder(rewriting, tokenizers["tiny"]).texts("a", "b", "c")


@pytest.mark.slow
def test_missing_chat_template_names_another_prompt(tmp_path: Path) -> None:
    from tests.trainer.tokenizers import metaspace

    with pytest.raises(InputError, match="has no chat template"):
        Encoder(prompt_template("chat"), metaspace(tmp_path)).texts("a", "b", "c")


@pytest.mark.parametrize(
    ("num_prompt", "length", "on_overflow", "outcome"),
    [
        (3, 10, "drop", "kept"),
        (3, 11, "drop", "dropped"),
        (3, 11, "error", "dropped"),
        (3, 11, "truncate", "truncated"),
        (9, 11, "truncate", "truncated"),
        (10, 11, "truncate", "no_target"),
        (12, 14, "drop", "no_target"),
        (5, 5, "drop", "no_target"),
        (0, 1, "drop", "no_target"),
        (0, 2, "drop", "kept"),
    ],
)
def test_length_limit_of_ten_tokens(num_prompt: int, length: int, on_overflow: str, outcome: str) -> None:
    example = Example("k", "el", "instruction", list(range(length)), num_prompt, False)
    found, left = limit_length(example, 10, on_overflow)
    assert found == outcome
    assert (left is not None) is (outcome in ("kept", "truncated"))
    if left is not None:
        assert left.input_ids == list(range(min(length, 10)))
        assert len(left.input_ids) > max(left.num_prompt, 1)
