"""Open the model that --score-with names."""

from dataclasses import replace
from pathlib import Path

from builders.scoring.encoder_scorer import is_encoder, open_encoder
from builders.scoring.scorer import Scorer
from builders.scoring.scorer_table import ScorerRow, check_scorer, scorer_rows
from builders.scoring.translation_scorer import open_translation_scorer
from builders.translation import MODEL_REPOSITORY, TranslatorOptions, download_model, translator_rows


def open_scorer(name: str, options: TranslatorOptions) -> Scorer:
    """Return the model of a row of scorers.toml or translators.toml, a folder, or ORG/NAME on the Hub.

    Raises:
        InputError: There is no such model, or it cannot score pairs.
    """
    check_scorer(name)
    row = scorer_rows().get(name)
    model = row.model if row else name
    if (own := translator_rows().get(model)) and not (row and row.kind == "encoder"):
        return open_translation_scorer(own.model, replace(options, row=own))
    row = row or ScorerRow(name, "", "encoder" if is_encoder(_folder(model, options)) else "translation", model)
    if row.kind == "translation":
        return open_translation_scorer(model, options)
    return open_encoder(_folder(model, options), row, options)


def _folder(model: str, options: TranslatorOptions) -> Path:
    folder = Path(model).expanduser()
    if folder.is_dir() or not MODEL_REPOSITORY.fullmatch(model):
        return folder
    repository, _, revision = model.partition("@")
    return download_model(repository, revision or "main", options.offline).folder
