"""Estimates of the memory and time of a run, by the field's rules of thumb."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from corpora.errors import unknown
from trainer.recipe import TrainingRecipe

BYTES_PER_PARAMETER = 16  # weights, gradients and two moments of Adam in float32


@dataclass(frozen=True)
class Device:
    """A processor.

    `peak` is in floating-point operations per second (the maker's value for dense bfloat16), `memory` in bytes;
    `share` is the part of the peak that published runs of this kind reach.
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
    """Return the device of this name, or that of this machine.

    Raises:
        InputError: DEVICES has no such name.
    """
    import torch

    if name is not None and name != "cpu":
        if name not in DEVICES:
            raise unknown("device", name, [*DEVICES, "cpu"])
        return DEVICES[name]
    if name is None and torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        known = next((device for key, device in DEVICES.items() if key in gpu.name.lower()), DEVICES["a100"])
        return Device(gpu.name, known.peak, gpu.total_memory, known.share)
    return Device("this machine's CPU", _measure_cpu(), 0, 0.25)


def _measure_cpu(size: int = 768) -> float:
    """Return the floating-point operations per second of a matrix product on this machine's CPU."""
    import torch

    matrix = torch.rand(size, size)
    matrix @ matrix
    began = perf_counter()
    for _ in range(4):
        matrix @ matrix
    return 4 * 2 * size**3 / (perf_counter() - began)


def estimate_seconds(num_parameters: int, tokens: int, device: Device, processes: int, checkpointed: bool) -> float:
    """Return the seconds that training on `tokens` tokens takes.

    6 operations per parameter and token (Kaplan et al. 2020, arXiv 2001.08361, table 1); 8 with activation
    checkpointing, which runs the forward pass twice.
    """
    operations = (8 if checkpointed else 6) * num_parameters * tokens
    return operations / (device.peak * device.share * processes)


def estimate_memory(
    config: Any, num_parameters: int, recipe: TrainingRecipe, tokens: int, shards: int, checkpointed: bool
) -> float:
    """Return the peak memory of a process in bytes, for `tokens` positions at once.

    Weights, gradients and two moments of Adam in float32 are 16 bytes per parameter (Rajbhandari et al. 2020, arXiv
    1910.02054, section 3.1), divided among the shards; with LoRA the base counts its weights alone. A layer keeps 34
    bytes per position and hidden unit in half precision (Korthikanti et al. 2022, arXiv 2205.05198, equation 2,
    without the attention scores, which are not kept), twice that in float32; with checkpointing, 2 and one whole
    layer. The logits are computed in parts and are not counted.
    """
    text = config.get_text_config()
    width = 1 if recipe["bf16"] else 2
    model_bytes = num_parameters * (2 * width if recipe["use_peft"] else BYTES_PER_PARAMETER) / shards
    layer_bytes = 34 * width * tokens * text.hidden_size
    layers = text.num_hidden_layers
    kept = 2 * width * tokens * text.hidden_size * layers + layer_bytes if checkpointed else layer_bytes * layers
    return float(model_bytes + kept)
