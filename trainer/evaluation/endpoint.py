"""Endpoint: a model behind an OpenAI-compatible server (vLLM and others), asked over HTTP."""

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
PATIENCE = (1.0, 4.0, 15.0)  # seconds before each further try, where the server is busy or the line broke
AT_ONCE = 16


@dataclass(frozen=True)
class Endpoint:
    """A server's address up to and with `/v1`, and the model's name there; `timeout` in seconds an answer."""

    url: str
    model: str
    timeout: float = 300.0

    @property
    def identity(self) -> str:
        """What answers depend on, as far as it can be known: a server does not say which weights it holds."""
        return digest(["endpoint", self.model])


def ask(
    endpoint: Endpoint, form: PromptTemplate, items: Sequence[Item], max_new_tokens: int
) -> Iterator[list[dict[str, Any]]]:
    """The answers to items, greedily, some at a time: {place, text, num_new, ended}."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(items), 4 * AT_ONCE):
            places = range(start, min(start + 4 * AT_ONCE, len(items)))
            bodies = [_body(form, items[place]) | {"max_tokens": max_new_tokens} for place in places]
            answers = pool.map(lambda body: _answer(complete(endpoint, body), endpoint), bodies)
            yield [{"place": place} | answer for place, answer in zip(places, answers, strict=True)]


def _body(form: PromptTemplate, item: Item) -> dict[str, Any]:
    """A chat for a chat form, else the text of the prompt."""
    if form.chat is None:
        return {"prompt": form.prompt(item.instruction, item.input)}
    text = f"{item.instruction}\n\n{item.input}" if item.input else item.instruction
    return {"messages": [{"role": "user", "content": text}]}


def _answer(reply: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    text, ended = text_of(reply, endpoint)
    used = reply.get("usage") or {}
    return {"text": text.strip(), "num_new": int(used.get("completion_tokens") or 0), "ended": ended}


def text_of(reply: dict[str, Any], endpoint: Endpoint) -> tuple[str, bool]:
    """What the server answers, and whether the answer ended by itself; InputError if there is none."""
    try:
        choice = reply["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
    except (KeyError, IndexError, TypeError):
        text = None
    if not isinstance(text, str):
        raise InputError(f"{endpoint.url} answers in no form of OpenAI's API: {json.dumps(reply)[:200]}")
    return text, choice.get("finish_reason") == "stop"


def complete(endpoint: Endpoint, body: dict[str, Any]) -> dict[str, Any]:
    """The server's reply to a completion, at temperature 0 unless the body says otherwise; InputError if none comes."""
    path = "chat/completions" if "messages" in body else "completions"
    data = json.dumps({"model": endpoint.model, "temperature": 0} | body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY_VARIABLE):
        headers["Authorization"] = f"Bearer {key}"
    request = Request(f"{endpoint.url.rstrip('/')}/{path}", data, headers)
    for pause in (*PATIENCE, None):
        why = _tried(request, endpoint)
        if isinstance(why, dict):
            return why
        if pause is None:
            raise InputError(f"{endpoint.url} gave no answer after {len(PATIENCE) + 1} tries: {why}.")
        sleep(pause)
    raise AssertionError


def _tried(request: Request, endpoint: Endpoint) -> dict[str, Any] | str:
    """The reply, or why there is none yet; InputError where trying again would not help."""
    try:
        with urlopen(request, timeout=endpoint.timeout) as reply:
            found = json.loads(reply.read())
    except HTTPError as error:
        if error.code in (408, 429) or error.code >= 500:
            return f"it says {error.code} {error.reason}"
        said = error.read(300).decode("utf-8", "replace")
        hint = f" Set {KEY_VARIABLE}." if error.code in (401, 403) else ""
        raise InputError(f"{endpoint.url} refuses: {error.code} {error.reason}. {said}{hint}") from None
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    except ValueError:
        raise InputError(f"{endpoint.url} answers with no JSON. The address ends in /v1 as a rule.") from None
    if not isinstance(found, dict):
        raise InputError(f"{endpoint.url} answers with no JSON object.")
    return found
