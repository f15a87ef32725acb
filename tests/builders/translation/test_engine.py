"""The engine: what CTranslate2 makes of a model is what Transformers makes of it, and what goes wrong is said."""

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, M2M100ForConditionalGeneration, NllbTokenizer

from builders.translation.engine import Decoding, Engine
from builders.translation.model import open_model
from corpora.catalog import SAMPLE, languages
from corpora.errors import InputError
from tests.builders.translation.tiny_model import expected

GREEDY = Decoding("float32", beam_size=1)
SENTENCES = [
    "Name two colours and say why you like them!",
    "It costs $3.50 (or less); see [1].",
    "A",
    "Zebras and quick foxes jump over the lazy dogs of the village, again and again, until the night falls at last.",
]


@pytest.fixture(scope="module")
def engine(converted: Path) -> Engine:
    return Engine(open_model(converted), threads=2)


@pytest.mark.parametrize("lang", ["el", "ar"])
def test_the_tiny_model_writes_every_letter_in_the_script_of_the_language(engine: Engine, lang: str) -> None:
    found = [output.text for output in engine.start(SENTENCES, lang, GREEDY).finish()]
    assert found == [expected(sentence, languages()[lang].flores) for sentence in SENTENCES]


@pytest.mark.parametrize("lang", ["el", "ar"])
def test_greedy_float32_output_is_that_of_transformers_token_by_token(
    engine: Engine, original: Path, lang: str
) -> None:
    flores = languages()[lang].flores
    tokenizer = AutoTokenizer.from_pretrained(original)
    model = M2M100ForConditionalGeneration.from_pretrained(original)
    results = engine.translator("float32").translate_batch(
        engine.tokenizer.source(SENTENCES, "eng_Latn"), [[flores]] * len(SENTENCES), beam_size=1, return_end_token=True
    )
    for sentence, result in zip(SENTENCES, results, strict=True):
        inputs = tokenizer(sentence, return_tensors="pt")
        with torch.no_grad():
            generated = model.generate(
                **inputs,
                forced_bos_token_id=tokenizer.convert_tokens_to_ids(flores),
                num_beams=1,
                do_sample=False,
                max_new_tokens=200,
            )
        assert ["</s>", *result.hypotheses[0]] == tokenizer.convert_ids_to_tokens(generated[0])


@pytest.mark.parametrize("lang", [lang for lang in languages() if lang != "en"])
def test_tokens_are_those_of_the_nllb_tokenizer_for_every_language(engine: Engine, original: Path, lang: str) -> None:
    codes = [known.flores for known in languages().values()]
    plain = {token: n for token, n in AutoTokenizer.from_pretrained(original).get_vocab().items() if token not in codes}
    vocabulary = dict(zip(sorted(plain, key=plain.__getitem__), range(len(plain)), strict=True))
    code = languages()[lang].flores
    nllb = NllbTokenizer(vocab=vocabulary, merges=[], extra_special_tokens=codes, src_lang="eng_Latn", tgt_lang=code)
    text = "Two words."
    assert nllb.convert_ids_to_tokens(nllb(text).input_ids) == engine.tokenizer.source([text], "eng_Latn")[0]
    target = nllb.convert_ids_to_tokens(nllb(text_target=text).input_ids)
    assert target[0] == code, "the decoder begins with the language, which is our target prefix"
    known = open_model(engine.model.folder)
    with_all = type(known)(**{**vars(known), "vocabulary": frozenset(nllb.get_vocab())})
    assert with_all.token(lang) == code


def test_a_model_without_the_language_is_told_with_the_language(engine: Engine) -> None:
    with pytest.raises(InputError, match=r"does not have Hindi \(hi\): neither hin_Deva nor __hi__"):
        engine.model.token("hi")


def test_a_character_that_the_model_lacks_is_an_unknown_token(engine: Engine) -> None:
    outputs = engine.start(["The word 日本 is here.", "All is well."], "el", GREEDY).finish()
    assert [output.facts for output in outputs] == [("unknown_token",), ()]


def test_a_sentence_that_is_too_long_is_not_cut_off_but_said(engine: Engine) -> None:
    outputs = engine.start(["short", "x" * 600, "also short"], "el", GREEDY).finish()
    assert [output.facts for output in outputs] == [(), ("too_long",), ()]
    assert outputs[2].text == expected("also short", "ell_Grek")


def test_what_does_not_come_to_an_end_is_cut(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = engine.translator("float32")

    class Hurried:
        def translate_batch(self, *batch: object, **options: object) -> object:
            return translator.translate_batch(*batch, **options | {"max_decoding_length": 5})

    monkeypatch.setitem(engine._loaded, "float32", Hurried())
    assert engine.start(["A sentence of some length."], "el", GREEDY).finish()[0].facts == ("cut",)


def test_sentencepiece_is_used_where_that_is_all_there_is(converted: Path, tmp_path: Path) -> None:
    import sentencepiece

    texts = iter(["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ .,!", "Two words are here."] * 50)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=texts, model_prefix=str(tmp_path / "pieces"), model_type="char", vocab_size=61, minloglevel=2
    )
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("model.bin", "config.json", "shared_vocabulary.json"):
        (folder / name).symlink_to(converted / name)
    (tmp_path / "pieces.model").rename(folder / "sentencepiece.bpe.model")
    engine = Engine(open_model(folder), threads=1)
    text = "Two words are here."
    assert engine.start([text], "el", GREEDY).finish()[0].text == expected(text, "ell_Grek")


def test_the_sample_s_own_sentences_pass_through_the_engine(engine: Engine) -> None:
    import json

    path = SAMPLE / "tatsu-lab/stanford_alpaca/main/alpaca_data.json"
    texts = [row["instruction"] for row in json.loads(path.read_text(encoding="utf-8"))]
    outputs = engine.start(texts, "el", GREEDY).finish()
    assert [output.text for output in outputs] == [expected(text, "ell_Grek") for text in texts]
