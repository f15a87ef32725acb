"""Languages are translated several at once: their batches are one queue, and an error in one ends all."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Barrier

import pyarrow.parquet as pq
import pytest

from builders.pipeline.write_tables import write_instructions
from builders.translation import Translation, Translator, translate_instructions
from builders.workspace import Workspace
from corpora.catalog import load_catalog
from corpora.errors import InputError

RECORDS = [(f"Name the town of house {number}.", "", f"House {number} is here.") for number in range(30)]


class Numbers(Translator):
    """Writes the number of a house in a sentence of the language."""

    name = "numbers"
    fingerprint = "0" * 64
    licence = "CC0-1.0"
    languages = ("el", "ar")
    decoding = "none"
    num_workers = 2
    batch_bytes = 1  # a segment a batch

    def __init__(self, before: Callable[[str], None]) -> None:
        self.before = before  # is called with the language of each batch
        self.langs: list[str] = []

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return a sentence for each."""
        self.before(lang)
        self.langs.append(lang)
        sentence = "Το σπίτι {} είναι εδώ." if lang == "el" else "البيت {} هنا."
        return [
            Translation(sentence.format(*[word for word in text[:-1].split() if word.isdecimal()])) for text in texts
        ]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    """A work folder whose tasks have two threads."""
    work = Workspace(tmp_path / "work", threads=2)
    yield work
    work.close()


@pytest.fixture
def instructions(work: Workspace, alpaca: Callable[..., Path], tmp_path: Path) -> Path:
    """The table of some records."""
    path = tmp_path / "instructions.parquet"
    write_instructions(work, path, alpaca(*RECORDS), load_catalog()["alpaca"], "en", (), None, "{}")
    return path


def test_batches_of_two_languages_are_under_way_at_the_same_time(instructions: Path, work: Workspace) -> None:
    both = Barrier(2, timeout=20)
    met: set[str] = set()

    def meet(lang: str) -> None:
        if lang not in met:
            met.add(lang)
            both.wait()

    translator = Numbers(meet)
    made = translate_instructions(instructions, "alpaca", ["el", "ar"], translator, work, {})
    assert set(made.translations) == {"el", "ar"}
    assert translator.langs.count("el") == translator.langs.count("ar") == 2 * len(RECORDS)


def test_error_in_one_language_ends_the_others_and_what_is_written_stays(instructions: Path, work: Workspace) -> None:
    def fail(lang: str) -> None:
        time.sleep(0.01)
        if len(stopped.langs) == 5:
            raise InputError("The house is closed.")

    stopped = Numbers(fail)
    with pytest.raises(InputError, match="The house is closed"):
        translate_instructions(instructions, "alpaca", ["el", "ar"], stopped, work, {})
    finished = Numbers(lambda lang: None)
    translate_instructions(instructions, "alpaca", ["el", "ar"], finished, work, {})
    assert 5 <= len(stopped.langs) < 4 * len(RECORDS)
    assert len(stopped.langs + finished.langs) == 4 * len(RECORDS)


SLOW = """
import sys, time
from pathlib import Path
import polars  # which has a handler of Ctrl-C
from builders.translation import translate_instructions
from builders.workspace import Workspace
from tests.builders.translation.test_translation_table import Numbers
translator = Numbers(lambda lang: time.sleep(0.3))
work = Workspace(Path(sys.argv[2]), threads=2)
translate_instructions(Path(sys.argv[1]), "alpaca", ["el", "ar"], translator, work, {})
"""


@pytest.mark.slow
def test_ctrl_c_ends_the_batches_under_way_alone(instructions: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW, str(instructions), str(tmp_path / "other")]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and len(finished := list(tmp_path.glob("other/memory/*/*/batches/[0-9a-f]*.parquet"))) < 5:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in run.communicate(timeout=60)[1]
    tables = list(
        tmp_path.glob("other/memory/*/*/**/[0-9a-z]*.parquet")
    )  # batches become a table when all are finished
    assert len(finished) <= sum(pq.read_metadata(table).num_rows for table in tables) <= len(finished) + 30
