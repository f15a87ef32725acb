"""Wrong input of the verbs that evaluate: each is a sentence, before a model answers anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from corpora.errors import InputError
from trainer.cli import cli


def error_of(*arguments: str) -> str:
    """Return the sentence of the InputError that a command raises."""
    result = CliRunner().invoke(cli, list(arguments), standalone_mode=False)
    assert isinstance(result.exception, InputError), result.output
    return str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere/at/all", "--benchmarks", "flores"], "There is no folder nowhere/at/all"),
        (["MODEL", "--benchmarks", "floras"], "Unknown benchmark 'floras'. Did you mean flores"),
        (["MODEL", "--benchmarks", "flores", "--langs", "xx"], "Unknown language 'xx'"),
        (["MODEL", "--benchmarks", "flores", "--metrics", "chrf"], "Did you mean chrf"),
        (["MODEL", "--benchmarks", "flores", "--metrics", "gamma"], "gamma is computed by `trainer align`"),
        (["MODEL", "--benchmarks", "xquad", "--metrics", "chrf++"], "None of the metrics chrf++ fits xquad"),
        (["MODEL", "--benchmarks", "flores", "--directions", "x-x"], "Unknown direction 'x-x'"),
        (["MODEL", "--benchmarks", "flores", "--metrics", "spbleu"], "Give it with --metric-option spm=VALUE"),
        (["MODEL", "--benchmarks", "flores", "--metric-option", "com=x"], "Unknown metric option 'com'. Did you mean"),
        (["MODEL", "--benchmarks", "flores", "--metric-option", "comet"], "takes NAME=VALUE"),
        (["MODEL", "--benchmarks", "xquad", "--metric-option", "arabic=x"], "Unknown value of the metric option"),
        (["MODEL", "--benchmarks", "mi-eval", "--langs", "hi"], "put hi.jsonl"),
        (["MODEL", "--benchmarks", "flores", "--prompt", "alpacca"], "Did you mean alpaca"),
        (["EMPTY", "--benchmarks", "flores"], "holds no model"),
        (
            ["MODEL", "--benchmarks", "flores", "--langs", "zh"],
            "holds no zho_simpl.devtest or zho_Hans.devtest or cmn_Hans",
        ),
        (["no-runs/*", "--benchmarks", "flores"], "There is no folder no-runs/*. Name a run"),
        (["tests/none", "--benchmarks", "flores"], "There is no folder tests/none"),
        (["MODEL", "--benchmarks", ""], "--benchmarks holds an empty name"),
        (["MODEL", "--benchmarks", "flores,,xquad"], "--benchmarks holds an empty name in 'flores,,xquad'"),
        (["MODEL", "--benchmarks", "flores", "--langs", ""], "--langs holds an empty name"),
        (["MODEL", "--benchmarks", "flores", "--langs", "en"], "flores has no items in en"),
        (["MODEL", "--benchmarks", "validation", "--langs", "el"], "name one with --release"),
        (["MODEL", "--benchmarks", "flores", "--with", "nowhere"], "--with names nowhere"),
        (["MODEL", "MODEL", "--benchmarks", "flores", "--name", "x"], "--served-model-name are of one model"),
    ],
)
def test_wrong_arguments_of_evaluate_are_errors(
    arguments: list[str], message: str, fake_model: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    names = {"MODEL": str(fake_model), "EMPTY": str(tmp_path / "empty")}
    arguments = [names.get(argument, argument) for argument in arguments]
    langs = [] if "--langs" in arguments else ["--langs", "el"]
    source = ["--data", str(data), "--allow-size-mismatch", "--offline", "--output", str(tmp_path / "o")]
    assert message in error_of("evaluate", *arguments, *langs, *source)


def test_three_models_cannot_be_judged() -> None:
    server = ["--endpoint", "http://127.0.0.1:9/v1", "--judge", "j"]
    assert "not 3" in error_of("judge", "a", "b", "c", "--benchmark", "flores", *server)


def test_every_verb_groups_its_options_and_none_has_a_nameless_value() -> None:
    for verb in ("evaluate", "compare", "judge", "align", "leaderboard"):
        output = CliRunner().invoke(cli, [verb, "--help"]).output
        assert "Output:" in output
        assert not {"TEXT", "PATH", "INTEGER", "DIRECTORY", "FILENAME"} & set(output.replace("]", " ").split()), output
