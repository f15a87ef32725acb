"""The verb `translate`, and translation as a stage of a release: what is made, counted and said."""

import json
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from builders.cli import cli
from builders.run import Request, run_publish
from builders.translating.convert import convert
from builders.translating.hub import _patterns
from corpora.errors import InputError
from tests.builders.translating import tiny_model
from tests.builders.translating.tiny_model import expected

GREEK = partial(expected, flores="ell_Grek")
RECORDS = [
    (
        "Name two colours. Say why.",
        "<noinput>",
        "- Red is warm.\n- Blue is cold; see https://a.org for {name}.\n\n```\nx = 1\n```",
    ),
    ("Correct the spelling.", "He go hom.", "He goes home."),
    ("Find a word that rhymes with cat.", "", "Hat."),
    ("What does 日本 mean?", "", "It is a country."),
]


def run(tmp_path: Path, *arguments: str) -> Result:
    places = ["--work", str(tmp_path / "work"), "--to", str(tmp_path / "out"), "--lock", str(tmp_path / "lock")]
    quick = ["--beam", "1", "--compute-type", "float32", "--threads", "2"]
    return CliRunner().invoke(cli, ["translate", *arguments, *places, *quick])


def refused(tmp_path: Path, *arguments: str) -> str:
    error = run(tmp_path, *arguments).exception
    assert isinstance(error, InputError), error
    return str(error)


def test_records_become_instructions_under_the_same_id(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    made = run(tmp_path, str(alpaca(*RECORDS)), "--langs", "el,ar", "--translator", str(converted), "--json")
    assert made.exit_code == 0, made.exception
    told = json.loads(made.output)
    greek, arabic = (pl.read_parquet(told["files"][lang]) for lang in ("el", "ar"))
    assert set(greek["id"]) == set(arabic["id"])
    rows = {row["output"]: (row["instruction"], row["input"]) for row in greek.to_dicts()}
    cold = f"- {GREEK('Blue is cold; see')} https://a.org {GREEK('for')} {{name}}."
    kept = f"- {GREEK('Red is warm.')}\n{cold}\n\n```\nx = 1\n```"
    assert rows == {
        kept: (GREEK("Name two colours. Say why."), ""),
        "He goes home.": (GREEK("Correct the spelling."), "He go hom."),
    }
    ledger = {(r["stage"], r["lang"], r["reason"]): r["rows"] for r in told["ledger"]}
    assert ledger["translated", "el", "in"] == 4
    assert (ledger["translated", "el", "rhyme"], ledger["translated", "el", "unknown_token"]) == (1, 1)
    assert ledger["segments", "en", "correction_in_part"] == 1
    assert told["translator"]["decoding"] == "float32 beam 1"


def test_the_number_of_records_can_be_limited(converted: Path, alpaca: Callable[..., Path], tmp_path: Path) -> None:
    made = run(tmp_path, str(alpaca(*RECORDS)), "--langs", "el", "--translator", str(converted), "--records", "1")
    assert made.exit_code == 0, made.exception
    assert pl.read_parquet(tmp_path / "out" / "small.el.parquet").height == 1


def test_a_release_says_what_translated_it_and_its_licence(converted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in converted.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    request = Request(
        ("coit",),
        ("el",),
        sample=True,
        translator=str(folder),
        beam=1,
        compute_type="float32",
        work=tmp_path / "work",
        lock=tmp_path / "lock",
        threads=2,
    )
    (release,) = run_publish(request, tmp_path / "registry", "instructions")
    assert release.manifest["translator"]["licence"] == "cc-by-nc-4.0"
    card = (release.folder / "README.md").read_text(encoding="utf-8")
    assert "cc-by-nc-4.0" in card
    assert "non-commercial use only" in card
    rows = pl.read_parquet(release.folder / "data" / "el" / "*.parquet").filter(task="general", lang="el")
    assert rows.height > 30
    passed = {r["reason"]: r["rows"] for r in release.manifest["ledger"] if r["stage"] == "translations"}
    assert passed["kept"] >= 0.9 * passed["in"]


def test_messages_are_read_as_instructions(converted: Path, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Name a fruit."}, {"role": "assistant", "content": "It is an apple."}]
    path = tmp_path / "chat.jsonl"
    path.write_text("\n".join(json.dumps({"messages": m}) for m in (turns, turns * 2)), encoding="utf-8")
    made = run(tmp_path, str(path), "--langs", "el", "--translator", str(converted))
    assert made.exit_code == 0, made.exception
    (row,) = pl.read_parquet(tmp_path / "out" / "chat.el.parquet").to_dicts()
    assert (row["instruction"], row["output"]) == (GREEK("Name a fruit."), GREEK("It is an apple."))


def test_bad_input_is_a_sentence_and_the_memory_is_left_as_it_was(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    path = str(alpaca(*RECORDS[:1]))
    named = ("--langs", "el", "--translator", str(converted))
    assert run(tmp_path, path, *named).exit_code == 0
    before = {p: p.read_bytes() for p in (tmp_path / "work" / "memory").rglob("*.parquet")}
    assert before
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"instruction": "a", "output": "b"}\n{"instruction": "a" "output"}\n')
    assert "line 2," in refused(tmp_path, str(broken), *named)
    (tmp_path / "page.json").write_text("<!doctype html><html></html>")
    assert "HTML page" in refused(tmp_path, str(tmp_path / "page.json"), *named)
    assert "no file" in refused(tmp_path, "nowhere.json", *named)
    assert "does not have Hindi (hi)" in refused(tmp_path, path, "--langs", "hi", "--translator", str(converted))
    (tmp_path / "empty").mkdir()
    assert "is no translation model" in refused(
        tmp_path, path, "--langs", "el", "--translator", str(tmp_path / "empty")
    )
    assert "There is no translator 'nllb'" in refused(tmp_path, path, "--langs", "el", "--translator", "nllb")
    assert {p: p.read_bytes() for p in (tmp_path / "work" / "memory").rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("shared_vocabulary.json", '["<s>", "</s>"', "damaged"),
        ("shared_vocabulary.json", '{"a": 1}', "list of tokens"),
        ("shared_vocabulary.json", '["a"]', "lacks </s>"),
        ("shared_vocabulary.json", '["</s>", "<unk>", "eng_Latn", "ell_Grek"]', "is not this model's"),
        ("tokenizer.json", '{"version": "1.0"}', "cannot be read"),
        ("model.bin", "nothing", "cannot load the model"),
    ],
)
def test_a_damaged_model_is_told_by_its_file(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path, file: str, content: str, told: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in converted.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / file).write_text(content)
    assert told in refused(tmp_path, str(alpaca(*RECORDS)), "--langs", "el", "--translator", str(folder))


def test_without_a_network_a_sentence_says_what_to_fetch_and_that_none_exists(
    alpaca: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    sentence = refused(tmp_path, str(alpaca(*RECORDS)), "--langs", "el", "--offline")
    for part in ("entai2965/nllb-200-distilled-600M-ctranslate2", "hf download", "--translator none"):
        assert part in sentence


def test_a_conversion_is_made_once(original: Path, tmp_path: Path) -> None:
    told: list[str] = []
    first = convert(original, tmp_path, told.append)
    assert convert(original, tmp_path, told.append) == first
    assert len(told) == 1
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match="type llama; only NLLB's and M2M100's translate"):
        convert(tmp_path, tmp_path, print)
    (tmp_path / "config.json").write_text('{"model_type": "m2m_100"}')
    with pytest.raises(InputError, match="holds no safetensors"):
        convert(tmp_path, tmp_path, print)


def test_a_language_of_m2m100_is_spelled_its_way(converted: Path) -> None:
    from dataclasses import replace

    from builders.translating.model import open_model

    assert replace(open_model(converted), vocabulary=frozenset(["__el__"])).token("el") == "__el__"


@pytest.mark.parametrize("name", ["memory.tmx", "memory.parquet"])
def test_the_memory_goes_out_and_comes_back(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    runner, work = CliRunner(), ["--work", str(tmp_path / "work")]
    arguments = (str(alpaca(*RECORDS)), "--langs", "el", "--translator", str(converted))
    assert run(tmp_path, *arguments).exit_code == 0
    assert "float32 beam 1" in runner.invoke(cli, ["memory", *work]).output
    file, other = str(tmp_path / name), ["--work", str(tmp_path / "other")]
    assert "translations are in" in runner.invoke(cli, ["memory", "export", file, *work]).output
    assert "were added" in runner.invoke(cli, ["memory", "import", file, *other]).output
    assert "0 translations were added" in runner.invoke(cli, ["memory", "import", file, *other]).output
    found = json.loads(runner.invoke(cli, ["memory", "--json", *other]).output)["shelves"]
    assert sum(shelf["segments"] for shelf in found) >= 5
    assert {shelf["lang"] for shelf in found} == {"el"}


def test_a_memory_that_is_none_is_told(tmp_path: Path) -> None:
    for name, content in (("a.tmx", "<html></html>"), ("a.parquet", "nothing"), ("a.csv", "a,b")):
        (tmp_path / name).write_text(content)
        done = CliRunner().invoke(cli, ["memory", "import", str(tmp_path / name), "--work", str(tmp_path / "work")])
        assert isinstance(done.exception, InputError)
        assert name in str(done.exception)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is served as the Hub serves one repository, ORG/REPO, at one commit."""
    root, commit = tmp_path / "served", "0123456789abcdef0123456789abcdef01234567"
    root.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/api/models/org/repo/tree"):
                files = [
                    {"type": "file", "path": p.name, "size": p.stat().st_size, "oid": p.name} for p in root.iterdir()
                ]
                self._json(files)
            elif self.path.startswith("/api/models/org/repo"):
                siblings = [{"rfilename": p.name} for p in root.iterdir()]
                self._json({"id": "org/repo", "sha": commit, "siblings": siblings, "cardData": {"license": "mit"}})
            else:
                self._file()

        do_HEAD = do_GET

        def _json(self, value: object) -> None:
            self._answer(json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _file(self) -> None:
            path = root / self.path.rsplit("/", 1)[-1]
            self._answer(path.read_bytes(), {"ETag": f'"{path.name}"', "X-Repo-Commit": commit})

        def _answer(self, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(200)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield root
    server.shutdown()


def test_weights_in_pickles_are_refused() -> None:
    with pytest.raises(InputError, match="keeps its weights as pickles"):
        _patterns("org/repo", ["config.json", "pytorch_model.bin"])


def test_the_tiny_model_forgets_what_it_is_told_to(forgetful: Path) -> None:
    assert "[" not in json.loads((forgetful / "shared_vocabulary.json").read_text(encoding="utf-8"))
    assert "[" in tiny_model.vocabulary()
