"""Packing changes the time and not the gradient; evaluation does not depend on the batch size."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ConfigOf = Callable[..., Any]


def trainer_of(config: Any) -> Any:
    """Return the trainer of the first step of a run."""
    from trainer.preparation import Batches, prepare
    from trainer.training import build_trainer, training_arguments

    state = prepare(config)
    schedule = state.batches(1)
    batches = Batches(schedule.micro_batches[: schedule.per_step], schedule.per_step, schedule.padding_row)
    return build_trainer(state, batches, training_arguments(config, batches, 1))


def first_gradient(trainer: Any) -> tuple[float, dict[str, Any]]:
    """Return loss and gradient of the first step, by TRL's own loss over the scheduled micro-batches."""
    import torch

    trainer.create_optimizer_and_scheduler(1)
    batches = [trainer._prepare_inputs(batch) for batch in trainer.get_train_dataloader()]
    count = trainer._get_num_items_in_batch(batches, torch.device("cpu"))
    trainer.model.train()
    loss = sum(trainer.training_step(trainer.model, batch, count).item() for batch in batches)
    return loss, {name: parameter.grad.clone() for name, parameter in trainer.model.named_parameters()}


def difference(one: dict[str, Any], two: dict[str, Any]) -> float:
    """Return the largest relative difference of two gradients, one parameter at a time."""
    return max(float((one[name] - two[name]).norm() / one[name].norm()) for name in one)


@pytest.mark.parametrize("size", [2, 4, 16])
def test_packed_step_has_the_gradient_of_the_padded_step(size: int, config_of: ConfigOf) -> None:
    padded = trainer_of(config_of("packing=false", "per_device_train_batch_size=1", output="padded"))
    packed = trainer_of(config_of(f"per_device_train_batch_size={size}", output="packed"))
    assert len(packed.batches.micro_batches) == 16 // size
    (loss, gradient), (packed_loss, packed_gradient) = first_gradient(padded), first_gradient(packed)
    assert packed_loss == pytest.approx(loss, abs=1e-5)
    assert difference(gradient, packed_gradient) < 1e-5


def test_packed_documents_attend_to_each_other_with_a_cache(config_of: ConfigOf) -> None:
    import torch

    trainer = trainer_of(config_of("per_device_train_batch_size=8"))
    batch = next(iter(trainer.get_train_dataloader()))
    labels = batch.pop("labels")
    separate = trainer.model(**batch, use_cache=False).logits
    mixed = trainer.model(**batch, use_cache=True).logits
    assert (separate - mixed).abs().max() > 1e-3
    last = batch["cu_seq_lens_q"][-2]  # the last document by itself
    alone = trainer.model(input_ids=batch["input_ids"][:, last:], use_cache=False).logits
    assert (separate[:, last:] - alone).abs().max() < 1e-5
    loss = trainer.compute_loss(trainer.model, batch | {"labels": labels})  # TRL turns the cache off, as evaluate does
    assert torch.isfinite(loss)


def test_evaluation_does_not_depend_on_the_batch_size(config_of: ConfigOf) -> None:
    found = []
    for size in (1, 3, 8):
        trainer = trainer_of(config_of(f"per_device_eval_batch_size={size}", config_name="ar", output=f"of-{size}"))
        found.append(trainer.evaluate())
    assert found[0].keys() >= {"eval_ar_loss", "eval_ar_token_accuracy"}
    for other in found[1:]:
        assert {name: other[name] for name in other if name.startswith("eval")} == pytest.approx(
            {name: found[0][name] for name in found[0] if name.startswith("eval")}, abs=1e-6
        )
