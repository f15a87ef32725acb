"""The scores of a work folder, by the content of pairs: a pair is scored once, whichever filters change above it.

A folder for each model and language has one for each part of a corpus that was scored: tables of scores, and below
`batches` those that a run has finished. A killed run's batches are found by their names, which depend on their pairs.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.scoring.scorer import Scorer
from corpora.files import atomic_path, remove_leftovers

BATCH_PAIRS = 256
SCHEMA = pa.schema([("digest", pa.string()), ("score", pa.float64())])

Texts = Mapping[str, tuple[str, str]]  # pairs by digest


@dataclass(frozen=True)
class ScoreStore:
    """The scores of one model in one language, and of a part of a corpus that is being scored."""

    folder: Path
    part: str

    def known(self, digests: Iterable[str]) -> dict[str, float | None]:
        """Return the scores of those of some pairs that tables have."""
        rows = [SCHEMA.empty_table()]
        rows += [table for path in sorted(self.folder.glob("*/[0-9a-f]*.parquet")) if (table := _read(path))]
        scores = pa.concat_tables(rows)
        scores = scores.filter(pc.is_in(scores["digest"], pa.array(list(digests), pa.string())))
        return dict(zip(scores["digest"].to_pylist(), scores["score"].to_pylist(), strict=True))

    @property
    def batches(self) -> Path:
        """The folder of the finished batches of the part."""
        return self.folder / self.part / "batches"

    def batch_path(self, digests: Sequence[str]) -> Path:
        """Return the file of a batch."""
        return self.batches / f"{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:32]}.parquet"

    def compact(self) -> None:
        """Make one table of the batches of the part; a kill in between leaves batches that the table has already."""
        paths = sorted(self.batches.glob("[0-9a-f]*.parquet"))
        if not paths:
            return
        table = pa.concat_tables([SCHEMA.empty_table(), *(own for path in paths if (own := _read(path)))])
        name = hashlib.sha256("".join(path.name for path in paths).encode()).hexdigest()[:32]
        _write(self.folder / self.part / f"{name}.parquet", table.sort_by("digest"))
        for path in paths:
            path.unlink(missing_ok=True)


def score_pairs(
    en: Sequence[str],
    xx: Sequence[str],
    lang: str,
    scorer: Scorer,
    store: ScoreStore,
    advance: Callable[[int], None] = lambda count: None,
) -> list[float | None]:
    """Return the score of each pair, from the store where it has it.

    Args:
        en: English sides.
        xx: The other sides.
        lang: Their language.
        scorer: The model.
        store: Its scores.
        advance: Receives the number of pairs of each batch that is scored; what it raises ends the work.
    """
    digests = [_digest(*pair) for pair in zip(en, xx, strict=True)]
    texts = dict(zip(digests, zip(en, xx, strict=True), strict=True))
    for folder in (store.batches, store.batches.parent):
        remove_leftovers(folder)
    known, plan = _plan(texts, store)
    if set(store.batches.glob("[0-9a-f]*.parquet")) - {store.batch_path(batch) for batch in plan}:
        store.compact()  # of a killed run that had other pairs
        known, plan = _plan(texts, store)
    while plan:  # once more only where a batch's file was damaged
        _score(plan, texts, lang, scorer, store, advance)
        store.compact()
        known, plan = _plan(texts, store)
    return [known[digest] for digest in digests]


def _plan(texts: Texts, store: ScoreStore) -> tuple[dict[str, float | None], list[list[str]]]:
    """Return known scores, and the digests of the other pairs in batches of similar length, the longest first."""
    known = store.known(texts)
    missing = sorted(texts.keys() - known.keys(), key=lambda digest: (-sum(map(len, texts[digest])), digest))
    return known, [missing[start : start + BATCH_PAIRS] for start in range(0, len(missing), BATCH_PAIRS)]


def _score(
    plan: Sequence[Sequence[str]],
    texts: Texts,
    lang: str,
    scorer: Scorer,
    store: ScoreStore,
    advance: Callable[[int], None],
) -> None:
    """Score batches that have no file, as many at a time as the scorer has workers."""

    def score(batch: Sequence[str]) -> int:
        path = store.batch_path(batch)
        if not path.exists():
            en, xx = zip(*(texts[digest] for digest in batch), strict=True)
            _write(path, pa.table({"digest": list(batch), "score": scorer.score(en, xx, lang)}, SCHEMA))
        return len(batch)

    with ThreadPoolExecutor(scorer.num_workers) as pool:
        futures: list[Future[int]] = [pool.submit(score, batch) for batch in plan]
        try:
            for future in futures:
                advance(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _digest(en: str, xx: str) -> str:
    return hashlib.sha256(f"{en}\n{xx}".encode()).hexdigest()[:32]


def _read(path: Path) -> pa.Table | None:
    """Return the scores of a file; a damaged one is removed, so that its pairs are scored again."""
    try:
        return pq.read_table(path, schema=SCHEMA)
    except (pa.ArrowException, OSError):
        path.unlink(missing_ok=True)
        return None


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
