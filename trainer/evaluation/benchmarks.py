"""Benchmarks: the rows of `benchmarks.toml`, checked before any work, and the evaluations that they give."""

from collections.abc import Iterator, Mapping, Sequence

from corpora.catalog import language, language_codes, languages
from corpora.errors import InputError, unknown
from corpora.extensions import read_extended_rows
from corpora.tables import check_reference
from recipes.prompts import translation_prompts
from trainer.evaluation.items import DIRECTIONS, TABLE, Benchmark, BenchmarkSource, Items
from trainer.evaluation.metrics import Metric, load_metrics
from trainer.evaluation.tasks import TASKS, get_task


def load_benchmarks(source: BenchmarkSource | None = None) -> Mapping[str, Benchmark]:
    """Return all benchmarks by name: ours, and those of the folders in use.

    Raises:
        InputError: A row is not valid, or refers to a task, corpus, prompt, metric or language that does not exist.
    """
    benchmarks = read_extended_rows(TABLE, Benchmark)
    catalog = (source or BenchmarkSource()).catalog
    corpora = [name for name, corpus in catalog.items() if corpus.kind == "benchmark"]
    metrics = {name: metric for name, metric in load_metrics().items() if not metric.verb}
    prompts = tuple(translation_prompts())
    for benchmark in benchmarks.values():
        _check_references(benchmark, corpora, prompts)
        _check_metrics(benchmark, metrics)
    return benchmarks


def _check_metrics(benchmark: Benchmark, metrics: Mapping[str, Metric]) -> None:
    for name in benchmark.metrics:
        check_reference(name, metrics, "metric", benchmark.where)
        tasks = metrics[name].tasks
        if ":" not in benchmark.task and benchmark.task not in tasks:
            raise InputError(f"{benchmark.where}: the metric {name} fits {', '.join(tasks)}, not {benchmark.task}.")


def _check_references(benchmark: Benchmark, corpora: Sequence[str], prompts: Sequence[str]) -> None:
    where = benchmark.where
    if ":" not in benchmark.task:
        check_reference(benchmark.task, TASKS, "task", where)
    if benchmark.task in TASKS and TASKS[benchmark.task].needs_corpus:
        check_reference(benchmark.corpus, corpora, "benchmark corpus", where)
    if benchmark.task == "academic" and not benchmark.lm_eval_task:
        raise InputError(f"{where}: the key 'lm_eval_task' is missing.")
    check_reference(benchmark.prompt, prompts, "translation prompt", where)
    num_items = benchmark.num_items if isinstance(benchmark.num_items, dict) else {}
    for lang in (*benchmark.langs, *benchmark.alternative_codes, *num_items):
        check_reference(lang, languages(), "language", where)


def get_benchmark(name: str, source: BenchmarkSource | None = None) -> Benchmark:
    """Return the benchmark of a name.

    Raises:
        InputError: There is none, with the nearest known names.
    """
    benchmarks = load_benchmarks(source)
    if name not in benchmarks:
        raise unknown("benchmark", name, benchmarks)
    return benchmarks[name]


def load_items(
    benchmark: Benchmark, lang: str, direction: str, source: BenchmarkSource, limit: int | None = None
) -> Items:
    """Return the first `limit` items of a benchmark, or all.

    Raises:
        InputError: The file is not what upstream published, or holds another number of items.
    """
    items = get_task(benchmark).load(benchmark, lang, direction, source)
    if not items.items:
        raise InputError(f"{benchmark.name} in {language(lang).name} holds no items: its file is empty.")
    expected = benchmark.expected_items(lang)
    if expected is not None and len(items.items) != expected and not source.allow_size_mismatch:
        raise InputError(
            f"{benchmark.name} in {language(lang).name} has {len(items.items):,} items here, not {expected:,} as "
            "upstream. Take upstream's file, or evaluate on these with --allow-size-mismatch."
        )
    return Items(items.items[:limit], items.warnings)


def check_directions(directions: Sequence[str]) -> Sequence[str]:
    """Return directions; InputError for an unknown one."""
    for direction in directions:
        if direction not in DIRECTIONS:
            raise unknown("direction", direction, DIRECTIONS)
    return directions


def list_evaluations(
    names: Sequence[str], langs: Sequence[str], directions: Sequence[str], source: BenchmarkSource
) -> Iterator[tuple[Benchmark, str, str]]:
    """Yield every benchmark, language and direction that is chosen, in order.

    Args:
        names: The benchmarks.
        langs: The languages; none for all that a benchmark has.
        directions: The directions of translation benchmarks; none for all that a benchmark has.
        source: Where benchmarks are read from.

    Raises:
        InputError: A name is unknown.
    """
    for name in dict.fromkeys(names):
        benchmark = get_benchmark(name, source)
        task = get_task(benchmark)
        for lang in language_codes(langs) or task.list_langs(benchmark, source):
            for direction in task.list_directions(benchmark, lang, source):
                if not direction or not directions or direction in directions:
                    yield benchmark, lang, direction
