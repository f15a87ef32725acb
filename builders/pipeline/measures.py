"""Tasks over the texts of a part: their measures, with the filters on them, and their languages."""

from collections.abc import Sequence
from functools import partial

from builders.pipeline.filter_sql import python_functions, reject_sql
from builders.pipeline.filters import Filter
from builders.pipeline.parts import Part
from builders.pipeline.write_tables import write_language_ids
from builders.workspace import Inputs, Task, inputs_json, query_task
from corpora.catalog import language
from corpora.language_id import MODEL_FINGERPRINT, variant_patterns


def measuring_task(part: Part, filters: tuple[Filter, ...]) -> Task:
    """Return the task of `measured`: each line's cheap measures, and the first filter on them that rejects it."""
    early, early_thresholds = reject_sql(filters, "pairs", part.lang)
    reject, thresholds = reject_sql(filters, "measured", part.lang)
    lang = language(part.lang)
    return query_task(
        "measured",
        part.name,
        {"pairs": [part.pairs]},
        script_patterns(lang.script) | {"ratio": lang.ratio} | variant_patterns(part.lang),
        thresholds=early_thresholds | thresholds,
        functions=partial(python_functions, filters, "pairs", "measured"),
        num_rows=part.num_rows,
        early_reject_reason=early,
        reject_reason=reject,
    )


def script_patterns(scripts: Sequence[str]) -> dict[str, str]:
    """Return regular expressions (RE2) for the letters of Unicode scripts, the values of `measured.sql`."""
    own = "".join(rf"\p{{{script}}}" for script in scripts)
    latin = "Latin" in scripts
    return {
        "script": f"[{own}]",
        "not_script": rf"(?:[^{own}]|\pM)+",
        "expected": rf"[{own}\pM\pN]*" if latin else rf"[{own}\p{{Latin}}\pM\pN]*",
        "not_letters": r"\PL+" if latin else r"(?:\PL|\p{Latin})+",
    }


def language_task(part: Part, filters: tuple[Filter, ...], is_many: bool) -> Task:
    """Return the task of `language_ids`: the languages of both sides of each line that no early filter rejects."""
    early, thresholds = reject_sql(filters, "pairs", part.lang)
    inputs: Inputs = {
        "from": part.pairs.name,
        "early_reject_reason": early,
        "thresholds": thresholds,
        "model": MODEL_FINGERPRINT,
    }
    task = Task("language_ids", part.name, inputs)
    functions = partial(python_functions, filters, "pairs")
    run = partial(
        write_language_ids,
        pairs=part.pairs,
        early=early,
        thresholds=thresholds,
        functions=functions,
        is_many=is_many,
        inputs=inputs_json(task),
    )
    return Task("language_ids", part.name, inputs, (part.pairs,), run, part.num_rows)
