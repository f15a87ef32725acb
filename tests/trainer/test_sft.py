"""A release becomes a model: trained, evaluated by language, saved whole, stopped and resumed."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from cards.manifest import identity
from corpora.errors import InputError
from recipes.prompts import prompt_template
from trainer.release import Release
from trainer.run import Record, Stopped
from trainer.sft import sft
from trainer.training.checkpoints import COMPLETE
from trainer.training.prepare import Request, prepare
from trainer.training.progress import Progress

from .conftest import losses

Ask = Callable[..., Request]
Trained = tuple[Record, Path]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(run / "model" / "model.safetensors"))


def assert_same_weights(first: Path, second: Path) -> None:
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_loss_falls_and_the_model_loads_and_generates(trained: Trained) -> None:
    record, out = trained
    assert losses(record)[-1] < losses(record)[0] - 0.2
    model = AutoModelForCausalLM.from_pretrained(out / "model", use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(out / "model")
    asked = tokenizer(
        prompt_template("alpaca").prompt("Translate the sentence into Greek.", "Hello."), return_tensors="pt"
    )
    written = model.generate(**asked, max_new_tokens=8, do_sample=False)
    assert written.shape[1] > asked["input_ids"].shape[1]
    assert not list(out.glob("model/*.bin"))


def test_the_record_says_what_was_learned_from_and_with_what(trained: Trained, release: Release) -> None:
    record, out = trained
    assert record == json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record == json.loads((out / "model" / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "done"
    assert record["release"]["manifest_sha256"] == identity(release.manifest)
    assert record["release"]["origin"] == "coit-sample@v1.0.0"
    assert record["prompt"] == {"name": "alpaca", "sha256": prompt_template("alpaca").sha256()}
    rows = release.manifest["configs"]["el"]["splits"]["train"]["rows"]
    assert sum(row["rows"] for row in record["examples"] if row["split"] == "train") == rows
    assert record["tokens"] == sum(row["tokens"] for row in record["examples"] if row["split"] == "train")
    assert sum(sum(langs.values()) for langs in record["mixture"].values()) == rows
    assert record["sessions"][0]["packages"]["trl"]


def test_the_card_names_release_prompt_and_losses(trained: Trained, release: Release) -> None:
    record, out = trained
    card = (out / "model" / "README.md").read_text(encoding="utf-8")
    for said in (identity(release.manifest), record["prompt"]["sha256"], f"{losses(record)[-1]:.3f}", "Greek"):
        assert said in card
    assert str(out) not in card


def test_every_evaluation_is_named_after_its_language(trained: Trained) -> None:
    record, out = trained
    assert [set(row) for row in record["evaluations"]] == [{"step", "el"}] * len(record["evaluations"])
    assert record["evaluations"][-1]["step"] == record["num_steps"]
    found = record["evaluations"][-1]["el"]
    assert found.keys() == {"loss", "token_accuracy"}
    assert (found["loss"], found["token_accuracy"]) == pytest.approx(measured_by_hand(out), abs=1e-5)


def measured_by_hand(out: Path) -> tuple[float, float]:
    """Loss and accuracy of a finished model over the validation rows, from logits, one example at a time."""
    from trainer.training.example_table import open_table

    model = AutoModelForCausalLM.from_pretrained(out / "model")
    loss, right, count = 0.0, 0, 0
    for row in open_table(out / "examples" / "validation.arrow").to_pylist()[:-1]:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"])[1:]
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1]
        learned = labels != -100
        loss += torch.nn.functional.cross_entropy(logits[learned], labels[learned], reduction="sum").item()
        right += int((logits.argmax(-1) == labels)[learned].sum())
        count += int(learned.sum())
    return loss / count, right / count


def test_a_run_that_is_done_is_not_done_again(trained: Trained, release: Release) -> None:
    record, out = trained
    before = (out / "run.json").stat().st_mtime_ns
    assert sft(same_request(record, out, release)) == record
    assert (out / "run.json").stat().st_mtime_ns == before


def same_request(record: Record, out: Path, release: Release, *changes: str) -> Request:
    from trainer.recipe import load_recipe

    from .conftest import SMALL

    return Request(load_recipe("tiny", [*SMALL, *changes]), release, out, config="el")


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals) -> None:
    """Let the process get a signal in the middle of a run, after so many steps."""
    count = Progress.on_step_end

    def and_stop(self, args, state, control, **kwargs):  # type: ignore[no-untyped-def]
        count(self, args, state, control, **kwargs)
        if state.global_step == step:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(Progress, "on_step_end", and_stop)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    number: signal.Signals, trained: Trained, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, done = trained
    request = same_request(undisturbed, tmp_path / "run", release)
    stop_at(monkeypatch, 6, number)
    with pytest.raises(Stopped) as stopped:
        sft(request)
    assert stopped.value.args[0] in (6, 7)
    monkeypatch.undo()
    resumed = sft(request)
    assert [session["first_step"] for session in resumed["sessions"]] == [0, stopped.value.args[0]]
    assert losses(resumed) == losses(undisturbed)
    assert resumed["tokens"] == undisturbed["tokens"]
    assert_same_weights(done, tmp_path / "run")


def test_a_checkpoint_that_a_kill_left_half_written_is_passed_over(
    trained: Trained, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, done = trained
    request = same_request(undisturbed, tmp_path / "run", release)
    stop_at(monkeypatch, 5, signal.SIGTERM)
    with pytest.raises(Stopped) as stopped:
        sft(request)
    monkeypatch.undo()
    newest = tmp_path / "run" / f"checkpoint-{stopped.value.args[0]}"
    (newest / COMPLETE).unlink()
    (newest / "model.safetensors").write_bytes(b"cut off")
    resumed = sft(request)
    assert resumed["sessions"][-1]["first_step"] == 4
    assert_same_weights(done, tmp_path / "run")


def test_a_folder_that_holds_another_run_is_refused_with_the_difference(trained: Trained, release: Release) -> None:
    record, out = trained
    before = {path: path.read_bytes() for path in out.glob("examples/*")}
    with pytest.raises(InputError, match=r"recipe.learning_rate was 0.003, now 0.1; recipe.seed was 0, now 4"):
        sft(same_request(record, out, release, "learning_rate=0.1", "seed=4"))
    assert {path: path.read_bytes() for path in out.glob("examples/*")} == before


def test_a_checkpoint_without_its_record_is_refused(ask: Ask) -> None:
    request = ask()
    (request.out / "checkpoint-4").mkdir(parents=True)
    with pytest.raises(InputError, match=r"holds checkpoints but no run\.json"):
        sft(request)


def test_a_merged_adapter_says_what_the_adapter_says(ask: Ask) -> None:
    from peft import PeftModel

    from trainer.training.model import load_model

    request = ask("use_peft=true", "num_train_epochs=0.2", "learning_rate=0.05")
    sft(request)
    prepared = prepare(request)
    base = load_model(request.recipe, prepared.model_config)
    adapted = PeftModel.from_pretrained(load_model(request.recipe, prepared.model_config), request.out / "adapter")
    merged = AutoModelForCausalLM.from_pretrained(request.out / "model")
    ids = torch.arange(5, 60)[None]
    with torch.no_grad():
        said = [model(input_ids=ids).logits for model in (adapted.eval(), merged, base.eval())]
    assert (said[0] - said[1]).abs().max() < 1e-5
    assert (said[0] - said[2]).abs().max() > 1e-3


def test_an_adapter_is_saved_whole_where_layers_are_wrapped_and_peft_would_save_nothing(ask: Ask) -> None:
    from peft import PeftModel, get_peft_model, get_peft_model_state_dict
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    from trainer.training.model import load_model, lora, save_adapter

    request = ask("use_peft=true")
    prepared = prepare(request)
    model = get_peft_model(load_model(request.recipe, prepared.model_config), lora(request.recipe))
    for parameter in model.parameters():
        parameter.data += 0.01
    layers = model.base_model.model.model.layers
    for number, layer in enumerate(layers):
        layers[number] = checkpoint_wrapper(layer)  # as fsdp_activation_checkpointing does
    state = get_model_state_dict(model)
    assert get_peft_model_state_dict(model, state_dict=dict(state)) == {}

    num_trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    save_adapter(model, state, num_trained, request.out / "adapter")
    read = PeftModel.from_pretrained(load_model(request.recipe, prepared.model_config), request.out / "adapter")
    trained = {name: p for name, p in read.named_parameters() if ".lora_" in name}
    assert sum(p.numel() for p in trained.values()) == num_trained
    assert all(torch.equal(p, state[name]) for name, p in trained.items())
    with pytest.raises(AssertionError, match="0 were gathered"):
        save_adapter(model, {}, num_trained, request.out / "adapter")


def test_a_full_disk_is_said_before_the_first_step(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"has room for 0\.0 GB and .* needed for a checkpoint"):
        sft(ask())
