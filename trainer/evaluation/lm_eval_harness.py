"""Exams by lm-evaluation-harness: a model's answers to items, subject by subject, and whether they are right."""

import logging
from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import partial
from itertools import groupby
from typing import Any

from corpora.errors import InputError
from trainer.evaluation.eval_model import Candidate
from trainer.evaluation.exams import task_file
from trainer.evaluation.items import Item

Row = dict[str, Any]
SPLIT = "test"


def harness_version() -> str:
    """The installed version; InputError if there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lm-eval")
    except PackageNotFoundError:
        raise InputError(
            "MMLU, BBH and C-Eval are asked by lm-evaluation-harness: pip install 'coit-builders[harness]'."
        ) from None


def sit_exam(candidate: Candidate, task: str, items: Sequence[Item], batch_size: int) -> Iterator[list[Row]]:
    """The answers to items, a subject at a time: {place, text, correct, cut}.

    `text` is a choice, or what was generated; a prompt too long for the model loses its beginning, and `cut` says so.
    """
    harness_version()
    from lm_eval.models.huggingface import HFLM

    room = _room(candidate, task)
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    tokenizer = deepcopy(candidate.tokenizer)  # the harness gives it a padding token
    lm = HFLM(pretrained=candidate.model, tokenizer=tokenizer, batch_size=batch_size)
    for name in ("loglikelihood", "generate_until"):
        setattr(lm, name, partial(getattr(lm, name), disable_tqdm=True))  # one bar is enough
    places = range(len(items))
    for _, group in groupby(places, key=lambda place: items[place].id.partition(":")[0]):
        own = list(group)
        answers = _asked(lm, task, [items[place] for place in own])
        ids = tokenizer([items[place].instruction + items[place].input for place in own])["input_ids"]
        yield [
            {"place": place, "cut": len(prompt) > room} | row
            for place, prompt, row in zip(own, ids, answers, strict=True)
        ]


def _room(candidate: Candidate, task: str) -> int:
    """The tokens that a prompt may take beside its answer; InputError if there is no room for any."""
    from trainer.evaluation.generation import positions

    longest = int(task_file(task)["task"].get("generation_kwargs", {}).get("max_gen_toks", 1))
    every = positions(candidate)
    if every <= longest:
        raise InputError(
            f"{candidate.name} attends to {every:,} tokens, and an answer of {task} may take {longest:,} of them. "
            f"A shorter form is asked as {task}-0."
        )
    return every - longest


def _asked(lm: Any, task: str, items: Sequence[Item]) -> list[Row]:
    """What a model says to the items of one subject."""
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.evaluator import evaluate

    docs = [{"instruction": i.instruction, "input": i.input, "target": i.references[0]} for i in items]
    config = task_file(task)["task"] | {"task": task, "test_split": SPLIT, "num_fewshot": 0}
    asked = ConfigurableTask(config=config | {"custom_dataset": lambda **_: {SPLIT: Dataset.from_list(docs)}})
    found = evaluate(lm, {"tasks": {task: asked}, "groups": {}, "group_map": {}}, bootstrap_iters=0)
    samples = sorted(found["samples"][task], key=lambda sample: sample["doc_id"])
    choices, metric = config.get("doc_to_choice"), config["metric_list"][0]["metric"]
    return [{"text": _said(sample, choices), "correct": float(sample[metric])} for sample in samples]


def _said(sample: Row, choices: Sequence[str] | None) -> str:
    """The likeliest choice, or the text that was generated."""
    if choices is None:
        return str(sample["resps"][0][0])
    likely = [answer[0] for answer in sample["filtered_resps"]]
    return choices[likely.index(max(likely))]
