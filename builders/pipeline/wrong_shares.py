"""The estimated share of wrong pairs of each corpus, by the words of pairs or by a model, and how many are rejected."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders import alignment
from builders.pipeline.alignment_files import SHARES
from builders.pipeline.decisions import PartTables
from builders.workspace import Workspace, sql

REJECTED = pl.Schema(
    {"lang": pl.String, "corpus": pl.String}
    | dict.fromkeys(("num_pairs", "num_judged", "num_rejected"), pl.Int64)
    | dict.fromkeys(("share", "share_low", "share_high"), pl.Float64)
)


def write_shares(
    work: Workspace,
    path: Path,
    files: Sequence[Path],
    inputs: str,
    table: str = "alignment_scores",
    score: str = "alignment",
    chance: str = "chance",
) -> None:
    """Write `misaligned_shares`: the estimated share of wrong pairs of each corpus, and how low those may go.

    Args:
        work: The work folder.
        path: File to write.
        files: Those of `table`.
        inputs: What the file is made from, for its metadata.
        table: The table that says how good pairs are.
        score: Its column with their scores.
        chance: Its column with the share of random pairs that score as high.
    """
    tables = {table: list(files)}
    query = sql("misaligned_shares", table=table, chance=chance)
    with work.connect(tables) as connection:
        rows = connection.sql(query, params={"wrong_chance": alignment.WRONG_CHANCE}).to_arrow_table()
    shares = []
    for row in rows.to_pylist():
        share, low, high = alignment.wrong_share(row["num_judged"], row.pop("num_random"))
        most = int(high * row["num_judged"])
        query = f"select {score} from {table} where corpus = $corpus order by {score} limit {most}"
        with work.connect(tables) as connection:
            lowest = connection.execute(f"select max({score}) from ({query})", {"corpus": row["corpus"]}).fetchone()
        assert lowest is not None
        shares.append(row | {"share": share, "share_low": low, "share_high": high, "max_alignment": lowest[0]})
    rows = pa.Table.from_pylist(shares, SHARES.with_metadata({"inputs": inputs}))
    pq.write_table(rows, path, compression="zstd")


def count_rejected(
    tables: Mapping[str, Sequence[PartTables]], name: Literal["misaligned_shares", "model_shares"], reason: str
) -> pl.DataFrame:
    """Return the estimated share of wrong pairs by language and corpus, with how many were judged and rejected.

    Args:
        tables: The parts of each language.
        name: The table of the shares, as `PartTables` has it.
        reason: The filter that rejects by it.
    """
    rejected = pl.col("reject_reason") == reason
    frames = []
    for lang, parts in tables.items():
        if shares := getattr(parts[0], name) if parts else ():
            decided = pl.scan_parquet([own.decisions for own in parts], glob=False)
            counts = decided.group_by("corpus").agg(num_rejected=rejected.sum().cast(pl.Int64)).collect()
            rows = pl.read_parquet(shares[0], glob=False).join(counts, on="corpus").sort("corpus")
            frames.append(rows.select(pl.lit(lang).alias("lang"), *list(REJECTED)[1:]))
    return pl.concat(frames) if frames else pl.DataFrame(schema=REJECTED)
