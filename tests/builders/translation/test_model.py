"""Models that users name: damaged, of another kind, not on this machine, converted once."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from builders.translation.convert import convert_checkpoint
from builders.translation.model import open_model
from builders.translation.model_hub import _patterns
from builders.translation.token_schemes import token_schemes
from corpora.errors import InputError
from tests.builders.translation.running import refused

RECORD = ("Name two colours.", "", "Red and blue.")


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("shared_vocabulary.json", '["<s>", "</s>"', "damaged"),
        ("shared_vocabulary.json", '{"a": 1}', "list of tokens"),
        ("shared_vocabulary.json", '["a"]', "lacks </s>"),
        ("shared_vocabulary.json", '["</s>", "<unk>", "eng_Latn", "ell_Grek"]', "is not this model's"),
        ("tokenizer.json", '{"version": "1.0"}', "cannot be read"),
        ("model.bin", "nothing", "cannot load the model"),
    ],
)
def test_error_names_the_damaged_file(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path, file: str, content: str, told: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in converted.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / file).write_text(content)
    assert told in refused(tmp_path, str(alpaca(RECORD)), "--langs", "el", "--translator", str(folder))


def test_vocabulary_in_another_order_is_an_error(converted: Path, alpaca: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(converted, folder)
    tokens = json.loads((folder / "shared_vocabulary.json").read_text(encoding="utf-8"))
    (folder / "shared_vocabulary.json").write_text(json.dumps([*tokens[:10], *tokens[39:9:-1], *tokens[40:]]))
    told = refused(tmp_path, str(alpaca(RECORD)), "--langs", "el", "--translator", str(folder))
    assert "its tokens are not as in the vocabulary" in told


def test_impossible_options_are_errors_before_anything_is_translated(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    path, model = str(alpaca(RECORD)), str(converted)
    assert "Remove en" in refused(tmp_path, path, "--langs", "el,en", "--translator", model)
    told = refused(tmp_path, path, "--langs", "el", "--translator", model, "--compute-type", "float16")
    assert "Leave --compute-type out." in told


def test_error_without_a_network_says_what_to_download(
    alpaca: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    sentence = refused(tmp_path, str(alpaca(RECORD)), "--langs", "el", "--offline")
    for part in ("entai2965/nllb-200-distilled-600M-ctranslate2", "hf download", "--translator none"):
        assert part in sentence


def test_model_is_converted_once(original: Path, tmp_path: Path) -> None:
    messages: list[str] = []
    first = convert_checkpoint(original, tmp_path, messages.append)
    assert convert_checkpoint(original, tmp_path, messages.append) == first
    assert len(messages) == 1
    assert not list(tmp_path.glob(".tmp-*"))


def test_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match="type llama; only those of NLLB, M2M100 and SMaLL-100"):
        convert_checkpoint(tmp_path, tmp_path, print)
    (tmp_path / "config.json").write_text('{"model_type": "m2m_100"}')
    with pytest.raises(InputError, match="holds neither safetensors"):
        convert_checkpoint(tmp_path, tmp_path, print)


def test_token_of_a_language_of_m2m100(converted: Path) -> None:
    model = replace(open_model(converted), vocabulary={"__el__": 0, "__en__": 1}, scheme=token_schemes()["m2m100"])
    assert (model.source_prefix("el"), model.target_prefix("el")) == (["__en__"], ["__el__"])


def test_pickled_weights_are_refused() -> None:
    with pytest.raises(InputError, match="keeps its weights as pickles"):
        _patterns("org/repo", ["config.json", "pytorch_model.bin"])


def test_forgetful_model_lacks_square_brackets(converted: Path, forgetful: Path) -> None:
    for folder, has_brackets in ((converted, True), (forgetful, False)):
        assert ("[" in json.loads((folder / "shared_vocabulary.json").read_text(encoding="utf-8"))) == has_brackets
