"""A translation model on this machine: a folder in CTranslate2's format, checked, with digest and licence."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from corpora.catalog import languages
from corpora.download import read_sidecar, update_sidecar, write_sidecar
from corpora.errors import InputError
from corpora.files import sha256_of

WEIGHTS = "model.bin"
TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "sentencepiece.model")
VOCABULARIES = ("shared_vocabulary.json", "shared_vocabulary.txt")
END, UNKNOWN = "</s>", "<unk>"


@dataclass(frozen=True)
class Model:
    """A model: its folder, how a release names it, the commit it is of, the digest of what it computes with, terms."""

    folder: Path
    name: str
    revision: str
    sha256: str
    licence: str
    vocabulary: Mapping[str, int]  # of each token its number
    digests: Mapping[str, str]  # of each file that it computes with

    def token(self, lang: str) -> str:
        """The token of a language of the table, as NLLB or M2M100 spells it; InputError if the model lacks it."""
        known = languages()[lang]
        for token in (known.flores, f"__{known.code}__"):
            if token in self.vocabulary:
                return token
        raise InputError(
            f"The translation model {self.name} does not have {known.name} ({lang}): neither {known.flores} nor "
            f"__{known.code}__ is in its vocabulary. Leave the language out of --langs, or name another --translator."
        )


def open_model(folder: Path, name: str = "", revision: str = "", licence: str = "", notes: Path | None = None) -> Model:
    """The model in a CTranslate2 folder; InputError if it is none, or damaged.

    Digests of files are remembered in the folder `notes`, as long as the files' sizes and times stay as they are.
    """
    used = _files(folder)
    vocabulary = _vocabulary(folder / used[1])
    for file in ("config.json", "tokenizer.json"):
        if file in used:
            _read_json(folder / file)
    digests = {file: _digest(folder / file, notes) for file in sorted(used)}
    told = "".join(f"{file} {digest}\n" for file, digest in digests.items())
    found = hashlib.sha256(told.encode()).hexdigest()
    named = name or folder.resolve().name
    return Model(folder, named, revision, found, licence or _licence(folder), vocabulary, digests)


def is_converted(folder: Path) -> bool:
    """Whether a folder holds weights in CTranslate2's format."""
    return (folder / WEIGHTS).is_file()


def _files(folder: Path) -> list[str]:
    """The names of the files that a translation depends on: weights, vocabulary, configuration, tokenizer."""
    if not is_converted(folder):
        raise InputError(
            f"{folder} holds no {WEIGHTS}, so it is no CTranslate2 model. Name a folder that "
            "ct2-transformers-converter wrote, ORG/REPO on the Hub, or --translator none."
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
    """The tokens of a vocabulary with their numbers; InputError unless it is whole and has an end of sentence."""
    if path.suffix == ".json":
        tokens = _read_json(path)
    else:
        tokens = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise InputError(f"The vocabulary {path} is damaged: a list of tokens was expected. {_AGAIN}")
    for token in (END, UNKNOWN):
        if token not in tokens:
            raise InputError(f"The vocabulary {path} is damaged, or not NLLB's or M2M100's: it lacks {token}. {_AGAIN}")
    return {token: number for number, token in enumerate(tokens)}


_AGAIN = "Fetch or convert the model again."


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}. {_AGAIN}") from None


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
    """The licence that the model's own card states, or that none is stated."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    front = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    try:
        stated = yaml.safe_load(front[1]) if front else {}
    except yaml.YAMLError:
        stated = {}
    licence = stated.get("license") if isinstance(stated, dict) else None
    return licence.lower() if isinstance(licence, str) else "not stated"
