"""Models, translators and records that the tests of translation share."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.translation import Translator

MODELS = {"original", "converted", "forgetful"}  # fixtures that need PyTorch and Transformers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder that needs a model as slow: its libraries alone take seconds to load."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and MODELS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in the format of Transformers."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def converted(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in CTranslate2's format, converted as users' models are."""
    return convert(original, tmp_path_factory.mktemp("converted"))


@pytest.fixture(scope="session")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted tiny model that does not know square brackets, so that it loses every placeholder."""
    original = save_tiny_model(tmp_path_factory.mktemp("models") / "forgetful", forgotten="[]")
    return convert(original, tmp_path_factory.mktemp("converted"))


def save_tiny_model(folder: Path, forgotten: str = "") -> Path:
    import torch

    from tests.builders.translation import tiny_model

    torch.set_num_threads(1)
    return tiny_model.save(folder, forgotten)


def convert(original: Path, folder: Path) -> Path:
    from builders.translation.convert import convert_checkpoint

    return convert_checkpoint(original, folder, lambda sentence: None)


@pytest.fixture(scope="session")
def translator() -> Callable[[Path], Translator]:
    """Return a function from the folder of a model to a translator that decodes greedily."""

    def build(model: Path) -> Translator:
        from builders.translation.ctranslate2_translator import CTranslate2Translator, Decoding, Engine
        from builders.translation.model import open_model

        return CTranslate2Translator(Engine(open_model(model), threads=2), Decoding("float32", beam_size=1))

    return build


@pytest.fixture
def alpaca(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes records (instruction, input, output) as a file in Alpaca's format."""

    def write(*records: tuple[str, str, str], name: str = "small.json") -> Path:
        rows = [dict(zip(("instruction", "input", "output"), record, strict=True)) for record in records]
        (tmp_path / name).write_text(json.dumps(rows), encoding="utf-8")
        return tmp_path / name

    return write
