"""evaluate(): a model x benchmark x language -> outputs in Parquet, then Result rows in results.jsonl."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from tqdm import tqdm

from corpora.errors import InputError, unknown
from corpora.files import locked
from recipes.results import Result, append_results, read_results
from trainer.evaluation.benchmarks import RELEASE, load_items, plan
from trainer.evaluation.endpoint import Endpoint, ask
from trainer.evaluation.eval_model import Candidate
from trainer.evaluation.exams import task_sha256
from trainer.evaluation.items import Benchmark, Item, Items, Place
from trainer.evaluation.lm_eval_harness import harness_version, sit_exam
from trainer.evaluation.metrics import METRICS, How, Metric, measure
from trainer.evaluation.outputs import Row, outputs
from trainer.recipe import digest

VERSION = 1  # of how answers are made; another one makes them again


@dataclass(frozen=True)
class Evaluation:
    """What a user asks for: a model, benchmarks, languages and directions (all where none is named), metrics."""

    candidate: Candidate
    benchmarks: Sequence[str]
    langs: str | None = None
    directions: Sequence[str] = ()
    metrics: Sequence[str] = ()
    limit: int | None = None
    max_new_tokens: int = 512
    batch_size: int = 32
    place: Place = field(default_factory=Place)
    how: How = field(default_factory=How)
    endpoint: Endpoint | None = None
    out: Path = Path("evaluations")
    results: Path = Path("results.jsonl")

    @property
    def folder(self) -> Path:
        """Where the outputs of this model are kept."""
        return self.out / self.candidate.name.replace("/", "--")


@dataclass(frozen=True)
class Unit:
    """One benchmark in one language and direction, read."""

    benchmark: Benchmark
    lang: str
    direction: str
    items: Items

    @property
    def name(self) -> str:
        return ".".join(filter(None, (self.benchmark.name, self.lang, self.direction)))


def evaluate(asked: Evaluation, tell: Callable[[str], None]) -> Iterator[Result]:
    """Every score that was asked for, written to results.jsonl once its benchmark is done in its language.

    What is there already is not made again: a run that was stopped goes on, and a second run adds no row.
    """
    if asked.results.exists() and (asked.results.is_dir() or asked.results.stat().st_size):
        read_results(asked.results)  # what could not be added to is told before any work
    units = list(_units(asked, tell))
    if not units:
        where = " ".join(filter(None, (asked.langs, *asked.directions))) or "any language"
        raise InputError(f"{', '.join(asked.benchmarks) or 'No benchmark'} asks nothing in {where}.")
    for unit in units:
        chosen_metrics(asked, unit.benchmark)  # what is not known is said before the model is loaded
    with locked(asked.folder, "evaluation"), _bar(asked, units) as bar:
        for unit in units:
            bar.set_description(unit.name)
            metrics = chosen_metrics(asked, unit.benchmark)
            said = {needs: unit_outputs(asked, unit, needs, bar.update) for needs in needed(metrics)}
            for table in said.values():
                if "cut" in table.columns and (cut := table["cut"].sum()):
                    tell(f"{unit.name}: {cut:,} of {len(table):,} texts were too long for the model and were cut.")
            scores = [_score(asked, unit, metric, said[metric.needs]) for metric in metrics]
            append_results(asked.results, scores)
            yield from scores


def _units(asked: Evaluation, tell: Callable[[str], None]) -> Iterator[Unit]:
    for benchmark, lang, direction in plan(asked.benchmarks, asked.langs, asked.directions, asked.place):
        items = load_items(benchmark, lang, direction, asked.place, asked.limit)
        for sentence in items.odd:
            tell(sentence)
        yield Unit(benchmark, lang, direction, items)


def chosen_metrics(asked: Evaluation, benchmark: Benchmark) -> list[Metric]:
    """The metrics of a benchmark: those asked for that fit its task, or its own; InputError if none fits.

    By default only what is at hand is computed: `_at_hand`.
    """
    for name in asked.metrics:
        if name not in METRICS:
            raise unknown("metric", name, METRICS)
    wanted = [METRICS[name] for name in asked.metrics or benchmark.metrics]
    fitting = [metric for metric in wanted if benchmark.task in metric.tasks]
    if not asked.metrics:
        fitting = [metric for metric in fitting if _at_hand(metric, asked)]
    for metric in fitting:
        _check_metric(metric, asked, benchmark)
    if not fitting:
        names = ", ".join(name for name, m in METRICS.items() if benchmark.task in m.tasks)
        raise InputError(f"None of the metrics {', '.join(asked.metrics)} fits {benchmark.name}; these do: {names}.")
    return fitting


def _at_hand(metric: Metric, asked: Evaluation) -> bool:
    """spBLEU needs its pieces, COMET its model, and a server says nothing of what it would have guessed."""
    lacks = {"spbleu": asked.how.pieces is None, "comet": asked.how.comet is None}
    return not lacks.get(metric.name) and not (asked.endpoint and metric.needs == "force")


def _check_metric(metric: Metric, asked: Evaluation, benchmark: Benchmark) -> None:
    metric.signature("en", asked.how)  # says what it lacks
    if asked.endpoint and metric.needs in ("force", "exam"):
        raise InputError(f"{metric.name} needs what the model would have guessed, which a server does not tell.")
    if metric.needs == "force" and benchmark.task == "instruction":
        raise InputError(f"{metric.name} compares with a reference, and {benchmark.name} has none.")


def _bar(asked: Evaluation, units: Sequence[Unit]) -> "tqdm[Any]":
    passes = sum(len(unit.items.items) * len(needed(chosen_metrics(asked, unit.benchmark))) for unit in units)
    return tqdm(total=passes, unit="item", disable=None)


def needed(metrics: Sequence[Metric]) -> list[str]:
    """What has to be made for metrics, once each; an answer before its COMET."""
    needs = [metric.needs for metric in metrics]
    return list(dict.fromkeys([*(["generate"] if "comet" in needs else []), *needs]))


def _score(asked: Evaluation, unit: Unit, metric: Metric, said: pl.DataFrame) -> Result:
    result = measure(metric, said, unit.lang, asked.how)
    candidate = asked.candidate
    return Result(
        release=candidate.origin.release,
        lang=unit.lang,
        num_pairs=candidate.origin.num_pairs(unit.lang),
        num_documents=candidate.origin.num_documents(unit.lang),
        seed=candidate.origin.seed,
        composition=candidate.origin.composition,
        model=candidate.name,
        benchmark=unit.benchmark.name,
        direction=unit.direction,
        metric=metric.name,
        value=result.value,
        interval=result.interval,
        n=result.n,
        signature="|".join((result.signature, *_asked_how(asked, unit, metric.needs))),
        metric_min=metric.min,
        metric_max=metric.max,
    )


def _asked_how(asked: Evaluation, unit: Unit, needs: str) -> Iterator[str]:
    """What a value depends on beside the metric: the prompt, the decoding, and whether all items were asked."""
    if needs == "exam":
        yield f"task:{unit.benchmark.part}-{task_sha256(unit.benchmark.part)[:8]}"
        yield f"shots:{unit.benchmark.shots}"
    else:
        yield from _decoded(asked, needs)
    if unit.benchmark.corpus == RELEASE and asked.place.release:
        yield f"of:{asked.place.release.identity[:8]}"
    full = unit.benchmark.expected(unit.lang)
    if asked.limit is not None and (full is None or asked.limit < full):
        yield f"first:{asked.limit}"
    elif len(unit.items.items) != full and unit.benchmark.corpus != RELEASE:
        yield f"items:{unit.items.sha256[:8]}"


def _decoded(asked: Evaluation, needs: str) -> Iterator[str]:
    yield f"prompt:{asked.candidate.form.name}-{asked.candidate.form.sha256()[:8]}"
    if needs != "force":
        yield f"greedy:{asked.max_new_tokens}"
    else:
        yield f"tokens:{_tokens(asked)[:8]}"


def _tokens(asked: Evaluation) -> str:
    from trainer.preparation import tokenizer_sha256

    return tokenizer_sha256(asked.candidate.tokenizer)


def unit_outputs(asked: Evaluation, unit: Unit, needs: str, tell: Callable[[int], object]) -> pl.DataFrame:
    """What the model answers or would have guessed, or how its answers score, of every item of a unit.

    It is made where it is not there; the answers to score are.
    """
    decoding: dict[str, object] = {"max_new_tokens": asked.max_new_tokens} if needs in ("generate", "comet") else {}
    if needs == "exam":
        decoding = {"task": task_sha256(unit.benchmark.part), "harness": harness_version()}
    if needs == "comet" and asked.how.comet:
        decoding |= {"comet": asked.how.comet.signature}
    model = asked.endpoint.identity if asked.endpoint else asked.candidate.identity
    form = asked.candidate.form.sha256()
    key = {"version": VERSION, "model": model, "form": form, "items": unit.items.sha256, "needs": needs} | decoding
    path = asked.folder / f"{unit.name}.{needs}.{digest(key)[:8]}.parquet"
    named = key | {"benchmark": unit.benchmark.name, "lang": unit.lang, "direction": unit.direction}
    if needs == "comet":
        answers = unit_outputs(asked, unit, "generate", lambda n: None)["text"].to_list()
        said = dict(zip(unit.items.items, answers, strict=True))
        return outputs(path, named, unit.items.items, lambda items: _comet(asked, items, said), tell)
    if needs == "exam":
        return outputs(path, named, unit.items.items, lambda items: _exam(asked, unit, items), tell)
    return outputs(path, named, unit.items.items, lambda items: _make(asked, needs, items), tell)


def _comet(asked: Evaluation, items: Sequence[Item], said: Mapping[Item, str]) -> Iterator[list[Row]]:
    """How COMET scores the answers to items, against what was asked and the first reference."""
    assert asked.how.comet
    if not all(item.input for item in items):
        raise InputError("COMET needs the text that was translated by itself; here it stands within the prompts.")
    answers, sources = [said[item] for item in items], [item.input for item in items]
    references = [item.references[0] for item in items]
    for batch in asked.how.comet.scores(sources, answers, references, asked.batch_size):
        yield [{"place": place, "comet": score} for place, score in batch]


def _exam(asked: Evaluation, unit: Unit, items: Sequence[Item]) -> Iterator[list[Row]]:
    return sit_exam(asked.candidate, unit.benchmark.part, items, asked.batch_size)


def _make(asked: Evaluation, needs: str, items: Sequence[Item]) -> Iterator[list[Row]]:
    if asked.endpoint:
        return ask(asked.endpoint, asked.candidate.form, items, asked.max_new_tokens)
    from trainer.evaluation.generation import Decoding, force, generate

    decoding = Decoding(asked.max_new_tokens, asked.batch_size)
    return {"generate": generate, "force": force}[needs](asked.candidate, items, decoding)
