"""COMET against unbabel-comet 2.2.7 on the same random checkpoint (tests/benchmarks/comet.py)."""

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from corpora.errors import InputError
from recipes.results import Result, append_results, read_results
from tests.trainer.evaluation.comets import SEGMENTS, make_comet
from tests.trainer.models import make_model
from trainer.evaluation import Item, Items, MetricOptions, compare, evaluate, get_metric

if TYPE_CHECKING:
    from trainer.evaluation.comet import Comet

pytestmark = pytest.mark.slow
GOLDEN = {  # unbabel-comet 2.2.7, torch 2.13.0, transformers 4.57.6
    "sparsemax": [0.4286200, 0.4022605, 0.4321568, 0.4902819, 0.4074330, 0.4203595, 0.3460479],
    "sparsemax, normalised": [0.4367263, 0.4130563, 0.4430492, 0.4953596, 0.4192299, 0.4382931, 0.3606063],
    "sparsemax_patch": [0.3593986, 0.3561016, 0.3492181, 0.3876615, 0.3313088, 0.3451701, 0.3183215],
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_comet(tmp_path_factory.mktemp("comet") / "tiny")


def scored(comet: "Comet", batch_size: int) -> list[float]:
    sides = [list(side) for side in zip(*SEGMENTS, strict=True)]
    found = dict(pair for batch in comet.scores(*sides, batch_size=batch_size) for pair in batch)
    return [found[index] for index in range(len(SEGMENTS))]


@pytest.mark.parametrize("kind", GOLDEN)
@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_scores_equal_unbabels_in_batches_of_any_size(kind: str, batch_size: int, tmp_path: Path) -> None:
    from trainer.evaluation.comet import load_comet

    named, _, normed = kind.partition(", ")
    comet = load_comet(str(make_comet(tmp_path / "tiny", layer_transformation=named, layer_norm=bool(normed))))
    assert scored(comet, batch_size) == pytest.approx(GOLDEN[kind], abs=1e-5)


def test_sparsemax_is_a_projection_on_the_simplex() -> None:
    import torch

    from trainer.evaluation.comet_model import sparsemax

    assert sparsemax(torch.tensor([0.1, 1.1, 0.2])).tolist() == pytest.approx([0.0, 0.95, 0.05])
    assert sparsemax(torch.tensor([0.5, 0.5])).tolist() == [0.5, 0.5]
    assert sparsemax(torch.tensor([3.0, 0.0])).tolist() == [1.0, 0.0]


def test_signature_names_model_weights_and_tokenizer(checkpoint: Path) -> None:
    from trainer.evaluation.comet import load_comet

    comet = load_comet(str(checkpoint))
    assert re.fullmatch(rf"model:tiny\|sha256:{comet.sha256[:12]}\|tok:[0-9a-f]{{8}}\|refs:first\|v:1", comet.signature)
    with pytest.raises(InputError, match="Give it with --metric-option comet=VALUE"):
        MetricOptions().resolve(get_metric("comet"))


@pytest.fixture
def run(checkpoint: Path, tmp_path: Path, options: Callable[..., dict[str, Any]]) -> Callable[[int], Any]:
    """Evaluate a random model on the small FLORES by this checkpoint."""

    def evaluate_model(seed: int) -> Any:
        chosen = options(benchmarks=["flores"], directions=["en-xx"], metrics=["chrf++", "comet"])
        model = tmp_path / f"model-{seed}"
        if not model.exists():
            make_model(model, seed)
        return evaluate(model, metric_options={"comet": str(checkpoint)}, **chosen)

    return evaluate_model


def test_answers_are_scored_once_against_source_and_reference(
    run: Callable[[int], Any], checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.evaluation.comet import Comet, load_comet

    table = run(0)
    (result,) = [result for result in table.results if result.metric == "comet"]
    folder = tmp_path / "evaluations" / "model-0"
    answers = pl.read_parquet(next(folder.glob("*.generate_until.*")))
    scores = pl.read_parquet(next(folder.glob("*.comet.*")))
    sides = (answers["input"].to_list(), answers["text"].to_list(), [row[0] for row in answers["references"]])
    batches = load_comet(str(checkpoint)).scores(*sides)
    expected = [value for _, value in sorted(pair for batch in batches for pair in batch)]
    assert scores["score"].to_list() == pytest.approx(expected, abs=1e-6)
    assert result.value == pytest.approx(100 * sum(expected) / 4, abs=1e-4)
    assert "model:tiny|sha256:" in result.signature
    assert "|greedy:12|" in result.signature
    monkeypatch.setattr(Comet, "scores", None)
    assert list(run(0).results) == read_results(tmp_path / "results.jsonl")


def test_a_source_within_the_instruction_is_an_error(
    run: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Item("1", "Translate into Greek: The cat sleeps.", "", ("Η γάτα κοιμάται.",))
    monkeypatch.setattr("trainer.evaluation.eval_tasks.load_items", lambda *_: Items((item,)))
    with pytest.raises(InputError, match="comet needs the source text of each answer"):
        run(0)


def test_models_are_compared_by_stored_scores(run: Callable[[int], Any], tmp_path: Path) -> None:
    for seed in (0, 1):
        run(seed)
    (row,) = compare("model-0", "model-1", metric="comet", output=tmp_path / "evaluations").rows
    assert row.num_items == 4
    assert row.difference.value == pytest.approx(row.b - row.a)


class Code:
    """Code that runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must never run",)


def _damage(folder: Path, fault: str) -> None:
    import torch

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
    "code": "not a checkpoint that can be read as weights only",
    "page": "not a checkpoint that can be read as weights only",
    "missing": "estimator.ff.0.weight missing or unknown",
    "kind": "class_identifier is unified_metric; regression_metric",
    "gone": "checkpoints/model.ckpt is missing",
    "tokenizer": "The encoder's tokenizer.json is not in",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_damaged_checkpoints_are_errors_and_run_no_code(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.evaluation.comet import load_comet

    folder = make_comet(tmp_path / "damaged")
    _damage(folder, fault)
    with pytest.raises(InputError, match=FAULTS[fault]):
        scored(load_comet(str(folder)), 2)
    assert "never run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "key", "value", "sentence"),
    [
        ("hparams.yaml", "hidden_sizes", [10**6, 10**6], "weights, more than"),
        ("encoder/config.json", "num_hidden_layers", 10**7, "COIT_LIMITS=model_parts"),
        ("encoder/config.json", "vocab_size", 10**9, "weights, more than"),
    ],
)
def test_settings_that_describe_more_than_the_checkpoint_are_refused(
    file: str, key: str, value: object, sentence: str, tmp_path: Path
) -> None:
    from trainer.evaluation.comet import load_comet

    folder = make_comet(tmp_path / "large")
    path = folder / file
    content = json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())
    path.write_text(json.dumps(content | {key: value}))  # JSON is YAML
    with pytest.raises(InputError, match=sentence):
        scored(load_comet(str(folder)), 2)


@pytest.mark.parametrize("name", ["wmt22-comet", "Unbabel/wmt22-comet-da", "./nowhere", ""])
def test_a_name_without_a_commit_is_an_error(name: str) -> None:
    from trainer.evaluation.comet import load_comet

    with pytest.raises(InputError, match=r"names no COMET model\. Give wmt22-comet-da"):
        load_comet(name)


def test_a_pinned_model_that_is_not_downloaded_is_an_error_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.evaluation.comet import load_comet

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"Unbabel/wmt22-comet-da@2760a223ac95: hparams\.yaml is not in the cache"):
        load_comet("wmt22-comet-da", offline=True)


def test_a_value_outside_its_metrics_range_is_not_written(tmp_path: Path) -> None:
    result = Result("r", "el", 0, 0, 0, {}, "m", "flores", "en-xx", "comet", -3.0, None, 9, "x", 0.0, 100.0)
    with pytest.raises(InputError, match="outside the range of comet"):
        append_results(tmp_path / "s.jsonl", [result])
    assert not (tmp_path / "s.jsonl").exists()
