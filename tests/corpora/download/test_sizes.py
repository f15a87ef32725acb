"""Sizes of downloads, found out without downloading."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from corpora.download import FileSize, Source, find_sizes


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404 if "missing" in self.path else 200)
        if "chunked" not in self.path:
            self.send_header("Content-Length", "1234567")
        self.end_headers()

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


def sizes(folder: Path, url: str, **options: object) -> FileSize:
    (found,) = find_sizes([Source("mine", "el", url, None)] * 2, folder / "downloads", folder / "lock", **options)
    return found


def test_server_states_the_size(server: str, tmp_path: Path) -> None:
    found = sizes(tmp_path, f"{server}/a.tsv.gz")
    assert (found.num_bytes, found.origin, found.to_download) == (1234567, "server", 1234567)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(("name", "origin"), [("missing", "the server answers 404"), ("chunked", "not stated")])
def test_size_may_be_unknown(server: str, tmp_path: Path, name: str, origin: str) -> None:
    found = sizes(tmp_path, f"{server}/{name}")
    assert (found.num_bytes, found.origin, found.to_download) == (None, origin, 0)


def test_offline_makes_no_request(tmp_path: Path) -> None:
    assert sizes(tmp_path, "http://127.0.0.1:1/a.gz", offline=True).origin == "offline"
    assert "could not be asked" in sizes(tmp_path, "http://127.0.0.1:1/a.gz").origin


def test_lock_file_knows_the_size(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/a.gz"
    (tmp_path / "lock").write_text(json.dumps({url: {"sha256": "0" * 64, "size": 99}}))
    found = sizes(tmp_path, url, offline=True)
    assert (found.to_download, found.origin) == (99, "lock file")


def test_file_that_is_here_is_not_downloaded(tmp_path: Path) -> None:
    (tmp_path / "downloads" / "host").mkdir(parents=True)
    (tmp_path / "downloads" / "host" / "a.gz").write_bytes(b"1234")
    found = sizes(tmp_path, "http://host/a.gz")
    assert (found.num_bytes, found.origin, found.to_download) == (4, "here", 0)
    local = tmp_path / "own.tsv"
    local.write_text("12")
    assert sizes(tmp_path, str(local)).origin == "here"
    assert sizes(tmp_path, str(tmp_path / "none.tsv")).origin == f"there is no file {tmp_path / 'none.tsv'}"


def test_mirror_folder_is_used_in_place(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.gz").write_bytes(b"123")
    assert sizes(tmp_path, "http://host/a.gz", mirror=str(tmp_path / "mirror")).origin == "here"
