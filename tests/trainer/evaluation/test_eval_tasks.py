"""Evaluation: the same results in any batches and after any kill, no row twice, and strict reading."""

import json
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from corpora.errors import InputError
from recipes.results import read_results
from tests.trainer.models import CONTEXT, SENTENCES, make_model, questions
from trainer.evaluation import (
    BenchmarkSource,
    MetricOptions,
    evaluate,
    get_benchmark,
    get_metric,
    load_items,
    load_model,
    measure,
)

ROOT = Path(__file__).parents[3]
Options = Callable[..., dict[str, Any]]


def outputs_of(options: dict[str, Any], model: str = "random") -> dict[str, pl.DataFrame]:
    """Return the stored outputs of a model by name of file."""
    return {path.name: pl.read_parquet(path) for path in (options["output"] / model).glob("*.parquet")}


@pytest.mark.slow
def test_each_direction_gets_its_metrics_and_outputs_are_stored(model: Path, options: Options) -> None:
    chosen = options()
    table = evaluate(model, **chosen)
    keys = {(r.benchmark, r.direction, r.metric) for r in table.results}
    assert {("flores", d, m) for d in ("en-xx", "xx-en") for m in ("chrf++", "token_accuracy")} <= keys
    assert {("xquad", "", m) for m in ("em", "f1", "contains")} <= keys
    assert len(table.results) == len(keys) == 7  # no answer of this model is long enough for language_accuracy
    assert all(r.model == "random" and r.num_pairs == 0 and r.release == "" for r in table.results)
    assert tuple(read_results(chosen["results"])) == table.results
    outputs = outputs_of(chosen)
    answers = next(table for name, table in outputs.items() if name.startswith("flores.el.en-xx.generate_until"))
    assert answers["references"].to_list() == [[text] for text in SENTENCES["ell"]]
    assert answers["input"].to_list() == SENTENCES["eng"]
    assert answers["instruction"][0] == "Translate the following sentences from English to Greek."
    assert set(answers.columns) == {
        *("item_id", "instruction", "input", "references", "text", "num_prompt_tokens", "num_new_tokens"),
        *("truncated", "ended", "backend"),
    }


@pytest.mark.slow
def test_results_do_not_depend_on_the_batch_size(model: Path, options: Options, tmp_path: Path) -> None:
    one, many = (options(batch_size=n, output=tmp_path / str(n), results=tmp_path / f"{n}.jsonl") for n in (1, 3))
    assert evaluate(model, **one).results == evaluate(model, **many).results
    texts = [{name: table.drop("truncated") for name, table in outputs_of(chosen).items()} for chosen in (one, many)]
    assert texts[0].keys() == texts[1].keys()
    assert all(texts[0][name].equals(texts[1][name]) for name in texts[0])


@pytest.mark.slow
def test_second_evaluation_generates_nothing_and_adds_no_row(
    model: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(model, **options())
    before = options()["results"].read_bytes()
    monkeypatch.setattr("trainer.evaluation.generation.generate", None)
    monkeypatch.setattr("trainer.evaluation.generation.teacher_forced", None)
    assert evaluate(model, **options()) == first
    assert options()["results"].read_bytes() == before


@pytest.mark.slow
def test_another_metric_uses_stored_answers(model: Path, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate(model, **options(benchmarks=["xquad"], metrics=["em"]))
    monkeypatch.setattr("trainer.evaluation.generation.generate", None)
    table = evaluate(model, **options(benchmarks=["xquad"], metrics=["f1"]))
    assert {result.metric for result in table.results} == {"f1"}
    answers = next(pl.read_parquet(path) for path in (options()["output"] / "random").glob("xquad.el.*"))
    expected = measure(get_metric("f1"), answers, "el", MetricOptions()).value
    assert [result.value for result in table.results if result.lang == "el"] == [expected]
    assert len(read_results(options()["results"])) == 2 * len(table.results)


@pytest.mark.slow
def test_killed_evaluation_continues_and_equals_an_undisturbed_one(
    model: Path, data: Path, options: Options, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "trainer", "evaluate", str(model), "--benchmarks", "flores", "--langs", "el"]
    command += ["--directions", "en-xx", "--metrics", "chrf++", "--max-new-tokens", "200", "--batch-size", "1"]
    command += ["--data", str(data), "--allow-size-mismatch", "--offline"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL)
    folder = tmp_path / "evaluations" / "random"
    wait_for(lambda: any(folder.glob("*.parts/*.json")), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(folder.glob("*.parts/*.json"))
    chosen = {"benchmarks": ["flores"], "directions": ["en-xx"], "metrics": ["chrf++"]}
    resumed = evaluate(model, **options(**chosen, max_new_tokens=200, batch_size=1))
    assert not list(folder.glob("*.parts"))
    places = {"output": tmp_path / "undisturbed", "results": tmp_path / "undisturbed.jsonl"}
    assert evaluate(model, **options(**chosen, max_new_tokens=200, batch_size=1, **places)) == resumed


def environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": str(ROOT)}


def wait_for(is_true: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 120
    while not is_true():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_answers_end_at_the_end_token_and_long_prompts_lose_their_middle(tmp_path: Path, options: Options) -> None:
    from trainer.evaluation.batching import by_length
    from trainer.evaluation.generation import cut_at_eos, truncate_middle

    short = make_model(tmp_path / "short", positions=256)
    chosen = options(benchmarks=["xquad"], max_new_tokens=20)
    evaluate(short, **chosen)
    (table,) = outputs_of(chosen, "short").values()
    assert table["truncated"].all()  # bytes of Greek: over 256
    unended = table.filter(~pl.col("ended"))
    assert unended["num_new_tokens"].to_list() == [20] * len(unended)
    assert truncate_middle(list(range(10)), 4) == [0, 1, 8, 9]
    assert cut_at_eos([5, 6, 2, 7], [2, 3]) == ([5, 6], True)
    assert list(by_length([2, 9, 5], 2)) == [[1, 2], [0]]


@pytest.mark.slow
def test_token_accuracy_equals_a_plain_loop(model: Path, options: Options) -> None:
    import torch

    chosen = options(benchmarks=["flores"], directions=["en-xx"], metrics=["token_accuracy"])
    (result,) = evaluate(model, **chosen).results
    loaded, right, num = load_model(str(model)), 0, 0
    for english, greek in zip(SENTENCES["eng"], SENTENCES["ell"], strict=True):
        prompt = loaded.prompt.prompt("Translate the following sentences from English to Greek.", english)
        before = loaded.tokenizer(prompt)["input_ids"]
        ids = [*loaded.tokenizer(prompt + greek)["input_ids"], loaded.tokenizer.eos_token_id]
        assert ids[: len(before)] == before
        logits = loaded.model(torch.tensor([ids])).logits[0]
        right += sum(int(logits[index - 1].argmax()) == ids[index] for index in range(len(before), len(ids)))
        num += len(ids) - len(before)
    assert result.value == pytest.approx(100 * right / num)


def source_of(data: Path, **changes: Any) -> BenchmarkSource:
    return BenchmarkSource(data, **({"allow_size_mismatch": True, "offline": True} | changes))


def load(name: str, source: BenchmarkSource, lang: str = "el", direction: str = "") -> Any:
    return load_items(get_benchmark(name), lang, direction, source)


def test_questions_are_asked_in_the_papers_words(data: Path) -> None:
    item = load("xquad", source_of(data)).items[0]
    assert item.instruction == "Απαντήστε στις ερωτήσεις με βάση τις παρακάτω παραγράφους"
    assert item.input == f"παράγραφος: {CONTEXT}\nερώτηση: Πού γεννήθηκε η Άννα;\nΑπάντηση: "
    assert item.references == ("Πάτρα",)


def damaged(data: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> BenchmarkSource:
    """Return a source whose XQuAD was changed."""
    shutil.copytree(data, folder)
    page: Any = questions()
    change(page)
    (folder / "xquad.el.json").write_text(json.dumps(page), encoding="utf-8")
    return source_of(folder)


def first(page: dict[str, Any]) -> dict[str, Any]:
    return page["data"][0]["paragraphs"][0]["qas"][0]  # type: ignore[no-any-return]


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "ids translated too": lambda page: first(page).update(id="Bavaglino 56434AAA"),
    "twice": lambda page: first(page).update(id=f"{1:024x}"),
    "at character": lambda page: first(page)["answers"][0].update(text="Λάρισα"),
    "has no answer": lambda page: first(page).update(answers=[]),
    "the answer is empty": lambda page: first(page)["answers"][0].update(text=" "),
    "a text 'question' was expected": lambda page: first(page).pop("question"),
}


@pytest.mark.parametrize("message", FAULTS)
def test_changed_benchmark_is_refused(message: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        load("xquad", damaged(data, tmp_path / "data", FAULTS[message]))


def test_byte_order_marks_and_moved_offsets_are_warnings_and_a_web_page_is_an_error(data: Path, tmp_path: Path) -> None:
    source = source_of(shutil.copytree(data, tmp_path / "data"))
    file = tmp_path / "data" / "xquad.el.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(questions()).encode())
    assert "byte order mark" in load("xquad", source).warnings[0]
    page: Any = questions()
    paragraph = page["data"][0]["paragraphs"][0]
    paragraph["context"] = unicodedata.normalize("NFD", CONTEXT)
    for question in paragraph["qas"]:
        (answer,) = question["answers"]
        answer["text"] = unicodedata.normalize("NFD", answer["text"])
        answer["answer_start"] = paragraph["context"].index(answer["text"])
    file.write_text(json.dumps(page), encoding="utf-8")
    items = load("xquad", source)
    assert "in NFC 3 of 3 answers" in items.warnings[0]
    assert items.items[0].references == ("Πάτρα",)
    file.write_text("<!DOCTYPE html><html>", encoding="utf-8")
    with pytest.raises(InputError, match="HTML page"):
        load("xquad", source)


def test_empty_benchmark_is_an_error(data: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(data, tmp_path / "data")
    for name in ("el.jsonl", "eng.devtest", "ell.devtest"):
        (folder / name).write_text("", encoding="utf-8")
    for name in ("mi-eval", "flores"):
        with pytest.raises(InputError, match=f"{name} in Greek holds no items: its file is empty"):
            load(name, source_of(folder), direction="en-xx")


def test_shortened_benchmark_is_refused_unless_allowed(data: Path, tmp_path: Path) -> None:
    source = source_of(shutil.copytree(data, tmp_path / "data"), allow_size_mismatch=False)
    with pytest.raises(InputError, match="has 4 items here, not 1,012"):
        load("flores", source, direction="en-xx")
    (tmp_path / "data" / "ell.devtest").write_text("Μία μόνο.\n", encoding="utf-8")
    with pytest.raises(InputError, match="4 sentences in English and 1 in Greek"):
        load("flores", replace(source, allow_size_mismatch=True), direction="en-xx")


@pytest.mark.slow
def test_signature_says_that_only_some_items_were_used(model: Path, options: Options) -> None:
    chosen = options(benchmarks=["flores"], directions=["en-xx"], metrics=["chrf++"])
    (few,), (every,) = evaluate(model, **chosen, limit=2).results, evaluate(model, **chosen).results
    assert few.signature.endswith("first:2")
    assert (few.n, every.n) == (2, 4)
    assert few.signature != every.signature


def test_results_file_that_cannot_be_read_is_an_error_before_any_work(
    fake_model: Path, options: Options, tmp_path: Path
) -> None:
    (tmp_path / "page.jsonl").write_text("<!DOCTYPE html>", encoding="utf-8")
    for name, message in (("page.jsonl", "is an HTML page"), (".", "is a folder")):
        with pytest.raises(InputError, match=message):
            evaluate(fake_model, **options(results=tmp_path / name))
    assert not options()["output"].exists()


@pytest.mark.slow
def test_damaged_outputs_are_an_error(model: Path, options: Options) -> None:
    chosen = options(benchmarks=["flores"], directions=["en-xx"], metrics=["chrf++"])
    evaluate(model, **chosen)
    (path,) = (chosen["output"] / "random").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"is damaged .*Remove it"):
        evaluate(model, **chosen)


@pytest.mark.slow
def test_progress_names_model_and_benchmark_and_counts_items(model: Path, options: Options) -> None:
    statuses: list[Any] = []
    evaluate(model, **options(), progress=statuses.append)
    finished = [status for status in statuses if status.is_finished]
    assert [(s.stage, s.index, s.count) for s in finished] == [
        ("reading benchmarks", 1, 4),
        ("random on flores.el.en-xx", 2, 4),
        ("random on flores.el.xx-en", 3, 4),
        ("random on xquad.el", 4, 4),
    ]
    assert [(s.done, s.total, s.unit) for s in finished[1:]] == [(8, 8, "items"), (8, 8, "items"), (3, 3, "items")]


@pytest.mark.slow
def test_model_of_the_hub_is_read_from_its_cache_at_one_commit(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "a" * 40
    repository = tmp_path / "models--org--random"
    shutil.copytree(model, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    loaded = load_model("org/random", offline=True)
    assert loaded.folder.name == commit
    assert loaded.fingerprint == load_model(str(model)).fingerprint
    with pytest.raises(InputError, match="The model org/other"):
        _ = load_model("org/other", offline=True).tokenizer
