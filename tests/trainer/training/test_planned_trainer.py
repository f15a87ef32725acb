"""Packing changes the time and nothing else; and what goes wrong without the guards that stand in the tuner."""

from collections.abc import Callable

import pytest
import torch

from trainer.sft import make_tuner
from trainer.training.arguments import training_arguments
from trainer.training.batches import Batches
from trainer.training.planned_trainer import Tuner
from trainer.training.prepare import Request, prepare

Ask = Callable[..., Request]


def tuner_of(request: Request) -> Tuner:
    """The trainer of a run whose only step is its first."""
    prepared = prepare(request)
    plan = prepared.batches(1)
    batches = Batches(plan.micro_batches[: plan.per_step], plan.per_step, plan.filler)
    return make_tuner(prepared, batches, training_arguments(request, batches, 1))


def first_gradient(tuner: Tuner) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradient of the first step, by TRL's own loss over the micro-batches of the plan."""
    tuner.create_optimizer_and_scheduler(1)
    batches = [tuner._prepare_inputs(batch) for batch in tuner.get_train_dataloader()]
    count = tuner._get_num_items_in_batch(batches, torch.device("cpu"))
    tuner.model.train()
    loss = sum(tuner.training_step(tuner.model, batch, count).item() for batch in batches)
    return loss, {name: parameter.grad.clone() for name, parameter in tuner.model.named_parameters()}


def difference(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> float:
    """The largest relative difference of two gradients, a parameter at a time."""
    return max(float((one[name] - two[name]).norm() / one[name].norm()) for name in one)


@pytest.mark.parametrize("size", [2, 4, 16])
def test_a_packed_step_has_the_gradient_of_the_padded_one(size: int, ask: Ask) -> None:
    padded = tuner_of(ask("packing=false", "per_device_train_batch_size=1", out="padded"))
    packed = tuner_of(ask(f"per_device_train_batch_size={size}", out="packed"))
    assert len(packed.batches.micro_batches) == 16 // size
    (loss, gradient), (packed_loss, packed_gradient) = first_gradient(padded), first_gradient(packed)
    assert packed_loss == pytest.approx(loss, abs=1e-5)
    assert difference(gradient, packed_gradient) < 1e-5


def test_packed_documents_see_each_other_where_a_cache_is_kept(ask: Ask) -> None:
    tuner = tuner_of(ask("per_device_train_batch_size=8"))
    batch = next(iter(tuner.get_train_dataloader()))
    labels = batch.pop("labels")
    alone = tuner.model(**batch, use_cache=False).logits
    leaking = tuner.model(**batch, use_cache=True).logits
    assert (alone - leaking).abs().max() > 1e-3
    last = batch["cu_seq_lens_q"][-2]  # the last document by itself
    by_itself = tuner.model(input_ids=batch["input_ids"][:, last:], use_cache=False).logits
    assert (alone[:, last:] - by_itself).abs().max() < 1e-5
    measured = tuner.compute_loss(tuner.model, batch | {"labels": labels})  # TRL sets it, and evaluation does here
    assert torch.isfinite(measured)


def test_evaluation_does_not_depend_on_the_size_of_a_batch(ask: Ask) -> None:
    found = []
    for size in (1, 3, 8):
        tuner = tuner_of(ask(f"per_device_eval_batch_size={size}", config="ar", out=f"of-{size}"))
        found.append(tuner.evaluate())
    assert found[0].keys() >= {"eval_ar_loss", "eval_ar_token_accuracy"}
    for other in found[1:]:
        assert {name: other[name] for name in other if name.startswith("eval")} == pytest.approx(
            {name: found[0][name] for name in found[0] if name.startswith("eval")}, abs=1e-6
        )
