"""MMLU, BBH and C-Eval through lm-evaluation-harness: its prompts and answers, our storage, strict reading."""

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from corpora.errors import InputError
from corpora.extensions import extend
from recipes.results import read_results
from tests.trainer.evaluation.academic_files import WORKED, make_academic_files
from tests.trainer.evaluation.test_bad_input import error_of
from tests.trainer.models import make_data, make_model
from trainer.evaluation import (
    BenchmarkSource,
    EvalModel,
    Item,
    compare,
    evaluate,
    get_benchmark,
    load_items,
    load_model,
)
from trainer.evaluation.benchmarks import list_evaluations

pytestmark = pytest.mark.slow
Options = Callable[..., dict[str, Any]]
TASKS = Path(__file__).parents[3] / "trainer" / "evaluation" / "lm_eval_tasks"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_academic_files(tmp_path_factory.mktemp("academic") / "data")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random model with a context of 2048 tokens."""
    return make_model(tmp_path_factory.mktemp("model") / "random", positions=2048)


@pytest.fixture(scope="module")
def loaded(folder: Path) -> EvalModel:
    return load_model(str(folder))


def items_of(name: str, lang: str, data: Path) -> tuple[Item, ...]:
    return load_items(get_benchmark(name), lang, "", BenchmarkSource(data, allow_size_mismatch=True)).items


def harness_prompts(task: str, docs: list[dict[str, Any]], dev: list[dict[str, Any]], **changes: Any) -> list[str]:
    """Return the prompts of lm-evaluation-harness's own task file for some documents."""
    import lm_eval
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask

    path = Path(lm_eval.__file__).parent / "tasks" / task
    config = yaml.safe_load(path.read_text(encoding="utf-8")) | {"task": "theirs", "dataset_name": None} | changes
    splits = {"test": Dataset.from_list(docs), "val": Dataset.from_list(docs), "dev": Dataset.from_list(dev)}
    built = ConfigurableTask(config=config | {"custom_dataset": lambda **_: splits, "metadata": {"version": 1}})
    built.build_all_requests(rank=0, world_size=1)
    return list(dict.fromkeys(instance.args[0] for instance in built.instances))


def test_prompts_of_mmlu_equal_the_harness_own(data: Path) -> None:
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


def test_prompts_of_ceval_equal_the_harness_own(data: Path) -> None:
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


def test_prompts_of_bbh_begin_with_upstreams_examples_without_the_canary(data: Path) -> None:
    first = items_of("bbh", "en", data)[0]
    assert first.instruction + first.input == f"{WORKED}\nQ: True and False is\nA: Let's think step by step.\n"
    assert (first.id, first.references) == ("boolean_expressions:1", ("False",))


def run(model: EvalModel, data: Path, name: str, lang: str, batch_size: int = 2) -> dict[int, dict[str, Any]]:
    """Return the harness' rows for the items of a benchmark by index."""
    from trainer.evaluation.lm_eval_harness import run_lm_eval

    items, source = items_of(name, lang, data), BenchmarkSource(data, allow_size_mismatch=True)
    batches = run_lm_eval(model, get_benchmark(name), lang, source, items, batch_size)
    return {row["index"]: row for batch in batches for row in batch}


def correct_of(model: EvalModel, data: Path, name: str, lang: str, answers: list[str], patch: Any) -> list[float]:
    from lm_eval.models.huggingface import HFLM

    replies = iter(answers)
    patch.setattr(HFLM, "generate_until", lambda self, requests, disable_tqdm: [next(replies) for _ in requests])
    return [row["is_correct"] for _, row in sorted(run(model, data, name, lang).items())]


def test_answers_of_bbh_are_read_from_their_last_sentence(
    loaded: EvalModel, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        "True and False = False. So the answer is False.",
        "So the answer is False.",
        "False",
        "So the answer is True.",
    ]
    assert correct_of(loaded, data, "bbh", "en", answers, monkeypatch) == [1.0, 0.0, 0.0, 1.0]
    assert correct_of(loaded, data, "bbh-0", "zh", [" 假 ", "真的"], monkeypatch) == [1.0, 0.0]


def test_the_likeliest_letter_equals_a_plain_loop(loaded: EvalModel, data: Path) -> None:
    import torch

    assert loaded.tokenizer.pad_token is None
    rows = run(loaded, data, "mmlu-0", "hi", 3)
    for index, item in enumerate(items_of("mmlu-0", "hi", data)):
        chances = []
        for letter in "ABCD":
            before = loaded.tokenizer(item.instruction + item.input)["input_ids"]
            ids = loaded.tokenizer(f"{item.instruction}{item.input} {letter}")["input_ids"]
            with torch.inference_mode():
                logits = loaded.model(torch.tensor([ids])).logits[0].log_softmax(-1)
            chances.append(sum(float(logits[n - 1, ids[n]]) for n in range(len(before), len(ids))))
        best = "ABCD"[chances.index(max(chances))]
        assert rows[index]["text"] == best
        assert rows[index]["is_correct"] == (best == "C")
    assert loaded.tokenizer.pad_token is None


@pytest.mark.parametrize(
    ("name", "lang", "task"),
    [("mmlu", "hi", "coit_mmlu"), ("ceval-0", "zh", "coit_ceval_zeroshot"), ("bbh-0", "zh", "coit_bbh_zeroshot")],
)
def test_lm_eval_with_include_path_gives_the_same_value(
    name: str, lang: str, task: str, folder: Path, data: Path, options: Options
) -> None:
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    corpus = get_benchmark(name).corpus
    manager = TaskManager(
        include_path=str(TASKS), include_defaults=False, metadata={"data": str(data / f"{corpus}.{lang}")}
    )
    found: Any = simple_evaluate(
        model="hf", model_args=f"pretrained={folder},dtype=float32", tasks=[task], task_manager=manager, batch_size=2,
        device="cpu", bootstrap_iters=0,
    )  # fmt: skip
    theirs = next(value for key, value in found["results"][task].items() if key.startswith(("acc,", "exact_match,")))
    (result,) = evaluate(folder, **options(benchmarks=[name], langs=[lang], data=data)).results
    assert result.value == pytest.approx(100 * theirs)
    assert f"|task:{task}-" in result.signature


def test_academic_benchmarks_have_results_like_others(
    folder: Path, data: Path, options: Options, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = options(benchmarks=["mmlu", "bbh", "bbh-0", "ceval"], langs=[], data=data)
    table = evaluate(folder, **chosen)
    assert [(r.benchmark, r.lang, r.n) for r in table.results] == [
        ("mmlu", "en", 8), ("mmlu", "hi", 8), ("bbh", "en", 4), ("bbh-0", "en", 4), ("bbh-0", "zh", 2),
        ("ceval", "zh", 6),
    ]  # fmt: skip
    assert all(r.metric == "accuracy" and 0 <= r.value <= 100 for r in table.results)
    signature = table.results[0].signature
    assert "lm-eval:0.4" in signature
    assert "|num_fewshot:5|" in signature
    assert len({r.signature.partition("|task:")[2] for r in table.results}) == 6
    stored = pl.read_parquet(next((chosen["output"] / "random").glob("mmlu.en.lm_eval.*")))
    assert table.results[0].value == pytest.approx(100 * stored["is_correct"].mean())
    places = {"output": tmp_path / "other", "results": tmp_path / "other.jsonl", "batch_size": 1}
    other = evaluate(folder, **options(benchmarks=["mmlu"], langs=[], data=data, **places))
    assert [r.value for r in other.results] == [r.value for r in table.results[:2]]
    monkeypatch.setattr("trainer.evaluation.model_outputs.run_lm_eval", None)
    assert list(evaluate(folder, **chosen).results) == read_results(chosen["results"]) == list(table.results)


def test_a_stopped_evaluation_continues_with_the_next_subject(
    folder: Path, data: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.evaluation.lm_eval_harness import run_lm_eval

    def stops(*arguments: Any) -> Any:
        yield next(iter(run_lm_eval(*arguments)))
        raise KeyboardInterrupt

    chosen = options(benchmarks=["mmlu"], langs=["en"], data=data)
    monkeypatch.setattr("trainer.evaluation.model_outputs.run_lm_eval", stops)
    with pytest.raises(KeyboardInterrupt):
        evaluate(folder, **chosen)
    remaining: list[str] = []

    def records(model: Any, benchmark: Any, lang: str, source: Any, items: Any, batch_size: int) -> Any:
        remaining.extend(item.id for item in items)
        return run_lm_eval(model, benchmark, lang, source, items, batch_size)

    monkeypatch.setattr("trainer.evaluation.model_outputs.run_lm_eval", records)
    assert [r.n for r in evaluate(folder, **chosen).results] == [8]
    assert remaining == [f"elementary_mathematics:{n}" for n in range(1, 5)]


def test_models_are_compared_on_academic_benchmarks(folder: Path, data: Path, options: Options, tmp_path: Path) -> None:
    other = make_model(tmp_path / "other", 1, positions=2048)
    chosen = options(benchmarks=["mmlu-0"], langs=["en"], data=data)
    evaluate([folder, other], **chosen)
    (row,) = compare("random", "other", metric="accuracy", output=chosen["output"]).rows
    assert (row.lang, row.num_items) == ("en", 8)


def test_prompts_too_long_for_a_model_are_warnings_or_refused(
    data: Path, options: Options, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    short = make_model(tmp_path / "short", positions=256)
    table = evaluate(short, **options(benchmarks=["mmlu-0", "mmlu"], langs=["en"], data=data))
    assert [r.n for r in table.results] == [8, 8]
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["mmlu.en: 8 of 8 texts were too long for the model and were truncated."]
    with pytest.raises(InputError, match="short attends to 256 tokens, and an answer of bbh may take 1,024"):
        evaluate(short, **options(benchmarks=["bbh"], langs=["en"], data=data))


OWN_TASK = """
task: my_sums
custom_dataset: !function my_sums.read
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}} ="
doc_to_choice: ["3", "4"]
doc_to_target: 1
metric_list: [{ metric: acc, aggregation: mean, higher_is_better: true }]
"""
OWN_CODE = """
def read(lang, **_):
    from datasets import Dataset

    return {"test": Dataset.from_list([{"question": f"{lang}: 2 + 2"}, {"question": f"{lang}: 1 + 3"}])}
"""


def test_a_users_task_file_is_evaluated(folder: Path, options: Options, tmp_path: Path) -> None:
    tasks = tmp_path / "my" / "lm_eval_tasks"
    tasks.mkdir(parents=True)
    (tasks / "my_sums.yaml").write_text(OWN_TASK)
    (tasks / "my_sums.py").write_text(OWN_CODE)
    row = '[sums]\ntask = "academic"\nlm_eval_task = "my_sums"\nlangs = ["el", "hi"]\nmetrics = ["accuracy"]\n'
    (tmp_path / "my" / "benchmarks.toml").write_text(row)
    chosen = options(benchmarks=["sums"], langs=[], data=None, with_=[tmp_path / "my"])
    table = evaluate(folder, **chosen)
    assert [(r.benchmark, r.lang, r.n) for r in table.results] == [("sums", "el", 2), ("sums", "hi", 2)]
    stored = pl.read_parquet(next((chosen["output"] / "random").glob("sums.hi.*")))
    assert stored.select("item_id", "input", "references").rows() == [
        ("1", "hi: 2 + 2 =", ["4"]),
        ("2", "hi: 1 + 3 =", ["4"]),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("my_sums\n", "other\n", "Unknown lm-eval task 'my_sums'"),
        ("doc_to_text", "doc_to_texts", "lm-eval cannot load the task my_sums: .*doc_to_texts"),
        ("multiple_choice", "loglikelihood_rolling", "output_type is loglikelihood_rolling"),
        ("test_split: test", "test_split: test\nfewshot_split: test\nnum_fewshot: 2", "at random"),
    ],
)
def test_a_wrong_task_file_is_an_error(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "lm_eval_tasks").mkdir()
    (tmp_path / "lm_eval_tasks" / "my_sums.yaml").write_text(OWN_TASK.replace(old, new, 1))
    (tmp_path / "lm_eval_tasks" / "my_sums.py").write_text(OWN_CODE)
    benchmark = replace(get_benchmark("mmlu"), corpus="", lm_eval_task="my_sums")
    with extend([tmp_path]), pytest.raises(InputError, match=message):
        load_items(benchmark, "el", "", BenchmarkSource())


ALGEBRA = "data/test/abstract_algebra_test.csv"
FAULTS: dict[str, tuple[str, str, str, str]] = {  # benchmark, language, file, change
    "the answer is 'Г', not one of A, B, C, D; was it translated": ("mmlu-0", "hi", ALGEBRA, "letter"),
    "question 1: 7 columns, not 6": ("mmlu-0", "en", ALGEBRA, "column"),
    "is an HTML page": ("mmlu-0", "en", ALGEBRA, "page"),
    "holds no question": ("mmlu-0", "en", ALGEBRA, "empty"),
    "has no examples beside it .*whose name ends in -0": ("mmlu", "en", "data/dev/abstract_algebra_dev.csv", "gone"),
    "the columns id,question,A,B,C,D,answer were expected, not 编号": ("ceval-0", "zh", "val/law_val.csv", "header"),
    "is about an unknown subject": ("ceval-0", "zh", "val/law_val.csv", "name"),
    "the texts 'input' and 'target' were expected": ("bbh", "en", "bbh/web_of_lies.json", "keys"),
}  # fmt: skip


def damage(path: Path, change: str) -> None:
    text = path.read_text(encoding="utf-8")
    if change == "gone":
        path.unlink()
    elif change == "name":
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
        path.write_text(changed[change], encoding="utf-8")


@pytest.mark.parametrize("message", FAULTS)
def test_changed_files_are_refused(message: str, data: Path, tmp_path: Path) -> None:
    name, lang, file, change = FAULTS[message]
    folder = shutil.copytree(data, tmp_path / "data")
    damage(folder / f"{get_benchmark(name).corpus}.{lang}" / file, change)
    with pytest.raises(InputError, match=message):
        items_of(name, lang, folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--benchmarks", "mmlu", "--langs", "zh"], "unpack https://people.eecs.berkeley.edu/~hendrycks/data.tar"),
        (["--benchmarks", "mmlu", "--langs", "en"], "has 8 items here, not 14,042"),
        (
            ["--benchmarks", "mmlu", "--endpoint", "http://127.0.0.1:1/v1", "--allow-size-mismatch"],
            "a server returns no token probabilities",
        ),
        (
            ["--benchmarks", "mmlu", "--metrics", "f1", "--allow-size-mismatch"],
            "None of the metrics f1 fits mmlu; these do: accuracy",
        ),
    ],
)
def test_wrong_arguments_are_errors(
    arguments: list[str], message: str, folder: Path, data: Path, tmp_path: Path
) -> None:
    source = ["--data", str(data), "--output", str(tmp_path / "o"), "--offline"]
    assert message in error_of("evaluate", str(folder), *arguments, *source)


def test_archives_are_found_as_they_unpack(data: Path, tmp_path: Path) -> None:
    for lang_folder, name in (("mmlu.en/data", "data"), ("bbh.en", "BIG-Bench-Hard-main"), ("ceval.zh", "")):
        shutil.copytree(data / lang_folder, tmp_path / name, dirs_exist_ok=True)
    (tmp_path / "data" / "__MACOSX" / "test").mkdir(parents=True)
    (tmp_path / "data" / "__MACOSX" / "test" / "._law_test.csv").write_bytes(b"\x00\x05\x16\x07")
    for path in (tmp_path / "data" / "test").iterdir():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    for name, lang in (("mmlu", "en"), ("bbh", "en"), ("ceval", "zh")):
        assert items_of(name, lang, tmp_path) == items_of(name, lang, data)
        (found,) = list_evaluations([name], [], [], BenchmarkSource(tmp_path))
        assert found[1] == lang
    with pytest.raises(InputError, match=r"mmlu in Hindi is read from a folder: unpack .* or as FOLDER/mmlu.hi/"):
        items_of("mmlu", "hi", tmp_path)


def test_sentences_and_questions_are_found_in_unpacked_archives(tmp_path: Path) -> None:
    flat, nested = make_data(tmp_path / "flat"), tmp_path / "nested"
    sentences = "flores200_dataset/devtest"
    places = {"ell.devtest": sentences, "eng.devtest": sentences, "xquad.el.json": "xquad-master"}
    for file, place in places.items():
        (nested / place).mkdir(parents=True, exist_ok=True)
        (nested / place / f"{file}.gz").write_bytes(gzip.compress((flat / file).read_bytes()))
    for name, direction in (("flores200", "en-xx"), ("xquad", "")):
        ours = load_items(get_benchmark(name), "el", direction, BenchmarkSource(nested, allow_size_mismatch=True))
        theirs = load_items(get_benchmark(name), "el", direction, BenchmarkSource(flat, allow_size_mismatch=True))
        assert ours.items == theirs.items
    questions = json.loads((flat / "xquad.el.json").read_text(encoding="utf-8"))
    for number, question in enumerate(questions["data"][0]["paragraphs"][0]["qas"]):
        question["id"] = f"{number:040x}"
    path = nested / "MLQA_V1" / "test" / "test-context-hi-question-hi.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(questions), encoding="utf-8")
    assert (
        len(load_items(get_benchmark("mlqa"), "hi", "", BenchmarkSource(nested, allow_size_mismatch=True)).items) == 3
    )
    shutil.copytree(nested / "xquad-master", nested / "xquad-copy")
    with pytest.raises(InputError, match=r"several files of one name: .*xquad-copy/.* and .*xquad-master/"):
        load_items(get_benchmark("xquad"), "el", "", BenchmarkSource(nested))
