"""The validation split of a release as a benchmark: its translations, asked as they were published."""

from collections.abc import Mapping, Sequence

import polars as pl

from cards.manifest_types import Config
from cards.releases import Release
from corpora.catalog import language, languages
from corpora.errors import InputError
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item, Items
from trainer.rows import read_rows


def load_validation(benchmark: Benchmark, lang: str, direction: str, source: BenchmarkSource) -> Items:
    """Return the translations of the validation split in a language and direction.

    Raises:
        InputError: No release is named, or it has none.
    """
    rows = _validation_rows(source, lang).filter(direction=direction).sort("id")
    if rows.is_empty():
        raise InputError(
            f"{_release(source).origin} has no translations in {language(lang).name} ({direction}) in its validation "
            "split."
        )
    columns = rows.select("id", "instruction", "input", "output").iter_rows()
    return Items(tuple(Item(name, instruction, text, (output,)) for name, instruction, text, output in columns))


def validation_langs(benchmark: Benchmark, source: BenchmarkSource) -> Sequence[str]:
    """Return the languages of the release beside English."""
    langs = {code for config in _configs(_release(source)).values() for code in config["langs"]}
    return [code for code in languages() if code in langs - {"en"}]


def validation_directions(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> Sequence[str]:
    """Return the directions of the validation split in a language."""
    return sorted(set(_validation_rows(source, lang)["direction"]))


def _validation_rows(source: BenchmarkSource, lang: str) -> pl.DataFrame:
    release = _release(source)
    config = next((name for name, config in _configs(release).items() if lang in config["langs"]), None)
    if config is None:
        langs = sorted({code for entry in _configs(release).values() for code in entry["langs"]} - {"en"})
        raise InputError(f"{release.origin} has no {language(lang).name}; it has {', '.join(langs)}.")
    return read_rows(release, config, "validation", [lang]).filter(task="translation", lang=lang)


def _release(source: BenchmarkSource) -> Release:
    if source.release is None:
        raise InputError("The benchmark validation is the validation split of a release: name one with --release.")
    return source.release


def _configs(release: Release) -> Mapping[str, Config]:
    return release.manifest["configs"]
