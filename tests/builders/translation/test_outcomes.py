"""The queue and the memory: each segment is translated once, and what was finished is never lost or changed."""

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

from builders.translation import quality_checks as guards
from builders.translation import scheduler as queue
from builders.translation.engine import Engine
from builders.translation.memory import digest
from builders.translation.outcomes import outcomes
from builders.translation.translator import Translator
from corpora.errors import InputError
from tests.builders.translation.tiny_model import expected

Build = Callable[[Path, Path], Translator]
TEXTS = [f"This is sentence {number} of a story that goes on and on." for number in range(40)]
GREEK = partial(expected, flores="ell_Grek")
AROUND = f"{GREEK('Write to')} {{name}} {GREEK('and see')} https://a.org/b {GREEK('now.')}"
HARD = ["The word 日本 is here.", "Write to {name} and see https://a.org/b now.", "No."]


def by_digest(texts: list[str]) -> dict[str, str]:
    return dict(sorted((digest(text), text) for text in texts))


def files(folder: Path) -> dict[str, bytes]:
    """The tables of a memory, byte for byte."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("memory.parquet"))}


def test_segments_are_translated_and_spans_survive(converted: Path, translator: Build, tmp_path: Path) -> None:
    found = outcomes(by_digest([*TEXTS, *HARD]), "el", translator(converted, tmp_path))
    for text in TEXTS:
        assert (found[digest(text)].text, found[digest(text)].how) == (expected(text, "ell_Grek"), "kept")
    assert found[digest(HARD[0])].stopped_by == "unknown_token"
    assert found[digest(HARD[1])].text == AROUND


def test_a_model_that_loses_masks_translates_around_them(forgetful: Path, translator: Build, tmp_path: Path) -> None:
    found = outcomes(by_digest(HARD), "el", translator(forgetful, tmp_path))[digest(HARD[1])]
    assert found.how == "in_parts"
    assert found.text == AROUND


def test_what_is_known_is_not_translated_again(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = outcomes(by_digest([*TEXTS, *HARD]), "el", translator(converted, tmp_path))
    monkeypatch.setattr(Engine, "start", lambda *_: pytest.fail("the engine was asked for what is known"))
    assert outcomes(by_digest([*TEXTS, *HARD]), "el", translator(converted, tmp_path)) == first
    assert outcomes(by_digest(TEXTS[:3]), "el", translator(converted, tmp_path)) == {
        key: first[key] for key in by_digest(TEXTS[:3])
    }


def test_batches_are_planned_by_content_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "BYTES", {"cpu": 300})
    one, other = by_digest(TEXTS), dict(reversed(by_digest(TEXTS).items()))
    assert queue._plan(one, "cpu") == queue._plan(other, "cpu")
    assert sorted(key for batch in queue._plan(one, "cpu") for key in batch) == sorted(one)
    assert all(len(batch) * max(len(one[key]) for key in batch) <= 300 for batch in queue._plan(one, "cpu"))


def test_a_run_that_stops_after_any_batch_goes_on_and_ends_with_the_same_bytes(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "BYTES", {"cpu": 150})
    texts = by_digest([*TEXTS, *HARD])
    whole = outcomes(texts, "el", translator(converted, tmp_path / "whole"))
    finish = queue._finish
    for stop in range(1, 8, 2):
        left = [stop]

        def failing(batch: queue.Batch, *rest: object, left: list[int] = left) -> queue.Batch:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return finish(batch, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(queue, "_finish", failing)
        with pytest.raises(KeyboardInterrupt):
            outcomes(texts, "el", translator(converted, tmp_path / "stopped"))
    monkeypatch.setattr(queue, "_finish", finish)
    assert len(list((tmp_path / "stopped").rglob("batches/*.parquet"))) >= 7
    assert outcomes(texts, "el", translator(converted, tmp_path / "stopped")) == whole
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


def test_what_another_plan_has_finished_is_used(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "BYTES", {"cpu": 400})
    shelf = (found := translator(converted, tmp_path)).kept.shelf(found.engine.model.sha256, "el")  # type: ignore[union-attr]
    monkeypatch.setattr(type(shelf), "absorb", lambda self: pytest.fail("not yet"))
    with pytest.raises(BaseException, match="not yet"):
        outcomes(by_digest(TEXTS[:20]), "el", translator(converted, tmp_path))
    monkeypatch.undo()
    asked: list[int] = []
    start = Engine.start
    monkeypatch.setattr(
        Engine, "start", lambda self, texts, *rest: asked.append(len(texts)) or start(self, texts, *rest)
    )
    outcomes(by_digest(TEXTS), "el", translator(converted, tmp_path))
    assert sum(asked) == 20


def test_a_kill_leaves_nothing_half_written_and_the_next_run_ends_it(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    records = [(f"{text} Why?", "", f"{text} It is so, and {number} times.") for number, text in enumerate(TEXTS * 12)]
    path = alpaca(*((a, b, f"{c} {n}") for n, (a, b, c) in enumerate(records)))
    command = [sys.executable, "-m", "builders", "translate", str(path), "--langs", "el"]
    command += ["--translator", str(converted), "--beam", "1", "--compute-type", "float32", "--threads", "1"]

    def run(name: str) -> subprocess.Popen[bytes]:
        places = ["--work", str(tmp_path / name), "--to", str(tmp_path / name / "out"), "--lock", str(tmp_path / "l")]
        return subprocess.Popen([*command, *places], stdout=subprocess.DEVNULL)

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


def test_one_writer_at_a_time_and_the_other_is_told(converted: Path, translator: Build, tmp_path: Path) -> None:
    found = translator(converted, tmp_path)
    with found.opened(), pytest.raises(InputError, match="Another run is using the translation memory"):  # noqa: SIM117
        with translator(converted, tmp_path).opened():
            pass


def test_a_damaged_memory_is_set_aside_and_told(converted: Path, translator: Build, tmp_path: Path) -> None:
    first = outcomes(by_digest(TEXTS[:5]), "el", translator(converted, tmp_path))
    (table,) = tmp_path.rglob("memory.parquet")
    table.write_bytes(table.read_bytes()[:200])
    with pytest.raises(InputError, match=r"is damaged; it is now memory\.parquet\.damaged"):
        outcomes(by_digest(TEXTS[:5]), "el", translator(converted, tmp_path))
    assert outcomes(by_digest(TEXTS[:5]), "el", translator(converted, tmp_path)) == first


def test_when_the_guards_change_the_memory_is_judged_again_and_not_translated_again(
    converted: Path, translator: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes(by_digest(TEXTS[:5]), "el", translator(converted, tmp_path))
    monkeypatch.setattr(Engine, "start", lambda *_: pytest.fail("the engine was asked"))
    monkeypatch.setattr("builders.translation.store.identity", lambda: "other guards")
    monkeypatch.setitem(guards.guards()["length_ratio"], "factor", 1.01)
    monkeypatch.setitem(guards.guards()["length_ratio"], "slack", 0)
    shelf = (found := translator(converted, tmp_path)).kept.shelf(found.engine.model.sha256, "el")  # type: ignore[union-attr]
    assert shelf.judged()["stopped_by"].to_pylist() == ["length_ratio"] * 5


def test_a_row_of_the_memory_says_what_made_it(converted: Path, translator: Build, tmp_path: Path) -> None:
    found = translator(converted, tmp_path)
    outcomes(by_digest(["No way."]), "el", found)
    (table,) = tmp_path.rglob("memory.parquet")
    (row,) = pq.read_table(table).to_pylist()
    assert row == {
        "sha256": digest("No way."),
        "lang": "el",
        "model": found.sha256,
        "decoding": "float32 beam 1",
        "text": expected("No way.", "ell_Grek"),
        "flags": [],
        "en": "No way.",
        "stopped_by": "",
    }
