"""A judge behind an OpenAI-compatible server whose replies the test sets: malformed, slow, busy, biased."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from corpora import endpoint as endpoint_module
from corpora.endpoint import complete
from corpora.errors import InputError
from recipes.prompts import prompt_template
from trainer.evaluation import Endpoint, Item, ResultTable, evaluate, judge
from trainer.evaluation.judging import read_pair_scores, read_verdict
from trainer.evaluation.remote_generation import generate_remote

Reply = Callable[[dict[str, Any]], tuple[int, bytes]]


class Server:
    """A server on 127.0.0.1 whose replies are `reply(body) -> (status, bytes)`; it keeps all requests."""

    def __init__(self, reply: Reply) -> None:
        self.reply, self.requests, self.keys = reply, list[dict[str, Any]](), list[str | None]()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append(body | {"path": self.path})
                server.keys.append(self.headers.get("Authorization"))
                status, data = server.reply(body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def endpoint(self, timeout: float = 20) -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{self.http.server_port}/v1", "scripted", timeout)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Reply], Server]]:
    monkeypatch.setattr(endpoint_module, "RETRY_WAITS_S", (0.01, 0.01))
    servers: list[Server] = []

    def start(reply: Reply) -> Server:
        servers.append(Server(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()


def text(words: str) -> tuple[int, bytes]:
    return 200, json.dumps({"choices": [{"text": words, "finish_reason": "stop"}]}).encode()


def chat(words: str) -> tuple[int, bytes]:
    return 200, json.dumps({"choices": [{"message": {"content": words}, "finish_reason": "length"}]}).encode()


ITEM = Item("1", "Say yes.", "", ())


def test_prompts_are_sent_as_text_or_chat_and_decoded_greedily(serve: Callable[[Reply], Server]) -> None:
    server = serve(lambda body: chat("ναι") if "messages" in body else text("yes "))
    (plain,) = next(iter(generate_remote(server.endpoint(), prompt_template("alpaca"), [ITEM], 7)))
    (chatted,) = next(iter(generate_remote(server.endpoint(), prompt_template("chat"), [ITEM], 7)))
    assert (plain["text"], plain["ended"], chatted["text"], chatted["ended"]) == ("yes", True, "ναι", False)
    assert [body["path"] for body in server.requests] == ["/v1/completions", "/v1/chat/completions"]
    assert all(body["temperature"] == 0 and body["max_tokens"] == 7 for body in server.requests)
    assert server.requests[0]["prompt"].endswith("### Response:")


def test_requests_are_repeated_to_a_busy_server_and_not_to_one_that_refuses(serve: Callable[[Reply], Server]) -> None:
    replies = iter([(503, b""), (429, b""), text("at last")])
    assert complete(serve(lambda body: next(replies)).endpoint(), {"prompt": "x"})["choices"]
    refusing = serve(lambda body: (401, b"no key"))
    with pytest.raises(InputError, match=r"refuses with status 401.*Set OPENAI_API_KEY"):
        complete(refusing.endpoint(), {"prompt": "x"})
    assert len(refusing.requests) == 1


@pytest.mark.slow
def test_slow_broken_and_strange_servers_are_errors(serve: Callable[[Reply], Server]) -> None:
    slow = serve(lambda body: (time.sleep(1), text("late"))[1])
    with pytest.raises(InputError, match="no answer after 3 attempts"):
        complete(slow.endpoint(timeout=0.1), {"prompt": "x"})
    with pytest.raises(InputError, match="does not answer with JSON"):
        complete(serve(lambda body: (200, b"<html>")).endpoint(), {"prompt": "x"})
    with pytest.raises(InputError, match="does not answer in the format of OpenAI's API"):
        list(
            generate_remote(
                serve(lambda body: (200, b'{"choices": []}')).endpoint(), prompt_template("alpaca"), [ITEM], 5
            )
        )
    with pytest.raises(InputError, match="no answer after"):
        complete(Endpoint("http://127.0.0.1:9/v1", "nobody"), {"prompt": "x"})


def test_the_key_is_sent_to_the_server_and_is_in_no_message(
    serve: Callable[[Reply], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = serve(lambda body: (403, b"forbidden"))
    with pytest.raises(InputError) as raised:
        complete(server.endpoint(), {"prompt": "x"})
    assert server.keys == ["Bearer sk-secret"]
    assert "sk-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("YES", 1.0),
        ("No.", 0.0),
        ("**Yes**, it agrees with the context.", 1.0),
        ("", None),
        ("I cannot judge this.", None),
        ("YES\nNO", None),
        ("Yesterday it was right", None),
        ("The answer is YES", None),
    ],
)
def test_verdicts_are_yes_no_or_unreadable(verdict: str, expected: float | None) -> None:
    assert read_verdict(verdict) == expected


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("Evaluation evidence: x\nScore of the Assistant 1: 8\nScore of the Assistant 2: 6.5", (8.0, 6.5)),
        ("**Score of the Assistant 1: 8/10**\n**Score of the Assistant 2: 9/10**", (8.0, 9.0)),
        ("Score of the Assistant 1: 8", None),
        ("Score of the Assistant 2: 8\nScore of the Assistant 1: 6", None),
        ("Score of the Assistant 1: 8\nScore of the Assistant 2: 11", None),
        ("Score of the Assistant 1: 8\nScore of the Assistant 2: 7\nScore of the Assistant 2: 9", None),
        ("Score of the Assistant 1: eight\nScore of the Assistant 2: 7", None),
        ("8 7", None),
    ],
)
def test_pair_scores_are_read_strictly(verdict: str, expected: tuple[float, float] | None) -> None:
    assert read_pair_scores(verdict) == expected


@pytest.fixture
def answered(serve: Callable[[Reply], Server], options: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Let two models behind servers answer instructions and questions: one with λάθος, the other with Πάτρα."""
    chosen = options(benchmarks=["mi-eval", "xquad"])
    for name, words in {"weak": "λάθος", "strong": "Στην Πάτρα, βέβαια."}.items():
        server = serve(lambda body, words=words: text(words)).endpoint()  # type: ignore[misc]
        table = evaluate(name, endpoint=server.url, served_model_name=server.model, **chosen)
        values = {result.metric: result.value for result in table.results}
        assert values["contains"] == (100 / 3 if name == "strong" else 0)
    return {"output": chosen["output"], "results": chosen["results"]}


def judge_by(server: Server, models: list[str], benchmark: str, places: dict[str, Any], **changes: Any) -> ResultTable:
    endpoint = server.endpoint()
    return judge(models, benchmark=benchmark, endpoint=endpoint.url, judge=endpoint.model, **places, **changes)


def test_answers_are_judged_right_or_wrong_and_verdicts_are_stored(
    serve: Callable[[Reply], Server], answered: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        question = body["messages"][0]["content"].split("ερώτηση")[1]
        return chat("YES" if "γεννήθηκε" in question else "hm")

    server = serve(reply)
    table = judge_by(server, ["strong"], "xquad", answered, langs=["el"])
    (result,) = table.results
    assert (result.metric, result.value, result.n) == ("judge_accuracy", 100.0, 2)
    assert "xquad.el: 1 verdicts could not be read" in caplog.text
    assert len(server.requests) == 3
    assert judge_by(server, ["strong"], "xquad", answered, langs=["el"]) == table
    assert len(server.requests) == 3


def test_a_judge_that_prefers_the_first_position_prefers_no_model(
    serve: Callable[[Reply], Server], answered: dict[str, Any]
) -> None:
    biased = serve(lambda body: chat("Score of the Assistant 1: 9\nScore of the Assistant 2: 2"))
    (result,) = judge_by(biased, ["weak", "strong"], "mi-eval", answered).results
    assert (result.value, result.n, result.metric) == (50.0, 2, "win_rate")
    assert len(biased.requests) == 4  # both orders of two items


def test_the_better_model_wins_in_both_orders(serve: Callable[[Reply], Server], answered: dict[str, Any]) -> None:
    def fair(body: dict[str, Any]) -> tuple[int, bytes]:
        words = body["messages"][0]["content"]
        first = words.index("Πάτρα") < words.index("Assistant 2's Answer")
        return chat("Score of the Assistant 1: {}\nScore of the Assistant 2: {}".format(*((7, 3) if first else (3, 7))))

    (result,) = judge_by(serve(fair), ["weak", "strong"], "mi-eval", answered).results
    assert result.value == 100.0
    assert "swap:yes|against:weak" in result.signature


def test_a_judge_without_readable_verdicts_is_an_error(
    serve: Callable[[Reply], Server], answered: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="None of 3 verdicts of scripted could be read"):
        judge_by(serve(lambda body: chat("?")), ["weak"], "xquad", answered, limit=3)
