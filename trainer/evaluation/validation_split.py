"""What a release holds back of its translations: they are asked as they were published."""

from collections.abc import Mapping, Sequence

import polars as pl

from cards.releases import Release
from corpora.catalog import language, languages
from corpora.errors import InputError
from trainer.rows import read_rows

COLUMNS = ("id", "instruction", "input", "output")


def held_out(release: Release | None, lang: str, direction: str) -> list[tuple[str, str, str, str]]:
    """Id, instruction, text and translation of what is held back; InputError if that is nothing."""
    rows = _held_back(release, lang).filter(direction=direction).sort("id").select(COLUMNS).rows()
    if not rows:
        raise InputError(f"{_named(release).origin} holds back no translations in {language(lang).name} ({direction}).")
    return rows


def held_langs(release: Release | None) -> list[str]:
    """The languages of a release beside English."""
    there = {code for entry in _configs(_named(release)).values() for code in entry["langs"]}
    return [code for code in languages() if code in there - {"en"}]


def held_directions(release: Release | None, lang: str) -> set[str]:
    """The directions in which something is held back."""
    return set(_held_back(release, lang)["direction"])


def _held_back(release: Release | None, lang: str) -> pl.DataFrame:
    """The translations held back in a language; InputError if the release has nothing of it at all."""
    named = _named(release)
    config = next((name for name, entry in _configs(named).items() if lang in entry["langs"]), None)
    if config is None:
        raise InputError(f"{named.origin} has no {language(lang).name}; it has {', '.join(held_langs(named))}.")
    return read_rows(named, config, "validation", [lang]).filter(task="translation", lang=lang)


def _named(release: Release | None) -> Release:
    if release is None:
        raise InputError("Whose validation rows? Name the release with --release.")
    return release


def _configs(release: Release) -> Mapping[str, Mapping[str, Sequence[str]]]:
    configs: Mapping[str, Mapping[str, Sequence[str]]] = release.manifest["configs"]
    return configs
