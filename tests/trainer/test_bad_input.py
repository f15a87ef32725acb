"""What is wrong is said in a sentence, with exit code 2, before the first step."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

from cards.manifest import FILE, to_text
from corpora.errors import InputError
from trainer.cli.main import cli
from trainer.experiments import parse_size
from trainer.recipe import TrainingRecipe, fsdp_settings, load_recipe, recipe_names
from trainer.release import Release
from trainer.run import RunMetadata

from .conftest import copy_release
from .tokenizers import merging, metaspace

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def complain(registry: Path, tmp_path: Path) -> Callable[..., str]:
    """Run `trainer sft` on the sample's Greek and return the sentence that it ends with."""

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
        (["learning_rat=1"], "Unknown key 'learning_rat'. Did you mean learning_rate?"),
        (["warmup_ratio=0.03"], "'warmup_ratio' cannot be set: TRL has no such key any more"),
        (["gradient_accumulation_steps=4"], "it follows from global_batch_size"),
        (["fraction=0.5"], "a mixture is a release"),
        (["trust_remote_code=true"], "code that comes with a model is never run"),
        (["use_liger_kernel=true"], "it patches every model of the process"),
        (["learning_rate=fast"], "'learning_rate' must be a number of at least 0, not 'fast'"),
        (["learning_rate=.nan"], "'learning_rate' must be a number"),
        (["packing=1"], "'packing' must be true or false, not 1"),
        (["max_length=0"], "'max_length' must be a whole number above 0"),
        (["num_train_epochs=0"], "--set: 'num_train_epochs' must be above 0"),
        (["num_train_epochs"], "--set takes KEY=VALUE"),
        (["seed=[1"], "is not valid YAML"),
        (["on_overflow=trim"], "Unknown value of on_overflow 'trim'"),
        (["prompt=alpacca"], "Unknown prompt 'alpacca'. Did you mean alpaca?"),
        (["batch_unit=blocks"], "Unknown value of batch_unit"),
        (["global_batch_size=4", "batch_unit=packed", "packing=false"], "it needs packing: true"),
        (["model_name_or_path=x"], "model_name_or_path or model_config, one of the two"),
        (["use_peft=true", "lora_target_modules=[lm_head]"], "an adapter on lm_head is never trained"),
        (["model_config={hiden_size: 4}"], "model_config: Unknown key 'hiden_size'. Did you mean hidden_size"),
        (["lr_scheduler_type=cosin"], "TRL refuses the settings of recipe tiny"),
        (["optim=adamm"], "TRL refuses the settings of recipe tiny"),
        (["max_length=40"], "none of 257 rows fits the limit of 40 tokens"),
        (["max_length=150", "on_overflow=error"], "Rows are longer than the limit of 150 tokens (max_length): "),
        (["--langs=hi"], "Config 'el' of coit-sample@v1.0.0 has no hi; it has el."),
        (["--langs=elll"], "Unknown language 'elll'"),
        (["--size=0"], "'0' is not a size"),
        (["--size=9k"], "has 171 translations in el, fewer than 9,000"),
        (["tokenizer=./no/where/there"], "No tokenizer could be loaded from './no/where/there'"),
        (["prompt=chat"], "The tokenizer has no chat template"),
        (["pad_token=<none>"], "has no token '<none>' to pad with"),
        (["--sharding=fsdp3"], "There is no file"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(changes: list[str], sentence: str, complain: Callable[..., str]) -> None:
    assert sentence in complain(*changes)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"recipe": "tinny"}, "Unknown training recipe 'tinny'. Did you mean tiny?"),
        ({"recipe": "./tiny.yaml"}, "There is no file"),
        ({"release": "coit"}, "no release 'coit' in the registry"),
        ({"release": "coit-sample@v9.0.0"}, "Unknown version of coit-sample 'v9.0.0'"),
        ({"release": "../up"}, "is no release"),
        ({"config": "greek"}, "Unknown config of coit-sample@v1.0.0 'greek'"),
        ({"config": None}, "has the configs ar, el, hi, tr, vi, zh; name one with --config"),
    ],
)
def test_a_name_that_is_not_known_is_refused(
    named: dict[str, str | None], sentence: str, complain: Callable[..., str]
) -> None:
    assert sentence in complain(**named)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- a list", "keys and values were expected"),
        ("title: [", "is not valid YAML"),
        ("extends: nothing", "Unknown recipe to extend 'nothing'"),
        ("extends: tiny\nlearning_rates: 1", "Unknown key 'learning_rates'"),
    ],
)
def test_a_recipe_file_that_is_none_is_refused(
    text: str, sentence: str, tmp_path: Path, complain: Callable[..., str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    assert sentence in complain(recipe=str(path))


def test_a_changed_data_file_is_refused(release: Release, tmp_path: Path, complain: Callable[..., str]) -> None:
    copy = copy_release(release, tmp_path / "copy")
    file = next(copy.glob("data/el/train-*.parquet"))
    rows = pl.read_parquet(file).with_columns(output=pl.lit("!"))
    rows.write_parquet(file)
    assert "is not what was published" in complain(release=str(copy))


def test_a_manifest_that_points_outside_is_refused(
    release: Release, tmp_path: Path, complain: Callable[..., str]
) -> None:
    copy = copy_release(release, tmp_path / "copy")
    manifest = json.loads((copy / FILE).read_text(encoding="utf-8"))
    manifest["configs"]["el"]["splits"]["train"]["files"][0]["path"] = "../../secret.parquet"
    (copy / FILE).write_text(to_text(manifest), encoding="utf-8")
    assert "'../../secret.parquet' is no path of a file in a release" in complain(release=str(copy))


def test_a_config_without_training_rows_is_refused(
    release: Release, tmp_path: Path, complain: Callable[..., str]
) -> None:
    copy = copy_release(release, tmp_path / "copy")
    manifest = json.loads((copy / FILE).read_text(encoding="utf-8"))
    del manifest["configs"]["el"]["splits"]["train"]
    (copy / FILE).write_text(to_text(manifest), encoding="utf-8")
    assert "has no rows to train on" in complain(release=str(copy))


def test_a_folder_that_is_no_release_is_refused(tmp_path: Path, complain: Callable[..., str]) -> None:
    assert "holds no manifest.json, so it is no release" in complain(release=str(tmp_path))


def test_a_tokenizer_without_an_end_or_a_padding_token_is_refused(tmp_path: Path, complain: Callable[..., str]) -> None:
    metaspace(tmp_path / "unpadded")
    assert "has no padding token. Name one with --set pad_token=TOKEN" in complain(f"tokenizer={tmp_path}/unpadded")
    endless = merging(tmp_path / "endless")
    endless.eos_token = None
    endless.save_pretrained(tmp_path / "endless")
    assert "has no end-of-sequence token" in complain(f"tokenizer={tmp_path}/endless")


def test_a_model_folder_that_is_none_is_refused(
    trained: tuple[RunMetadata, Path], tmp_path: Path, complain: Callable[..., str]
) -> None:
    def named(folder: Path) -> Sequence[str]:
        return ("model_config=null", "tokenizer=tiny-tokenizer", f"model_name_or_path={folder}")

    empty = tmp_path / "empty"
    empty.mkdir()
    assert "has no config.json, so it is not a model folder" in complain(*named(empty))
    pickled = tmp_path / "pickled"
    shutil.copytree(trained[1] / "model", pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "has no weights as safetensors; other formats are not read" in complain(*named(pickled))
    damaged = tmp_path / "damaged"
    shutil.copytree(trained[1] / "model", damaged)
    (damaged / "model.safetensors").write_bytes(b"no weights")
    assert "could not be loaded" in complain(*named(damaged))
    foreign = tmp_path / "foreign"
    shutil.copytree(trained[1] / "model", foreign)
    config = json.loads((foreign / "config.json").read_text())
    (foreign / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    assert "more tokens than the 100" in complain(*named(foreign))
    coded = tmp_path / "coded"
    shutil.copytree(trained[1] / "model", coded)
    mapped = {"auto_map": {"AutoConfig": "mine.Config"}, "model_type": "mine"}
    (coded / "config.json").write_text(json.dumps(config | mapped))
    (coded / "mine.py").write_text("raise SystemExit('run')")
    assert "could be loaded" in complain(*named(coded))
    assert load_file(trained[1] / "model" / "model.safetensors")


def test_a_sentence_goes_to_standard_error_with_exit_code_two(registry: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trainer", "sft", "tiny", "--release=coit-sample", "--config=xx"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: There is no folder coit-sample")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_loads_and_names_a_release_and_a_prompt(name: str) -> None:
    recipe = load_recipe(name)
    assert isinstance(recipe, TrainingRecipe)
    assert recipe["title"]
    assert recipe["release"]


def test_x_llama_is_trained_as_the_paper_says() -> None:
    recipe = load_recipe("x-llama")
    published = {"num_train_epochs": 3, "learning_rate": 2e-5, "lr_scheduler_type": "cosine", "warmup_steps": 0.03}
    published |= {"weight_decay": 0, "global_batch_size": 128, "max_length": 512, "prompt": "alpaca", "use_peft": False}
    assert {key: recipe[key] for key in published} == published


def test_the_accelerate_file_is_fsdp2_in_shards() -> None:
    settings = fsdp_settings("fsdp2")
    assert settings["version"] == 2
    assert settings["state_dict_type"] == "SHARDED_STATE_DICT"
    with pytest.raises(InputError, match="is no accelerate file for FSDP"):
        fsdp_settings(str(ROOT / "recipes" / "training" / "tiny.yaml"))


def test_sizes_are_read_as_people_write_them() -> None:
    assert [parse_size(text) for text in ("500", "4k", "1.2M", " 2K ")] == [500, 4000, 1_200_000, 2000]
