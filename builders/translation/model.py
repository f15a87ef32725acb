"""A translation model in a folder of this machine, in CTranslate2's format: its files, digest and licence."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from corpora.catalog import languages
from corpora.download import read_sidecar, update_sidecar, write_sidecar
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.strict_json import load_json
from corpora.tables import parse_yaml

WEIGHTS = "model.bin"
TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "sentencepiece.model")
VOCABULARIES = ("shared_vocabulary.json", "shared_vocabulary.txt")
END, UNKNOWN = "</s>", "<unk>"
FETCH_HINT = "Download or convert the model again."


@dataclass(frozen=True)
class Model:
    """A model in CTranslate2's format."""

    folder: Path
    name: str  # in a release
    revision: str  # the commit of the Hub that it is from, if it is
    sha256: str  # of the digests of its files
    licence: str
    vocabulary: Mapping[str, int]  # number of each token
    digests: Mapping[str, str]  # SHA-256 of each file that it computes with

    def find_token(self, lang: str) -> str | None:
        """Return the token of a language as NLLB or M2M100 spells it, None if the model lacks it."""
        known = languages()[lang]
        return next((token for token in (known.flores, f"__{known.code}__") if token in self.vocabulary), None)

    def token(self, lang: str) -> str:
        """Return the token of a language.

        Raises:
            InputError: The model does not have the language.
        """
        known = languages()[lang]
        if token := self.find_token(lang):
            return token
        raise InputError(
            f"The translation model {self.name} does not have {known.name} ({lang}): neither {known.flores} nor "
            f"__{known.code}__ is in its vocabulary. Leave the language out of --langs, or name another --translator."
        )


def open_model(folder: Path, name: str = "", revision: str = "", licence: str = "", notes: Path | None = None) -> Model:
    """Return the model in a CTranslate2 folder.

    Args:
        folder: The folder of the model.
        name: The name in a release; by default that of the folder.
        revision: The commit of the Hub.
        licence: The licence; by default that of the model's card.
        notes: A folder that keeps digests of files for as long as their sizes and times of change stay the same.

    Raises:
        InputError: The folder holds no model, or a damaged one.
    """
    used = _files(folder)
    vocabulary = _vocabulary(folder / used[1])
    for file in ("config.json", "tokenizer.json"):
        if file in used:
            _read_json(folder / file)
    digests = {file: _digest(folder / file, notes) for file in sorted(used)}
    text = "".join(f"{file} {digest}\n" for file, digest in digests.items())
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    name = name or folder.resolve().name
    return Model(folder, name, revision, sha256, licence or _licence(folder), vocabulary, digests)


def is_converted(folder: Path) -> bool:
    """Return whether a folder holds weights in CTranslate2's format."""
    return (folder / WEIGHTS).is_file()


def _files(folder: Path) -> list[str]:
    """Return the names of the files that a translation depends on: weights, vocabulary, tokenizer, configuration."""
    if not is_converted(folder):
        raise InputError(
            f"{folder} holds no {WEIGHTS}, so it is no CTranslate2 model. Name a folder written by "
            "ct2-transformers-converter, ORG/REPO on the Hub, or --translator none."
        )
    config = ["config.json"] if (folder / "config.json").is_file() else []
    return [WEIGHTS, _one_of(folder, VOCABULARIES), _one_of(folder, TOKENIZERS), *config]


def _one_of(folder: Path, names: Iterable[str]) -> str:
    for name in names:
        if (folder / name).is_file():
            return name
    raise InputError(
        f"The translation model {folder} lacks {' or '.join(names)}. Copy it there from the original model."
    )


def _vocabulary(path: Path) -> dict[str, int]:
    """Return the tokens of a vocabulary with their numbers; raise InputError if it is damaged."""
    if path.suffix == ".json":
        tokens = _read_json(path)
    else:
        tokens = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise InputError(f"The vocabulary {path} is damaged: a list of tokens was expected. {FETCH_HINT}")
    for token in (END, UNKNOWN):
        if token not in tokens:
            raise InputError(
                f"The vocabulary {path} is damaged, or not NLLB's or M2M100's: it lacks {token}. {FETCH_HINT}"
            )
    return {token: number for number, token in enumerate(tokens)}


def _read_json(path: Path) -> object:
    try:
        return load_json(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}. {FETCH_HINT}") from None


def _digest(path: Path, notes: Path | None) -> str:
    if notes is None:
        return sha256_of(path)
    note = notes / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()}.json"
    saved = read_sidecar(note)
    now = update_sidecar(path.resolve(), saved, path.name, path.name)
    if now != saved:
        write_sidecar(note, now)
    return now.sha256


def _licence(folder: Path) -> str:
    """Return the licence that the model's own card states, or `not stated`."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    front = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    try:
        stated = parse_yaml(front[1], card) if front else {}
    except InputError:
        stated = {}
    licence = stated.get("license")
    return licence.lower() if isinstance(licence, str) else "not stated"
