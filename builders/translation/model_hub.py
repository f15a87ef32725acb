"""A translation model from the Hugging Face Hub: the files that are needed, of one commit, none that can run code."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import InputError
from corpora.hub import COMMIT, HubRepository

CTRANSLATE2_FILES = (
    "model.bin",
    "config.json",
    "shared_vocabulary.*",
    "tokenizer.json",
    "sentencepiece.*",
    "*.spm",
    "spiece.model",
    "README.md",
)
TRANSFORMERS_FILES = (
    "*.safetensors",
    "model.safetensors.index.json",
    "*.json",
    "sentencepiece.*",
    "*.spm",
    "spiece.model",
    "README.md",
)


@dataclass(frozen=True)
class ModelRepository:
    """A downloaded model: its folder, its commit, and the licence that the repository states."""

    folder: Path
    revision: str
    licence: str


def download_model(name: str, revision: str, offline: bool) -> ModelRepository:
    """Return the model in a repository of the Hub, from the Hub's cache where it has it.

    Raises:
        InputError: There is no network or no such repository, or it holds no model that can be used without running
            code.
    """
    repository = HubRepository(name, "model", offline)
    cached = _find_cached(repository, revision)
    if cached and (offline or COMMIT.fullmatch(revision)):
        return ModelRepository(cached, cached.name, "")
    try:
        info = repository.get_info(revision)
        folder = repository.download(info.commit, _patterns(name, info.files))
    except InputError as error:
        raise InputError(f"{error} {_hint(name, revision)}") from None
    return ModelRepository(folder, info.commit, info.licence)


def model_download_bytes(name: str, revision: str, offline: bool) -> int | None:
    """Return the bytes that `download_model` would download: 0 if the model is here, None if that is not known."""
    repository = HubRepository(name, "model", offline)
    if _find_cached(repository, revision):
        return 0
    try:
        files = {path: file.size for path, file in repository.list_files(revision).items()}
        patterns = _patterns(name, list(files))
    except InputError:
        return None
    return sum(size for path, size in files.items() if any(fnmatch.fnmatch(path, pattern) for pattern in patterns))


def _find_cached(repository: HubRepository, revision: str) -> Path | None:
    """Return the whole model in the Hub's cache on this machine, if it is there."""
    for patterns in (
        CTRANSLATE2_FILES,
        TRANSFORMERS_FILES,
    ):  # the client finds nothing unless it gets the patterns of all needed files
        folder = repository.find_cached(revision, patterns)
        whole = folder and (
            (folder / "model.bin").exists() or (patterns == TRANSFORMERS_FILES and _has_safetensors(folder))
        )
        if folder and whole and (folder / "config.json").exists():
            return folder
    return None


def _has_safetensors(folder: Path) -> bool:
    return any(folder.glob("*.safetensors"))


def _patterns(name: str, files: Sequence[str]) -> tuple[str, ...]:
    """Return the patterns of the files to download; they are all optional to the client."""
    if "model.bin" in files:
        return tuple(pattern for pattern in CTRANSLATE2_FILES if fnmatch.filter(files, pattern))
    if any(file.endswith(".safetensors") for file in files):
        return tuple(pattern for pattern in TRANSFORMERS_FILES if fnmatch.filter(files, pattern))
    if any(file.endswith((".bin", ".pt", ".pth")) for file in files):
        raise InputError(
            f"{name} keeps its weights as pickles, which can run code when they are read. Name a revision with "
            f"safetensors ({name}@REVISION; for many models the Hub's bot offers one as refs/pr/N), or convert it "
            f"where you trust it: ct2-transformers-converter --model {name} --output_dir FOLDER; then name FOLDER."
        )
    raise InputError(f"{name} on the Hub holds neither a CTranslate2 model (model.bin) nor safetensors. Name another.")


def _hint(name: str, revision: str) -> str:
    return (
        f"Where there is a network: hf download {name} --revision {revision}; then name its folder with --translator. "
        "Without translations: --translator none."
    )
