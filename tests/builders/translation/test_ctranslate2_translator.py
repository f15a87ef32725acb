"""CTranslate2 computes what Transformers computes, and reports what is wrong with a translation."""

from pathlib import Path

import pytest

from builders.translation.ctranslate2_translator import Decoding, Engine
from builders.translation.model import open_model
from corpora.catalog import SAMPLE, languages
from corpora.errors import InputError
from tests.builders.translation.expected import expected

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
def test_tiny_model_writes_letters_in_the_script_of_the_language(engine: Engine, lang: str) -> None:
    found = [translation.text for translation in engine.translate(SENTENCES, lang, GREEDY)]
    assert found == [expected(sentence, languages()[lang].flores) for sentence in SENTENCES]


@pytest.mark.parametrize("lang", ["el", "ar"])
def test_greedy_float32_tokens_are_those_of_transformers(engine: Engine, original: Path, lang: str) -> None:
    import torch
    from transformers import AutoTokenizer, M2M100ForConditionalGeneration

    flores = languages()[lang].flores
    tokenizer = AutoTokenizer.from_pretrained(original)
    model = M2M100ForConditionalGeneration.from_pretrained(original)
    results = engine.load("float32").translate_batch(
        engine.tokenizer.source(SENTENCES, ["eng_Latn"]),
        [[flores]] * len(SENTENCES),
        beam_size=1,
        return_end_token=True,
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


@pytest.mark.parametrize("lang", ["el", "zh", "zh-Hant", "yue", "sat", "sr"])
def test_tokens_are_those_of_the_nllb_tokenizer(engine: Engine, original: Path, lang: str) -> None:
    from transformers import AutoTokenizer, NllbTokenizer

    codes = [known.nllb or known.flores for known in languages().values() if known.flores]
    plain = {token: n for token, n in AutoTokenizer.from_pretrained(original).get_vocab().items() if token not in codes}
    vocabulary = dict(zip(sorted(plain, key=plain.__getitem__), range(len(plain)), strict=True))
    code = languages()[lang].nllb or languages()[lang].flores
    nllb = NllbTokenizer(vocab=vocabulary, merges=[], extra_special_tokens=codes, src_lang="eng_Latn", tgt_lang=code)
    text = "Two words."
    assert nllb.convert_ids_to_tokens(nllb(text).input_ids) == engine.tokenizer.source([text], ["eng_Latn"])[0]
    target = nllb.convert_ids_to_tokens(nllb(text_target=text).input_ids)
    assert target[0] == code, "the decoder begins with the language, which is our target prefix"
    known = open_model(engine.model.folder)
    with_all = type(known)(**{**vars(known), "vocabulary": frozenset(nllb.get_vocab())})
    assert with_all.token(lang) == code


def test_error_names_the_language_that_the_model_lacks(engine: Engine) -> None:
    with pytest.raises(InputError, match=r"does not have Hindi \(hi\): hin_Deva is not in its vocabulary"):
        engine.model.token("hi")


def test_character_that_the_model_lacks_is_an_unknown_token(engine: Engine) -> None:
    found = engine.translate(["The word 日本 is here.", "All is well."], "el", GREEDY)
    assert [translation.flags for translation in found] == [("unknown_token",), ()]


def test_sentence_that_is_too_long_is_not_truncated_but_flagged(engine: Engine) -> None:
    found = engine.translate(["short", "x" * 600, "also short"], "el", GREEDY)
    assert [translation.flags for translation in found] == [(), ("source_too_long",), ()]
    assert found[2].text == expected("also short", "ell_Grek")


def test_translation_without_an_end_is_truncated(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = engine.load("float32")

    class Hasty:
        def translate_batch(self, *batch: object, **options: object) -> object:
            return translator.translate_batch(*batch, **options | {"max_decoding_length": 5})

    monkeypatch.setitem(engine._loaded, "float32", Hasty())
    assert engine.translate(["A sentence of some length."], "el", GREEDY)[0].flags == ("truncated",)


def test_sentencepiece_is_used_if_there_is_no_other_tokenizer(converted: Path, tmp_path: Path) -> None:
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
    assert engine.translate([text], "el", GREEDY)[0].text == expected(text, "ell_Grek")


def test_sentences_of_the_sample_are_translated(engine: Engine) -> None:
    import json

    path = SAMPLE / "tatsu-lab/stanford_alpaca/main/alpaca_data.json"
    texts = [row["instruction"] for row in json.loads(path.read_text(encoding="utf-8"))]
    found = engine.translate(texts, "el", GREEDY)
    assert [translation.text for translation in found] == [expected(text, "ell_Grek") for text in texts]
