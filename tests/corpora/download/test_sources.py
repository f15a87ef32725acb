"""What `pull` promises, against a real HTTP server on this machine that behaves as badly as it is message to."""

import gzip
import hashlib
import io
import json
import os
import random
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpora.download import Source, SourceFile, http, pull_sources, transfer
from corpora.download.transfer import (
    DownloadRequest,
    FailedAttempt,
    PartialDownload,
    discard_part,
    download,
    state_path,
)
from corpora.errors import InputError

BODY = gzip.compress(random.Random(1).randbytes(300_000))
OTHER = gzip.compress(random.Random(2).randbytes(300_000))
HALF = len(BODY) // 2
Answer = Callable[["Handler", int], None]


class Server(ThreadingHTTPServer):
    """Answers by path (without query) with a function of the handler and the number of the request, from 0."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, Message]] = []
        self.guard = threading.Lock()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def ranges(self, path: str) -> list[str | None]:
        return [headers.get("Range") for seen, headers in self.seen if seen == path]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        with self.server.guard:
            number = len(self.server.ranges(path))
            self.server.seen.append((path, self.headers))
        self.server.answers.get(path, status(404))(self, number)

    def reply(self, code: int, body: bytes = b"", **headers: object) -> None:
        self.send_response(code)
        for name, value in {"Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def plain(body: bytes, **headers: object) -> Answer:
    return lambda handler, number: handler.reply(200, body, **headers)


def status(code: int, **headers: object) -> Answer:
    return lambda handler, number: handler.reply(code, b"sorry", **headers)


def in_turn(*answers: Answer) -> Answer:
    """The first answer to the first request and so on, the last one to all later ones."""
    return lambda handler, number: answers[min(number, len(answers) - 1)](handler, number)


def ranged(body: bytes, etag: str = '"one"', heeds_condition: bool = True) -> Answer:
    """A server that knows Range and, unless message otherwise, If-Range."""

    def answer(handler: Handler, number: int) -> None:
        requested, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
        if not requested or (heeds_condition and condition not in (None, etag)):
            return handler.reply(200, body, ETag=etag)
        start = int(requested.removeprefix("bytes=").rstrip("-"))
        if start >= len(body):
            return handler.reply(416, Content_Range=f"bytes */{len(body)}")
        return handler.reply(206, body[start:], Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}", ETag=etag)

    return answer


def cut(body: bytes, at: int, etag: str = '"one"') -> Answer:
    """Announces all of `body` and hangs up after `at` bytes."""
    return lambda handler, number: handler.reply(200, body[:at], Content_Length=len(body), ETag=etag)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(transfer, "BACKOFF_FACTOR", 0.001)
    with Server() as it:
        threading.Thread(target=it.serve_forever, args=(0.01,), daemon=True).start()
        yield it
        it.shutdown()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "corpora.lock"


def source(url: str, sha256: str | None = None, lang: str = "el") -> Source:
    return Source("wikimatrix", lang, url, sha256)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def sidecar(file: SourceFile) -> dict[str, object]:
    return json.loads(file.path.with_name(file.path.name + ".json").read_text())


def files_below(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def leave_part(data: Path, server: Server, path: str, body: bytes, etag: str | None, total: int) -> Path:
    """What a killed run leaves behind."""
    part = data / f"127.0.0.1_{server.server_port}" / (path.lstrip("/") + ".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(body)
    state_path(part).write_text(
        json.dumps({"url": server.url(path), "etag": etag, "last_modified": None, "total": total})
    )
    return part


def error_of(*arguments: object, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        pull_sources(*arguments, **options)  # type: ignore[arg-type]
    return str(caught.value)


# What is fetched, and what is written down of it


def test_download_has_host_and_path_a_sidecar_and_a_lock_entry(server, data, lock):
    server.answers["/laser/v1/a.gz"] = plain(BODY, ETag='"one"')
    url = server.url("/laser/v1/a.gz")
    [fetched] = pull_sources([source(url)], data, lock)
    assert fetched == SourceFile(source(url), fetched.path, digest(BODY), len(BODY))
    assert fetched.path == data / f"127.0.0.1_{server.server_port}" / "laser/v1/a.gz"
    assert fetched.path.read_bytes() == BODY
    assert sidecar(fetched) == {
        "url": url,
        "downloaded_from": url,
        "sha256": digest(BODY),
        "size": len(BODY),
        "mtime_ns": fetched.path.stat().st_mtime_ns,
        "etag": '"one"',
    }
    assert json.loads(lock.read_text()) == {url: {"sha256": digest(BODY), "size": len(BODY)}}
    assert files_below(data) == {"a.gz", "a.gz.json"}


def test_bodies_are_requested_without_encoding(server, data, lock):
    server.answers["/a.gz"] = plain(BODY, Content_Encoding="gzip")
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY
    assert server.seen[0][1]["Accept-Encoding"] == "identity"


def test_body_without_content_length_is_accepted(server, data, lock):
    def answer(handler: Handler, number: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(BODY)

    server.answers["/a.gz"] = answer
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.sha256 == digest(BODY)


def test_one_url_for_many_languages_is_downloaded_once(server, data, lock):
    server.answers["/all.gz"] = plain(BODY)
    url = server.url("/all.gz")
    sources = [source(url, lang=lang) for lang in ("el", "tr", "vi")]
    fetched = pull_sources(sources, data, lock)
    assert [one.source for one in fetched] == sources
    assert len({one.path for one in fetched}) == len(server.seen) == 1


def test_downloads_are_parallel_and_returned_in_order(server, data, lock):
    together = threading.Barrier(4, timeout=10)

    def answer(handler: Handler, number: int) -> None:
        together.wait()
        handler.reply(200, gzip.compress(handler.path.encode()))

    urls = [server.url(f"/{name}.gz") for name in "hgfedcba"]
    server.answers = {f"/{name}.gz": answer for name in "hgfedcba"}
    fetched = pull_sources([source(url) for url in urls], data, lock, workers=4)
    assert [one.source.url for one in fetched] == urls
    assert all(gzip.decompress(one.path.read_bytes()).decode() in one.source.url for one in fetched)
    assert list(json.loads(lock.read_text())) == sorted(urls)


def test_callback_receives_name_bytes_and_total(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    calls: list[tuple[str, int, int | None]] = []
    pull_sources([source(server.url("/a.gz"))], data, lock, on_bytes=lambda *news: calls.append(news))
    assert calls[-1] == (f"127.0.0.1_{server.server_port}/a.gz", len(BODY), len(BODY))
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_query_is_a_digest_in_the_name_and_never_shown(server, data, lock):
    server.answers["/a.gz"] = in_turn(plain(BODY), status(404))
    url = server.url("/a.gz").replace("http://", "http://ann:hidden@") + "?token=secret"
    [fetched] = pull_sources([source(url)], data, lock)
    assert fetched.path.name == f"{digest(b'token=secret')[:16]}-a.gz"
    written = lock.read_text() + json.dumps(sidecar(fetched))
    fetched.path.unlink()
    message = error_of([source(url)], data, lock)
    assert all(word not in written + message for word in ("secret", "ann", "hidden"))
    assert server.seen[0][1]["Authorization"] == "Basic YW5uOmhpZGRlbg=="


# Resuming


def test_broken_connection_is_continued_in_the_same_run(server, data, lock):
    server.answers["/a.gz"] = in_turn(cut(BODY, HALF), ranged(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY
    assert server.ranges("/a.gz") == [None, f"bytes={HALF}-"]
    assert server.seen[1][1]["If-Range"] == '"one"'
    assert files_below(data) == {"a.gz", "a.gz.json"}


def test_killed_run_is_continued_by_the_next(server, data, lock):
    server.answers["/a.gz"] = ranged(BODY)
    leave_part(data, server, "/a.gz", BODY[:HALF], '"one"', len(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY
    assert server.ranges("/a.gz") == [f"bytes={HALF}-"]


def test_run_killed_after_the_last_byte_needs_no_network(server, data, lock):
    leave_part(data, server, "/a.gz", BODY, '"one"', len(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert (fetched.sha256, server.seen) == (digest(BODY), [])


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_part_without_validator_is_downloaded_again(server, data, lock, etag):
    server.answers["/a.gz"] = ranged(BODY)
    leave_part(data, server, "/a.gz", OTHER[:HALF], etag, len(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert (fetched.path.read_bytes(), server.ranges("/a.gz")) == (BODY, [None])


def test_part_from_another_mirror_is_downloaded_again(server, data, lock):
    server.answers["/mirror/a.gz"] = ranged(BODY)
    leave_part(data, server, "/a.gz", OTHER[:HALF], '"one"', len(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock, mirror=server.url("/mirror"))
    assert (fetched.path.read_bytes(), server.ranges("/mirror/a.gz")) == (BODY, [None])


def test_server_without_ranges_is_downloaded_from_the_start(server, data, lock):
    server.answers["/a.gz"] = in_turn(cut(BODY, HALF), plain(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY


def test_file_that_changed_during_download_is_downloaded_again(server, data, lock):
    server.answers["/a.gz"] = in_turn(cut(BODY, HALF), ranged(OTHER, '"two"'))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == OTHER
    assert sidecar(fetched)["etag"] == '"two"'


def test_server_that_ignores_if_range_cannot_mix_two_files(server, data, lock):
    server.answers["/a.gz"] = in_turn(cut(BODY, HALF), ranged(OTHER, '"two"', heeds_condition=False))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == OTHER
    assert server.ranges("/a.gz") == [None, f"bytes={HALF}-", None]


def test_range_with_another_start_is_not_appended(server, data, lock):
    def shifted(handler: Handler, number: int) -> None:
        handler.reply(206, BODY[9:], Content_Range=f"bytes 9-{len(BODY) - 1}/{len(BODY)}", ETag='"one"')

    server.answers["/a.gz"] = in_turn(cut(BODY, HALF), shifted, plain(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY


def test_range_past_the_end_restarts_the_download(server, data, lock):
    server.answers["/a.gz"] = ranged(BODY)
    leave_part(data, server, "/a.gz", BODY + b"more", '"one"', len(BODY) + 9)
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY
    assert server.ranges("/a.gz") == [f"bytes={len(BODY) + 4}-", None]


@pytest.mark.slow
def test_attempts_are_counted_anew_after_progress(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "RESET_BYTES", 1000)
    step = len(BODY) // 12

    def drip(handler: Handler, number: int) -> None:
        start = step * number
        handler.reply(
            206 if start else 200,
            BODY[start : start + step],
            Content_Length=len(BODY) - start,
            Content_Range=f"bytes {start}-{len(BODY) - 1}/{len(BODY)}",
            ETag='"one"',
        )

    server.answers["/a.gz"] = drip
    assert (stated := download(request_for(server, tmp_path / "part"))) is not None
    assert stated.etag == '"one"'
    assert (tmp_path / "part").read_bytes() == BODY
    assert len(server.seen) > transfer.MAX_ATTEMPTS


def request_for(server: Server, part: Path) -> DownloadRequest:
    return DownloadRequest(server.url("/a.gz"), part, threading.Event(), lambda done, total: None)


def test_ctrl_c_stops_the_threads_and_keeps_the_part(server, data, lock):
    def slow(handler: Handler, number: int) -> None:
        handler.reply(200, BODY[:HALF], Content_Length=len(BODY), ETag='"one"')
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        for start in range(HALF, len(BODY), 200):
            handler.wfile.write(BODY[start : start + 200])
            time.sleep(0.02)

    server.answers["/a.gz"] = in_turn(slow, ranged(BODY))
    with pytest.raises(KeyboardInterrupt):
        pull_sources([source(server.url("/a.gz"))], data, lock)
    assert files_below(data) == {"a.gz.part", "a.gz.part.json"}
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY
    assert server.ranges("/a.gz")[1] is not None


# Servers that refuse, wait or lie


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 501])
def test_refusal_is_an_error_with_url_status_and_hint(server, data, lock, code):
    server.answers["/a.gz"] = status(code)
    message = error_of([source(server.url("/a.gz"))], data, lock)
    assert server.url("/a.gz") in message
    assert str(code) in message
    assert "mirror" in message
    assert len(server.seen) == 1
    assert not lock.exists()


@pytest.mark.parametrize(
    "busy", [status(429, Retry_After=0), status(429, Retry_After="soon"), status(503), status(500)]
)
def test_requests_to_a_busy_server_are_repeated(server, data, lock, busy):
    server.answers["/a.gz"] = in_turn(busy, busy, plain(BODY))
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.read_bytes() == BODY


@pytest.mark.slow
def test_retry_after_is_obeyed(server, data, lock):
    server.answers["/a.gz"] = in_turn(status(503, Retry_After=1), plain(BODY))
    begun = time.monotonic()
    pull_sources([source(server.url("/a.gz"))], data, lock)
    assert time.monotonic() - begun >= 1


def test_retry_after_of_an_hour_is_an_error(server, data, lock):
    server.answers["/a.gz"] = status(429, Retry_After=3600)
    message = error_of([source(server.url("/a.gz"))], data, lock)
    assert "3600 seconds" in message
    assert "120" in message
    assert len(server.seen) == 1


def test_busy_server_is_an_error_after_all_attempts(server, data, lock):
    server.answers["/a.gz"] = status(503)
    message = error_of([source(server.url("/a.gz"))], data, lock)
    assert f"{transfer.MAX_ATTEMPTS} attempts" in message
    assert "503" in message
    assert server.url("/a.gz") in message
    assert len(server.seen) == transfer.MAX_ATTEMPTS


def test_incomplete_download_is_an_error_with_bytes_received_and_expected(server, data, lock):
    server.answers["/a.gz"] = lambda handler, number: (
        handler.reply(416) if handler.headers.get("Range") else cut(BODY, len(BODY) - 7)(handler, number)
    )
    message = error_of([source(server.url("/a.gz"))], data, lock)
    assert str(len(BODY) - 7) in message
    assert str(len(BODY)) in message
    assert server.url("/a.gz") in message
    assert "a.gz" not in files_below(data)
    assert not lock.exists()


def test_refused_connection_is_an_error(server, data, lock):
    server.shutdown()
    server.server_close()
    message = error_of([source(server.url("/a.gz"))], data, lock)
    assert "no connection" in message
    assert server.url("/a.gz") in message


def test_unknown_host_is_an_error(server, data, lock):
    message = error_of([source("http://no-such-host.invalid/a.gz")], data, lock)
    assert "http://no-such-host.invalid/a.gz" in message
    assert "host" in message


def test_redirects_are_followed_and_the_name_stays_that_of_the_catalogue(server, data, lock):
    server.answers |= {"/a.gz": status(302, Location="/moved.gz?signature=secret"), "/moved.gz": plain(BODY)}
    [fetched] = pull_sources([source(server.url("/a.gz"))], data, lock)
    assert fetched.path.name == "a.gz"
    assert fetched.sha256 == digest(BODY)
    assert "secret" not in json.dumps(sidecar(fetched))


def test_circular_redirect_is_an_error(server, data, lock):
    server.answers["/a.gz"] = status(301, Location="/a.gz")
    assert "redirects more than 10 times" in error_of([source(server.url("/a.gz"))], data, lock)


def test_redirect_out_of_http_is_not_followed(server, data, lock):
    server.answers["/a.gz"] = status(301, Location="file:///etc/passwd")
    assert "'file'" in error_of([source(server.url("/a.gz"))], data, lock)


def test_redirect_from_https_to_http_is_not_followed():
    with pytest.raises(InputError, match="not safe"):
        http._follow("https://a.org/x", "http://a.org/x", "https://a.org/x")
    assert http._follow("http://a.org/x", "https://a.org/x", "http://a.org/x") == "https://a.org/x"


def test_proxy_of_the_environment_is_used_unless_the_host_is_exempt(server, data, lock, monkeypatch):
    server.answers |= {"http://far.example/a.gz": plain(BODY), "/b.gz": plain(OTHER)}
    monkeypatch.setenv("http_proxy", server.url("").replace("http://", "http://ann:hidden@"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    far, near = pull_sources([source("http://far.example/a.gz"), source(server.url("/b.gz"))], data, lock, workers=1)
    assert (far.sha256, near.sha256) == (digest(BODY), digest(OTHER))
    assert [headers.get("Proxy-Authorization") for _, headers in server.seen] == ["Basic YW5uOmhpZGRlbg==", None]


def test_first_error_in_the_order_of_sources_is_raised(server, data, lock):
    failed = threading.Event()

    def late(handler: Handler, number: int) -> None:
        failed.wait(10)
        handler.reply(404)

    def early(handler: Handler, number: int) -> None:
        handler.reply(410)
        failed.set()

    server.answers |= {"/late.gz": late, "/good.gz": plain(BODY), "/early.gz": early}
    names = ("late", "good", "early")
    message = error_of([source(server.url(f"/{name}.gz")) for name in names], data, lock, workers=3)
    assert "late.gz" in message
    assert "good.gz" in files_below(data)


def test_no_download_starts_after_an_error(server, data, lock):
    error_of([source(server.url(f"/{number}.gz")) for number in range(20)], data, lock, workers=1)
    assert len(server.seen) < 20


# What the bytes must be


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.gz", b"\n<!DOCTYPE html><title>Log in</title>", "an HTML page"),
        ("a.zip", b"<html>", "an HTML page"),
        ("a.json", b"\xef\xbb\xbf <html>", "an HTML page"),
        ("a.zip", BODY, "a gzip file"),
        ("a.gz", b"plain words, and more of them", "b'plain words, and'"),
        ("a.json", b"", "empty"),
    ],
)
def test_file_of_another_type_than_its_name_is_an_error(server, data, lock, name, body, kind):
    server.answers[f"/{name}"] = plain(body)
    message = error_of([source(server.url(f"/{name}"))], data, lock)
    assert kind in message
    assert server.url(f"/{name}") in message
    assert files_below(data) == set()
    assert not lock.exists()


def test_archives_json_and_unknown_endings_are_accepted(server, data, lock):
    full, empty = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(full, "w") as archive:
        archive.writestr("a", "b")
    zipfile.ZipFile(empty, "w").close()
    bodies = {
        "/full.zip": full.getvalue(),
        "/empty.zip": empty.getvalue(),
        "/bom.json": b"\xef\xbb\xbf\n [1]",
        "/object.json": b"{}",
        "/words.txt": b"<words>",
    }
    server.answers = {name: plain(body) for name, body in bodies.items()}
    fetched = pull_sources([source(server.url(name)) for name in bodies], data, lock)
    assert [one.path.read_bytes() for one in fetched] == list(bodies.values())


def test_file_must_have_the_digest_of_the_catalogue(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    message = error_of([source(server.url("/a.gz"), digest(OTHER))], data, lock)
    assert server.url("/a.gz") in message
    assert digest(OTHER) in message
    assert digest(BODY) in message
    assert "catalogue (wikimatrix, el)" in message
    assert files_below(data) == set()
    assert not lock.exists()


def test_pinned_digest_may_be_upper_case(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    assert pull_sources([source(server.url("/a.gz"), digest(BODY).upper())], data, lock)


def test_file_must_have_the_digest_of_the_lock_file(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    url = server.url("/a.gz")
    lock.write_text(json.dumps({url: {"sha256": digest(OTHER), "size": len(OTHER)}}))
    message = error_of([source(url)], data, lock)
    for part in (
        url,
        digest(OTHER),
        digest(BODY),
        f"{len(OTHER)} bytes",
        f"{len(BODY)} bytes",
        f"remove the entry of {url}",
    ):
        assert part in message
    assert files_below(data) == set()
    lock.write_text("{}")
    assert pull_sources([source(url)], data, lock)[0].sha256 == digest(BODY)


def test_other_entries_of_the_lock_file_stay(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    entry = {"sha256": digest(b""), "size": 0}
    lock.write_text(json.dumps({"https://z.org/z": entry}))
    pull_sources([source(server.url("/a.gz"))], data, lock)
    assert (
        lock.read_text()
        == json.dumps(
            {server.url("/a.gz"): {"sha256": digest(BODY), "size": len(BODY)}, "https://z.org/z": entry}, indent=2
        )
        + "\n"
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"u": 1}', '{"u": {"sha256": "no", "size": 1}}', '{"u": {"size": 1}}'])
def test_damaged_lock_file_is_an_error_before_any_download(server, data, lock, text):
    lock.write_text(text)
    assert str(lock) in error_of([source(server.url("/a.gz"))], data, lock)
    assert server.seen == []


# What is here already


def test_downloaded_file_needs_no_network_and_no_new_digest(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    [first] = pull_sources([source(server.url("/a.gz"))], data, lock)
    stat = first.path.stat()
    first.path.write_bytes(bytes(len(BODY)))  # other bytes, the same size and time: the sidecar is trusted
    os.utime(first.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert pull_sources([source(server.url("/a.gz"))], data, lock) == [first]
    assert len(server.seen) == 1


def test_touched_file_is_read_again_and_stays(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    [first] = pull_sources([source(server.url("/a.gz"))], data, lock)
    os.utime(first.path, ns=(1, 1))
    assert pull_sources([source(server.url("/a.gz"))], data, lock) == [first]
    assert sidecar(first)["mtime_ns"] == 1
    assert len(server.seen) == 1


@pytest.mark.parametrize("locked", [True, False])
def test_changed_file_is_downloaded_again_or_an_error_offline(server, data, lock, locked):
    server.answers["/a.gz"] = plain(BODY)
    [first] = pull_sources([source(server.url("/a.gz"))], data, lock)
    first.path.write_bytes(OTHER)
    if not locked:
        lock.unlink()
    message = error_of([source(server.url("/a.gz"))], data, lock, offline=True)
    assert str(first.path) in message
    assert digest(OTHER) in message
    assert digest(BODY) in message
    assert pull_sources([source(server.url("/a.gz"))], data, lock) == [first]
    assert first.path.read_bytes() == BODY
    assert len(server.seen) == 2


def test_file_that_differs_from_a_newer_lock_is_downloaded_again(server, data, lock):
    server.answers["/a.gz"] = in_turn(plain(BODY), plain(OTHER))
    pull_sources([source(server.url("/a.gz"))], data, lock)
    lock.write_text(json.dumps({server.url("/a.gz"): {"sha256": digest(OTHER), "size": len(OTHER)}}))
    assert pull_sources([source(server.url("/a.gz"))], data, lock)[0].sha256 == digest(OTHER)


def test_offline_accepts_files_of_any_origin(server, data, lock):
    server.answers["/mirror/a.gz"] = plain(BODY)
    first = pull_sources([source(server.url("/a.gz"))], data, lock, mirror=server.url("/mirror"))
    assert pull_sources([source(server.url("/a.gz"))], data, lock, offline=True) == first
    assert len(server.seen) == 1


def test_offline_error_names_all_missing_files(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    pull_sources([source(server.url("/a.gz"))], data, lock)
    sources = [source(server.url(f"/{name}.gz")) for name in "abc"]
    message = error_of(sources, data, lock, offline=True)
    assert "b.gz" in message
    assert "c.gz" in message
    assert "a.gz" not in message
    assert "`builders pull`" in message
    assert len(server.seen) == 1


def test_offline_file_added_by_hand_needs_a_known_digest(server, data, lock):
    path = data / "far.example" / "a.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    assert "http://far.example/a.gz" in error_of([source("http://far.example/a.gz")], data, lock, offline=True)
    assert pull_sources([source("http://far.example/a.gz", digest(BODY))], data, lock, offline=True)[0].path == path


# Mirrors and local files


def test_mirror_replaces_scheme_and_host_and_keeps_path_and_query(server, data, lock):
    server.answers["/mirror/v1/a.gz"] = plain(BODY)
    url = "https://far.example/v1/a.gz"
    [fetched] = pull_sources([source(url)], data, lock, mirror=server.url("/mirror/"))
    assert fetched.path == data / "far.example/v1/a.gz"
    assert (sidecar(fetched)["url"], sidecar(fetched)["downloaded_from"]) == (url, server.url("/mirror/v1/a.gz"))
    assert list(json.loads(lock.read_text())) == [url]


def test_another_mirror_must_agree_with_the_lock_file(server, data, lock):
    server.answers |= {"/one/a.gz": plain(BODY), "/two/a.gz": plain(BODY), "/three/a.gz": plain(OTHER)}
    one = [source("https://far.example/a.gz")]
    first = pull_sources(one, data, lock, mirror=server.url("/one"))
    assert pull_sources(one, data, lock, mirror=server.url("/two")) == first
    assert sidecar(first[0])["downloaded_from"] == server.url("/two/a.gz")
    assert server.url("/three/a.gz") in error_of(one, data, lock, mirror=server.url("/three"))
    assert first[0].path.read_bytes() == BODY


def test_files_of_a_folder_mirror_are_used_in_place_and_locked(server, tmp_path, data, lock):
    place = tmp_path / "mirror" / "v1" / "a.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY)
    url = "https://far.example/v1/a.gz"
    [fetched] = pull_sources([source(url)], data, lock, mirror=str(tmp_path / "mirror"), offline=True)
    assert (fetched.path, fetched.sha256) == (place, digest(BODY))
    assert json.loads(lock.read_text()) == {url: {"sha256": digest(BODY), "size": len(BODY)}}
    place.write_bytes(OTHER)
    message = error_of([source(url)], data, lock, mirror=str(tmp_path / "mirror"))
    assert url in message
    assert str(place) in message
    assert place.read_bytes() == OTHER


def test_file_that_a_folder_mirror_lacks_is_named_with_its_path(tmp_path, data, lock):
    message = error_of([source("https://far.example/v1/a.gz")], data, lock, mirror=str(tmp_path / "mirror"))
    assert str(tmp_path / "mirror/v1/a.gz") in message
    assert "https://far.example/v1/a.gz" in message


@pytest.mark.parametrize(
    ("mirror", "words"),
    [("ftp://far.example", "neither"), ("https://far.example/?a=b", "a query"), ("http://", "not a valid")],
)
def test_invalid_mirror_is_an_error(data, lock, mirror, words):
    assert words in error_of([source("https://far.example/a.gz")], data, lock, mirror=mirror)


def test_same_path_under_another_scheme_is_another_file(server, data, lock):
    server.answers["/mirror/a.gz"] = in_turn(plain(BODY), plain(OTHER))
    pull_sources([source("http://far.example/a.gz")], data, lock, mirror=server.url("/mirror"))
    [fetched] = pull_sources([source("https://far.example/a.gz")], data, lock, mirror=server.url("/mirror"))
    assert fetched.sha256 == digest(OTHER)


def test_local_file_is_used_in_place_and_not_locked(tmp_path, data, lock):
    path = tmp_path / "sample.tsv.gz"
    path.write_bytes(BODY)
    [fetched] = pull_sources([source(str(path), digest(BODY))], data, lock)
    assert (fetched.path, fetched.size) == (path, len(BODY))
    note = data / "local" / f"{digest(str(path).encode())}.json"
    assert json.loads(note.read_text())["sha256"] == digest(BODY)
    assert not lock.exists()
    assert files_below(data) == {note.name}
    path.write_bytes(OTHER)
    assert digest(OTHER) in error_of([source(str(path), digest(BODY))], data, lock)


def test_digest_of_a_local_file_is_remembered(tmp_path, data, lock):
    path = tmp_path / "sample.tsv.gz"
    path.write_bytes(BODY)
    first = pull_sources([source(str(path))], data, lock)
    os.utime(path, ns=(7, 7))
    pull_sources([source(str(path))], data, lock)
    path.write_bytes(bytes(path.stat().st_size))
    path.write_bytes(b"\x1f\x8b" + bytes(len(BODY) - 2))
    os.utime(path, ns=(7, 7))
    assert pull_sources([source(str(path))], data, lock) == first


def test_local_file_that_is_missing_or_not_a_full_path_is_an_error(tmp_path, data, lock):
    assert str(tmp_path / "none.gz") in error_of([source(str(tmp_path / "none.gz"))], data, lock)
    assert "wikimatrix (el)" in error_of([source("some/none.gz")], data, lock)


# Names from outside


@pytest.mark.parametrize(
    "path",
    [
        "/../a.gz",
        "/x/../../a.gz",
        "/%2e%2e/a.gz",
        "/x/./a.gz",
        "//etc/a.gz",
        "/x%2f..%2fa.gz",
        "/x%5ca.gz",
        "/%00.gz",
        "/folder/",
        "",
        "/" + "a" * 300,
        "/%ff.gz",
    ],
)
def test_path_that_leaves_the_folder_is_an_error_before_any_download(server, data, lock, path):
    assert error_of([source(server.url("/good.gz")), source(server.url(path))], data, lock)
    assert server.seen == []
    assert not data.exists()


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1/a.gz", "http://h:port/a.gz", "http://h/a b.gz", "http://../a.gz"]
)
def test_invalid_url_is_an_error(data, lock, url):
    assert error_of([source(url)], data, lock)


def test_two_urls_with_one_path_on_disk_are_an_error(data, lock):
    for other in ("http://far.example/a.gz", "https://far.example/a.gz.json", "https://far.example/a%2egz"):
        message = error_of([source("https://far.example/a.gz"), source(other)], data, lock)
        assert other in message
        assert "https://far.example/a.gz" in message


# The disk


def test_disk_error_is_raised_and_leaves_no_partial_file(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)
    data.write_text("a file where the folder should be")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        pull_sources([source(server.url("/a.gz"))], data, lock)
    assert not lock.exists()


def test_full_disk_is_an_error_and_leaves_no_partial_file(server, data, lock):
    server.answers["/a.gz"] = plain(BODY)

    def full(name: str, done: int, total: int | None) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        pull_sources([source(server.url("/a.gz"))], data, lock, on_bytes=full)
    assert "a.gz" not in files_below(data)
    assert not lock.exists()


def test_state_of_a_part_is_written_read_and_removed(tmp_path):
    part, partial = tmp_path / "part", PartialDownload("http://h/a", None, "Mon, 01 Jan 2024 00:00:00 GMT", 3)
    part.write_bytes(b"ab")
    transfer._write_state(part, partial)
    assert transfer._read_state(part) == partial
    assert partial.validator == "Mon, 01 Jan 2024 00:00:00 GMT"
    discard_part(part)
    assert files_below(tmp_path) == set()
    assert FailedAttempt("why").wait == 0


def test_leftovers_of_killed_pulls_are_removed_and_user_files_stay(server: Server, data: Path, lock: Path) -> None:
    server.answers["/b.txt"] = plain(b"text")
    requested = [source(server.url("/b.txt"))]
    [fetched] = pull_sources(requested, data, lock)
    digits = "0123456789abcdef"
    left = [lock.with_name(f".tmp-{digits}-corpora.lock"), fetched.path.with_name(f".tmp-{digits}-b.txt.json")]
    kept = [lock.with_name(name) for name in (".tmp-notes", f".tmp-{digits}-other.lock", ".tmp-corpora.lock")]
    for path in (*left, *kept):
        path.mkdir()
        (path / "half").write_text("half")
    assert pull_sources(requested, data, lock) == [fetched]
    assert [path for path in left if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


def test_body_without_a_length_has_a_limit(
    server: Server, data: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(handler: Handler, number: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"\n" * 65536)

    server.answers["/el.tsv"] = endless
    monkeypatch.setenv("COIT_LIMITS", "download_bytes_without_length=1000000")
    with pytest.raises(InputError, match="COIT_LIMITS=download_bytes_without_length=NUMBER"):
        pull_sources([source(server.url("/el.tsv"))], data, lock)


def test_announced_length_has_a_limit(server: Server, data: Path, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["/el.tsv"] = lambda handler, number: handler.reply(200, b"a", Content_Length=10**15)
    with pytest.raises(InputError, match="sends more than 274,877,906,944 bytes"):
        pull_sources([source(server.url("/el.tsv"))], data, lock)


def test_server_that_sends_a_byte_now_and_then_is_too_slow() -> None:
    pace = transfer.Pace(window_s=0.01)
    assert not transfer.Pace().is_too_slow(1)
    time.sleep(0.02)
    assert pace.is_too_slow(1)
    time.sleep(0.02)
    assert not pace.is_too_slow(1_000_000)


def test_download_that_is_a_bomb_is_refused_before_it_is_locked(server: Server, data: Path, lock: Path) -> None:
    server.answers["/el.tsv.gz"] = plain(gzip.compress(b"a" * (100 << 20)))
    with pytest.raises(InputError, match="refused as a decompression bomb"):
        pull_sources([source(server.url("/el.tsv.gz"))], data, lock)
    assert not lock.exists()
