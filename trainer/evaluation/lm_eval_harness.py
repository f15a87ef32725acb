"""Run academic benchmarks by lm-evaluation-harness: a model's answers, some at a time, and whether they are right."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial
from itertools import groupby
from typing import Any

from corpora.errors import InputError
from trainer.evaluation.academic import doc_id, load_task
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item
from trainer.model_loading import wrap_for_harness

Row = dict[str, Any]
CHUNK = 256  # questions at once


def run_lm_eval(
    model: EvalModel, benchmark: Benchmark, lang: str, source: BenchmarkSource, items: Sequence[Item], batch_size: int
) -> Iterator[list[Row]]:
    """Yield the answers to items, a subject at a time, as rows {index, text, is_correct, truncated}.

    `text` is the likeliest choice, or what was generated. A prompt too long for the model loses its beginning, and
    `truncated` says so.
    """
    task = load_task(benchmark, lang, source)
    longest = _longest_prompt(model, benchmark, task)
    docs = {doc_id(number, doc): number for number, doc in enumerate(task.eval_docs)}
    tokenizer = deepcopy(model.tokenizer)  # the harness gives it a padding token
    lm = _language_model(model, tokenizer, batch_size)
    for group in _groups(items):
        ids = tokenizer([items[index].instruction + items[index].input for index in group])["input_ids"]
        answers = _answers(lm, task, [docs[items[index].id] for index in group])
        yield [
            {"index": index, "truncated": len(prompt) > longest} | row
            for index, prompt, row in zip(group, ids, answers, strict=True)
        ]


def _language_model(model: EvalModel, tokenizer: Any, batch_size: int) -> Any:
    lm = wrap_for_harness(model.model, tokenizer, batch_size)
    for name in ("loglikelihood", "generate_until"):
        setattr(lm, name, partial(getattr(lm, name), disable_tqdm=True))  # progress is reported by us
    return lm


def _groups(items: Sequence[Item]) -> Iterator[list[int]]:
    """Yield the indices of items by subject, at most CHUNK at once."""
    for _, group in groupby(range(len(items)), key=lambda index: items[index].id.rpartition(":")[0]):
        indices = list(group)
        yield from (indices[start : start + CHUNK] for start in range(0, len(indices), CHUNK))


def _longest_prompt(model: EvalModel, benchmark: Benchmark, task: Any) -> int:
    """Return how many tokens a prompt may have beside its answer.

    Raises:
        InputError: No prompt would fit.
    """
    from trainer.evaluation.generation import context_length

    longest_answer = int((task.config.generation_kwargs or {}).get("max_gen_toks", 1))
    length = context_length(model)
    if length <= longest_answer:
        raise InputError(
            f"{model.name} attends to {length:,} tokens, and an answer of {benchmark.name} may take "
            f"{longest_answer:,} of them. Choose a benchmark with shorter answers, such as {benchmark.name}-0."
        )
    return length - longest_answer


def _answers(lm: Any, task: Any, doc_numbers: list[int]) -> list[Row]:
    """Return the model's answers to some questions of a task, in their order."""
    from lm_eval.evaluator import evaluate

    name = task.config.task
    tasks: Any = {"tasks": {name: task}, "groups": {}, "group_map": {}}
    results = evaluate(lm, tasks, samples={name: doc_numbers}, bootstrap_iters=0)
    assert results is not None
    samples = results["samples"][name]
    first = [sample for sample in samples if sample["filter"] == samples[0]["filter"]]
    by_doc = {sample["doc_id"]: sample for sample in first}
    return [_row(task, by_doc[number]) for number in doc_numbers]


def _row(task: Any, sample: Mapping[str, Any]) -> Row:
    metrics = [row["metric"] for row in task.config.metric_list or []]
    return {"text": _text(task, sample), "is_correct": float(sample[(metrics or sample["metrics"])[0]])}


def _text(task: Any, sample: Mapping[str, Any]) -> str:
    """Return the likeliest choice, or the text that was generated."""
    if task.config.output_type == "generate_until":
        return str(sample["resps"][0][0])
    likelihoods = [answer[0] for answer in sample["filtered_resps"]]
    return str(task.doc_to_choice(sample["doc"])[likelihoods.index(max(likelihoods))])
