"""Write the tables of the alignment of pairs: what the tasks of `alignments` do."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders import alignment
from builders.pipeline.alignment_files import (
    CONTENT,
    SCORES,
    Files,
    both_sides,
    random_domains_of,
    random_pairs_of,
    read_judge,
    read_links,
    read_rows,
    read_sample,
    sample_end,
    write_rows,
)
from builders.pipeline.batches import read_batches
from builders.pipeline.domains import EVERYWHERE, read_domains
from builders.pipeline.kept_texts import read_kept_texts
from builders.workspace import Query, Workspace, write_groups

BATCH_ROWS = 50_000  # pairs whose texts or tokens are in memory at the same time
CHANCE_DECIMALS = 4
TOKENS = pa.schema(
    {
        "digest": pa.int64(),
        "corpus": pa.string(),
        "line_number": pa.int64(),
        "en": pa.list_(pa.uint32()),
        "xx": pa.list_(pa.uint32()),
    }
)
RANDOM = pa.schema(
    {
        "corpus": pa.string(),
        "domain": pa.int64(),
        "alignment": pa.float64(),
        "en_num_tokens": pa.int32(),
        "chance": pa.float64(),
        "domain_chance": pa.float64(),
    }
)


def write_tokens(work: Workspace, path: Path, decisions: Query, pairs: Path, lang: str, inputs: str) -> None:
    """Write `alignment_tokens` of a part: the tokens of the pairs that `decisions`, without alignment, keeps."""
    tables = (
        pa.Table.from_arrays(
            [
                *(batch[name] for name in ("digest", "corpus", "line_number")),
                alignment.tokenize(batch["en"], "en"),
                alignment.tokenize(batch["xx"], lang),
            ],
            schema=TOKENS,
        )
        for batch in read_kept_texts(work, decisions, pairs)
    )
    write_groups(path, TOKENS, tables, inputs)


def write_links(work: Workspace, path: Path, files: Files, inputs: str, half: int | None = None) -> None:
    """Write `word_links` of a half, or of both: the links that its sample teaches; none if it has too few pairs."""
    sample = read_sample(files, half, work)
    columns = {"en": pa.uint32(), "xx": pa.uint32(), "evidence": pa.float32()}
    arrays = [np.empty(0, kind.to_pandas_dtype()) for kind in columns.values()]
    if sample.num_rows >= alignment.MIN_HALF_PAIRS * (2 if half is None else 1):
        links = alignment.learn_links(*both_sides(sample))
        arrays = [links.en, links.xx, links.evidence]
    write_rows(path, pa.schema(columns), arrays, inputs)


def write_counts(work: Workspace, path: Path, files: Files, inputs: str) -> None:
    """Write `token_counts`: how often each token occurs in the sample of both halves."""
    sides = both_sides(read_sample(files, None, work))
    distinct = [np.unique(side.tokens, return_counts=True) for side in sides]
    schema = pa.schema({"is_english": pa.bool_(), "token": pa.uint32(), "count": pa.int64()})
    is_english = np.repeat([True, False], [len(tokens) for tokens, _ in distinct])
    arrays = [is_english, *(np.concatenate(own) for own in zip(*distinct, strict=True))]
    write_rows(path, schema, arrays, inputs)


def write_evidence(work: Workspace, path: Path, files: Files, half: int, inputs: str) -> None:
    """Write `usual_evidence` of a half: what its tokens get by the links that the other half teaches."""
    *tokens, links = files
    own, others = (both_sides(read_sample(tokens, number, work)) for number in (half, 1 - half))
    judge = alignment.make_judge(read_links(links, work), *own, *others)
    columns = {
        "is_english": [np.full(len(usual.counts), usual is judge.en) for usual in (judge.en, judge.xx)],
        "position": [np.arange(len(usual.counts)) for usual in (judge.en, judge.xx)],
        "token": [np.append(usual.tokens, np.uint32(0)) for usual in (judge.en, judge.xx)],
    }
    for name in ("counts", "num", "total", "squares"):
        columns[name] = [getattr(usual, name) for usual in (judge.en, judge.xx)]
    table = pa.table({name: np.concatenate(arrays) for name, arrays in columns.items()})
    content = json.dumps({name: getattr(judge.content, name).tolist() for name in CONTENT})
    metadata = {"inputs": inputs, "sample_end": str(sample_end(tokens)), "content": content}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")


def write_random(work: Workspace, path: Path, files: Files, half: int, inputs: str) -> None:
    """Write `random_pairs` of a half: those of corpora and of the whole language, and those of their domains.

    Without links, which a half with too few pairs does not teach, there are none, so that no pair is judged.
    """
    *tokens, links, evidence, words = files
    judge, sample = read_judge(links, evidence, work), read_sample(tokens, half, work)
    is_taught = pq.read_metadata(links).num_rows > 0
    tables = [RANDOM.empty_table()]
    for corpus, domains in read_domains(words, work).items() if is_taught else ():
        rows = sample.filter(pc.equal(sample["corpus"], corpus)) if corpus else sample
        tables += _align_random(corpus, judge, domains, rows)
    pq.write_table(pa.concat_tables(tables).replace_schema_metadata({"inputs": inputs}), path, compression="zstd")


def _align_random(
    corpus: str, judge: "alignment.Judge", domains: "alignment.Domains", rows: pa.Table
) -> Iterator[pa.Table]:
    """Yield the random pairs of a corpus, and of each of its domains that has enough."""
    sides, digests = both_sides(rows), rows["digest"].to_numpy()
    aligned, length = judge.align_random(*sides, digests)
    order, nulls = np.lexsort((length, aligned)), pa.nulls(len(aligned), pa.float64())
    names = pa.array([corpus] * len(aligned), pa.string())
    none = pa.nulls(len(aligned), pa.int64())
    yield pa.Table.from_arrays([names, none, aligned[order], length[order], nulls, nulls], schema=RANDOM)
    if not len(aligned):
        return
    random, domain = alignment.random_pairs(aligned, length), domains.of(sides[0])
    for number in range(alignment.NUM_DOMAINS):
        own = rows.take(np.flatnonzero(domain == number))
        aligned, length = alignment.align_domain(judge, *both_sides(own), own["digest"].to_numpy())
        order = np.lexsort((length, aligned))
        aligned, length = aligned[order], length[order]
        pairs = alignment.RandomDomain(aligned, random.chances(aligned, length))
        names, numbers = pa.array([corpus] * len(aligned), pa.string()), pa.array([number] * len(aligned), pa.int64())
        yield pa.Table.from_arrays([names, numbers, aligned, length, pairs.chance, pairs.own_chances], schema=RANDOM)


def write_scores(work: Workspace, path: Path, files: Files, inputs: str) -> None:
    """Write `alignment_scores` of a part: alignment and chance of its pairs, each by the judge of its half."""
    tokens, words, *judges = files
    domains = read_domains(words, work)
    halves = [_HalfJudge(work, domains, *judges[3 * half : 3 * half + 3]) for half in (0, 1)]
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

    def __init__(
        self, work: Workspace, domains: "Mapping[str, alignment.Domains]", links: Path, evidence: Path, random: Path
    ) -> None:
        self.judge, self.domains = read_judge(links, evidence, work), domains
        self.sample_end = int((pq.read_metadata(evidence).metadata or {})[b"sample_end"])
        rows = read_rows("from random_pairs", work, {"random_pairs": [random]})
        self.random, self.random_domains = random_pairs_of(rows), random_domains_of(rows)

    def judge_pairs(self, pairs: pa.RecordBatch) -> list[pa.Array]:
        """Return alignment, chance, domain and chance in it of pairs of one corpus; null for what is not judged."""
        corpus = pairs["corpus"][0].as_py() if pairs.num_rows else EVERYWHERE
        corpus = corpus if corpus in self.random else EVERYWHERE
        is_counted, sides = pairs["digest"].to_numpy() < self.sample_end, both_sides(pairs)
        aligned = self.judge.align(*sides, is_counted)
        chance, domain = np.full(len(aligned), np.nan), np.full(len(aligned), -1)
        if corpus in self.random:
            chance = self.random[corpus].chances(aligned, np.diff(sides[0].ends))
            domain = self.domains[corpus].of(sides[0])
        chance[np.isnan(aligned)] = np.nan
        domain_chance = np.full(len(aligned), np.nan)
        for number, random in self.random_domains.get(corpus, {}).items():
            rows = np.flatnonzero(domain == number)
            domain_chance[rows] = random.chances(aligned[rows], chance[rows])
        is_unknown, has_none = np.isnan(chance), np.isnan(domain_chance)
        return [
            pa.array(aligned, mask=is_unknown),
            pa.array(np.round(chance, CHANCE_DECIMALS), mask=is_unknown),
            pa.array(domain, mask=has_none),
            pa.array(np.round(domain_chance, CHANCE_DECIMALS), mask=has_none),
        ]
