"""Scores of pairs by models: wrong pairs are found, a killed run goes on, and what cannot be scored is a sentence.

The models are the tiny ones of the tests of translation, which turn Latin letters into Greek ones, letter by letter.
"""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from builders.run import run_build
from corpora.errors import InputError
from corpora.files import sha256_of
from tests.builders.translation.conftest import convert, save_tiny_model
from tests.builders.translation.expected import SCRIPTS

pytestmark = pytest.mark.slow

FILTERS = ("wrong_language_en", "wrong_language_xx", "length_ratio", "misaligned", "one_to_many")
ONLY = f"disable_filters = {list(FILTERS)}\n".replace("'", '"')
NUM_PAIRS, NUM_WRONG = 600, 150


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    original = save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    return convert(original, tmp_path_factory.mktemp("converted"))


@pytest.fixture(scope="module")
def pairs():
    """Return pairs of the model's own translations; the first have those of other sentences of the same length."""
    source = random.Random(1)
    latin, greek = (SCRIPTS[name] for name in ("eng_Latn", "ell_Grek"))
    en = [" ".join("".join(source.choices(latin, k=6)) for _ in range(4)) for _ in range(NUM_PAIRS)]
    xx = [text.translate(str.maketrans(latin, greek)) for text in en]
    return list(zip(en, [*xx[1:NUM_WRONG], xx[0], *xx[NUM_WRONG:]], strict=True))


@pytest.fixture(scope="module")
def request_of(request_for, pairs, model, tmp_path_factory):
    lines = {"small": {"el": [(None, *pair) for pair in pairs]}}
    request = request_for(lines, ONLY, tmp_path_factory.mktemp("scored"))
    return replace(request, score_with=str(model), compute_type="float32")


@pytest.fixture(scope="module")
def built(request_of):
    return run_build(request_of)[0]


def test_wrong_pairs_are_rejected_and_right_ones_kept(built):
    lines = built.lines("el").collect().sort("line_number")
    is_rejected = (lines["reject_reason"] == "unlikely_translation").fill_null(False)
    assert is_rejected.head(NUM_WRONG).mean() > 0.8
    assert is_rejected.tail(NUM_PAIRS - NUM_WRONG).mean() < 0.02
    (row,) = built.model_alignment.to_dicts()
    assert row["share_low"] < NUM_WRONG / NUM_PAIRS < row["share_high"]


def test_scores_have_the_same_bytes_on_any_number_of_threads(built, request_of, tmp_path):
    again = run_build(replace(request_of, work=tmp_path / "work", threads=8))[0]
    (own,), (other,) = built.parts["el"], again.parts["el"]
    for first, second in zip((*own.model_scores, own.decisions), (*other.model_scores, other.decisions), strict=True):
        assert sha256_of(first) == sha256_of(second)


def test_changed_filters_score_no_pair_twice(built, request_of, monkeypatch):
    from builders.scoring.translation_scorer import TranslationScorer

    def fail(*arguments: object) -> None:
        raise AssertionError("a pair was scored again")

    monkeypatch.setattr(TranslationScorer, "score", fail)
    (again,) = run_build(replace(request_of, set={"too_short.min": 2, "unlikely_translation.max": 0.01}))
    assert again.model_alignment.drop("num_rejected").equals(built.model_alignment.drop("num_rejected"))


def test_a_killed_run_ends_with_the_same_bytes(built, request_of, tmp_path):
    from builders.scoring import ScoreStore, open_scorer, score_pairs
    from builders.translation import TranslatorOptions

    script = "\n".join(
        [
            "import os, sys",
            "from pathlib import Path",
            "from builders.scoring import ScoreStore, open_scorer, score_pairs",
            "from builders.translation import TranslatorOptions",
            "def die(count): os._exit(9)",
            "scorer = open_scorer(sys.argv[1], TranslatorOptions(threads=1, compute_type='float32'))",
            "texts = Path(sys.argv[3]).read_text().splitlines()",
            "score_pairs(texts, texts, 'el', scorer, ScoreStore(Path(sys.argv[2]), 'part'), die)",
        ]
    )
    texts = [" ".join(["lamp"] * length) for length in range(1, 60)] + [f"lamp {n}" for n in range(400)]
    (tmp_path / "texts").write_text("\n".join(texts))
    arguments = [request_of.score_with, str(tmp_path / "store"), str(tmp_path / "texts")]
    killed = subprocess.run([sys.executable, "-c", script, *arguments], check=False)
    assert killed.returncode == 9
    finished = set((tmp_path / "store").glob("part/batches/*.parquet"))
    assert len(finished) >= 1
    scorer = open_scorer(request_of.score_with, TranslatorOptions(threads=1, compute_type="float32"))
    stores = [ScoreStore(tmp_path / name, "part") for name in ("store", "undisturbed")]
    scores = [score_pairs(texts, texts, "el", scorer, store) for store in stores]
    assert scores[0] == scores[1]
    tables = [sorted(store.folder.glob("part/*.parquet")) for store in stores]
    assert [sha256_of(path) for path in tables[0]] == [sha256_of(path) for path in tables[1]]


def test_a_damaged_file_of_scores_is_made_again(tmp_path):
    from builders.scoring import ScoreStore, score_pairs

    class Counting:
        num_workers = 1

        def score(self, en, xx, lang):
            return [float(len(text)) for text in en]

    store = ScoreStore(tmp_path, "part")
    assert score_pairs(["a", "bb"], ["", ""], "el", Counting(), store) == [1, 2]
    for path in tmp_path.glob("part/*.parquet"):
        path.write_bytes(b"no table")
    assert score_pairs(["a", "bb"], ["", ""], "el", Counting(), store) == [1, 2]


def test_models_that_cannot_score_are_refused(request_of, request_for, tmp_path):
    request = request_for({"small": {"vi": [(None, "The lamp is on.", "Đèn đang bật.")]}}, ONLY, tmp_path)
    with pytest.raises(InputError, match="does not have Vietnamese"):
        run_build(replace(request, score_with=request_of.score_with))
    with pytest.raises(InputError, match="there is no such model"):
        run_build(replace(request_of, score_with="nlb"))
    with pytest.raises(InputError, match="needs --score-with"):
        run_build(replace(request_of, score_with=None, enable_filters=("unlikely_translation",)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        run_build(replace(request_of, score_with=str(tmp_path / "damaged")))
    with pytest.raises(InputError, match="no translation model"):
        run_build(replace(request_of, score_with=str(tmp_path / "empty")))


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_encoders_score_as_transformers_does(kind, tmp_path):
    import numpy as np
    import torch

    from builders.scoring import open_scorer
    from builders.translation import TranslatorOptions

    tokenizer, model = tiny_encoder(kind, tmp_path / "encoder")
    scorer = open_scorer(str(tmp_path / "encoder"), TranslatorOptions(tmp_path, threads=2, compute_type="float32"))
    en, xx = ["lamp", "a b c d"], ["lamp lamp", "abcd efgh a"]
    expected = []
    for pair in zip(en, xx, strict=True):
        vectors = []
        for text in pair:
            with torch.no_grad():
                output = model(**tokenizer(text, return_tensors="pt"))
            vector = output.pooler_output[0] if kind == "bert" else output.last_hidden_state[0].mean(0)
            vectors.append((vector / vector.norm()).numpy())
        expected.append(float(vectors[0] @ vectors[1]))
    assert np.allclose(scorer.score(en, xx, "el"), expected, atol=2e-4)
    assert scorer.score(["a " * 600], ["a"], "el") == [None]


def test_an_encoder_of_sentence_transformers_has_its_pooling_and_its_last_layer(tmp_path):
    import numpy as np
    import torch
    from safetensors.torch import save_file

    from builders.scoring import open_scorer
    from builders.translation import TranslatorOptions

    folder = tmp_path / "encoder"
    tokenizer, model = tiny_encoder("bert", folder)
    layer = torch.nn.Linear(16, 8)
    for name in ("1_Pooling", "2_Dense"):
        (folder / name).mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    tensors = {f"linear.{name}": value.detach().contiguous() for name, value in layer.named_parameters()}
    save_file(tensors, folder / "2_Dense" / "model.safetensors")
    scorer = open_scorer(str(folder), TranslatorOptions(tmp_path, threads=1, compute_type="float32"))
    with torch.no_grad():
        states = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, 0] for text in ("lamp", "a b")]
        first, second = (torch.nn.functional.normalize(torch.tanh(layer(state)), dim=0) for state in states)
    assert np.allclose(scorer.score(["lamp"], ["a b"], "el"), [float(first @ second)], atol=2e-4)


def tiny_encoder(kind: str, folder: Path):
    """Write an encoder with random weights and a tokenizer of letters, and return both."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    begin, end, pad = ("[CLS]", "[SEP]", "[PAD]") if kind == "bert" else ("<s>", "</s>", "<pad>")
    unknown = "[UNK]" if kind == "bert" else "<unk>"
    known = [begin, pad, end, unknown, "[MASK]" if kind == "bert" else "<mask>", *"abcdefghijklmnopqrstuvwxyz "]
    fast = Tokenizer(models.WordLevel({token: number for number, token in enumerate(known)}, unknown))
    fast.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast.post_processor = processors.TemplateProcessing(
        f"{begin} $A {end}", None, [(begin, 0), (end, known.index(end))]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=fast,
        bos_token=begin,
        eos_token=end,
        pad_token=pad,
        unk_token=unknown,
        cls_token=begin,
        sep_token=end,
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config, cls = (BertConfig, BertModel) if kind == "bert" else (XLMRobertaConfig, XLMRobertaModel)
    model = cls(config(vocab_size=len(known), max_position_embeddings=600, pad_token_id=1, **sizes)).eval()
    model.save_pretrained(folder)
    return tokenizer, model
