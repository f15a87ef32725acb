"""A model behind an OpenAI-compatible server (vLLM and others), requested over HTTP."""

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from time import sleep
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from corpora.errors import InputError
from recipes.prompts import PromptTemplate
from trainer.evaluation.items import Item
from trainer.recipe import digest

KEY_VARIABLE = "OPENAI_API_KEY"
RETRY_WAITS_S = (1.0, 4.0, 15.0)  # before each further attempt, where the server is busy or the connection broke
MAX_PARALLEL = 16  # requests


@dataclass(frozen=True)
class Endpoint:
    """A server: its address, up to and with `/v1`, the model's name there, and the seconds to wait for an answer."""

    url: str
    model: str
    timeout_s: float = 300.0

    @property
    def fingerprint(self) -> str:
        """What answers depend on as far as it can be known: the weights behind a server are unknown."""
        return digest(["endpoint", self.model])


def generate_remote(
    endpoint: Endpoint, prompt: PromptTemplate, items: Sequence[Item], max_new_tokens: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield a server's greedy answers to items, some at a time, as rows {index, text, num_new_tokens, ended}."""
    with ThreadPoolExecutor(MAX_PARALLEL) as pool:
        for start in range(0, len(items), 4 * MAX_PARALLEL):
            indices = range(start, min(start + 4 * MAX_PARALLEL, len(items)))
            bodies = [_body(prompt, items[index]) | {"max_tokens": max_new_tokens} for index in indices]
            answers = pool.map(lambda body: _answer(complete(endpoint, body), endpoint), bodies)
            yield [{"index": index} | answer for index, answer in zip(indices, answers, strict=True)]


def _body(prompt: PromptTemplate, item: Item) -> dict[str, Any]:
    """Return a chat for a chat template, else the text of the prompt."""
    if prompt.chat is None:
        return {"prompt": prompt.prompt(item.instruction, item.input)}
    text = f"{item.instruction}\n\n{item.input}" if item.input else item.instruction
    return {"messages": [{"role": "user", "content": text}]}


def _answer(reply: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    text, ended = text_of(reply, endpoint)
    used = reply.get("usage") or {}
    return {"text": text.strip(), "num_new_tokens": int(used.get("completion_tokens") or 0), "ended": ended}


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
    return text, choice.get("finish_reason") == "stop"


def complete(endpoint: Endpoint, body: dict[str, Any]) -> dict[str, Any]:
    """Return the server's reply to a completion request; the temperature is 0 unless the body has another.

    Raises:
        InputError: The server refuses, or does not answer after several attempts.
    """
    path = "chat/completions" if "messages" in body else "completions"
    data = json.dumps({"model": endpoint.model, "temperature": 0} | body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY_VARIABLE):
        headers["Authorization"] = f"Bearer {key}"
    request = Request(f"{endpoint.url.rstrip('/')}/{path}", data, headers)
    for wait_s in (*RETRY_WAITS_S, None):
        reply = _request(request, endpoint)
        if isinstance(reply, dict):
            return reply
        if wait_s is None:
            raise InputError(f"{endpoint.url} gave no answer after {len(RETRY_WAITS_S) + 1} attempts: {reply}.")
        sleep(wait_s)
    raise AssertionError


def _request(request: Request, endpoint: Endpoint) -> dict[str, Any] | str:
    """Return the reply, or the reason why there is none yet.

    Raises:
        InputError: Another attempt would not help.
    """
    try:
        with urlopen(request, timeout=endpoint.timeout_s) as response:
            reply = json.loads(response.read())
    except HTTPError as error:
        if error.code in (408, 429) or error.code >= 500:
            return f"its status is {error.code} {error.reason}"
        detail = error.read(300).decode("utf-8", "replace")
        hint = f" Set {KEY_VARIABLE}." if error.code in (401, 403) else ""
        raise InputError(f"{endpoint.url} refuses: {error.code} {error.reason}. {detail}{hint}") from None
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    except ValueError:
        raise InputError(f"{endpoint.url} does not answer with JSON. The address usually ends in /v1.") from None
    if not isinstance(reply, dict):
        raise InputError(f"{endpoint.url} does not answer with a JSON object.")
    return reply
