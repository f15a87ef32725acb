"""Translators of every family, converted from tiny models of random weights: the tokens are those of Transformers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from builders.translation.convert import convert_checkpoint
from builders.translation.ctranslate2_translator import Decoding, Engine
from builders.translation.model import ModelNotes, open_model
from corpora.errors import InputError
from tests.builders.translation import families
from tests.builders.translation.running import refused, run

GREEDY = Decoding("float32", beam_size=1)
NUM_TOKENS = 12
SAVE: dict[str, Callable[[Path], Path]] = {
    "m2m100": families.save_m2m100,
    "small100": lambda folder: families.save_m2m100(folder, "SMALL100Tokenizer"),
    "madlad400": families.save_t5,
    "marian": families.save_marian,
    "marian-multilingual": lambda folder: families.save_marian(folder, multilingual=True),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a family to the folder of its tiny model."""
    folder, models = tmp_path_factory.mktemp("families"), dict[str, Path]()

    def save(name: str) -> Path:
        if name not in models:
            models[name] = SAVE[name](folder / name)
        return models[name]

    return save


def expected(name: str, folder: Path, sentence: str) -> list[str]:
    """Return the first tokens of a translation into Greek, as Transformers and the model's own tokenizer have them."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    options: dict[str, Any] = {}
    if name == "small100":  # its tokenizer is M2M100's, with the token of the target language before the source
        from transformers import M2M100Tokenizer

        tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"), src_lang="el")
    elif name == "m2m100":
        tokenizer = AutoTokenizer.from_pretrained(folder, src_lang="en")
        options["forced_bos_token_id"] = tokenizer.get_lang_id("el")
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    before = {"madlad400": "<2el> ", "marian-multilingual": ">>ell<< "}.get(name, "")
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    inputs = tokenizer(before + sentence, return_tensors="pt")
    with torch.no_grad():
        ids = model.generate(**inputs, num_beams=1, do_sample=False, max_new_tokens=NUM_TOKENS + 1, **options)[0][1:]
    skipped = 1 if name == "m2m100" else 0  # the token of the language
    return list(tokenizer.convert_ids_to_tokens(ids))[skipped:][:NUM_TOKENS]


@pytest.mark.slow
@pytest.mark.parametrize("name", SAVE)
def test_tokens_are_those_of_transformers(name: str, saved: Callable[[str], Path], tmp_path: Path) -> None:
    folder = saved(name)
    notes = ModelNotes(tokens="small100" if name == "small100" else "")
    engine = Engine(open_model(convert_checkpoint(folder, tmp_path, lambda sentence: None), notes), threads=1)
    assert engine.model.scheme.name == name.partition("-")[0]
    sources = engine.tokenizer.source(families.SENTENCES[:2], engine.model.source_prefix("el"))
    for sentence, hypothesis in zip(families.SENTENCES, engine.search(sources, "el", GREEDY), strict=False):
        assert hypothesis[:NUM_TOKENS] == expected(name, folder, sentence)


@pytest.mark.slow
def test_every_family_goes_through_the_whole_stage(
    saved: Callable[[str], Path], alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    path = alpaca(("Name a red fruit.", "", "It is an apple."))
    for name in ("m2m100", "madlad400", "marian"):
        made = run(tmp_path / name, str(path), "--langs", "el", "--translator", str(saved(name)))
        assert made.exit_code == 0, made.exception
        assert "0 of 1 instructions; 1 stay in English" in made.output  # random weights write nothing that passes


@pytest.mark.slow
def test_models_for_one_language_each_are_opened_by_its_code(
    saved: Callable[[str], Path], alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "opus-mt-en-el").symlink_to(saved("marian"))
    path, template = str(alpaca(("Name a red fruit.", "", "It is an apple."))), str(tmp_path / "opus-mt-en-{code}")
    made = run(tmp_path, path, "--langs", "el", "--translator", template)
    assert made.exit_code == 0, made.exception
    assert len(pl.read_parquet(tmp_path / "out" / "small.el.parquet")) == 0
    told = refused(tmp_path, path, "--langs", "el,tr", "--translator", template)
    assert "opus-mt-en-{code} has no model for Turkish (tr) that can be used" in told
    told = refused(tmp_path, path, "--langs", "hi", "--translator", str(saved("marian")))
    assert "does not have Hindi" in told


@pytest.mark.slow
def test_model_of_the_other_direction_and_pickles_are_refused(saved: Callable[[str], Path], tmp_path: Path) -> None:
    other = tmp_path / "opus-mt-el-en"
    families.save_marian(other, source="el", target="en")
    with pytest.raises(InputError, match="translates from el into en; a translator translates from English"):
        open_model(convert_checkpoint(other, tmp_path, lambda sentence: None))
    (other / "model.safetensors").rename(other / "pytorch_model.bin")
    with pytest.raises(InputError, match="a pickle, which can run code when it is read: where you trust it, convert"):
        convert_checkpoint(other, tmp_path, lambda sentence: None)
