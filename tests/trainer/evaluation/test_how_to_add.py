"""What the README adds to evaluation is applied: a test set, a loader, a task of the harness, and two metrics."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from corpora.extensions import Extensions, extend, use_extensions
from trainer.evaluation import BenchmarkSource, MetricOptions, evaluate, get_benchmark, get_metric, load_items
from trainer.evaluation.academic import task_name
from trainer.evaluation.measurement import check_metric

README = Path(__file__).parents[3] / "trainer" / "README.md"
OWN_TASK = """
def read(**_):
    from datasets import Dataset

    return {"test": Dataset.from_list([{"question": "The sky is", "answer": "blue"}])}
"""


@pytest.fixture
def my(tmp_path: Path) -> Path:
    """Write the README's blocks to the files that their first lines name, and return the folder for --with."""
    text = README.read_text(encoding="utf-8").partition("\n## Evaluation\n")[2]
    blocks = re.findall(r"```(?:toml|python|yaml)\n# my/([\w./]+)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    for name, content in blocks:
        path = tmp_path / "my" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (tmp_path / "my" / "lm_eval_tasks" / "my_colours.py").write_text(OWN_TASK)
    return tmp_path / "my"


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """Return a folder for --data with the test set."""
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "en.test").write_text("It rains.\nThe sun shines.\n", encoding="utf-8")
    (tmp_path / "news" / "el.test").write_text("Βρέχει.\nΟ ήλιος λάμπει.\n", encoding="utf-8")
    return tmp_path / "news"


def test_test_set_and_loader_give_items(my: Path, news: Path) -> None:
    with extend([my]):
        source = BenchmarkSource(data=news)
        items = load_items(get_benchmark("news-test"), "el", "en-xx", source).items
        assert (items[0].input, items[0].references) == ("It rains.", ("Βρέχει.",))
        assert load_items(get_benchmark("sums"), "el", "", source).items[2].input == ""
        assert load_items(get_benchmark("sums"), "el", "", source).items[2].references == ("4",)
        assert task_name(get_benchmark("xstorycloze"), "hi") == "xstorycloze_hi"
        with pytest.raises(InputError, match="my_tasks:load_sums failed in 'hi': KeyError"):
            load_items(get_benchmark("sums"), "hi", "", source)


def test_metrics_are_computed(my: Path, news: Path) -> None:
    with extend([my]):
        items = load_items(get_benchmark("news-test"), "el", "en-xx", BenchmarkSource(data=news)).items
        for name in ("answer_length", "letter_overlap"):
            check_metric(get_metric(name), items, "el", MetricOptions({"case": "keep"}))
        with pytest.raises(InputError, match=r"option 'case' 'no'\. Known: ignore, keep"):
            MetricOptions({"case": "no"}).resolve(get_metric("letter_overlap"))


def test_code_is_not_read_from_the_environments_folders(my: Path) -> None:
    with use_extensions(Extensions((my,))), pytest.raises(InputError, match="given with --with on the command line"):
        check_metric(get_metric("answer_length"), (), "el", MetricOptions())


@pytest.mark.slow
def test_benchmarks_and_metrics_are_evaluated(
    my: Path, news: Path, model: Path, options: Callable[..., dict[str, Any]]
) -> None:
    chosen = options(benchmarks=["news-test"], data=news, directions=["en-xx"], with_=[my])
    table = evaluate(model, metrics=["letter_overlap"], metric_options={"case": "keep"}, **chosen)
    (result,) = table.results
    assert (result.benchmark, result.n) == ("news-test", 2)
    assert result.signature.startswith("letters|case:keep|v:1|sha256:")
    chosen = options(benchmarks=["sums"], with_=[my])
    results = {result.metric: result for result in evaluate(model, **chosen).results}
    assert set(results) == {"contains", "answer_length"}
    assert results["answer_length"].metric_max == 100_000
    assert re.match(r"sha256:[0-9a-f]{8}\|backend:", results["answer_length"].signature)


@pytest.mark.slow
def test_task_file_is_loaded(my: Path) -> None:
    row = '\n[colours]\ntask = "academic"\nlm_eval_task = "my_colours"\nlangs = ["en"]\nmetrics = ["accuracy"]\n'
    with (my / "benchmarks.toml").open("a") as file:
        file.write(row)
    with extend([my]):
        (item,) = load_items(get_benchmark("colours"), "en", "", BenchmarkSource()).items
    assert (item.input, item.references) == ("The sky is", ("blue",))
