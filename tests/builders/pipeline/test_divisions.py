"""Any division of the work, any order of tasks and any number of threads give the rows of a brute-force oracle."""

import json
import random
import shutil
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import builders.pipeline.parts
import builders.pipeline.ranges
import builders.workspace.workspace
from builders.budget import Budget
from builders.pipeline import BuildResult
from builders.pipeline.near_duplicates import MIN_LENGTH, NGRAM_SIZE
from builders.run import run_build, run_publish
from builders.workspace import Task, ThreadWorkers, WorkerPool, Workspace
from corpora.catalog import language
from corpora.errors import InputError

pytestmark = pytest.mark.slow

MOST_COUNTERPARTS = 2
SIMILAR = 0.8
TEXTS = {
    "en": (
        "The old harbour was closed in winter because the storms had damaged the northern wall of the lighthouse.",
        "Every spring the farmers of the valley bring their first cherries to the market in front of the town hall.",
        "The museum keeps three hundred letters that the poet wrote to her brother while she lived in Alexandria.",
        "Nobody in the laboratory expected it.",
    ),
    "el": (
        "Το παλιό λιμάνι έκλεισε τον χειμώνα επειδή οι θύελλες είχαν καταστρέψει τον βόρειο τοίχο του φάρου.",
        "Κάθε άνοιξη οι αγρότες της κοιλάδας φέρνουν τα πρώτα τους κεράσια στην αγορά μπροστά στο δημαρχείο.",
        "Το μουσείο φυλάει τριακόσιες επιστολές που έγραψε η ποιήτρια στον αδελφό της όσο ζούσε στην Αλεξάνδρεια.",
        "Κανείς στο εργαστήριο δεν το περίμενε.",
    ),
    "vi": (
        "Bến cảng cũ bị đóng cửa vào mùa đông vì những cơn bão đã làm hư hại bức tường phía bắc của ngọn hải đăng.",
        "Mỗi mùa xuân nông dân trong thung lũng mang những quả anh đào đầu mùa ra chợ trước tòa thị chính.",
        "Bảo tàng lưu giữ ba trăm bức thư mà nhà thơ đã viết cho em trai khi bà sống ở thành phố Alexandria.",
        "Không ai trong phòng thí nghiệm ngờ tới.",
    ),
}
CHANGES = (str, str.upper, "{} Again!".format, "  {}".format)  # to the same, a duplicate, a near one, the same again
SIDE = st.tuples(st.sampled_from([0, 0, 0, 1, 2, 3]), st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3]))
LINE = st.tuples(st.sampled_from([1.0, 1.05, 1.1, 1.1, 1.2]), SIDE, SIDE)
LINES = st.lists(LINE, min_size=1, max_size=14)
CORPUS = st.tuples(st.booleans(), st.dictionaries(st.sampled_from(["el", "el", "vi"]), LINES, min_size=1))
CORPORA = st.lists(CORPUS, min_size=1, max_size=3)
TASKS = [
    {"instruction": f"Name {n} towns by the sea.", "input": "", "output": f"{n} towns of the list."} for n in range(12)
]
TASKS_ROW = """
[tasks]
title = "Tasks"
kind = "instructions"
version = "1"
format = "alpaca-json"
url = "tasks.json"
langs = ["en"]
licence = "cc0-1.0"
"""
NAMES = ("zulu", "alpha", "mike")
FOLDERS = count()
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a build takes too long to be repeated for smaller examples


@dataclass(frozen=True)
class Division:
    """How the work is divided, and in which order it is done: by threads, or one task of those that are ready."""

    part_rows: int
    range_rows: int
    threads: int
    seed: int | None


WHOLE = Division(10**6, 10**6, 1, None)
DIVISION = st.builds(
    Division, st.integers(1, 12), st.sampled_from([5, 9, 20, 60]), st.integers(1, 3), st.none() | st.integers(0, 99)
)


@dataclass(frozen=True)
class Release:
    """What is built: of the filters, and of the release."""

    exact_only: bool
    near: bool
    all_in_one: bool
    max_pairs: int | None
    validation: float
    budget: int | None

    def recipe(self) -> str:
        """The recipe's keys beside corpora and languages."""
        off = [
            "length_ratio",
            "wrong_language_en",
            "wrong_language_xx",
            *(["duplicate_normalised"] if self.exact_only else []),
        ]
        text = f"disable_filters = {off}\n" + 'enable_filters = ["near_duplicate"]\n' * self.near
        text += f"max_pairs = {self.max_pairs}\n" if self.max_pairs else ""
        return text + f"[filters]\none_to_many = {{ max = {MOST_COUNTERPARTS} }}\n"

    def changes(self) -> Mapping[str, str]:
        """What is replaced in the recipe that `request_for` writes."""
        configs = {'configs = "language"': f'configs = "{"all" if self.all_in_one else "language"}"'}
        validation = {"validation = 0\n": f"validation = {self.validation}\n"}
        tasks = {"decontaminate_against": 'instructions = ["tasks"]\ninstruction_langs = ["en"]\ndecontaminate_against'}
        return configs | validation | tasks | {'directions = ["en-xx"]': 'directions = ["en-xx", "xx-en"]'}


RELEASE = st.builds(
    Release,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(1, 6),
    st.sampled_from([0, 0.4]),
    st.none() | st.integers(1, 12),
)


class ShuffledExecutor:
    """Does tasks one by one, in any order that their needs allow."""

    def __init__(self, work: Workspace, threads: int, seed: int) -> None:
        self.work, self.dice = work, random.Random(seed)
        self.pending: dict[Path, Task] = {}

    def submit(self, task: Task) -> Path:
        """Take a task."""
        path = self.work.path(task)
        if path not in self.pending and (self.pending.keys() & set(task.needs) or not self.work.can_reuse(task)):
            self.pending[path] = task
        return path

    def wait(self, paths: Collection[Path], some: bool = False) -> set[Path]:
        """Do tasks until all of the files, or one, are there."""
        enough = any if some else all
        while not enough(path not in self.pending and self.work.is_intact(path) for path in paths):
            ready = [path for path, task in self.pending.items() if not self.pending.keys() & set(task.needs)]
            path = self.dice.choice(ready)
            self.work.write(self.pending[path])
            del self.pending[path]
        return {path for path in paths if path not in self.pending and self.work.is_intact(path)}

    def start_workers(self, kind: Callable[..., Any], *arguments: Any, num_threads: int) -> WorkerPool:
        """Start threads of this process."""
        return ThreadWorkers(kind(*arguments).do, num_threads)

    def device(self) -> None:
        """Return None: this machine."""

    def close(self) -> None:
        """Forget what is not done."""
        self.pending.clear()


@contextmanager
def divided(division: Division) -> Iterator[None]:
    """Divide the work of builds within the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builders.pipeline.parts, "PART_ROWS", division.part_rows)
        patch.setattr(builders.pipeline.ranges, "RANGE_ROWS", division.range_rows)
        if division.seed is not None:
            executor = partial(ShuffledExecutor, seed=division.seed)
            patch.setattr(builders.workspace.workspace, "LocalExecutor", executor)
        yield


def written(corpora: Sequence[Any]) -> dict[str, dict[str, list[tuple[float | None, str, str]]]]:
    """The lines of corpora by name and language, from what Hypothesis has drawn."""
    return {
        name: {
            lang: [(None if has_no_margins else margin, side("en", *en), side(lang, *xx)) for margin, en, xx in lines]
            for lang, lines in by_lang.items()
        }
        for name, (has_no_margins, by_lang) in zip(NAMES, corpora, strict=False)
    }


def side(lang: str, text: int, change: int) -> str:
    return CHANGES[change](TEXTS[lang][text])


def normalized(text: str) -> str:
    lower = text.lower().replace("ς", "σ")
    return "".join(c for c in lower if unicodedata.category(c)[0] in "LMN")


def ngrams(pair: "Pair", lang: str) -> set[tuple[str, str]]:
    """The n-grams of both sides; none if one is too short."""
    ratio = language(lang).ratio
    if len(pair.en_norm) < MIN_LENGTH or len(pair.xx_norm) < round(MIN_LENGTH * ratio):
        return set()
    sides = (("en", pair.en_norm, NGRAM_SIZE), ("xx", pair.xx_norm, max(2, round(NGRAM_SIZE * ratio))))
    return {(name, text[i : i + n]) for name, text, n in sides for i in range(len(text) - n + 1)}


@dataclass(frozen=True)
class Pair:
    """A line, as the oracle compares it."""

    corpus: str
    line: int
    margin: float | None
    en: str
    xx: str
    en_norm: str
    xx_norm: str

    @property
    def rank(self) -> tuple[float, int, int]:
        """Its rank: the smallest is kept."""
        return (-(float("-inf") if self.margin is None else self.margin), NAMES.index(self.corpus), self.line)


Decisions = dict[tuple[str, int], tuple[str | None, str | None, int | None]]  # reason and the pair that is repeated


def oracle(corpora: Mapping[str, Mapping[str, Sequence[Any]]], lang: str, release: Release) -> Decisions:
    """The decision on every line of a language, by comparing all with all."""
    pairs = [
        Pair(corpus, line, margin, en.strip(), xx.strip(), normalized(en), normalized(xx))
        for corpus, by_lang in corpora.items()
        for line, (margin, en, xx) in enumerate(by_lang.get(lang, ()), 1)
    ]
    decisions: Decisions = {}

    def reject(pair: Pair, reason: str, other: Pair | None = None) -> None:
        decisions[pair.corpus, pair.line] = (reason, other and other.corpus, other and other.line)

    def left() -> list[Pair]:
        own = [pair for pair in pairs if (pair.corpus, pair.line) not in decisions]
        return sorted(own, key=lambda pair: pair.rank)

    for pair in pairs:
        if pair.margin is not None and pair.margin < 1.04:
            reject(pair, "low_margin")
    first: dict[tuple[str, str], Pair] = {}
    for pair in left():
        key = (pair.en, pair.xx) if release.exact_only else (pair.en_norm, pair.xx_norm)
        best = first.setdefault(key, pair)
        if best is not pair:
            is_exact = (best.en, best.xx) == (pair.en, pair.xx)
            reject(pair, "duplicate_exact" if is_exact else "duplicate_normalised", best)
    kept, grams = left(), {pair: ngrams(pair, lang) for pair in left()}
    for number, pair in enumerate(kept if release.near else ()):
        for better in kept[:number]:
            both = grams[pair] | grams[better]
            if grams[pair] and grams[better] and len(grams[pair] & grams[better]) / len(both) >= SIMILAR:
                reject(pair, "near_duplicate", better)
                break
    counterparts = defaultdict[tuple[str, str], set[str]](set)
    for pair in left():
        counterparts["en", pair.en_norm].add(pair.xx_norm)
        counterparts["xx", pair.xx_norm].add(pair.en_norm)
    for pair in left():
        if max(len(counterparts["en", pair.en_norm]), len(counterparts["xx", pair.xx_norm])) > MOST_COUNTERPARTS:
            reject(pair, "one_to_many")
    return {(pair.corpus, pair.line): decisions.get((pair.corpus, pair.line), (None, None, None)) for pair in pairs}


def decided(lines: pl.DataFrame) -> Decisions:
    """The decisions of a build."""
    columns = ("reject_reason", "matched_corpus", "matched_line_number")
    return {(row["corpus"], row["line_number"]): tuple(row[name] for name in columns) for row in lines.to_dicts()}


def published(options: Any, release: Release) -> tuple[BuildResult, dict[str, bytes]]:
    """A build, and the bytes of every file of its release."""
    budget = Budget(release.budget, allow_partial=True) if release.budget else None
    registry = options.work.parent / "registry"
    try:
        folder = run_publish(options, registry, budget=budget)[0].folder()
    except InputError as error:  # no pair is kept
        return run_build(options)[0], {"error": str(error).encode()}
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return run_build(options)[0], files


@settings(deadline=None, max_examples=2, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CORPORA, RELEASE, DIVISION)
def test_any_division_gives_the_rows_of_an_oracle_and_the_same_release(
    tmp_path: Path, request_for: Any, drawn: Sequence[Any], release: Release, division: Division
) -> None:
    folder = tmp_path / str(next(FOLDERS))
    folder.mkdir()
    corpora = written(drawn)
    options = request_for(corpora, release.recipe(), folder)
    (folder / "tasks.json").write_text(json.dumps(TASKS))
    with (folder / "corpora.toml").open("a") as catalog:
        catalog.write(TASKS_ROW)
    recipe = Path(options.recipes[0])
    for before, after in release.changes().items():
        recipe.write_text(recipe.read_text().replace(before, after))
    found = []
    for own in (WHOLE, division):
        shutil.rmtree(folder / "work", ignore_errors=True)
        shutil.rmtree(folder / "registry", ignore_errors=True)
        with divided(own):
            built, files = published(replace(options, threads=own.threads), release)
            lines = {lang: built.lines(lang).collect().sort("corpus", "line_number") for lang in built.parts}
        for lang in built.parts:
            assert decided(lines[lang]) == oracle(corpora, lang, release)
        found.append((lines, files))
    (whole, files), (parts, files_of_parts) = found
    assert all(whole[lang].equals(parts[lang]) for lang in whole)
    assert files == files_of_parts
