"""A model behind an OpenAI-compatible server (vLLM and others), requested over HTTP."""

import json
import os
import random
import re
from dataclasses import dataclass
from http.client import HTTPException
from time import sleep
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from corpora.errors import InputError
from trainer.recipe import digest

KEY_VARIABLE = "OPENAI_API_KEY"
MAX_RETRY_AFTER_S = 120.0
RETRY_WAITS_S = (1.0, 4.0, 15.0, 30.0)  # before each further attempt, where the server is busy or the connection broke
TOO_LONG = re.compile(
    r"context[ _-]?(length|window)|too (long|many tokens)|max_(model_len|tokens|position)", re.IGNORECASE
)


class PromptTooLong(InputError):
    """The server refuses a prompt because of its length."""


@dataclass(frozen=True)
class Endpoint:
    """A server: its address, up to and with `/v1`, the model's name there, and the seconds to wait for an answer."""

    url: str
    model: str
    timeout_s: float = 300.0
    server: str = ""  # its name and version, if this process has started it
    weights: str = ""  # the digest of the weights that are served, if this process has started the server

    @property
    def fingerprint(self) -> str:
        """What answers depend on as far as it can be known: the weights behind a server of others are unknown."""
        return digest(["endpoint", self.weights or self.model])


def backend(endpoint: Endpoint) -> str:
    """Return the name and version of a server, as far as it gives them: `vllm-0.33.0`, or `server`."""
    if endpoint.server:
        return endpoint.server
    root = endpoint.url.rstrip("/").removesuffix("/v1")
    for path, key in ((f"{root}/version", "version"), (f"{root}/v1/models", "data")):
        try:
            with urlopen(Request(path, headers=_headers()), timeout=10) as response:
                content = json.loads(response.read(1 << 20))
                value = content[key]
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            continue
        if isinstance(value, str):
            return f"vllm-{value}"
        owners = {row.get("owned_by") for row in value if isinstance(row, dict) and row.get("id") == endpoint.model}
        if owners and isinstance(owner := owners.pop(), str):
            return re.sub(r"[^\w.-]+", "-", owner) or "server"
    return "server"


def complete(endpoint: Endpoint, body: dict[str, Any]) -> dict[str, Any]:
    """Return the server's reply to a completion request; the temperature is 0 unless the body has another.

    Raises:
        InputError: The server refuses, or does not answer after several attempts.
    """
    path = "chat/completions" if "messages" in body else "completions"
    data = json.dumps({"model": endpoint.model, "temperature": 0} | body, ensure_ascii=False).encode()
    request = Request(f"{endpoint.url.rstrip('/')}/{path}", data, _headers())
    for wait_s in (*RETRY_WAITS_S, None):
        reply = _request(request, endpoint)
        if isinstance(reply, dict):
            return reply
        if wait_s is None:
            raise InputError(f"{endpoint.url} gave no answer after {len(RETRY_WAITS_S) + 1} attempts: {reply.reason}.")
        sleep(reply.retry_after_s or random.uniform(0.75, 1.25) * wait_s)
    raise AssertionError


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY_VARIABLE):
        headers["Authorization"] = f"Bearer {key}"
    return headers


@dataclass(frozen=True)
class Busy:
    """Why there is no reply yet, and the seconds that the server asks to wait."""

    reason: str
    retry_after_s: float = 0.0


def _retry_after(error: HTTPError) -> float:
    seconds = error.headers.get("Retry-After", "") if error.headers else ""
    return min(float(seconds), MAX_RETRY_AFTER_S) if seconds.isdecimal() else 0.0


def _request(request: Request, endpoint: Endpoint) -> dict[str, Any] | Busy:
    """Return the reply, or the reason why there is none yet.

    Raises:
        InputError: Another attempt would not help.
    """
    try:
        with urlopen(request, timeout=endpoint.timeout_s) as response:
            reply = json.loads(response.read())
    except HTTPError as error:
        if error.code in (408, 429) or error.code >= 500:
            return Busy(f"its status is {error.code} {error.reason}", _retry_after(error))
        detail = error.read(1000).decode("utf-8", "replace")
        if error.code in (400, 413, 422) and TOO_LONG.search(detail):
            raise PromptTooLong(f"{endpoint.url} refuses a prompt as too long: {detail}") from None
        hint = f" Set {KEY_VARIABLE}." if error.code in (401, 403) else ""
        raise InputError(f"{endpoint.url} refuses: {error.code} {error.reason}. {detail}{hint}") from None
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        return Busy(str(getattr(error, "reason", error)) or type(error).__name__)
    except ValueError:
        raise InputError(f"{endpoint.url} does not answer with JSON. The address usually ends in /v1.") from None
    if not isinstance(reply, dict):
        raise InputError(f"{endpoint.url} does not answer with a JSON object.")
    return reply
