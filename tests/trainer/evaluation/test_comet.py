"""COMET against what unbabel-comet 2.2.7 says of the same random checkpoint (tests/benchmarks/comet.py)."""

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from corpora.errors import InputError
from recipes.results import Result, append_results, read_results
from tests.trainer.evaluation.comets import SEGMENTS, make_comet
from tests.trainer.models import make_data, make_model
from trainer.evaluation.comet import Comet, load_comet
from trainer.evaluation.comet_model import sparsemax
from trainer.evaluation.compare import compare
from trainer.evaluation.eval_model import find_candidate
from trainer.evaluation.evaluate import Evaluation, evaluate
from trainer.evaluation.items import Item, Items, Place
from trainer.evaluation.metrics import METRICS, How

GOLDEN = {  # unbabel-comet 2.2.7, torch 2.13.0, transformers 4.57.6
    "sparsemax": [0.4286200, 0.4022605, 0.4321568, 0.4902819, 0.4074330, 0.4203595, 0.3460479],
    "sparsemax, normalised": [0.4367263, 0.4130563, 0.4430492, 0.4953596, 0.4192299, 0.4382931, 0.3606063],
    "sparsemax_patch": [0.3593986, 0.3561016, 0.3492181, 0.3876615, 0.3313088, 0.3451701, 0.3183215],
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_comet(tmp_path_factory.mktemp("comet") / "tiny")


def scored(comet: Comet, batch_size: int) -> list[float]:
    sides = [list(side) for side in zip(*SEGMENTS, strict=True)]
    found = dict(pair for batch in comet.scores(*sides, batch_size=batch_size) for pair in batch)
    return [found[place] for place in range(len(SEGMENTS))]


@pytest.mark.parametrize("kind", GOLDEN)
@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_scores_are_unbabels_own_in_batches_of_any_size(kind: str, batch_size: int, tmp_path: Path) -> None:
    named, _, normed = kind.partition(", ")
    comet = load_comet(str(make_comet(tmp_path / "tiny", layer_transformation=named, layer_norm=bool(normed))))
    assert scored(comet, batch_size) == pytest.approx(GOLDEN[kind], abs=1e-5)


def test_sparsemax_is_a_projection_on_the_simplex() -> None:
    assert sparsemax(torch.tensor([0.1, 1.1, 0.2])).tolist() == pytest.approx([0.0, 0.95, 0.05])
    assert sparsemax(torch.tensor([0.5, 0.5])).tolist() == [0.5, 0.5]
    assert sparsemax(torch.tensor([3.0, 0.0])).tolist() == [1.0, 0.0]


def test_the_signature_names_model_weights_and_tokenizer(checkpoint: Path) -> None:
    comet = load_comet(str(checkpoint))
    assert re.fullmatch(rf"model:tiny\|sha256:{comet.sha256[:12]}\|tok:[0-9a-f]{{8}}\|refs:first\|v:1", comet.signature)
    with pytest.raises(InputError, match="--comet wmt22-comet-da"):
        METRICS["comet"].signature("el", How())


@pytest.fixture
def ask(checkpoint: Path, tmp_path: Path) -> Callable[..., Evaluation]:
    """Evaluations of random models on the little FLORES by this checkpoint."""
    data = make_data(tmp_path / "data")

    def make(seed: int) -> Evaluation:
        return Evaluation(
            find_candidate(str(make_model(tmp_path / f"model-{seed}", seed))), ("flores",), "el", ("en-xx",),
            metrics=("chrf++", "comet"), max_new_tokens=12, place=Place(data, any_rows=True, offline=True),
            how=How(comet=load_comet(str(checkpoint))), out=tmp_path / "out", results=tmp_path / "results.jsonl",
        )  # fmt: skip

    return make


def test_answers_are_scored_against_source_and_reference_once(
    ask: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = ask(0)
    (score,) = [score for score in evaluate(asked, print) if score.metric == "comet"]
    said = pl.read_parquet(next(asked.folder.glob("*.generate.*")))
    kept = pl.read_parquet(next(asked.folder.glob("*.comet.*")))
    sides = (said["input"].to_list(), said["text"].to_list(), [row[0] for row in said["references"]])
    assert asked.how.comet
    expected = [value for _, value in sorted(pair for batch in asked.how.comet.scores(*sides) for pair in batch)]
    assert kept["comet"].to_list() == pytest.approx(expected, abs=1e-6)
    assert score.value == pytest.approx(100 * sum(expected) / 4, abs=1e-4)
    assert "model:tiny|sha256:" in score.signature
    assert "|greedy:12|" in score.signature
    monkeypatch.setattr(Comet, "scores", None)
    assert list(evaluate(asked, print)) == read_results(asked.results)


def test_a_source_that_stands_within_the_prompt_is_not_made_up(
    ask: Callable[..., Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [Item("1", "Translate into Greek: The cat sleeps.", "", ("Η γάτα κοιμάται.",))]
    monkeypatch.setattr("trainer.evaluation.evaluate.load_items", lambda *asked: Items(tuple(whole)))
    with pytest.raises(InputError, match="COMET needs the text that was translated by itself"):
        list(evaluate(ask(0), print))


def test_models_are_compared_by_comet_without_loading_it(ask: Callable[..., Evaluation], tmp_path: Path) -> None:
    for seed in (0, 1):
        list(evaluate(ask(seed), print))
    (row,) = compare(["model-0"], ["model-1"], "comet", tmp_path / "out", How())
    assert row.n == 4
    assert row.difference.value == pytest.approx(row.b - row.a)


class Code:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must never run",)


def _spoil(folder: Path, fault: str) -> None:
    settings, weights = folder / "hparams.yaml", folder / "checkpoints" / "model.ckpt"
    if fault == "code":
        weights.write_bytes(pickle.dumps({"state_dict": Code()}, 2))
    elif fault == "page":
        weights.write_text("<!DOCTYPE html><html>")
    elif fault == "missing":
        found = torch.load(weights, weights_only=True)
        del found["state_dict"]["estimator.ff.0.weight"]
        torch.save(found, weights)
    elif fault == "kind":
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"class_identifier": "unified_metric"}))
    elif fault == "gone":
        weights.unlink()
    elif fault == "tokenizer":
        (folder / "encoder" / "tokenizer.json").unlink()


FAULTS = {
    "code": "no checkpoint that can be read as weights alone",
    "page": "no checkpoint that can be read as weights alone",
    "missing": "estimator.ff.0.weight missing or not known",
    "kind": "class_identifier is unified_metric, but regression_metric",
    "gone": "checkpoints/model.ckpt is not there",
    "tokenizer": "The encoder's tokenizer.json is not in",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_such_checkpoint_is_a_sentence(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_comet(tmp_path / "spoiled")
    _spoil(folder, fault)
    with pytest.raises(InputError, match=FAULTS[fault]):
        scored(load_comet(str(folder)), 2)
    assert "never run" not in capsys.readouterr().out


@pytest.mark.parametrize("asked", ["wmt22-comet", "Unbabel/wmt22-comet-da", "./nowhere", ""])
def test_a_name_without_a_commit_is_a_sentence(asked: str) -> None:
    with pytest.raises(InputError, match="names no COMET model: wmt22-comet-da"):
        load_comet(asked)


def test_a_pinned_model_that_was_never_downloaded_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"Unbabel/wmt22-comet-da@2760a223ac95: hparams\.yaml is not in the cache"):
        load_comet("wmt22-comet-da", offline=True)


def test_a_value_that_a_metric_cannot_have_is_not_written(tmp_path: Path) -> None:
    odd = Result("r", "el", 0, 0, 0, {}, "m", "flores", "en-xx", "comet", -3.0, None, 9, "x", 0.0, 100.0)
    with pytest.raises(InputError, match="outside the range of comet"):
        append_results(tmp_path / "s.jsonl", [odd])
    assert not (tmp_path / "s.jsonl").exists()
