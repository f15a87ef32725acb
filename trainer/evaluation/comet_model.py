"""The network of COMET-22, with the weights' names of its authors' checkpoints."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from corpora.errors import InputError, first_line
from trainer.model_loading import load_checkpoint

UNUSED = ("position_ids", "dropout_mask", "dropout_fill")  # buffers that only training reads


class Regression(nn.Module):
    """COMET-22 (Rei et al. 2022): pooled XLM-R states of source, hypothesis and reference, and a feed-forward head."""

    def __init__(self, encoder: Any, hidden_sizes: Sequence[int], sparse: bool, norm: bool) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"model": encoder})
        self.layerwise_attention = LayerMix(encoder.config.num_hidden_layers + 1, sparse, norm)
        widths = [6 * encoder.config.hidden_size, *hidden_sizes]
        layers: list[nn.Module] = []
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.Tanh(), nn.Identity()]  # where training has its dropout
        self.estimator = nn.ModuleDict({"ff": nn.Sequential(*layers, nn.Linear(widths[-1], 1))})

    def forward(self, source: Any, hypothesis: Any, reference: Any) -> Tensor:
        """Return a score for each row; each side is (ids, mask)."""
        src, mt, ref = (self.embed(*side) for side in (source, hypothesis, reference))
        features = (mt, ref, mt * ref, (mt - ref).abs(), mt * src, (mt - src).abs())
        scores: Tensor = self.estimator["ff"](torch.cat(features, dim=1))
        return scores.view(-1)

    def embed(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over a sentence's tokens of its mixed states."""
        states = self.encoder["model"](input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        mixed = self.layerwise_attention(states, mask) * mask.unsqueeze(-1)
        return mixed.sum(1) / mask.sum(1, keepdim=True)


class LayerMix(nn.Module):
    """A weighted sum of the states of all layers, each normalised over its sentence if `norm`."""

    def __init__(self, num_layers: int, sparse: bool, norm: bool) -> None:
        super().__init__()
        self.scalar_parameters = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(num_layers)])
        self.gamma = nn.Parameter(torch.ones(1))
        self.sparse, self.norm = sparse, norm

    def forward(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Return the weighted sum; layers whose weight is 0 are left out."""
        weights = torch.cat(list(self.scalar_parameters))
        weights = sparsemax(weights) if self.sparse else weights.softmax(0)
        used = [(weight, state) for weight, state in zip(weights, states, strict=True) if weight != 0]
        mixed: Tensor = self.gamma * sum(weight * (normalize(s, mask) if self.norm else s) for weight, s in used)
        return mixed


def normalize(state: Tensor, mask: Tensor) -> Tensor:
    """Return states less their sentence's mean, divided by its standard deviation; padding is ignored."""
    real = mask.unsqueeze(-1).to(state.dtype)
    count = (mask.sum(1) * state.shape[-1]).view(-1, 1, 1)
    mean = (state * real).sum((1, 2), keepdim=True) / count
    variance = (((state - mean) * real) ** 2).sum((1, 2), keepdim=True) / count
    return (state - mean) / torch.sqrt(variance + 1e-12)


def sparsemax(weights: Tensor) -> Tensor:
    """Return the point of the simplex nearest to a vector (Martins and Astudillo 2016, algorithm 1)."""
    ordered = weights.sort(descending=True).values
    excess = ordered.cumsum(0) - 1
    ranks = torch.arange(1, len(weights) + 1, device=weights.device)
    size = int((ranks * ordered > excess).sum())
    return (weights - excess[size - 1] / size).clamp(min=0)


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Return the weights in a checkpoint; InputError if it holds code, or none."""
    content = load_checkpoint(path)
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise InputError(f"{path} is not a checkpoint that can be read as weights only: it has no 'state_dict'.")
    weights: Mapping[str, Tensor] = content["state_dict"]
    return weights


def load_weights(model: Regression, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy the weights of a checkpoint into a model.

    Raises:
        InputError: Weights are missing, unknown or of another shape.
    """
    try:
        loaded = model.load_state_dict(weights, strict=False)
    except (TypeError, RuntimeError) as error:
        raise InputError(f"{path} does not hold the weights of COMET: {first_line(error)}") from None
    problems = [*loaded.missing_keys, *(key for key in loaded.unexpected_keys if not key.endswith(UNUSED))]
    if problems:
        raise InputError(f"{path} does not fit its settings: {', '.join(problems[:3])} missing or unknown.")
