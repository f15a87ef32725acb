"""A real S3-compatible server, that of moto, in a process of its own on 127.0.0.1; and one that fails now and then.

moto has dependencies that conflict with ours, so it has an environment of its own:

    python -m venv .moto && .moto/bin/pip install -r tests/stores/requirements.txt
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

OF_A_HOP = ("content-length", "transfer-encoding", "connection", "expect")  # headers that are not passed on
ROOT = Path(__file__).parents[2]
REQUIREMENT = Path(__file__).with_name("requirements.txt")
FAILURE = b"<Error><Code>InternalError</Code><Message>This request fails.</Message></Error>"


def find_server() -> Path:
    """The command of moto's server: of the variable COIT_MOTO, of the environment `.moto`, or of that of the tests."""
    named, own = os.environ.get("COIT_MOTO"), ROOT / ".moto" / "bin" / "moto_server"
    return Path(named or (own if own.exists() else Path(sys.executable).with_name("moto_server")))


def missing_server(command: Path) -> str:
    """Why a command cannot serve as moto's server, and what to do; empty if it can."""
    fitting = REQUIREMENT.read_text().strip().rpartition("==")[2]
    install = f"Run: python -m venv .moto && .moto/bin/pip install -r {REQUIREMENT.relative_to(ROOT)}"
    if not command.exists():
        return f"There is no {command}. {install}"
    package = f"lib/python*/site-packages/moto-{fitting}.dist-info"
    if not any(command.resolve().parents[1].glob(package)):
        return f"{command} is not moto {fitting}, with which these tests pass. {install}"
    return ""


@contextmanager
def s3_server(bucket: str) -> Iterator[str]:
    """Yield the address, HOST:PORT, of a server with one empty bucket."""
    command = find_server()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([str(command), "-H", "127.0.0.1", "-p", str(port)], **quiet)
    try:
        for _ in range(600):
            try:
                urlopen(Request(f"http://127.0.0.1:{port}/{bucket}", method="PUT"), timeout=10).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def failing_server(address: str, every: int = 3) -> Iterator[str]:
    """Yield the address of a server that passes requests on, and answers every third with an error."""
    numbers = count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.read_body()
            if next(numbers) % every == 0:
                return self.send(500, {"Content-Type": "application/xml"}, FAILURE)
            connection = http.client.HTTPConnection(address, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_A_HOP}
            connection.request(self.command, self.path, body, headers)
            reply = connection.getresponse()
            return self.send(reply.status, dict(reply.getheaders()), reply.read())

        def read_body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while length := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            while self.rfile.readline().strip():  # trailers
                pass
            return body

        def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in OF_A_HOP:
                    self.send_header(name, value)
            length = headers.get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
