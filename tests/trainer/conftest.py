"""A release of the bundled sample, and a recipe small enough to train in a second."""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cards.releases import Release
    from trainer.preparation import TrainConfig
    from trainer.recipe import TrainingRecipe
    from trainer.run import RunMetadata

LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
SMALL = ("num_train_epochs=1", "save_steps=4", "eval_steps=4", "logging_steps=1")
SMALL += ("model_config={hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2}",)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with coit-sample@v1.0.0."""
    import builders

    folder = tmp_path_factory.mktemp("published")
    options = {"work": folder / "work", "corpora_lock": folder / "corpora.lock", "registry": folder / "registry"}
    builders.publish("coit", langs=LANGS, sample=True, **options)
    return folder / "registry"


@pytest.fixture(scope="session")
def release(registry: Path) -> "Release":
    from cards.releases import open_release

    return open_release("coit-sample@v1.0.0", registry, registry / "datasets.lock")


@pytest.fixture(scope="session")
def muit(tmp_path_factory: pytest.TempPathFactory) -> "Release":
    """Return muit-sample@v1.0.0 in Greek and Turkish: one config with both languages."""
    import builders
    from cards.releases import open_release

    folder = tmp_path_factory.mktemp("muit")
    options = {"work": folder / "work", "corpora_lock": folder / "corpora.lock", "registry": folder / "registry"}
    builders.publish("muit", langs=("el", "tr"), sample=True, **options)
    return open_release("muit-sample@v1.0.0", folder / "registry", folder / "datasets.lock")


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Let torch use one thread, so that small models train fast beside other processes."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def config_of(release: "Release", tmp_path: Path, one_thread: None) -> "Callable[..., TrainConfig]":
    """Return the config of a small run of `tiny` on the Greek rows of the sample, with changed settings."""
    from trainer.preparation import TrainConfig

    def make(*changes: str, output: str = "run", **others: Any) -> TrainConfig:
        recipe = small_recipe(*changes)
        return TrainConfig(recipe=recipe, release=release, output=tmp_path / output, **({"config_name": "el"} | others))

    return make


@pytest.fixture(scope="session")
def trained(
    release: "Release", tmp_path_factory: pytest.TempPathFactory, one_thread: None
) -> "tuple[RunMetadata, Path]":
    """Return metadata and folder of one run of `tiny` without interruption."""
    from trainer.preparation import TrainConfig
    from trainer.train import train

    output = tmp_path_factory.mktemp("trained") / "run"
    return train(TrainConfig(small_recipe(), release, output, config_name="el")), output


def small_recipe(*changes: str) -> "TrainingRecipe":
    """Return the recipe `tiny` with a smaller model and one epoch, and changed settings as KEY=VALUE."""
    from trainer.recipe import load_recipe, parse_changes

    return load_recipe("tiny", parse_changes([*SMALL, *changes]))


def copy_release(release: "Release", folder: Path) -> Path:
    """Return a copy of a release that a test may damage."""
    shutil.copytree(release.folder(), folder)
    return folder


def losses(metadata: "RunMetadata") -> Sequence[float]:
    return [row["loss"] for row in metadata["losses"]]
