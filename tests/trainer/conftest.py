"""A release made from the bundled sample, and recipes small enough to train in a second."""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from builders.run import Request as Build
from builders.run import run_publish
from trainer.recipe import load_recipe
from trainer.release import Release, find_release
from trainer.run import Record
from trainer.training.prepare import Request

torch.set_num_threads(1)
LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
SMALL = ("num_train_epochs=1", "save_steps=4", "eval_steps=4", "logging_steps=1")
SMALL += ("random_model={hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2}",)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry that holds coit-sample@v1.0.0."""
    folder = tmp_path_factory.mktemp("published")
    build = Build(recipes=("coit",), langs=LANGS, sample=True, work=folder / "work", lock=folder / "corpora.lock")
    assert list(run_publish(build, folder / "registry", "instructions"))
    return folder / "registry"


@pytest.fixture(scope="session")
def release(registry: Path) -> Release:
    return find_release("coit-sample@v1.0.0", registry, registry / "datasets.lock")


@pytest.fixture
def ask(release: Release, tmp_path: Path) -> Callable[..., Request]:
    """A request for a small run of `tiny` on the sample's Greek, with changes of settings."""

    def make(*changes: str, out: str = "run", **others: Any) -> Request:
        recipe = load_recipe("tiny", [*SMALL, *changes])
        return Request(recipe=recipe, release=release, out=tmp_path / out, **({"config": "el"} | others))

    return make


@pytest.fixture(scope="session")
def trained(release: Release, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, Path]:
    """One run of `tiny` that nothing disturbed: its record and its folder."""
    from trainer.sft import sft

    out = tmp_path_factory.mktemp("trained") / "run"
    return sft(Request(load_recipe("tiny", SMALL), release, out, config="el")), out


def copy_release(release: Release, folder: Path) -> Path:
    """A copy of a release to spoil."""
    shutil.copytree(release.folder, folder)
    return folder


def losses(record: Record) -> Sequence[float]:
    return [row["loss"] for row in record["losses"]]
