"""Belebele, XCOPA, XNLI, MGSM, Global-MMLU and INCLUDE: found as they unpack, asked as the harness asks them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from tests.trainer.evaluation.language_benchmark_files import (
    MGSM,
    XNLI,
    belebele,
    make_language_files,
    multiple_choice,
    xcopa,
)
from tests.trainer.models import make_model
from trainer.evaluation import BenchmarkSource, Item, evaluate, get_benchmark, load_items
from trainer.evaluation.benchmarks import list_evaluations

pytestmark = pytest.mark.slow
TASKS = Path(__file__).parents[3] / "trainer" / "evaluation" / "lm_eval_tasks"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_language_files(tmp_path_factory.mktemp("languages") / "data")


def items_of(name: str, lang: str, data: Path) -> tuple[Item, ...]:
    return load_items(get_benchmark(name), lang, "", BenchmarkSource(data, allow_size_mismatch=True)).items


def harness_requests(file: str, docs: list[dict[str, Any]], description: str = "") -> list[tuple[str, ...]]:
    """Return prompts (and choices) of lm-evaluation-harness's own task file for some documents."""
    import lm_eval
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml

    path = Path(lm_eval.__file__).parent / "tasks" / file
    config = load_yaml(path) | {"task": "theirs", "dataset_name": None, "training_split": None, "num_fewshot": 0}
    config = {key: value for key, value in config.items() if key not in ("fewshot_split", "validation_split", "tag")}
    splits = {"test": Dataset.from_list(docs)}
    task = ConfigurableTask(
        config=config
        | {"test_split": "test", "description": description, "custom_dataset": lambda **_: splits, "process_docs": None}
    )
    task.build_all_requests(rank=0, world_size=1)
    return [tuple(map(str, instance.args[:2])) for instance in task.instances]


def our_requests(name: str, lang: str, data: Path) -> list[tuple[str, ...]]:
    from trainer.evaluation.academic import load_task

    task = load_task(get_benchmark(name), lang, BenchmarkSource(data))
    task.build_all_requests(rank=0, world_size=1)
    return [tuple(map(str, instance.args[:2])) for instance in task.instances]


def xnli_docs() -> list[dict[str, Any]]:
    premise, hypothesis = XNLI["el"]
    return [{"premise": premise, "hypothesis": hypothesis, "label": label} for label in (2, 0, 1)]


def mgsm_docs() -> list[dict[str, Any]]:
    questions = [MGSM["de"].format(n=n) + f' "{n}' for n in (1, 2500)]
    return [
        {"question": text, "answer_number": n, "answer": None} for text, n in zip(questions, (2, 5000), strict=True)
    ]


CASES: dict[str, tuple[str, str, Callable[[], list[dict[str, Any]]], str]] = {
    "belebele": ("el", "belebele/belebele_ell_Grek.yaml", lambda: belebele("ell_Grek"), ""),
    "xcopa": ("it", "xcopa/default_it.yaml", lambda: xcopa("it"), ""),
    "xnli": ("el", "xnli/xnli_el.yaml", xnli_docs, ""),
    "mgsm": ("de", "mgsm/direct/mgsm_direct_de.yaml", mgsm_docs, ""),
    "global-mmlu": ("el", "global_mmlu/full/el/_el_template_yaml", lambda: multiple_choice("el", ("A", "D")), ""),
    "include": (
        "el",
        "include/default/Greek/_greek_template_yaml",
        lambda: multiple_choice("Greek", (3, 0)),
        "The following is multiple-choice question about STEM.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_requests_equal_those_of_the_harness_own_tasks(name: str, data: Path) -> None:
    lang, file, docs, description = CASES[name]
    ours, theirs = our_requests(name, lang, data), harness_requests(file, docs(), description)
    if name == "mgsm":  # the second argument says where to stop: here in any language's next question
        ours, theirs = [request[:1] for request in ours], [request[:1] for request in theirs]
    assert ours == theirs
    assert len(ours) > 1


def test_references_are_the_right_answers(data: Path) -> None:
    answers = {name: [item.references for item in items_of(name, CASES[name][0], data)] for name in CASES}
    assert answers["belebele"] == [("B",), ("A",)]
    assert answers["xcopa"] == [("la vasca si riempì.",), ("l'uomo aprì il rubinetto.",)]
    assert [text[0].split("? ")[1].split(",")[0] for text in answers["xnli"]] == ["όχι", "Ναί", "Έτσι"]
    assert answers["mgsm"] == [("2",), ("5000",)]
    assert answers["global-mmlu"] == [("A",), ("D",)]
    assert answers["include"] == [("D",), ("A",)]


def test_a_question_has_the_same_id_in_every_language(data: Path) -> None:
    ids = {lang: [item.id for item in items_of("belebele", lang, data)] for lang in ("el", "zh-Hant")}
    assert ids["el"] == ids["zh-Hant"]
    assert ids["el"][0] == "https://en.wikinews.org/wiki/Cat#2"


def test_languages_are_those_that_the_folder_holds(data: Path) -> None:
    langs = dict.fromkeys(CASES, "")
    for benchmark, lang, _ in list_evaluations(list(CASES), [], [], BenchmarkSource(data)):
        langs[benchmark.name] += f"{lang} "
    assert langs == {
        "belebele": "el zh-Hant ", "xcopa": "it tr ", "mgsm": "de th ", "global-mmlu": "el tl ", "include": "el mk ",
        "xnli": "ar bg de el en es fr hi ru sw th tr ur vi zh ",
    }  # fmt: skip


def test_ours_and_the_harness_values_are_equal(
    data: Path, tmp_path_factory: pytest.TempPathFactory, options: Callable[..., dict[str, Any]]
) -> None:
    folder = make_model(tmp_path_factory.mktemp("model") / "random", positions=2048)
    for lang, names in {
        "el": ["belebele", "xnli", "global-mmlu", "include"], "it": ["xcopa"], "de": ["mgsm"],
    }.items():  # fmt: skip
        table = evaluate(folder, **options(benchmarks=names, langs=[lang], data=data))
        ours = {get_benchmark(r.benchmark).lm_eval_task: r.value for r in table.results}
        assert ours == pytest.approx(harness_values(folder, data, lang, list(ours)))


def harness_values(folder: Path, data: Path, lang: str, tasks: list[str]) -> dict[str, float]:
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(TASKS), include_defaults=False, metadata={"data": str(data), "lang": lang})
    found: Any = simple_evaluate(
        model="hf", model_args=f"pretrained={folder},dtype=float32", tasks=tasks, task_manager=manager,
        batch_size=2, device="cpu", bootstrap_iters=0,
    )  # fmt: skip
    metrics = ("acc,none", "exact_match,flexible-extract")
    results = found["results"]
    return {task: next(100 * values[name] for name in metrics if name in values) for task, values in results.items()}


FAULTS: dict[str, tuple[str, str, str, Callable[[str], str]]] = {  # benchmark, language, file, change
    "there is no 'mc_answer4'": ("belebele", "el", "Belebele/ell_Grek.jsonl", lambda t: t.replace("mc_answer4", "δ")),
    "the answer is '5', not one of": ("belebele", "el", "Belebele/ell_Grek.jsonl", lambda t: t.replace('"1"', '"5"')),
    "holds the question .*#2 twice": ("belebele", "el", "Belebele/ell_Grek.jsonl", lambda t: t + t),
    "'choice1' is None, not a text": (
        "xcopa", "it", "xcopa-master/data/it/test.it.jsonl",
        lambda t: t.replace('"choice1": "La vasca si riempì."', '"choice1": null'),
    ),
    "line 2: 4 columns, not 5": ("xnli", "el", "XNLI-1.0/xnli.test.tsv", lambda t: t.replace("\t0\n", "\n")),
    "holds no question in Greek": ("xnli", "el", "XNLI-1.0/xnli.test.tsv", lambda t: t.replace("\nel\t", "\nxx\t")),
    "is an HTML page": ("xnli", "hi", "XNLI-1.0/xnli.test.tsv", lambda t: "<!DOCTYPE html><html>"),
    "not a Parquet file": ("include", "el", "include-base-44/Greek/test-00000-of-00001.parquet", lambda t: "x"),
}  # fmt: skip


@pytest.mark.parametrize("message", FAULTS)
def test_changed_files_are_refused(message: str, data: Path, tmp_path: Path) -> None:
    name, lang, file, change = FAULTS[message]
    path = shutil.copytree(data, tmp_path / "data") / file
    path.write_text(change(path.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        items_of(name, lang, tmp_path / "data")


def test_a_language_without_files_or_words_is_an_error(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unpack .*Belebele.zip .* in FOLDER, or as FOLDER/belebele.hi/"):
        items_of("belebele", "hi", data)
    path = tmp_path / "xcopa.el" / "test.el.jsonl"
    path.parent.mkdir()
    shutil.copy(data / "xcopa-master/data/it/test.it.jsonl", path)
    with pytest.raises(InputError, match="The prompt has no words in Greek; it has them in et, ht, id"):
        items_of("xcopa", "el", tmp_path)
    shutil.copytree(data / "Belebele", tmp_path / "a" / "b")
    shutil.copytree(data / "Belebele", tmp_path / "a" / "c")
    with pytest.raises(InputError, match=r"several files of one name: .*/b/ell_Grek.jsonl and .*/c/ell_Grek.jsonl"):
        items_of("belebele", "el", tmp_path)
