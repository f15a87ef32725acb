"""What TRL does without an error message, shown with TRL alone and with the trainer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from trainer.recipe import load_recipe, parse_changes

ConfigOf = Callable[..., Any]
SHAPE = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
ROW = {"prompt": "Say the word that stands in every one of these lines: ", "completion": "yes"}


def trl_trainer(tmp_path: Path, rows: list[dict[str, str]], evaluation: dict[str, Any], **settings: object) -> Any:
    """Return TRL's trainer as its documentation describes it."""
    from datasets import Dataset
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    from trainer.preparation import load_tokenizer

    tokenizer = load_tokenizer(load_recipe("tiny"))
    arguments = {"report_to": "none", "use_cpu": True, "bf16": False, "disable_tqdm": True, "logging_steps": 1}
    return SFTTrainer(
        model=LlamaForCausalLM(LlamaConfig(**SHAPE, vocab_size=len(tokenizer))),
        args=SFTConfig(output_dir=str(tmp_path), max_steps=2, **arguments, **settings),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=evaluation,
        processing_class=tokenizer,
    )


@pytest.mark.slow
def test_rows_without_a_target_are_dropped_and_counted(tmp_path: Path, config_of: ConfigOf) -> None:
    from trainer.preparation import prepare

    trainer = trl_trainer(tmp_path, [ROW] * 8, {}, max_length=8, packing=True)
    trainer.train()
    assert len(trainer.train_dataset) == 8
    assert [row["loss"] for row in trainer.state.log_history if "loss" in row] == [0.0, 0.0]

    state = prepare(config_of("max_length=120", "global_batch_size=4", "batch_unit=packed"))
    assert sum(row["no_target"] for row in state.counts["train"]) > 10
    labels = state.tables["train"]["labels"].to_pylist()
    assert all(any(label != -100 for label in row[1:]) for row in labels[:-1])
    for micro_batch in state.batches(1).micro_batches:
        assert any(label != -100 for index in micro_batch for label in labels[index][1:])


@pytest.mark.slow
def test_metrics_are_named_after_their_language(tmp_path: Path, trained: tuple[Any, Path]) -> None:
    from datasets import Dataset

    langs = {lang: Dataset.from_list([ROW]) for lang in ("el", "hi")}
    trainer = trl_trainer(tmp_path, [ROW], langs, max_length=64)
    trainer.evaluate()
    logged = [key for row in trainer.state.log_history for key in row]
    assert logged.count("eval_mean_token_accuracy") == 2
    assert not [key for key in logged if "token_accuracy" in key and ("_el_" in key or "_hi_" in key)]

    metadata, _ = trained
    assert all("token_accuracy" in row["el"] for row in metadata["evaluations"])


@pytest.mark.slow
def test_subset_is_spread_over_the_rows(tmp_path: Path, config_of: ConfigOf) -> None:
    from trl.scripts.utils import DatasetConfig, DatasetMixtureConfig, get_dataset

    from trainer.preparation import prepare, schedule_batches

    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"prompt": "{n}", "completion": "x"}}\n' for n in range(100)), encoding="utf-8")
    mixed = [DatasetConfig(path="json", data_files=str(path), split="train", fraction=share) for share in (0.2, 0.8)]
    rows = get_dataset(DatasetMixtureConfig(datasets=mixed))["train"]["prompt"]
    assert len(rows) < 200
    assert [int(row) for row in rows[:20]] == list(range(20))

    config = config_of()
    state = prepare(config)
    keys = state.keys("train")
    order = [index for step in schedule_batches(keys, state.lengths(), config.recipe, 1).steps() for index in step]
    assert sorted(order) == list(range(len(keys)))
    assert len(set(order[:64]) & set(range(64))) < 40


@pytest.mark.parametrize("key", ["fraction", "use_liger_kernel", "gradient_checkpointing", "warmup_ratio"])
def test_keys_with_silent_effects_cannot_be_set(key: str) -> None:
    with pytest.raises(InputError, match=f"'{key}' cannot be set: "):
        load_recipe("tiny", parse_changes([f"{key}=1"]))
