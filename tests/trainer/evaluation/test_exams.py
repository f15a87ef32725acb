"""MMLU, BBH and C-Eval through lm-evaluation-harness: its own prompts and marks, our accounting, strict reading."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from click.testing import CliRunner

from corpora.errors import InputError
from recipes.results import read_results
from tests.trainer.evaluation.exams import WORKED, make_exams
from tests.trainer.models import make_model
from trainer.cli.main import cli
from trainer.evaluation.benchmarks import benchmark, load_items
from trainer.evaluation.compare import compare
from trainer.evaluation.eval_model import Candidate, find_candidate
from trainer.evaluation.evaluate import Evaluation, evaluate
from trainer.evaluation.items import Item, Place
from trainer.evaluation.lm_eval_harness import sit_exam
from trainer.evaluation.metrics import How


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_exams(tmp_path_factory.mktemp("exams") / "data")


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return find_candidate(str(make_model(tmp_path_factory.mktemp("model") / "random", positions=2048)))


def items_of(name: str, lang: str, data: Path) -> tuple[Item, ...]:
    return load_items(benchmark(name), lang, "", Place(data, any_rows=True)).items


def harness_prompts(task: str, docs: list[dict[str, Any]], dev: list[dict[str, Any]], **changes: Any) -> list[str]:
    """What lm-evaluation-harness's own task file asks of these documents."""
    import lm_eval
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask

    path = Path(lm_eval.__file__).parent / "tasks" / task
    config = yaml.safe_load(path.read_text(encoding="utf-8")) | {"task": "theirs", "dataset_name": None} | changes
    splits = {"test": Dataset.from_list(docs), "val": Dataset.from_list(docs), "dev": Dataset.from_list(dev)}
    asked = ConfigurableTask(config=config | {"custom_dataset": lambda **_: splits, "metadata": {"version": 1}})
    asked.build_all_requests(rank=0, world_size=1)
    return list(dict.fromkeys(instance.args[0] for instance in asked.instances))


def test_mmlu_is_asked_as_the_harness_itself_asks_it(data: Path) -> None:
    items = [item for item in items_of("mmlu", "en", data) if item.id.startswith("abstract_algebra:")]

    def doc(n: int) -> dict[str, Any]:
        choices = [str(n), str(n + 1), f"{2 * n}, or so", str(5 * n)]
        return {"question": f"How much is {n} plus {n}?", "choices": choices, "answer": 2}

    theirs = harness_prompts(
        "mmlu/default/_default_template_yaml", [doc(n) for n in range(1, 5)], [doc(n) for n in range(11, 16)],
        num_fewshot=5,
        description="The following are multiple choice questions (with answers) about abstract algebra.\n\n",
    )  # fmt: skip
    assert [item.instruction + item.input for item in items] == theirs
    assert [item.references for item in items] == [("C",)] * 4


def test_ceval_is_asked_as_the_harness_itself_asks_it(data: Path) -> None:
    items = [item for item in items_of("ceval", "zh", data) if item.id.startswith("law:")]
    docs = [
        {
            "question": f"{n} 加 {n}, 是多少?",
            "A": str(n),
            "B": str(2 * n),
            "C": str(3 * n),
            "D": str(4 * n),
            "answer": "B",
        }
        for n in range(1, 6)
    ]
    theirs = harness_prompts(
        "ceval/_default_ceval_yaml", docs[:3], docs, num_fewshot=5,
        description="以下是中国关于法学的单项选择题，请选出其中的正确答案。\n\n",
    )  # fmt: skip
    assert [item.instruction + item.input for item in items] == theirs


def test_bbh_begins_with_upstreams_worked_examples_without_the_canary(data: Path) -> None:
    first = items_of("bbh", "en", data)[0]
    assert first.instruction + first.input == f"{WORKED}\nQ: True and False is\nA: Let's think step by step.\n"
    assert (first.id, first.references) == ("boolean_expressions:1", ("False",))


def marks_of(candidate: Candidate, task: str, items: tuple[Item, ...], said: list[str], patch: Any) -> list[float]:
    from lm_eval.models.huggingface import HFLM

    answers = iter(said)
    patch.setattr(HFLM, "generate_until", lambda self, asked, disable_tqdm: [next(answers) for _ in asked])
    rows = [row for batch in sit_exam(candidate, task, items, 2) for row in batch]
    return [row["correct"] for row in sorted(rows, key=lambda row: row["place"])]


def test_answers_of_bbh_are_taken_from_their_last_sentence(
    candidate: Candidate, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [
        "True and False = False. So the answer is False.",
        "So the answer is False.",
        "False",
        "So the answer is True.",
    ]
    assert marks_of(candidate, "bbh", items_of("bbh", "en", data), said, monkeypatch) == [1.0, 0.0, 0.0, 1.0]
    short = items_of("bbh-0", "zh", data)
    assert marks_of(candidate, "bbh-0", short, [" 假 ", "真的"], monkeypatch) == [1.0, 0.0]


def test_the_likeliest_letter_is_that_of_a_plain_loop(candidate: Candidate, data: Path) -> None:
    import torch

    items = items_of("mmlu-0", "hi", data)
    assert candidate.tokenizer.pad_token is None
    rows = {row["place"]: row for batch in sit_exam(candidate, "mmlu", items, 3) for row in batch}
    for place, item in enumerate(items):
        chances = []
        for letter in "ABCD":
            before = candidate.tokenizer(item.instruction + item.input)["input_ids"]
            ids = candidate.tokenizer(f"{item.instruction}{item.input} {letter}")["input_ids"]
            with torch.inference_mode():
                logits = candidate.model(torch.tensor([ids])).logits[0].log_softmax(-1)
            chances.append(sum(float(logits[n - 1, ids[n]]) for n in range(len(before), len(ids))))
        best = "ABCD"[chances.index(max(chances))]
        assert rows[place]["text"] == best
        assert rows[place]["correct"] == (best == "C")
    assert candidate.tokenizer.pad_token is None


@pytest.fixture
def ask(candidate: Candidate, data: Path, tmp_path: Path) -> Callable[..., Evaluation]:
    def make(*names: str, batch_size: int = 4, **changes: Any) -> Evaluation:
        place = Place(data, any_rows=True, offline=True)
        told = {"out": tmp_path / "out", "results": tmp_path / "results.jsonl"} | changes
        return Evaluation(candidate, names, place=place, batch_size=batch_size, **told)

    return make


def test_exams_are_scored_with_the_same_accounting(
    ask: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = ask("mmlu", "bbh", "bbh-0", "ceval")
    scores = list(evaluate(asked, print))
    assert [(s.benchmark, s.lang, s.n) for s in scores] == [
        ("mmlu", "en", 8), ("mmlu", "hi", 8), ("bbh", "en", 4), ("bbh-0", "en", 4), ("bbh-0", "zh", 2),
        ("ceval", "zh", 6),
    ]  # fmt: skip
    assert all(s.metric == "accuracy" and 0 <= s.value <= 100 for s in scores)
    assert "lm-eval:0.4" in scores[0].signature
    assert "|shots:5|" in scores[0].signature
    assert len({s.signature.partition("|task:")[2] for s in scores}) == 6
    kept = pl.read_parquet(next(asked.folder.glob("mmlu.en.exam.*")))
    assert scores[0].value == pytest.approx(100 * kept["correct"].mean())
    other = ask("mmlu", batch_size=1, out=tmp_path / "other", results=tmp_path / "other.jsonl")
    assert [s.value for s in evaluate(other, print)] == [s.value for s in scores[:2]]
    monkeypatch.setattr("trainer.evaluation.evaluate.sit_exam", None)
    assert list(evaluate(asked, print)) == read_results(asked.results) == scores


def test_a_stopped_exam_goes_on_with_the_next_subject(
    ask: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(*arguments: Any) -> Any:
        yield next(iter(sit_exam(*arguments)))
        raise KeyboardInterrupt

    asked = ask("mmlu", langs="en")
    monkeypatch.setattr("trainer.evaluation.evaluate.sit_exam", stops)
    with pytest.raises(KeyboardInterrupt):
        list(evaluate(asked, print))
    heard: list[str] = []

    def listens(candidate: Candidate, task: str, items: Any, batch_size: int) -> Any:
        heard.extend(item.id for item in items)
        return sit_exam(candidate, task, items, batch_size)

    monkeypatch.setattr("trainer.evaluation.evaluate.sit_exam", listens)
    assert [s.n for s in evaluate(asked, print)] == [8]
    assert heard == [f"elementary_mathematics:{n}" for n in range(1, 5)]


def test_models_are_compared_on_exams(ask: Callable[..., Evaluation], tmp_path: Path) -> None:
    other = find_candidate(str(make_model(tmp_path / "other", 1, positions=2048)))
    for evaluation in (ask("mmlu-0", langs="en"), ask("mmlu-0", langs="en")):
        list(evaluate(evaluation, print))
    list(evaluate(Evaluation(other, ("mmlu-0",), "en", place=ask().place, out=ask().out, results=ask().results), print))
    (row,) = compare(["random"], ["other"], "accuracy", tmp_path / "out", How())
    assert (row.lang, row.n) == ("en", 8)


def test_prompts_too_long_for_a_model_are_told_or_refused(data: Path, tmp_path: Path) -> None:
    short = find_candidate(str(make_model(tmp_path / "short", positions=256)))
    place, told = Place(data, any_rows=True), list[str]()
    asked = Evaluation(short, ("mmlu-0", "mmlu"), "en", place=place, out=tmp_path / "out", results=tmp_path / "s.jsonl")
    scores = list(evaluate(asked, told.append))
    assert [s.n for s in scores] == [8, 8]
    assert told == ["mmlu.en: 8 of 8 texts were too long for the model and were cut."]
    with pytest.raises(InputError, match="short attends to 256 tokens, and an answer of bbh may take 1,024"):
        list(evaluate(replace(asked, benchmarks=("bbh",)), print))


ALGEBRA = "data/test/abstract_algebra_test.csv"
FAULTS: dict[str, tuple[str, str, str, str]] = {  # benchmark, language, file, what to do with it
    "the answer is 'Г', not one of A, B, C, D; was it translated": ("mmlu-0", "hi", ALGEBRA, "letter"),
    "question 1: 7 columns, not 6": ("mmlu-0", "en", ALGEBRA, "column"),
    "is an HTML page": ("mmlu-0", "en", ALGEBRA, "page"),
    "holds no question": ("mmlu-0", "en", ALGEBRA, "empty"),
    "has no examples beside it .*--benchmarks mmlu-0": ("mmlu", "en", "data/dev/abstract_algebra_dev.csv", "gone"),
    "the columns id,question,A,B,C,D,answer were expected, not 编号": ("ceval-0", "zh", "val/law_val.csv", "header"),
    "is about no known subject": ("ceval-0", "zh", "val/law_val.csv", "name"),
    "the texts 'input' and 'target' were expected": ("bbh", "en", "bbh/web_of_lies.json", "keys"),
}  # fmt: skip


def spoil(path: Path, how: str) -> None:
    text = path.read_text(encoding="utf-8")
    if how == "gone":
        path.unlink()
    elif how == "name":
        path.rename(path.with_name("lore_val.csv"))
    else:
        changed = {
            "letter": text.replace(",C\n", ",Г\n"),
            "column": text.replace(",C\n", ",C,x\n"),
            "page": "<!DOCTYPE html><html>",
            "empty": "",
            "header": text.replace("id,question", "编号,问题"),
            "keys": text.replace('"input"', '"输入"'),
        }
        path.write_text(changed[how], encoding="utf-8")


@pytest.mark.parametrize("says", FAULTS)
def test_an_exam_that_was_changed_is_refused(says: str, data: Path, tmp_path: Path) -> None:
    name, lang, file, how = FAULTS[says]
    folder = shutil.copytree(data, tmp_path / "data")
    spoil(folder / f"{benchmark(name).corpus}.{lang}" / file, how)
    with pytest.raises(InputError, match=says):
        items_of(name, lang, folder)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--benchmarks", "mmlu", "--langs", "zh"], "unpack https://people.eecs.berkeley.edu/~hendrycks/data.tar"),
        (["--benchmarks", "mmlu", "--langs", "en"], "has 8 items here, not 14,042"),
        (["--benchmarks", "mmlu", "--endpoint", "http://127.0.0.1:1/v1", "--any-rows"], "which a server does not tell"),
        (
            ["--benchmarks", "mmlu", "--metrics", "f1", "--any-rows"],
            "None of the metrics f1 fits mmlu; these do: accuracy",
        ),
    ],
)
def test_bad_input_is_a_sentence(
    arguments: list[str], says: str, candidate: Candidate, data: Path, tmp_path: Path
) -> None:
    place = ["--data", str(data), "--out", str(tmp_path / "o"), "--offline"]
    result = CliRunner().invoke(cli, ["evaluate", candidate.place, *arguments, *place], standalone_mode=False)
    assert isinstance(result.exception, InputError), result.output
    assert says in str(result.exception)
