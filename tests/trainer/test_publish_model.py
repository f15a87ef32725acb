"""A pushed model: one commit and a tag on the small Hub, loaded back; its card has what the Hub renders."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cards.model_results import model_index, shared_card
from corpora.errors import InputError
from recipes.results import Result, append_results

ROW = {
    "benchmark": "flores", "lang": "el", "direction": "en-xx", "metric": "chrf++", "value": 31.25, "n": 1012,
    "interval": (30.0, 32.5), "signature": "nc:6|nw:2",
}  # fmt: skip
CARD = (
    '---\nlanguage: [en, el]\n---\n\n# Model\n\nmodel = from_pretrained("model")  # the folder that holds this card\n'
)


def result(model: str) -> Result:
    shared = {key: ROW[key] for key in ROW}
    return Result(
        **shared, release="coit@v1.0.0", num_pairs=1, num_documents=0, seed=0, composition={}, model=model,
        metric_min=0.0, metric_max=100.0,
    )  # fmt: skip


def test_card_has_what_the_hub_renders() -> None:
    from huggingface_hub import ModelCard

    card = ModelCard(shared_card(CARD, "org/model-el", [ROW], "huggyllama/llama-7b", "org/coit"))
    assert card.data.base_model == "huggyllama/llama-7b"
    assert card.data.datasets == ["org/coit"]
    assert card.data.model_name == "model-el"
    (evaluation,) = card.data.eval_results
    assert (evaluation.dataset_type, evaluation.metric_type, evaluation.metric_value) == ("flores", "chrf", 31.25)
    assert evaluation.metric_args == {"signature": "nc:6|nw:2", "items": 1012, "interval_95": [30.0, 32.5]}
    assert "| flores | el | en-xx | chrf++ | 31.25 | 30.00 .. 32.50 | 1,012 |" in card.text
    assert 'from_pretrained("org/model-el")' in card.text


def test_card_that_is_shared_again_has_one_table() -> None:
    once = shared_card(CARD, "org/m", [ROW], None, None)
    twice = shared_card(once, "org/m", [ROW | {"value": 40.0}], None, None)
    assert twice.count("## Results") == 1
    assert "40.00" in twice
    assert "31.25" not in twice
    assert model_index([]) == []


@pytest.fixture
def finished(trained: tuple[Any, Path], tmp_path: Path) -> Path:
    shutil.copytree(trained[1], tmp_path / "run-el")
    return tmp_path / "run-el"


@pytest.mark.slow
def test_pushed_model_is_loaded_back_from_its_tag(finished: Path, hub: Any, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    import trainer

    append_results(tmp_path / "results.jsonl", [result("run-el"), result("another")])
    pushed = trainer.push(finished, to="hf://org/pushed-el", results=tmp_path / "results.jsonl")
    assert (pushed.name, pushed.tag, pushed.num_results) == ("org/pushed-el", "v1", 1)
    model = AutoModelForCausalLM.from_pretrained("org/pushed-el", revision="v1")
    local = AutoModelForCausalLM.from_pretrained(finished / "model")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), local.parameters(), strict=True))
    assert AutoTokenizer.from_pretrained("org/pushed-el", revision="v1").encode("Γεια")

    again = trainer.push(finished, to="hf://org/pushed-el", results=tmp_path / "results.jsonl")
    assert (again.commit, again.tag) == (pushed.commit, "v1")
    from corpora.hub import HubRepository

    repository = HubRepository("org/pushed-el", "model")
    assert repository.get_refs().tags == {"v1": pushed.commit}
    record = json.loads(repository.read_file("run.json", pushed.commit) or b"")
    assert "host" not in record["sessions"][0]
    assert "command" not in record["sessions"][0]
    card = (repository.read_file("README.md", pushed.commit) or b"").decode()
    assert "another" not in card
    assert "(losses.png)" in card
    assert "losses.png" in repository.list_files(pushed.commit)


@pytest.mark.slow
def test_what_cannot_be_pushed_is_a_sentence(finished: Path, hub: Any, tmp_path: Path) -> None:
    import trainer

    with pytest.raises(InputError, match="--to takes hf://ORG/NAME"):
        trainer.push(finished, to="org/name")
    with pytest.raises(InputError, match=r"holds no run\.json"):
        trainer.push(tmp_path, to="hf://org/x")
    with pytest.raises(InputError, match=r"who is not in|forbids|may not|rights"):
        trainer.push(finished, to="hf://strangers/x", results=tmp_path / "none.jsonl")
    weights = finished / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(InputError, match="are not those that the run saved"):
        trainer.push(finished, to="hf://org/x")
