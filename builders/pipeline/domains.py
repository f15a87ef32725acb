"""Tables of the domains of corpora: their words, and which of them are judged by random pairs of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builders import alignment
from builders.pipeline.alignment_files import Files, both_sides, columns_of, read_rows, read_sample
from builders.workspace import Workspace, sql

MIN_CORPUS_PAIRS = 1_000  # of a corpus and half; a corpus with fewer is judged by the random pairs of the language
EVERYWHERE = ""  # the corpus of random pairs of a whole language
WORDS = pa.schema(
    {
        "corpus": pa.string(),
        "domain": pa.int64(),
        "log_size": pa.float64(),
        "bucket": pa.int64(),
        "log_share": pa.float32(),
    }
)
DOMAINS = pa.schema(
    {
        "corpus": pa.string(),
        "domain": pa.int64(),
        "num_pairs": pa.int64(),
        "num_spared": pa.int64(),
        "is_apart": pa.bool_(),
        "words": pa.list_(pa.string()),
    }
)


def write_domain_words(work: Workspace, path: Path, files: Files, inputs: str) -> None:
    """Write `domain_words`: the domains of the whole language, and of each of several corpora that is large enough."""
    sample = read_sample(files, None, work)
    sample = sample.take(np.argsort(sample["digest"].to_numpy(), kind="stable"))
    digests, names = sample["digest"].to_numpy(), sample["corpus"].to_numpy(zero_copy_only=False)
    tables = [WORDS.empty_table()]
    corpora = [EVERYWHERE, *_large_corpora(names, digests)] if sample.num_rows else []
    for corpus in corpora:
        rows = sample.take(np.flatnonzero(names == corpus)) if corpus else sample
        domains = alignment.learn_domains(both_sides(rows)[0])
        num_buckets, num_domains = domains.log_shares.shape
        numbers = np.tile(np.arange(num_domains), num_buckets)
        arrays = [
            pa.array([corpus] * len(numbers), pa.string()),
            numbers,
            np.tile(domains.log_sizes, num_buckets),
            np.repeat(np.arange(num_buckets), num_domains),
            domains.log_shares.ravel(),
        ]
        tables.append(pa.Table.from_arrays([pa.array(own) for own in arrays], schema=WORDS))
    pq.write_table(pa.concat_tables(tables).replace_schema_metadata({"inputs": inputs}), path, compression="zstd")


def _large_corpora(names: Any, digests: Any) -> list[str]:
    """Return the corpora with enough pairs in both halves, if there are several corpora."""
    corpora = sorted(set(names))
    counts = {name: [int(np.sum((names == name) & (digests % 2 == half))) for half in (0, 1)] for name in corpora}
    return [name for name in corpora if min(counts[name]) >= MIN_CORPUS_PAIRS] if len(corpora) > 1 else []


def read_domains(path: Path, work: Workspace) -> "dict[str, alignment.Domains]":
    """Return the domains of each corpus, from `domain_words`."""
    rows = read_rows("from domain_words order by corpus, bucket, domain", work, {"domain_words": [path]})
    columns = {name: column.to_numpy(zero_copy_only=False) for name, column in columns_of(rows)}
    domains = {}
    for corpus in dict.fromkeys(columns["corpus"]):
        own = columns["corpus"] == corpus
        num_domains = int(columns["domain"][own].max()) + 1
        log_shares = np.ascontiguousarray(columns["log_share"][own].reshape(-1, num_domains))
        domains[corpus] = alignment.Domains(log_shares, np.ascontiguousarray(columns["log_size"][own][:num_domains]))
    return domains


def write_domains(
    work: Workspace,
    path: Path,
    inputs: str,
    scores: Sequence[Path],
    random: Sequence[Path],
    shares: Path,
    pairs: Sequence[Path],
) -> None:
    """Write `domains`: how many pairs of each domain its own random pairs would spare, and whether they judge it.

    Args:
        work: The work folder.
        path: File to write.
        inputs: What the file is made from, for its metadata.
        scores: `alignment_scores` of all parts.
        random: `random_pairs` of both halves.
        shares: `misaligned_shares` of the language.
        pairs: The texts of all parts, for the words of domains.
    """
    tables = {"alignment_scores": list(scores), "random_pairs": list(random), "misaligned_shares": [shares]}
    values = {"max_chance": alignment.REJECTED_CHANCE, "wrong_chance": alignment.WRONG_CHANCE}
    rows = []
    for row in read_rows(sql("domains"), work, tables, values).to_pylist():
        others = [row.pop(name) for name in ("num_wrong", "random_spared", "random_wrong")]
        counts = alignment.DomainCounts(row["num_pairs"], row["num_spared"], *others)
        is_apart = counts.is_apart(row.pop("num_corpus_pairs"))
        words = _words_of(row["corpus"], row["domain"], work, scores, pairs) if is_apart else []
        rows.append(row | {"is_apart": is_apart, "words": words})
    table = pa.Table.from_pylist(rows, DOMAINS.with_metadata({"inputs": inputs}))
    pq.write_table(table, path, compression="zstd")


def _words_of(corpus: str, domain: int, work: Workspace, scores: Sequence[Path], pairs: Sequence[Path]) -> list[str]:
    """Return the words that are typical of a domain."""
    tables = {"alignment_scores": list(scores), "pairs": list(pairs)}
    values = {"corpus": corpus, "domain": domain, "most": alignment.MAX_TEXTS}
    rows = read_rows(sql("domain_texts"), work, tables, values).to_pylist()
    own, others = ([row["en"] for row in rows if row["is_own"] == is_own] for is_own in (True, False))
    return alignment.typical_words(own, others)
