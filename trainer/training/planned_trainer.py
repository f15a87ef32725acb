"""PlannedSFTTrainer: TRL's SFTTrainer on scheduled batches, with exact evaluation and complete checkpoints."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from trl import SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from trainer.preparation import Batches
from trainer.run import Diverged
from trainer.training.checkpoints import COMPLETE, check_disk_space, errors_of_saving, last_checkpoint
from trainer.training.finite import divergence, is_finite

NOT_SHARDED = (
    "FSDP2 was requested, but the parameters are not sharded: without a GPU, accelerate trains full copies and does "
    "not report it. Use --sharding none to train copies, or a machine with GPUs."
)


class FixedBatchSampler:
    """Yields given micro-batches, with the attributes that torch and accelerate expect of a batch sampler."""

    batch_size = None  # the micro-batches have different sizes
    drop_last = False

    def __init__(self, micro_batches: Sequence[Sequence[int]]) -> None:
        self.micro_batches = micro_batches

    def __iter__(self) -> Iterator[Sequence[int]]:
        return iter(self.micro_batches)

    def __len__(self) -> int:
        return len(self.micro_batches)


class PlannedSFTTrainer(SFTTrainer):
    """TRL's SFTTrainer without its silent changes.

    Batches are scheduled before the run, so that no row is dropped, repeated or reordered. Evaluation counts tokens
    and reports each language by name. A checkpoint is marked when it is complete, and disk space is checked before.
    """

    num_trained = 0  # trained weights, over all processes
    checkpoint_bytes = 0
    keys: Sequence[str] = ()  # of the rows of the table, for messages

    def __init__(self, batches: Batches, validation: Mapping[str, Sequence[int]], **arguments: Any) -> None:
        self.batches = batches
        self.validation = validation  # language -> indices into the evaluation table
        self.step_losses: list[torch.Tensor] = []  # of the micro-batches of a step on this process
        super().__init__(**arguments)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return a loader of the scheduled micro-batches, which go to the processes in turn."""
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=FixedBatchSampler(self.batches.micro_batches),
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )
        return self.accelerator.prepare(loader)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Return the loss of a micro-batch, which is kept until the gradient of its step is checked."""
        loss = super().training_step(*args, **kwargs)
        self.step_losses.append(loss.detach())
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> float:
        """Return the norm of the gradient.

        Raises:
            Diverged: The loss or the norm is not finite; the weights have not been changed by it.
        """
        norm = float(super()._get_grad_norm(model, grad_norm=grad_norm))
        losses = torch.stack(self.step_losses).tolist()
        self.step_losses.clear()
        if not is_finite(*losses):
            self._end("loss", next(loss for loss in losses if not is_finite(loss)), losses)
        if not is_finite(norm) and not self.args.fp16:  # with float16, steps whose gradient overflows are left out
            self._end("gradient norm", norm, [])
        return norm

    def _end(self, what: str, value: float, losses: Sequence[float]) -> None:
        """Raise Diverged with the rows of the step, or of its micro-batches whose loss is not finite."""
        step, per_step, world = self.state.global_step, self.batches.per_step, self.args.world_size
        numbers = [at * world + self.args.process_index for at, loss in enumerate(losses) if not is_finite(loss)]
        micro_batches = self.batches.micro_batches[step * per_step : (step + 1) * per_step]
        chosen = [micro_batches[number] for number in numbers] or micro_batches
        keys = [self.keys[index] for batch in chosen for index in batch if index < len(self.keys)]
        checkpoint = last_checkpoint(Path(self.args.output_dir))
        raise Diverged(divergence(what, value, step + 1, keys, str(checkpoint) if checkpoint else None))

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Return loss (nats per target token) and token accuracy by language: `eval_el_loss`, `eval_el_token_accuracy`.

        Both are sums over all target tokens divided by their number, so they depend neither on the batch size nor on
        the number of processes.
        """
        self.model.eval()
        metrics: dict[str, float] = {}
        for lang, indices in self.validation.items():
            loss, num_correct, count = self._sum_over(indices).tolist()
            if not is_finite(loss):
                keys = [f"validation rows in {lang}"]
                raise Diverged(divergence("validation loss", loss, self.state.global_step, keys, None))
            metrics |= {f"eval_{lang}_loss": loss / count, f"eval_{lang}_token_accuracy": num_correct / count}
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.model.train()
        return metrics

    @torch.no_grad()
    def _sum_over(self, indices: Sequence[int]) -> torch.Tensor:
        """Return the sum of losses, the top-1 matches and the number of target tokens, over all processes."""
        sums = torch.zeros(3, dtype=torch.float64, device=self.args.device)
        collate = DataCollatorForLanguageModeling(self.processing_class.pad_token_id)
        for batch in self._local_batches(indices):
            rows = [self.eval_dataset[index] for index in batch]
            inputs = self._prepare_inputs(collate(rows))
            with self.compute_loss_context_manager():
                output = self.model(**inputs, use_cache=False, fused_lm_head=True)
            parts = (-output.log_probs.double().sum(), output.is_top1.sum(), output.label_mask.sum())
            sums += torch.stack([part.double() for part in parts])
        return self.accelerator.reduce(sums, reduction="sum")

    def _local_batches(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """Return the batches of this process, with padding rows so that all processes have equally many."""
        size, padding_row = self.args.per_device_eval_batch_size, len(self.eval_dataset) - 1
        batches = [indices[start : start + size] for start in range(0, len(indices), size)]
        batches += [[padding_row]] * (-len(batches) % self.args.world_size)
        return iter(batches[self.args.process_index :: self.args.world_size])

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the card is written once, from the run's metadata."""

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save a checkpoint, and mark it when all of it is on the disk."""
        folder = Path(self.args.output_dir)
        check_disk_space(folder, self.checkpoint_bytes)
        with errors_of_saving(folder):
            super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            checkpoint = folder / f"checkpoint-{self.state.global_step}"
            content = {"processes": self.args.world_size, "sharded": self.is_fsdp_enabled}
            (checkpoint / COMPLETE).write_text(json.dumps(content) + "\n", encoding="utf-8")
            os.sync()
