"""Write the tables of the alignment of pairs: what the tasks of `alignments` do."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders import alignment
from builders.pipeline.batches import read_batches
from builders.workspace import Query, Workspace, sql

BATCH_ROWS = 50_000  # pairs whose texts or tokens are in memory at the same time
DIGEST_BITS = 60
CHANCE_DECIMALS = 4
MIN_CORPUS_PAIRS = 1_000  # random pairs of a corpus and half; a corpus with fewer is judged by those of the language
TOKENS = pa.schema(
    {
        "digest": pa.int64(),
        "corpus": pa.string(),
        "line_number": pa.int64(),
        "en": pa.list_(pa.uint32()),
        "xx": pa.list_(pa.uint32()),
    }
)
SCORES = pa.schema(
    [("corpus", pa.string()), ("line_number", pa.int64()), ("alignment", pa.float64()), ("chance", pa.float64())]
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
CONTENT = ("length", "median", "spread")  # of the ratio of the contents of both sides, by length
EVERYWHERE = ""  # the corpus of random pairs of a whole language

Files = Sequence[Path]


def write_tokens(work: Workspace, path: Path, decisions: Query, pairs: Path, lang: str, inputs: str) -> None:
    """Write `alignment_tokens` of a part: the tokens of the pairs that `decisions`, without alignment, keeps."""
    query = sql("alignment_texts", decisions=sql("decisions", **decisions.texts))
    values = {name: value for name, value in decisions.values.items() if f"${name}" in query}
    functions = decisions.functions() if decisions.functions else {}
    with (
        work.connect({**decisions.tables, "pairs": [pairs]}, functions) as connection,
        pq.ParquetWriter(path, TOKENS.with_metadata({"inputs": inputs}), compression="zstd") as writer,
    ):
        for batch in read_batches(connection.sql(query, params=values), BATCH_ROWS):
            sides = [alignment.tokenize(batch["en"], "en"), alignment.tokenize(batch["xx"], lang)]
            columns = [batch[name] for name in ("digest", "corpus", "line_number")]
            writer.write_table(pa.Table.from_arrays([*columns, *sides], schema=TOKENS))


def write_links(work: Workspace, path: Path, files: Files, inputs: str, half: int | None = None) -> None:
    """Write `word_links` of a half, or of both: the links that its sample teaches; none if it has too few pairs."""
    sample = _sample(files, half, work)
    columns = {"en": pa.uint32(), "xx": pa.uint32(), "evidence": pa.float32()}
    arrays = [np.empty(0, kind.to_pandas_dtype()) for kind in columns.values()]
    if sample.num_rows >= alignment.MIN_HALF_PAIRS * (2 if half is None else 1):
        links = alignment.learn_links(*_both_sides(sample))
        arrays = [links.en, links.xx, links.evidence]
    _write(path, pa.schema(columns), arrays, inputs)


def write_counts(work: Workspace, path: Path, files: Files, inputs: str) -> None:
    """Write `token_counts`: how often each token occurs in the sample of both halves."""
    sides = _both_sides(_sample(files, None, work))
    distinct = [np.unique(side.tokens, return_counts=True) for side in sides]
    schema = pa.schema({"is_english": pa.bool_(), "token": pa.uint32(), "count": pa.int64()})
    is_english = np.repeat([True, False], [len(tokens) for tokens, _ in distinct])
    arrays = [is_english, *(np.concatenate(own) for own in zip(*distinct, strict=True))]
    _write(path, schema, arrays, inputs)


def write_evidence(work: Workspace, path: Path, files: Files, half: int, inputs: str) -> None:
    """Write `usual_evidence` of a half: what its tokens get by the links that the other half teaches."""
    *tokens, links = files
    own, others = (_both_sides(_sample(tokens, number, work)) for number in (half, 1 - half))
    judge = alignment.make_judge(_links(links, work), *own, *others)
    columns = {
        "is_english": [np.full(len(usual.counts), usual is judge.en) for usual in (judge.en, judge.xx)],
        "position": [np.arange(len(usual.counts)) for usual in (judge.en, judge.xx)],
        "token": [np.append(usual.tokens, np.uint32(0)) for usual in (judge.en, judge.xx)],
    }
    for name in ("counts", "num", "total", "squares"):
        columns[name] = [getattr(usual, name) for usual in (judge.en, judge.xx)]
    table = pa.table({name: np.concatenate(arrays) for name, arrays in columns.items()})
    content = json.dumps({name: getattr(judge.content, name).tolist() for name in CONTENT})
    metadata = {"inputs": inputs, "sample_end": str(_sample_end(tokens)), "content": content}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")


def write_random(work: Workspace, path: Path, files: Files, half: int, inputs: str) -> None:
    """Write `random_pairs` of a half: the alignments of random pairs, by corpus, and of the whole language.

    Without links, which a half with too few pairs does not teach, there are none, so that no pair is judged.
    """
    *tokens, links, evidence = files
    is_taught = pq.read_metadata(links).num_rows > 0
    judge, sample = _judge(links, evidence, work), _sample(tokens, half, work)
    corpora = [EVERYWHERE, *sample["corpus"].unique().sort().to_pylist()] if is_taught else []
    names, values, lengths = list[str](), [np.empty(0)], [np.empty(0, np.int32)]
    for corpus in corpora:
        rows = sample.filter(pc.equal(sample["corpus"], corpus)) if corpus else sample
        if corpus and (rows.num_rows < MIN_CORPUS_PAIRS or rows.num_rows == sample.num_rows):
            continue
        aligned, length = judge.align_random(*_both_sides(rows), rows["digest"].to_numpy())
        order = np.lexsort((length, aligned))
        values.append(aligned[order])
        lengths.append(length[order])
        names += [corpus] * len(order)
    schema = pa.schema({"corpus": pa.string(), "alignment": pa.float64(), "en_num_tokens": pa.int32()})
    _write(path, schema, [names, np.concatenate(values), np.concatenate(lengths)], inputs)


def write_scores(work: Workspace, path: Path, files: Files, inputs: str) -> None:
    """Write `alignment_scores` of a part: alignment and chance of its pairs, each by the judge of its half."""
    tokens, *judges = files
    halves = [_HalfJudge(work, *judges[3 * half : 3 * half + 3]) for half in (0, 1)]
    schema = SCORES.with_metadata({"inputs": inputs})
    with (
        work.connect({"alignment_tokens": [tokens]}) as connection,
        pq.ParquetWriter(path, schema, compression="zstd") as writer,
    ):
        for half, judge in enumerate(halves):
            query = f"select * from alignment_tokens where digest % 2 = {half} order by line_number"
            for batch in read_batches(connection.sql(query), BATCH_ROWS):
                arrays = [batch["corpus"], batch["line_number"], *judge.judge_pairs(batch)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


class _HalfJudge:
    """What judges a half, and the random pairs that show what its alignments mean."""

    def __init__(self, work: Workspace, links: Path, evidence: Path, random: Path) -> None:
        self.judge = _judge(links, evidence, work)
        self.sample_end = int((pq.read_metadata(evidence).metadata or {})[b"sample_end"])
        rows = _read("from random_pairs", work, {"random_pairs": [random]})
        self.random = {
            corpus: _random_pairs(rows.filter(pc.equal(rows["corpus"], corpus)))
            for corpus in rows["corpus"].unique().to_pylist()
        }

    def judge_pairs(self, pairs: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
        """Return alignment and chance of pairs of one corpus; null for pairs that are not judged."""
        corpus = pairs["corpus"][0].as_py() if pairs.num_rows else EVERYWHERE
        random = self.random.get(corpus, self.random.get(EVERYWHERE))
        is_counted, sides = pairs["digest"].to_numpy() < self.sample_end, _both_sides(pairs)
        aligned = self.judge.align(*sides, is_counted)
        chance = random.chances(aligned, np.diff(sides[0].ends)) if random else np.empty(len(aligned))
        chance, mask = np.round(chance, CHANCE_DECIMALS), np.isnan(aligned) | (random is None)
        return pa.array(aligned, mask=mask), pa.array(chance, mask=mask)


def write_shares(
    work: Workspace,
    path: Path,
    files: Files,
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
    rows = _read(query, work, tables, {"wrong_chance": alignment.WRONG_CHANCE})
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


def _sample_end(tokens: Files) -> int:
    """Return the digest before which pairs teach: at most SAMPLE_PAIRS of each half, about."""
    num_pairs = sum(int(pq.read_metadata(path).num_rows) for path in tokens)
    return min(1 << DIGEST_BITS, (2 * alignment.SAMPLE_PAIRS << DIGEST_BITS) // max(1, num_pairs))


def _sample(tokens: Files, half: int | None, work: Workspace) -> pa.Table:
    if half is None:
        return pa.concat_tables([_sample(tokens, number, work) for number in (0, 1)])
    values = {"sample_end": _sample_end(tokens), "half": half}
    return _read(sql("alignment_sample"), work, {"alignment_tokens": list(tokens)}, values)


def _both_sides(pairs: pa.Table | pa.RecordBatch) -> "tuple[alignment.Side, alignment.Side]":
    return alignment.side_of(_column(pairs, "en")), alignment.side_of(_column(pairs, "xx"))


def _judge(links: Path, evidence: Path, work: Workspace) -> "alignment.Judge":
    """Return what judges a half, from its tables."""
    usual = []
    for is_english in ("true", "false"):
        query = f"select * exclude is_english from usual_evidence where is_english = {is_english} order by position"
        rows = {
            name: column.to_numpy() for name, column in _columns(_read(query, work, {"usual_evidence": [evidence]}))
        }
        numbers = [rows[name] for name in ("counts", "num", "total", "squares")]
        usual.append(alignment.UsualEvidence(rows["token"][:-1], *numbers))
    content = json.loads((pq.read_metadata(evidence).metadata or {})[b"content"])
    by_length = alignment.UsualByLength(*(np.array(content[name]) for name in CONTENT))
    return alignment.Judge(_links(links, work), usual[0], usual[1], by_length)


def _random_pairs(rows: pa.Table) -> "alignment.RandomPairs":
    return alignment.random_pairs(rows["alignment"].to_numpy(), rows["en_num_tokens"].to_numpy())


def _links(path: Path, work: Workspace) -> "alignment.LinkTable":
    rows = _read("from word_links", work, {"word_links": [path]})
    return alignment.link_table(*(column.to_numpy() for _, column in _columns(rows)))


def _columns(table: pa.Table) -> list[tuple[str, pa.Array]]:
    return [(name, _column(table, name)) for name in table.column_names]


def _column(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    column = table[name]
    return column if isinstance(column, pa.Array) else column.combine_chunks()


def _read(
    query: str, work: Workspace, tables: Mapping[str, Files], values: Mapping[str, Any] | None = None
) -> pa.Table:
    """Return the result of a query over files, whose damage is an error of theirs."""
    with work.connect(tables) as connection:
        return connection.sql(query, params=values or {}).to_arrow_table()


def _write(path: Path, schema: pa.Schema, arrays: Sequence[Any], inputs: str) -> None:
    table = pa.Table.from_arrays(
        [pa.array(a, kind) for a, kind in zip(arrays, schema.types, strict=True)], schema=schema
    )
    pq.write_table(table.replace_schema_metadata({"inputs": inputs}), path, compression="zstd")
