"""Estimates of the memory and time of a run, by the field's rules of thumb."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

from corpora.errors import InputError, unknown
from corpora.tables import STRICT, parse_row, read_toml
from trainer.recipe import TrainingRecipe

BYTES_PER_PARAMETER = 16  # weights, gradients and two moments of Adam in float32
BYTES_PER_4BIT_PARAMETER = 4.127 / 8


@dataclass(frozen=True)
class Device:
    """A processor: a row of `devices.toml`."""

    __pydantic_config__ = STRICT
    name: str
    """Its name for people."""
    match: str
    """A part of the name that its driver gives."""
    peak: float
    """The maker's value for dense bfloat16, in operations per second."""
    memory: float
    """Its memory in GB."""
    share: float
    """The part of the peak that published runs of this kind reach."""


@cache
def devices() -> dict[str, Device]:
    """Return the known processors by the name that --device takes."""
    path = Path(__file__).parent / "devices.toml"
    return {key: parse_row(table, Device, f"{path}, table [{key}]") for key, table in read_toml(path).items()}


def read_prices(prices: Mapping[str, float | str]) -> dict[str, float]:
    """Return the price of an hour by device.

    Raises:
        InputError: `devices.toml` has no such device, or a price is not a number of at least 0.
    """
    checked = {}
    for name, text in prices.items():
        if name not in devices():
            raise unknown("device", name, devices())
        try:
            checked[name] = float(text)
        except ValueError:
            checked[name] = -1.0
        if not 0 <= checked[name] < inf:
            raise InputError(f"The price of {name} is '{text}'. Give a number of at least 0, such as {name}=2.5.")
    return checked


def known_device(gpu_name: str, memory_bytes: float) -> Device | None:
    """Return the row of a GPU with this name, the one whose memory is nearest; None if there is none."""
    rows = [device for device in devices().values() if device.match.lower() in gpu_name.lower()]
    return min(rows, key=lambda device: abs(1e9 * device.memory - memory_bytes), default=None)


def peak_flops(num_processes: int) -> float:
    """Return the peak of all GPUs of a run, in operations per second; 0 if they are not known."""
    import torch

    if not torch.cuda.is_available():
        return 0.0
    gpu = torch.cuda.get_device_properties(0)
    known = known_device(gpu.name, gpu.total_memory)
    return known.peak * num_processes if known else 0.0


def find_device(name: str | None) -> Device:
    """Return the device of this name, or that of this machine.

    Raises:
        InputError: `devices.toml` has no such name.
    """
    import torch

    if name is not None and name != "cpu":
        if name not in devices():
            raise unknown("device", name, [*devices(), "cpu"])
        return devices()[name]
    if name is None and torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        known = known_device(gpu.name, gpu.total_memory) or devices()["a100"]
        return replace(known, name=gpu.name, memory=gpu.total_memory / 1e9)
    return Device("this machine's CPU", "", _measure_cpu(), 0, 0.25)


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
    1910.02054, section 3.1), divided among the shards; with LoRA the base counts its weights alone, in QLoRA 4.127 bits
    each (Dettmers et al. 2023, arXiv 2305.14314, section 3; embeddings are not counted apart). A layer keeps 34 bytes
    per position and hidden unit in half precision (Korthikanti et al. 2022, arXiv 2205.05198, equation 2,
    without the attention scores, which are not kept), twice that in float32; with checkpointing, 2 and one whole
    layer. The logits are computed in parts and are not counted.
    """
    text = config.get_text_config()
    width = 1 if recipe["bf16"] else 2
    base_bytes = BYTES_PER_4BIT_PARAMETER if recipe["load_in_4bit"] else 2 * width
    model_bytes = num_parameters * (base_bytes if recipe["use_peft"] else BYTES_PER_PARAMETER) / shards
    layer_bytes = 34 * width * tokens * text.hidden_size
    layers = text.num_hidden_layers
    kept = 2 * width * tokens * text.hidden_size * layers + layer_bytes if checkpointed else layer_bytes * layers
    return float(model_bytes + kept)


MAX_PROCESSES = 1024
USABLE_SHARE = 0.95  # of a device's memory; the driver and the allocator need the rest


def processes_that_fit(memory_bytes: Callable[[int], float], device: Device) -> int | None:
    """Return the smallest power of two of processes whose shards fit a device; None if no number does.

    Args:
        memory_bytes: The memory of a process in bytes, if the parameters are divided among so many.
        device: The device; one without a known memory holds everything.
    """
    count = 1
    while count <= MAX_PROCESSES:
        if not device.memory or memory_bytes(count) <= USABLE_SHARE * 1e9 * device.memory:
            return count
        count *= 2
    return None
