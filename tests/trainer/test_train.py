"""A release becomes a model: trained, evaluated by language, saved whole, stopped and continued."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from trainer.run import Stopped, begin

from .conftest import losses, small_recipe

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
ConfigOf = Callable[..., Any]
Trained = tuple[Any, Path]


def weights(run: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(run / "model" / "model.safetensors"))


def assert_same_weights(first: Path, second: Path) -> None:
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    assert all(one[name].equal(two[name]) for name in one)


def test_loss_falls_and_the_model_generates(trained: Trained) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from recipes.prompts import prompt_template

    metadata, output = trained
    assert losses(metadata)[-1] < losses(metadata)[0] - 0.2
    model = AutoModelForCausalLM.from_pretrained(output / "model", use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(output / "model")
    prompt = tokenizer(
        prompt_template("alpaca").prompt("Translate the sentence into Greek.", "Hello."), return_tensors="pt"
    )
    generated = model.generate(**prompt, max_new_tokens=8, do_sample=False)
    assert generated.shape[1] > prompt["input_ids"].shape[1]
    assert not list(output.glob("model/*.bin"))


def test_metadata_records_data_and_packages(trained: Trained, release: Any) -> None:
    from cards.manifest import identity
    from recipes.prompts import prompt_template

    metadata, output = trained
    assert metadata == json.loads((output / "run.json").read_text(encoding="utf-8"))
    assert metadata == json.loads((output / "model" / "run.json").read_text(encoding="utf-8"))
    assert metadata["status"] == "done"
    assert metadata["release"]["manifest_sha256"] == identity(release.manifest)
    assert metadata["release"]["origin"] == "coit-sample@v1.0.0"
    assert metadata["prompt"] == {"name": "alpaca", "sha256": prompt_template("alpaca").sha256()}
    rows = release.manifest["configs"]["el"]["splits"]["train"]["num_rows"]
    train_rows = [row for row in metadata["example_counts"] if row["split"] == "train"]
    assert sum(row["num_rows"] for row in train_rows) == rows
    assert metadata["num_tokens"] == sum(row["num_tokens"] for row in train_rows)
    assert sum(sum(langs.values()) for langs in metadata["composition"].values()) == rows
    assert metadata["sessions"][0]["packages"]["trl"]


def test_metadata_of_a_new_run_is_made_of_values() -> None:
    from trainer.recipe import load_recipe

    counts = {"train": [{"lang": "el", "task": "translation", "kept": 3, "truncated": 1}], "validation": []}
    identity = {"release": {"size": None}, "prompt": {}, "tokenizer": "t", "model": {"name": "m"}}
    metadata = begin(identity, "coit@v1.0.0", load_recipe("tiny"), 10, counts, 1, "none")
    assert metadata["composition"] == {"translation": {"el": 4}}
    assert metadata["model"] == {"name": "m", "num_parameters": 10}


def test_card_names_release_prompt_and_losses(trained: Trained, release: Any) -> None:
    from cards.manifest import identity

    metadata, output = trained
    card = (output / "model" / "README.md").read_text(encoding="utf-8")
    for text in (identity(release.manifest), metadata["prompt"]["sha256"], f"{losses(metadata)[-1]:.3f}", "Greek"):
        assert text in card
    assert str(output) not in card


def test_example_of_the_card_runs_in_the_folder_of_the_model(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, output = trained
    card = (output / "model" / "README.md").read_text(encoding="utf-8")
    code = re.search(r"^```python\n(.*?)^```$", card, re.DOTALL | re.MULTILINE)
    assert code
    monkeypatch.chdir(output / "model")
    exec(compile(code[1], "README.md", "exec"), {})
    assert capsys.readouterr().out.endswith("\n")


def test_evaluations_equal_losses_computed_from_logits(trained: Trained) -> None:
    metadata, output = trained
    assert [set(row) for row in metadata["evaluations"]] == [{"step", "el"}] * len(metadata["evaluations"])
    assert metadata["evaluations"][-1]["step"] == metadata["num_steps"]
    metrics = metadata["evaluations"][-1]["el"]
    assert metrics.keys() == {"loss", "token_accuracy"}
    assert (metrics["loss"], metrics["token_accuracy"]) == pytest.approx(from_logits(output), abs=1e-5)


def from_logits(output: Path) -> tuple[float, float]:
    """Return loss and accuracy of a finished model on the validation rows, one example at a time."""
    import torch
    from transformers import AutoModelForCausalLM

    from trainer.preparation import open_table

    model = AutoModelForCausalLM.from_pretrained(output / "model")
    loss, num_correct, count = 0.0, 0, 0
    for row in open_table(output / "examples" / "validation.arrow").to_pylist()[:-1]:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"])[1:]
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1]
        is_target = labels != -100
        loss += torch.nn.functional.cross_entropy(logits[is_target], labels[is_target], reduction="sum").item()
        num_correct += int((logits.argmax(-1) == labels)[is_target].sum())
        count += int(is_target.sum())
    return loss / count, num_correct / count


def test_finished_run_is_not_repeated(trained: Trained, release: Any) -> None:
    from trainer.train import train

    metadata, output = trained
    before = (output / "run.json").stat().st_mtime_ns
    assert train(same_config(output, release)) == metadata
    assert (output / "run.json").stat().st_mtime_ns == before


def same_config(output: Path, release: Any, *changes: str) -> Any:
    from trainer.preparation import TrainConfig

    return TrainConfig(small_recipe(*changes), release, output, config_name="el")


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals) -> None:
    """Let the process receive a signal after so many steps."""
    from trainer.training import ReportProgress

    on_step_end = ReportProgress.on_step_end

    def and_stop(self, args, state, control, **kwargs):  # type: ignore[no-untyped-def]
        on_step_end(self, args, state, control, **kwargs)
        if state.global_step == step:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(ReportProgress, "on_step_end", and_stop)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_run_continues_with_equal_losses_and_weights(
    number: signal.Signals, trained: Trained, release: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.train import train

    uninterrupted, done = trained
    config = same_config(tmp_path / "run", release)
    stop_at(monkeypatch, 6, number)
    with pytest.raises(Stopped) as stopped:
        train(config)
    assert stopped.value.args[0] in (6, 7)
    monkeypatch.undo()
    resumed = train(config)
    assert [session["first_step"] for session in resumed["sessions"]] == [0, stopped.value.args[0]]
    assert losses(resumed) == losses(uninterrupted)
    assert resumed["num_tokens"] == uninterrupted["num_tokens"]
    assert_same_weights(done, tmp_path / "run")


def test_incomplete_checkpoint_is_ignored(
    trained: Trained, release: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.train import train
    from trainer.training import COMPLETE

    _, done = trained
    config = same_config(tmp_path / "run", release)
    stop_at(monkeypatch, 5, signal.SIGTERM)
    with pytest.raises(Stopped) as stopped:
        train(config)
    monkeypatch.undo()
    newest = tmp_path / "run" / f"checkpoint-{stopped.value.args[0]}"
    (newest / COMPLETE).unlink()
    (newest / "model.safetensors").write_bytes(b"truncated")
    resumed = train(config)
    assert resumed["sessions"][-1]["first_step"] == 4
    assert_same_weights(done, tmp_path / "run")


def test_folder_of_another_run_is_refused_with_the_differences(trained: Trained, release: Any) -> None:
    from trainer.train import train

    _, output = trained
    before = {path: path.read_bytes() for path in output.glob("examples/*")}
    with pytest.raises(InputError, match=r"recipe.learning_rate was 0.003, now 0.1; recipe.seed was 0, now 4"):
        train(same_config(output, release, "learning_rate=0.1", "seed=4"))
    assert {path: path.read_bytes() for path in output.glob("examples/*")} == before


def test_checkpoint_without_metadata_is_refused(config_of: ConfigOf) -> None:
    from trainer.train import train

    config = config_of()
    (config.output / "checkpoint-4").mkdir(parents=True)
    with pytest.raises(InputError, match=r"has checkpoints but no run\.json"):
        train(config)


def test_merged_adapter_has_the_logits_of_the_adapter(config_of: ConfigOf) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from trainer.preparation import prepare
    from trainer.train import train
    from trainer.training import load_model

    config = config_of("use_peft=true", "num_train_epochs=0.2", "learning_rate=0.05")
    train(config)
    state = prepare(config)
    base = load_model(config.recipe, state.model_config)
    adapted = PeftModel.from_pretrained(load_model(config.recipe, state.model_config), config.output / "adapter")
    merged = AutoModelForCausalLM.from_pretrained(config.output / "model")
    ids = torch.arange(5, 60)[None]
    with torch.no_grad():
        logits = [model(input_ids=ids).logits for model in (adapted.eval(), merged, base.eval())]
    assert (logits[0] - logits[1]).abs().max() < 1e-5
    assert (logits[0] - logits[2]).abs().max() > 1e-3


def test_adapter_is_saved_whole_where_peft_would_save_nothing(config_of: ConfigOf) -> None:
    import torch
    from peft import PeftModel, get_peft_model, get_peft_model_state_dict
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    from trainer.preparation import prepare
    from trainer.training import load_model, lora_config, save_adapter

    config = config_of("use_peft=true")
    state = prepare(config)
    base = load_model(config.recipe, state.model_config)
    model = get_peft_model(base, lora_config(config.recipe, base))
    for parameter in model.parameters():
        parameter.data += 0.01
    layers = model.base_model.model.model.layers
    for number, layer in enumerate(layers):
        layers[number] = checkpoint_wrapper(layer)  # as fsdp_activation_checkpointing does
    full = get_model_state_dict(model)
    assert get_peft_model_state_dict(model, state_dict=dict(full)) == {}

    num_trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    save_adapter(model, full, num_trained, config.output / "adapter")
    loaded = PeftModel.from_pretrained(load_model(config.recipe, state.model_config), config.output / "adapter")
    trained = {name: p for name, p in loaded.named_parameters() if ".lora_" in name}
    assert sum(p.numel() for p in trained.values()) == num_trained
    assert all(torch.equal(p, full[name]) for name, p in trained.items())
    with pytest.raises(AssertionError, match="0 were gathered"):
        save_adapter(model, {}, num_trained, config.output / "adapter")


def test_full_disk_is_reported_before_the_first_step(config_of: ConfigOf, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer.train import train

    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"has 0\.0 GB of free space, and a checkpoint needs"):
        train(config_of())


@pytest.mark.parametrize(("chosen", "saved"), [(None, "bfloat16"), ("float16", "float16")])
def test_model_keeps_the_precision_of_its_base_and_no_checkpoints(
    chosen: str | None, saved: str, config_of: ConfigOf, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from tests.trainer.models import make_model

    base = make_model(tmp_path / "base")
    AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(base)
    from trainer.train import train

    changes = ("model_config=null", f"model_name_or_path={base}", "tokenizer=null", "num_train_epochs=0.2")
    changes += ("pad_token=<unk>", "max_length=300")
    config = config_of(*changes, dtype=chosen)
    metadata = train(config)
    assert metadata["dtype"] == saved
    assert metadata["sessions"][0]["parameter_dtype"] == "float32"
    assert {str(value.dtype) for value in weights(config.output).values()} == {f"torch.{saved}"}
    assert str(AutoModelForCausalLM.from_pretrained(config.output / "model").dtype) == f"torch.{saved}"
    assert not list(config.output.glob("checkpoint-*"))


def test_save_steps_take_effect_when_a_run_continues(
    release: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.train import train

    output = tmp_path / "run"
    stop_at(monkeypatch, 5, signal.SIGUSR1)
    with pytest.raises(Stopped):
        train(same_config(output, release))
    monkeypatch.undo()
    config = same_config(output, release, "save_steps=3", "save_total_limit=9")
    train(replace(config, keep_checkpoints=True))
    steps = {int(path.name.partition("-")[2]) for path in output.glob("checkpoint-*")}
    assert {6, 9, 12, 15} <= steps
    assert not {8, 10} & steps


@pytest.mark.campaign
def test_disk_that_fills_during_a_save_is_a_sentence_and_the_run_continues(registry: Path, tmp_path: Path) -> None:
    options = ["--release=coit-sample", f"--registry={registry}", "--config=el", f"--output={tmp_path / 'run'}", "-q"]
    changes = [f"--set={change}" for change in ("max_steps=2", "save_steps=1")]
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000)); "
    run = "import sys, trainer.cli; sys.argv[0] = 'trainer'; trainer.cli.main()"
    command = [sys.executable, "-c", limit + run, "sft", "tiny", *options, *changes]
    full = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert full.returncode == 2
    assert "could not be written: " in full.stderr
    assert "Traceback" not in full.stderr
    command[2] = run
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).returncode == 0
