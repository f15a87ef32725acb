"""publish(), build(), pull() and translate(): the functions behind the verbs that run recipes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from builders.budget import Budget
from builders.execution import fetch, open_translators, open_workspace
from builders.options import RunOptions, read_options, with_run_options
from builders.pipeline import BuildResult, Steps
from builders.publishing import Published, PublishOptions, validate_version
from builders.resolve import resolve
from builders.run import run_build, run_estimate, run_publish
from builders.run_translation import run_translation
from corpora.arguments import overload, split_names
from corpora.download import SourceFile
from corpora.errors import InputError
from corpora.extensions import extend
from corpora.progress import ProgressLike, open_progress
from recipes.recipe import Recipe

if TYPE_CHECKING:
    from builders.budget import FitResult
    from builders.estimate import Estimate
    from recipes.scaling import Laws

NO_BUDGET = (None, None, 1.0, False, "mean", None, (), None, 0.3, None)  # the options of a budget that are not given
T = TypeVar("T")
RecipeLike = str | Path | Mapping[str, Any] | Recipe
RecipeList = list[Any] | tuple[Any, ...] | None  # Any, because a list of texts is no list of RecipeLike for mypy


class PublishSettings(RunOptions, total=False):
    """The options of `publish` besides `dry_run`, for type checkers."""

    registry: str | Path
    private: bool
    bump: Literal["major", "minor", "patch"] | None
    as_version: str | None
    preview: bool
    remove_unexpected: bool
    format: Literal["instructions", "messages"]
    budget: int | None
    laws: "Laws | FitResult | str | Path | None"
    mixture: str | Path | None
    epochs: float
    allow_partial: bool
    objective: str
    weight: Mapping[str, float] | None
    no_worse_than: Sequence[str | Path]
    near: str | Path | None
    matters: float
    predictions: str | Path | None
    progress: ProgressLike


@overload
def publish(
    recipes: RecipeLike, *, dry_run: Literal[False] = False, **options: Unpack[PublishSettings]
) -> Published: ...
@overload
def publish(
    recipes: RecipeList = None, *, dry_run: Literal[False] = False, **options: Unpack[PublishSettings]
) -> list[Published]: ...
@overload
def publish(
    recipes: RecipeLike | RecipeList = None, *, dry_run: Literal[True], **options: Unpack[PublishSettings]
) -> "Estimate": ...
@with_run_options
def publish(
    recipes: RecipeLike | RecipeList = None,
    *,
    registry: str | Path = "registry",
    private: bool = False,
    bump: Literal["major", "minor", "patch"] | None = None,
    as_version: str | None = None,
    preview: bool = False,
    remove_unexpected: bool = False,
    dry_run: bool = False,
    format: Literal["instructions", "messages"] = "instructions",
    budget: int | None = None,
    laws: "Laws | FitResult | str | Path | None" = None,
    mixture: str | Path | None = None,
    epochs: float = 1.0,
    allow_partial: bool = False,
    objective: str = "mean",
    weight: Mapping[str, float] | None = None,
    no_worse_than: Sequence[str | Path] = (),
    near: str | Path | None = None,
    matters: float = 0.3,
    predictions: str | Path | None = None,
    progress: ProgressLike = None,
    **options: Unpack[RunOptions],
) -> "Published | list[Published] | Estimate":
    """Build recipes and publish each as the next version of its name.

    Args:
        recipes: A recipe, by name, by path or as a mapping; or a list of them. None means `coit` and `muit`.
        registry: A folder, hf://ORG (a repository per recipe), or hf://ORG/NAME.
        private: Create a private repository on the Hub.
        bump: A larger step than the difference to the latest version needs.
        as_version: The version itself, such as v3.0.0; no smaller than the difference needs.
        preview: Build, and return what would be published; nothing is published.
        remove_unexpected: Delete files on the Hub that no manifest lists; they are refused otherwise.
        dry_run: Return an `Estimate` of downloads, disk, segments to translate and hours, and do nothing.
        format: Columns instruction, input and output, or a column of messages.
        budget: The most sentence pairs of which the release has translations; it gets a name of its own.
        laws: Laws, or a file of them (`builders.fit`), by which the budget is allocated to the languages.
        mixture: Instead of laws, a CSV of lang,rows,epochs, or uniform, unimax, proportional or temperature:A.
        epochs: How often a pair may be seen.
        allow_partial: Publish what there is where the budget is larger.
        objective: What the laws allocate the budget for, `mean` or `worst`; as in `builders.allocate`, and so are the
            next four.
        weight: The weight of each language, by language; 1 by default.
        no_worse_than: Mixtures against which no language may lose, each with the points that it may: `unimax:1.0`.
        near: Of the mixtures within `matters` points of the best, choose the one that changes this mixture least.
        matters: The difference in points for which the optimum is preferred to a plainer mixture.
        predictions: The ledger of `builders.check`: the card shows what was measured of the mixture.
        progress: Receives the progress: a `Progress`, or a function of a `Status`. None logs it.
        **options: As in `builders.build`.

    Returns:
        The release; for a list of recipes or None, a list of releases. With `dry_run`, an `Estimate`.

    Raises:
        InputError: An option, recipe or file cannot be used; the message says what to do.
    """
    build_options = read_options(recipes, options)
    validate_version(bump, as_version)
    version = PublishOptions(bump, as_version, preview, remove_unexpected)
    goal = (objective, weight or None, tuple(no_worse_than), near, matters, predictions)
    split = _read_budget(budget, laws, mixture, epochs, allow_partial, *goal, registry)
    if dry_run:
        return run_estimate(build_options, split)
    with open_progress(progress) as reported:
        published = run_publish(build_options, registry, format, private, version, split, reported)
    return _like(recipes, published)


@overload
def build(recipes: RecipeLike, *, progress: ProgressLike = None, **options: Unpack[RunOptions]) -> BuildResult: ...
@overload
def build(
    recipes: RecipeList = None, *, progress: ProgressLike = None, **options: Unpack[RunOptions]
) -> list[BuildResult]: ...
@with_run_options
def build(
    recipes: RecipeLike | RecipeList = None, *, progress: ProgressLike = None, **options: Unpack[RunOptions]
) -> BuildResult | list[BuildResult]:
    """Build recipes in the work folder without publishing them.

    Args:
        recipes: A recipe, by name, by path or as a mapping; or a list of them. None means `coit` and `muit`.
        progress: Receives the progress: a `Progress`, or a function of a `Status`. None logs it.
        **options: The fields of `BuildOptions`.

    Returns:
        The build; for a list of recipes or None, a list of builds.

    Raises:
        InputError: An option, recipe or file cannot be used; the message says what to do.
    """
    with open_progress(progress) as reported:
        return _like(recipes, run_build(read_options(recipes, options), reported))


@overload
def pull(
    recipes: RecipeLike | RecipeList = None,
    *,
    dry_run: Literal[False] = False,
    progress: ProgressLike = None,
    **options: Unpack[RunOptions],
) -> list[SourceFile]: ...
@overload
def pull(
    recipes: RecipeLike | RecipeList = None,
    *,
    dry_run: Literal[True],
    progress: ProgressLike = None,
    **options: Unpack[RunOptions],
) -> "Estimate": ...
@with_run_options
def pull(
    recipes: RecipeLike | RecipeList = None,
    *,
    dry_run: bool = False,
    progress: ProgressLike = None,
    **options: Unpack[RunOptions],
) -> "list[SourceFile] | Estimate":
    """Download the files that recipes need, those of the translation model included, and return them.

    Args:
        recipes: A recipe, by name, by path or as a mapping; or a list of them. None means `coit` and `muit`.
        remove_unexpected: Delete files on the Hub that no manifest lists; they are refused otherwise.
        dry_run: Return an `Estimate` of downloads, disk, segments to translate and hours, and do nothing.
        progress: Receives the progress: a `Progress`, or a function of a `Status`. None logs it.
        **options: As in `builders.build`.

    Raises:
        InputError: A file cannot be downloaded, or differs from what the lock file or the catalogue expects.
    """
    build_options = read_options(recipes, options)
    if dry_run:
        return run_estimate(build_options)
    with extend(build_options.with_), open_progress(progress) as reported:
        plan = resolve(build_options)
        with open_workspace(build_options) as work:
            fetched = list(fetch(plan, Steps(work, 1, 1, reported)).values())
            translators = {id(translator): translator for translator in open_translators(plan).values()}
            return fetched + [file for translator in translators.values() for file in translator.files()]


@with_run_options
def translate(
    source: str | Path | None = None,
    *,
    output: str | Path = "translated",
    compare: Sequence[str] = (),
    bitext: Sequence[str] = (),
    progress: ProgressLike = None,
    **options: Unpack[RunOptions],
) -> Any:
    """Translate the instructions of a corpus, or of a JSON file, into languages: a Parquet file per language.

    Args:
        source: A corpus of the catalogue, or a JSON file; None means alpaca, and with `sample` the sample's.
        output: The folder for the files.
        compare: Translators to compare on the first 200 instructions, or on `max_instructions`; no file is written.
        bitext: Corpora of sentence pairs whose words judge the translations.
        progress: Receives the progress: a `Progress`, or a function of a `Status`. None logs it.
        **options: As in `builders.build`.

    Returns:
        A `TranslateResult` with the files; with `compare`, a `TranslatorComparison`.

    Raises:
        InputError: There are no instructions to translate, or there is no translator.
    """
    build_options = read_options(None, options)
    if build_options.translator == "none":
        raise InputError("--translator none translates nothing. Name a model, or leave the option out for the default.")
    with extend(build_options.with_), open_progress(progress) as reported:
        what = str(source or ("sample-alpaca" if build_options.sample else "alpaca"))
        own = split_names(bitext, "--bitext")
        if build_options.score_with:
            raise InputError("--score-with scores the sentence pairs of builds. Translations are judged by --bitext.")
        if compare and own:
            raise InputError("--compare measures by the checks of texts alone. Leave --bitext out.")
        if compare:
            from builders.compare_translators import compare_translators

            return compare_translators(what, split_names(compare, "--compare"), build_options, reported)
        return run_translation(what, Path(output), build_options, reported, own)


def _read_budget(budget: int | None, *details: Any) -> Budget | None:
    """Return the budget that the options describe; laws are loaded only if any option speaks of one."""
    if budget is None and details[:-1] == NO_BUDGET:
        return None
    from builders.budget import read_budget

    return read_budget(budget, *details)


def _like(recipes: RecipeLike | RecipeList, results: Sequence[T]) -> T | list[T]:
    """Return one result for one recipe, and a list for a list."""
    return list(results) if recipes is None or isinstance(recipes, list | tuple) else results[0]
