"""Examples: rows of a release as token ids with a label for each, and how many of them fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from corpora.errors import InputError
from recipes.prompts import PromptTemplate

BATCH_ROWS = 2_000


@dataclass(frozen=True)
class Example:
    """A row as token ids: the first `num_prompt` ask and are not learned, the others answer and are.

    `key` names the row; `merged` says that prompt and answer were tokenised apart, since a token reached across.
    """

    key: str
    lang: str
    task: str
    input_ids: list[int]
    num_prompt: int
    merged: bool


@dataclass(frozen=True)
class Encoder:
    """How rows become ids: the form of the prompt and the tokenizer."""

    form: PromptTemplate
    tokenizer: Any

    def encode(self, rows: pl.DataFrame) -> Iterator[Example]:
        """The rows as examples, whole, in the same order."""
        for part in rows.iter_slices(BATCH_ROWS):
            asked = [self.texts(*row) for row in part.select("instruction", "input", "output").iter_rows()]
            encoded = self._ids([prompt for prompt, _ in asked], [answer for _, answer in asked])
            keys = part.select("id", "lang", "task", "direction").iter_rows()
            for key, (prompt, answer, merged) in zip(keys, encoded, strict=True):
                yield Example("\t".join(key), key[1], key[2], prompt + answer, len(prompt), merged)

    def texts(self, instruction: str, input: str, output: str) -> tuple[str, str]:
        """What stands before the answer, and the answer with what the form puts after it."""
        if self.form.chat is None:
            return self.form.prompt(instruction, input), output
        asked = [{"role": "user", "content": f"{instruction}\n\n{input}" if input else instruction}]
        prompt = self._chat(asked, add_generation_prompt=True)
        whole = self._chat([*asked, {"role": "assistant", "content": output}], add_generation_prompt=False)
        if not whole.startswith(prompt):
            raise InputError(
                f"The chat template '{self.form.name}' writes the question differently once it is answered, so where "
                "the answer begins is not known. Name another with --set prompt=chatml."
            )
        return prompt, whole[len(prompt) :]

    def prompts(self, asked: Sequence[tuple[str, str]]) -> list[list[int]]:
        """The ids of prompts (instruction, input), as they stand before an answer in training."""
        lead = self._lead()
        return [lead + ids for ids in self._plain([self.texts(*one, "")[0] for one in asked])]

    def texts_to_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts by themselves, without a prompt."""
        return [self._lead() + ids for ids in self._plain(texts)]

    def _chat(self, messages: list[dict[str, str]], add_generation_prompt: bool) -> str:
        template = self.form.chat or self.tokenizer.chat_template
        if not template:
            raise InputError("The tokenizer brings no chat template. Name a prompt with --set prompt=chatml.")
        return str(
            self.tokenizer.apply_chat_template(
                messages, chat_template=template, tokenize=False, add_generation_prompt=add_generation_prompt
            )
        )

    def _ids(self, prompts: Sequence[str], answers: Sequence[str]) -> Iterator[tuple[list[int], list[int], bool]]:
        """For each row: ids of the prompt, ids of the answer with the end token, and whether the two had merged.

        Prompt and answer are tokenised together, as both papers' code does. Where a token would reach across the
        boundary they are tokenised apart: the model sees the prompt in training exactly as it will when asked.
        """
        wholes = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
        for before, together, answer in zip(self._plain(prompts), self._plain(wholes), answers, strict=True):
            merged = together[: len(before)] != before
            after = self._plain([answer])[0] if merged else together[len(before) :]
            yield self._lead() + before, self._ended(after), merged

    def _plain(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts, without the special tokens that a tokenizer adds by itself."""
        encoded = self.tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)
        return list(encoded["input_ids"])

    def _lead(self) -> list[int]:
        """What the tokenizer puts before every text; a chat template writes that itself."""
        if self.form.chat is not None:
            return []
        added = self.tokenizer("")["input_ids"]
        return [token for token in added if token != self.tokenizer.eos_token_id]

    def _ended(self, ids: list[int]) -> list[int]:
        """The ids up to the last end token, which is added where a form does not write it."""
        end = self.tokenizer.eos_token_id
        if self.form.chat is None or end not in ids:
            return [*ids, end]
        return ids[: len(ids) - ids[::-1].index(end)]


def fit(example: Example, max_length: int, too_long: str) -> tuple[str, Example | None]:
    """What the length limit does to an example: its verdict and what is left of it.

    `kept` as it is; `too_long` and not trained; `cut` at the end; or `emptied`: the prompt alone fills the limit, or
    there is no answer, so that nothing would be learned. An emptied example is never trained, whatever was chosen.
    """
    ids = example.input_ids
    if max(example.num_prompt, 1) >= min(max_length, len(ids)):
        return "emptied", None
    if len(ids) <= max_length:
        return "kept", example
    if too_long != "cut":
        return "too_long", None
    return "cut", replace(example, input_ids=ids[:max_length])
