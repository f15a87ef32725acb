"""The translators by kind, and how the value of --translator names one."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.translation.ctranslate2_translator import open_ctranslate2
from builders.translation.memory_translator import open_memory, open_none
from builders.translation.model_hub import model_download_bytes
from builders.translation.model_source import MODEL_REPOSITORY
from builders.translation.pair_translator import CODE
from builders.translation.server_translator import open_server
from builders.translation.token_schemes import token_schemes
from builders.translation.translator import Factory, Translation, Translator, TranslatorOptions
from builders.translation.translator_table import FILE, translator_rows
from corpora.errors import InputError, unknown
from corpora.extensions import load_function, row_file
from corpora.urls import is_url

DEFAULT_TRANSLATOR = "nllb-200-distilled-600M"
REQUIRED = ("name", "fingerprint", "licence", "languages", "translate")  # of a translator from a user's folder
TRANSLATORS: Mapping[str, Factory] = {
    "ctranslate2": open_ctranslate2,
    "openai": open_server,
    "memory": open_memory,
    "none": open_none,
}


def check_translators(name: str | None = None) -> None:
    """Raise InputError if a row of translators.toml is malformed, or if there is no translator of this name."""
    for row in translator_rows().values():
        if row.kind not in TRANSLATORS and ":" not in row.kind:
            where = f"{row_file(FILE, row.name)}, table [{row.name}]"
            raise InputError(f"{where}: {unknown('kind of translator', row.kind, TRANSLATORS)}")
        if row.tokens and row.tokens not in token_schemes():
            raise InputError(f"{where}: {unknown('token scheme', row.tokens, token_schemes())}")
    if name and name not in translator_rows():
        _find_kind(name)


def translator_download_bytes(name: str | None, offline: bool) -> int | None:
    """Return the bytes that opening a translator would download; None if that is not known."""
    row = translator_rows().get(name or DEFAULT_TRANSLATOR)
    model = row.model if row else str(name)
    if CODE in model:
        return None
    if (row and row.kind == "openai") or is_url(model):
        return 0
    if not MODEL_REPOSITORY.fullmatch(model) or Path(model).exists():
        return 0
    repository, _, revision = model.partition("@")
    return model_download_bytes(repository, revision or "main", offline)


def resolve_translator(name: str | None, options: TranslatorOptions | None = None) -> Translator:
    """Return the translator that a user names.

    Args:
        name: A row of translators.toml, a folder with a model, ORG/REPO[@REVISION] on the Hub, a translation memory in
            Parquet, `module:Class` of a --with folder, or `none`; None for the default, NLLB-200-distilled-600M.
        options: What the user says about translation; by default nothing.

    Raises:
        InputError: There is no such translator, or it cannot be opened.
    """
    name, options = name or DEFAULT_TRANSLATOR, options or TranslatorOptions()
    check_translators()
    row = translator_rows().get(name)
    if row:
        return _open(row.kind, row.model, replace(options, row=row), row.name)
    return _open(*_find_kind(name), options, name)


def _find_kind(name: str) -> tuple[str, str]:
    """Return the kind of the translator that a user names, and the model that it opens."""
    path = Path(name).expanduser()
    if is_url(name):
        return "openai", name
    if name in TRANSLATORS and name not in ("ctranslate2", "openai"):
        return name, ""
    if name.endswith(".parquet") or path.is_file():
        return "memory", name
    if path.is_dir() or MODEL_REPOSITORY.fullmatch(name) or CODE in name:
        return "ctranslate2", name
    if ":" in name:
        return name, ""
    raise InputError(
        f"There is no translator '{name}'. Name a folder with a model, ORG/REPO on the Hub, a translation memory in "
        f"Parquet, module:Class of a --with folder, one of {', '.join(translator_rows())}, or none."
    )


def _open(kind: str, model: str, options: TranslatorOptions, name: str) -> Translator:
    if kind in TRANSLATORS:
        return TRANSLATORS[kind](model, options)
    loaded = load_function(kind, f"--translator {name}")
    translator = loaded.function(model, options)
    for attribute in REQUIRED:
        if not hasattr(translator, attribute):
            raise InputError(
                f"--translator {name}: {type(translator).__name__} of {kind} lacks '{attribute}'. A translator has "
                f"{', '.join(REQUIRED)}."
            )
    return _UserTranslator(translator, loaded.sha256)


@dataclass(frozen=True)
class _UserTranslator(Translator):
    """A translator from a user's folder: its fingerprint depends on its code too."""

    own: Translator
    code_sha256: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.own.name

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        return hashlib.sha256(f"{self.own.fingerprint}\n{self.code_sha256}".encode()).hexdigest()

    @property
    def licence(self) -> str:  # type: ignore[override]
        return self.own.licence

    @property
    def languages(self) -> Collection[str]:  # type: ignore[override]
        return self.own.languages

    @property
    def max_tokens(self) -> int | None:  # type: ignore[override]
        return self.own.max_tokens

    @property
    def decoding(self) -> str:  # type: ignore[override]
        return self.own.decoding

    @property
    def num_workers(self) -> int:  # type: ignore[override]
        return self.own.num_workers

    @property
    def batch_bytes(self) -> int:  # type: ignore[override]
        return self.own.batch_bytes

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        translations = self.own.translate(texts, lang)
        if len(translations) != len(texts):
            raise InputError(
                f"The translator {self.name} returned {len(translations)} translations of {len(texts)} segments. "
                "It must return one for each, in their order."
            )
        return translations

    def for_lang(self, lang: str) -> Translator:
        return replace(self, own=self.own.for_lang(lang)) if hasattr(self.own, "for_lang") else self

    def num_tokens(self, text: str) -> int:
        return self.own.num_tokens(text)

    def fallback(self) -> Translator | None:
        fallback = self.own.fallback()
        return fallback and replace(self, own=fallback)

    def describe(self) -> dict[str, Any]:
        return {**self.own.describe(), "sha256": self.fingerprint}
