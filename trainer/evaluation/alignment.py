"""How similar a model's states are for sentences that are translations, layer by layer, and gamma for the laws."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from corpora.errors import InputError
from corpora.files import atomic_path, lock_folder
from corpora.progress import NullProgress, Progress, stage
from corpora.terminal_tables import format_table
from recipes.results import Result, append_results
from trainer.evaluation.batching import by_length
from trainer.evaluation.benchmarks import get_benchmark, load_items
from trainer.evaluation.bootstrap import interval
from trainer.evaluation.eval_model import EvalModel
from trainer.evaluation.items import BenchmarkSource
from trainer.evaluation.measurement import mean
from trainer.evaluation.metrics import load_metrics
from trainer.evaluation.model_outputs import output_folder

States = NDArray[np.float32]  # of shape (layers, sentences, hidden): the mean over a sentence's own tokens
NUM_PLOTTED = 200  # sentences a language in the picture


@dataclass(frozen=True)
class Similarity:
    """How similar a language is to English at a layer (0: the embeddings), over sentences that are translations.

    `retrieval` is the share of sentences whose translation is their nearest by cosine, the mean of both directions;
    `cosine` the mean cosine of translations after each language's mean is subtracted; `cka` is linear centred kernel
    alignment (Kornblith et al. 2019).
    """

    lang: str
    layer: int
    retrieval: float
    cosine: float
    cka: float


@dataclass(frozen=True, repr=False)
class Alignment:
    """All similarities of a model, the layer of gamma, gamma as results, and the picture."""

    similarities: tuple[Similarity, ...]
    gamma_layer: int
    num_layers: int
    results: tuple[Result, ...]
    picture: Path

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each layer: each language's retrieval accuracy, then the means of all measures."""
        return [{"layer": layer, **self._cells(layer)} for layer in range(self.num_layers)]

    def _cells(self, layer: int) -> dict[str, str]:
        own = [row for row in self.similarities if row.layer == layer]
        measures = ("retrieval", "cosine", "cka")
        means = {f"mean {name}": f"{np.mean([getattr(row, name) for row in own]):.3f}" for name in measures}
        return {row.lang: f"{row.retrieval:.3f}" for row in own} | means

    def to_text(self) -> str:
        """Return the rows as a table, gamma, and where the picture is."""
        gamma = ", ".join(f"{result.lang} {result.value:.3f}" for result in self.results)
        rows = self.rows()
        table = format_table(list(rows[0]), [list(row.values()) for row in rows], drop=["mean cka", "mean cosine"])
        return f"{table}\ngamma at layer {self.gamma_layer}: {gamma}\npicture: {self.picture}"

    def to_json(self) -> str:
        """Return the rows as JSON."""
        return json.dumps(self.rows(), indent=2)

    __repr__ = to_text

    def _repr_html_(self) -> str:
        return tabulate(self.rows(), headers="keys", tablefmt="html", disable_numparse=True)


def align_model(
    model: EvalModel, langs: Sequence[str], benchmark: str, source: BenchmarkSource, limit: int | None,
    layer: int | None, output: Path, results: Path, batch_size: int = 32, progress: Progress | None = None,
) -> Alignment:  # fmt: skip
    """Return the similarity of languages to English by layer; a table and a picture are written below `output`.

    gamma is the retrieval accuracy (0..1) at `layer`, by default the last, and is added to `results`. arXiv 2308.04948
    (footnote 3) only states that it follows Pan et al. (2021), whose measure of similarity on multi-way text is this
    search by cosine of averaged states of the topmost encoder layer.

    Raises:
        InputError: The benchmark is not multi-way text, or the model has no such layer.
    """
    texts = sentences(benchmark, langs, source, limit)
    folder = output_folder(output, model.name)
    total = sum(map(len, texts.values()))
    with (
        lock_folder(folder, "evaluation"),
        stage(progress or NullProgress(), "states", 1, 1, total, "sentences") as report,
    ):
        states = {lang: sentence_states(model, own, batch_size, report) for lang, own in texts.items()}
    num_layers = len(states["en"])
    gamma_layer = num_layers - 1 if layer is None else layer
    if not 0 <= gamma_layer < num_layers:
        raise InputError(f"{model.name} has the layers 0 to {num_layers - 1}, not {layer}.")
    similarities = tuple(similarity(lang, number, states) for lang in langs for number in range(num_layers))
    rows = tuple(_gamma(model, benchmark, lang, states, gamma_layer, limit) for lang in langs)
    alignment = Alignment(similarities, gamma_layer, num_layers, rows, folder / "alignment.png")
    _write(alignment, states, model.name, folder)
    append_results(results, rows)
    return alignment


def sentences(
    benchmark: str, langs: Sequence[str], source: BenchmarkSource, limit: int | None
) -> dict[str, Sequence[str]]:
    """Return the sentences of a multi-way benchmark, the same in English and every language.

    Raises:
        InputError: The benchmark is not multi-way, or the languages cannot be compared with English.
    """
    row = get_benchmark(benchmark, source)
    if row.task != "translation":
        raise InputError(f"{benchmark} is not multi-way text; flores is.")
    if "en" in langs or not langs:
        raise InputError("--langs names the languages to compare with English, such as el,hi.")
    texts: dict[str, Sequence[str]] = {}
    for lang in langs:
        items = load_items(row, lang, "en-xx", source, limit).items
        texts["en"] = [item.input for item in items]
        texts[lang] = [item.references[0] for item in items]
    if len(texts["en"]) < 2:
        raise InputError("Similarity needs at least two sentences.")
    return texts


def sentence_states(
    model: EvalModel, texts: Sequence[str], batch_size: int, progress: Progress | None = None
) -> States:
    """Return the mean state of each sentence at every layer, of shape (layers, sentences, hidden).

    Padding is left out of the mean (the paper's code divides by the padded length), so that no state depends on the
    other sentences of the batch.
    """
    from trainer.evaluation.generation import context_length, truncate_middle

    length = context_length(model)
    ids = [truncate_middle(row, length) for row in model.encoder.texts_to_ids(texts)]
    states: dict[int, States] = {}
    for indices in by_length([len(row) for row in ids], batch_size):
        means = _mean_states(model, [ids[index] for index in indices])
        states |= {index: means[:, row] for row, index in enumerate(indices)}
        if progress:
            progress.advance(len(indices))
    return np.stack([states[index] for index in range(len(ids))], axis=1)


def _mean_states(model: EvalModel, batch: Sequence[list[int]]) -> States:
    """Return the mean states of sentences, longest first, of shape (layers, sentences, hidden)."""
    import torch

    network, width = model.model, len(batch[0])
    tokens = torch.tensor([ids + [0] * (width - len(ids)) for ids in batch], device=network.device)
    mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in batch], device=network.device)
    with torch.inference_mode():
        hidden = network.get_decoder()(
            input_ids=tokens, attention_mask=mask, use_cache=False, output_hidden_states=True
        ).hidden_states
        weights = mask[None, :, :, None].float()
        means: States = ((torch.stack(hidden).float() * weights).sum(2) / weights.sum(2)).cpu().numpy()
    return means


def similarity(lang: str, layer: int, states: Mapping[str, States]) -> Similarity:
    """Return how similar a language is to English at a layer."""
    english, other = (states[code][layer].astype(np.float64) for code in ("en", lang))
    hits = retrieval_hits(english, other)
    centred = [side - side.mean(axis=0) for side in (english, other)]
    cosines = (_unit(centred[0]) * _unit(centred[1])).sum(axis=1)
    return Similarity(lang, layer, float(hits.mean()), float(cosines.mean()), cka(*centred))


def retrieval_hits(english: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each sentence, the share of both directions in which its translation is the nearest by cosine.

    Where several are equally near, as in states that have collapsed, the translation counts for its share of them.
    """
    cosines = _unit(english) @ _unit(other).T
    right = np.diag(cosines)
    shares = []
    for axis in (0, 1):
        best = cosines.max(axis=axis)
        ties = (cosines >= np.expand_dims(best, axis) - 1e-9).sum(axis=axis)
        shares.append((right >= best - 1e-9) / ties)
    return np.asarray((shares[0] + shares[1]) / 2)


def cka(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the linear centred kernel alignment of two centred tables with the same rows, 0..1."""
    scale = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(a.T @ b) ** 2 / scale) if scale else 0.0


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _gamma(
    model: EvalModel, benchmark: str, lang: str, states: Mapping[str, States], layer: int, limit: int | None
) -> Result:
    hits = retrieval_hits(states["en"][layer].astype(np.float64), states[lang][layer].astype(np.float64))
    metric = load_metrics()["gamma"]
    expected = get_benchmark(benchmark).expected_items(lang)
    extent = f"|first:{limit}" if limit is not None and (expected is None or limit < expected) else ""
    return Result(
        **model.result_fields(lang),
        benchmark=benchmark,
        direction="",
        metric=metric.name,
        value=float(hits.mean()),
        interval=interval(np.stack([hits, np.ones_like(hits)], axis=1), mean),
        n=len(hits),
        signature=f"retrieval:cosine|states:mean|layer:{layer}/{len(states['en']) - 1}|v:1{extent}",
        metric_min=metric.min,
        metric_max=metric.max,
    )


def _write(alignment: Alignment, states: Mapping[str, States], title: str, folder: Path) -> None:
    """Write alignment.json and alignment.png into the model's folder."""
    from cards.plots import draw_alignment

    content = {
        "gamma_layer": alignment.gamma_layer,
        "similarities": [asdict(row) for row in alignment.similarities],
    }
    with atomic_path(folder / "alignment.json") as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    last = alignment.num_layers - 1
    layers = list(dict.fromkeys((min(1, last), (last + 1) // 2, last)))
    points = {layer: project_2d({lang: own[layer][:NUM_PLOTTED] for lang, own in states.items()}) for layer in layers}
    lines = {
        lang: [row.retrieval for row in alignment.similarities if row.lang == lang] for lang in states if lang != "en"
    }
    with atomic_path(alignment.picture) as temporary:
        draw_alignment(points, lines, title, temporary, len(states["en"][0]))


def project_2d(states: Mapping[str, NDArray[np.float32]]) -> dict[str, list[list[float]]]:
    """Return the states of all languages in the plane of their two first principal components."""
    every = np.concatenate(list(states.values())).astype(np.float64)
    middle = every.mean(axis=0)
    _, _, axes = np.linalg.svd(every - middle, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2, np.abs(axes[:2]).argmax(axis=1)].diagonal())[:, None]
    return {lang: ((own - middle) @ axes.T).tolist() for lang, own in states.items()}
