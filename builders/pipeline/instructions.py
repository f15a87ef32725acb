"""From upstream's instructions to the tables of instructions in each language, translated where a corpus lacks it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.pipeline.parts import READER_VERSION
from builders.pipeline.write_tables import write_instructions
from builders.translation import (
    BitextWords,
    TranslationTables,
    Translator,
    empty_input_rows,
    translate_instructions,
)
from builders.workspace import Task, Workspace, inputs_json
from corpora.catalog import Corpus
from corpora.download import SourceFile
from corpora.errors import InputError
from recipes.recipe import Recipe


def build_instructions(
    files: Sequence[SourceFile], catalog: Mapping[str, Corpus], recipe: Recipe, work: Workspace
) -> dict[str, dict[str, Path]]:
    """Submit `instructions` of each corpus and language, and return its files by language and corpus."""
    tables: dict[str, dict[str, Path]] = {}
    for file in files:
        corpus, own = catalog[file.source.corpus], tables.setdefault(file.source.lang, {})
        own[corpus.id] = _read_instructions(file, corpus, tuple(own.values()), recipe.max_instructions, work)
    return tables


def build_translations(
    instructions: Mapping[str, Mapping[str, Path]],
    recipe: Recipe,
    translator: Translator,
    work: Workspace,
    words: Mapping[str, BitextWords],
) -> dict[str, TranslationTables]:
    """Make the tables of translated instructions by corpus; none without a translator.

    A corpus that has instructions in a language of the recipe is not translated into it.
    """
    if not translator.is_available:
        return {}
    langs = {
        name: [lang for lang in recipe.langs if name not in instructions.get(lang, {})]
        for name in instructions.get("en", {})
    }
    return {
        name: translate_instructions(instructions["en"][name], name, own, translator, work, words, work.progress)
        for name, own in langs.items()
        if own
    }


def check_turns(instructions: Iterable[Path], corpora: Iterable[str]) -> None:
    """Raise InputError if an instruction is a conversation, which the columns of instructions cannot hold."""
    if count := sum(map(_count_conversations, instructions)):
        raise InputError(
            f"{count:,} instructions of {', '.join(corpora)} are conversations with several questions or a system "
            "message, which instruction, input and output cannot hold. Publish them with --format messages."
        )


def _count_conversations(instructions: Path) -> int:
    table = pq.read_table(instructions, columns=["messages", "reject_reason"])
    return int(pc.sum(pc.and_(table["messages"].is_valid(), table["reject_reason"].is_null())).as_py() or 0)


def _read_instructions(
    file: SourceFile, corpus: Corpus, earlier: Sequence[Path], most: int | None, work: Workspace
) -> Path:
    lang = file.source.lang
    empty = [asdict(row) for row in empty_input_rows().values()]
    inputs = {"sha256": file.sha256, "format": corpus.reading_key(lang), "reader": READER_VERSION, "empty_input": empty}
    inputs |= {"earlier": [path.name for path in earlier], "most": most}
    task = Task("instructions", corpus.id if lang == "en" else f"{lang}-{corpus.id}", inputs)
    run = partial(
        write_instructions,
        source=file.path,
        corpus=corpus,
        lang=lang,
        earlier=earlier,
        most=most,
        inputs=inputs_json(task),
    )
    return work.submit(replace(task, needs=tuple(earlier), run=run))
