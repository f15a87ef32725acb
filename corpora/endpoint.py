"""A model behind an OpenAI-compatible server (vLLM and others), requested over HTTP."""

import hashlib
import json
import os
import random
import re
from dataclasses import dataclass
from time import sleep
from typing import Any

from corpora.download import Reply, send
from corpora.errors import InputError
from corpora.strict_json import load_json
from corpora.urls import has_credentials, public_url, request_url

KEY_VARIABLE = "OPENAI_API_KEY"
MAX_RETRY_AFTER_S = 120.0
MIN_SECRET = 12  # characters; a shorter key, such as EMPTY, may be a word of an answer
RETRY_WAITS_S = (1.0, 4.0, 15.0, 30.0)  # before each further attempt, where the server is busy or the connection broke
TOO_LONG = re.compile(
    r"context[ _-]?(length|window)|too (long|many tokens)|max_(model_len|tokens|position)", re.IGNORECASE
)


class PromptTooLong(InputError):
    """The server refuses a prompt because of its length."""


@dataclass(frozen=True)
class Endpoint:
    """A server: its address, up to and with `/v1`, the model's name there, and the seconds to wait for an answer.

    Raises:
        InputError: The address is not valid, or holds a password.
    """

    url: str
    model: str
    timeout_s: float = 300.0
    server: str = ""  # its name and version, if this process has started it
    weights: str = ""  # the digest of the weights that are served, if this process has started the server

    def __post_init__(self) -> None:
        if has_credentials(self.url):
            raise InputError(
                f"The address {public_url(request_url(self.url)).partition('?')[0]} was given with a user, password or "
                f"query, which others see in the list of processes. Leave it out, and set {KEY_VARIABLE}."
            )

    @property
    def fingerprint(self) -> str:
        """What answers depend on as far as it can be known: the weights behind a server of others are unknown."""
        return hashlib.sha256(json.dumps(["endpoint", self.weights or self.model]).encode()).hexdigest()


def backend(endpoint: Endpoint) -> str:
    """Return the name and version of a server, as far as it gives them: `vllm-0.33.0`, or `server`."""
    if endpoint.server:
        return endpoint.server
    root = endpoint.url.rstrip("/").removesuffix("/v1")
    for path, key in ((f"{root}/version", "version"), (f"{root}/v1/models", "data")):
        try:
            reply = send(path, _headers(), timeout_s=10)
            value = _parse(reply.body, endpoint)[key]
        except (InputError, KeyError):
            continue
        if isinstance(value, str):
            return f"vllm-{_as_name(value)}"
        rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        owners = [row.get("owned_by") for row in rows if row.get("id") == endpoint.model]
        if owners and isinstance(owners[0], str):
            return _as_name(owners[0]) or "server"
    return "server"


def _as_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)[:80]


def served_models(endpoint: Endpoint) -> list[str]:
    """Return the names of the models that a server lists.

    Raises:
        InputError: It does not answer, or not with a list.
    """
    reply = send(f"{endpoint.url.rstrip('/')}/models", _headers(), timeout_s=10)
    if reply.failure or reply.status != 200:
        raise InputError(
            f"{endpoint.url} does not list its models: {reply.failure or f'status {reply.status}'}. "
            "Name one as 'model' in a row of translators.toml."
        )
    rows = _parse(reply.body, endpoint).get("data")
    return [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row] if isinstance(rows, list) else []


def complete(endpoint: Endpoint, body: dict[str, Any]) -> dict[str, Any]:
    """Return the server's reply to a completion request; the temperature is 0 unless the body has another.

    Raises:
        InputError: The server refuses, or does not answer after several attempts.
    """
    path = "chat/completions" if "messages" in body else "completions"
    data = json.dumps({"model": endpoint.model, "temperature": 0} | body, ensure_ascii=False).encode()
    for wait_s in (*RETRY_WAITS_S, None):
        reply = _request(f"{endpoint.url.rstrip('/')}/{path}", data, endpoint)
        if isinstance(reply, dict):
            return reply
        if wait_s is None:
            raise InputError(f"{endpoint.url} gave no answer after {len(RETRY_WAITS_S) + 1} attempts: {reply.reason}.")
        sleep(reply.retry_after_s or random.uniform(0.75, 1.25) * wait_s)
    raise AssertionError


def _headers() -> dict[str, str]:
    """Return the headers of a request, with the API key of the environment.

    Raises:
        InputError: The key cannot be sent in a header.
    """
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if key := _key():
        if not (key.isascii() and key.isprintable()):
            raise InputError(f"{KEY_VARIABLE} has characters that no key has. Set it again.")
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _key() -> str:
    return os.environ.get(KEY_VARIABLE, "").strip()


@dataclass(frozen=True)
class Busy:
    """Why there is no reply yet, and the seconds that the server asks to wait."""

    reason: str
    retry_after_s: float = 0.0


def _retry_after(reply: Reply) -> float:
    seconds = reply.retry_after
    return min(float(seconds), MAX_RETRY_AFTER_S) if seconds.isascii() and seconds.isdecimal() else 0.0


def _request(url: str, data: bytes, endpoint: Endpoint) -> dict[str, Any] | Busy:
    """Return the reply, or the reason why there is none yet.

    Raises:
        InputError: Another attempt would not help.
    """
    reply = send(url, _headers(), endpoint.timeout_s, data)
    if reply.failure:
        return Busy(reply.failure)
    if reply.status in (408, 429) or reply.status >= 500:
        return Busy(f"its status is {reply.status}", _retry_after(reply))
    if reply.status == 200:
        return _parse(reply.body, endpoint)
    detail = " ".join(_without_key(reply.body[:1000].decode("utf-8", "replace"), endpoint).split())
    if reply.status in (400, 413, 422) and TOO_LONG.search(detail):
        raise PromptTooLong(f"{endpoint.url} refuses a prompt as too long: {detail}")
    hint = f" Set {KEY_VARIABLE}." if reply.status in (401, 403) else ""
    raise InputError(f"{endpoint.url} refuses with status {reply.status}: {detail}.{hint}")


def _parse(body: bytes, endpoint: Endpoint) -> dict[str, Any]:
    """Return the JSON object in an answer.

    Raises:
        InputError: It is none, or the key is in it.
    """
    try:
        value = load_json(_without_key(body.decode("utf-8", "replace"), endpoint))
        _without_key(json.dumps(value, ensure_ascii=False), endpoint)
    except (ValueError, RecursionError):
        raise InputError(f"{endpoint.url} does not answer with JSON. The address usually ends in /v1.") from None
    if not isinstance(value, dict):
        raise InputError(f"{endpoint.url} does not answer with a JSON object.")
    return value


def _without_key(text: str, endpoint: Endpoint) -> str:
    """Return a text from a server.

    Raises:
        InputError: The text holds the key, which would be printed or stored with it.
    """
    key = _key()
    if len(key) >= MIN_SECRET and key in text:
        raise InputError(f"{endpoint.url} sends the key of {KEY_VARIABLE} back. Nothing of its answer was kept.")
    return text
