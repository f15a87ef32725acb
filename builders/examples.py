"""From kept pairs and instruction records to the examples of each config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa

from builders.memory import TranslationMemory
from builders.rows import READER, RECORDS, write_records, write_texts, write_translated
from builders.work import Unit, Work, inputs_text, unit_of
from corpora.catalog import Corpus, language
from corpora.pull import Fetched
from recipes.recipe import Recipe, prompts

BITEXT = pa.schema([(name, pa.string()) for name in ("id", "lang", "en", "xx", "corpus", "en_key", "xx_key")])


@dataclass(frozen=True)
class Translator:
    """Where translated records come from: a memory and its digest, or nowhere."""

    name: str
    sha256: str = ""
    memory: TranslationMemory | None = None


def instruct(
    files: Sequence[Fetched], catalog: Mapping[str, Corpus], recipe: Recipe, translator: Translator, work: Work
) -> dict[str, list[Path]]:
    """`records` in English and `translated` in each language, by language."""
    made: dict[str, list[Path]] = {"en": []}
    for file in files:
        corpus = catalog[file.source.corpus]
        earlier = tuple(made["en"])
        inputs = {
            "sha256": file.sha256,
            "format": corpus.format,
            "reader": READER,
            "earlier": [p.name for p in earlier],
        }
        unit = Unit("records", corpus.id, inputs)
        write = partial(write_records, source=file.path, corpus=corpus, earlier=earlier, inputs=inputs_text(unit))
        english = work.make(unit, write)
        made["en"].append(english)
        if translator.memory and "xx" in recipe.general:
            for lang in recipe.langs:
                inputs = {"from": english.name, "translator": translator.sha256, "reader": READER}
                unit = Unit("translated", f"{lang}-{corpus.id}", inputs)
                write = partial(
                    write_translated, records=english, lang=lang, memory=translator.memory, inputs=inputs_text(unit)
                )
                made.setdefault(lang, []).append(work.make(unit, write))
    return made


def collect_texts(
    files: Sequence[Fetched], catalog: Mapping[str, Corpus], recipe: Recipe, work: Work
) -> dict[str, list[Path]]:
    """`texts` of each language: the first documents of its monolingual corpora."""
    made: dict[str, list[Path]] = {}
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {"sha256": file.sha256, "format": corpus.format, "reader": READER, "texts": recipe.texts}
        unit = Unit("texts", f"{lang}-{corpus.id}", inputs)
        write = partial(
            write_texts, source=file.path, corpus=corpus, lang=lang, most=recipe.texts, inputs=inputs_text(unit)
        )
        made.setdefault(lang, []).append(work.make(unit, write))
    return made


def exemplify(
    config: str, langs: Sequence[str], recipe: Recipe, bitext: Sequence[Path], records: Sequence[Path], work: Work
) -> Path:
    """`instructions`: the examples of one config, in the order of their key."""
    values = {
        "directions": list(recipe.directions),
        "general": list(recipe.general),
        "pairs": recipe.pairs or 2**62,
        "validation": recipe.validation,
        "validation_below": f"{int(recipe.validation * 2**32):08x}",
        "seed": str(recipe.seed),
        "num_prompts": len(recipe.prompts),
    }
    asked = [{"number": number, "text": prompts()[name].text} for number, name in enumerate(recipe.prompts)]
    named = [{"code": lang, "name": language(lang).name} for lang in langs]
    unit = unit_of(
        "instructions", f"{recipe.name}-{config}", [*bitext, *records], prompts=asked, languages=named, **values
    )
    tables = {
        "bitext": bitext or BITEXT.empty_table(),
        "records": records or RECORDS.empty_table(),
        "prompts": pa.Table.from_pylist(asked),
        "languages": pa.Table.from_pylist(named),
    }
    return work.query(unit, tables, values)


def as_messages(recipe: Recipe, examples: Mapping[str, Path], work: Work) -> dict[str, Path]:
    """`messages`: the same examples as conversations, by config."""
    return {
        config: work.query(unit_of("messages", f"{recipe.name}-{config}", [path]), {"instructions": [path]}, {})
        for config, path in examples.items()
    }


def count_examples(examples: Mapping[str, Path], work: Work) -> pl.DataFrame:
    """The mixture as it is: rows by config, language, task, direction, corpus and split."""
    keys = ["lang", "task", "direction", "corpus", "split"]
    frames = [
        pl.scan_parquet(path, glob=False)
        .group_by(keys)
        .agg(rows=pl.len().cast(pl.Int64))
        .sort(keys)
        .collect()
        .insert_column(0, pl.lit(config).alias("config"))
        for config, path in examples.items()
    ]
    return pl.concat(frames)
