"""Models, translators and records that the tests of translation share."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from builders.translation.convert import convert
from builders.translation.engine import Decoding, Engine
from builders.translation.model import open_model
from builders.translation.store import MemoryFolder
from builders.translation.translator import Translator
from tests.builders.translation import tiny_model

GREEDY = Decoding("float32", beam_size=1)
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as Transformers keeps it."""
    return tiny_model.save(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def converted(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in CTranslate2's format, converted as users' models are."""
    return convert(original, tmp_path_factory.mktemp("converted"), lambda sentence: None)


@pytest.fixture(scope="session")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted tiny model that does not know square brackets, so that it loses every mask."""
    folder = tiny_model.save(tmp_path_factory.mktemp("models") / "forgetful", forgotten="[]")
    return convert(folder, tmp_path_factory.mktemp("converted"), lambda sentence: None)


@pytest.fixture(scope="session")
def translator() -> Callable[[Path, Path], Translator]:
    """A greedy translator by the model in a folder, that keeps its memory in another."""

    def build(model: Path, memory: Path, decoding: Decoding = GREEDY) -> Translator:
        engine = Engine(open_model(model), threads=2)
        name, sha256 = engine.model.name, engine.model.sha256
        return Translator(name, sha256, engine=engine, decoding=decoding, kept=MemoryFolder(memory))

    return build


@pytest.fixture
def alpaca(tmp_path: Path) -> Callable[..., Path]:
    """A file of records in Alpaca's form; each is an instruction, input and output."""

    def write(*records: tuple[str, str, str], name: str = "small.json") -> Path:
        rows = [dict(zip(("instruction", "input", "output"), record, strict=True)) for record in records]
        (tmp_path / name).write_text(json.dumps(rows), encoding="utf-8")
        return tmp_path / name

    return write
