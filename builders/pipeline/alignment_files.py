"""Read and write the tables of the alignment of pairs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders import alignment
from builders.workspace import Workspace, sql

DIGEST_BITS = 60
CONTENT = ("length", "median", "spread")  # of the ratio of the contents of both sides, by length
SCORES = pa.schema(
    {
        "corpus": pa.string(),
        "line_number": pa.int64(),
        "alignment": pa.float64(),
        "chance": pa.float64(),
        "domain": pa.int64(),
        "domain_chance": pa.float64(),
    }
)
SHARES = pa.schema(
    {
        "corpus": pa.string(),
        "num_pairs": pa.int64(),
        "num_judged": pa.int64(),
        "share": pa.float64(),
        "share_low": pa.float64(),
        "share_high": pa.float64(),
        "max_alignment": pa.float64(),
    }
)

Files = Sequence[Path]


def sample_end(tokens: Files) -> int:
    """Return the digest before which pairs teach: at most SAMPLE_PAIRS of each half, about."""
    num_pairs = sum(int(pq.read_metadata(path).num_rows) for path in tokens)
    return min(1 << DIGEST_BITS, (2 * alignment.SAMPLE_PAIRS << DIGEST_BITS) // max(1, num_pairs))


def read_sample(tokens: Files, half: int | None, work: Workspace) -> pa.Table:
    """Return the pairs of a half that teach in the order of their digests, or those of one half after the other."""
    if half is None:
        return pa.concat_tables([read_sample(tokens, number, work) for number in (0, 1)])
    values = {"sample_end": sample_end(tokens), "half": half}
    return read_rows(sql("alignment_sample"), work, {"alignment_tokens": list(tokens)}, values)


def both_sides(pairs: pa.Table | pa.RecordBatch) -> "tuple[alignment.Side, alignment.Side]":
    """Return the sides of pairs, as the aligner reads them."""
    return alignment.side_of(column_of(pairs, "en")), alignment.side_of(column_of(pairs, "xx"))


def read_judge(links: Path, evidence: Path, work: Workspace) -> "alignment.Judge":
    """Return what judges a half, from its tables."""
    usual = []
    for is_english in ("true", "false"):
        query = f"select * exclude is_english from usual_evidence where is_english = {is_english} order by position"
        rows = {
            name: column.to_numpy()
            for name, column in columns_of(read_rows(query, work, {"usual_evidence": [evidence]}))
        }
        numbers = [rows[name] for name in ("counts", "num", "total", "squares")]
        usual.append(alignment.UsualEvidence(rows["token"][:-1], *numbers))
    content = json.loads((pq.read_metadata(evidence).metadata or {})[b"content"])
    by_length = alignment.UsualByLength(*(np.array(content[name]) for name in CONTENT))
    return alignment.Judge(read_links(links, work), usual[0], usual[1], by_length)


def random_pairs_of(random: pa.Table) -> "dict[str, alignment.RandomPairs]":
    """Return the random pairs of each corpus, from `random_pairs`."""
    rows = random.filter(pc.is_null(random["domain"]))
    return {
        corpus: alignment.random_pairs(own["alignment"].to_numpy(), own["en_num_tokens"].to_numpy())
        for corpus, own in _by(rows, "corpus")
    }


def random_domains_of(random: pa.Table) -> "dict[str, dict[int, alignment.RandomDomain]]":
    """Return the random pairs of each domain of each corpus, from `random_pairs`."""
    return {
        corpus: {
            number: alignment.RandomDomain(own["alignment"].to_numpy(), own["chance"].to_numpy())
            for number, own in _by(rows, "domain")
        }
        for corpus, rows in _by(random.filter(pc.is_valid(random["domain"])), "corpus")
    }


def _by(table: pa.Table, column: str) -> Iterator[tuple[Any, pa.Table]]:
    """Yield each value of a column, with its rows."""
    for value in table[column].unique().to_pylist():
        yield value, table.filter(pc.equal(table[column], value))


def read_links(path: Path, work: Workspace) -> "alignment.LinkTable":
    """Return the links that a half has taught."""
    rows = read_rows("from word_links", work, {"word_links": [path]})
    return alignment.link_table(*(column.to_numpy() for _, column in columns_of(rows)))


def columns_of(table: pa.Table) -> list[tuple[str, pa.Array]]:
    """Return the names and values of columns."""
    return [(name, column_of(table, name)) for name in table.column_names]


def column_of(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    """Return a column in one piece."""
    column = table[name]
    return column if isinstance(column, pa.Array) else column.combine_chunks()


def read_rows(
    query: str, work: Workspace, tables: Mapping[str, Files], values: Mapping[str, Any] | None = None
) -> pa.Table:
    """Return the result of a query over files, whose damage is an error of theirs."""
    with work.connect(tables) as connection:
        return connection.sql(query, params=values or {}).to_arrow_table()


def write_rows(path: Path, schema: pa.Schema, arrays: Sequence[Any], inputs: str) -> None:
    """Write a table, with what it is made from."""
    table = pa.Table.from_arrays(
        [pa.array(a, kind) for a, kind in zip(arrays, schema.types, strict=True)], schema=schema
    )
    pq.write_table(table.replace_schema_metadata({"inputs": inputs}), path, compression="zstd")
