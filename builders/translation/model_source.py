"""Where a translation model is from: a folder of this machine, or a repository of the Hub, converted if needed."""

import re
from dataclasses import replace
from pathlib import Path

from builders.translation.convert import convert_checkpoint
from builders.translation.model import Model, ModelNotes, is_converted, open_model
from builders.translation.model_hub import download_model
from builders.translation.model_lock import check_model_files
from builders.translation.translator import TranslatorOptions
from corpora.errors import InputError

MODEL_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def find_model(name: str, options: TranslatorOptions, lang: str = "") -> Model:
    """Return the model in a folder, or in a repository of the Hub (ORG/REPO[@REVISION]).

    Args:
        name: The folder or repository.
        options: What the user says about translation.
        lang: The language of a model that is for one.

    Raises:
        InputError: There is no such model, it is damaged, or its files have other digests than those that are known.
    """
    row, converted_dir = options.row, options.work / "memory" / "models"
    notes = ModelNotes(
        licence=row.licence if row else "", tokens=row.tokens if row else "", lang=lang, digests_dir=converted_dir
    )
    folder = Path(name).expanduser()
    if folder.is_dir():
        return open_model(_converted(folder, options), replace(notes, name=folder.resolve().name))
    if not MODEL_REPOSITORY.fullmatch(name):
        raise InputError(f"{name} is no folder, and no repository of the Hub (ORG/REPO or ORG/REPO@REVISION).")
    repository, _, revision = name.partition("@")
    downloaded = download_model(repository, revision or "main", options.offline)
    converted = _converted(downloaded.folder, options)
    licence = notes.licence or downloaded.licence
    model = open_model(converted, replace(notes, name=repository, revision=downloaded.revision, licence=licence))
    if options.corpora_lock and converted == downloaded.folder:
        check_model_files(model, row.sha256 if row else {}, options.corpora_lock)
    return model


def _converted(folder: Path, options: TranslatorOptions) -> Path:
    """Return the folder itself if it is in CTranslate2's format, else a conversion of it in the work folder."""
    return (
        folder if is_converted(folder) else convert_checkpoint(folder, options.work / "memory" / "models", options.log)
    )
