"""Estimates: what a run takes in memory and time, by the field's rules of thumb."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from corpora.errors import unknown
from trainer.recipe import TrainingRecipe


@dataclass(frozen=True)
class Device:
    """A processor: floating-point operations a second at its peak, memory in bytes, and the share of the peak reached.

    The peaks are the makers' for dense bfloat16; the share is what published runs of this kind reach.
    """

    name: str
    peak: float
    memory: int
    share: float


DEVICES = {
    "h100": Device("H100", 989e12, 80 * 10**9, 0.35),
    "h200": Device("H200", 989e12, 141 * 10**9, 0.35),
    "a100": Device("A100", 312e12, 80 * 10**9, 0.45),
    "l40s": Device("L40S", 362e12, 48 * 10**9, 0.30),
}


def find_device(name: str | None) -> Device:
    """The device of this name, or the one that is here; InputError for one that is not in the table."""
    import torch

    if name is not None and name != "cpu":
        if name not in DEVICES:
            raise unknown("device", name, [*DEVICES, "cpu"])
        return DEVICES[name]
    if name is None and torch.cuda.is_available():
        here = torch.cuda.get_device_properties(0)
        known = next((device for key, device in DEVICES.items() if key in here.name.lower()), DEVICES["a100"])
        return Device(here.name, known.peak, here.total_memory, known.share)
    return Device("this machine's CPU", _measured(), 0, 0.25)


def _measured(size: int = 768) -> float:
    """Floating-point operations a second of a matrix product on this machine's CPU."""
    import torch

    matrix = torch.rand(size, size)
    matrix @ matrix
    began = perf_counter()
    for _ in range(4):
        matrix @ matrix
    return 4 * 2 * size**3 / (perf_counter() - began)


def seconds(num_parameters: int, tokens: int, device: Device, processes: int, checkpointed: bool) -> float:
    """How long `tokens` take: 6 operations a parameter and token (Kaplan et al. 2020, arXiv 2001.08361, table 1),
    8 where the forward pass is done twice, since activations were not kept."""
    operations = (8 if checkpointed else 6) * num_parameters * tokens
    return operations / (device.peak * device.share * processes)


def memory_bytes(
    config: Any, num_parameters: int, recipe: TrainingRecipe, tokens: int, shards: int, checkpointed: bool
) -> float:
    """What a process holds at its fullest, for `tokens` positions at once.

    Weights, gradients and two moments of Adam in float32 are 16 bytes a parameter (Rajbhandari et al. 2020, arXiv
    1910.02054, section 3.1), shared by the shards; with LoRA the base counts its weights alone. A layer keeps 34 bytes
    a position and hidden unit in half precision (Korthikanti et al. 2022, arXiv 2205.05198, equation 2, without the
    attention scores, which are not kept), twice that in float32; checkpointed, 2 and one layer whole. The scores of
    the vocabulary are made a part at a time and are left out.
    """
    text = config.get_text_config()
    wide = 1 if recipe["bf16"] else 2
    of_model = num_parameters * (2 * wide if recipe["use_peft"] else 16) / shards
    a_layer = 34 * wide * tokens * text.hidden_size
    layers = text.num_hidden_layers
    activations = 2 * wide * tokens * text.hidden_size * layers + a_layer if checkpointed else a_layer * layers
    return float(of_model + activations)
