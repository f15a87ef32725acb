"""The rows of a release as training and evaluation read them: instruction, input and output, with their key."""

from collections.abc import Sequence

import polars as pl

from cards.releases import Release
from corpora.errors import InputError, unknown

KEY = ("id", "lang", "task", "direction")
COUNTED_TASKS = {"translation": "translations", "text": "documents"}  # what a size counts: the first that there is
TEXT_COLUMNS = {"instructions": ("instruction", "input", "output"), "messages": ("messages",)}
TURNS = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
ROWS = pl.Schema([*((name, pl.String) for name in (*KEY, "instruction", "input", "output")), ("messages", TURNS)])


def read_rows(release: Release, config: str, split: str, langs: Sequence[str]) -> pl.DataFrame:
    """Return the rows of a split in some languages and in English, as ROWS, from files that are checked.

    A question and its answer are instruction and output, and `messages` is null. Of a conversation with a system
    message or several questions, `messages` holds all turns.

    Args:
        release: The release.
        config: One of its configs.
        split: `train` or `validation`; a config without that split gives no rows.
        langs: The languages beside English.

    Raises:
        InputError: A file is not as published, or its columns are not those of a release.
    """
    if split not in release.manifest["configs"][config]["splits"]:
        return pl.DataFrame(schema=ROWS)
    output_format = str(release.manifest["output_format"])
    if output_format not in TEXT_COLUMNS:
        raise unknown(f"format of {release.origin}", output_format, TEXT_COLUMNS)
    rows = release.rows(config, split, [*langs, "en"])
    if missing := [name for name in (*KEY, *TEXT_COLUMNS[output_format]) if name not in rows.columns]:
        raise InputError(f"{release.uri} cannot be read as a release: it has no column '{missing[0]}'.")
    return _plain(rows).select(pl.col(name).cast(kind) for name, kind in ROWS.items())


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of messages as instruction, input and output, where that is all."""
    if "messages" not in rows.columns:
        return rows.with_columns(messages=pl.lit(None))
    turn = pl.col("messages").list
    texts = {"instruction": turn.first(), "output": turn.last()}
    contents = [value.struct.field("content").alias(name) for name, value in texts.items()]
    roles = turn.eval(pl.element().struct.field("role"))
    is_single = roles.list.len().eq(2) & roles.list.first().eq("user") & roles.list.last().eq("assistant")
    messages = pl.when(~is_single).then("messages").alias("messages")
    return rows.with_columns(*contents, messages, pl.lit("").alias("input"))
