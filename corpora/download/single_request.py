"""One request without redirects, so that what it carries reaches the host it was meant for and no other."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from urllib3 import BaseHTTPResponse, Timeout
from urllib3 import exceptions as failures

from corpora.download.http import connect, describe_network_error
from corpora.errors import InputError
from corpora.urls import public_url, request_url

MAX_REPLY_BYTES = 64 << 20
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Reply:
    """What a server answers: status, body and its `Retry-After`; `failure` says why there is no answer."""

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    failure: str = ""


def send(url: str, headers: Mapping[str, str], timeout_s: float, body: bytes | None = None) -> Reply:
    """Return the reply to a GET request, or with a body to a POST request; all of it must arrive in time.

    Args:
        url: Where to send it.
        headers: The headers, credentials included.
        timeout_s: The seconds for the whole reply.
        body: What to send.

    Raises:
        InputError: The server redirects, or its reply is too large.
    """
    timeout, ends = Timeout(timeout_s), time.monotonic() + timeout_s
    options: dict[str, Any] = {"preload_content": False, "redirect": False, "retries": False, "timeout": timeout}
    method = "GET" if body is None else "POST"
    try:
        response = connect(url).request(method, request_url(url), body=body, headers=dict(headers), **options)
        with closing(response):
            if response.get_redirect_location():
                raise InputError(
                    f"{public_url(url)} redirects to another address, to which neither texts nor keys are sent. "
                    "Name the address itself."
                )
            return Reply(response.status, _read(response, url, ends), response.headers.get("Retry-After", ""))
    except failures.HTTPError as error:
        return Reply(failure=describe_network_error(error, url))
    except TimeoutError:
        return Reply(failure=f"the reply took longer than {timeout_s:g} seconds")


def _read(response: BaseHTTPResponse, url: str, ends: float) -> bytes:
    """Return the body.

    Raises:
        InputError: It is larger than the limit.
        TimeoutError: It takes longer than allowed.
    """
    body = bytearray()
    while chunk := response.read1(CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise InputError(f"{public_url(url)} answers with more than {MAX_REPLY_BYTES:,} bytes. Nothing was kept.")
        if time.monotonic() > ends:
            raise TimeoutError
    return bytes(body)
