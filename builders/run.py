"""One run: from what a user asks for to builds in the work folder and releases in the registry."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from builders.budget import Budget, check_budget, name_by_budget, subsample
from builders.pipeline.build import Built, build, chosen_filters, sources
from builders.pipeline.examples import as_messages
from builders.pipeline.ledger import filter_warnings
from builders.pipeline.lines import read_build_manifest
from builders.pipeline.quality_scores import Scores, hints, read_scores
from builders.publishing import (
    Draft,
    Published,
    PublishOptions,
    count_digests,
    describe,
    open_registry,
    publish_draft,
    release_name,
    validate_version,
    write_data,
)
from builders.translation import (
    Translator,
    TranslatorOptions,
    check_instructions,
    export,
    load_instructions,
    output_path,
    resolve_translator,
)
from builders.workspace import Workspace
from corpora.catalog import SAMPLE, Corpus, load_catalog, read_corpora
from corpora.download import Source, SourceFile, pull_sources
from corpora.errors import InputError
from corpora.files import atomic_path, locked
from recipes.recipe import (
    DEFAULT_NAMES,
    Recipe,
    load_recipe,
    select_langs,
    skip_decontamination,
    substitute_corpora,
)


@dataclass(frozen=True)
class Request:
    """What a user asks for; the defaults are those of the command line."""

    recipes: tuple[str, ...] = DEFAULT_NAMES
    langs: tuple[str, ...] = ()  # none: those of each recipe
    sample: bool = False
    catalogs: tuple[Path, ...] = ()
    mirror: str | None = None
    offline: bool = False
    translator: str | None = None  # `none`, a model, or the path of a translation memory; None: NLLB
    beam: int = 4
    compute_type: str | None = None  # None: int8 on CPUs, float16 on GPUs
    records: int | None = None  # of each instruction corpus; None: all
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    scores: Path | None = None
    no_decontaminate: tuple[str, ...] = ()
    work: Path = Path("work")
    lock: Path = Path("corpora.lock")
    threads: int | None = None
    memory: int | None = None  # bytes
    budget: Budget | None = None  # of translations, in releases cut to a mixture
    tell: Callable[[str], None] = lambda sentence: None  # hints
    explain: Callable[[str], None] = lambda sentence: None  # why a task is made or reused

    def catalog(self) -> dict[str, Corpus]:
        """Our corpora, the user's, and the sample's if it is asked for."""
        own = {name: row for path in self.catalogs for name, row in read_corpora(path).items()}
        return load_catalog(sample=self.sample) | own

    def chosen(self, catalog: Mapping[str, Corpus]) -> list[Recipe]:
        """The recipes with what the user changed in them; InputError if anything named is not known."""
        recipes = [self._narrowed(load_recipe(name, catalog), catalog) for name in self.recipes]
        for name, count in Counter(recipe.name for recipe in recipes).items():
            if count > 1:
                raise InputError(f"{count} of the recipes are named {name}: a release has one. Rename a recipe's file.")
        return recipes

    def _narrowed(self, recipe: Recipe, catalog: Mapping[str, Corpus]) -> Recipe:
        recipe = select_langs(recipe, self.langs) if self.langs else recipe
        recipe = skip_decontamination(recipe, self.no_decontaminate)
        recipe = substitute_corpora(recipe, catalog, "sample") if self.sample else recipe
        recipe = replace(recipe, max_instructions=self.records) if self.records else recipe
        filters = {name: dict(recipe.filters.get(name, {})) for name in {**recipe.filters, **self.thresholds}}
        for name, values in self.thresholds.items():
            filters[name] |= values
        without = tuple(dict.fromkeys((*recipe.disable_filters, *self.without)))
        also = tuple(dict.fromkeys((*recipe.enable_filters, *self.also)))
        recipe = replace(recipe, filters=filters, disable_filters=without, enable_filters=also)
        if self.budget:
            check_budget(recipe, self.budget)
        chosen_filters(recipe, self.own_scores)  # what is not known is said before anything is fetched
        return recipe

    @cached_property
    def own_scores(self) -> Scores | None:
        """The user's scores of sentence pairs, read and checked once."""
        return read_scores(self.scores, self.catalog(), self.langs) if self.scores else None

    def named_translator(self, recipes: Sequence[Recipe]) -> Translator:
        """The translator that the user named, by default NLLB; the sample brings a translation memory instead."""
        if not any("xx" in recipe.instruction_langs for recipe in recipes):
            return resolve_translator("none")
        if self.sample and self.translator is None:
            return resolve_translator(str(SAMPLE / "memory.parquet"))
        options = TranslatorOptions(
            self.work, self.threads, self.offline, self.beam, self.compute_type, self.lock, self.tell
        )
        return resolve_translator(self.translator, options)


@dataclass(frozen=True)
class Translated:
    """What was translated: the build, and a file of instructions a language."""

    built: Built
    files: Mapping[str, Path]


def run_build(request: Request) -> list[Built]:
    """Build every recipe of a request in its work folder."""
    with _opened(request) as work:
        return list(_builds(request, work))


def run_translate(request: Request, what: str, out: Path) -> Translated:
    """Translate the instructions of a corpus, or of a JSON file, into every language of a request."""
    if request.translator == "none":
        raise InputError("--translator none translates nothing. Name a model, or leave the option out for the default.")
    corpus, stem = load_instructions(what, request.catalog())
    catalog = request.catalog() | {corpus.id: corpus}
    langs = request.langs or load_recipe(DEFAULT_NAMES[0], catalog).langs
    if "en" in langs:
        raise InputError("The records are in English, so they are not translated into it. Leave en out of --langs.")
    places = {lang: output_path(corpus, out / f"{stem}.{lang}.parquet") for lang in langs}
    recipe = Recipe(
        name=f"translate-{corpus.id}",
        title=corpus.title,
        summary=f"{corpus.title}, translated.",
        configs="language",
        langs=langs,
        instructions=(corpus.id,),
        instruction_langs=("xx",),
        max_instructions=request.records,
    )
    with _opened(request) as work:
        translator = request.named_translator([recipe])
        built = build(recipe, catalog, _pull(sources(recipe, catalog), request), translator, None, work)
        _remember(built, work)
        check_instructions(built.ledger, corpus)
        for lang, place in places.items():
            export(built.examples[lang], place)
    return Translated(built, places)


def run_publish(
    request: Request, to: str | Path, form: str, options: PublishOptions | None = None, private: bool = False
) -> Iterator[Published]:
    """Build every recipe of a request and publish it to a registry folder or the Hub, one after the other."""
    catalog = request.catalog()
    recipes = request.chosen(catalog)
    named = [name_by_budget(recipe, request.budget) for recipe in recipes]
    registries = {recipe.name: open_registry(str(to), release_name(recipe, form), private) for recipe in named}
    if len({registry.uri for registry in registries.values()}) < len(recipes):
        raise InputError(f"{to} is one repository, for one recipe; name the organisation, or publish recipe by recipe.")
    if options:
        validate_version(options.bump, options.as_version)
    for registry in registries.values() if not (options and options.dry_run) else ():
        registry.check_writable()
    with _opened(request) as work:
        for built in _builds(request, work):
            if request.budget:
                built = subsample(built, request.budget, work)
            if form == "messages":
                built = replace(built, examples=as_messages(built.recipe, built.examples, work))
            draft = Draft(describe(built, form, catalog), partial(write_data, built, form), count_digests(built))
            yield publish_draft(registries[built.recipe.name], draft, work, options)


def run_pull(request: Request) -> list[SourceFile]:
    """Fetch every file that a request needs, those of the translation model among them, and nothing else."""
    catalog = request.catalog()
    recipes = request.chosen(catalog)
    needed = {source: None for recipe in recipes for source in sources(recipe, catalog)}
    with _opened(request):
        fetched = _pull(list(needed), request)
        return fetched + request.named_translator(recipes).files()


@contextmanager
def _opened(request: Request) -> Iterator[Workspace]:
    """The request's work folder, for this run alone, without what killed runs left half-written."""
    if set(str(request.work.resolve())) & set("[]"):
        raise InputError(f"DuckDB takes [ and ] in {request.work} for a pattern. Name another --work folder.")
    with locked(request.work, "work folder"):
        work = Workspace(request.work, memory=request.memory, explain=request.explain)
        work.clean()
        try:
            yield replace(work, threads=request.threads) if request.threads else work
        finally:
            work.clean()


def _builds(request: Request, work: Workspace) -> Iterator[Built]:
    """Build recipe after recipe; everything is checked and fetched before the first begins."""
    catalog = request.catalog()
    recipes = request.chosen(catalog)
    needed = {recipe.name: sources(recipe, catalog) for recipe in recipes}
    translator = request.named_translator(recipes) if request.translator else None  # a wrong name is told at once
    fetched = {
        file.source: file for file in _pull(list({s: None for found in needed.values() for s in found}), request)
    }
    translator = translator or request.named_translator(recipes)
    for recipe in recipes:
        work.touched.clear()
        files = [fetched[source] for source in needed[recipe.name]]
        built = build(recipe, catalog, files, translator, request.own_scores, work)
        _remember(built, work)
        for sentence in (*filter_warnings(built.ledger, built.filters), *_said_of_scores(request, built)):
            request.tell(sentence)
        yield built


def _said_of_scores(request: Request, built: Built) -> Iterator[str]:
    return hints(request.own_scores, built.filters, built.decisions) if request.own_scores else iter(())


def _pull(needed: list[Source], request: Request) -> list[SourceFile]:
    """Fetch the sources, with one bar for the bytes of all."""
    done: dict[str, int] = {}
    totals: dict[str, int] = {}
    with tqdm(desc="pulling", unit="B", unit_scale=True, delay=2, disable=None, leave=False) as bar:

        def progress(name: str, bytes_done: int, total: int | None) -> None:
            bar.update(max(0, bytes_done - done.get(name, 0)))
            done[name], totals[name] = bytes_done, total or bytes_done
            bar.total = sum(totals.values())

        return pull_sources(
            needed,
            request.work / "downloads",
            request.lock,
            mirror=request.mirror,
            offline=request.offline,
            on_bytes=progress,
        )


def _remember(built: Built, work: Workspace) -> None:
    """Note which tasks a recipe's newest build is made of, and remove those that no recipe's is."""
    record: dict[str, Any] = {
        "recipe": built.recipe.name,
        "filters": [rule.name for rule in built.filters],
        "decisions": {lang: [work.relative(path) for path in paths] for lang, paths in built.decisions.items()},
        "tasks": sorted({work.relative(path) for path in work.touched}),
    }
    with atomic_path(work.folder / "builds" / f"{built.recipe.name}.json") as path:
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    kept = {task for path in (work.folder / "builds").glob("*.json") for task in read_build_manifest(path)["tasks"]}
    work.prune(kept)
