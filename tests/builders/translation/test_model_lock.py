"""A model from the Hub: downloaded once, by its commit, locked with its digests, refused if they differ."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.cli import cli
from builders.translation import TranslatorRow, translators
from corpora.errors import InputError
from tests.builders.translation.running import refused, run

RECORD = ("Name a fruit.", "", "It is an apple.")


@pytest.fixture
def repository(hub: Any, converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A repository of the small Hub that holds the tiny model, and an empty cache."""
    from huggingface_hub import HfApi

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    name = f"org/tiny-{time.monotonic_ns() % 10**9}"
    HfApi().create_repo(name, repo_type="dataset", exist_ok=True)
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: cc-by-nc-4.0\n---\n", encoding="utf-8")
    HfApi().upload_folder(repo_id=name, repo_type="dataset", folder_path=converted)
    HfApi().upload_file(repo_id=name, repo_type="dataset", path_or_fileobj=card, path_in_repo="README.md")
    return name


def pull(tmp_path: Path, *arguments: str) -> Any:
    places = ["--work", str(tmp_path / "work"), "--corpora-lock", str(tmp_path / "lock")]
    return CliRunner().invoke(cli, ["pull", "coit", "--sample", "--langs", "el", *arguments, *places])


def test_pulled_model_translates_offline(
    hub: Any, repository: str, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    pulled = pull(tmp_path, "--translator", repository, "--json")
    assert pulled.exit_code == 0, pulled.exception
    files = {row["url"]: row for row in json.loads(pulled.stdout) if row["corpus"] == repository}
    commit = hub.store.repos[repository].heads["main"]
    address = f"https://huggingface.co/{repository}/resolve/{commit}/model.bin"
    assert address in files
    locked = json.loads((tmp_path / "lock").read_text())
    assert {url: row["sha256"] for url, row in files.items()}.items() <= {
        url: row["sha256"] for url, row in locked.items()
    }.items()
    hub.seen.clear()
    path = alpaca(RECORD)
    made = run(tmp_path, str(path), "--langs", "el", "--translator", f"{repository}@{commit}", "--offline", "--json")
    assert made.exit_code == 0, made.exception
    assert not hub.seen
    described = json.loads(made.stdout)["translator"]
    assert (described["name"], described["revision"]) == (repository, commit)
    locked[address]["sha256"] = "0" * 64
    (tmp_path / "lock").write_text(json.dumps(locked))
    told = refused(tmp_path, str(path), "--langs", "el", "--translator", f"{repository}@{commit}")
    assert "is not the file that the lock file" in told


def test_sample_and_no_translator_pull_no_model(hub: Any, tmp_path: Path) -> None:
    for more in ((), ("--translator", "none")):
        pulled = pull(tmp_path, *more)
        assert pulled.exit_code == 0, pulled.exception
        assert "model.bin" not in pulled.output


def test_files_of_a_known_model_are_checked_against_its_digests(
    repository: str, hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.store.repos[repository].heads["main"]
    pins = {"model.bin": "0" * 64}
    row = TranslatorRow("pinned", "A test.", "ctranslate2", f"{repository}@{commit}", sha256=pins)
    monkeypatch.setattr(translators, "translator_rows", lambda: {"pinned": row})
    pulled = pull(tmp_path, "--translator", "pinned")
    assert isinstance(pulled.exception, InputError)
    assert "is not the file that translators.toml names" in str(pulled.exception)


def test_answers_of_the_hub_are_sentences(hub: Any, repository: str, tmp_path: Path) -> None:
    for name, told in (
        ("org/none", "The model org/none@main does not exist"),
        (f"{repository}@v9", "@v9 has no such revision"),
    ):
        pulled = pull(tmp_path, "--translator", name)
        assert isinstance(pulled.exception, InputError)
        assert told in str(pulled.exception)
