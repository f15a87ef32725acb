"""The files of a model from the Hub, held to the digests that translators.toml and the lock file name."""

from collections.abc import Mapping
from pathlib import Path

from builders.translation.model import Model
from corpora.download import Expected, Source, SourceFile, add_entry, expected_by, find_mismatch, read_lock
from corpora.errors import InputError

HUB = "https://huggingface.co"  # also where a mirror of it was asked: it is the name of the file, not its address


def files(model: Model) -> list[SourceFile]:
    """Every file that a translation depends on, as `builders pull` tells of files; none of a model that is not pulled.

    A model in a user's own folder, and one that was converted here, is not pulled.
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


def hold(model: Model, pins: Mapping[str, str], lock: Path) -> None:
    """Raise InputError if a file is not the one that is pinned or locked; lock those that are not yet."""
    entries = read_lock(lock)
    for file in files(model):
        url, name = file.source.url, file.path.name
        expected = expected_by(lock, entries, url)
        if name in pins:
            expected.append(Expected(pins[name], None, "translators.toml", "name the other model as ORG/REPO@REVISION"))
        if wrong := find_mismatch(str(file.path), file.sha256, file.size, expected):
            raise InputError(f"{wrong} If it is not, remove {model.folder}.")
        add_entry(lock, url, file.sha256, file.size)
