"""A translation model in a folder of this machine, in CTranslate2's format: its files, digest and licence."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from builders.translation.token_schemes import TokenScheme, recognise_scheme, token_schemes
from corpora.catalog import languages
from corpora.download import read_sidecar, update_sidecar, write_sidecar
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.strict_json import load_json
from corpora.tables import parse_yaml

WEIGHTS = "model.bin"
MARIAN = ("source.spm", "target.spm")  # the tokenizers of both sides of an OPUS-MT model
TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "sentencepiece.model", "spiece.model", MARIAN[0])
TOKENIZER_CONFIG = "tokenizer_config.json"
VOCABULARIES = ("shared_vocabulary.json", "shared_vocabulary.txt")
END_TOKEN, UNKNOWN = "</s>", "<unk>"
ENGLISH = ("en", "eng")  # as models spell it
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
    scheme: TokenScheme
    only_lang: str = ""  # the language that it translates into, if it has no token of a language

    def has(self, lang: str) -> bool:
        """Return whether the model translates into a language."""
        return self.scheme.token_of(lang) in self.vocabulary or lang == self.only_lang

    def token(self, lang: str) -> str:
        """Return the token of a language; empty if the model is for this language alone.

        Raises:
            InputError: The model does not have the language.
        """
        if (token := self.scheme.token_of(lang)) in self.vocabulary:
            return token
        if lang == self.only_lang:
            return ""
        known = languages()[lang]
        lacking = f"{token} is not in its vocabulary" if token else f"languages.csv has no code of it for {self.name}"
        raise InputError(
            f"The translation model {self.name} does not have {known.name} ({lang}): {lacking}. Leave the language out "
            "of --langs, or name another --translator."
        )

    def source_prefix(self, lang: str) -> list[str]:
        """Return the tokens before a source that is to be translated into a language."""
        own = self.token(lang)
        token = self.token("en") if self.scheme.before_source == "en" else own
        return [token] if token else []

    def target_prefix(self, lang: str) -> list[str]:
        """Return the tokens with which a translation into a language begins."""
        token = self.token(lang) if self.scheme.begins_target else ""
        return [token] if token else []


@dataclass(frozen=True)
class ModelNotes:
    """What is known of a model beside its files.

    `name` is the name in a release, by default that of the folder. `revision` is the commit of the Hub, `licence` by
    default that of the model's card. `tokens` is a row of token_schemes.toml, by default the one that the vocabulary
    shows, and `lang` the language of a model for one language. `digests_dir` keeps digests of files for as long as
    their sizes and times of change stay the same.
    """

    name: str = ""
    revision: str = ""
    licence: str = ""
    tokens: str = ""
    lang: str = ""
    digests_dir: Path | None = None


def open_model(folder: Path, notes: ModelNotes | None = None) -> Model:
    """Return the model in a CTranslate2 folder.

    Raises:
        InputError: The folder holds no model, a damaged one, or one that does not translate from English.
    """
    notes = notes or ModelNotes()
    used = _files(folder)
    vocabulary = _vocabulary(folder / used[1])
    for file in ("config.json", "tokenizer.json"):
        if file in used:
            _read_json(folder / file)
    digests = {file: _digest(folder / file, notes.digests_dir) for file in sorted(used)}
    text = "".join(f"{file} {digest}\n" for file, digest in digests.items())
    scheme = _scheme(folder, vocabulary, notes.tokens)
    return Model(
        folder=folder,
        name=notes.name or folder.resolve().name,
        revision=notes.revision,
        sha256=hashlib.sha256(f"{text}{scheme.name if notes.tokens else ''}".encode()).hexdigest(),
        licence=notes.licence or _licence(folder),
        vocabulary=vocabulary,
        digests=digests,
        scheme=scheme,
        only_lang=_only_lang(folder, notes.lang) if scheme.is_optional else "",
    )


def _scheme(folder: Path, vocabulary: Mapping[str, int], tokens: str) -> TokenScheme:
    """Return the token scheme of a model: the one that is named, or the one that its vocabulary shows."""
    schemes = token_schemes()
    if tokens:
        return schemes[tokens]
    marian = next(scheme for scheme in schemes.values() if scheme.is_optional)
    scheme = marian if (folder / MARIAN[0]).is_file() else recognise_scheme(vocabulary)
    if scheme is None:
        tokens_tried = ", ".join(scheme.token_of("en") or scheme.token for scheme in schemes.values())
        raise InputError(
            f"The vocabulary of {folder} has no token of a language in a known form ({tokens_tried}), so it is no "
            "translation model that is supported. Name another --translator."
        )
    return scheme


def _only_lang(folder: Path, lang: str) -> str:
    """Return the language of an OPUS-MT model for one language: as the caller knows it, or as its tokenizer says."""
    path = folder / TOKENIZER_CONFIG
    stated = _read_json(path) if path.is_file() else {}
    stated = stated if isinstance(stated, dict) else {}
    source, target = str(stated.get("source_lang") or ""), str(stated.get("target_lang") or "")
    if source and source not in ENGLISH:
        raise InputError(
            f"{folder} translates from {source} into {target or 'another language'}; a translator translates from "
            "English. Name the model of the other direction."
        )
    if lang:
        return lang
    codes = {code: row.code for row in languages().values() for code in (getattr(row, "iso639_3", ""), row.code)}
    return codes.get(target, "")


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
    tokenizer = _one_of(folder, TOKENIZERS)
    target = [_one_of(folder, MARIAN[1:])] if tokenizer == MARIAN[0] else []
    return [WEIGHTS, _one_of(folder, VOCABULARIES), tokenizer, *target, *config]


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
    for token in (END_TOKEN, UNKNOWN):
        if token not in tokens:
            raise InputError(
                f"The vocabulary {path} is damaged, or no translation model's: it lacks {token}. {FETCH_HINT}"
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
