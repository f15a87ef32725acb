"""Servers that answer: many requests at once, cut prompts, refusals, and a real server if an environment has one."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import corpora.endpoint as endpoint_module
from corpora.endpoint import Endpoint, backend, complete
from corpora.errors import InputError
from recipes.prompts import prompt_template
from tests.trainer.evaluation.test_judging import Reply, Server, serve, text
from trainer.evaluation import evaluate
from trainer.evaluation.items import Item
from trainer.evaluation.remote_generation import cut_middle, generate_remote
from trainer.evaluation.server_process import ServerRow, find_server, serve_model

__all__ = ["serve"]  # a fixture
RAW = prompt_template("raw")
Options = Callable[..., dict[str, Any]]


def items(count: int, words: str = "word") -> list[Item]:
    return [Item(str(number), f"{number} {words}", "", ()) for number in range(count)]


def rows_of(server: Server, asked: list[Item], **options: Any) -> list[dict[str, Any]]:
    return [row for rows in generate_remote(server.endpoint(), RAW, asked, 5, **options) for row in rows]


def test_a_slow_answer_holds_up_no_other(serve: Callable[[Reply], Server]) -> None:
    others = threading.Event()
    count = iter(range(1000))

    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        if body["prompt"].startswith("0 "):
            assert others.wait(20)
        elif next(count) == 38:
            others.set()  # all others have been answered while the first waits
        return text(body["prompt"])

    rows = rows_of(serve(reply), items(40), concurrency=4)
    assert sorted(row["index"] for row in rows) == list(range(40))
    assert all(row["text"].startswith(f"{row['index']} ") for row in rows)


@pytest.mark.parametrize(
    "sentence",
    [
        "This model's maximum context length is 60 tokens. However, you requested 305 tokens (300 in the messages).",
        "The prompt is too long.",
    ],
)
def test_prompt_that_a_server_calls_too_long_loses_its_middle_and_is_counted(
    sentence: str, serve: Callable[[Reply], Server]
) -> None:
    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        if len(body["prompt"]) > 55:
            return 400, json.dumps({"error": {"message": sentence}}).encode()
        return text("fits")

    server = serve(reply)
    long, short = rows_of(server, [Item("1", "begin " + 300 * "x" + " end", "", ()), *items(1)], concurrency=1)
    assert (long["text"], long["truncated"], short["truncated"]) == ("fits", True, False)
    sent = server.requests[-2]["prompt"]
    assert sent.startswith("begin")
    assert sent.strip().endswith("end")
    assert len(server.requests) <= 10


def test_other_refusals_are_errors(serve: Callable[[Reply], Server]) -> None:
    with pytest.raises(InputError, match="refuses with status 400"):
        rows_of(serve(lambda body: (400, b'{"error": "no such model"}')), items(2))


def test_changed_model_ends_the_evaluation_and_keeps_answers(serve: Callable[[Reply], Server]) -> None:
    names = iter(["one", "one", "two"])

    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        choice = {"text": "a", "finish_reason": "stop"}
        return 200, json.dumps({"model": next(names), "choices": [choice]}).encode()

    answered = generate_remote(serve(reply).endpoint(), RAW, items(3), 5, 1)
    assert len(next(answered)) == 2
    with pytest.raises(InputError, match="has changed its model: it answered as 'one' and now as 'two'"):
        next(answered)


def test_server_that_hangs_is_a_sentence(serve: Callable[[Reply], Server]) -> None:
    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        time.sleep(0.5)
        return text("late")

    endpoint = serve(reply).endpoint(timeout=0.05)
    with pytest.raises(InputError, match="gave no answer after 3 attempts: the server took too long"):
        next(generate_remote(endpoint, RAW, items(1), 5))


def test_middle_of_a_text_is_cut() -> None:
    assert cut_middle("0123456789", 4) == "0189"
    assert cut_middle("0123", 9) == "0123"


def test_server_without_a_version_is_called_a_server(serve: Callable[[Reply], Server]) -> None:
    assert backend(serve(lambda body: text("")).endpoint()) == "server"
    assert backend(Endpoint("http://127.0.0.1:9/v1", "m", server="vllm-serve-0.33.0")) == "vllm-serve-0.33.0"


def test_server_needs_an_environment_that_has_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean vllm"):
        find_server("vlm", tmp_path)
    with pytest.raises(InputError, match=r"needs an environment that has vllm\. Make one with"):
        find_server("vllm", None)
    with pytest.raises(InputError, match="is no virtual environment"):
        find_server("vllm", tmp_path)


SHORT_LIVED = """
import sys, http.server
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy)
server.handle_request()
server.server_close()
print("RuntimeError: Unsupported attention: head_dim=16", "a last line without meaning", sep=chr(10))
sys.exit(3)
"""


def test_server_that_ends_between_answers_is_named_with_the_errors_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "RETRY_WAITS_S", ())
    command = ("{python}", "-c", SHORT_LIVED.replace("{", "{{").replace("}", "}}"), "{port}")
    row = ServerRow("own", command, "model", "/health", "none", "none", sys.executable)
    log = tmp_path / "server.log"
    expected = rf"server own ended with code 3; .*{log.name}\. The last ones: RuntimeError: Unsupported .*head_dim=16$"
    with pytest.raises(InputError, match=expected), serve_model(row, tmp_path, log) as (url, _):
        complete(Endpoint(url, "model"), {"prompt": "a"})


@pytest.mark.slow
@pytest.mark.skipif("COIT_SERVE_ENV" not in os.environ, reason="COIT_SERVE_ENV names no environment with a server")
def test_started_server_gives_the_answers_of_the_local_model(model: Path, options: Options, tmp_path: Path) -> None:
    import polars as pl

    tables = {}
    chosen = options(benchmarks=["flores"], metrics=["chrf++"])
    for name, serving in {
        "local": {},
        "served": {"serve": "transformers", "serve_env": os.environ["COIT_SERVE_ENV"]},
    }.items():
        places = {"output": tmp_path / name, "results": tmp_path / f"{name}.jsonl"}
        table = evaluate(model, **chosen | places | serving)
        tables[name] = pl.concat(map(pl.read_parquet, sorted((tmp_path / name).glob("*/*en-xx*.parquet"))))
        expected = "backend:transformers-serve-" if name == "served" else "backend:transformers-5"
        assert all(expected in result.signature for result in table)
    same = ["item_id", "text", "num_prompt_tokens"]
    assert tables["served"].select(same).equals(tables["local"].select(same))
