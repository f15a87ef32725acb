"""Compiled functions that are kept: compiled again when any file of their folder changes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALLER = """from corpora.compiled import compiled
from lib.values import STEP

@compiled
def add(x):
    return x + STEP
"""
CALL = "import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]; from lib.caller import add; print(add(1))"


@pytest.mark.slow
def test_a_changed_constant_of_another_file_is_compiled_in(tmp_path: Path) -> None:
    package = tmp_path / "lib"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "caller.py").write_text(CALLER)
    printed = []
    for step in (1, 1, 7):
        (package / "values.py").write_text(f"STEP = {step}\n")
        done = subprocess.run(
            [sys.executable, "-B", "-c", CALL, str(tmp_path), str(ROOT)], capture_output=True, text=True, check=True
        )
        printed.append(done.stdout.strip())
    assert printed == ["2", "2", "8"]
