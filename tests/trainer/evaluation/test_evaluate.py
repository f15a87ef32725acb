"""evaluate(): the same scores in any batches and after any kill, no row twice, and strict reading."""

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
from click.testing import CliRunner

from corpora.errors import InputError
from recipes.results import read_results
from tests.trainer.models import CONTEXT, SENTENCES, make_data, make_model, questions
from trainer.cli.main import cli
from trainer.evaluation.benchmarks import benchmark, load_items
from trainer.evaluation.eval_model import find_candidate
from trainer.evaluation.evaluate import Evaluation, evaluate
from trainer.evaluation.generation import by_length, without_middle
from trainer.evaluation.items import Place

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "random")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("benchmarks") / "data")


@pytest.fixture
def ask(model: Path, data: Path, tmp_path: Path) -> Callable[..., Evaluation]:
    """An evaluation on the little benchmarks, with changes."""

    def make(**changes: Any) -> Evaluation:
        asked = Evaluation(
            find_candidate(str(model)),
            ("flores", "xquad"),
            langs="el",
            max_new_tokens=12,
            place=Place(data, any_rows=True, offline=True),
            out=tmp_path / "evaluations",
            results=tmp_path / "results.jsonl",
        )
        return replace(asked, **changes)

    return make


def scores_of(asked: Evaluation) -> dict[tuple[object, ...], tuple[float, object, int]]:
    return {score.key: (score.value, score.interval, score.n) for score in evaluate(asked, print)}


def outputs_of(asked: Evaluation) -> dict[str, pl.DataFrame]:
    return {path.name: pl.read_parquet(path) for path in asked.folder.glob("*.parquet")}


def test_a_model_is_scored_in_every_direction_and_what_it_said_is_kept(ask: Callable[..., Evaluation]) -> None:
    asked = ask()
    scores = list(evaluate(asked, print))
    places = {(s.benchmark, s.direction, s.metric) for s in scores}
    assert {("flores", d, m) for d in ("en-xx", "xx-en") for m in ("chrf++", "token_accuracy")} <= places
    assert {("xquad", "", m) for m in ("em", "f1", "contains", "answer_language")} <= places
    assert len(scores) == len(places) == 8
    assert all(s.model == "random" and s.num_pairs == 0 and s.release == "" for s in scores)
    assert read_results(asked.results) == scores
    said = outputs_of(asked)
    table = next(table for name, table in said.items() if name.startswith("flores.el.en-xx.generate"))
    assert table["references"].to_list() == [[text] for text in SENTENCES["ell"]]
    assert table["input"].to_list() == SENTENCES["eng"]
    assert table["instruction"][0] == "Translate the following sentences from English to Greek."


def test_scores_depend_neither_on_batches_nor_on_order(ask: Callable[..., Evaluation], tmp_path: Path) -> None:
    one, many = (ask(batch_size=size, out=tmp_path / str(size), results=tmp_path / f"{size}.jsonl") for size in (1, 3))
    assert scores_of(one) == scores_of(many)
    texts = [{name: table.drop("cut") for name, table in outputs_of(asked).items()} for asked in (one, many)]
    assert texts[0].keys() == texts[1].keys()
    assert all(texts[0][name].equals(texts[1][name]) for name in texts[0])


def test_a_second_evaluation_asks_nothing_and_adds_no_row(
    ask: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scores_of(ask())
    before = ask().results.read_bytes()
    monkeypatch.setattr("trainer.evaluation.generation.generate", None)
    monkeypatch.setattr("trainer.evaluation.generation.force", None)
    assert scores_of(ask()) == first
    assert ask().results.read_bytes() == before


def test_another_metric_needs_no_new_answers(ask: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch) -> None:
    scores_of(ask(benchmarks=("flores",), metrics=("chrf++",)))
    monkeypatch.setattr("trainer.evaluation.generation.generate", None)
    scores = list(evaluate(ask(benchmarks=("flores",), metrics=("answer_language",)), print))
    assert {s.metric for s in scores} == {"answer_language"}
    assert len(read_results(ask().results)) == 4


def test_a_killed_evaluation_goes_on_and_ends_as_an_undisturbed_one(
    ask: Callable[..., Evaluation], model: Path, data: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "trainer", "evaluate", str(model), "--benchmarks", "flores", "--langs", "el"]
    command += ["--directions", "en-xx", "--metrics", "chrf++", "--max-new-tokens", "200", "--batch-size", "1"]
    command += ["--data", str(data), "--any-rows", "--offline"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL)
    folder = tmp_path / "evaluations" / "random"
    wait_for(lambda: any(folder.glob("*.parts/*.json")), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(folder.glob("*.parts/*.json"))
    chosen = {"benchmarks": ("flores",), "directions": ("en-xx",), "metrics": ("chrf++",)}
    asked = ask(**chosen, max_new_tokens=200, batch_size=1)
    resumed = scores_of(asked)
    assert not list(folder.glob("*.parts"))
    again = replace(asked, out=tmp_path / "undisturbed", results=tmp_path / "undisturbed.jsonl")
    assert scores_of(again) == resumed


def environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": str(ROOT)}


def wait_for(there: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + 120
    while not there():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_answers_stop_at_the_end_token_and_prompts_lose_their_middle(tmp_path: Path, data: Path) -> None:
    short = find_candidate(str(make_model(tmp_path / "short", positions=256)))
    place = Place(data, any_rows=True, offline=True)
    asked = Evaluation(
        short, ("xquad",), "el", max_new_tokens=20, place=place, out=tmp_path / "out", results=tmp_path / "s"
    )
    scores_of(asked)
    (table,) = outputs_of(asked).values()
    assert table["cut"].all()  # bytes of Greek: over 256
    assert table.filter(~pl.col("ended"))["num_new"].to_list() == [20] * len(table.filter(~pl.col("ended")))
    assert without_middle(list(range(10)), 4) == [0, 1, 8, 9]
    assert list(by_length([2, 9, 5], 2)) == [[1, 2], [0]]


def test_token_accuracy_is_that_of_a_plain_loop(ask: Callable[..., Evaluation]) -> None:
    import torch

    asked = ask(benchmarks=("flores",), directions=("en-xx",), metrics=("token_accuracy",))
    (score,) = evaluate(asked, print)
    candidate, right, num = asked.candidate, 0, 0
    for english, greek in zip(SENTENCES["eng"], SENTENCES["ell"], strict=True):
        prompt = candidate.form.prompt("Translate the following sentences from English to Greek.", english)
        before = candidate.tokenizer(prompt)["input_ids"]
        ids = [*candidate.tokenizer(prompt + greek)["input_ids"], candidate.tokenizer.eos_token_id]
        assert ids[: len(before)] == before
        logits = candidate.model(torch.tensor([ids])).logits[0]
        right += sum(int(logits[place - 1].argmax()) == ids[place] for place in range(len(before), len(ids)))
        num += len(ids) - len(before)
    assert score.value == pytest.approx(100 * right / num)


def test_the_papers_prompts_are_asked_word_for_word(data: Path) -> None:
    items = load_items(benchmark("xquad"), "el", "", Place(data, any_rows=True, offline=True)).items
    assert items[0].instruction == "Απαντήστε στις ερωτήσεις με βάση τις παρακάτω παραγράφους"
    assert items[0].input == f"παράγραφος: {CONTEXT}\nερώτηση: Πού γεννήθηκε η Άννα;\nΑπάντηση: "
    assert items[0].references == ("Πάτρα",)


def spoiled(data: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Place:
    """A folder whose XQuAD was changed."""
    shutil.copytree(data, folder)
    page: Any = questions()
    change(page)
    (folder / "xquad.el.json").write_text(json.dumps(page), encoding="utf-8")
    return Place(folder, any_rows=True, offline=True)


def first(page: dict[str, Any]) -> dict[str, Any]:
    return page["data"][0]["paragraphs"][0]["qas"][0]  # type: ignore[no-any-return]


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "ids translated too": lambda page: first(page).update(id="Bavaglino 56434AAA"),
    "stands there twice": lambda page: first(page).update(id=f"{1:024x}"),
    "does not stand at character": lambda page: first(page)["answers"][0].update(text="Λάρισα"),
    "has no answer": lambda page: first(page).update(answers=[]),
    "the answer is empty": lambda page: first(page)["answers"][0].update(text=" "),
    "a text 'question' was expected": lambda page: first(page).pop("question"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_benchmark_that_was_changed_is_refused(fault: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=fault):
        load_items(benchmark("xquad"), "el", "", spoiled(data, tmp_path / "data", FAULTS[fault]))


def test_a_page_named_json_a_byte_order_mark_and_moved_offsets_are_found(data: Path, tmp_path: Path) -> None:
    place = Place(shutil.copytree(data, tmp_path / "data"), any_rows=True, offline=True)
    file = place.data / "xquad.el.json" if place.data else tmp_path
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(questions()).encode())
    assert "byte order mark" in load_items(benchmark("xquad"), "el", "", place).odd[0]
    apart: Any = questions()
    paragraph = apart["data"][0]["paragraphs"][0]
    paragraph["context"] = unicodedata.normalize("NFD", CONTEXT)
    for question in paragraph["qas"]:
        (answer,) = question["answers"]
        answer["text"] = unicodedata.normalize("NFD", answer["text"])
        answer["answer_start"] = paragraph["context"].index(answer["text"])
    file.write_text(json.dumps(apart), encoding="utf-8")
    items = load_items(benchmark("xquad"), "el", "", place)
    assert "in NFC 3 of 3 answers no longer stand at their offset" in items.odd[0]
    assert items.items[0].references == ("Πάτρα",)
    file.write_text("<!DOCTYPE html><html>", encoding="utf-8")
    with pytest.raises(InputError, match="HTML page"):
        load_items(benchmark("xquad"), "el", "", place)


def test_an_empty_benchmark_is_a_sentence(data: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(data, tmp_path / "data")
    for name in ("el.jsonl", "eng.devtest", "ell.devtest"):
        (folder / name).write_text("", encoding="utf-8")
    for name in ("mi-eval", "flores"):
        with pytest.raises(InputError, match=f"{name} in Greek asks nothing: its file is empty"):
            load_items(benchmark(name), "el", "en-xx", Place(folder, any_rows=True, offline=True))


def test_a_shortened_benchmark_is_refused_unless_said_so(data: Path, tmp_path: Path) -> None:
    place = Place(shutil.copytree(data, tmp_path / "data"), offline=True)
    with pytest.raises(InputError, match="has 4 items here, not 1,012"):
        load_items(benchmark("flores"), "el", "en-xx", place)
    (tmp_path / "data" / "ell.devtest").write_text("Μία μόνο.\n", encoding="utf-8")
    with pytest.raises(InputError, match="4 sentences in English and 1 in Greek"):
        load_items(benchmark("flores"), "el", "en-xx", replace(place, any_rows=True))


def test_what_was_asked_of_some_items_is_signed_so(ask: Callable[..., Evaluation]) -> None:
    (few,) = evaluate(ask(benchmarks=("flores",), directions=("en-xx",), metrics=("chrf++",), limit=2), print)
    (all_of,) = evaluate(ask(benchmarks=("flores",), directions=("en-xx",), metrics=("chrf++",)), print)
    assert few.signature.endswith("first:2")
    assert (few.n, all_of.n) == (2, 4)
    assert few.signature != all_of.signature


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere/at/all", "--benchmarks", "flores"], "There is no folder nowhere/at/all"),
        (["MODEL", "--benchmarks", "floras"], "Unknown benchmark 'floras'. Did you mean flores"),
        (["MODEL", "--benchmarks", "flores", "--langs", "xx"], "Unknown language 'xx'"),
        (["MODEL", "--benchmarks", "flores", "--metrics", "chrf"], "Did you mean chrf"),
        (["MODEL", "--benchmarks", "xquad", "--metrics", "chrf++"], "None of the metrics chrf++ fits xquad"),
        (["MODEL", "--benchmarks", "flores", "--directions", "x-x"], "Unknown direction 'x-x'"),
        (["MODEL", "--benchmarks", "flores", "--metrics", "spbleu"], "--spm flores200=FILE"),
        (["MODEL", "--benchmarks", "mi-eval", "--langs", "hi"], "put hi.jsonl"),
        (["MODEL", "--benchmarks", "flores", "--prompt", "alpacca"], "Did you mean alpaca"),
        (["EMPTY", "--benchmarks", "flores"], "holds no model"),
        (
            ["MODEL", "--benchmarks", "flores", "--langs", "zh"],
            "holds no zho_simpl.devtest or zho_Hans.devtest or cmn_Hans",
        ),
        (["tests/none", "--benchmarks", "flores"], "There is no folder tests/none"),
        (["MODEL", "--benchmarks", ""], "'' holds an empty name"),
        (["MODEL", "--benchmarks", "flores,,xquad"], "'flores,,xquad' holds an empty name"),
        (["MODEL", "--benchmarks", "flores", "--langs", ""], "Unknown language ''"),
        (["MODEL", "--benchmarks", "flores", "--langs", "en"], "flores asks nothing in en"),
        (["MODEL", "--benchmarks", "validation", "--langs", "el"], "Name the release with --release"),
    ],
)
def test_bad_input_is_a_sentence(arguments: list[str], says: str, model: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    names = {"MODEL": str(model), "EMPTY": str(tmp_path / "empty")}
    arguments = [names.get(a, a) for a in arguments]
    langs = [] if "--langs" in arguments else ["--langs", "el"]
    place = ["--data", str(data), "--any-rows", "--offline", "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(cli, ["evaluate", *arguments, *langs, *place], standalone_mode=False)
    assert isinstance(result.exception, InputError), result.output
    assert says in str(result.exception)


def test_a_file_of_scores_that_cannot_be_added_to_is_told_before_any_work(
    ask: Callable[..., Evaluation], tmp_path: Path
) -> None:
    (tmp_path / "page.jsonl").write_text("<!DOCTYPE html>", encoding="utf-8")
    for name, says in (("page.jsonl", "is an HTML page"), (".", "is a folder")):
        with pytest.raises(InputError, match=says):
            list(evaluate(ask(results=tmp_path / name), print))
    assert not ask().folder.exists()


def test_damaged_answers_are_a_sentence(ask: Callable[..., Evaluation]) -> None:
    asked = ask(benchmarks=("flores",), directions=("en-xx",), metrics=("chrf++",))
    scores_of(asked)
    (path,) = asked.folder.glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"is damaged .*Remove it"):
        scores_of(asked)
