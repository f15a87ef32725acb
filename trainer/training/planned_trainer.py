"""Tuner: TRL's SFTTrainer over planned batches, with exact evaluation by language and checkpoints that are whole."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.utils.data import DataLoader
from trl import SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from corpora.errors import InputError
from trainer.training.batches import Batches
from trainer.training.checkpoints import COMPLETE, check_room


class PlannedSampler:
    """The micro-batches of a plan, as torch and accelerate expect a batch sampler to look."""

    batch_size = None  # they differ
    drop_last = False

    def __init__(self, micro_batches: Sequence[Sequence[int]]) -> None:
        self.micro_batches = micro_batches

    def __iter__(self) -> Iterator[Sequence[int]]:
        return iter(self.micro_batches)

    def __len__(self) -> int:
        return len(self.micro_batches)


class Tuner(SFTTrainer):
    """TRL's SFTTrainer, but for what it would do in silence.

    The batches are the plan's, so that nothing is dropped, repeated or reordered on the way. Evaluation counts tokens
    and names each number after its language. A checkpoint is marked when it is whole, and there must be room for it.
    """

    num_trained = 0  # weights that are trained, over all processes
    needed = 0  # bytes of a checkpoint

    def __init__(self, batches: Batches, validation: Mapping[str, Sequence[int]], **arguments: Any) -> None:
        self.batches = batches
        self.validation = validation  # language -> places in the evaluation table
        super().__init__(**arguments)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The plan's micro-batches, dealt to the processes in turn."""
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=PlannedSampler(self.batches.micro_batches),
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )
        return self.accelerator.prepare(loader)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Loss (nats a learned token) and token accuracy by language: `eval_el_loss`, `eval_el_token_accuracy`.

        Both are sums over all learned tokens divided by their number: they depend neither on the size of a batch nor
        on the number of processes.
        """
        self.model.eval()
        metrics: dict[str, float] = {}
        for lang, places in self.validation.items():
            loss, right, count = self._measure(places).tolist()
            metrics |= {f"eval_{lang}_loss": loss / count, f"eval_{lang}_token_accuracy": right / count}
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.model.train()
        return metrics

    @torch.no_grad()
    def _measure(self, places: Sequence[int]) -> torch.Tensor:
        """Sum of the losses, learned tokens that are the model's first choice, and learned tokens, over `places`."""
        sums = torch.zeros(3, dtype=torch.float64, device=self.args.device)
        collate = DataCollatorForLanguageModeling(self.processing_class.pad_token_id)
        for places_here in self._shared(places):
            rows = [self.eval_dataset[place] for place in places_here]
            inputs = self._prepare_inputs(collate(rows))
            with self.compute_loss_context_manager():
                found = self.model(**inputs, use_cache=False, fused_lm_head=True)
            parts = (-found.log_probs.double().sum(), found.is_top1.sum(), found.label_mask.sum())
            sums += torch.stack([part.double() for part in parts])
        return self.accelerator.reduce(sums, reduction="sum")

    def _shared(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """The batches of this process; where another has one more, a filler from which nothing is counted."""
        size, filler = self.args.per_device_eval_batch_size, len(self.eval_dataset) - 1
        batches = [places[start : start + size] for start in range(0, len(places), size)]
        batches += [[filler]] * (-len(batches) % self.args.world_size)
        return iter(batches[self.args.process_index :: self.args.world_size])

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the card is written once, from the run's record."""

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save a checkpoint, and mark it when all of it is on the disk."""
        folder = Path(self.args.output_dir)
        check_room(folder, self.needed)
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError):
            check_room(folder, self.needed)  # a full disk is a sentence; anything else is what it is
            raise
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            written = folder / f"checkpoint-{self.state.global_step}"
            how = {"processes": self.args.world_size, "sharded": self.is_fsdp_enabled}
            (written / COMPLETE).write_text(json.dumps(how) + "\n", encoding="utf-8")
            os.sync()


NOT_SHARDED = (
    "FSDP2 was asked for, but the parameters are not sharded: without a GPU, accelerate trains whole copies instead "
    "and does not say so. Take --sharding none to do that knowingly, or a machine with GPUs."
)


def check_sharded(tuner: Tuner) -> None:
    """InputError if FSDP was asked for and the wrapped model's parameters are not sharded."""
    from torch.distributed.tensor import DTensor

    if not any(isinstance(parameter, DTensor) for parameter in tuner.model.parameters()):
        raise InputError(NOT_SHARDED)
