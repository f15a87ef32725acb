"""Segments are translated once, with the method that works, and what is finished is never lost or changed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from builders.translation import Translator, digest, quality_check_rows, scheduler, worker
from builders.translation.segments import Outcome
from builders.translation.store import TranslationStore
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions
from tests.builders.translation.expected import expected
from tests.builders.translation.translating import translate_texts

Build = Callable[[Path], Translator]
TEXTS = [f"This is sentence {number} of a story that goes on and on." for number in range(40)]
GREEK = partial(expected, flores="ell_Grek")
SPLIT = f"{GREEK('Write to')} {{name}} {GREEK('and see')} https://a.org/b {GREEK('now.')}"
HARD = ["The word 日本 is here.", "Write to {name} and see https://a.org/b now.", "No."]


def by_digest(texts: list[str]) -> dict[str, str]:
    return dict(sorted((digest(text), text) for text in texts))


def translate(texts: list[str], translator: Translator, folder: Path) -> dict[str, Outcome]:
    return translate_texts(by_digest(texts), translator, folder)


def files(folder: Path) -> dict[str, bytes]:
    """The tables of a memory, byte for byte."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("memory.parquet"))}


def forbid_translation(monkeypatch: pytest.MonkeyPatch, translator: Translator) -> None:
    monkeypatch.setattr(type(translator), "translate", lambda *_: pytest.fail("a known segment was translated"))


def test_segments_are_translated_and_placeholders_survive(converted: Path, translator: Build, tmp_path: Path) -> None:
    found = translate([*TEXTS, *HARD], translator(converted), tmp_path)
    for text in TEXTS:
        assert found[digest(text)] == (expected(text, "ell_Grek"), "first_pass", "")
    assert found[digest(HARD[0])].failed_check == "unknown_token"
    assert found[digest(HARD[1])].text == SPLIT


def test_segment_is_split_at_its_placeholders_if_they_are_lost(
    forgetful: Path, translator: Build, tmp_path: Path
) -> None:
    found = translate(HARD, translator(forgetful), tmp_path)[digest(HARD[1])]
    assert found.method == "split_at_placeholders"
    assert found.text == SPLIT


def test_known_segments_are_not_translated_again(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = translate([*TEXTS, *HARD], translator(converted), tmp_path)
    forbid_translation(monkeypatch, translator(converted))
    assert translate([*TEXTS, *HARD], translator(converted), tmp_path) == first
    assert translate(TEXTS[:3], translator(converted), tmp_path) == {key: first[key] for key in by_digest(TEXTS[:3])}


def test_batches_depend_on_content_alone() -> None:
    one, other = by_digest(TEXTS), dict(reversed(by_digest(TEXTS).items()))
    plan = scheduler.plan_batches(one, 300)
    assert plan == scheduler.plan_batches(other, 300)
    assert sorted(key for batch in plan for key in batch) == sorted(one)
    assert all(len(batch) * max(len(one[key]) for key in batch) <= 300 for batch in plan)


def test_run_that_stops_after_any_batch_continues_to_the_same_bytes(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "MAX_SEGMENTS", 2)
    texts = [*TEXTS, *HARD]
    whole = translate(texts, translator(converted), tmp_path / "whole")
    write = worker.write_batch
    for stop in range(1, 8, 2):
        left = [stop]

        def failing(*values: object, left: list[int] = left) -> None:
            if left[0] <= 0:
                raise KeyboardInterrupt
            left[0] -= 1
            write(*values)  # type: ignore[arg-type]

        monkeypatch.setattr(worker, "write_batch", failing)
        with pytest.raises(KeyboardInterrupt):
            translate(texts, translator(converted), tmp_path / "stopped")
    monkeypatch.setattr(worker, "write_batch", write)
    assert len(list((tmp_path / "stopped").rglob("batches/*.parquet"))) >= 7
    assert translate(texts, translator(converted), tmp_path / "stopped") == whole
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


def test_batches_of_another_plan_are_used(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = translator(converted)
    partition = TranslationStore(tmp_path).partition(own.fingerprint, "el")
    monkeypatch.setattr(type(partition), "compact", lambda self: pytest.fail("not yet"))
    with pytest.raises(BaseException, match="not yet"):
        translate(TEXTS[:20], own, tmp_path)
    monkeypatch.undo()
    sizes: list[int] = []
    run = type(own).translate
    monkeypatch.setattr(
        type(own), "translate", lambda self, texts, lang: sizes.append(len(texts)) or run(self, texts, lang)
    )
    translate(TEXTS, own, tmp_path)
    assert sum(sizes) == 20


@pytest.mark.slow
def test_killed_run_leaves_nothing_half_written_and_the_next_completes_it(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    records = [(f"{text} Why?", "", f"{text} It is so, and {number} times.") for number, text in enumerate(TEXTS * 12)]
    path = alpaca(*((a, b, f"{c} {n}") for n, (a, b, c) in enumerate(records)))
    command = [sys.executable, "-m", "builders", "translate", str(path), "--langs", "el"]
    command += ["--translator", str(converted), "--beam", "1", "--compute-type", "float32", "--threads", "1"]

    def run(name: str) -> subprocess.Popen[bytes]:
        folder = tmp_path / name
        paths = ["--work", str(folder), "--output", str(folder / "out"), "--corpora-lock", str(tmp_path / "lock")]
        return subprocess.Popen([*command, *paths], stdout=subprocess.DEVNULL)

    assert run("whole").wait() == 0
    killed = run("killed")
    while killed.poll() is None and not list((tmp_path / "killed").rglob("batches/*.parquet")):
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert run("killed").wait() == 0
    assert files(tmp_path / "killed" / "memory") == files(tmp_path / "whole" / "memory")
    name = "out/small.el.parquet"
    assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "killed").rglob(".tmp-*"))


def test_memory_has_one_writer_at_a_time(tmp_path: Path) -> None:
    with (
        TranslationStore(tmp_path).open(),
        pytest.raises(InputError, match="Another run is using the translation memory"),
        TranslationStore(tmp_path).open(),
    ):
        pass


def test_damaged_memory_is_set_aside(converted: Path, translator: Build, tmp_path: Path) -> None:
    first = translate(TEXTS[:5], translator(converted), tmp_path)
    (table,) = tmp_path.rglob("memory.parquet")
    table.write_bytes(table.read_bytes()[:200])
    with pytest.raises(InputError, match=r"is damaged and was renamed to memory\.parquet\.damaged"):
        translate(TEXTS[:5], translator(converted), tmp_path)
    assert translate(TEXTS[:5], translator(converted), tmp_path) == first


def test_changed_checks_are_applied_to_the_memory_without_translating_again(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = translator(converted)
    translate(TEXTS[:5], own, tmp_path / "memory")
    forbid_translation(monkeypatch, own)
    checks = tmp_path / "checks"
    checks.mkdir()
    (checks / "quality_checks.toml").write_text('[has_epsilon]\nfunction = "mine:has_epsilon"\ndescription = "No."\n')
    (checks / "mine.py").write_text(
        "def has_epsilon(sources, translations, lang, thresholds):\n    return ['ε' in t for t in translations]\n"
    )
    partition = TranslationStore(tmp_path / "memory").partition(own.fingerprint, "el")
    with use_extensions(Extensions((checks,), (checks,))):
        assert list(quality_check_rows())[-1] == "has_epsilon"
        assert partition.rows()["failed_check"].to_pylist() == ["has_epsilon"] * 5
    assert partition.rows()["failed_check"].to_pylist() == [""] * 5


def test_row_of_the_memory_names_its_model_and_decoding(converted: Path, translator: Build, tmp_path: Path) -> None:
    own = translator(converted)
    translate(["No way."], own, tmp_path)
    (table,) = tmp_path.rglob("memory.parquet")
    (row,) = pq.read_table(table).to_pylist()
    assert row == {
        "sha256": digest("No way."),
        "lang": "el",
        "origin": "model",
        "model": own.fingerprint,
        "decoding": "float32 beam 1",
        "text": expected("No way.", "ell_Grek"),
        "flags": [],
        "en": "No way.",
        "failed_check": "",
        "name": converted.name,
        "revision": "",
        "licence": "other",
    }
