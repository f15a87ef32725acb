"""Wrong input to `trainer sft` is an error with exit code 2, before the first step."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from cards.manifest import FILE, to_text
from corpora.errors import InputError
from trainer.cli import cli

from .conftest import copy_release

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def error_of(registry: Path, tmp_path: Path) -> Callable[..., str]:
    """Run `trainer sft` on the Greek rows of the sample and return the message of its error."""

    def run(*changes: str, recipe: str = "tiny", release: str = "coit-sample", config: str | None = "el") -> str:
        arguments = ["sft", recipe, f"--release={release}", f"--registry={registry}", f"--output={tmp_path / 'run'}"]
        arguments += [f"--config={config}"] if config else []
        options = [change if change.startswith("--") else f"--set={change}" for change in changes]
        result = CliRunner().invoke(cli, [*arguments, *options])
        assert isinstance(result.exception, InputError), result.output
        assert not list(tmp_path.glob("run/checkpoint-*"))
        return str(result.exception)

    return run


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["model_config={hiden_size: 4}"], "model_config: Unknown key 'hiden_size'. Did you mean hidden_size"),
        (["model_config={vocab_size: 32000}"], "model_config: the tokenizer sets vocab_size. Leave it out"),
        (["model_config={num_hidden_layers: 0}"], "num_hidden_layers is 0. It must be a whole number from 1"),
        (["model_config={hidden_size: 33, num_attention_heads: 2}"], "(33) is not a multiple of the number of"),
        (
            ["model_config={num_attention_heads: 2, num_key_value_heads: 5}"],
            "2. It must be a multiple of num_key",
        ),
        (["model_config={rms_norm_eps: x}"], "'rms_norm_eps' expected float, got str (value: 'x')"),
        (["use_peft=true", "lora_target_modules=[q_prj]"], "Unknown module 'q_prj'. Did you mean q_proj"),
        (["use_peft=true", "lora_target_modules=("], "lora_target_modules: '(' is no pattern: missing )"),
        (["lr_scheduler_type=cosin"], "TRL refuses the settings of recipe tiny"),
        (["optim=adamm"], "TRL refuses the settings of recipe tiny"),
        (["max_length=40"], "none of 257 rows fits the limit of 40 tokens"),
        (["max_length=150", "on_overflow=error"], "Rows are longer than the limit of 150 tokens (max_length): "),
        (["--langs=hi"], "Config 'el' of coit-sample@v1.0.0 has no language 'hi'. It has el."),
        (["--langs=elll"], "Unknown language 'elll'"),
        (["--size=0"], "'0' is not a size"),
        (["--size=9k"], "has 171 translations in el, fewer than 9,000"),
        (["tokenizer=./no/where/there"], "There is no folder ./no/where/there. Name a folder"),
        (["prompt=chat"], "The tokenizer has no chat template"),
        (["pad_token=<none>"], "has no token '<none>' to pad with"),
        (["--sharding=fsdp3"], "There is no file"),
    ],
)
def test_unfit_setting_is_refused(changes: list[str], sentence: str, error_of: Callable[..., str]) -> None:
    assert sentence in error_of(*changes)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"recipe": "tinny"}, "Unknown training recipe 'tinny'. Did you mean tiny?"),
        ({"release": "coit"}, "Unknown release 'coit'. Known: coit-sample."),
        ({"release": "coit-sample@v9.0.0"}, "Unknown version of coit-sample 'v9.0.0'"),
        ({"release": "../up"}, "There is no folder ../up"),
        ({"config": "greek"}, "Unknown config of coit-sample@v1.0.0 'greek'"),
        ({"config": None}, "has the configs ar, el, hi, tr, vi, zh. Name one of them"),
    ],
)
def test_unknown_name_is_refused(names: dict[str, str | None], sentence: str, error_of: Callable[..., str]) -> None:
    assert sentence in error_of(**names)


def test_changed_data_file_is_refused(release: Any, tmp_path: Path, error_of: Callable[..., str]) -> None:
    copy = copy_release(release, tmp_path / "copy")
    file = next(copy.glob("data/el/train-*.parquet"))
    rows = pl.read_parquet(file).with_columns(output=pl.lit("!"))
    rows.write_parquet(file)
    assert "has been changed" in error_of(release=str(copy))


def test_manifest_with_a_path_outside_is_refused(release: Any, tmp_path: Path, error_of: Callable[..., str]) -> None:
    copy = copy_release(release, tmp_path / "copy")
    manifest = json.loads((copy / FILE).read_text(encoding="utf-8"))
    manifest["configs"]["el"]["splits"]["train"]["files"][0]["path"] = "../../secret.parquet"
    (copy / FILE).write_text(to_text(manifest), encoding="utf-8")
    message = error_of(release=str(copy))
    assert "manifest.json" in message
    assert "files.0.path'" in message


def test_config_without_training_rows_is_refused(release: Any, tmp_path: Path, error_of: Callable[..., str]) -> None:
    copy = copy_release(release, tmp_path / "copy")
    manifest = json.loads((copy / FILE).read_text(encoding="utf-8"))
    del manifest["configs"]["el"]["splits"]["train"]
    (copy / FILE).write_text(to_text(manifest), encoding="utf-8")
    assert "has no rows to train on" in error_of(release=str(copy))


def test_folder_without_a_manifest_is_refused(tmp_path: Path, error_of: Callable[..., str]) -> None:
    assert "holds no manifest.json, so it is not a release" in error_of(release=str(tmp_path))


def test_tokenizer_without_end_or_padding_token_is_refused(tmp_path: Path, error_of: Callable[..., str]) -> None:
    from .tokenizers import merging, metaspace

    metaspace(tmp_path / "unpadded")
    assert "has no padding token. Name one with --set pad_token=TOKEN" in error_of(f"tokenizer={tmp_path}/unpadded")
    endless = merging(tmp_path / "endless")
    endless.eos_token = None
    endless.save_pretrained(tmp_path / "endless")
    assert "has no end-of-sequence token" in error_of(f"tokenizer={tmp_path}/endless")


def test_unfit_model_folder_is_refused(trained: tuple[Any, Path], tmp_path: Path, error_of: Callable[..., str]) -> None:
    def start_from(folder: Path) -> Sequence[str]:
        return ("model_config=null", "tokenizer=tiny-tokenizer", f"model_name_or_path={folder}")

    def copy_model(name: str) -> Path:
        return Path(shutil.copytree(trained[1] / "model", tmp_path / name))

    empty = tmp_path / "empty"
    empty.mkdir()
    assert "has no config.json, so it is not a model folder" in error_of(*start_from(empty))
    pickled = copy_model("pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "has no weights as safetensors; other formats are not read" in error_of(*start_from(pickled))
    damaged = copy_model("damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights")
    assert "is not safetensors, or damaged: its header would have" in error_of(*start_from(damaged))
    small = copy_model("small")
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    assert "more tokens than the 100" in error_of(*start_from(small))
    code = copy_model("code")
    remote = {"auto_map": {"AutoConfig": "mine.Config"}, "model_type": "mine"}
    (code / "config.json").write_text(json.dumps(config | remote))
    (code / "mine.py").write_text("raise SystemExit('run')")
    assert "could be loaded" in error_of(*start_from(code))


def test_error_is_on_stderr_with_exit_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trainer", "sft", "tiny", "--release=coit-sample", "--config=xx"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: There is no release 'coit-sample'")
    assert "Traceback" not in done.stderr
