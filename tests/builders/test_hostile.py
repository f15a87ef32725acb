"""What hostile use once broke: kills, full disks, half files, odd names and the user's own files in the way."""

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice, product
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

from builders.options import BuildOptions
from builders.publishing import Published
from builders.run import run_build, run_publish
from corpora.catalog import SAMPLE
from corpora.errors import InputError

pytestmark = pytest.mark.slow
BUILDERS = [sys.executable, "-m", "builders"]
TSV = "laser/WikiMatrix/v1/WikiMatrix.el-en.tsv.gz"
SHORT = ["coit", "--sample", "--langs", "el", "--threads", "1"]  # the quickest release from the sample
PAIRS = [
    (1.1, "The parliament met in the old theatre of the town.", "Η βουλή συνεδρίασε στο παλιό θέατρο της πόλης."),
    (1.2, "The fisherman sold his boat in the winter.", "Ο ψαράς πούλησε τη βάρκα του τον χειμώνα."),
    (1.3, "My sister brings warm bread every morning.", "Η αδελφή μου φέρνει ζεστό ψωμί κάθε πρωί."),
]
WORDS = [  # Greek and English, a word of each line to a sentence
    "ο ψαράς|the fisherman, η δασκάλα|the teacher, ο γιατρός|the doctor, το παιδί|the child, ο ναύτης|the sailor",
    "βλέπει|sees, ξέρει|knows, θέλει|wants, πουλάει|sells, φέρνει|brings, κρύβει|hides, βρίσκει|finds, χάνει|loses",
    "το σπίτι|the house, τη βάρκα|the boat, το βιβλίο|the book, την πόρτα|the door, το ψωμί|the bread, "
    "το νερό|the water, το γράμμα|the letter, τη γάτα|the cat, το πηγάδι|the well, το ρολόι|the clock, "
    "την ομπρέλα|the umbrella",
    "στο λιμάνι|in the harbour, στην αγορά|at the market, στο χωριό|in the village, στο δάσος|in the forest, "
    "στο νησί|on the island, στη γέφυρα|on the bridge, στον κήπο|in the garden, στο πλοίο|on the ship, "
    "στο βουνό|on the mountain",
    "σήμερα|today, χθες|yesterday, το πρωί|in the morning, το βράδυ|in the evening, συχνά|often, ξανά|again, "
    "τον χειμώνα|in winter, το καλοκαίρι|in summer",
]
COUNT = 31_000  # lines, and so four parts of texts to identify


def builders(folder: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BUILDERS, *arguments], cwd=folder, capture_output=True, text=True, check=False, **options)


def refused(folder: Path, *arguments: str, **options: object) -> str:
    """The sentence with which a command refuses its input: exit code 2, no traceback, nothing half-written."""
    done = builders(folder, *arguments, **options)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr
    assert not list(folder.rglob(".tmp-*")), "something half-written is left"
    return done.stderr.split("Error: ", 1)[1]


def command(verb: str, request: BuildOptions) -> list[str]:
    """The arguments that ask for what a request asks for."""
    named = ["--with", str(request.with_[0]), "--offline", "--translator", "none", "--threads", "1"]
    return [verb, *request.recipes, *named]


def publish(request: BuildOptions, registry: Path) -> Published:
    return run_publish(request, registry, "instructions")[0]


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder but the locks, by its path there."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".lock", ".lease-"))]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def bitext_table(name: str, **changes: str) -> str:
    """A table of a user's catalogue for a LASER file beside it."""
    values = {"title": "Own", "kind": "bitext", "version": "1", "format": "laser-tsv", "licence": "cc0-1.0"} | changes
    return f'[{name}]\nlangs = ["el"]\n' + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


# The user's own files


@pytest.mark.parametrize(
    "own",
    [
        ["mydata/x.parquet", "mydata/.tmp-notes", ".tmp-mine", "x.parquet", "builds.txt"],
        pytest.param(
            ["loading/mine", "spill/mine", "unidentified-mine.parquet"],
        ),
    ],
    ids=["names of their own", "names that we use too"],
)
def test_build_in_the_current_folder_leaves_other_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_for: Callable[..., BuildOptions], own: list[str]
) -> None:
    for name in own:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"mine: {name}")
    monkeypatch.chdir(tmp_path)
    request = request_for({"small": {"el": PAIRS}})
    run_build(replace(request, work=Path(), corpora_lock=Path("corpora.lock")))
    assert list(tmp_path.glob("decisions/*.parquet"))
    assert [name for name in own if not (tmp_path / name).exists()] == []
    assert {name: (tmp_path / name).read_text() for name in own} == {name: f"mine: {name}" for name in own}


# Kills, Ctrl-C and full disks


def sentences(count: int) -> list[tuple[float, str, str]]:
    """Different lines of English and Greek, no two of which say the same."""
    words = [[pair.split("|") for pair in line.split(", ")] for line in WORDS]
    chosen = islice(product(*words), count)
    both = [[" ".join(pair[side] for pair in pairs).capitalize() + "." for side in (1, 0)] for pairs in chosen]
    return [(1.0 + (index % 100 + 10) / 1000, en, el) for index, (en, el) in enumerate(both)]


@pytest.fixture(scope="module")
def large(request_for: Callable[..., BuildOptions]) -> BuildOptions:
    """A request for so many lines that their texts are identified in several parts, by compiled code."""
    return request_for({"big": {"el": sentences(COUNT)}}, "[filters.low_margin]\nmin = 1.0\n")


def wait_for(process: subprocess.Popen[str], pattern: str, folder: Path) -> None:
    """Return as soon as a file of this pattern is below `folder`, while the process still runs."""
    while not list(folder.glob(pattern)):
        assert process.poll() is None, "the run ended before it could be disturbed"
        time.sleep(0.002)


@pytest.mark.campaign
def test_run_continues_after_a_kill_during_language_identification(tmp_path: Path, large: BuildOptions) -> None:
    calm = publish(large, tmp_path / "calm")  # in this process, on one thread
    assert calm.manifest["composition"][0]["num_rows"] == COUNT
    arguments = [*command("publish", large), "--threads", "2"]
    first = subprocess.Popen([*BUILDERS, *arguments], cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_for(first, "work/language_ids/.tmp-*", tmp_path)
    first.kill()
    first.wait()
    assert not list(tmp_path.glob("work/language_ids/[!.]*.parquet")), "the kill came too late to disturb anything"
    again = builders(tmp_path, *arguments, "--max-memory", "2GB")
    assert again.returncode == 0, again.stderr
    assert contents(tmp_path / "registry") == contents(tmp_path / "calm")
    assert not list(tmp_path.rglob(".tmp-*"))


def test_ctrl_c_interrupts_a_query(tmp_path: Path, large: BuildOptions) -> None:
    arguments = command("publish", large)
    process = subprocess.Popen(
        [*BUILDERS, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(process, "work/measured/.tmp-*", tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "Interrupted. Finished work is kept; the same command continues from there."
    assert not list(tmp_path.glob("work/measured/*.parquet")), "the query was not in the middle"
    assert not list(tmp_path.rglob(".tmp-*"))


def test_full_disk_leaves_complete_releases_only(tmp_path: Path, request_for: Callable[..., BuildOptions]) -> None:
    def limited(limit: int) -> Callable[[], None]:
        def small_files_only() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        return small_files_only

    request = request_for({"small": {"el": sentences(2_000)}}, folder=tmp_path)
    release = publish(request, tmp_path / "registry").folder()
    before = contents(tmp_path / "registry")
    run_build(replace(request, set={"low_margin.min": 1.06}))
    arguments = [*command("publish", request), "--set", "low_margin.min=1.06"]
    train = (release / "data/el/train-00000-of-00001.parquet").stat().st_size
    for limit in (2_000, train // 4, train + 20_000):  # the release's Parquet, and what loading it back writes
        assert "too large" in refused(tmp_path, *arguments, preexec_fn=limited(limit))
        assert contents(tmp_path / "registry") == before
        assert {path.name for path in release.parent.iterdir()} <= {".lock", "v1.0.0"}
    done = builders(tmp_path, *arguments)
    assert "v2.0.0" in done.stdout, done.stderr


# Servers and files


class Server(BaseHTTPRequestHandler):
    """Serves the sample; below /half, of the Greek sentence pairs the first half, as if that were all."""

    def do_GET(self) -> None:
        mode, _, name = self.path.lstrip("/").partition("/")
        file = SAMPLE / name
        body = (file if file.exists() else file.with_name(f"{file.name}.gz")).read_bytes()
        body = body[: len(body) // 2] if mode == "half" and name in (TSV, TSV.removesuffix(".gz")) else body
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_truncated_gzip_file_is_neither_locked_nor_kept(tmp_path: Path, server: str) -> None:
    arguments = ["publish", "coit", "--langs", "el", "--translator", "none", "--mirror"]
    sentence = refused(tmp_path, *arguments, f"{server}/half")
    assert "WikiMatrix.el-en.tsv.gz" in sentence
    lock = tmp_path / "corpora.lock"
    assert "WikiMatrix" not in (lock.read_text() if lock.exists() else "")
    assert not list(tmp_path.glob("work/downloads/**/*WikiMatrix.*"))
    done = builders(tmp_path, *arguments, f"{server}/whole")
    assert done.returncode == 0, done.stderr
    assert "WikiMatrix.el-en.tsv.gz" in lock.read_text()


def test_truncated_gzip_file_without_gz_in_its_name_is_not_locked(
    tmp_path: Path, server: str, request_for: Callable[..., BuildOptions]
) -> None:
    request = replace(request_for({"small": {"el": PAIRS}}, folder=tmp_path), offline=False)
    (request.with_[0] / "corpora.toml").write_text(
        bitext_table("small", url=f"{server}/half/{TSV.removesuffix('.gz')}")
    )
    with pytest.raises(InputError, match="damaged"):
        run_build(request)
    assert not (tmp_path / "corpora.lock").exists()


def test_gzip_file_without_gz_in_its_name_is_read(tmp_path: Path, request_for: Callable[..., BuildOptions]) -> None:
    request = request_for({"small": {"el": PAIRS}}, folder=tmp_path)
    packed = (tmp_path / "small.el-en.tsv.gz").read_bytes()
    assert packed.startswith(b"\x1f\x8b")
    (tmp_path / "packed.el-en.tsv").write_bytes(packed)
    (tmp_path / "small.el-en.tsv.gz").unlink()
    (request.with_[0] / "corpora.toml").write_text(bitext_table("small", url="packed.{pair}.tsv"))
    rows = pl.read_parquet(publish(request, tmp_path / "registry").folder() / "data/el/*.parquet")
    assert set(rows["input"]) == {en for _, en, _ in PAIRS}


# What may not be published


def test_two_recipes_of_one_name_are_refused(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[2] / "recipes" / "datasets" / "coit.toml", tmp_path / "coit.toml")
    sentence = refused(tmp_path, "publish", "coit", "./coit.toml", "--sample", "--langs", "el")
    assert "2 of the recipes are named coit" in sentence
    assert not (tmp_path / "registry").exists()


def test_language_without_kept_pairs_is_refused(tmp_path: Path, request_for: Callable[..., BuildOptions]) -> None:
    hindi = [(None, "The day is fine and long enough.", "दिन अच्छा और काफी लंबा है।")]  # no margin, so none too low
    request = request_for({"small": {"el": PAIRS}, "other": {"hi": hindi}}, folder=tmp_path)
    recipe = Path(request.recipes[0])
    recipe.write_text(recipe.read_text().replace('configs = "language"', 'configs = "all"'))
    sentence = refused(tmp_path, *command("publish", request), "--set", "low_margin.min=9")
    assert "no translation in el" in sentence
    assert "builders inspect --lang el" in sentence
    assert contents(tmp_path / "registry") == {}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "nan", "inf"])
def test_threshold_that_is_not_finite_is_refused(tmp_path: Path, number: str) -> None:
    sentence = refused(tmp_path, "publish", *SHORT, "--set", f"low_margin.min={number}")
    assert "low_margin" in sentence
    assert not (tmp_path / "registry").exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def turn_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        cut,
        turn_a_byte,
    ],
)
def test_damaged_release_is_not_called_unchanged(
    tmp_path: Path, request_for: Callable[..., BuildOptions], damage: Callable[[Path], None]
) -> None:
    request = request_for({"small": {"el": PAIRS}}, folder=tmp_path)
    assert publish(request, tmp_path / "registry").is_new
    assert not publish(request, tmp_path / "registry").is_new
    data = tmp_path / "registry/small/v1.0.0/data/el/train-00000-of-00001.parquet"
    damage(data)
    with pytest.raises(InputError, match=r"is missing|has been changed") as told:
        publish(request, tmp_path / "registry")
    assert str(data) in str(told.value)
    assert [path.name for path in (tmp_path / "registry/small").glob("[!.]*")] == ["v1.0.0"]


# What is published


def test_instructions_of_two_corpora_are_deduplicated(tmp_path: Path) -> None:
    def records(*numbers: int) -> str:
        return json.dumps([{"instruction": f"Count to {n}.", "input": "", "output": f"1 to {n}"} for n in numbers])

    (tmp_path / "one.json").write_text(records(1, 2, 3, 3))
    (tmp_path / "two.json").write_text(records(3, 4, 1))
    tables = [
        bitext_table(name, kind="instructions", format="alpaca-json", url=f"{name}.json") for name in ("one", "two")
    ]
    (tmp_path / "corpora.toml").write_text("".join(tables).replace('langs = ["el"]', 'langs = ["en"]'))
    more = 'langs = ["el"]\nbitext = []\ninstructions = ["one", "two"]\ninstruction_langs = ["en"]\nvalidation = 0\n'
    (tmp_path / "both.toml").write_text(f'title = "Both"\nsummary = "Both."\nconfigs = "all"\n{more}')
    done = builders(tmp_path, "publish", "both.toml", "--with", ".", "--offline", "--translator", "none")
    assert done.returncode == 0, done.stderr
    release = tmp_path / "registry/both/v1.0.0"
    rows = pl.read_parquet(release / "data/all/*.parquet")
    assert sorted(rows["instruction"]) == [f"Count to {n}." for n in (1, 2, 3, 4)]
    assert rows["id"].is_unique().all()
    ledger = pl.read_parquet(release / "ledger.parquet").filter(pl.col("stage") == "instructions")
    assert set(ledger.select("corpus", "reason", "num_in", "num_kept", "num_rows").rows()) == {
        *(("one", None, 4, 3, None), ("one", "duplicate_exact", None, None, 1)),
        *(("two", None, 3, 1, None), ("two", "duplicate_exact", None, None, 2)),
    }


def test_non_commercial_licence_is_recognized_in_any_spelling(
    tmp_path: Path, request_for: Callable[..., BuildOptions]
) -> None:
    request = request_for({"small": {"el": PAIRS}}, folder=tmp_path)
    (request.with_[0] / "corpora.toml").write_text(
        bitext_table("small", url="small.{pair}.tsv.gz", licence="CC-BY-NC-4.0")
    )
    card = (publish(request, tmp_path / "registry").folder() / "README.md").read_text()
    assert "for non-commercial use only" in card
    assert "\nlicense: cc-by-nc-4.0\n" in card
    assert "CC-BY-NC" not in card.replace("https://spdx.org/licenses/CC-BY-NC-4.0.html", "")


@pytest.fixture(scope="module")
def two_languages(request_for: Callable[..., BuildOptions]) -> BuildOptions:
    hindi = [(1.2, "The day is fine and long enough.", "दिन अच्छा और काफी लंबा है।")]
    return request_for({"small": {"el": PAIRS, "hi": hindi}})


def test_order_of_languages_changes_nothing(tmp_path: Path, two_languages: BuildOptions) -> None:
    assert publish(replace(two_languages, langs=("el", "hi")), tmp_path).is_new
    assert not publish(replace(two_languages, langs=("hi", "el")), tmp_path).is_new


def test_languages_may_have_spaces_and_capitals(tmp_path: Path, two_languages: BuildOptions) -> None:
    done = builders(tmp_path, *command("build", two_languages), "--langs", " EL , hi")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.split("\n\n")[0].splitlines()[-2:]] == ["el", "hi"]
    shown = builders(tmp_path, "inspect", "--lang", "EL", "--limit", "1")
    assert "small:1 " in shown.stdout, shown.stderr


def test_name_of_a_language_is_an_error_with_its_code(tmp_path: Path) -> None:
    assert "Did you mean el (Greek)?" in refused(tmp_path, "publish", "--sample", "--langs", "greek")


# What is shown


@pytest.fixture(scope="module")
def obeyed(tmp_path_factory: pytest.TempPathFactory, build_small: Callable[..., object]) -> Path:
    """The folder of a build whose lines hold what a terminal obeys: ESC, CSI, BEL, DEL, CR and reversed writing."""
    folder = tmp_path_factory.mktemp("obeyed")
    evil = [(1.1, f"{en} \x1b[2J\x1b]0;gone\x07", f"{el} \x9b31m\x7f\u202e\r!") for _, en, el in PAIRS]
    build_small({"small": {"el": [*evil, *PAIRS]}}, folder=folder)
    return folder


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a command prints where its output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([*BUILDERS, *arguments], cwd=folder, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b"".join(_read(ours))
    assert process.returncode == 0, shown.decode()
    return shown.decode()


def _read(descriptor: int) -> Iterator[bytes]:
    try:
        while data := os.read(descriptor, 65536):
            yield data
    except OSError:  # Linux says so when the other end is closed
        pass
    finally:
        os.close(descriptor)


def obeys(text: str, allowed: Sequence[str] = ("\n",)) -> set[str]:
    """The characters of a text that a terminal would obey."""
    return {char for char in text if not char.isprintable()} - set(allowed)


def test_control_characters_never_reach_the_terminal(obeyed: Path) -> None:
    text = builders(obeyed, "inspect", "--lang", "el").stdout
    assert "\\x1b[2J" in text
    assert not obeys(text)
    assert not obeys(on_a_terminal(obeyed, "inspect", "--lang", "el"), ("\n", "\r"))
    lines = on_a_terminal(obeyed, "inspect", "--lang", "el", "--json")
    assert not obeys(lines, ("\n", "\r"))
    assert "\x1b[2J" in json.loads(lines.splitlines()[0])["en"]


def test_inspect_prints_json_lines_or_the_written_file(obeyed: Path, tmp_path: Path) -> None:
    shown = builders(obeyed, "inspect", "--lang", "el", "--json").stdout
    rows = [json.loads(line) for line in shown.split("\n")[:-1]]
    assert [row["line_number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert "\x1b" not in shown
    out = tmp_path / "lines.parquet"
    told = builders(obeyed, "inspect", "--lang", "el", "--output", str(out), "--json").stdout
    assert json.loads(told) == {"lines": 6, "file": str(out)}
    assert pl.read_parquet(out).height == 6
