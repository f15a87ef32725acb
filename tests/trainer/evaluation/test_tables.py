"""Rows of benchmarks.toml and metrics.toml: a typo or a wrong type of any key is an error with file, row and key."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from corpora.extensions import extend
from trainer.evaluation import Benchmark, Metric, MetricOption, load_benchmarks, load_metrics
from trainer.evaluation.metrics import MetricOptions, check_options

BENCHMARK = {"task": '"question"', "metrics": '["em"]', "corpus": '"xquad"'}
METRIC = {"description": '"x"', "verb": '"align"'}
TABLES: dict[str, tuple[Any, dict[str, str], Callable[[], Any]]] = {
    "benchmarks.toml": (Benchmark, BENCHMARK, load_benchmarks),
    "metrics.toml": (Metric, METRIC, load_metrics),
}
KEYS = [(name, field.name) for name, (row, _, _) in TABLES.items() for field in fields(row) if field.name != "name"]


def error_of(folder: Path, name: str, keys: dict[str, str], extra: str = "") -> str:
    """Return the error for a table [own] with these keys in a user's folder."""
    path = folder / name
    path.write_text("[own]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) + extra, encoding="utf-8")
    with extend([folder]), pytest.raises(InputError) as raised:
        TABLES[name][2]()
    return str(raised.value)


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_mistyped_key_is_an_error_with_the_nearest_known(name: str, key: str, tmp_path: Path) -> None:
    message = error_of(tmp_path, name, TABLES[name][1] | {f"{key}x": "1"})
    assert f"{tmp_path / name}, table [own]: Unknown key '{key}x'. Did you mean {key}" in message


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_value_of_a_wrong_type_is_an_error(name: str, key: str, tmp_path: Path) -> None:
    message = error_of(tmp_path, name, TABLES[name][1] | {key: "1979-05-27"})
    assert f"{tmp_path / name}, table [own]: " in message
    assert f"'{key}" in message


REQUIRED = [("benchmarks.toml", "task"), ("benchmarks.toml", "metrics"), ("metrics.toml", "description")]


@pytest.mark.parametrize(("name", "key"), REQUIRED)
def test_missing_key_is_an_error(name: str, key: str, tmp_path: Path) -> None:
    keys = {own: value for own, value in TABLES[name][1].items() if own != key}
    assert f"table [own]: the key '{key}' is missing" in error_of(tmp_path, name, keys)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": '"questions"'}, "benchmarks.toml, table [own]: Unknown task 'questions'. Did you mean question?"),
        ({"corpus": '"xqad"'}, "benchmarks.toml, table [own]: Unknown benchmark corpus 'xqad'. Did you mean xquad?"),
        ({"corpus": '"alpaca"'}, "Unknown benchmark corpus 'alpaca'"),
        ({"metrics": '["chrf+"]'}, "benchmarks.toml, table [own]: Unknown metric 'chrf+'. Did you mean chrf++?"),
        ({"metrics": '["chrf++"]'}, "the metric chrf++ fits translation, validation, not question"),
        ({"metrics": '["gamma"]'}, "Unknown metric 'gamma'"),
        ({"prompt": '"papr"'}, "Unknown translation prompt 'papr'. Did you mean paper?"),
        ({"langs": '["gr"]'}, "Unknown language 'gr'"),
        ({"id_pattern": '"("'}, "'id_pattern' must be a regular expression"),
        ({"num_items": "{ gr = 1 }"}, "Unknown language 'gr'"),
        ({"task": '"academic"', "metrics": '["accuracy"]'}, "the key 'lm_eval_task' is missing"),
    ],
)
def test_unknown_reference_is_an_error(changes: dict[str, str], message: str, tmp_path: Path) -> None:
    assert message in error_of(tmp_path, "benchmarks.toml", BENCHMARK | changes)


def test_default_of_a_metric_option_is_one_of_its_choices(tmp_path: Path) -> None:
    keys = {"description": '"x"', "function": '"m:f"'}
    options = '[own.options.size]\ndescription = "x"\ndefault = "smal"\nchoices = ["small"]\n'
    error = error_of(tmp_path, "metrics.toml", keys, options)
    assert f"{tmp_path / 'metrics.toml'}, table [own], key 'options.size.default'" in error
    assert "Unknown choice 'smal'. Did you mean small?" in error


def test_unknown_value_of_a_metric_option_is_an_error_before_any_work() -> None:
    check_options(MetricOptions({"arabic": "fixed", "comet": "any-model"}))
    with pytest.raises(InputError, match=r"value of the metric option 'arabic' 'fixd'. Did you mean fixed"):
        check_options(MetricOptions({"arabic": "fixd"}))


def test_keys_of_metric_options_are_strict(tmp_path: Path) -> None:
    keys = {"description": '"x"', "function": '"m:f"'}
    for field in fields(MetricOption):
        options = f'[own.options.size]\ndescription = "x"\n{field.name}x = 1\n'
        assert f"{field.name}x" in error_of(tmp_path, "metrics.toml", keys, options)
