"""Answers from a server: many requests at once, each sent as soon as another is answered, prompts cut where it asks."""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Any

from corpora.endpoint import Endpoint, PromptTooLong, complete
from corpora.errors import InputError
from recipes.prompts import PromptTemplate
from trainer.evaluation.items import Item

Row = dict[str, Any]
CONCURRENCY = 32  # requests that a server works on at once
FLUSH_ROWS = 64  # answers that are stored together
MAX_TOKENS = 1 << 31  # of a prompt or an answer
MAX_CUTS = 12  # of one prompt
SHARE_KEPT = 0.75  # of a prompt, where the server does not say how long it may be
LIMITS = re.compile(r"(?:maximum|max)\D{0,60}?(\d{2,})\D.*?(\d{2,})", re.IGNORECASE | re.DOTALL)


@dataclass
class ServedModel:
    """The model that a server names in its answers, which must stay the same."""

    endpoint: Endpoint
    name: str | None = None
    lock: Lock = field(default_factory=Lock)

    def check(self, reply: dict[str, Any]) -> None:
        """Raise InputError if another model has answered than before."""
        answered = reply.get("model") if isinstance(reply.get("model"), str) else None
        with self.lock:
            self.name = self.name or answered
        if answered != self.name and answered is not None:
            raise InputError(
                f"{self.endpoint.url} has changed its model: it answered as '{self.name}' and now as '{answered}'. "
                "Answers so far are kept; remove them, or serve the first model again."
            )


def generate_remote(
    endpoint: Endpoint, prompt: PromptTemplate, items: Sequence[Item], max_new_tokens: int,
    concurrency: int = CONCURRENCY,
) -> Iterator[list[Row]]:  # fmt: skip
    """Yield a server's greedy answers to items as they come, some at a time.

    Rows are {index, text, num_prompt_tokens, num_new_tokens, truncated, ended}. A prompt that the server calls too long
    loses its middle until it fits, and `truncated` says so.

    Raises:
        InputError: The server refuses, does not answer, or changes its model; the answers so far have been yielded.
    """
    served = ServedModel(endpoint)
    waiting = iter(enumerate(items))
    running: dict[Future[Row], int] = {}
    rows: list[Row] = []
    with ThreadPoolExecutor(concurrency) as pool:

        def send(count: int) -> None:
            for index, item in islice(waiting, count):
                running[pool.submit(answer, served, prompt, item, max_new_tokens)] = index

        send(concurrency)
        try:
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    rows.append({"index": running.pop(future)} | future.result())
                send(len(done))
                if len(rows) >= FLUSH_ROWS or not running:
                    yield rows
                    rows = []
        except InputError:
            pool.shutdown(cancel_futures=True)
            if rows:
                yield rows
            raise


def answer(served: ServedModel, prompt: PromptTemplate, item: Item, max_new_tokens: int) -> Row:
    """Return the answer to one item, whose text is cut as often as the server calls it too long."""
    text, is_chat = _text(prompt, item)
    kept, num_cuts = text, 0
    while True:
        try:
            reply = complete(served.endpoint, _body(kept, is_chat) | {"max_tokens": max_new_tokens})
            break
        except PromptTooLong as error:
            num_cuts += 1
            if num_cuts > MAX_CUTS:
                raise InputError(f"{error} A part of the prompt was left out {MAX_CUTS} times.") from None
            kept = cut_middle(text, int(len(kept) * _share_kept(str(error), max_new_tokens)))
    served.check(reply)
    content, ended = text_of(reply, served.endpoint)
    counts = {f"num_{ours}": _count(reply.get("usage"), theirs) for ours, theirs in _COUNTS.items()}
    return {"text": content.strip(), **counts, "truncated": num_cuts > 0, "ended": ended}


_COUNTS = {"prompt_tokens": "prompt_tokens", "new_tokens": "completion_tokens"}


def _count(usage: object, key: str) -> int:
    """Return a number of tokens that the server counts; 0 if it counts none that can be true."""
    count = usage.get(key) if isinstance(usage, dict) else None
    return count if type(count) is int and 0 <= count < MAX_TOKENS else 0


def text_of(reply: dict[str, Any], endpoint: Endpoint) -> tuple[str, bool]:
    """Return the text of a reply, and whether it ended by itself.

    Raises:
        InputError: The reply is not in the format of OpenAI's API.
    """
    try:
        choice = reply["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
    except (KeyError, IndexError, TypeError):
        text = None
    if not isinstance(text, str):
        raise InputError(f"{endpoint.url} does not answer in the format of OpenAI's API: {json.dumps(reply)[:200]}")
    return text.encode("utf-8", "replace").decode(), choice.get("finish_reason") == "stop"


def _text(prompt: PromptTemplate, item: Item) -> tuple[str, bool]:
    """Return the text to send, and whether as a chat: for a chat template the server applies its own."""
    if prompt.chat is None:
        return prompt.prompt(item.instruction, item.input), False
    return (f"{item.instruction}\n\n{item.input}" if item.input else item.instruction), True


def _body(text: str, is_chat: bool) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]} if is_chat else {"prompt": text}


def cut_middle(text: str, length: int) -> str:
    """Return a text of at most this length without its middle: instructions are at both ends."""
    head = length // 2
    return text if len(text) <= length else text[:head] + text[len(text) - (length - head) :]


def _share_kept(sentence: str, max_new_tokens: int) -> float:
    """Return the part of a prompt to keep: by the numbers of a server's sentence if it has them.

    vLLM and OpenAI write `maximum context length is 2048 tokens. However, you requested 2500 tokens`.
    """
    if (match := LIMITS.search(sentence)) is None:
        return SHARE_KEPT
    limit, requested = int(match[1]) - max_new_tokens, int(match[2]) - max_new_tokens
    return min(0.95, max(0.1, 0.95 * limit / requested)) if 0 < limit < requested else SHARE_KEPT
