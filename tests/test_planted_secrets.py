"""Secrets are planted wherever users have them; real commands run; no file, output or list of processes has them."""

import json
import os
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.models import make_data

pytestmark = pytest.mark.slow
PASSWORD, QUERY, KEY, NETRC = "planted-password-1", "planted-query-2", "sk-planted-key-3456", "planted-netrc-4"
SECRETS = (PASSWORD, QUERY, KEY, NETRC, "hf_alice")
TSV = "1.2\tΗ βουλή συνεδρίασε στο παλιό θέατρο.\tThe parliament met in the old theatre.\n"
CORPUS = """[own]
title = "Own"
kind = "bitext"
version = "1"
format = "laser-tsv"
url = "http://user:{password}@127.0.0.1:{port}/{path}/own.{{pair}}.tsv?key={query}"
langs = ["el"]
licence = "cc0-1.0"
"""
RECIPE = """title = "Own"
summary = "A small one."
configs = "language"
langs = ["el"]
bitext = ["own"]
directions = ["en-xx"]
decontaminate_against = []
validation = 0
"""


class Handler(BaseHTTPRequestHandler):
    """Serves a corpus to those who know the password, redirects to another port, and answers prompts."""

    seen: list[tuple[int, str, str]] = []  # noqa: RUF012  port, path and authorization
    elsewhere = 0

    def do_GET(self) -> None:
        self.seen.append((self.server.server_port, self.path, self.headers.get("Authorization", "")))  # type: ignore[attr-defined]
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.elsewhere}/own.tsv")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = TSV.encode()
        if self.command == "POST":
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"choices": [{"text": "Στην Πάτρα.", "finish_reason": "stop"}]}).encode()
        self.send_response(404 if self.path.startswith("/gone") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.seen.clear()
    Handler.elsewhere = servers[1].server_port
    yield servers[0].server_port, servers[1].server_port
    for server in servers:
        server.shutdown()


@pytest.fixture
def command_lines() -> Iterator[set[str]]:
    """The command lines of all processes that are seen while the test runs."""
    found: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    found.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    yield found
    done.set()
    thread.join()


def write_tables(folder: Path, port: int, path: str) -> None:
    (folder / "my").mkdir(parents=True, exist_ok=True)
    (folder / "my" / "corpora.toml").write_text(CORPUS.format(password=PASSWORD, query=QUERY, port=port, path=path))
    (folder / "own.toml").write_text(RECIPE)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run a command in a folder, with secrets in its environment, and return all that it prints."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text(f"machine 127.0.0.1 login user password {NETRC}\n")
    (home / ".netrc").chmod(0o600)
    own = {"HOME": str(home), "HF_HOME": str(tmp_path / "work" / "hf"), "OPENAI_API_KEY": KEY}

    def call(package: str, *arguments: object, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", package, *map(str, arguments)],
            cwd=tmp_path / "work", env=os.environ | own | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    return call


def leaks(folder: Path, texts: str, *but: Path) -> list[tuple[str, str]]:
    """Where a planted secret is, in plain or in base64."""
    forms = {secret: (secret, b64encode(f"user:{secret}".encode()).decode()) for secret in SECRETS}
    found = [("output", secret) for secret, both in forms.items() if any(form in texts for form in both)]
    for path in (path for path in folder.rglob("*") if path.is_file() and path not in but):
        data = path.read_bytes()
        found += [(str(path), secret) for secret, both in forms.items() if any(form.encode() in data for form in both)]
    return found


@pytest.mark.campaign
def test_no_planted_secret_is_in_files_output_or_process_lists(
    tmp_path: Path, ports: tuple[int, int], hub: Any, run: Callable[..., str], command_lines: set[str]
) -> None:
    work, uri = tmp_path / "work", f"hf://org/planted-{time.monotonic_ns() % 10**9}"
    write_tables(work, ports[0], "files")
    log = ["--log-file", "run.log", "-vv"]
    own = ["own.toml", "--with", "my", "--translator", "none", *log]
    texts = run("builders", "publish", *own)
    assert "Published own v1.0.0" in texts
    texts += run("builders", "publish", *own, "--registry", uri)
    assert f"{uri}@v1.0.0" in texts
    verbs = (["lock", uri], ["fetch"], ["verify", uri], ["show", uri])
    for arguments in verbs:
        texts += run("builders", *arguments, *log)
    for path in ("gone", "moved"):
        write_tables(work, ports[0], path)
        texts += run("builders", "publish", *own, "--work", f"work-{path}", "--corpora-lock", f"{path}.lock")
    proxy = f"http://user:{PASSWORD}@127.0.0.1:{ports[0]}"
    apart = ["--work", "proxied", "--corpora-lock", "proxied.lock"]
    texts += run("builders", "publish", *own, *apart, http_proxy=proxy, NO_PROXY="")
    server = f"http://127.0.0.1:{ports[0]}/v1"
    data = make_data(tmp_path / "data")
    evaluated = ["evaluate", "remote", "--endpoint", server, "--benchmarks", "xquad", "--langs", "el", "--data", data]
    texts += run("trainer", *evaluated, "--allow-size-mismatch", "--offline", *log)
    assert (work / "results.jsonl").exists(), texts
    texts += run("trainer", *evaluated, "--endpoint", f"http://user:{PASSWORD}@127.0.0.1:{ports[0]}/v1", *log)
    assert leaks(work, texts, work / "my" / "corpora.toml") == []
    typed = f"user:{PASSWORD}@127.0.0.1:{ports[0]}/v1"  # the one that this test itself wrote on a command line
    assert [line for line in command_lines if typed not in line and any(secret in line for secret in SECRETS)] == []
    assert {authorization for port, _, authorization in Handler.seen if port == ports[1]} <= {""}
    assert any(KEY in authorization for port, _, authorization in Handler.seen if port == ports[0])
