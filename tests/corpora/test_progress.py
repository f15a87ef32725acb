"""Progress: what a terminal shows, what a log says, and when."""

import os
import pty
import subprocess
import sys
import time

import pytest

from corpora.progress import (
    CallbackProgress,
    LogProgress,
    NullProgress,
    SeveralProgress,
    Status,
    as_progress,
    duration,
    stage,
)


def test_status_has_stage_amount_rate_and_remaining_time() -> None:
    status = Status("measure", 3, 12, 15_000, 60_000, "pairs", 5.0)
    assert str(status) == "stage 3 of 12, measure: 15,000 of 60,000 pairs (25%), 3,000 pairs/s, 15 s left"


def test_status_without_total_has_amount_and_rate() -> None:
    assert str(Status("read", 1, 2, 500, None, "pairs", 100.0)) == "stage 1 of 2, read: 500 pairs, 5.0 pairs/s"


def test_status_before_the_first_row_has_the_total() -> None:
    assert str(Status("read", 1, 2, 0, 500, "pairs", 0.2)) == "stage 1 of 2, read: 0 of 500 pairs (0%)"
    assert str(Status("read", 1, 2)) == "stage 1 of 2, read: started"


def test_run_begins_before_the_number_of_stages_is_known() -> None:
    assert str(Status("load libraries", 0, 0, seconds=1.0, is_finished=True)) == "start, load libraries: took 1.0 s"


def test_bytes_are_shown_in_their_own_units() -> None:
    status = Status("download", 1, 9, 1_500_000, 3_000_000_000, "bytes", 1.0, is_finished=True)
    assert str(status) == "stage 1 of 9, download: 1.5 MB of 3.0 GB (0%), 1.5 MB/s, took 1.0 s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_log_has_a_line_for_each_stage() -> None:
    lines: list[str] = []
    progress = LogProgress(lines.append)
    for index, name in enumerate(("read", "measure"), 1):
        with stage(progress, name, index, 2, 10, "pairs"):
            progress.advance(10)
    assert [line.split(",")[0] for line in lines] == ["stage 1 of 2", "stage 2 of 2"]
    assert "10 of 10 pairs (100%)" in lines[0]


def test_log_has_lines_while_the_main_thread_waits() -> None:
    lines: list[str] = []
    progress = LogProgress(lines.append, interval_s=0.05)
    with stage(progress, "wait", 1, 1, 10, "pairs"):
        time.sleep(0.3)
    assert len(lines) >= 3
    before = len(lines)
    time.sleep(0.15)
    assert len(lines) == before, "nothing is written between stages"


def test_note_is_at_the_end_of_the_line() -> None:
    lines: list[str] = []
    progress = LogProgress(lines.append)
    with stage(progress, "training", 3, 4, 100, "tokens"):
        progress.advance(100)
        progress.note("step 5 of 5, loss 2.300")
    assert lines[0].startswith("stage 3 of 4, training: 100 of 100 tokens (100%), ")
    assert lines[0].endswith(", step 5 of 5, loss 2.300")


def test_stage_ends_also_when_its_block_fails() -> None:
    found: list[Status] = []
    with pytest.raises(ValueError, match="broken"), stage(CallbackProgress(found.append), "read", 1, 1):
        raise ValueError("broken")
    assert found[-1].is_finished


def test_callback_receives_every_move() -> None:
    found: list[Status] = []
    progress = CallbackProgress(found.append)
    with stage(progress, "read", 1, 1, unit="bytes"):
        progress.extend(30)
        progress.advance(10)
        progress.extend(20)
    assert [(s.done, s.total) for s in found] == [(0, None), (0, 30), (10, 30), (10, 50), (10, 50)]
    assert [s.is_finished for s in found] == [False] * 4 + [True]


def test_advancing_outside_a_stage_is_ignored() -> None:
    found: list[Status] = []
    progress = CallbackProgress(found.append)
    progress.advance(5)
    progress.finish()
    assert found == []


def test_several_receive_the_same() -> None:
    first, second = [], []
    progress = SeveralProgress(CallbackProgress(first.append), CallbackProgress(second.append), NullProgress())
    with stage(progress, "read", 1, 1):
        progress.advance(1)
    assert [s.done for s in first] == [s.done for s in second] == [0, 1, 1]


def test_callers_give_a_progress_a_function_or_nothing() -> None:
    null = NullProgress()
    assert as_progress(null) is null
    assert isinstance(as_progress(print), CallbackProgress)
    assert isinstance(as_progress(None), LogProgress)


SCRIPT = """
import time
from corpora.progress import TerminalProgress, stage
progress = TerminalProgress()
with stage(progress, "measure", 3, 12, 300_000, "pairs"):
    for _ in range(12):
        time.sleep(0.1)
        progress.advance(20_000)
"""


@pytest.mark.slow
def test_terminal_has_a_moving_line_from_the_first_second() -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    text = shown.decode()
    assert "stage 3 of 12 measure" in text
    assert " 0 of 300,000 pairs" in text
    moves = {count for count in range(20_000, 240_001, 20_000) if f"{count:,} of 300,000 pairs" in text}
    assert len(moves) >= 6
    assert "pairs/s" in text
    assert "left" in text
