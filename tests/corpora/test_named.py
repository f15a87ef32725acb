"""Corpora by name: OPUS's API in its form on a local server, and a dataset of the Hub over the tests' own Hub."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import builders
from corpora.errors import InputError
from corpora.hub import HubRepository
from corpora.named import Access, corpus_id, list_opus, named_corpora
from corpora.reading import read_pairs

PAIRS = [
    ("The baker opens his shop at five in the morning.", "Ο φούρναρης ανοίγει το μαγαζί του στις πέντε το πρωί."),
    ("The teacher reads a story to the children.", "Η δασκάλα διαβάζει μια ιστορία στα παιδιά."),
]


def index_row(version: str, source: str, target: str, latest: str, pairs: int = 2) -> dict[str, Any]:
    """A row as OPUS's API has them."""
    return {
        "alignment_pairs": pairs,
        "corpus": "Stories",
        "documents": "",
        "id": 7,
        "latest": latest,
        "preprocessing": "moses",
        "size": 3,
        "source": source,
        "source_tokens": 9,
        "target": target,
        "target_tokens": 9,
        "url": f"https://object.pouta.csc.fi/OPUS-Stories/{version}/moses/{source}-{target}.txt.zip",
        "version": version,
    }


class Opus(BaseHTTPRequestHandler):
    """OPUS's API and files; `rows` is its index."""

    rows: ClassVar[list[dict[str, Any]]] = []
    broken = False

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path.endswith(".zip"):
            self.answer(self.zip(url.path))
        elif query.get("corpora") == "True":
            self.answer(json.dumps({"corpora": ["Stories", "Other"]}).encode())
        else:
            rows = [row for row in self.rows if all(str(row.get(key)) == value for key, value in query.items())]
            self.answer(json.dumps({"results": rows} if self.broken else {"corpora": rows}).encode())

    def zip(self, path: str) -> bytes:
        source, _, target = path.rpartition("/")[2].partition(".")[0].partition("-")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for code in (source, target):
                side = 0 if code == "en" else 1
                archive.writestr(
                    zipfile.ZipInfo(f"Stories.{source}-{target}.{code}"), "".join(f"{pair[side]}\n" for pair in PAIRS)
                )
        return buffer.getvalue()

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def opus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    rows = [
        index_row("v1", "el", "en", "False"),
        index_row("v2", "el", "en", "True"),
        index_row("v2", "en", "pl", "True", 5),
        index_row("v2", "el", "pl", "True"),
    ]
    monkeypatch.setattr(Opus, "rows", rows)
    monkeypatch.setattr(Opus, "broken", False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Opus)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def access(folder: Path, mirror: str | None, offline: bool = False) -> Access:
    return Access(folder / "downloads", folder / "corpora.lock", mirror, offline)


def test_ids_of_names():
    assert corpus_id("opus:CCMatrix/v1") == "opus-ccmatrix-v1"
    assert corpus_id("hf:ORG/my.data@abc/{pair}") == "hf-org-my-data-abc-pair"
    assert corpus_id("wikimatrix") == "wikimatrix"


def test_corpus_of_opus_has_languages_pairs_and_files_of_the_index(tmp_path, opus):
    (corpus,) = named_corpora(["opus:Stories"], {}, ["el"], access(tmp_path, opus)).values()
    assert (corpus.id, corpus.version, corpus.langs) == ("opus-stories", "v2", ("el", "pl"))
    assert corpus.num_rows == {"el": 2, "pl": 5}
    assert corpus.location("pl") == "https://object.pouta.csc.fi/OPUS-Stories/v2/moses/en-pl.txt.zip"
    (older,) = named_corpora(["opus:Stories/v1"], {}, ["el"], access(tmp_path, opus)).values()
    assert (older.version, older.langs) == ("v1", ("el",))


def test_index_is_kept_and_pinned(tmp_path, opus, monkeypatch):
    named_corpora(["opus:Stories/v2"], {}, ["el"], access(tmp_path, opus))
    assert named_corpora(["opus:Stories/v2"], {}, ["el"], access(tmp_path, None, offline=True))
    for path in (tmp_path / "downloads" / "index").iterdir():
        path.unlink()
    monkeypatch.setattr(Opus, "rows", Opus.rows[:2])
    with pytest.raises(InputError, match=r"The index of opus:Stories/v2 is not the file that the lock file"):
        named_corpora(["opus:Stories/v2"], {}, ["el"], access(tmp_path, opus))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("opus:stories/v2", r"OPUS has no corpus 'stories'. Did you mean Stories\?"),
        ("opus:Stories/v9", "OPUS has no version 'v9' of Stories. It has: v1, v2."),
        ("opus:", "is not opus:NAME or opus:NAME/VERSION"),
        ("mtdata:x", "Unknown kind of corpus 'mtdata:x'. Known: opus:NAME/VERSION"),
    ],
)
def test_unknown_names_are_sentences(tmp_path, opus, name, sentence):
    with pytest.raises(InputError, match=sentence):
        named_corpora([name], {}, ["el"], access(tmp_path, opus))


def test_changed_form_and_missing_network_are_sentences(tmp_path, opus, monkeypatch):
    with pytest.raises(InputError, match="is not known offline"):
        named_corpora(["opus:Stories/v2"], {}, ["el"], access(tmp_path, None, offline=True))
    monkeypatch.setattr(Opus, "broken", True)
    with pytest.raises(InputError, match="answers in another form than before"):
        named_corpora(["opus:Stories/v2"], {}, ["el"], access(tmp_path, opus))
    with pytest.raises(InputError, match="no connection to the host"):
        list_opus("stories", access(tmp_path, "http://127.0.0.1:9"))


def test_list_shows_versions_pairs_bytes_and_what_does_not_exist(opus):
    listed = builders.list_corpora(opus="STOR", langs=["pl"], mirror=opus)
    text = repr(listed)
    assert "opus:Stories/v2" in text
    assert "opus:Stories/v1 does not exist in pl." in text
    assert "Licence: other." in text
    assert [row["num_pairs"] for row in listed.to_json()] == [{"el": 2}, {"el": 2, "pl": 5}]


@pytest.mark.slow
def test_recipe_names_a_corpus_of_opus_and_it_is_downloaded_and_built(tmp_path, opus, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = {
        "name": "named",
        "langs": ["el"],
        "bitext": ["opus:Stories/v2"],
        "directions": ["en-xx"],
        "decontaminate_against": [],
        "configs": "language",
    }
    built = builders.build(recipe, mirror=opus, translator="none")
    kept = built.ledger.filter((built.ledger["corpus"] == "opus-stories-v2") & built.ledger["num_kept"].is_not_null())
    assert set(kept["num_kept"]) == {2}
    lock = json.loads(Path("corpora.lock").read_text())
    assert {"opus:Stories/v2", "https://object.pouta.csc.fi/OPUS-Stories/v2/moses/el-en.txt.zip"} == set(lock)


@pytest.fixture
def dataset(hub: Any, tmp_path: Path) -> str:
    """A dataset with two configs of Parquet, and a second commit that adds a card."""
    from huggingface_hub import HfApi

    name = f"org/books-{time.monotonic_ns() % 10**9}"
    HfApi().create_repo(name, repo_type="dataset")
    folder = tmp_path / "dataset"
    for config, code in (("el-en", "el"), ("en-pl", "pl")):
        (folder / config).mkdir(parents=True)
        rows = [{"id": str(n), "translation": {"en": en, code: xx}} for n, (en, xx) in enumerate(PAIRS)]
        pq.write_table(pa.Table.from_pylist(rows), folder / config / "train-00000-of-00001.parquet")
    HfApi().upload_folder(repo_id=name, repo_type="dataset", folder_path=folder)
    return name


@pytest.mark.slow
def test_dataset_of_the_hub_is_pinned_by_its_commit_and_built(dataset, hub, tmp_path, monkeypatch):
    from huggingface_hub import HfApi

    monkeypatch.chdir(tmp_path)
    recipe = {
        "name": "named",
        "langs": ["el"],
        "bitext": [f"hf:{dataset}/{{pair}}"],
        "directions": ["en-xx"],
        "decontaminate_against": [],
        "configs": "language",
    }
    built = builders.build(recipe, translator="none")
    assert built.ledger.filter(built.ledger["num_kept"].is_not_null())["num_kept"].to_list()[0] == 2
    commit = HubRepository(dataset).resolve("main")
    (url,) = json.loads(Path("corpora.lock").read_text())
    assert url.endswith(f"/datasets/{dataset}/resolve/{commit}/el-en/train-00000-of-00001.parquet")
    HfApi().upload_file(repo_id=dataset, repo_type="dataset", path_or_fileobj=b"text", path_in_repo="notes.txt")
    with pytest.raises(InputError, match=rf"'main' has moved from {commit} to "):
        builders.build(recipe, translator="none")
    pinned = recipe | {"bitext": [f"hf:{dataset}@{commit}/{{pair}}"]}
    assert builders.build(pinned, translator="none").ledger.height


@pytest.mark.slow
def test_configs_and_columns_that_are_not_there_are_sentences(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = access(tmp_path, None)
    for name, sentence in (
        (f"hf:{dataset}", r"has several configs: el-en, en-pl\. Name one"),
        (f"hf:{dataset}/de-en", r"has no config 'de-en'\. It has: el-en, en-pl\."),
        (f"hf:{dataset}@nowhere/el-en", "nowhere"),
        ("hf:org/missing-one/el-en", "missing-one"),
        ("hf:org", r"is not hf:ORG/NAME\[@REVISION\]\[/CONFIG\]"),
    ):
        with pytest.raises(InputError, match=sentence):
            named_corpora([name], {}, ["el"], own)
    (corpus,) = named_corpora([f"hf:{dataset}/el-en"], {}, ["el"], own).values()
    path = tmp_path / "dataset" / "el-en" / "train-00000-of-00001.parquet"
    (batch,) = read_pairs(corpus.input_file(path, "el"))
    assert batch["xx"].to_pylist() == [xx for _, xx in PAIRS]
    with pytest.raises(InputError, match=r"has no column 'source'\. It has: id, translation\.en, translation\.el"):
        list(read_pairs(replace(corpus, columns={"en": "source"}).input_file(path, "el")))
