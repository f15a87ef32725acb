"""Examples: rows of a release as token ids, with the boundary between prompt and target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from corpora.errors import InputError
from recipes.prompts import PromptTemplate
from trainer.chat_template import ChatTemplate
from trainer.model_loading import open_chat_template, tokenize

BATCH_ROWS = 2_000


@dataclass(frozen=True)
class Example:
    """A row as token ids; the first `num_prompt` ids are the prompt, the others are the target that is learned.

    `key` identifies the row. `boundary_merged` is true if a token would have spanned prompt and target, so that the
    two were tokenized separately.
    """

    key: str
    lang: str
    task: str
    input_ids: list[int]
    num_prompt: int
    boundary_merged: bool


@dataclass(frozen=True)
class Encoder:
    """Turns rows into token ids with a prompt template and a tokenizer."""

    template: PromptTemplate
    tokenizer: Any

    def encode(self, rows: pl.DataFrame) -> Iterator[Example]:
        """Yield the rows as examples of full length, in the same order."""
        for part in rows.iter_slices(BATCH_ROWS):
            texts = [self.texts(*row) for row in part.select("instruction", "input", "output").iter_rows()]
            encoded = self._encode_texts([prompt for prompt, _ in texts], [target for _, target in texts])
            keys = part.select("id", "lang", "task", "direction").iter_rows()
            for key, (prompt, target, merged) in zip(keys, encoded, strict=True):
                yield Example("\t".join(key), key[1], key[2], prompt + target, len(prompt), merged)

    def texts(self, instruction: str, input: str, output: str) -> tuple[str, str]:
        """Return the prompt, and the target with what a chat template writes after it.

        Raises:
            InputError: The tokenizer has no chat template, or the template changes the prompt once it is answered.
        """
        if self.template.chat is None:
            return self.template.prompt(instruction, input), output
        question = [{"role": "user", "content": f"{instruction}\n\n{input}" if input else instruction}]
        prompt = self._apply_chat_template(question, add_generation_prompt=True)
        answered = [*question, {"role": "assistant", "content": output}]
        text = self._apply_chat_template(answered, add_generation_prompt=False)
        if not text.startswith(prompt):
            raise InputError(
                f"The chat template '{self.template.name}' changes the prompt once an answer follows, so the start of "
                "the answer is not known. Use another template, such as --set prompt=chatml."
            )
        return prompt, text[len(prompt) :]

    def prompts(self, inputs: Sequence[tuple[str, str]]) -> list[list[int]]:
        """Return the ids of prompts for pairs (instruction, input), exactly as they precede a target in training."""
        bos_ids = self.bos_ids()
        return [bos_ids + ids for ids in self.encode_plain([self.texts(*pair, "")[0] for pair in inputs])]

    def texts_to_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of texts without a prompt, after the tokenizer's leading special tokens."""
        return [self.bos_ids() + ids for ids in self.encode_plain(texts)]

    def encode_plain(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of texts without the special tokens that a tokenizer adds."""
        return tokenize(self.tokenizer, texts)

    def bos_ids(self) -> list[int]:
        """Return the ids that the tokenizer puts before every text; none with a chat template, which writes them."""
        if self.template.chat is not None:
            return []
        added = self.tokenizer("")["input_ids"]
        return [token for token in added if token != self.tokenizer.eos_token_id]

    def append_eos(self, ids: list[int]) -> list[int]:
        """Return the ids up to their last end-of-sequence token, which is added if the template does not write it."""
        eos = self.tokenizer.eos_token_id
        if self.template.chat is None or eos not in ids:
            return [*ids, eos]
        return ids[: len(ids) - ids[::-1].index(eos)]

    def _apply_chat_template(self, messages: list[dict[str, str]], add_generation_prompt: bool) -> str:
        if not (self.template.chat or self.tokenizer.chat_template):
            raise InputError("The tokenizer has no chat template. Use another prompt, such as --set prompt=chatml.")
        return self._chat_template(messages, add_generation_prompt)

    @cached_property
    def _chat_template(self) -> ChatTemplate:
        return open_chat_template(self.tokenizer, self.template.chat or self.tokenizer.chat_template)

    def _encode_texts(
        self, prompts: Sequence[str], targets: Sequence[str]
    ) -> Iterator[tuple[list[int], list[int], bool]]:
        """Yield for each row the prompt ids, the target ids, and whether a token would have spanned the two.

        Prompt and target are tokenized together, as in the code of both papers. Where a token would span the boundary
        they are tokenized separately, so that the model reads the same prompt in training and at inference.
        """
        joined = [prompt + target for prompt, target in zip(prompts, targets, strict=True)]
        bos_ids = self.bos_ids()
        for before, both, target in zip(self.encode_plain(prompts), self.encode_plain(joined), targets, strict=True):
            merged = both[: len(before)] != before
            after = self.encode_plain([target])[0] if merged else both[len(before) :]
            yield bos_ids + before, self.append_eos(after), merged


def limit_length(example: Example, max_length: int, on_overflow: str) -> tuple[str, Example | None]:
    """Apply the length limit to an example.

    Args:
        example: The example.
        max_length: The limit in tokens.
        on_overflow: `drop`, `truncate` or `error`; `error` counts an example that is too long as dropped.

    Returns:
        What happened and the example that is trained, if any: `kept`, `truncated` (at the end), `dropped`, or
        `no_target` if the prompt alone reaches the limit or there is no answer, so that nothing would be learned.
    """
    ids = example.input_ids
    if max(example.num_prompt, 1) >= min(max_length, len(ids)):
        return "no_target", None
    if len(ids) <= max_length:
        return "kept", example
    if on_overflow != "truncate":
        return "dropped", None
    return "truncated", replace(example, input_ids=ids[:max_length])
