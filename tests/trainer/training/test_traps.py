"""What TRL does in silence, shown without our guard and with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer
from trl.scripts.utils import DatasetConfig, DatasetMixtureConfig, get_dataset

from trainer.recipe import load_recipe
from trainer.run import Record
from trainer.training.batches import plan_batches
from trainer.training.prepare import Request, prepare
from trainer.training.tokenizer import load_tokenizer

Ask = Callable[..., Request]
SHAPE = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
TOLD = {"prompt": "Say the word that stands in every one of these lines: ", "completion": "yes"}


def plain(tmp_path: Path, rows: list[dict[str, str]], evaluation: dict[str, Dataset], **settings: object) -> SFTTrainer:
    """TRL's trainer as its documentation has it."""
    tokenizer = load_tokenizer(load_recipe("tiny"))
    arguments = {"report_to": "none", "use_cpu": True, "bf16": False, "disable_tqdm": True, "logging_steps": 1}
    return SFTTrainer(
        model=LlamaForCausalLM(LlamaConfig(**SHAPE, vocab_size=len(tokenizer))),
        args=SFTConfig(output_dir=str(tmp_path), max_steps=2, **arguments, **settings),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=evaluation,
        processing_class=tokenizer,
    )


def test_trl_trains_packed_blocks_of_nothing_and_we_count_and_leave_out_their_rows(tmp_path: Path, ask: Ask) -> None:
    trainer = plain(tmp_path, [TOLD] * 8, {}, max_length=8, packing=True)
    trainer.train()
    assert len(trainer.train_dataset) == 8
    assert [row["loss"] for row in trainer.state.log_history if "loss" in row] == [0.0, 0.0]

    prepared = prepare(ask("max_length=120", "examples_per_step=null", "blocks_per_step=4"))
    assert sum(row["emptied"] for row in prepared.accounts["train"]) > 10
    labels = prepared.tables["train"]["labels"].to_pylist()
    assert all(any(label != -100 for label in row[1:]) for row in labels[:-1])
    for micro_batch in prepared.batches(1).micro_batches:
        assert any(label != -100 for place in micro_batch for label in labels[place][1:])


def test_trl_leaves_the_language_out_of_a_metric_and_we_do_not(tmp_path: Path, trained: tuple[Record, Path]) -> None:
    langs = {lang: Dataset.from_list([TOLD]) for lang in ("el", "hi")}
    trainer = plain(tmp_path, [TOLD], langs, max_length=64)
    trainer.evaluation.evaluate()
    logged = [key for row in trainer.state.log_history for key in row]
    assert logged.count("eval_mean_token_accuracy") == 2
    assert not [key for key in logged if "token_accuracy" in key and ("_el_" in key or "_hi_" in key)]

    record, _ = trained
    assert all("token_accuracy" in row["el"] for row in record["evaluations"])


def test_a_fraction_of_trl_is_the_first_rows_and_a_size_of_ours_is_spread(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"prompt": "{n}", "completion": "x"}}\n' for n in range(100)), encoding="utf-8")
    mixed = [DatasetConfig(path="json", data_files=str(path), split="train", fraction=share) for share in (0.2, 0.8)]
    rows = get_dataset(DatasetMixtureConfig(datasets=mixed))["train"]["prompt"]
    assert len(rows) < 200
    assert [int(row) for row in rows[:20]] == list(range(20))

    request = ask()
    keys = prepare(request).keys("train")
    plan = plan_batches(keys, prepare(request).lengths(), request.recipe, 1)
    order = [place for step in plan.steps() for place in step]
    assert sorted(order) == list(range(len(keys)))
    assert len(set(order[:64]) & set(range(64))) < 40


@pytest.mark.parametrize("key", ["fraction", "use_liger_kernel", "gradient_checkpointing", "warmup_ratio"])
def test_what_would_go_wrong_cannot_be_set(key: str) -> None:
    from corpora.errors import InputError

    with pytest.raises(InputError, match=f"'{key}' cannot be set: "):
        load_recipe("tiny", [f"{key}=1"])
