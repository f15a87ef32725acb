"""Recipe: what a release is made of. Recipes are TOML files, read strictly by name or path."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from corpora.catalog import Corpus, language, languages
from corpora.errors import InputError, unknown
from corpora.extensions import current_extensions
from corpora.named import corpus_id
from corpora.tables import STRICT, check_reference, parse_row, read_toml
from recipes.prompts import translation_prompts

DATASETS = Path(__file__).parent / "datasets"
DEFAULT_NAMES = ("coit", "muit")
UNANSWERED = "self-instruct"  # the format of instructions that are read without answers
KINDS = {  # the keys that name corpora, and the kind of corpus that each one takes
    "bitext": "bitext",
    "instructions": "instructions",
    "monolingual": "monolingual",
    "decontaminate_against": "benchmark",
}


def _different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("a list of different strings")
    return values


Names = Annotated[tuple[str, ...], AfterValidator(_different)]
Count = Annotated[int, Field(ge=1)]

MAX_NAME_CHARS = 80  # of a recipe: the Hub takes 96 for a repository with its owner


@dataclass(frozen=True)
class Recipe:
    """A recipe for one release: the keys of a TOML file, and the name that its file has."""

    __pydantic_config__ = STRICT
    name: str
    """The name of the release: the recipe's file without `.toml`."""
    title: str
    """The release's title, for its card."""
    summary: str
    """One sentence on what the release holds, for its card."""
    configs: Literal["language", "all"]
    """`language`: one config per language; `all`: one config with all languages."""
    langs: Names
    """The languages, beside English, in which the release has examples."""
    kind: Literal["training", "benchmark"] = "training"
    """`training`, or `benchmark`: all rows are held back, and an instruction is in every language or in none."""
    bitext: Names = ()
    """Corpora of sentence pairs; of equal pairs the one from the corpus listed first is kept."""
    instructions: Names = ()
    """Corpora of instructions; they are translated from English into the languages that they lack."""
    monolingual: Names = ()
    """Corpora of documents in the languages."""
    instruction_langs: Annotated[tuple[Literal["en", "xx"], ...], AfterValidator(_different)] = ()
    """The languages of the instructions: `en` (English), `xx` (each of `langs`, translated if need be), or both."""
    directions: Annotated[tuple[Literal["en-xx", "xx-en"], ...], AfterValidator(_different)] = ()
    """The directions of the translation examples: `en-xx` (from English), `xx-en` (into English), or both."""
    max_pairs: Count | None = None
    """The most translation examples of a language and direction for training."""
    max_instructions: Count | None = None
    """The most instructions of each corpus; the first ones are taken."""
    max_documents: Count | None = None
    """The most documents of each corpus and language; the first ones are taken."""
    decontaminate_against: Names = ("flores101", "xquad", "mlqa")
    """Benchmarks; sentence pairs that contain their texts are rejected."""
    prompts: Names = ("paper",)
    """Translation prompts of `prompts.toml`; a pair's id chooses one of them."""
    validation: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    """The share of English sentences and instructions that is held back for validation."""
    seed: Annotated[int, Field(ge=0)] = 0
    """The seed of all choices: of the validation split, of prompts."""
    translator: str = ""
    """The translator of the instructions, unless `--translator` names another; empty for NLLB."""
    licence: Literal["any", "commercial"] = "any"
    """`commercial`: every source and translator must be known to allow commercial use; `any`: no such demand."""
    filters: dict[str, dict[str, float | dict[str, float]]] = field(default_factory=dict)
    """Thresholds that differ from those of `filters.toml`, by filter and key; for all languages or by language."""
    disable_filters: Names = ()
    """Filters that are not applied."""
    enable_filters: Names = ()
    """Filters that are off by default and are applied."""
    not_decontaminated: tuple[str, ...] = ()
    """Benchmarks of `decontaminate_against` that the user chose to skip; no key of a recipe's file."""

    @property
    def is_benchmark(self) -> bool:
        """Whether the release is for evaluation, and all of its rows are held back."""
        return self.kind == "benchmark"

    @property
    def reads_bitext(self) -> bool:
        """Whether sentence pairs are read: for translation examples, or to judge the translations of instructions."""
        return bool(self.directions) or bool(self.bitext and "xx" in self.instruction_langs)

    def config_langs(self) -> dict[str, tuple[str, ...]]:
        """Return the languages of each config, by the config's name."""
        return {"all": self.langs} if self.configs == "all" else {lang: (lang,) for lang in self.langs}

    def corpora(self) -> tuple[str, ...]:
        """Return the names of all corpora that the recipe names, benchmarks included."""
        return tuple(name for key in KINDS for name in getattr(self, key))


def recipe_names() -> list[str]:
    """Return the names of all recipes: the project's, and those in `datasets/` of the folders of `--with`."""
    return sorted(_recipe_files())


def load_recipe(name_or_path: str, catalog: Mapping[str, Corpus]) -> Recipe:
    """Return the recipe of this name, or of the TOML file at this path.

    Raises:
        InputError: The recipe is unknown, or its file is not as expected; the message has file and key.
    """
    path = find_recipe(name_or_path)
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", path.stem) or len(path.stem) > MAX_NAME_CHARS:
        raise InputError(
            f"{path}: the file name of a recipe, here {path.stem[:120]!r}, names its releases. It has lower-case "
            f"letters and digits, with single hyphens between them, and at most {MAX_NAME_CHARS} characters."
        )
    return parse_recipe(path.stem, read_toml(path), catalog, str(path))


def find_recipe(name_or_path: str) -> Path:
    """Return the file of the recipe of this name, or this path.

    Raises:
        InputError: There is no recipe of this name; the message has the nearest names.
    """
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        return Path(name_or_path)
    files = _recipe_files()
    if name_or_path not in files:
        raise unknown("recipe", name_or_path, files)
    return files[name_or_path]


def _recipe_files() -> dict[str, Path]:
    """Return the files of all recipes by name; a user's recipe replaces ours of the same name."""
    folders = (DATASETS, *(folder / "datasets" for folder in current_extensions().folders))
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def parse_recipe(name: str, table: Mapping[str, Any], catalog: Mapping[str, Corpus], where: str) -> Recipe:
    """Return the recipe in the table of a TOML file.

    Args:
        name: The recipe's name.
        table: The keys and values of the file.
        catalog: The corpora that it may name.
        where: The file, for errors.

    Raises:
        InputError: A key, value or name is not as expected.
    """
    recipe = parse_row(table, Recipe, where, name=name, not_decontaminated=())
    recipe = replace(recipe, langs=tuple(sorted(recipe.langs)), bitext=tuple(map(corpus_id, recipe.bitext)))
    _check_references(recipe, catalog, where)
    _check_instructions(recipe, catalog, where)
    _check_parts(recipe, where)
    if not recipe.is_benchmark:
        return recipe
    if "validation" in table:
        raise InputError(f"{where}: a benchmark holds all rows back. Remove the key 'validation'.")
    return replace(recipe, validation=1.0)


def _check_references(recipe: Recipe, catalog: Mapping[str, Corpus], where: str) -> None:
    for lang in recipe.langs:
        check_reference(lang, languages(), "language", f"{where}, 'langs'")
        if lang == "en":
            raise InputError(f"{where}: 'langs' names the languages beside English. Remove 'en'.")
    for key, kind in KINDS.items():
        known = [corpus.id for corpus in catalog.values() if corpus.kind == kind]
        for corpus in getattr(recipe, key):
            check_reference(corpus, known, f"{kind} corpus", f"{where}, '{key}'")
    known_prompts = translation_prompts()
    for prompt in recipe.prompts:
        check_reference(prompt, known_prompts, "prompt", f"{where}, 'prompts'")


def _check_instructions(recipe: Recipe, catalog: Mapping[str, Corpus], where: str) -> None:
    for corpus in recipe.instructions:
        if not any(catalog[corpus].has(lang) for lang in ("en", *recipe.langs)):
            raise InputError(
                f"{where}: the instructions of '{corpus}' are neither in English nor in one of the languages of the "
                "recipe. Remove the corpus."
            )
        if catalog[corpus].format == UNANSWERED and not recipe.is_benchmark:
            raise InputError(f"{where}: '{corpus}' has no answers. Use it in a recipe with kind = 'benchmark'.")


def _check_parts(recipe: Recipe, where: str) -> None:
    if not recipe.langs:
        raise InputError(f"{where}: 'langs' is empty. Name at least one language.")
    if not (recipe.instruction_langs or recipe.directions or recipe.monolingual):
        raise InputError(
            f"{where}: the release would be empty. Set 'instruction_langs', 'directions' or 'monolingual'."
        )
    if recipe.directions and not (recipe.bitext and recipe.prompts):
        raise InputError(f"{where}: 'directions' needs at least one corpus in 'bitext' and one prompt in 'prompts'.")
    if recipe.instruction_langs and not recipe.instructions:
        raise InputError(f"{where}: 'instruction_langs' needs at least one corpus in 'instructions'.")
    if recipe.is_benchmark and (recipe.configs != "all" or recipe.directions or recipe.monolingual):
        raise InputError(f"{where}: a benchmark has configs = 'all', and neither 'directions' nor 'monolingual'.")


def select_langs(recipe: Recipe, langs: Sequence[str]) -> Recipe:
    """Return the recipe for these languages only; they may be any of `languages.csv`."""
    for lang in langs:
        if language(lang).code == "en":
            raise InputError("--langs names the languages beside English, such as el,hi. Remove 'en'.")
    if len(set(langs)) != len(langs) or not langs:
        raise InputError(f"--langs needs at least one language, and each only once, not '{','.join(langs)}'.")
    return replace(recipe, langs=tuple(sorted(langs)))


def substitute_corpora(recipe: Recipe, catalog: Mapping[str, Corpus], suffix: str) -> Recipe:
    """Return the recipe with each corpus replaced by its sample, and with `suffix` added to its name."""
    samples = {c.sample_of: c.id for c in catalog.values() if c.sample_of}
    for corpus in recipe.corpora():
        if corpus not in samples:
            raise InputError(f"The {suffix} has no corpus for '{corpus}' of recipe {recipe.name}.")
    replaced: dict[str, Any] = {key: tuple(samples[corpus] for corpus in getattr(recipe, key)) for key in KINDS}
    return replace(recipe, name=f"{recipe.name}-{suffix}", **replaced)


def skip_decontamination(recipe: Recipe, skipped: Sequence[str]) -> Recipe:
    """Return the recipe without decontamination against some benchmarks."""
    for name in skipped:
        if name not in recipe.decontaminate_against:
            raise unknown(
                f"benchmark in 'decontaminate_against' of recipe {recipe.name}", name, recipe.decontaminate_against
            )
    kept = tuple(name for name in recipe.decontaminate_against if name not in skipped)
    return replace(recipe, decontaminate_against=kept, not_decontaminated=tuple(skipped))
