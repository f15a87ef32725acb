"""From kept pairs, instructions and documents to the examples of each config."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa

from builders.pipeline.kept_pairs import KeptPairs
from builders.pipeline.parts import READER_VERSION
from builders.pipeline.write_tables import INSTRUCTIONS, write_documents
from builders.workspace import Inputs, Tables, Task, Workspace, inputs_json, query_task, sql
from corpora.catalog import Corpus, language
from corpora.download import SourceFile
from recipes.prompts import translation_prompts
from recipes.recipe import Recipe

AMBIGUOUS = pa.schema([("en_norm_hash", pa.string())])
UNRANKED = {"place": "0", "total": "0", "counts": ""}  # pieces of examples.sql: no pair is left out
RANKED = {  # a pair's place by id among all of its language and split, and how many there are
    "place": "num_before + row_number() over (partition by pairs.lang, pairs.split order by id)",
    "total": "num_all",
    "counts": """join (
        select
            lang,
            split,
            sum(num_rows) as num_all,
            coalesce(sum(num_rows) filter (range_number < $number), 0) as num_before
        from split_counts
        group by lang, split
    ) using (lang, split)""",
}
BITEXT = pa.schema(
    [(name, pa.string()) for name in ("id", "lang", "en", "xx", "corpus", "en_norm_hash", "xx_norm_hash")]
)


def read_documents(
    files: Sequence[SourceFile], catalog: Mapping[str, Corpus], recipe: Recipe, work: Workspace
) -> dict[str, list[Path]]:
    """Submit `documents` of each language: the first documents of its monolingual corpora."""
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
        run = partial(
            write_documents,
            source=file.path,
            corpus=corpus,
            lang=lang,
            most=recipe.max_documents,
            inputs=inputs_json(task),
        )
        tables.setdefault(lang, []).append(work.submit(replace(task, run=run)))
    return tables


def format_examples(
    config: str,
    langs: Sequence[str],
    recipe: Recipe,
    kept: KeptPairs,
    texts: Mapping[str, Sequence[Path]],
    work: Workspace,
) -> list[Path]:
    """Submit `examples`: the examples of one config, in the order of their key; a task for each range of ids.

    Args:
        config: Name of the config.
        langs: Its languages.
        recipe: The recipe.
        kept: Kept pairs.
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
    name, own = f"{recipe.name}-{config}", kept.of(langs)
    known = translation_prompts()
    prompts = [{"number": number, "text": known[prompt].text} for number, prompt in enumerate(recipe.prompts)]
    names = [{"code": lang, "name": language(lang).name} for lang in langs]
    tables = {
        "bitext": own.files() or BITEXT.empty_table(),
        "instructions": [path for lang in ("en", *langs) for path in texts.get(lang, ())] or INSTRUCTIONS.empty_table(),
        "prompts": pa.Table.from_pylist(prompts),
        "languages": pa.Table.from_pylist(names),
        "ambiguous": _ambiguous(name, own, values, work) if own.bitext else AMBIGUOUS.empty_table(),
    }
    counts = _count_splits(name, own, tables, values, work) if recipe.max_pairs and own.bitext else []
    pieces = RANKED if counts else UNRANKED
    return [
        work.submit(
            query_task(
                "examples",
                name if part.count == 1 else f"{name}-{part.name}",
                tables | ({"split_counts": counts} if counts else {}),
                {**values, **part.ids(), "number": part.number},
                inputs={"prompts": prompts, "languages": names},
                split_pairs=sql("split_pairs"),
                place=pieces["place"],
                total=pieces["total"],
                counts=pieces["counts"],
            )
        )
        for part in own.ranges
    ]


def _ambiguous(name: str, kept: KeptPairs, values: Inputs, work: Workspace) -> list[Path]:
    """Submit `ambiguous` of a config, a task for each range of the keys of its other side."""
    tables, pairs = kept.sides()
    own = {key: values[key] for key in ("seed", "validation_below")}
    return [
        work.submit(query_task("ambiguous", f"{name}-{part.name}", tables, {**own, **part.buckets("xx")}, pairs=pairs))
        for part in kept.ranges
    ]


def _count_splits(name: str, kept: KeptPairs, tables: Tables, values: Inputs, work: Workspace) -> list[Path]:
    """Submit `split_counts` of a config, a task for each range of ids: a maximum needs the places among all pairs."""
    own = {key: values[key] for key in ("seed", "validation_below")}
    views = {key: tables[key] for key in ("bitext", "ambiguous")}
    return [
        work.submit(
            query_task(
                "split_counts",
                f"{name}-{part.name}",
                views,
                {**own, **part.ids(), "number": part.number},
                split_pairs=sql("split_pairs"),
            )
        )
        for part in kept.ranges
    ]


def as_messages(recipe: Recipe, examples: Mapping[str, Sequence[Path]], work: Workspace) -> dict[str, list[Path]]:
    """Make `messages`: the same examples as conversations, by config."""
    messages = {
        config: [
            work.submit(query_task("messages", f"{recipe.name}-{config}-{number:05}", {"examples": [path]}))
            for number, path in enumerate(paths)
        ]
        for config, paths in examples.items()
    }
    work.wait([path for paths in messages.values() for path in paths])
    return messages


def count_rows(examples: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """Return the number of rows by config, lang, task, direction, corpus and split."""
    keys = ["lang", "task", "direction", "corpus", "split"]
    frames = [
        pl.scan_parquet([str(path) for path in paths], glob=False)
        .group_by(keys)
        .agg(num_rows=pl.len().cast(pl.Int64))
        .sort(keys)
        .collect()
        .insert_column(0, pl.lit(config).alias("config"))
        for config, paths in examples.items()
    ]
    return pl.concat(frames)
