"""From kept pairs, instructions and documents to the examples of each config."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa

from builders.pipeline.write_tables import INSTRUCTIONS, READER_VERSION, write_documents, write_instructions
from builders.translation import TranslationTables, Translator, empty_input_rows, translate_instructions
from builders.workspace import Task, Workspace, inputs_json, sql_task
from corpora.catalog import Corpus, language
from corpora.download import SourceFile
from recipes.prompts import translation_prompts
from recipes.recipe import Recipe

BITEXT = pa.schema(
    [(name, pa.string()) for name in ("id", "lang", "en", "xx", "corpus", "en_norm_hash", "xx_norm_hash")]
)


def build_instructions(
    files: Sequence[SourceFile], catalog: Mapping[str, Corpus], recipe: Recipe, work: Workspace
) -> dict[str, Path]:
    """Make `instructions`, in English, and return its files by corpus."""
    english: dict[str, Path] = {}
    for file in files:
        corpus = catalog[file.source.corpus]
        english[corpus.id] = _english_instructions(file, corpus, tuple(english.values()), recipe.max_instructions, work)
    return english


def build_translations(
    english: Mapping[str, Path], recipe: Recipe, translator: Translator, work: Workspace
) -> dict[str, TranslationTables]:
    """Make the tables of translated instructions by corpus; none without a translator."""
    if not translator.is_available:
        return {}
    return {
        name: translate_instructions(path, name, recipe.langs, translator, work, work.progress)
        for name, path in english.items()
    }


def _english_instructions(
    file: SourceFile, corpus: Corpus, earlier: Sequence[Path], most: int | None, work: Workspace
) -> Path:
    empty = [asdict(row) for row in empty_input_rows().values()]
    inputs = {"sha256": file.sha256, "format": corpus.reading_key("en"), "reader": READER_VERSION, "empty_input": empty}
    inputs |= {"earlier": [path.name for path in earlier], "most": most}
    task = Task("instructions", corpus.id, inputs)
    texts = inputs_json(task)
    write = partial(write_instructions, source=file.path, corpus=corpus, earlier=earlier, most=most, inputs=texts)
    return work.make(task, write)


def read_documents(
    files: Sequence[SourceFile], catalog: Mapping[str, Corpus], recipe: Recipe, work: Workspace
) -> dict[str, list[Path]]:
    """Make `documents` of each language: the first documents of its monolingual corpora."""
    tables: dict[str, list[Path]] = {}
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {
            "sha256": file.sha256,
            "format": corpus.reading_key(lang),
            "reader": READER_VERSION,
            "max_documents": recipe.max_documents,
        }
        task = Task("documents", f"{lang}-{corpus.id}", inputs)
        write = partial(
            write_documents,
            source=file.path,
            corpus=corpus,
            lang=lang,
            most=recipe.max_documents,
            inputs=inputs_json(task),
        )
        tables.setdefault(lang, []).append(work.make(task, write))
    return tables


def format_examples(
    config: str,
    langs: Sequence[str],
    recipe: Recipe,
    bitext: Mapping[str, Path],
    texts: Mapping[str, Sequence[Path]],
    work: Workspace,
) -> Path:
    """Make `examples`: the examples of one config, in the order of their key.

    Args:
        config: Name of the config.
        langs: Its languages.
        recipe: The recipe.
        bitext: Kept pairs by language.
        texts: Instructions and documents by language, English among them.
        work: The workspace.
    """
    values = {
        "directions": list(recipe.directions),
        "instruction_langs": list(recipe.instruction_langs),
        "max_pairs": recipe.max_pairs or 2**62,
        "validation": recipe.validation,
        "validation_below": "g" if recipe.is_benchmark else f"{int(recipe.validation * 2**32):08x}",
        "benchmark": recipe.is_benchmark,
        "seed": str(recipe.seed),
        "num_prompts": len(recipe.prompts),
    }
    known = translation_prompts()
    prompts = [{"number": number, "text": known[name].text} for number, name in enumerate(recipe.prompts)]
    names = [{"code": lang, "name": language(lang).name} for lang in langs]
    pairs = [bitext[lang] for lang in langs if lang in bitext]
    instructions = [path for lang in ("en", *langs) for path in texts.get(lang, ())]
    made_from = [*pairs, *instructions]
    task = sql_task("examples", f"{recipe.name}-{config}", made_from, prompts=prompts, languages=names, **values)
    tables = {
        "bitext": pairs or BITEXT.empty_table(),
        "instructions": instructions or INSTRUCTIONS.empty_table(),
        "prompts": pa.Table.from_pylist(prompts),
        "languages": pa.Table.from_pylist(names),
    }
    return work.query(task, tables, values)


def as_messages(recipe: Recipe, examples: Mapping[str, Path], work: Workspace) -> dict[str, Path]:
    """Make `messages`: the same examples as conversations, by config."""
    return {
        config: work.query(sql_task("messages", f"{recipe.name}-{config}", [path]), {"examples": [path]}, {})
        for config, path in examples.items()
    }


def count_rows(examples: Mapping[str, Path]) -> pl.DataFrame:
    """Return the number of rows by config, lang, task, direction, corpus and split."""
    keys = ["lang", "task", "direction", "corpus", "split"]
    frames = [
        pl.scan_parquet(path, glob=False)
        .group_by(keys)
        .agg(num_rows=pl.len().cast(pl.Int64))
        .sort(keys)
        .collect()
        .insert_column(0, pl.lit(config).alias("config"))
        for config, path in examples.items()
    ]
    return pl.concat(frames)
