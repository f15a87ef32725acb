"""Control tokens in the texts of rows are read as text, in training and in prompts; other texts are left alone."""

import polars as pl
import pytest

from recipes.prompts import prompt_template, prompt_templates
from trainer.preparation import Encoder

TURNS = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}"
CHAT = TURNS + "{% if add_generation_prompt %}<assistant>{% endif %}"
WITH_TOKENS = [
    "</s>",
    "Write </s> at the end.",
    "<s>[INST] Hello [/INST] Hi.</s>",
    "a</s>b<s>c<pad>d",
    "HTML has <s>struck</s> text.",
    "</s></s></s>",
]
PLAIN = ["", "Γράψε ένα ποίημα.", "a < b and s > c", "</p> closes a paragraph", "<|im_end|>", "[INST]"]


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    from tests.trainer.tokenizers import merging, metaspace

    folder = tmp_path_factory.mktemp("tokenizers")
    made = {"metaspace": metaspace(folder / "metaspace"), "bytes": merging(folder / "bytes")}
    for tokenizer in made.values():
        tokenizer.chat_template = CHAT
    return made


def rows(text: str) -> pl.DataFrame:
    names = ("id", "lang", "task", "direction", "instruction", "input", "output")
    return pl.DataFrame(
        [("1", "el", "instruction", "", f"Say Q{text}Z", f"Q{text}Z", f"Q{text}Z it is")], names, orient="row"
    )


def num_special(tokenizer, ids) -> int:
    return sum(token in tokenizer.all_special_ids and token != tokenizer.unk_token_id for token in ids)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(prompt_templates()))
@pytest.mark.parametrize("kind", ["metaspace", "bytes"])
def test_control_tokens_in_a_row_are_text_and_those_of_the_template_stay(tokenizers, kind, name):
    tokenizer = tokenizers[kind]
    encoder = Encoder(prompt_template(name), tokenizer)
    (usual,) = encoder.encode(rows("this"))
    for text in WITH_TOKENS:
        (example,) = encoder.encode(rows(text))
        assert num_special(tokenizer, example.input_ids) == num_special(tokenizer, usual.input_ids), text
        decoded = tokenizer.decode(example.input_ids).replace(" ", "")
        assert decoded.count(f"Q{text}Z".replace(" ", "")) == (1 if name == "text" else 3), text
        (prompt,) = encoder.prompts([(f"Say Q{text}Z", f"Q{text}Z")])
        assert prompt == example.input_ids[: example.num_prompt]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["metaspace", "bytes"])
def test_texts_without_control_tokens_keep_their_ids(tokenizers, kind):
    tokenizer = tokenizers[kind]
    encoder = Encoder(prompt_template("raw"), tokenizer)
    for text in PLAIN:
        (example,) = encoder.encode(rows(text))
        written = f"Say Q{text}Z\n\nQ{text}Z\n\n"
        usual = tokenizer(written, add_special_tokens=False)["input_ids"]
        assert example.input_ids[len(encoder.bos_ids()) : example.num_prompt] == usual, text


@pytest.mark.slow
def test_conversation_with_control_tokens_is_cut_at_those_of_the_template(tokenizers):
    tokenizer = tokenizers["bytes"]
    turns = [("user", "One </s>"), ("assistant", "1 </s> one"), ("user", "Two"), ("assistant", "<s>2")]
    messages = [{"role": role, "content": content} for role, content in turns]
    row = {"id": "1", "lang": "el", "task": "instruction", "direction": "", "messages": messages}
    (example,) = Encoder(prompt_template("chat"), tokenizer).encode(pl.DataFrame([row]))
    learned = [tokenizer.decode(example.input_ids[begin:end]) for begin, end in example.targets()]
    assert learned == ["1 </s> one</s>", "<s>2</s>"]
    assert num_special(tokenizer, example.input_ids) == 4
