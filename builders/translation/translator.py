"""Translator: where translated records come from, and how a user names it."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.translation.engine import Decoding, Engine, all_cores
from builders.translation.memory import TranslationMemory, read_memory
from builders.translation.model import Model, is_converted, open_model
from builders.translation.model_hub import fetch
from builders.translation.model_lock import hold
from builders.translation.placeholders import rows
from builders.translation.store import MemoryFolder
from corpora.errors import InputError
from corpora.files import sha256_of

DEFAULT = "nllb-200-distilled-600M"


@dataclass(frozen=True)
class Translator:
    """A model, translations made by hand, both, or neither.

    `memory` is asked first, then the engine; `kept` is the folder of what engines have translated.
    """

    name: str
    sha256: str = ""  # of the model, or of the memory where there is no model
    memory: TranslationMemory | None = None
    memory_sha256: str = ""
    engine: Engine | None = None
    decoding: Decoding | None = None
    kept: MemoryFolder | None = None

    @property
    def translates(self) -> bool:
        """Whether there is anything to translate with."""
        return self.memory is not None or self.engine is not None

    def key(self) -> dict[str, str]:
        """All that a translation depends on beside the segment and the language."""
        decoding = self.decoding.name if self.decoding else ""
        return {"translator": self.sha256, "decoding": decoding, "memory": self.memory_sha256}

    def described(self) -> dict[str, Any]:
        """What a manifest says of it."""
        described: dict[str, Any] = {"name": self.name, "sha256": self.sha256}
        if self.engine and self.decoding:
            model = self.engine.model
            described |= {"revision": model.revision, "licence": model.licence, "decoding": self.decoding.name}
            described |= {"memory_sha256": self.memory_sha256} if self.memory_sha256 else {}
        return described

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder of the translation memory for this process, if anything may be written to it."""
        if self.kept and self.engine:
            with self.kept.opened():
                yield
        else:
            yield


@dataclass(frozen=True)
class Wish:
    """What a user says of translation: the name, how well and how exactly, on how many cores, where files are."""

    name: str | None
    work: Path
    threads: int | None = None
    offline: bool = False
    beam: int = 4
    compute_type: str | None = None
    tell: Callable[[str], None] = lambda sentence: None
    lock: Path | None = None  # where the digests of what is fetched are kept


def named(wish: Wish) -> Translator:
    """The translator that a user named: none, a translation memory in Parquet, or a model; by default NLLB."""
    name = wish.name or DEFAULT
    if name == "none":
        return Translator("none")
    if name.endswith(".parquet") or Path(name).is_file():
        return from_memory(Path(name))
    engine = Engine(find_model(name, wish), wish.threads or all_cores())
    decoding = Decoding(wish.compute_type or engine.compute_type, wish.beam)
    kept = MemoryFolder(wish.work / "memory")
    memory, sha256 = kept.by_hand()
    return Translator(engine.model.name, engine.model.sha256, memory, sha256, engine, decoding, kept)


def from_memory(path: Path) -> Translator:
    """A translator that knows what stands in a translation memory, and nothing else."""
    memory, sha256 = read_memory(path), sha256_of(path)
    return Translator(f"translation memory {path.name}", sha256, memory=memory, memory_sha256=sha256)


def find_model(name: str, wish: Wish) -> Model:
    """The model of this name: a folder, a row of translators.toml, or ORG/REPO[@REVISION] on the Hub."""
    notes = wish.work / "memory" / "models"
    folder = Path(name).expanduser()
    known: Mapping[str, Any] = rows("translators").get(name, {})
    if folder.is_dir():
        return open_model(_converted(folder, wish), folder.resolve().name, notes=notes)
    repository = known.get("repository", name)
    if not known and not re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", name):
        raise InputError(
            f"There is no translator '{name}'. Name a CTranslate2 folder, ORG/REPO on the Hub, a translation memory in "
            f"Parquet, one of {', '.join(rows('translators'))}, or none."
        )
    repository, _, revision = repository.partition("@")
    fetched = fetch(repository, known.get("revision", revision or "main"), wish.offline)
    converted = _converted(fetched.folder, wish)
    model = open_model(converted, repository, fetched.revision, known.get("licence", fetched.licence), notes)
    if wish.lock and converted == fetched.folder:
        hold(model, known.get("sha256", {}), wish.lock)
    return model


def _converted(folder: Path, wish: Wish) -> Path:
    """The folder itself if it is in CTranslate2's format, else a conversion of it in the work folder."""
    if is_converted(folder):
        return folder
    from builders.translation.convert import convert

    return convert(folder, wish.work / "memory" / "models", wish.tell)
