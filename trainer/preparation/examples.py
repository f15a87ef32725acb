"""Examples: rows of a release as token ids, with the boundary between prompt and target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import polars as pl

from corpora.errors import InputError
from recipes.prompts import PromptTemplate
from trainer.chat_template import ChatTemplate
from trainer.model_loading import open_chat_template, tokenize
from trainer.preparation.control_tokens import ControlTokens
from trainer.preparation.conversations import Message, TurnSplitter, changed_prompt

BATCH_ROWS = 2_000


@dataclass(frozen=True)
class Example:
    """A row as token ids; the first `num_prompt` ids are the prompt, the others are the target that is learned.

    Of a conversation with several answers `spans` are the ids that are learned, from and to; the first begins after the
    prompt. `key` identifies the row. `boundary_merged` is true if a token would have spanned prompt and target, so that
    the two were tokenized separately.
    """

    key: str
    lang: str
    task: str
    input_ids: list[int]
    num_prompt: int
    boundary_merged: bool
    spans: tuple[tuple[int, int], ...] = ()

    def targets(self) -> list[tuple[int, int]]:
        """Return where targets begin and end among the ids."""
        length = len(self.input_ids)
        spans = self.spans or ((self.num_prompt, length),)
        return [(begin, min(end, length)) for begin, end in spans if begin < length]


@dataclass(frozen=True)
class Encoder:
    """Turns rows into token ids with a prompt template and a tokenizer."""

    template: PromptTemplate
    tokenizer: Any

    def encode(self, rows: pl.DataFrame) -> Iterator[Example]:
        """Yield the rows as examples of full length, in the same order."""
        for part in rows.iter_slices(BATCH_ROWS):
            has_turns = part["messages"].is_not_null() if "messages" in part.columns else part["id"].is_null()
            turns = (self._encode_turns(row) for row in part.filter(has_turns).iter_rows(named=True))
            plain = self._encode_plain_rows(part.filter(~has_turns))
            yield from (next(turns) if own else next(plain) for own in has_turns)

    def _encode_plain_rows(self, rows: pl.DataFrame) -> Iterator[Example]:
        texts = [self.texts(*row) for row in rows.select("instruction", "input", "output").iter_rows()]
        encoded = self._encode_texts([prompt for prompt, _ in texts], [target for _, target in texts])
        keys = rows.select("id", "lang", "task", "direction").iter_rows()
        for key, (prompt, target, merged) in zip(keys, encoded, strict=True):
            yield Example("\t".join(key), key[1], key[2], prompt + target, len(prompt), merged)

    def _encode_turns(self, row: dict[str, Any]) -> Example:
        """Return a conversation as an example; a token that would span two pieces is split, as for a single answer."""
        if self.template.chat is None:
            raise InputError(
                f"The prompt '{self.template.name}' has no place for a conversation with several questions or a system "
                f"message, such as row {row['id']}. Use one that has: --set prompt=chatml, or chat for the model's own."
            )
        messages = [
            {**message, "content": self._control_tokens.mark(message["content"])} for message in row["messages"]
        ]
        pieces = self._turn_splitter.split(messages)
        encoded, merged = self._encode_pieces([text for text, _ in pieces])
        if pieces[-1][1]:
            encoded[-1] = self.append_eos(encoded[-1])
        ends = list(accumulate(map(len, encoded)))
        spans = [(end - len(ids), end) for ids, end, (_, learned) in zip(encoded, ends, pieces, strict=True) if learned]
        key = [row[name] for name in ("id", "lang", "task", "direction")]
        return Example(
            "\t".join(key),
            key[1],
            key[2],
            [token for ids in encoded for token in ids],
            spans[0][0],
            merged,
            tuple(spans),
        )

    def _encode_pieces(self, texts: Sequence[str]) -> tuple[list[list[int]], bool]:
        """Return the ids of texts that follow each other, and whether a token would have spanned two of them."""
        prefixes = self.encode_plain(list(accumulate(texts)))
        whole, ends = prefixes[-1], [0, *map(len, prefixes)]
        if any(whole[: len(prefix)] != prefix for prefix in prefixes):
            return self.encode_plain(texts), True
        return [whole[begin:end] for begin, end in pairwise(ends)], False

    @cached_property
    def _turn_splitter(self) -> TurnSplitter:
        return TurnSplitter(self.template.name, self._apply_chat_template, self._control_tokens.texts)

    @cached_property
    def _control_tokens(self) -> ControlTokens:
        return ControlTokens(self.tokenizer)

    def texts(self, instruction: str, input: str, output: str) -> tuple[str, str]:
        """Return the prompt, and the target with what a chat template writes after it; control tokens are marked.

        Raises:
            InputError: The tokenizer has no chat template, or the template changes the prompt once it is answered.
        """
        prompt, context, answer = map(self._control_tokens.mark, (instruction, input, output))
        if self.template.chat is None:
            return self.template.prompt(prompt, context), answer
        question = [{"role": "user", "content": f"{prompt}\n\n{context}" if context else prompt}]
        prompt = self._apply_chat_template(question, True)
        text = self._apply_chat_template([*question, {"role": "assistant", "content": answer}], False)
        if not text.startswith(prompt):
            raise InputError(changed_prompt(self.template.name))
        return prompt, text[len(prompt) :]

    def prompts(self, inputs: Sequence[tuple[str, str]]) -> list[list[int]]:
        """Return the ids of prompts for pairs (instruction, input), exactly as they precede a target in training."""
        bos_ids = self.bos_ids()
        return [bos_ids + ids for ids in self.encode_plain([self.texts(*pair, "")[0] for pair in inputs])]

    def texts_to_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of texts without a prompt, after the tokenizer's leading special tokens."""
        return [self.bos_ids() + ids for ids in self.encode_plain([*map(self._control_tokens.mark, texts)])]

    def encode_plain(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of marked texts without the special tokens that a tokenizer adds."""
        is_marked = [self._control_tokens.has_marks(text) for text in texts]
        plain = iter(tokenize(self.tokenizer, [text for text, own in zip(texts, is_marked, strict=True) if not own]))
        return [self._encode_marked(text) if own else next(plain) for text, own in zip(texts, is_marked, strict=True)]

    def _encode_marked(self, text: str) -> list[int]:
        pieces = self._control_tokens.pieces(text)
        if self.template.chat is None:  # no control token but those in the texts
            return tokenize(self.tokenizer, ["".join(piece for piece, _ in pieces)], True)[0]
        return [token for piece, is_text in pieces for token in tokenize(self.tokenizer, [piece], is_text)[0]]

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

    def _apply_chat_template(self, messages: Sequence[Message], begins_answer: bool) -> str:
        if not (self.template.chat or self.tokenizer.chat_template):
            raise InputError("The tokenizer has no chat template. Use another prompt, such as --set prompt=chatml.")
        return self._chat_template(messages, begins_answer)

    @cached_property
    def _chat_template(self) -> ChatTemplate:
        return open_chat_template(self.tokenizer, self.template.chat or None)

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
