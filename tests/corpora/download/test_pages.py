"""A page or message that a server sends instead of a file is refused before it is locked; files stay files."""

import gzip
import json
from pathlib import Path
from threading import Event

import pytest

from corpora.download import Source, file_type, pull_sources, transfer
from corpora.errors import InputError
from tests.corpora.download.test_sources import Server, in_turn, plain, server

assert server, "a fixture"
HTML = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>Please log in.</body></html>"
S3 = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
TMX = b'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><body/></tmx>'
PAGES = [
    ("/a.tmx", HTML, "is an HTML page"),
    ("/a.jsonl", HTML, "is an HTML page"),
    ("/get", HTML, "is an HTML page"),
    ("/a.txt", b"\xef\xbb\xbf \n<!-- portal --><HTML lang='en'>", "is an HTML page"),
    ("/a.tsv", "<html>Anmeldung</html>".encode("utf-16"), "is an HTML page"),
    ("/a.tmx", S3, "error message in XML"),
    ("/get", b"<Error><Code>NoSuchKey</Code></Error>", "error message in XML"),
    ("/a.tmx", b'<?xml version="1.0"?><rss/>', "an XML document"),
    ("/a.tsv", b'<?xml version="1.0"?><rss/>', "an XML document"),
    ("/a.json", b'{"error": {"code": 403}, "status": 403}', "error message in JSON"),
    ("/a.jsonl", b'{"message": "Not Found", "documentation_url": "https://docs"}', "error message in JSON"),
    ("/get", b'{"detail": "Quota exceeded"}\n', "error message in JSON"),
    ("/a.tsv", b"", "is empty"),
    ("/get", b" \r\n", "is empty"),
    ("/a.parquet", LFS, "pointer of Git LFS"),
    ("/a.tsv", LFS, "pointer of Git LFS"),
    ("/a.tsv", b"429 Too Many Requests\n", "a text without columns"),
    ("/a.parquet", b"Not found", "something that begins with"),
    ("/a.tmx", b"Not found", "something that begins with"),
]
FILES = [
    ("/a.tmx", TMX),
    ("/b.tmx", b"\xef\xbb\xbf" + TMX),
    ("/c.tmx", TMX.decode().replace("utf-8", "utf-16").encode("utf-16")),
    ("/get", TMX),
    ("/a.jsonl", b'{"text": "<html> is a tag"}\n'),
    ("/b.jsonl", b'{"error": "the word", "text": "an error"}\n'),
    ("/a.json", b'[{"instruction": "a", "output": "b"}]'),
    ("/b.json", b'{"version": "1.1", "data": []}'),
    ("/a.tsv", b"<b>bold</b>\t<i>x</i>\n"),
    ("/b.tsv", b"en\txx\n"),
    ("/a.txt", b"error\n"),
    ("/a.tsv.gz", gzip.compress(HTML, mtime=0)),
]


@pytest.mark.parametrize(("path", "page", "words"), PAGES)
def test_page_is_refused_before_it_is_locked_and_the_file_is_taken_later(
    tmp_path: Path, server: Server, path: str, page: bytes, words: str
) -> None:
    right = dict(FILES).get(path, b'PAR1"' if path.endswith("parquet") else TMX)
    server.answers[path] = in_turn(plain(page), plain(right))
    sources = [Source("mine", "el", server.url(path), None)]
    lock = tmp_path / "corpora.lock"
    with pytest.raises(InputError, match=words):
        pull_sources(sources, tmp_path / "files", lock)
    assert not lock.exists()
    (file,) = pull_sources(sources, tmp_path / "files", lock)
    assert file.path.read_bytes() == right
    assert list(json.loads(lock.read_text())) == [server.url(path)]


@pytest.mark.parametrize(("path", "content"), FILES)
def test_file_that_looks_a_little_like_a_page_is_a_file(tmp_path: Path, path: str, content: bytes) -> None:
    (file := tmp_path / path[1:]).write_bytes(content)
    file_type.check_file_type(file, f"https://a.example{path}", "it", "application/octet-stream")


@pytest.mark.parametrize(("content", "is_page"), [(b"Please wait.", True), (b"a\tb\n", False), (TMX, False)])
def test_type_that_the_server_states_decides_where_the_content_does_not(
    tmp_path: Path, server: Server, content: bytes, is_page: bool
) -> None:
    server.answers["/get"] = plain(content, Content_Type="text/html; charset=utf-8")
    sources = [Source("mine", "el", server.url("/get"), None)]
    if is_page:
        with pytest.raises(InputError, match="as the server states"):
            pull_sources(sources, tmp_path / "files", tmp_path / "lock")
    else:
        assert pull_sources(sources, tmp_path / "files", tmp_path / "lock")


def test_part_of_a_page_keeps_the_type_that_the_server_stated(tmp_path: Path, server: Server) -> None:
    server.answers["/get"] = plain(b"Please wait.", Content_Type="text/html")
    request = transfer.DownloadRequest(server.url("/get"), tmp_path / "part", Event(), lambda done, total: None)
    assert (first := transfer.download(request)) is not None
    assert first.content_type == "text/html"
    assert transfer.download(request) == first
