"""align(): how alike a model's states are for sentences that say the same, layer by layer, and gamma."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cards.plots.alignment import draw_alignment
from corpora.errors import InputError
from corpora.files import atomic_path, locked
from recipes.results import Result, append_results
from trainer.evaluation.benchmarks import benchmark, load_items
from trainer.evaluation.bootstrap import interval
from trainer.evaluation.eval_model import Candidate
from trainer.evaluation.generation import by_length, positions, without_middle
from trainer.evaluation.items import Place
from trainer.evaluation.metrics import mean_percent

States = NDArray[np.float32]  # of shape (layers, sentences, hidden): the mean over a sentence's own tokens
SHOWN = 200  # sentences a language in the picture


@dataclass(frozen=True)
class Similarity:
    """How alike a language is to English at a layer (0: the embeddings), over sentences that are translations.

    `retrieval` is the share of sentences whose translation is their nearest by cosine, the mean of both directions;
    `cosine` the mean cosine of translations once each language's own mean is taken away; `cka` is linear centred
    kernel alignment (Kornblith et al. 2019).
    """

    lang: str
    layer: int
    retrieval: float
    cosine: float
    cka: float


@dataclass(frozen=True)
class Alignment:
    """All similarities of a model, and the layer that gamma is taken at."""

    similarities: list[Similarity]
    gamma_layer: int
    num_layers: int
    scores: list[Result]


def align(
    candidate: Candidate,
    langs: Sequence[str],
    name: str,
    place: Place,
    limit: int | None,
    layer: int | None,
    out: Path,
    results: Path,
    batch_size: int = 32,
) -> Alignment:
    """The similarities of languages to English by layer, as a table and a picture below `out`; gamma as scores.

    gamma is the retrieval accuracy (0..1) at `layer`, by default the last. arXiv 2308.04948 (footnote 3) says no more
    than that it follows Pan et al. (2021), whose measure of similarity on multi-way text is this search by cosine of
    averaged states of the topmost encoder layer.
    """
    texts = sentences(name, langs, place, limit)
    with locked(out / candidate.name.replace("/", "--"), "evaluation") as _:
        states = {lang: sentence_states(candidate, own, batch_size) for lang, own in texts.items()}
    num_layers = len(states["en"])
    at = num_layers - 1 if layer is None else layer
    if not 0 <= at < num_layers:
        raise InputError(f"{candidate.name} has the layers 0 to {num_layers - 1}; {layer} is none.")
    found = [similarity(lang, layer, states) for lang in langs for layer in range(num_layers)]
    rows = [_gamma(candidate, name, lang, states, at, limit) for lang in langs]
    alignment = Alignment(found, at, num_layers, rows)
    _write(alignment, states, candidate.name, out / candidate.name.replace("/", "--"))
    append_results(results, rows)
    return alignment


def sentences(name: str, langs: Sequence[str], place: Place, limit: int | None) -> dict[str, list[str]]:
    """The sentences of a multi-way benchmark, the same in English and every language."""
    asked = benchmark(name)
    if asked.task != "translation":
        raise InputError(f"{name} is not multi-way text; flores is.")
    if "en" in langs or not langs:
        raise InputError("--langs names the languages to compare with English, such as el,hi.")
    texts: dict[str, list[str]] = {}
    for lang in langs:
        items = load_items(asked, lang, "en-xx", place, limit).items
        texts["en"] = [item.input for item in items]
        texts[lang] = [item.references[0] for item in items]
    if len(texts["en"]) < 2:
        raise InputError("Similarity needs two sentences at the least.")
    return texts


@torch.inference_mode()
def sentence_states(candidate: Candidate, texts: Sequence[str], batch_size: int) -> States:
    """The mean state of each sentence at every layer, of shape (layers, sentences, hidden), over its own tokens.

    Padding is left out of the mean (the paper's code divides by the padded length), so no state depends on what
    else is in the batch.
    """
    encoder, model, room = candidate.encoder, candidate.model, positions(candidate)
    ids = [without_middle(row, room) for row in encoder.texts_to_ids(texts)]
    states: dict[int, States] = {}
    for places in by_length([len(row) for row in ids], batch_size):
        width = len(ids[places[0]])
        tokens = torch.tensor([ids[p] + [0] * (width - len(ids[p])) for p in places], device=model.device)
        mask = torch.tensor([[1] * len(ids[p]) + [0] * (width - len(ids[p])) for p in places], device=model.device)
        hidden = model.get_decoder()(
            input_ids=tokens, attention_mask=mask, use_cache=False, output_hidden_states=True
        ).hidden_states
        weights = mask[None, :, :, None].float()
        means = (torch.stack(hidden).float() * weights).sum(2) / weights.sum(2)
        states |= {p: means[:, row].cpu().numpy() for row, p in enumerate(places)}
    return np.stack([states[place] for place in range(len(ids))], axis=1)


def similarity(lang: str, layer: int, states: Mapping[str, States]) -> Similarity:
    """How alike a language and English are at a layer."""
    english, foreign = (states[code][layer].astype(np.float64) for code in ("en", lang))
    hits = found_first(english, foreign)
    centred = [side - side.mean(axis=0) for side in (english, foreign)]
    cosines = (_unit(centred[0]) * _unit(centred[1])).sum(axis=1)
    return Similarity(lang, layer, float(hits.mean()), float(cosines.mean()), cka(*centred))


def found_first(english: NDArray[np.float64], foreign: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each sentence, the share of the two directions in which its translation is the nearest by cosine.

    Where several are equally near, as states that have collapsed are, the translation counts for its share of them.
    """
    cosines = _unit(english) @ _unit(foreign).T
    right = np.diag(cosines)
    shares = []
    for axis in (0, 1):
        best = cosines.max(axis=axis)
        ties = (cosines >= np.expand_dims(best, axis) - 1e-9).sum(axis=axis)
        shares.append((right >= best - 1e-9) / ties)
    return np.asarray((shares[0] + shares[1]) / 2)


def cka(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Linear centred kernel alignment of two centred tables with the same rows, 0..1."""
    scale = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(a.T @ b) ** 2 / scale) if scale else 0.0


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _gamma(
    candidate: Candidate, name: str, lang: str, states: Mapping[str, States], layer: int, limit: int | None
) -> Result:
    hits = found_first(states["en"][layer].astype(np.float64), states[lang][layer].astype(np.float64))
    statistics = np.stack([hits, np.ones_like(hits)], axis=1)
    around = interval(statistics, lambda sums: mean_percent(sums) / 100)
    origin = candidate.origin
    extent = f"|first:{limit}" if limit is not None and limit < (benchmark(name).expected(lang) or limit + 1) else ""
    return Result(
        release=origin.release,
        lang=lang,
        num_pairs=origin.num_pairs(lang),
        num_documents=origin.num_documents(lang),
        seed=origin.seed,
        composition=origin.composition,
        model=candidate.name,
        benchmark=name,
        direction="",
        metric="gamma",
        value=float(hits.mean()),
        interval=around,
        n=len(hits),
        signature=f"retrieval:cosine|states:mean|layer:{layer}/{len(states['en']) - 1}|v:1{extent}",
        metric_min=0.0,
        metric_max=1.0,
    )


def _write(alignment: Alignment, states: Mapping[str, States], title: str, folder: Path) -> None:
    """alignment.json and alignment.png in the model's folder."""
    told = {"gamma_layer": alignment.gamma_layer, "similarities": [asdict(row) for row in alignment.similarities]}
    with atomic_path(folder / "alignment.json") as temporary:
        temporary.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    last = alignment.num_layers - 1
    layers = list(dict.fromkeys((min(1, last), (last + 1) // 2, last)))
    points = {layer: plane({lang: own[layer][:SHOWN] for lang, own in states.items()}) for layer in layers}
    lines = {
        lang: [row.retrieval for row in alignment.similarities if row.lang == lang] for lang in states if lang != "en"
    }
    with atomic_path(folder / "alignment.png") as temporary:
        draw_alignment(points, lines, title, temporary)


def plane(states: Mapping[str, NDArray[np.float32]]) -> dict[str, list[list[float]]]:
    """The states of all languages in the plane in which they spread most (their two first principal components)."""
    every = np.concatenate(list(states.values())).astype(np.float64)
    middle = every.mean(axis=0)
    _, _, axes = np.linalg.svd(every - middle, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2, np.abs(axes[:2]).argmax(axis=1)].diagonal())[:, None]
    return {lang: ((own - middle) @ axes.T).tolist() for lang, own in states.items()}


def rows_of(alignment: Alignment) -> Iterator[dict[str, Any]]:
    """A row a layer: each language's retrieval accuracy, then the means of all measures."""
    langs = list(dict.fromkeys(row.lang for row in alignment.similarities))
    for layer in range(alignment.num_layers):
        own = [row for row in alignment.similarities if row.layer == layer]
        cells = {lang: f"{next(r.retrieval for r in own if r.lang == lang):.3f}" for lang in langs}
        means = {name: f"{np.mean([getattr(row, name) for row in own]):.3f}" for name in ("retrieval", "cosine", "cka")}
        yield {"layer": layer, **cells} | {f"mean {name}": value for name, value in means.items()}
