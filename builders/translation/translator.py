"""The Translator protocol: what a back end must offer to translate segments, and what it may offer."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from builders.translation.memory import MODEL, Origin
from builders.translation.translator_table import TranslatorRow
from corpora.catalog import language
from corpora.download import SourceFile
from corpora.errors import InputError


class Translation(NamedTuple):
    """A translation of one segment, and what the translator reports about it.

    A flag that is the name of a row of quality_checks.toml with `flag = true` makes the translation fail that check:
    `source_too_long`, `truncated`, `unknown_token`, `untranslated`. Other flags are notes.
    """

    text: str
    flags: tuple[str, ...] = ()


class Translator(Protocol):
    """A source of translations from English.

    A back end is a class that derives from this one and sets the first four attributes and `translate`; the others
    have defaults. `TRANSLATORS` lists the back ends by kind.
    """

    name: str
    """The name that a release gives it."""
    fingerprint: str
    """SHA-256, in hexadecimal, of all that its translations depend on: weights, dictionary, prompt."""
    licence: str
    """The licence of its translations, `not stated` if it is unknown."""
    languages: Collection[str]
    """The codes of the languages that it translates into."""
    max_tokens: int | None = None
    """The longest segment that it translates, in `num_tokens`; None for no limit."""
    decoding: str = ""
    """Its settings in a form for people, such as `int8 beam 4`; another spelling is another translation."""
    num_workers: int = 1
    """How many batches it is given at the same time, in as many threads."""
    batch_bytes: int = 16_384
    """The size of a batch: bytes of its longest segment times number of segments."""
    is_available: bool = True
    """False for the translator `none`, which translates nothing."""
    is_memory: bool = False
    """True if it looks translations up: they are neither checked nor stored in the translation memory again."""

    is_portable: bool = False
    """Whether it pickles, so that workers elsewhere can have a copy, which translates alike."""

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return the translations of English segments into a language, in their order.

        Placeholders such as URLs stand in the segments as [1], [2], ... and must come back. A segment of more than
        `max_tokens` gets an empty text and the flag `source_too_long`.
        """
        ...

    def for_lang(self, lang: str) -> "Translator":
        """Return the translator for one language: itself, or another where it has a model for each."""
        return self

    def num_tokens(self, text: str) -> int:
        """Return the length of a segment that `max_tokens` limits."""
        return len(text.split())

    def fallback(self) -> "Translator | None":
        """Return the translator that segments are tried with again if they fail a check; None for no second try."""
        return None

    def check_device(self) -> None:
        """Raise InputError if this process does not have the processor that the translator was opened for."""
        return

    def describe(self) -> dict[str, Any]:
        """Return what the manifest of a release says about the translator."""
        return {
            "name": self.name,
            "sha256": self.fingerprint,
            "licence": self.licence,
            "decoding": self.decoding,
        }

    def models(self) -> list[dict[str, str]]:
        """Return name, sha256 and licence of the models that its translations are from."""
        return [{"name": self.name, "sha256": self.fingerprint, "licence": self.licence}]

    def origin(self) -> Origin:
        """Return what is stored with each of its translations, and named in the card of a release."""
        models = self.models()
        licence = models[0]["licence"] if models else self.licence
        return Origin(MODEL, self.name, str(self.describe().get("revision") or ""), licence, self.fingerprint)

    def origins_of(self, digests: Sequence[str], lang: str) -> list[Origin]:
        """Return who made the translation of each segment: a memory knows it for each."""
        return [self.origin()] * len(digests)

    def describe_cost(self, texts: Iterable[str]) -> str:
        """Return a sentence on what the translation of segments would cost; empty if it costs nothing."""
        return ""

    def files(self) -> list[SourceFile]:
        """Return the files that it has downloaded."""
        return []


@dataclass(frozen=True)
class TranslatorOptions:
    """What a user says about translation; a back end reads what concerns it.

    The defaults are those of the command line.
    """

    work: Path = Path("work")
    """The work folder."""
    threads: int | None = None
    """The number of cores to use; None for all."""
    offline: bool = False
    """Whether the network must not be used."""
    beam: int = 4
    """The beam size of the search."""
    compute_type: str | None = None
    """How a model computes; None for int8 on CPUs and float16 on GPUs."""
    corpora_lock: Path | None = None
    """The file that keeps the digests of what is downloaded."""
    log: Callable[[str], None] = lambda sentence: None
    """Receives sentences for the user."""
    device: str | None = None
    """`cuda` or `cpu`, where workers elsewhere compute; None for whatever this machine has."""
    row: TranslatorRow | None = None
    """The row of translators.toml that the user names, if it is one."""


# (model, options) -> translator. `model` is what the back end opens: a folder, a repository, a file, or nothing.
Factory = Callable[[str, TranslatorOptions], Translator]


def check_languages(translator: Translator, langs: Sequence[str]) -> None:
    """Raise InputError if a translator does not have one of the languages."""
    for lang in langs:
        if lang not in translator.languages:
            known = ", ".join(sorted(translator.languages)) or "none"
            raise InputError(
                f"The translator {translator.name} does not have {language(lang).name} ({lang}); it has {known}. "
                "Leave the language out of --langs, or name another --translator."
            )
