"""Translations that a person corrects one by one: they become entries of the memory by people, with their author."""

from pathlib import Path

from builders.translation.memory import digest
from builders.translation.quality_checks import check_translations
from builders.translation.store import TranslationStore
from corpora.catalog import language
from corpora.errors import InputError


def edit_translation(work: Path, lang: str, en: str, text: str, author: str) -> str:
    """Put a translation by a person into the memory of a work folder, in the place of an earlier one.

    Args:
        work: The work folder.
        lang: The language.
        en: The English segment.
        text: Its translation.
        author: Who translated it.

    Returns:
        The quality check that the translation fails, so that builds do not use it; empty for none.

    Raises:
        InputError: The translation is empty, or another run uses the memory.
    """
    if not (text := text.strip()):
        raise InputError("The translation is empty. Write one.")
    (failed,) = check_translations([en], [text], [[]], language(lang).code)
    row = {"sha256": digest(en), "decoding": "", "name": author, "text": text, "flags": [], "en": en}
    with TranslationStore(work / "memory").open() as store:
        store.partition("", lang).put([row | {"failed_check": failed}])
    return failed


def read_edits(work: Path, lang: str) -> dict[str, tuple[str, str, str]]:
    """Return the translations by people into a language, by digest: text, failed check, author."""
    table = TranslationStore(work / "memory").partition("", lang).rows()
    columns = (table[name].to_pylist() for name in ("sha256", "text", "failed_check", "name"))
    return {key: (text, failed, author or "") for key, text, failed, author in zip(*columns, strict=True)}
