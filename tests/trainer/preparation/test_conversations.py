"""Which tokens of a conversation are learned: token by token, with the chat templates of four families of models."""

from importlib.resources import files
from typing import Any

import polars as pl
import pytest

from corpora.errors import InputError
from recipes.prompts import PromptTemplate, prompt_template
from trainer.preparation import Encoder, Example, limit_length

SPECIAL = {  # of each family: end of text, and the other special tokens of its template
    "qwen2_5": ("<|im_end|>", ["<|im_start|>"]),
    "llama3": ("<|eot_id|>", ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>"]),
    "gemma": ("<eos>", ["<bos>", "<start_of_turn>", "<end_of_turn>"]),
    "phi3": ("<|endoftext|>", ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]),
}
TURNS = [
    {"role": "user", "content": "Ονόμασε ένα κόκκινο φρούτο."},
    {"role": "assistant", "content": "end"},
    {"role": "user", "content": "And a green one?\nJust one."},
    {"role": "assistant", "content": "A pear.\n\n- green"},
    {"role": "user", "content": "end"},
    {"role": "assistant", "content": "苹果"},
]
SYSTEM = {"role": "system", "content": "Be kind."}


@pytest.fixture(scope="module")
def tokenizer_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function from the name of a family to a tokenizer of bytes with its special tokens."""
    from tests.trainer.tokenizers import merging

    def build(name: str, kind: str = "") -> Any:
        eos, others = SPECIAL[name]
        tokenizer = merging(tmp_path_factory.mktemp(name))
        tokenizer.add_special_tokens({"eos_token": eos, "bos_token": others[0], "additional_special_tokens": others})
        tokenizer.chat_template = template(name + kind)
        return tokenizer

    return build


def template(name: str) -> str:
    return files("trl").joinpath("chat_templates", f"{name}.jinja").read_text(encoding="utf-8")


def encode(tokenizer: Any, messages: list[dict[str, str]], prompt: PromptTemplate | None = None) -> Example:
    rows = pl.DataFrame(
        {"id": ["1"], "lang": ["el"], "task": ["instruction"], "direction": [""], "messages": [messages]}
    )
    rows = rows.with_columns(instruction=pl.lit(""), input=pl.lit(""), output=pl.lit(""))
    (example,) = Encoder(prompt or prompt_template("chat"), tokenizer).encode(rows)
    return example


def learned(example: Example) -> list[int]:
    return [index for begin, end in example.targets() for index in range(begin, end)]


@pytest.mark.slow
@pytest.mark.parametrize("has_system", [False, True])
@pytest.mark.parametrize("name", SPECIAL)
def test_answers_and_their_end_tokens_are_learned_as_with_assistant_only_loss(
    name: str, has_system: bool, tokenizer_of: Any
) -> None:
    messages = [SYSTEM, *TURNS] if has_system else TURNS
    tokenizer = tokenizer_of(name)
    if has_system and name == "gemma":
        with pytest.raises(InputError, match="System role not supported"):
            encode(tokenizer, messages)
        return
    example = encode(tokenizer, messages)
    trl = tokenizer.apply_chat_template(
        messages,
        chat_template=template(f"{name}_training"),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    ids, mask = list(trl["input_ids"]), list(trl["assistant_masks"])
    shared = min(len(ids), len(example.input_ids))
    assert example.input_ids[:shared] == ids[:shared]
    assert example.input_ids[-1] == tokenizer.eos_token_id
    theirs, ours = {index for index, own in enumerate(mask) if own}, set(learned(example))
    assert tokenizer.decode(sorted(ids[index] for index in theirs - ours)).strip("\n") == ""  # after an end token
    assert [example.input_ids[index] for index in ours - theirs] in ([], [tokenizer.eos_token_id])
    answers = [tokenizer.decode(example.input_ids[begin:end]) for begin, end in example.targets()]
    for answer, turn in zip(answers, TURNS[1::2], strict=True):
        assert answer.removeprefix(turn["content"]).strip("\n") in (
            SPECIAL[name][0],
            "<end_of_turn>",
            "<end_of_turn>\n<eos>",
            "<|end|>",
            "<|end|>\n<|endoftext|>",
        )
    assert example.num_prompt == example.targets()[0][0]


@pytest.mark.slow
def test_template_that_shows_thoughts_in_the_last_answer_only_is_read_as_it_writes(tokenizer_of: Any) -> None:
    tokenizer = tokenizer_of("qwen2_5")
    tokenizer.chat_template = template("qwen3")
    example = encode(tokenizer, TURNS)
    answers = [tokenizer.decode(example.input_ids[begin:end]) for begin, end in example.targets()]
    assert answers == [
        "end<|im_end|>",
        "A pear.\n\n- green<|im_end|>",
        "<think>\n\n</think>\n\n苹果<|im_end|>",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chat", "message"),
    [
        (None, "has no place for a conversation with several questions or a system message, such as row 1"),
        ("{% for m in messages if m.role != 'system' %}<{{ m.content }}>{% endfor %}", "leaves out message 1"),
        ("{{ messages[-1].content }}", "leaves out message 1"),
        ("{% for m in messages %}{{ loop.length }}{{ m.content }}{% endfor %}", "changes the prompt once"),
        ("{{ raise_exception('one turn only') }}", "one turn only"),
    ],
)
def test_template_that_lacks_turns_is_refused(chat: str | None, message: str, tokenizer_of: Any) -> None:
    prompt = prompt_template("alpaca") if chat is None else PromptTemplate("mine", "a test", chat=chat)
    with pytest.raises(InputError, match=message):
        encode(tokenizer_of("qwen2_5"), [SYSTEM, *TURNS], prompt)


@pytest.mark.slow
def test_single_exchange_is_the_same_as_a_row_and_as_a_conversation(tokenizer_of: Any) -> None:
    tokenizer = tokenizer_of("llama3")
    conversation = encode(tokenizer, TURNS[:2])
    columns = {"id": "1", "lang": "el", "task": "instruction", "direction": ""}
    texts = {"instruction": TURNS[0]["content"], "input": "", "output": TURNS[1]["content"]}
    (row,) = Encoder(prompt_template("chat"), tokenizer).encode(pl.DataFrame([columns | texts]))
    assert (conversation.input_ids, learned(conversation)) == (row.input_ids, learned(row))


def test_cut_conversation_keeps_the_answers_that_fit() -> None:
    example = Example("k", "el", "instruction", list(range(20)), 4, False, ((4, 8), (15, 20)))
    outcome, left = limit_length(example, 12, "truncate")
    assert (outcome, left and left.targets()) == ("truncated", [(4, 8)])
    assert limit_length(example, 4, "truncate") == ("no_target", None)
