"""evaluate(), compare(), align(), judge() and leaderboard(): the functions behind the verbs that evaluate.

Keyword arguments are named as the options of the command line.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cards.releases import Release, open_release
from corpora.arguments import checked
from corpora.catalog import language_codes
from corpora.endpoint import Endpoint
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.progress import ProgressLike, as_progress
from trainer.evaluation.alignment import Alignment, align_model
from trainer.evaluation.cluster_evaluation import evaluate_on_cluster
from trainer.evaluation.comparison import Comparison, compare_models
from trainer.evaluation.eval_model import EvalModel, load_model, remote_model
from trainer.evaluation.eval_tasks import EvalConfig
from trainer.evaluation.items import BenchmarkSource
from trainer.evaluation.judging import judge_answers
from trainer.evaluation.leaderboard_tables import Leaderboard, select_results, tabulate_results, write_into_card
from trainer.evaluation.metrics import MetricOptions
from trainer.evaluation.remote_generation import CONCURRENCY
from trainer.evaluation.result_tables import ResultTable
from trainer.evaluation.run_evaluation import evaluate_models
from trainer.evaluation.server_process import ServerRow, find_server

OUTPUT, RESULTS, WORK = "evaluations", "results.jsonl", "work"
CORPORA_LOCK, DATASETS_LOCK, REGISTRY = "corpora.lock", "datasets.lock", "registry"
PathLike = str | os.PathLike[str]


@checked
def evaluate(
    models: PathLike | Sequence[PathLike],
    *,
    benchmarks: Sequence[str],
    langs: Sequence[str] = (),
    directions: Sequence[str] = (),
    metrics: Sequence[str] = (),
    metric_options: Mapping[str, str] | None = None,
    limit: int | None = None,
    max_new_tokens: int | None = None,
    batch_size: int = 32,
    prompt: str | None = None,
    name: str | None = None,
    endpoint: str | None = None,
    served_model_name: str | None = None,
    concurrency: int = CONCURRENCY,
    serve: str | None = None,
    serve_env: PathLike | None = None,
    data: PathLike | None = None,
    release: str | Path | Release | None = None,
    registry: str | Path = REGISTRY,
    datasets_lock: PathLike = DATASETS_LOCK,
    allow_size_mismatch: bool = False,
    mirror: str | None = None,
    offline: bool = False,
    work: PathLike = WORK,
    corpora_lock: PathLike = CORPORA_LOCK,
    with_: Sequence[str | Path] = (),
    output: PathLike = OUTPUT,
    results: PathLike = RESULTS,
    cluster: str | None = None,
    progress: ProgressLike = None,
) -> ResultTable:
    """Evaluate models on benchmarks. What is stored already is not computed again.

    Args:
        models: One model or several: the folder of a run or of a model, or ORG/NAME[@REVISION] of the Hub.
        benchmarks: The benchmarks, such as `["flores", "xquad"]`.
        langs: The languages; by default all of each benchmark.
        directions: The directions of translations, `en-xx` and `xx-en`; by default both.
        metrics: The metrics; by default those of each benchmark for which all options are given.
        metric_options: Options of metrics, such as `{"comet": "wmt22-comet-da"}`.
        limit: Only the first items of each language; the signature of a result says so.
        max_new_tokens: The longest answer, in tokens; by default each benchmark's own.
        batch_size: The number of prompts at once.
        prompt: The prompt template; by default the one of the model's run, else alpaca.
        name: The model's name in results; by default its folder's.
        endpoint: An OpenAI-compatible server that answers, such as http://127.0.0.1:8000/v1.
        served_model_name: The model's name at the endpoint; by default its own.
        concurrency: The requests that a server works on at once.
        serve: A server to start for each model and to stop after it: `vllm` or `transformers`.
        serve_env: The virtual environment that has the server.
        data: A folder with files of benchmarks, read before upstream.
        release: The release whose validation split is the benchmark `validation`.
        registry: The registry of releases: a folder, or hf://ORG.
        datasets_lock: The lock file of releases on the Hub.
        allow_size_mismatch: Accept a benchmark with another number of items than upstream's.
        mirror: A URL or folder that replaces the public servers.
        offline: Use only what is downloaded.
        work: The folder of downloads.
        corpora_lock: The lock file of downloads.
        with_: Folders with your own benchmarks.toml, metrics.toml, prompts.toml, lm_eval_tasks/ and Python functions.
        output: The folder of outputs.
        results: The file of results.
        cluster: A Ray cluster, `auto` or HOST:PORT, whose nodes share the folders: each model on each benchmark in each
            language is evaluated where there is room. One that fails is left out.
        progress: Receives the progress: a `Progress`, or a function of a `Status`. None logs it.

    Returns:
        The results, which are also in the file of results; and of several models, or on a cluster, what was left out.

    Raises:
        InputError: A name, option, file or metric is wrong; it is raised before a model answers anything.
    """
    names = _names(models)
    skipped: dict[str, str] = {}
    with extend(with_):
        server = _server(serve, serve_env, endpoint)
        opened = None if release is None else open_release(release, registry, Path(datasets_lock), offline)
        source = _source(data, mirror, offline, work, corpora_lock, allow_size_mismatch, opened)
        config = EvalConfig(
            models=_models(names, prompt, name, endpoint, served_model_name, offline, skipped),
            benchmarks=tuple(benchmarks),
            langs=language_codes(langs),
            directions=tuple(directions),
            metrics=tuple(metrics),
            limit=limit,
            max_new_tokens=max_new_tokens,
            batch_size=batch_size,
            concurrency=concurrency,
            server=server,
            source=source,
            metric_options=MetricOptions(dict(metric_options or {}), source),
            output=Path(output),
            results=Path(results),
        )
        if cluster:
            measured = tuple(evaluate_on_cluster(cluster, config, as_progress(progress), skipped))
        else:
            measured = tuple(evaluate_models(config, as_progress(progress), skipped if len(names) > 1 else None))
        if not measured and skipped:
            reasons = " ".join(dict.fromkeys(skipped.values()))
            raise InputError(f"None of {len(names)} models could be evaluated. {reasons}")
        return ResultTable(measured, skipped)


@checked
def compare(
    a: PathLike | Sequence[PathLike],
    b: PathLike | Sequence[PathLike],
    *,
    metric: str = "chrf++",
    metric_options: Mapping[str, str] | None = None,
    benchmark: str | None = None,
    langs: Sequence[str] = (),
    with_: Sequence[str | Path] = (),
    output: PathLike = OUTPUT,
) -> Comparison:
    """Compare two evaluated models on the same items by the paired bootstrap (Koehn 2004).

    Args:
        a: A model that has been evaluated, by name or folder; several are runs of one system with different seeds.
        b: The model, or runs, to compare with it.
        metric: The metric.
        metric_options: Options of the metric.
        benchmark: Only this benchmark.
        langs: Only these languages.
        with_: As in `evaluate`.
        output: The folder of outputs.

    Returns:
        How B differs from A, with 95 % intervals; the mean of several languages last.

    Raises:
        InputError: A name is unknown, or the models have no comparable outputs.
    """
    with extend(with_):
        options = MetricOptions(dict(metric_options or {}))
        return compare_models(_names(a), _names(b), metric, Path(output), options, benchmark, language_codes(langs))


@checked
def align(
    model: PathLike,
    *,
    langs: Sequence[str],
    benchmark: str = "flores",
    limit: int | None = None,
    layer: int | None = None,
    batch_size: int = 32,
    name: str | None = None,
    data: PathLike | None = None,
    allow_size_mismatch: bool = False,
    mirror: str | None = None,
    offline: bool = False,
    work: PathLike = WORK,
    corpora_lock: PathLike = CORPORA_LOCK,
    with_: Sequence[str | Path] = (),
    output: PathLike = OUTPUT,
    results: PathLike = RESULTS,
    progress: ProgressLike = None,
) -> Alignment:
    """Measure how similar a model's states are for translations, layer by layer, and gamma for the laws.

    Args:
        model: The folder of a run or of a model, or ORG/NAME[@REVISION] of the Hub.
        langs: The languages to compare with English.
        benchmark: A benchmark of multi-way text.
        limit: Only the first sentences.
        layer: The layer of gamma; by default the last.
        batch_size: The number of sentences at once.
        name: The model's name in results; by default its folder's.
        data: As in `evaluate`.
        allow_size_mismatch: As in `evaluate`.
        mirror: As in `evaluate`.
        offline: As in `evaluate`.
        work: As in `evaluate`.
        corpora_lock: As in `evaluate`.
        with_: As in `evaluate`.
        output: The folder of outputs, to which a table and a picture are written.
        results: The file of results, to which gamma is added.
        progress: As in `evaluate`.

    Returns:
        The similarities by layer, and gamma.

    Raises:
        InputError: The benchmark is not multi-way text, or the model cannot be loaded.
    """
    with extend(with_):
        source = _source(data, mirror, offline, work, corpora_lock, allow_size_mismatch)
        loaded = load_model(os.fspath(model), None, name, offline)
        return align_model(
            loaded, language_codes(langs), benchmark, source, limit, layer, Path(output), Path(results), batch_size,
            as_progress(progress),
        )  # fmt: skip


@checked
def judge(
    models: PathLike | Sequence[PathLike],
    *,
    benchmark: str,
    endpoint: str,
    judge: str,
    langs: Sequence[str] = (),
    limit: int | None = None,
    timeout: float = 300,
    concurrency: int = CONCURRENCY,
    with_: Sequence[str | Path] = (),
    output: PathLike = OUTPUT,
    results: PathLike = RESULTS,
    progress: ProgressLike = None,
) -> ResultTable:
    """Let a language model judge the stored answers of one model, or say which of two answers better.

    Args:
        models: One evaluated model, or two, by name or folder.
        benchmark: The benchmark whose answers are judged.
        endpoint: The judge's OpenAI-compatible server.
        judge: The judge's name there.
        langs: Only these languages.
        limit: Only the first answers of each language (the paper: 100 of XQuAD and MLQA).
        timeout: The seconds to wait for an answer of the judge.
        concurrency: The requests that the judge's server works on at once.
        with_: As in `evaluate`.
        output: The folder of outputs.
        results: The file of results.
        progress: As in `evaluate`.

    Returns:
        The results, of the metric `judge_accuracy` or `win_rate`.

    Raises:
        InputError: There are no answers, or an answer of the judge cannot be read.
    """
    names = _names(models)
    if not 1 <= len(names) <= 2:
        raise InputError(f"One model is judged, or two are compared, not {len(names)}.")
    with extend(with_):
        judged = judge_answers(
            [remote_model(model) for model in names], Endpoint(endpoint, judge, timeout), Path(output),
            Path(results), benchmark, language_codes(langs), limit, as_progress(progress), concurrency,
        )  # fmt: skip
        return ResultTable(tuple(judgement.result for judgement in judged))


@checked
def leaderboard(
    *,
    metric: str | None = None,
    benchmark: str | None = None,
    card: PathLike | None = None,
    name: str | None = None,
    results: PathLike = RESULTS,
) -> Leaderboard:
    """Return results as tables, one for each benchmark: a row for each language and model, a column for each metric.

    Models that differ in release, size or mixture are in different rows; of runs that differ in their seed only, the
    mean is in one row.

    Args:
        metric: Only this metric.
        benchmark: Only this benchmark.
        card: A model card to write the results of its own model into, such as runs/RUN/model/README.md.
        name: The name of the card's model in results; by default its folder's.
        results: The file of results.

    Raises:
        InputError: There is no such result, or no such card.
    """
    chosen = select_results(Path(results), metric, benchmark)
    if card is not None:
        write_into_card(Path(card), chosen, name)
    return tabulate_results(chosen)


def _names(models: PathLike | Sequence[PathLike]) -> list[str]:
    """Return the names or folders of models, of one or of several."""
    several = [models] if isinstance(models, str | os.PathLike) else models
    return [os.fspath(model) for model in several]


def _server(serve: str | None, environment: PathLike | None, endpoint: str | None) -> ServerRow | None:
    if serve is None:
        return None
    if endpoint is not None:
        raise InputError("--serve starts a server, and --endpoint names one that runs. Give one of the two.")
    return find_server(serve, Path(environment) if environment is not None else None)


def _models(
    models: Sequence[str], prompt: str | None, name: str | None, endpoint: str | None, served_name: str | None,
    offline: bool, skipped: dict[str, str],
) -> list[EvalModel]:  # fmt: skip
    """Return the models; of several, the reason for each that cannot be evaluated is written into `skipped`."""
    if len(models) > 1 and (name or served_name):
        raise InputError("--name and --served-model-name are of one model. Evaluate the models one by one.")
    loaded = []
    for model in models:
        try:
            if endpoint is None:
                loaded.append(load_model(model, prompt, name, offline))
            else:
                loaded.append(remote_model(model, Endpoint(endpoint, served_name or model), prompt, name))
        except InputError as error:
            if len(models) == 1:
                raise
            skipped[model] = str(error)
    if not loaded:
        raise InputError(f"None of {len(models)} models can be evaluated. {' '.join(skipped.values())}")
    return loaded


def _source(
    data: PathLike | None, mirror: str | None, offline: bool, work: PathLike, corpora_lock: PathLike,
    allow_size_mismatch: bool, release: Release | None = None,
) -> BenchmarkSource:  # fmt: skip
    return BenchmarkSource(
        data=Path(data) if data is not None else None,
        mirror=mirror,
        offline=offline,
        downloads=Path(work) / "downloads",
        corpora_lock=Path(corpora_lock),
        allow_size_mismatch=allow_size_mismatch,
        release=release,
    )
