"""Translators without a model: a translation memory in a Parquet file, and none."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.translation.memory import (
    HUMAN,
    MODEL,
    Origin,
    Remembered,
    TranslationMemory,
    count_rows,
    digest,
    read_memory,
)
from builders.translation.split_memory import SplitMemory, split_memory
from builders.translation.translator import Translation, Translator, TranslatorOptions
from cards.licences import model_licence
from corpora.files import sha256_of

MAX_ROWS = 1 << 18  # of a file that is held in memory


@dataclass(frozen=True)
class MemoryTranslator(Translator):
    """Looks segments up in a translation memory, and knows nothing else."""

    name: str
    fingerprint: str
    memory: TranslationMemory | SplitMemory
    languages: Collection[str]
    licence: str = ""
    is_memory: bool = True

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return the translations that the memory has; the others carry the flag `untranslated`."""
        digests = list(map(digest, texts))
        known = self.memory.find(digests, lang)
        return [_translation(known.get(key)) for key in digests]

    def origins_of(self, digests: Sequence[str], lang: str) -> list[Origin]:
        """Return who made the translation of each segment."""
        known = self.memory.find(digests, lang)
        return [known[key].origin if key in known else Origin(MODEL) for key in digests]

    def describe(self) -> dict[str, Any]:
        """Return the name and digest of the memory."""
        return {"name": self.name, "sha256": self.fingerprint}

    def models(self) -> list[dict[str, str]]:
        """Return the models that the memory names; where it has no licence, the one that the name is known for."""
        return [
            {"name": name, "sha256": origin.model, "licence": origin.licence or model_licence(name)}
            for origin in self.memory.models()
            for name in [origin.name or origin.model or "unnamed"]
        ]


def _translation(known: Remembered | None) -> Translation:
    if known is None:
        return Translation("", ("untranslated",))
    return Translation(known.text, (HUMAN,) if known.origin.origin == HUMAN else ())


@dataclass(frozen=True)
class NoTranslator(Translator):
    """Translates nothing: instructions stay in English."""

    name: str = "none"
    fingerprint: str = ""
    licence: str = ""
    languages: Collection[str] = ()
    is_available: bool = False

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return no translation."""
        return [Translation("", ("untranslated",))] * len(texts)

    def describe(self) -> dict[str, Any]:
        """Return the name `none`."""
        return {"name": self.name, "sha256": self.fingerprint}

    def models(self) -> list[dict[str, str]]:
        """Return no model."""
        return []


def open_memory(model: str, options: TranslatorOptions) -> Translator:
    """Return a translator that looks up the translation memory in the Parquet file `model`."""
    path = Path(model).expanduser()
    memory = read_memory(path) if count_rows(path) <= MAX_ROWS else split_memory(path, options.work)
    return MemoryTranslator(f"translation memory {path.name}", sha256_of(path), memory, memory.languages)


def open_none(model: str, options: TranslatorOptions) -> Translator:
    """Return the translator that translates nothing."""
    return NoTranslator()
