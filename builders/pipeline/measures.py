"""Tasks over the texts of a part: their measures, with the filters on them, and their languages."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import duckdb

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.language_ids import write_language_ids
from builders.pipeline.measuring import measure_parameters, measured_sql, write_measured
from builders.pipeline.parts import Part
from builders.workspace import Inputs, Task, inputs_json, macros, sql
from corpora.catalog import language
from corpora.language_id import CASE_VERSION, MODEL_FINGERPRINT, second_model


def measuring_task(part: Part, filters: tuple[Filter, ...], ngrams: Mapping[str, Path], is_compiled: bool) -> Task:
    """Return the task of `measured`: each line's cheap measures, and the first filter on them that rejects it."""
    early, early_thresholds = reject_sql(filters, "pairs", part.lang)
    reject, thresholds = reject_sql(filters, "measured", part.lang)
    thresholds = early_thresholds | thresholds
    own_ngrams = {lang: ngrams[lang] for lang in ("en", part.lang) if lang in ngrams}
    inputs = {
        "sql": _digest(measured_sql("{early}", "{reject}")),
        "duckdb": duckdb.__version__,
        "early_reject_reason": early,
        "reject_reason": reject,
        "thresholds": thresholds,
        "ngrams": [path.name for path in own_ngrams.values()],
        **measure_parameters(part.lang),
    }
    functions = partial(python_functions, filters, "pairs", "measured")
    run = partial(
        write_measured,
        pairs=part.pairs,
        lang=part.lang,
        early=early,
        reject=reject,
        thresholds=thresholds,
        functions=functions,
        is_compiled=is_compiled,
        ngrams=own_ngrams,
    )
    return _task("measured", part, inputs, run, own_ngrams.values())


def language_task(part: Part, filters: tuple[Filter, ...], is_compiled: bool) -> Task:
    """Return the task of `language_ids`: the languages of both sides of each line that no early filter rejects."""
    early, thresholds = reject_sql(filters, "pairs", part.lang)
    inputs = {
        "sql": _digest(sql("texts")),
        "duckdb": duckdb.__version__,
        "early_reject_reason": early,
        "thresholds": thresholds,
        "model": MODEL_FINGERPRINT,
        "case": CASE_VERSION,
        "labels": {code: list(language(code).labels) for code in ("en", part.lang)},
    }
    second = second_model(part.lang)
    inputs |= {"second_model": second.sha256} if second else {}
    functions = partial(python_functions, filters, "pairs")
    run = partial(
        write_language_ids,
        pairs=part.pairs,
        lang=part.lang,
        early=early,
        thresholds=thresholds,
        functions=functions,
        is_many=is_compiled,
        second=second.path if second else None,
    )
    return _task("language_ids", part, inputs, run)


def _digest(query: str) -> str:
    """Return what changes with a query or a macro that it may call."""
    return hashlib.sha256((macros() + query).encode()).hexdigest()[:16]


def _task(stage: str, part: Part, inputs: Inputs, run: "partial[None]", needs: Iterable[Path] = ()) -> Task:
    """Return the task that `run` does over the lines of a part; it needs the part and other files."""
    task = Task(stage, part.name, {"from": part.pairs.name, **inputs})
    run = partial(run, inputs=inputs_json(task))
    return Task(stage, part.name, task.inputs, (part.pairs, *needs), run, part.num_rows)
