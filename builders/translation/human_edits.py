"""Translations that a person corrects one by one: they become entries of the memory by people, with their author."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

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


def read_edits(work: Path, lang: str, digests: Collection[str]) -> dict[str, tuple[str, str, str]]:
    """Return the translations by people of some segments into a language, by digest: text, failed check, author."""
    edits: dict[str, tuple[str, str, str]] = {}
    for table in TranslationStore(work / "memory").partition("", lang).parts():
        own = table.filter(pc.is_in(table["sha256"], pa.array(digests, pa.string())))
        texts, failed, authors = (own[name].to_pylist() for name in ("text", "failed_check", "name"))
        rows = zip(texts, failed, (author or "" for author in authors), strict=True)
        edits.update(zip(own["sha256"].to_pylist(), rows, strict=True))
    return edits
