"""A translator with a model for each language, such as OPUS-MT: opened when its language is needed."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders.translation.translator import Translation, Translator
from corpora.catalog import languages
from corpora.download import SourceFile
from corpora.errors import InputError

CODE = "{code}"  # stands in the name of the models for the code of the language


@dataclass(frozen=True)
class PairTranslator(Translator):
    """Models by language; `template` names them, `open_model` opens the one with a name, for a language."""

    template: str
    licence: str
    open_model: Callable[[str, str], Translator]
    _opened: dict[str, Translator] = field(default_factory=dict)

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the models, without the code."""
        return Path(self.template).name if Path(self.template).is_absolute() else self.template

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """The digest of the name; each model has a fingerprint of its own."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    @property
    def languages(self) -> Collection[str]:  # type: ignore[override]
        """Every language: whether there is a model is known once it is opened."""
        return [lang for lang in languages() if lang != "en"]

    def for_lang(self, lang: str) -> Translator:
        """Return the translator of one language; InputError if there is none."""
        if lang not in self._opened:
            try:
                self._opened[lang] = self.open_model(self.template.replace(CODE, lang), lang)
            except InputError as error:
                known = languages()[lang].name
                raise InputError(f"{self.name} has no model for {known} ({lang}) that can be used: {error}") from None
        return self._opened[lang]

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return the translations by the model of the language."""
        return self.for_lang(lang).translate(texts, lang)

    def models(self) -> list[dict[str, str]]:
        """Return the models that were opened."""
        return [model for own in self._opened.values() for model in own.models()]

    def files(self) -> list[SourceFile]:
        """Return the files of the models that were opened."""
        return [file for own in self._opened.values() for file in own.files()]

    def describe(self) -> dict[str, Any]:
        """Return the name of the models; each of them is an origin of translations."""
        return {"name": self.name, "sha256": self.fingerprint, "licence": self.licence}
