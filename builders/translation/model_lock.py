"""The files of a model from the Hub, checked against the digests of translators.toml and of the lock file."""

from collections.abc import Mapping
from pathlib import Path

from builders.translation.model import Model
from corpora.download import Expected, Source, SourceFile, add_entry, expected_by, find_mismatch, read_lock
from corpora.errors import InputError

HUB = "https://huggingface.co"  # also where a mirror was used: it is part of the file's name


def model_files(model: Model) -> list[SourceFile]:
    """Return the files that a model computes with, as `builders pull` reports them.

    A model in a user's own folder, or converted here, has none: nothing was downloaded under its name.
    """
    if not model.revision:
        return []
    return [
        SourceFile(
            Source(model.name, "-", f"{HUB}/{model.name}/resolve/{model.revision}/{file}", None),
            model.folder / file,
            sha256,
            (model.folder / file).stat().st_size,
        )
        for file, sha256 in sorted(model.digests.items())
    ]


def check_model_files(model: Model, pins: Mapping[str, str], lock: Path) -> None:
    """Check the files of a model against known digests, and add to the lock file those that it lacks.

    Args:
        model: A model from the Hub.
        pins: Digests by file name, of a row of translators.toml.
        lock: The lock file.

    Raises:
        InputError: A file has another digest.
    """
    entries = read_lock(lock)
    for file in model_files(model):
        url, name = file.source.url, file.path.name
        expected = expected_by(lock, entries, url)
        if name in pins:
            expected.append(Expected(pins[name], None, "translators.toml", "name the other model as ORG/REPO@REVISION"))
        if mismatch := find_mismatch(str(file.path), file.sha256, file.size, expected):
            raise InputError(f"{mismatch} If it is not, remove {model.folder}.")
        add_entry(lock, url, file.sha256, file.size)
