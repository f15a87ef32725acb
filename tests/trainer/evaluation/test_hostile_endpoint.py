"""A hostile OpenAI-compatible server: no key goes elsewhere or comes back, and each strange answer is a sentence."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from corpora import endpoint as endpoint_module
from corpora.endpoint import complete
from corpora.errors import InputError
from recipes.prompts import prompt_template
from trainer.evaluation import Endpoint, Item, judge
from trainer.evaluation.remote_generation import generate_remote

KEY = "sk-planted-0123456789"
ITEM = Item("1", "Say yes.", "", ())
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A server on 127.0.0.1 that does what `answer` does with each request, and keeps the headers."""

    def __init__(self, answer: Answer) -> None:
        self.headers: list[Any] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.headers.append(self.headers)
                answer(self)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], Server]]:
    monkeypatch.setattr(endpoint_module, "RETRY_WAITS_S", ())
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    servers: list[Server] = []

    def start(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()


def sends(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def reply(text: object, **more: object) -> bytes:
    return json.dumps({"choices": [{"text": text, "finish_reason": "stop"}], **more}).encode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_host_gets_neither_key_nor_answer(serve: Callable[[Answer], Server], status: int) -> None:
    other = serve(sends(reply("yes")))
    first = serve(sends(b"", status, Location=other.url))
    with pytest.raises(InputError, match="redirects to another address, to which neither texts nor keys are sent") as e:
        complete(Endpoint(first.url, "m"), {"prompt": "x"})
    assert other.headers == []
    assert KEY not in str(e.value)


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{KEY}@127.0.0.1:1/v1",
        f"http://{KEY}@127.0.0.1:1/v1",
        f"http://127.0.0.1:1/v1?key={KEY}",
        f"http://user:{KEY}@[::1",
        f"ftp://user:{KEY}@host/v1",
        f"http://user:{KEY}@ho st/v1",
        f"http://ho\0st/{KEY[:0]}v1",
    ],
)
def test_address_with_a_secret_is_refused_and_not_repeated(url: str) -> None:
    for call in (lambda: Endpoint(url, "m"), lambda: judge(["a"], benchmark="x", endpoint=url, judge="j")):
        with pytest.raises(InputError) as error:
            call()
        assert KEY not in str(error.value)


@pytest.mark.parametrize("body", [reply(f"my key is {KEY}"), reply("a", note=KEY), f'{{"error": "{KEY}"}}'.encode()])
@pytest.mark.parametrize("status", [200, 400, 401])
def test_key_that_comes_back_is_neither_kept_nor_shown(
    serve: Callable[[Answer], Server], body: bytes, status: int
) -> None:
    server = serve(sends(body, status))
    with pytest.raises(InputError, match="sends the key of OPENAI_API_KEY back") as error:
        complete(Endpoint(server.url, "m"), {"prompt": "x"})
    assert KEY not in str(error.value)


def test_key_in_escapes_is_not_kept(serve: Callable[[Answer], Server]) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)
    server = serve(sends(f'{{"choices": [{{"text": "{escaped}"}}]}}'.encode()))
    with pytest.raises(InputError, match="sends the key of OPENAI_API_KEY back"):
        complete(Endpoint(server.url, "m"), {"prompt": "x"})


def test_short_key_may_be_a_word_of_an_answer(
    serve: Callable[[Answer], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    assert complete(Endpoint(serve(sends(reply("EMPTY"))).url, "m"), {"prompt": "x"})["choices"]


@pytest.mark.parametrize("key", ["sk-1\r\nX-Other: 1", "sk-λ", "sk-\0"])
def test_key_that_is_no_header_is_refused_and_not_shown(
    serve: Callable[[Answer], Server], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    if "\0" in key:
        monkeypatch.setattr("os.environ", {"OPENAI_API_KEY": key})
    else:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(InputError, match="has characters that no key has"):
        complete(Endpoint(serve(sends(reply("x"))).url, "m"), {"prompt": "x"})


USAGES = [[], [1], "7", 7, {"completion_tokens": []}, {"completion_tokens": -1}, {"completion_tokens": 10**400}]
USAGES += [{"completion_tokens": True}, {"completion_tokens": "7"}, {"completion_tokens": 1.5}, None]


@pytest.mark.parametrize("usage", USAGES, ids=str)
def test_usage_of_any_kind_counts_no_tokens(serve: Callable[[Answer], Server], usage: object) -> None:
    server = serve(sends(reply("yes", usage=usage)))
    (row,) = next(iter(generate_remote(Endpoint(server.url, "m"), prompt_template("alpaca"), [ITEM], 5)))
    assert (row["text"], row["num_new_tokens"]) == ("yes", 0)


BODIES = {
    "deep": b'{"a":' * 100_000,
    "deep and complete": b"[" * 50_000 + b"]" * 50_000,
    "a list": b"[1]",
    "a long number": b'{"choices": ' + b"9" * 5000 + b"}",
    "no UTF-8": b'{"choices": [{"text": "\xff\xfe"}',
    "no choice": b'{"choices": {}}',
    "text of another type": reply(["yes"]),
    "a message of another type": json.dumps({"choices": [{"message": "yes"}]}).encode(),
    "a choice of another type": b'{"choices": ["message"]}',
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_strange_body_is_a_sentence(serve: Callable[[Answer], Server], body: bytes) -> None:
    server = serve(sends(body))
    with pytest.raises(InputError, match="does not answer"):
        next(iter(generate_remote(Endpoint(server.url, "m"), prompt_template("alpaca"), [ITEM], 5)))


def test_half_a_character_becomes_a_replacement(serve: Callable[[Answer], Server]) -> None:
    server = serve(sends(b'{"choices": [{"text": "a\\ud800\\u0000b"}]}'))
    (row,) = next(iter(generate_remote(Endpoint(server.url, "m"), prompt_template("alpaca"), [ITEM], 5)))
    assert row["text"] == "a?\0b"


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * (1 << 20))
    except OSError:
        pass


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while not threading.Event().wait(0.05):
            handler.wfile.write(b" ")
    except OSError:
        pass


@pytest.mark.slow
def test_endless_body_is_refused(serve: Callable[[Answer], Server]) -> None:
    with pytest.raises(InputError, match="answers with more than 67,108,864 bytes"):
        complete(Endpoint(serve(endless).url, "m"), {"prompt": "x"})


@pytest.mark.slow
def test_slow_body_ends_with_the_time_limit(serve: Callable[[Answer], Server]) -> None:
    with pytest.raises(InputError, match=r"took longer than 0\.3 seconds"):
        complete(Endpoint(serve(drips).url, "m", 0.3), {"prompt": "x"})
