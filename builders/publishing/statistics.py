"""Count the rows that were written: distinct rows by language, lengths of their texts, and a few rows to show."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
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
PARTS = ("prompt", "answer")
RANGE_ROWS = 200_000  # rows whose texts are in memory at once
NUM_EXAMPLES, EXAMPLE_CHARS = 3, 120


def measure_rows(folder: Path, configs: dict[str, Config]) -> Measured:
    """Return the configs with what their rows are: read from the Parquet files that were written."""
    if not any(config["splits"] for config in configs.values()):
        return {"configs": configs, "statistics": [], "lengths": [], "examples": []}
    counts, sizes = [], []
    for rows in _distinct_rows(folder, configs):
        counts.append(_count(rows))
        sizes += [_count_sizes(rows, part, unit) for part in PARTS for unit, _ in UNITS]
    return {
        "configs": configs,
        "statistics": _statistics(pl.concat(counts)),
        "lengths": _lengths(pl.concat(sizes)),
        "examples": choose_examples(folder, configs),
    }


def get_measured(manifest: Manifest) -> Measured:
    """Return what a manifest states of its rows."""
    return {key: manifest[key] for key in Measured.__annotations__}  # type: ignore[literal-required, return-value]


def _count(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of some rows by language; rows with the same id are all among them."""
    is_train = pl.col("split") == "train"
    return rows.group_by("lang").agg(
        pl.len().alias("num_rows"),
        pl.col("id").filter(pl.col("task") == "translation").n_unique().alias("num_pairs"),
        *(pl.col("task").eq(task).sum().alias(name) for name, task in TASKS.items()),
        is_train.sum().alias("num_train"),
        (~is_train).sum().alias("num_validation"),
        pl.sum_horizontal("prompt_bytes", "answer_bytes").sum().alias("num_bytes"),
    )


def _statistics(counts: pl.DataFrame) -> list[StatisticsRow]:
    """Return the number of distinct rows of each language, English first; a row of several configs counts once."""
    table = counts.group_by("lang").sum().to_dicts()
    return cast(list[StatisticsRow], sorted(table, key=lambda row: _place(row["lang"])))


def _count_sizes(rows: pl.DataFrame, part: str, unit: str) -> pl.DataFrame:
    """Return how many of some rows have a prompt or an answer of each size, by language and task."""
    sizes = rows.group_by("lang", "task", size=f"{part}_{unit}").len("num_rows")
    return sizes.with_columns(pl.col("num_rows").cast(pl.Int64), part=pl.lit(part), unit=pl.lit(unit))


def _lengths(sizes: pl.DataFrame) -> list[LengthRow]:
    """Return the lengths of prompts and answers by language and task, in characters and in tokens."""
    by = ["lang", "task", "part"]
    sizes = sizes.group_by(*by, "unit", "size").agg(pl.col("num_rows").sum()).sort("size")
    counted = pl.col("num_rows").cum_sum() - 1  # the place of the last row with this size among all in their order
    units = {unit: pl.col("unit") == unit for unit in ("chars", "tokens")}
    table = (
        sizes.with_columns(last=counted.over(*by, "unit"))
        .group_by(by)
        .agg(
            (pl.col("size") * pl.col("num_rows")).filter(units["tokens"]).sum().alias("num_tokens"),
            *(
                pl.col("size")
                .filter(own, pl.col("last") >= (share * pl.col("last").filter(own).max()).floor())
                .first()
                .alias(f"{unit}_{name}")
                for unit, own in units.items()
                for name, share in (("median", 0.5), ("quantile_95", 0.95), ("max", 1.0))
            ),
        )
        .sort("task", "part", descending=[True, True])
    )
    return cast(list[LengthRow], sorted(table.to_dicts(), key=lambda row: _place(row["lang"])))


def choose_examples(folder: Path, configs: Mapping[str, Config]) -> list[ExampleRow]:
    """Return the row with the smallest id of each of some languages, in different scripts if there are such.

    Of a language with several tasks another one is taken than of the language before. Then follows a row of each task
    and direction that is not among them.
    """
    rows = _scan(folder, configs)
    parts = sorted(rows.select("lang", "task", "direction").unique().collect().rows(), key=lambda own: own[1:])
    chosen: list[tuple[str, str, str]] = []
    for number, lang in enumerate(_choose_langs({lang for lang, _, _ in parts})):
        tasks = sorted({task for own, task, _ in parts if own == lang}, reverse=True)
        task = tasks[number % len(tasks)]
        chosen.append(next(own for own in parts if own[:2] == (lang, task)))
    for kind in dict.fromkeys(own[1:] for own in parts):
        if kind not in {own[1:] for own in chosen}:
            chosen.append(min((own for own in parts if own[1:] == kind), key=lambda own: _place(own[0])))
    return [_example(rows, *own) for own in chosen]


def _example(rows: pl.LazyFrame, lang: str, task: str, direction: str) -> ExampleRow:
    own = rows.filter(pl.col("lang") == lang, pl.col("task") == task, pl.col("direction") == direction)
    texts = [_cut(text).alias(name) for name, text in _texts(rows).items()]
    return cast(ExampleRow, own.sort(*KEY).select(*KEY, *texts).head(1).collect().row(0, named=True))


def _choose_langs(langs: set[str]) -> list[str]:
    """Return the languages to show: in the catalogue's order one of each script, then others, English last."""
    ordered = sorted(langs - {"en"}, key=_place)
    scripts = {languages()[lang].script[:1]: lang for lang in reversed(ordered)}
    first = [lang for lang in ordered if lang in scripts.values()]
    return [*first, *(lang for lang in ordered if lang not in first), *(langs & {"en"})][:NUM_EXAMPLES]


def _place(lang: str) -> int:
    return list(languages()).index(lang)


def _distinct_rows(folder: Path, configs: Mapping[str, Config]) -> Iterator[pl.DataFrame]:
    """Yield key, split and sizes of each row, some ids at a time; a row of several configs only once."""
    counts = _scan(folder, configs).group_by("lang", "config").len().collect().rows()
    num_configs = Counter(lang for lang, _, _ in counts)
    shared = [lang for lang, num in num_configs.items() if num > 1]
    is_shared = pl.col("lang").is_in(shared)
    for config in configs:
        own = sum(num for lang, name, num in counts if name == config and lang not in shared)
        for is_in_range in _id_ranges(own):
            yield _measure(_scan(folder, {config: configs[config]}).filter(is_in_range, ~is_shared))
    for is_in_range in _id_ranges(sum(num for lang, _, num in counts if lang in shared)):
        rows = _scan(folder, configs).filter(is_in_range, is_shared)
        yield _measure(rows.unique(KEY, keep="first", maintain_order=True))


def _id_ranges(num_rows: int) -> list[pl.Expr]:
    """Return conditions that each select about RANGE_ROWS of some rows by their ids, which are digests in hexadecimal.

    Files are in the order of ids, so a condition reads few row groups.
    """
    count = -(-num_rows // RANGE_ROWS)
    bounds = [f"{0x10000 * n // count:04x}" for n in range(1, count)]
    ids = pl.col("id")
    ends = zip([None, *bounds], [*bounds, None], strict=True) if count else ()
    return [
        pl.lit(True) & (ids >= first if first else True) & (ids < after if after else True) for first, after in ends
    ]


def _measure(rows: pl.LazyFrame) -> pl.DataFrame:
    """Return key, split and sizes of rows."""
    texts = _texts(rows)
    whole = {"prompt": pl.concat_str(texts["instruction"], texts["input"], separator="\n"), "answer": texts["output"]}
    sizes = [size(text).cast(pl.Int64).alias(f"{part}_{unit}") for part, text in whole.items() for unit, size in UNITS]
    return rows.select(*KEY, "split", *sizes).collect()


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
