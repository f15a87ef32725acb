"""A language model behind an OpenAI-compatible server as a translator: requests, checks, retries, costs, the memory."""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import builders
from corpora import endpoint as endpoint_module
from corpora.errors import InputError

GREEK = {
    "Name a fruit.": "Ονόμασε ένα φρούτο.",
    "An apple.": "Ένα μήλο.",
    "See [1] now.": "Δες [1] τώρα.",
    "Is it open?": "Είναι ανοιχτό;",
}
Answer = Callable[[dict[str, Any], int], tuple[int, Any]]


class Server:
    """A server on 127.0.0.1 that answers each request by a function of its body and its number."""

    def __init__(self, answer: Answer) -> None:
        self.bodies: list[dict[str, Any]] = []
        server, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, {"data": [{"id": "small-model"}]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    server.bodies.append(body)
                    number = len(server.bodies)
                self._send(*answer(body, number))

            def _send(self, status: int, value: Any) -> None:
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], Server]]:
    monkeypatch.setattr(endpoint_module, "RETRY_WAITS_S", (0.0, 0.0))
    servers: list[Server] = []

    def start(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def chat(content: str | None, reason: str = "stop") -> tuple[int, Any]:
    return 200, {"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": reason}]}


def text_of(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def translate(tmp_path: Path, translator: str, *questions: str, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
    records = [{"instruction": question, "output": "An apple."} for question in questions]
    (tmp_path / "mine.json").write_text(json.dumps(records))
    paths = {"work": tmp_path / "work", "output": tmp_path / "out", "corpora_lock": tmp_path / "lock"}
    result = builders.translate(tmp_path / "mine.json", langs=["el"], translator=translator, **paths, **options)
    return result, pl.read_parquet(result.files["el"]).sort("instruction").to_dicts()


def test_segments_are_requested_with_the_prompt_and_remembered(
    serve: Callable[[Answer], Server], tmp_path: Path
) -> None:
    server = serve(lambda body, number: chat(GREEK[text_of(body)]))
    result, rows = translate(tmp_path, server.url, "Name a fruit.", "See https://example.org now.")
    assert [row["instruction"] for row in rows] == ["Δες https://example.org τώρα.", "Ονόμασε ένα φρούτο."]
    assert {row["output"] for row in rows} == {"Ένα μήλο."}
    assert {body["model"] for body in server.bodies} == {"small-model"}
    assert all("into Greek" in body["messages"][0]["content"] for body in server.bodies)
    assert sorted(map(text_of, server.bodies)) == ["An apple.", "Name a fruit.", "See [1] now."]
    (origin,) = result.translator["origins"]
    assert (origin["name"], origin["num_segments"]) == ("small-model", 3)
    translate(tmp_path, server.url, "Name a fruit.", "Is it open?")
    assert len(server.bodies) == 4  # only the new segment


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (chat("I am sorry, but I cannot help you with that request today."), "wrong_language"),
        (chat("Ονόμασε ένα φρούτο.\nΣημείωση: είναι εύκολο."), "several_lines"),
        (chat("Ονόμασε", "length"), "truncated"),
        (chat(None), "empty"),
        ((400, {"error": {"message": "This model's maximum context length is 5 tokens."}}), "source_too_long"),
    ],
)
def test_wrong_answer_fails_a_check_and_is_requested_again(
    wrong: tuple[int, Any], check: str, serve: Callable[[Answer], Server], tmp_path: Path
) -> None:
    server = serve(lambda body, number: wrong if text_of(body) == "Name a fruit." else chat(GREEK[text_of(body)]))
    result, rows = translate(tmp_path, server.url, "Name a fruit.", "Is it open?")
    assert [row["instruction"] for row in rows] == ["Είναι ανοιχτό;"]
    failed = result.built.ledger.filter(stage="translations").drop_nulls("reason")
    assert dict(failed.select("reason", "num_rows").rows()) == {check: 1}
    temperatures = [body["temperature"] for body in server.bodies if text_of(body) == "Name a fruit."]
    assert temperatures == ([0] if check == "source_too_long" else [0, 0.5])


def test_busy_server_is_tried_again_and_a_strange_one_is_an_error(
    serve: Callable[[Answer], Server], tmp_path: Path
) -> None:
    busy = serve(lambda body, number: (503, {}) if number == 1 else chat(GREEK[text_of(body)]))
    (tmp_path / "busy").mkdir()
    assert len(translate(tmp_path / "busy", busy.url, "Name a fruit.")[1]) == 1
    strange = serve(lambda body, number: (200, {"choices": []}))
    with pytest.raises(InputError, match="does not answer as a chat server"):
        translate(tmp_path, strange.url, "Name a fruit.")
    with pytest.raises(InputError, match="--offline does not allow requests"):
        translate(tmp_path, busy.url, "Name a fruit.", offline=True)


def test_row_has_prompt_prices_and_concurrency(
    serve: Callable[[Answer], Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(lambda body, number: chat(GREEK[re.findall(r"English: (.*)\n", text_of(body))[0]]))
    my = tmp_path / "my"
    my.mkdir()
    (my / "translators.toml").write_text(
        f'[paid]\nkind = "openai"\nmodel = "big"\nurl = "{server.url}"\nprompt = "translategemma"\nconcurrency = 4\n'
        'licence = "apache-2.0"\nprice_input = 1.0\nprice_output = 2.0\ndescription = "Paid."\n'
    )
    with caplog.at_level(logging.WARNING):
        result, rows = translate(tmp_path, "paid", "Name a fruit.", with_=[my])
    assert rows[0]["instruction"] == "Ονόμασε ένα φρούτο."
    assert "Translation into Greek by big: 2 segments, about" in caplog.text
    assert result.translator["origins"][0]["licence"] == "apache-2.0"
    assert {body["model"] for body in server.bodies} == {"big"}
