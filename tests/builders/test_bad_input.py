"""Bad input gets a sentence and exit code 2, and leaves nothing half-written."""

import gzip
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import polars as pl
import pytest

from corpora.catalog import SAMPLE

pytestmark = pytest.mark.slow
BUILDERS = [sys.executable, "-m", "builders"]
TSV = "laser/WikiMatrix/v1/WikiMatrix.el-en.tsv.gz"
ZIP = "OPUS-News-Commentary/v16/moses/en-hi.txt.zip"
JSON = "tatsu-lab/stanford_alpaca/main/alpaca_data.json"


def builders(folder: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BUILDERS, *arguments], cwd=folder, capture_output=True, text=True, check=False, **options)


def refused(folder: Path, *arguments: str, **options: object) -> str:
    """The sentence with which a command refuses its input: exit code 2, no traceback, nothing published."""
    done = builders(folder, *arguments, **options)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr
    assert not list(folder.glob("registry/*/*/*")), "something was published"
    assert not list(folder.rglob(".tmp-*")), "something half-written is left"
    return done.stderr.split("Error: ", 1)[1]


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror of the public servers: the sample's files at their own paths."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "mirror"))


def publish(recipe: str, lang: str, mirror: Path | str) -> list[str]:
    return ["publish", recipe, "--langs", lang, "--mirror", str(mirror), "--translator", "none"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["publish", "--langs", "gr"], ["language 'gr'", "el"]),
        (["publish", "--langs", ""], ["--langs", "empty name"]),
        (["publish", "--langs", "en"], ["beside English"]),
        (["publish", "coti"], ["recipe 'coti'", "Did you mean coit"]),
        (["publish", "nowhere/mine.toml"], ["nowhere/mine.toml"]),
        (["publish", "--sample", "--set", "low_margn.min=1"], ["filter 'low_margn'", "low_margin"]),
        (["publish", "--sample", "--set", "low_margin.mn=1"], ["threshold 'mn'", "min"]),
        (["publish", "--sample", "--set", "low_margin=1"], ["FILTER.KEY[.LANG]=NUMBER"]),
        (["publish", "--sample", "--disable-filters", "too_lon"], ["too_long"]),
        (["publish", "--sample", "--langs", "de"], ["German"]),
        (["publish", "crossalpaca", "--sample", "--langs", "el"], ["Greek", "sample-news-commentary"]),
        (["publish", "alpaca-x", "--sample", "--langs", "el", "--translator", "none"], ["no rows", "translator"]),
        (["publish", "--sample", "--translator", "nowhere.parquet"], ["nowhere.parquet"]),
        (["publish", "--with", "nowhere"], ["nowhere"]),
        (["publish", "--mirror", "nowhere", "--langs", "el"], ["nowhere"]),
        (["publish", "--offline", "--langs", "el"], ["WikiMatrix.el-en.tsv.gz", "builders pull"]),
        (["show", "coit"], ["registry"]),
        (["inspect", "--lang", "el"], ["no build"]),
        (["list", "--langs", "xx"], ["language 'xx'"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_unknown_names_are_errors_with_the_nearest_known_name(
    tmp_path: Path, arguments: list[str], told: list[str]
) -> None:
    sentence = refused(tmp_path, *arguments)
    for part in told:
        assert part in sentence


def test_unknown_option_is_an_error_with_the_nearest_one(tmp_path: Path) -> None:
    done = builders(tmp_path, "publish", "--lang", "el")
    assert done.returncode == 2
    assert "--langs" in done.stderr


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>Not found</body></html>")


def not_what_it_says(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\x00" * 100_000_000, 9)) if path.suffix == ".gz" else path.write_bytes(bomb())


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for side in ("en", "hi"):
            archive.writestr(f"News-Commentary.en-hi.{side}", (b"a" * 9_999 + b"\n") * 20_000)
    return buffer.getvalue()


def unequal(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("News-Commentary.en-hi.en", "one\ntwo\nthree\n")
        archive.writestr("News-Commentary.en-hi.hi", "एक\n")


def climbing(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../News-Commentary.en-hi.en", "one\n")
        archive.writestr("../../News-Commentary.en-hi.hi", "एक\n")


@pytest.mark.parametrize(
    ("recipe", "lang", "name", "damage", "told"),
    [
        ("coit", "el", TSV, cut, "damaged"),
        ("coit", "el", TSV, not_what_it_says, "bomb"),
        ("coit", "hi", ZIP, cut, "en-hi.txt.zip"),
        ("coit", "hi", ZIP, unequal, "3"),
        ("coit", "hi", ZIP, climbing, "../"),
        ("coit", "el", JSON, page, "an HTML page"),
        ("coit", "el", JSON, Path.unlink, "alpaca_data.json"),
    ],
)
def test_damaged_file_is_named_and_nothing_is_published(
    tmp_path: Path, mirror: Path, recipe: str, lang: str, name: str, damage: Callable[[Path], None], told: str
) -> None:
    damage(mirror / name)
    sentence = refused(tmp_path, *publish(recipe, lang, mirror))
    assert told in sentence
    assert Path(name).name.split(".")[0] in sentence
    assert not (tmp_path.parent / "News-Commentary.en-hi.en").exists()


def test_broken_lines_are_counted_in_the_ledger(tmp_path: Path, mirror: Path) -> None:
    lines = gzip.decompress((mirror / TSV).read_bytes()).split(b"\n")[1:-1]
    good = "1.2\tΗ μέρα είναι πολύ καλή.\tThe day is fine and long enough.\r".encode()
    broken = [
        b"1.2\t" + b"a" * 10_000_000 + b"\tb",
        b"1.2\ta\x00b\tc",
        b"1.2\ta\xffb\tc",
        b"1.2\ta",
        b"",
        b"x\ta\tb",
        good,
    ]
    (mirror / TSV).write_bytes(gzip.compress(b"\n".join([*broken, *lines]) + b"\n"))
    done = builders(tmp_path, *publish("coit", "el", mirror))
    assert done.returncode == 0, done.stderr
    ledger = pl.read_parquet(tmp_path / "registry" / "coit" / "v1.0.0" / "ledger.parquet")
    measured = ledger.filter(pl.col("stage") == "measured")
    assert measured["num_in"].sum() == len(lines) + len(broken)
    found = dict(measured.select("reason", "num_rows").iter_rows())
    assert found["oversized_line"] == 1
    assert found["nul_byte"] == 1 + 3
    assert found["invalid_margin"] == 1 + 4
    assert found["missing_column"] == 2 + 3
    assert found["invalid_utf8"] == 1 + 3
    shown = builders(tmp_path, "inspect", "--lang", "el", "--reason", "oversized_line")
    assert "wikimatrix:1 " in shown.stdout


class Server(BaseHTTPRequestHandler):
    """Answers every path with the status that its folder's name asks for, or with a file of the mirror."""

    mirror = Path()
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, _, rest = self.path.lstrip("/").partition("/")
        if status == "404":
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = (self.mirror / rest).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(mirror: Path) -> str:
    Server.mirror, Server.asked = mirror, []
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


def test_second_run_sends_no_request(tmp_path: Path, server: str) -> None:
    assert builders(tmp_path, *publish("coit", "hi", server + "/ok")).returncode == 0
    asked = len(Server.asked)
    assert asked == 7  # two corpora, Alpaca, FLORES, two languages of XQuAD, MLQA
    again = builders(tmp_path, *publish("coit", "hi", server + "/ok"))
    assert "nothing changed" in again.stdout
    assert len(Server.asked) == asked
    assert "hi" in (tmp_path / "corpora.lock").read_text()


def test_refusing_server_is_named(tmp_path: Path, server: str) -> None:
    sentence = refused(tmp_path, *publish("coit", "el", f"{server}/404"))
    assert "404" in sentence
    assert server in sentence


@pytest.mark.campaign
def test_file_that_changed_upstream_is_refused_by_the_lock_file(tmp_path: Path, mirror: Path) -> None:
    assert builders(tmp_path, *publish("coit", "el", mirror)).returncode == 0
    with gzip.open(mirror / TSV, "ab") as file:
        file.write("1.2\tΜια νέα γραμμή εδώ.\tA new line is here.\n".encode())
    done = builders(tmp_path, *publish("coit", "el", mirror))
    assert done.returncode == 2
    assert "corpora.lock" in done.stderr
    (tmp_path / "corpora.lock").unlink()
    done = builders(tmp_path, *publish("coit", "el", mirror))
    assert "v1.1.0" in done.stdout, done.stderr


def test_second_run_on_a_work_folder_in_use_is_refused(tmp_path: Path) -> None:
    arguments = ["publish", "--sample", "--langs", "el,hi"]
    first = subprocess.Popen([*BUILDERS, *arguments], cwd=tmp_path, stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob("work/.lease-*")):
        time.sleep(0.01)
    time.sleep(0.2)
    second = builders(tmp_path, *arguments)
    assert first.wait() == 0
    assert second.returncode == 2
    assert "Another run" in second.stderr


def test_run_continues_after_ctrl_c(tmp_path: Path) -> None:
    command = [*BUILDERS, "publish", "--sample"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list((tmp_path / "work" / "measured").glob("*.parquet")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Interrupted" in told
    assert "Traceback" not in told
    assert builders(tmp_path, "publish", "--sample").returncode == 0
    assert not list(tmp_path.rglob(".tmp-*"))


def test_run_continues_after_a_full_disk(tmp_path: Path) -> None:
    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    arguments = ["publish", "coit", "--sample", "--langs", "el", "--threads", "1"]
    assert "arge" in refused(tmp_path, *arguments, preexec_fn=small_files_only)
    assert builders(tmp_path, *arguments).returncode == 0


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    assert "taken" in refused(tmp_path, "publish", "--sample", "--langs", "el", "--work", "taken/work")
    assert "taken" in refused(tmp_path, "publish", "--sample", "--langs", "el", "--registry", "taken/registry")
