"""Tokenizers and checkpoints that do not fit the model or the run: a sentence, or what is learned stays the same."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from tests.trainer.test_train import stop_at
from trainer.run import Stopped

pytestmark = pytest.mark.slow
ConfigOf = Callable[..., Any]


def test_end_tokens_are_learned_where_the_padding_token_is_the_end_token(config_of: ConfigOf) -> None:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from trainer.preparation import prepare
    from trainer.training.model import load_model

    state = prepare(config_of("pad_token=</s>"))
    tokenizer, end = state.tokenizer, state.tokenizer.eos_token_id
    assert tokenizer.pad_token_id == end
    rows = state.tables["train"].select(["input_ids", "labels"]).slice(0, 8).to_pylist()
    batch = DataCollatorForLanguageModeling(pad_token_id=end)(rows)
    assert batch["labels"].shape[1] > min(len(row["labels"]) for row in rows)  # some rows are padded
    assert (batch["labels"] == end).sum(1).tolist() == [1] * len(rows)
    assert batch["attention_mask"].sum(1).tolist() == [len(row["input_ids"]) for row in rows]
    model = load_model(state.config.recipe, state.model_config)
    assert model.get_input_embeddings().padding_idx is None  # else the embedding of the end token is never trained
    assert model.get_input_embeddings().weight[end].any()


def test_model_with_more_tokens_than_its_tokenizer_keeps_them(config_of: ConfigOf, tmp_path: Path) -> None:
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    from tests.trainer.models import make_model
    from trainer.train import train

    base = make_model(tmp_path / "base")
    model = AutoModelForCausalLM.from_pretrained(base)
    size = model.config.vocab_size + 64
    model.resize_token_embeddings(size, mean_resizing=False)
    model.save_pretrained(base)
    changes = ("model_config=null", f"model_name_or_path={base}", "tokenizer=null", "pad_token=<unk>", "max_length=300")
    config = config_of(*changes, "max_steps=1")
    train(config)
    assert load_file(config.output / "model" / "model.safetensors")["model.embed_tokens.weight"].shape[0] == size


@pytest.fixture
def stopped(config_of: ConfigOf, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the config of a run that was stopped after step 5."""
    from trainer.train import train

    config = config_of()
    stop_at(monkeypatch, 5, signal.SIGUSR1)
    with pytest.raises(Stopped):
        train(config)
    monkeypatch.undo()
    return config


def test_checkpoint_that_does_not_fit_the_run_is_refused(stopped: Any, config_of: ConfigOf) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from trainer.train import train
    from trainer.training import COMPLETE, last_checkpoint

    checkpoint = last_checkpoint(stopped.output)
    assert checkpoint is not None
    with pytest.raises(InputError, match=r"recipe.bf16 was False, now True"):
        train(replace(config_of("bf16=true"), output=stopped.output))
    weights = checkpoint / "model.safetensors"
    kept = weights.read_bytes()
    save_file({name: value.to(torch.bfloat16) for name, value in load_file(weights).items()}, weights)
    with pytest.raises(InputError, match=r"holds weights in BF16, and a run writes F32: it was converted. Remove it"):
        train(stopped)
    weights.write_bytes(kept)
    written = json.loads((checkpoint / COMPLETE).read_text())
    (checkpoint / COMPLETE).write_text(json.dumps(written | {"sharded": True, "processes": 4}))
    with pytest.raises(InputError, match=r"in shards by 4 processes, .* Continue with --processes N --sharding fsdp2"):
        train(stopped)
    shutil.rmtree(checkpoint)
    assert train(stopped)["sessions"][-1]["first_step"] == 4
