"""A second model: unquantised files are read as fastText reads them, and used for languages that lid.176 lacks.

The two models were trained by fastText 0.9.2 on article 1 of the Universal Declaration of Human Rights in eight
languages (dim 6, n-grams of 2 to 5 characters in 600 buckets, a softmax and a hierarchical softmax).
"""

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import InputError
from corpora.language_id import identify_with, open_language_model, second_model, use_language_model

HERE = Path(__file__).parent
MODELS = [HERE / "softmax.bin", HERE / "hierarchical.bin"]
with (HERE.parent / "sentences.csv").open(encoding="utf-8", newline="") as file:
    SENTENCES = [row["sentence"] for row in csv.DictReader(file)]
STRANGE = ["", "  ", "</s> x", "one </s> Ένα", "__label__x", "a\tb\nc", "the", "🙂 ok", "\x85\u2028"]
TEXT = st.text(max_size=20) | st.sampled_from([*STRANGE, *SENTENCES[:20]])


@pytest.mark.slow
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_compiled_code_agrees_with_fasttext(path):
    texts = pa.array([*SENTENCES, *STRANGE, None], pa.string())
    labels, probabilities = identify_with(path, texts, True)
    expected_labels, expected = identify_with(path, texts, False)
    assert labels.to_pylist() == expected_labels.to_pylist()
    assert probabilities.to_pylist() == pytest.approx(expected.to_pylist(), abs=1e-6)


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(st.lists(TEXT, min_size=1, max_size=10))
def test_compiled_code_agrees_with_fasttext_on_any_text(texts):
    column = pa.array(texts, pa.string())
    labels, probabilities = identify_with(MODELS[0], column, True)
    expected_labels, expected = identify_with(MODELS[0], column, False)
    for label, other, share, wanted in zip(
        *(part.to_pylist() for part in (labels, expected_labels, probabilities, expected)), strict=True
    ):
        assert share == pytest.approx(wanted, abs=1e-6)
        assert label == other or share == pytest.approx(wanted, abs=1e-6)


def test_model_is_used_only_where_lid_176_does_not_know_the_language():
    assert second_model("ace") is None
    with use_language_model(str(MODELS[0])):
        model = second_model("ace")
        assert model is not None
        assert (model.name, model.labels_of("ace")) == ("softmax.bin", ("ace_Latn",))
        assert second_model("el") is None
    assert second_model("ace") is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"text", "is not a fastText model that can be read"),
        (MODELS[0].read_bytes()[:3000], "is not a fastText model that can be read"),
        (None, "There is no model"),
    ],
)
def test_file_that_is_no_model_is_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "model.bin"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        open_language_model(str(path))


def test_quantised_model_is_refused_by_name():
    from corpora.language_id.fasttext_model import model_path

    with pytest.raises(InputError, match="it is quantised"):
        open_language_model(str(model_path()))
