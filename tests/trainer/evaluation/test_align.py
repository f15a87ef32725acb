"""Alignment: states that depend on no padding, similarities with known answers, gamma for the laws."""

import json
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import InputError
from recipes.results import read_results
from tests.trainer.models import SENTENCES, make_data, make_model
from trainer.evaluation.align import align, cka, found_first, plane, sentence_states
from trainer.evaluation.eval_model import Candidate, find_candidate
from trainer.evaluation.items import Place


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return find_candidate(str(make_model(tmp_path_factory.mktemp("model") / "random")))


def test_states_depend_on_no_batch_and_are_the_mean_over_a_sentences_own_tokens(candidate: Candidate) -> None:
    import torch

    together, alone = (sentence_states(candidate, SENTENCES["eng"], size) for size in (4, 1))
    np.testing.assert_allclose(together, alone, atol=1e-5)
    ids = torch.tensor([candidate.tokenizer(SENTENCES["eng"][2])["input_ids"]])
    hidden = candidate.model(ids, output_hidden_states=True).hidden_states
    assert together.shape == (len(hidden), 4, 32)
    np.testing.assert_allclose(together[1, 2], hidden[1][0].mean(0).detach().numpy(), atol=1e-5)


def test_similarities_have_their_known_values() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(300, 20))
    turn, _ = np.linalg.qr(random.normal(size=(20, 20)))
    assert found_first(points, points * 3).mean() == 1.0
    assert found_first(points, random.normal(size=(300, 20))).mean() < 0.03
    assert found_first(np.ones((50, 4)), np.ones((50, 4))).mean() == pytest.approx(
        1 / 50
    )  # collapsed: no better than chance
    centred = points - points.mean(axis=0)
    assert cka(centred, centred @ turn * 2) == pytest.approx(1.0)
    assert cka(centred, random.permutation(centred)) < 0.15


def test_a_swap_is_missed_in_both_directions() -> None:
    english = np.eye(4)
    assert found_first(english, english[[1, 0, 2, 3]]).tolist() == [0, 0, 1, 1]


def test_the_plane_keeps_what_spreads_most() -> None:
    line = np.outer(np.arange(10), [3.0, 4.0, 0.0]).astype(np.float32)
    found = np.array(plane({"en": line})["en"])
    assert np.abs(np.diff(found[:, 0])) == pytest.approx(5.0)
    assert found[:, 1] == pytest.approx(0.0, abs=1e-4)


def test_align_writes_a_number_a_layer_a_picture_and_gamma(candidate: Candidate, tmp_path: Path) -> None:
    place = Place(make_data(tmp_path / "data"), any_rows=True, offline=True)
    paths = {"out": tmp_path / "evaluations", "results": tmp_path / "results.jsonl"}
    found = align(candidate, ["el", "hi"], "flores", place, None, None, **paths)
    again = align(candidate, ["el", "hi"], "flores", place, None, None, **paths)
    assert again.scores == found.scores == read_results(paths["results"])
    assert {(row.lang, row.layer) for row in found.similarities} == {
        (lang, n) for lang in ("el", "hi") for n in range(3)
    }
    assert found.gamma_layer == 2
    last = {row.lang: row.retrieval for row in found.similarities if row.layer == 2}
    assert {score.lang: score.value for score in found.scores} == last
    assert (paths["out"] / "random" / "alignment.png").read_bytes().startswith(b"\x89PNG")
    assert len(json.loads((paths["out"] / "random" / "alignment.json").read_text())["similarities"]) == 6
    with pytest.raises(InputError, match="has the layers 0 to 2; 9 is none"):
        align(candidate, ["el"], "flores", place, None, 9, **paths)
    with pytest.raises(InputError, match="is not multi-way text"):
        align(candidate, ["el"], "xquad", place, None, None, **paths)
