"""A judge behind an OpenAI-compatible server that says what the test tells it to: malformed, slow, busy, biased."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from recipes.prompts import prompt_template
from tests.trainer.models import make_data
from trainer.evaluation import endpoint as endpoint_module
from trainer.evaluation.endpoint import Endpoint, ask, complete
from trainer.evaluation.eval_model import served_candidate
from trainer.evaluation.evaluate import Evaluation, evaluate
from trainer.evaluation.items import Item, Place
from trainer.evaluation.judge import judge, read_answer, read_scores_of

Reply = Callable[[dict[str, Any]], tuple[int, bytes]]


class Server:
    """A server on 127.0.0.1 whose replies are `say(body) -> (status, bytes)`; it remembers what it was asked."""

    def __init__(self, say: Reply) -> None:
        self.say, self.asked, self.keys = say, list[dict[str, Any]](), list[str | None]()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(body | {"path": self.path})
                server.keys.append(self.headers.get("Authorization"))
                status, data = server.say(body)
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
    monkeypatch.setattr(endpoint_module, "PATIENCE", (0.01, 0.01))
    servers: list[Server] = []

    def start(say: Reply) -> Server:
        servers.append(Server(say))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()


def text(words: str) -> tuple[int, bytes]:
    return 200, json.dumps({"choices": [{"text": words, "finish_reason": "stop"}]}).encode()


def chat(words: str) -> tuple[int, bytes]:
    return 200, json.dumps({"choices": [{"message": {"content": words}, "finish_reason": "length"}]}).encode()


ITEM = Item("1", "Say yes.", "", ())


def test_a_prompt_goes_as_text_or_as_chat_greedily(serve: Callable[[Reply], Server]) -> None:
    server = serve(lambda body: chat("ναι") if "messages" in body else text("yes "))
    (plain,) = next(iter(ask(server.endpoint(), prompt_template("alpaca"), [ITEM], 7)))
    (talk,) = next(iter(ask(server.endpoint(), prompt_template("chat"), [ITEM], 7)))
    assert (plain["text"], plain["ended"], talk["text"], talk["ended"]) == ("yes", True, "ναι", False)
    assert [body["path"] for body in server.asked] == ["/v1/completions", "/v1/chat/completions"]
    assert all(body["temperature"] == 0 and body["max_tokens"] == 7 for body in server.asked)
    assert server.asked[0]["prompt"].endswith("### Response:")


def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not(serve: Callable[[Reply], Server]) -> None:
    replies = iter([(503, b""), (429, b""), text("at last")])
    assert complete(serve(lambda body: next(replies)).endpoint(), {"prompt": "x"})["choices"]
    refusing = serve(lambda body: (401, b"no key"))
    with pytest.raises(InputError, match=r"refuses: 401 .*Set OPENAI_API_KEY"):
        complete(refusing.endpoint(), {"prompt": "x"})
    assert len(refusing.asked) == 1


def test_a_slow_broken_or_strange_server_is_a_sentence(serve: Callable[[Reply], Server]) -> None:
    slow = serve(lambda body: (time.sleep(1), text("late"))[1])
    with pytest.raises(InputError, match="no answer after 3 tries"):
        complete(slow.endpoint(timeout=0.1), {"prompt": "x"})
    with pytest.raises(InputError, match="answers with no JSON"):
        complete(serve(lambda body: (200, b"<html>")).endpoint(), {"prompt": "x"})
    with pytest.raises(InputError, match="no form of OpenAI's API"):
        list(ask(serve(lambda body: (200, b'{"choices": []}')).endpoint(), prompt_template("alpaca"), [ITEM], 5))
    with pytest.raises(InputError, match="no answer after"):
        complete(Endpoint("http://127.0.0.1:9/v1", "nobody"), {"prompt": "x"})


def test_the_key_goes_to_the_server_and_nowhere_else(
    serve: Callable[[Reply], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = serve(lambda body: (403, b"forbidden"))
    with pytest.raises(InputError) as found:
        complete(server.endpoint(), {"prompt": "x"})
    assert server.keys == ["Bearer sk-secret"]
    assert "sk-secret" not in str(found.value)


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
def test_a_verdict_is_yes_or_no_or_unread(verdict: str, expected: float | None) -> None:
    assert read_answer(verdict) == expected


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
def test_scores_are_read_strictly(verdict: str, expected: tuple[float, float] | None) -> None:
    assert read_scores_of(verdict) == expected


@pytest.fixture
def answered(serve: Callable[[Reply], Server], tmp_path: Path) -> dict[str, Path]:
    """Two models behind servers that were asked the instructions and questions: one says λάθος, the other Πάτρα."""
    place = Place(make_data(tmp_path / "data"), any_rows=True, offline=True)
    paths = {"out": tmp_path / "evaluations", "results": tmp_path / "results.jsonl"}
    for name, words in {"weak": "λάθος", "strong": "Στην Πάτρα, βέβαια."}.items():
        server = serve(lambda body, words=words: text(words))  # type: ignore[misc]
        asked = Evaluation(
            served_candidate(name), ("mi-eval", "xquad"), "el", place=place, endpoint=server.endpoint(), **paths
        )
        values = {score.metric: score.value for score in evaluate(asked, print)}
        assert values["contains"] == (100 / 3 if name == "strong" else 0)
    return paths


def test_answers_are_called_right_or_wrong(serve: Callable[[Reply], Server], answered: dict[str, Path]) -> None:
    def say(body: dict[str, Any]) -> tuple[int, bytes]:
        question = body["messages"][0]["content"].split("ερώτηση")[1]
        return chat("YES" if "γεννήθηκε" in question else "hm")

    judging = serve(say)
    asked = ([served_candidate("strong")], judging.endpoint(), *answered.values(), "xquad", ["el"], None)
    (found,) = judge(*asked)
    assert (found.score.value, found.score.n, found.unread) == (100.0, 2, 1)
    assert found.score.metric == "judged"
    assert len(judging.asked) == 3
    assert list(judge(*asked)) == [found]
    assert len(judging.asked) == 3  # verdicts are kept


def test_a_judge_that_favours_the_first_place_favours_nobody(
    serve: Callable[[Reply], Server], answered: dict[str, Path]
) -> None:
    biased = serve(lambda body: chat("Score of the Assistant 1: 9\nScore of the Assistant 2: 2"))
    pair = [served_candidate("weak"), served_candidate("strong")]
    (found,) = judge(pair, biased.endpoint(), *answered.values(), "mi-eval", ["el"], None)
    assert (found.score.value, found.score.n, found.score.metric) == (50.0, 2, "win_rate")
    assert len(biased.asked) == 4  # both orders of two items


def test_the_better_model_wins_in_both_orders(serve: Callable[[Reply], Server], answered: dict[str, Path]) -> None:
    def fair(body: dict[str, Any]) -> tuple[int, bytes]:
        words = body["messages"][0]["content"]
        first = words.index("Πάτρα") < words.index("Assistant 2's Answer")
        return chat("Score of the Assistant 1: {}\nScore of the Assistant 2: {}".format(*((7, 3) if first else (3, 7))))

    pair = [served_candidate("weak"), served_candidate("strong")]
    (found,) = judge(pair, serve(fair).endpoint(), *answered.values(), "mi-eval", ["el"], None)
    assert found.score.value == 100.0
    assert "swap:yes|against:weak" in found.score.signature


def test_a_judge_that_says_nothing_readable_is_a_sentence(
    serve: Callable[[Reply], Server], answered: dict[str, Path]
) -> None:
    with pytest.raises(InputError, match="None of 3 verdicts of scripted could be read"):
        list(
            judge([served_candidate("weak")], serve(lambda b: chat("?")).endpoint(), *answered.values(), "xquad", [], 3)
        )
