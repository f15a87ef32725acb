"""Alignment: states that depend on no padding, similarities with known answers, gamma for the laws."""

import json
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.results import read_results
from tests.trainer.models import SENTENCES
from trainer.evaluation import EvalModel, align, load_model
from trainer.evaluation.alignment import cka, project_2d, retrieval_hits, sentence_states


@pytest.fixture(scope="module")
def loaded(model: Path) -> EvalModel:
    return load_model(str(model))


@pytest.mark.slow
def test_states_are_means_over_a_sentences_own_tokens_in_any_batch(loaded: EvalModel) -> None:
    import torch

    together, alone = (sentence_states(loaded, SENTENCES["eng"], size) for size in (4, 1))
    np.testing.assert_allclose(together, alone, atol=1e-5)
    ids = torch.tensor([loaded.tokenizer(SENTENCES["eng"][2])["input_ids"]])
    hidden = loaded.model(ids, output_hidden_states=True).hidden_states
    assert together.shape == (len(hidden), 4, 32)
    np.testing.assert_allclose(together[1, 2], hidden[1][0].mean(0).detach().numpy(), atol=1e-5)


def test_similarities_have_their_known_values() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(300, 20))
    turn, _ = np.linalg.qr(random.normal(size=(20, 20)))
    assert retrieval_hits(points, points * 3).mean() == 1.0
    assert retrieval_hits(points, random.normal(size=(300, 20))).mean() < 0.03
    assert retrieval_hits(np.ones((50, 4)), np.ones((50, 4))).mean() == pytest.approx(
        1 / 50
    )  # collapsed: no better than chance
    centred = points - points.mean(axis=0)
    assert cka(centred, centred @ turn * 2) == pytest.approx(1.0)
    assert cka(centred, random.permutation(centred)) < 0.15


def test_swapped_sentences_count_as_missed_in_both_directions() -> None:
    english = np.eye(4)
    assert retrieval_hits(english, english[[1, 0, 2, 3]]).tolist() == [0, 0, 1, 1]


def test_projection_keeps_the_direction_of_largest_variance() -> None:
    line = np.outer(np.arange(10), [3.0, 4.0, 0.0]).astype(np.float32)
    found = np.array(project_2d({"en": line})["en"])
    assert np.abs(np.diff(found[:, 0])) == pytest.approx(5.0)
    assert found[:, 1] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.slow
def test_align_writes_similarities_by_layer_a_picture_and_gamma(model: Path, data: Path, tmp_path: Path) -> None:
    output, results = tmp_path / "evaluations", tmp_path / "results.jsonl"
    options = {"data": data, "allow_size_mismatch": True, "offline": True, "output": output, "results": results}
    found = align(model, langs=["el", "hi"], **options)
    again = align(model, langs=["el", "hi"], **options)
    assert list(again.results) == list(found.results) == read_results(results)
    assert {(row.lang, row.layer) for row in found.similarities} == {
        (lang, n) for lang in ("el", "hi") for n in range(3)
    }
    assert found.gamma_layer == 2
    last = {row.lang: row.retrieval for row in found.similarities if row.layer == 2}
    assert {result.lang: result.value for result in found.results} == last
    assert {(result.metric_min, result.metric_max) for result in found.results} == {(0.0, 1.0)}
    assert found.picture.read_bytes().startswith(b"\x89PNG")
    assert len(json.loads((output / "random" / "alignment.json").read_text())["similarities"]) == 6
    assert "gamma at layer 2: el" in repr(found)
    assert found._repr_html_().startswith("<table>")
    with pytest.raises(InputError, match="has the layers 0 to 2, not 9"):
        align(model, langs=["el"], layer=9, **options)
    with pytest.raises(InputError, match="is not multi-way text"):
        align(model, langs=["el"], benchmark="xquad", **options)
