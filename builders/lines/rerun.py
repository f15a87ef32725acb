"""What later filters would do with lines that another threshold releases: a sample is decided on again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from builders.lines.columns import Array, Lines, open_database
from builders.lines.effects import Effect
from builders.lines.search import corpus_ranges
from builders.lines.texts import first_at_random, line_id, read_pairs_at
from builders.pipeline import Filter, decide_again

NUM_SAMPLED = 300


@dataclass(frozen=True)
class Rerun:
    """A sample of the lines that a threshold releases, and what later filters do with them."""

    num_released: int
    num_sampled: int
    num_kept: int
    num_repeated: int  # of a pair that is there already: they would be duplicates
    reasons: Sequence[tuple[str, int]]


def rerun_sample(effect: Effect, thresholds: Mapping[str, float]) -> Rerun:
    """Decide on a sample of released lines again, with other thresholds of one filter."""
    lines, released = effect.lines, effect.released
    chosen = np.sort(first_at_random(lines, released, NUM_SAMPLED))  # from all over: files are sorted by their measures
    if not len(chosen):
        return Rerun(0, 0, 0, 0, [])
    filters = [_changed(rule, thresholds) if rule.name == effect.rule.name else rule for rule in lines.build.filters]
    ngrams = {path.name.split(".")[0]: path for path in lines.build.files("ngrams")}
    rows = decide_again(read_pairs_at(lines, chosen), lines.lang, filters, ngrams)
    passed = rows.filter(pl.col("reject_reason").is_null())
    num_repeated = _count_repeated(lines, passed)
    reasons = Counter(rows["reject_reason"].drop_nulls().to_list())
    return Rerun(len(released), len(chosen), passed.height - num_repeated, num_repeated, reasons.most_common())


def _changed(rule: Filter, thresholds: Mapping[str, float]) -> Filter:
    return replace(rule, thresholds=dict(thresholds), by_language={})


def _count_repeated(lines: Lines, rows: pl.DataFrame) -> int:
    """Return how many lines equal one that `measured` passes on, except for case, spacing and punctuation."""
    query = """
        select count(distinct (sample.en_norm_hash, sample.xx_norm_hash))
        from read_parquet($paths) as measured
        join sample on measured.en_norm_hash = sample.en_norm_hash and measured.xx_norm_hash = sample.xx_norm_hash
        where measured.reject_reason is null
    """
    distinct = rows.select("en_norm_hash", "xx_norm_hash").unique()
    paths = [str(part.measured) for part in lines.parts]
    with open_database().cursor() as connection:
        connection.register("sample", distinct.to_arrow())
        try:
            ((num_repeated,),) = connection.execute(query, {"paths": paths}).fetchall()
        finally:
            connection.unregister("sample")
    return int(num_repeated) + rows.height - distinct.height


def count_replaced(effect: Effect) -> int:
    """Return how many kept pairs that a threshold rejects have a duplicate that passes it and takes their place."""
    lines, codes = effect.lines, [n for n, name in enumerate(effect.lines.names) if name.startswith("duplicate_")]
    duplicates = np.flatnonzero(np.isin(lines.reasons, codes) & ~effect.after)
    if not len(effect.lost) or not len(duplicates):
        return 0
    winners = _winners(lines, duplicates)
    return int(np.isin(effect.lost, winners).sum())


def _winners(lines: Lines, duplicates: Array) -> Array:
    """Return the numbers of the lines that some duplicates repeat."""
    numbers = lines.column("matched_line_number").combine_chunks().take(duplicates).to_numpy(zero_copy_only=False)
    corpora = np.array(lines.column("matched_corpus").combine_chunks().take(duplicates).to_pylist())
    winners = []
    for corpus, ranges in corpus_ranges(lines).items():
        own = numbers[corpora == corpus].astype(np.int64)
        for begin, end in ranges:
            first = line_id(lines, begin)[1]
            winners.append(own[(own >= first) & (own < first + end - begin)] - first + begin)
    return np.concatenate(winners) if winners else np.zeros(0, np.int64)
