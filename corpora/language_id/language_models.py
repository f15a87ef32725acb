"""A second model for the languages that lid.176 does not know: named by the user, by path or by its name on the Hub."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from corpora.catalog import language
from corpora.errors import InputError
from corpora.files import sha256_of

if TYPE_CHECKING:
    from corpora.language_id.fasttext_dense import DenseModel

HUB_FILE = "model.bin"  # as GlotLID and OpenLID name it


@dataclass(frozen=True)
class LanguageModel:
    """A fastText model that identifies languages: its name for people, its file and digest, and its labels."""

    name: str
    path: Path
    sha256: str
    labels: tuple[str, ...]

    def labels_of(self, lang: str) -> tuple[str, ...]:
        """Return the labels that count as a language: its codes, such as FLORES-200's `ace_Latn`."""
        row = language(lang)
        own = {row.code, row.base, row.iso639_3, row.flores, row.nllb} - {""}
        return tuple(label for label in self.labels if label in own)


_active: ContextVar[LanguageModel | None] = ContextVar("language_model", default=None)


@contextmanager
def use_language_model(name: str | None, offline: bool = False) -> Iterator[None]:
    """Use a model within the block for the languages that lid.176 does not know.

    Args:
        name: The path of a model, or `ORG/NAME[@REVISION]` on the Hub; None means none.
        offline: Take a model of the Hub from its cache.

    Raises:
        InputError: There is no such model, or it is no fastText model that can be read.
    """
    token = _active.set(open_language_model(name, offline) if name else None)
    try:
        yield
    finally:
        _active.reset(token)


def second_model(lang: str) -> LanguageModel | None:
    """Return the model in use that identifies a language; None if lid.176 knows it, or no model is in use."""
    return None if language(lang).labels else _active.get()


def open_language_model(name: str, offline: bool = False) -> LanguageModel:
    """Return a model by its path or by its name on the Hub; errors as in `use_language_model`."""
    path, label = Path(name), Path(name).name
    if not path.is_file():
        if name.count("/") != 1 or path.suffix in (".bin", ".ftz"):
            raise InputError(f"There is no model {name}. Name the .bin of a fastText model, or ORG/NAME on the Hub.")
        path, label = _fetch(name, offline)
    _, labels = read_labels(path)
    return LanguageModel(label, path, sha256_of(path), tuple(labels))


def _fetch(name: str, offline: bool) -> tuple[Path, str]:
    from corpora.hub import HubRepository

    repository_name, _, revision = name.partition("@")
    repository = HubRepository(repository_name, "model", offline)
    commit = repository.resolve(revision or "main")
    return repository.download(commit, [HUB_FILE]) / HUB_FILE, f"{repository_name}@{commit}"


@lru_cache(maxsize=2)
def read_labels(path: Path) -> tuple["DenseModel", list[str]]:
    """Return a model and its labels."""
    from corpora.language_id.fasttext_dense import read_dense_model

    return read_dense_model(path)


def identify_with(path: Path, texts: pa.StringArray, is_many: bool) -> tuple[pa.Array, pa.Array]:
    """Return labels and probabilities of texts by the model in a file; a null is an empty text.

    `is_many` says whether to use compiled code, which takes seconds to compile the first time.
    """
    return _by_compiled_code(path, texts) if is_many else _by_fasttext(path, texts.to_pylist())


def _by_compiled_code(path: Path, texts: pa.StringArray) -> tuple[pa.Array, pa.Array]:
    import numpy as np

    from corpora.language_id.fasttext_dense import predict_dense
    from corpora.language_id.fasttext_model import bytes_of

    model, names = read_labels(path)
    labels, probabilities = np.empty(len(texts), np.int32), np.empty(len(texts), np.float32)
    predict_dense(model, *bytes_of(texts.fill_null("") if texts.null_count else texts), labels, probabilities)
    known = pa.array(names, pa.string()).take(pa.array(labels, pa.int32()))
    return known, pa.array(np.minimum(probabilities.astype(np.float64), 1.0), pa.float64())


def _by_fasttext(path: Path, texts: Sequence[str | None]) -> tuple[pa.Array, pa.Array]:
    predict = _fasttext(path).f.predict
    rows = [predict((text or "").replace("\n", " ") + "\n", 1, 0.0, "strict")[0] for text in texts]
    labels = [label.removeprefix("__label__") for _, label in rows]
    return pa.array(labels, pa.string()), pa.array([min(share, 1.0) for share, _ in rows], pa.float64())


@lru_cache(maxsize=2)
def _fasttext(path: Path) -> Any:
    import fasttext

    return fasttext.load_model(str(path))
