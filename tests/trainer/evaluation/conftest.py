"""A random model and small benchmarks, and the keyword arguments that let `evaluate` use them."""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.models import make_data, make_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random model that is named `random`."""
    return make_model(tmp_path_factory.mktemp("model") / "random")


@pytest.fixture
def fake_model(tmp_path: Path) -> Path:
    """Return a folder that looks like a model, for errors that come before a model is loaded."""
    folder = tmp_path / "random"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text("{}")
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for --data with FLORES, XQuAD and instructions of a few items."""
    return make_data(tmp_path_factory.mktemp("benchmarks") / "data")


@pytest.fixture
def options(data: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return keyword arguments of `evaluate`, with changes."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "benchmarks": ["flores", "xquad"],
            "langs": ["el"],
            "max_new_tokens": 12,
            "data": data,
            "allow_size_mismatch": True,
            "offline": True,
            "output": tmp_path / "evaluations",
            "results": tmp_path / "results.jsonl",
        } | changes

    return make
