"""A random COMET checkpoint of wmt22-comet-da's class, the same on every machine, with a tokenizer of letters."""

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

SEGMENTS = [  # source, hypothesis, reference
    ("The cat sleeps on the mat.", "Η γάτα κοιμάται στο χαλί.", "Η γάτα κοιμάται πάνω στο χαλί."),
    ("Two birds sing in the old tree.", "Δύο πουλιά.", "Δύο πουλιά κελαηδούν στο γέρικο δέντρο."),
    ("Who ate my bread?", "मेरी रोटी किसने खाई?", "मेरी रोटी किसने खाई?"),
    ("It rained all day.", "", "سقط المطر طوال اليوم."),
    ("这只猫在垫子上睡觉。", "The dog sleeps on the mat.", "The cat is asleep on the mat."),
    ("Kedi halının üzerinde uyuyor.", "x", "The cat is asleep on the mat."),
    ("Trời mưa suốt cả ngày. " * 12, "It rained and rained. " * 12, "It rained the whole day long. " * 12),
]
NUM_LAYERS, HIDDEN, HEADS = 4, 24, 3
SETTINGS: dict[str, Any] = {
    "activations": "Tanh", "batch_size": 4, "class_identifier": "regression_metric", "dropout": 0.1,
    "encoder_learning_rate": 1e-6, "encoder_model": "XLM-RoBERTa", "final_activation": None, "hidden_sizes": [32, 16],
    "keep_embeddings_frozen": True, "layer": "mix", "layer_norm": False, "layer_transformation": "sparsemax",
    "layerwise_decay": 0.95, "learning_rate": 1.5e-5, "loss": "mse", "nr_frozen_epochs": 0.3, "optimizer": "AdamW",
    "pool": "avg", "pretrained_model": "encoder", "train_data": [], "validation_data": [],
}  # fmt: skip


def make_comet(folder: Path, **changes: Any) -> Path:
    """A checkpoint, its settings with changes, and its encoder's two files, laid out as on the Hub."""
    import torch

    settings = SETTINGS | {"pretrained_model": str(folder / "encoder")} | changes
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "hparams.yaml").write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    size = _tokenizer(folder / "encoder")
    config = {
        "model_type": "xlm-roberta", "vocab_size": size, "hidden_size": HIDDEN, "num_hidden_layers": NUM_LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": 40, "max_position_embeddings": 128, "type_vocab_size": 1,
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "layer_norm_eps": 1e-5,
    }  # fmt: skip
    (folder / "encoder" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    saved = {"state_dict": _weights(size, settings["hidden_sizes"]), "hyper_parameters": settings}
    torch.save(saved | {"pytorch-lightning_version": "1.7.7", "epoch": 1}, folder / "checkpoints" / "model.ckpt")
    return folder


def _tokenizer(folder: Path) -> int:
    """XLM-R's four marks, spaces as marks, and a piece for each letter of the segments; returns how many pieces."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir()
    letters = sorted({letter for segment in SEGMENTS for text in segment for letter in text.replace(" ", "▁")})
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *letters, *(["▁"] if "▁" not in letters else [])]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(n)) for n, piece in enumerate(pieces)], 3, False))
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    marks = {"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>"}
    config = marks | {"pad_token": "<pad>", "tokenizer_class": "XLMRobertaTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return len(pieces)


def _weights(vocabulary: int, hidden_sizes: list[int]) -> "dict[str, torch.Tensor]":
    import torch

    random = np.random.default_rng(22)

    def draw(*shape: int, scale: float = 0.3, middle: float = 0.0) -> "torch.Tensor":
        return torch.tensor(middle + scale * random.standard_normal(shape), dtype=torch.float32)

    weights: dict[str, torch.Tensor] = {}

    def linear(name: str, width: int, following: int, scale: float = 0.3) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = draw(following, width, scale=scale), draw(following)

    def norm(name: str) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = draw(HIDDEN, scale=0.1, middle=1.0), draw(HIDDEN)

    start = "encoder.model.embeddings"
    for kind, size in (("word", vocabulary), ("position", 128), ("token_type", 1)):
        weights[f"{start}.{kind}_embeddings.weight"] = draw(size, HIDDEN)
    norm(f"{start}.LayerNorm")
    weights[f"{start}.position_ids"] = torch.arange(128).unsqueeze(0)  # as transformers 4 of 2022 saved it
    for layer in range(NUM_LAYERS):
        place = f"encoder.model.encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            linear(f"{place}.attention.self.{part}", HIDDEN, HIDDEN)
        linear(f"{place}.attention.output.dense", HIDDEN, HIDDEN)
        linear(f"{place}.intermediate.dense", HIDDEN, 40)
        linear(f"{place}.output.dense", 40, HIDDEN)
        norm(f"{place}.attention.output.LayerNorm")
        norm(f"{place}.output.LayerNorm")
    for layer, weight in enumerate((0.6, -1.0, 0.2, 0.4, 0.1)):  # sparsemax gives the second nothing
        weights[f"layerwise_attention.scalar_parameters.{layer}"] = torch.tensor([weight])
    weights["layerwise_attention.gamma"] = torch.tensor([1.1])
    weights["layerwise_attention.dropout_mask"] = torch.zeros(NUM_LAYERS + 1)
    weights["layerwise_attention.dropout_fill"] = torch.full((NUM_LAYERS + 1,), -1e20)
    widths = [6 * HIDDEN, *hidden_sizes]
    for number, (width, following) in enumerate(pairwise(widths)):
        linear(f"estimator.ff.{3 * number}", width, following, scale=0.1)
    linear(f"estimator.ff.{3 * len(hidden_sizes)}", widths[-1], 1, scale=0.1)
    weights[f"estimator.ff.{3 * len(hidden_sizes)}.bias"] = torch.tensor([0.5])
    return weights
