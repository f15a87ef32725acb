"""Make the rows of `character_counts` with compiled code, batch by batch, ahead of the query that reads them."""

from collections import deque
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from builders.pipeline.measuring import kernel, sha256
from builders.pipeline.measuring.characters import character_table, class_sums
from builders.pipeline.ngram_index import NgramIndex
from corpora.catalog import language
from corpora.compiled import cache_folder
from corpora.language_id import find_variants

BATCH_ROWS = 25_000
BATCHES_AHEAD = 2  # that are counted before the query asks for them
KEPT, DIGITS, DIVISOR, OWN, OWN_OR_MARK, UNEXPECTED, FIRST_VARIANT, SECOND_VARIANT = range(8)  # the counters of a text

Array = NDArray[Any]


class Side:
    """The texts of one side of a batch, and what compiled code finds in them."""

    def __init__(self, texts: pa.Array, table: Array) -> None:
        self.as_read, self.table = texts, table
        self.texts = texts.fill_null("") if texts.null_count else texts

    def find_unclean(self) -> pa.Array:
        """Count the characters of all texts, and return those that stripping may change."""
        data, ends = _bytes_of(self.texts)
        self.lengths, self.may_change = np.empty(len(self.texts), np.int64), np.empty(len(self.texts), np.bool_)
        kernel.find_unclean(data, ends, self.table, self.lengths, self.may_change)
        return self.texts.filter(pa.array(self.may_change))

    def replace(self, clean: pa.Array) -> None:
        """Replace the texts that `find_unclean` returned."""
        if len(clean):
            self.texts = pc.replace_with_mask(self.texts, pa.array(self.may_change), clean)
            self.lengths[self.may_change] = pc.utf8_length(clean).to_numpy()
        is_same = pc.fill_null(pc.equal(self.texts, self.as_read), True)
        self.cleaned = pc.if_else(is_same, None, self.texts)

    def count(self, is_read: Array, find_words: bool) -> None:
        """Normalize the texts that are read, and count the classes of their characters."""
        data, ends = _bytes_of(self.texts)
        rows = len(self.texts)
        self.buffer = pa.allocate_buffer(int(ends[-1] - ends[0]) * 3 // 2 + 8)
        self.norm, self.norm_ends = np.frombuffer(self.buffer, np.uint8), np.empty(rows + 1, np.int32)
        self.counts, self.flags = np.empty((rows, kernel.NUM_COUNTS), np.int64), np.empty(rows, np.uint8)
        output = (self.norm, self.norm_ends, self.counts, self.flags)
        kernel.count_characters(data, ends, is_read, self.table, class_sums(), find_words, *output)

    def has(self, flag: int) -> Array:
        return (self.flags & flag) > 0

    def norms(self, is_read: Array) -> pa.Array:
        """Return the normalized texts; null for texts that are not read."""
        ends = pa.array(self.norm_ends).buffers()[1]
        return pa.StringArray.from_buffers(len(is_read), ends, self.buffer, _validity(is_read))

    def hashes(self, is_read: Array) -> tuple[pa.Array, pa.Array]:
        """Return `hash_128` of the texts that are read, and of the same normalized."""
        as_read, normalized = _bytes_of(self.texts), (self.norm, self.norm_ends)
        return _hashes(*as_read, is_read), _hashes(*normalized, is_read)


class BatchCounter:
    """Makes the rows of `character_counts` for batches of `pairs` of one language."""

    def __init__(
        self, lang: str, early: str, parameters: Mapping[str, Any], indexes: tuple[NgramIndex, NgramIndex] | None
    ) -> None:
        variants = find_variants(lang)
        first, second = (variant.characters for variant in variants) if variants else ("", "")
        folder = cache_folder(kernel.count_characters)
        self.english = character_table(("Latin",), "", "", folder)
        self.foreign = character_table(tuple(language(lang).script), first, second, folder)
        self.has_variants, self.early, self.parameters = variants is not None, early, parameters
        self.indexes = indexes

    def count(self, batch: pa.RecordBatch, database: duckdb.DuckDBPyConnection) -> pa.RecordBatch:
        """Return a row of `character_counts` for each row of a batch."""
        en, xx = Side(batch["en"], self.english), Side(batch["xx"], self.foreign)
        _clean(en, xx, database)
        kept = {name: batch[name] for name in ("corpus", "lang", "line_number", "margin", "read_error")}
        columns = kept | {"en": en.texts, "xx": xx.texts, "en_length": en.lengths, "xx_length": xx.lengths}
        reason = _query(database, self.early, pa.table(columns), self.parameters)
        is_read = np.asarray(reason.is_null())
        en.count(is_read, find_words=False)
        xx.count(is_read, find_words=True)
        columns |= {"en_cleaned": en.cleaned, "xx_cleaned": xx.cleaned, "early_reject_reason": reason}
        columns |= {"en_norm": en.norms(is_read), "xx_norm": xx.norms(is_read)} | self.matches(en, xx)
        columns |= dict(zip(("en_hash", "en_norm_hash"), en.hashes(is_read), strict=True))
        columns |= dict(zip(("xx_hash", "xx_norm_hash"), xx.hashes(is_read), strict=True))
        columns |= _flags(en, xx, is_read) | _counts(en, xx, is_read) | {"variant_share": self.variant_share(xx)}
        return pa.RecordBatch.from_pydict(columns)

    def matches(self, en: Side, xx: Side) -> dict[str, Array]:
        """Return the columns that say whether a text may contain a benchmark text."""
        may_match = [np.ones(len(side.texts), np.bool_) for side in (en, xx)]
        for side, index, column in zip((en, xx), self.indexes or (), may_match, strict=False):
            index.probe(side.norm, side.norm_ends, column)
        return {"en_may_match": may_match[0], "xx_may_match": may_match[1]}

    def variant_share(self, xx: Side) -> pa.Array:
        first, second = xx.counts[:, FIRST_VARIANT], xx.counts[:, SECOND_VARIANT]
        num = first + second
        return pa.array(second / np.maximum(num, 1), mask=(num == 0) | (not self.has_variants))


def _clean(en: Side, xx: Side, database: duckdb.DuckDBPyConnection) -> None:
    """Strip the texts of both sides that need it."""
    unclean = [en.find_unclean(), xx.find_unclean()]
    texts = pa.table({"text": pa.chunked_array(unclean)})
    clean = _query(database, "strip_whitespace(text)", texts)
    en.replace(clean.slice(0, len(unclean[0])))
    xx.replace(clean.slice(len(unclean[0])))


def _flags(en: Side, xx: Side, is_read: Array) -> dict[str, pa.Array]:
    """Return the columns that say whether a search is worth its time, and the one that compiled code finds."""
    edges = np.empty(len(is_read), np.bool_)
    both = (en.norm, en.norm_ends, xx.norm, xx.norm_ends)
    kernel.find_shared_edges(*both, xx.counts[:, KEPT].copy(), xx.has(kernel.HAS_URL), edges)
    may_repeat = np.zeros(len(is_read), np.bool_)
    for side in (en, xx):
        kernel.find_repeats(side.norm, side.norm_ends, side.counts[:, KEPT].copy(), may_repeat)
    has_digits = (en.counts[:, DIGITS] > 0) & (xx.counts[:, DIGITS] > 0)
    suspicious = en.has(kernel.IS_SUSPICIOUS) | xx.has(kernel.IS_SUSPICIOUS)
    return {
        "has_numbers": pa.array(has_digits & en.has(kernel.HAS_TWO_DIGITS)),
        "has_signs": pa.array(is_read & (en.has(kernel.HAS_SIGNS) | xx.has(kernel.HAS_SIGNS))),
        "may_repeat": pa.array(may_repeat),
        "has_english_words": pa.array(xx.has(kernel.HAS_ENGLISH_WORD)),
        "is_suspicious": pa.array(suspicious, mask=~is_read),
        "copies_source_edge": pa.array(edges, mask=~is_read),
    }


def _counts(en: Side, xx: Side, is_read: Array) -> dict[str, pa.Array]:
    """Return the columns that are computed from counts, by the formulas of character_counts.sql."""
    is_ascii = np.diff(en.norm_ends) == en.counts[:, KEPT]
    with np.errstate(divide="ignore", invalid="ignore"):
        en_share = np.where(is_ascii, 1.0, en.counts[:, OWN_OR_MARK] / en.counts[:, DIVISOR])
    is_expected = (xx.counts[:, UNEXPECTED] == 0) & (xx.counts[:, OWN_OR_MARK] > 0)
    xx_share = np.where(is_expected, 1.0, xx.counts[:, OWN] / np.maximum(1, xx.counts[:, DIVISOR]))
    values = {
        "en_num_letters": en.counts[:, KEPT] - en.counts[:, DIGITS],
        "xx_num_letters": xx.counts[:, KEPT] - xx.counts[:, DIGITS],
        "script_share": xx_share,
        "en_script_share": en_share,
    }
    return {name: pa.array(column, mask=~is_read) for name, column in values.items()}


class BatchReader:
    """Reads a part of `pairs` and makes its rows of `character_counts`, a few batches ahead of the query."""

    def __init__(self, part: Path, counter: BatchCounter, database: duckdb.DuckDBPyConnection) -> None:
        self.error: BaseException | None = None
        """What ended the reading; DuckDB reports it as an error of its own."""
        self._part, self._counter = part, counter
        self._database = database.cursor()  # of the one thread that counts
        self._batches = self._ahead()

    def reader(self) -> pa.RecordBatchReader:
        """Return a stream of all batches, in the order of lines."""
        first = next(self._batches)
        return pa.RecordBatchReader.from_batches(first.schema, chain([first], self._batches))

    def close(self) -> None:
        """Wait until the thread has ended."""
        self._batches.close()
        self._database.close()

    def _ahead(self) -> Generator[pa.RecordBatch]:
        """Yield batches in order, at least one, while a thread counts the next ones."""
        waiting: deque[Future[pa.RecordBatch]] = deque()
        pool = ThreadPoolExecutor(1)
        try:
            for batch in _batches_of(self._part):
                waiting.append(pool.submit(self._counter.count, batch, self._database))
                if len(waiting) > BATCHES_AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except Exception as error:
            self.error = error
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _batches_of(part: Path) -> Iterator[pa.RecordBatch]:
    """Yield batches of one row group each: readers bound the bytes of a row group, however long lines are."""
    file = pq.ParquetFile(part)
    if not file.metadata.num_rows:
        yield pa.RecordBatch.from_pylist([], file.schema_arrow)
    for group in range(file.num_row_groups):
        yield from file.iter_batches(BATCH_ROWS, row_groups=[group])


def _query(
    database: duckdb.DuckDBPyConnection, expression: str, rows: pa.Table, parameters: Mapping[str, Any] | None = None
) -> pa.Array:
    """Return an expression of texts over the rows of a table."""
    values = {name: value for name, value in (parameters or {}).items() if f"${name}" in expression}
    database.register("rows_of_batch", rows)
    result = database.sql(f"select {expression} as result from rows_of_batch as filter_row", params=values)
    return result.to_arrow_table()["result"].combine_chunks().cast(pa.string())


def _bytes_of(texts: pa.StringArray) -> tuple[Array, Array]:
    """Return the bytes of texts without nulls, and where each begins and ends."""
    _, ends, data = texts.buffers()
    both = np.frombuffer(data or b"", np.uint8), np.frombuffer(ends, np.int32)
    for array in both:
        array.flags.writeable = False  # one type, so that functions are compiled once
    return both[0], both[1][texts.offset : texts.offset + len(texts) + 1]


def _hashes(text: Array, ends: Array, is_read: Array) -> pa.Array:
    digests = np.empty((len(is_read), 4), np.uint32)
    sha256.hash_texts(text, ends, is_read, digests)
    buffers = [_validity(is_read), pa.array(digests.ravel()).buffers()[1]]
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.Array.from_buffers(pa.binary(16), len(is_read), buffers))


def _validity(is_valid: Array) -> pa.Buffer:
    """Return a mask as Arrow's bitmap of values that are not null."""
    return pa.array(np.packbits(is_valid, bitorder="little")).buffers()[1]
