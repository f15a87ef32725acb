"""Count the rows that were written: distinct rows by language, lengths of their texts, and a few rows to show."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import polars as pl

from cards.manifest_types import Config, ExampleRow, LengthRow, Manifest, Measured, StatisticsRow
from corpora.catalog import languages

KEY = ("id", "lang", "task", "direction")
TASKS = {"num_instructions": "instruction", "num_documents": "text"}
# A token is a word, a number, another character, or a letter of a script that is written without spaces.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
TOKEN = rf"[[{UNSPACED}]&&\p{{L}}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+|[^\s\p{{L}}\p{{M}}\p{{N}}]"
UNITS: tuple[tuple[str, Callable[[pl.Expr], pl.Expr]], ...] = (
    ("chars", lambda text: text.str.strip_chars_end("\n").str.len_chars()),
    ("bytes", lambda text: text.str.strip_chars_end("\n").str.len_bytes()),
    ("tokens", lambda text: text.str.count_matches(TOKEN)),
)
NUM_EXAMPLES, EXAMPLE_CHARS = 3, 120


def measure_rows(folder: Path, configs: dict[str, Config]) -> Measured:
    """Return the configs with what their rows are: read from the Parquet files that were written."""
    if not any(config["splits"] for config in configs.values()):
        return {"configs": configs, "statistics": [], "lengths": [], "examples": []}
    return {
        "configs": configs,
        "statistics": count_statistics(folder, configs),
        "lengths": measure_lengths(folder, configs),
        "examples": choose_examples(folder, configs),
    }


def get_measured(manifest: Manifest) -> Measured:
    """Return what a manifest states of its rows."""
    return {key: manifest[key] for key in Measured.__annotations__}  # type: ignore[literal-required, return-value]


def count_statistics(folder: Path, configs: Mapping[str, Config]) -> list[StatisticsRow]:
    """Return the number of distinct rows of each language, English first; a row of several configs counts once."""
    rows = _distinct_rows(folder, configs)
    is_train = pl.col("split") == "train"
    pairs = pl.col("id").filter(pl.col("task") == "translation").n_unique()
    counts = (
        rows.group_by("lang")
        .agg(
            pl.len().alias("num_rows"),
            pairs.alias("num_pairs"),
            *(pl.col("task").eq(task).sum().alias(name) for name, task in TASKS.items()),
            is_train.sum().alias("num_train"),
            (~is_train).sum().alias("num_validation"),
            pl.sum_horizontal("prompt_bytes", "answer_bytes").sum().alias("num_bytes"),
        )
        .collect()
    )
    return cast(list[StatisticsRow], sorted(counts.to_dicts(), key=lambda row: _place(row["lang"])))


def measure_lengths(folder: Path, configs: Mapping[str, Config]) -> list[LengthRow]:
    """Return the lengths of prompts and answers by language and task, in characters and in tokens."""
    rows = _distinct_rows(folder, configs)
    parts = [
        rows.group_by("lang", "task")
        .agg(
            pl.lit(part).alias("part"),
            pl.col(f"{part}_tokens").sum().alias("num_tokens"),
            *(
                pl.col(f"{part}_{unit}").quantile(share, "lower").cast(pl.Int64).alias(f"{unit}_{name}")
                for unit in ("chars", "tokens")
                for name, share in (("median", 0.5), ("quantile_95", 0.95), ("max", 1.0))
            ),
        )
        .collect()
        for part in ("prompt", "answer")
    ]
    table = pl.concat(parts).sort("task", "part", descending=[True, True]).to_dicts()
    return cast(list[LengthRow], sorted(table, key=lambda row: _place(row["lang"])))


def choose_examples(folder: Path, configs: Mapping[str, Config]) -> list[ExampleRow]:
    """Return the row with the smallest id of each of some languages, in different scripts if there are such.

    Of a language with several tasks another one is taken than of the language before.
    """
    rows = _scan(folder, configs)
    parts = rows.select("lang", "task").unique().collect().rows()
    examples: list[ExampleRow] = []
    for number, lang in enumerate(_choose_langs({lang for lang, _ in parts})):
        tasks = sorted((task for own, task in parts if own == lang), reverse=True)
        own = rows.filter(pl.col("lang") == lang, pl.col("task") == tasks[number % len(tasks)])
        texts = [_cut(text).alias(name) for name, text in _texts(rows).items()]
        row = own.sort(*KEY).select(*KEY, *texts).head(1).collect().row(0, named=True)
        examples.append(cast(ExampleRow, row))
    return examples


def _choose_langs(langs: set[str]) -> list[str]:
    """Return the languages to show: in the catalogue's order one of each script, then others, English last."""
    ordered = sorted(langs - {"en"}, key=_place)
    scripts = {languages()[lang].script[:1]: lang for lang in reversed(ordered)}
    first = [lang for lang in ordered if lang in scripts.values()]
    return [*first, *(lang for lang in ordered if lang not in first), *(langs & {"en"})][:NUM_EXAMPLES]


def _place(lang: str) -> int:
    return list(languages()).index(lang)


def _distinct_rows(folder: Path, configs: Mapping[str, Config]) -> pl.LazyFrame:
    """Return key, split and lengths of each row; those that several configs may share are looked for once."""
    rows = _scan(folder, configs)
    counts = rows.select("lang", "config").unique().group_by("lang").len().collect().rows()
    shared = [lang for lang, num_configs in counts if num_configs > 1]
    is_shared = pl.col("lang").is_in(shared)
    rows = pl.concat([rows.filter(~is_shared), rows.filter(is_shared).unique(KEY, keep="first", maintain_order=True)])
    texts = _texts(rows)
    parts = {"prompt": pl.concat_str(texts["instruction"], texts["input"], separator="\n"), "answer": texts["output"]}
    sizes = [size(text).cast(pl.Int64).alias(f"{part}_{unit}") for part, text in parts.items() for unit, size in UNITS]
    return rows.select(*KEY, "split", *sizes)


def _scan(folder: Path, configs: Mapping[str, Config]) -> pl.LazyFrame:
    return pl.concat(
        pl.scan_parquet(folder / file["path"], glob=False).with_columns(config=pl.lit(name))
        for name, config in configs.items()
        for split in config["splits"].values()
        for file in split["files"]
    )


def _texts(rows: pl.LazyFrame) -> dict[str, pl.Expr]:
    """Return the instruction, the input and the output of rows in either format; messages have no input."""
    if "messages" not in rows.collect_schema():
        return {name: pl.col(name) for name in ("instruction", "input", "output")}
    is_answer, content = pl.element().struct["role"] == "assistant", pl.element().struct["content"]
    prompt, answer = (
        pl.col("messages").list.eval(content.filter(own)).list.join("\n") for own in (~is_answer, is_answer)
    )
    return {"instruction": prompt, "input": pl.lit(""), "output": answer}


def _cut(text: pl.Expr) -> pl.Expr:
    beginning = text.str.slice(0, EXAMPLE_CHARS - 1) + "…"
    return pl.when(text.str.len_chars() > EXAMPLE_CHARS).then(beginning).otherwise(text)
