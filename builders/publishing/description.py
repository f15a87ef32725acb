"""What a manifest states of a build, before its rows are written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

from builders.pipeline import BuildResult, Filter
from builders.publishing.data_files import LAYOUT, SCHEMAS
from builders.translation import describe_translations
from cards.manifest import source_entry
from cards.manifest_types import MANIFEST_VERSION, Description, Feature, FilterEntry, ModelEntry, PromptEntry
from corpora.catalog import Corpus
from corpora.language_id import MODEL_LICENCE, MODEL_NAME, MODEL_SHA256, LanguageModel, second_model
from recipes.prompts import translation_prompts
from recipes.recipe import Recipe

STATED_ONCE = ("name", "title", "summary", "langs")  # keys of a recipe that the manifest has itself


def release_name(recipe: Recipe, output_format: str) -> str:
    """Return the name of a recipe's release: that of the recipe, with the format if it is another than usual."""
    return recipe.name if output_format == "instructions" else f"{recipe.name}-{output_format}"


def describe(built: BuildResult, output_format: str, catalog: Mapping[str, Corpus]) -> Description:
    """Return what the manifest states of a build."""
    recipe = built.recipe
    has_pairs = bool(recipe.directions)
    description = {
        "manifest_version": MANIFEST_VERSION,
        "name": release_name(recipe, output_format),
        "title": recipe.title,
        "summary": recipe.summary,
        "output_format": output_format,
        "langs": list(recipe.langs),
        "features": _features(output_format),
        "layout": LAYOUT,
        "sources": [
            source_entry(catalog[file.source.corpus], file.source.lang, file.sha256, file.size, file.source.url)
            for file in sorted(built.fetched, key=lambda file: (file.source.corpus, file.source.lang))
        ],
        "recipe": {key: value for key, value in asdict(recipe).items() if key not in STATED_ONCE},
        "filters": [_filter_entry(rule, recipe.langs) for rule in built.filters] if has_pairs else [],
        "prompts": [_prompt_entry(name) for name in recipe.prompts] if has_pairs else [],
        "models": [
            *_language_models(recipe.langs if has_pairs else ()),
            *_scoring_models(built),
            *_translation_models(built),
        ],
        "translator": describe_translations(built.translator, built.translations.values()),
        "decontamination": built.decontamination.to_dicts(),
        "english_overlap": built.english_overlap.to_dicts(),
        "script_variants": built.script_variants.to_dicts(),
        **({"alignment": built.alignment.to_dicts()} if built.alignment.height else {}),
        **({"domains": built.domains.to_dicts()} if built.domains.height else {}),
        **({"model_alignment": built.model_alignment.to_dicts()} if built.model_alignment.height else {}),
        "composition": built.composition.to_dicts(),
        "ledger": built.ledger.drop("examples").to_dicts(),
        **({"allocation": dict(built.allocation)} if built.allocation else {}),
    }
    return cast(Description, description)  # `make_manifest` checks it


def _language_models(langs: Sequence[str]) -> list[ModelEntry]:
    """Return lid.176, and the model that identified the languages that it does not know."""
    first: ModelEntry = {
        "role": "language identification",
        "name": MODEL_NAME,
        "sha256": MODEL_SHA256,
        "licence": MODEL_LICENCE,
    }
    others = dict.fromkeys(model for lang in langs if (model := second_model(lang)))
    return [first, *map(_second_model, others)]


def _second_model(model: LanguageModel) -> ModelEntry:
    return {"role": "language identification", "name": model.name, "sha256": model.sha256, "licence": ""}


def _scoring_models(built: BuildResult) -> list[ModelEntry]:
    """Return the model that scored pairs, if there is one."""
    own = built.scorer
    if not own or not built.recipe.directions:
        return []
    return [{"role": "scores of sentence pairs", "name": own.name, "sha256": own.fingerprint, "licence": own.licence}]


def _translation_models(built: BuildResult) -> list[ModelEntry]:
    """Return the models that translated texts, in the translation memory or in this run, with their licences."""
    if "xx" not in built.recipe.instruction_langs:
        return []
    return [
        {"role": "translation", "name": model["name"], "sha256": model["sha256"], "licence": model["licence"]}
        for model in built.translator.models()
    ]


def _features(output_format: str) -> list[Feature]:
    """Return the columns as the Hub's `dataset_info` spells them."""
    message: list[Feature] = [{"name": name, "dtype": "string"} for name in ("role", "content")]
    return [
        {"name": field.name, "list": message} if field.name == "messages" else {"name": field.name, "dtype": "string"}
        for field in SCHEMAS[output_format]
    ]


def _filter_entry(rule: Filter, langs: Sequence[str]) -> FilterEntry:
    """Return a filter with its finite thresholds."""
    values = {name: {lang: rule.threshold(name, lang) for lang in langs} for name in rule.thresholds}
    finite = {name: {lang: v for lang, v in own.items() if math.isfinite(v)} for name, own in values.items()}
    thresholds = {name: own for name, own in finite.items() if own}
    return {"name": rule.name, "reject": rule.condition(), "description": rule.description, "thresholds": thresholds}


def _prompt_entry(name: str) -> PromptEntry:
    prompt = translation_prompts()[name]
    return {"name": prompt.name, "text": prompt.text, "origin": prompt.origin}
