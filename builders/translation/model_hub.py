"""A translation model from the Hugging Face Hub: the files that are needed, of one commit, none that can run code."""

import re
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import InputError

READY = ("model.bin", "config.json", "shared_vocabulary.*", "tokenizer.json", "sentencepiece.*", "README.md")
ORIGINAL = ("*.safetensors", "model.safetensors.index.json", "*.json", "sentencepiece.*", "README.md")


@dataclass(frozen=True)
class Repository:
    """What was fetched: the folder, the commit, and the licence that the repository states."""

    folder: Path
    revision: str
    licence: str


def fetch(name: str, revision: str, offline: bool) -> Repository:
    """The model in a repository of the Hub, from the Hub's cache where it has it.

    InputError without a network, if there is no such repository, or if it holds no model that can be used without
    running code.
    """
    from huggingface_hub import snapshot_download

    cached = _cached(name, revision)
    if cached and (offline or re.fullmatch(r"[0-9a-f]{40}", revision)):
        return Repository(cached, cached.name, "")
    if offline:
        raise _unreachable(name, revision, "this run is offline")
    commit, files, licence = _listed(name, revision)
    patterns = _patterns(name, files)
    try:
        folder = Path(snapshot_download(name, revision=commit, allow_patterns=list(patterns)))
    except Exception as error:
        raise _answer(error, name, revision) from None
    return Repository(folder, commit, licence)


def _cached(name: str, revision: str) -> Path | None:
    """The whole model in the Hub's cache on this machine, if it is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for patterns in (READY, ORIGINAL):  # the Hub's client misses files that nobody asked for, unless it is told which
        try:
            found = snapshot_download(name, revision=revision, local_files_only=True, allow_patterns=list(patterns))
        except (LocalEntryNotFoundError, HfHubHTTPError, ValueError):
            continue
        folder = Path(found)
        whole = (folder / "model.bin").exists() or (patterns == ORIGINAL and any(folder.glob("*.safetensors")))
        if whole and (folder / "config.json").exists():
            return folder
    return None


def _listed(name: str, revision: str) -> tuple[str, list[str], str]:
    """The commit of a revision, its files, and the licence that the card states."""
    from huggingface_hub import HfApi

    try:
        found = HfApi().model_info(name, revision=revision)
    except Exception as error:
        raise _answer(error, name, revision) from None
    licence = found.card_data.get("license") if found.card_data else None
    files = [file.rfilename for file in found.siblings or []]
    return found.sha or revision, files, licence if isinstance(licence, str) else "not stated"


def _patterns(name: str, files: list[str]) -> tuple[str, ...]:
    if "model.bin" in files:
        return READY
    if any(file.endswith(".safetensors") for file in files):
        return ORIGINAL
    if any(file.endswith((".bin", ".pt", ".pth")) for file in files):
        raise InputError(
            f"{name} keeps its weights as pickles, which can run code when they are read. Name a revision with "
            f"safetensors ({name}@REVISION), or a conversion for CTranslate2."
        )
    raise InputError(f"{name} on the Hub holds neither a CTranslate2 model (model.bin) nor safetensors. Name another.")


def _answer(error: Exception, name: str, revision: str) -> Exception:
    """What went wrong with the Hub, as a sentence; what is not the Hub's fault stays as it is."""
    import httpx2 as httpx  # what huggingface_hub 2 asks the network with
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return InputError(
            f"{name} is gated on the Hub: accept its terms there and set HF_TOKEN, or name another model."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return InputError(f"{name} on the Hub has no revision '{revision}'. Correct it, or leave it out.")
    if isinstance(error, errors.RepositoryNotFoundError):
        return InputError(f"There is no model {name} on the Hub, or it is not for everyone. Correct the name.")
    known = (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, httpx.HTTPError)
    if isinstance(error, (*known, errors.HFValidationError)):
        return _unreachable(name, revision, str(error).strip().split("\n", 1)[0])
    return error


def _unreachable(name: str, revision: str, why: str) -> InputError:
    return InputError(
        f"The translation model {name} at {revision} is not on this machine and cannot be fetched ({why}). Where there "
        f"is a network: hf download {name} --revision {revision}; then name its folder with --translator. "
        "Without translations: --translator none."
    )
