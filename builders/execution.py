"""Carry out a plan: open the work folder, fetch, translate and build."""

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builders.cluster import ClusterExecutor, RunSettings
from builders.licence_gate import check_translator, required_use
from builders.options import BuildOptions
from builders.pipeline import (
    BuildResult,
    PartTables,
    Steps,
    build_recipe,
    build_stages,
    domain_warnings,
    filter_warnings,
    order_warnings,
    read_build_manifest,
    score_warnings,
)
from builders.resolve import BuildPlan
from builders.scoring import Scorer, open_scorer
from builders.staging import staged_work
from builders.translation import Translator, TranslatorOptions, resolve_translator
from builders.workspace import Workspace
from corpora.cluster import check_nodes, open_cluster, own_versions
from corpora.download import Source, SourceFile, missing_sources, pull_sources
from corpora.errors import InputError
from corpora.extensions import current_extensions
from corpora.files import atomic_path
from corpora.leases import lease_folder
from corpora.path_lengths import check_path_length
from corpora.progress import Progress, stage

logger = logging.getLogger(__name__)


@contextmanager
def open_workspace(options: BuildOptions) -> Iterator[Workspace]:
    """Yield the work folder, for this run alone, without what killed runs left half-written.

    Raises:
        InputError: Another run uses the folder, DuckDB cannot take its name, or it is too long.
    """
    check_path_length(options.work)
    if set(str(options.work.resolve())) & set("[]"):
        raise InputError(
            f"DuckDB takes [ and ] in {options.work.absolute()} for a pattern. Name another --work folder."
        )
    if re.match(r"[^/]*:", str(options.work)) or "::" in str(options.work.absolute()):
        raise InputError(
            f"Apache Arrow takes the beginning of {options.work} for the protocol of an address. "
            f"Name another --work folder than {options.work.absolute()}."
        )
    explain = logger.warning if options.explain else logger.info
    store = staged_work(options.store, options.work) if options.store else nullcontext()
    with lease_folder(options.work, "work folder"), store as staged:
        threads = options.threads or os.cpu_count() or 1
        work = Workspace(options.work, threads, options.max_memory, explain, options.verify, staged=staged)
        work.clean()
        try:
            if options.cluster:
                work.executor = open_executor(options.cluster, work)
            yield work
        finally:
            work.close()
            work.clean()


def open_executor(address: str, work: Workspace) -> ClusterExecutor:
    """Return what does the tasks on a cluster whose nodes are checked."""
    cluster = open_cluster(address)
    try:
        nodes = check_nodes(cluster, work.folder)
    except BaseException:
        cluster.close()
        raise
    logger.info("The tasks are done on %d nodes: %s.", len(nodes), ", ".join(node.name for node in nodes))
    versions = tuple(own_versions().items())
    return ClusterExecutor(
        work, cluster, RunSettings(work.folder, work.memory, work.rehash, current_extensions(), versions)
    )


def plan_steps(plan: BuildPlan, work: Workspace, progress: Progress, publish: bool = False) -> Steps:
    """Return the steps of a run: the download, the stages of each recipe, and the publication of each if asked for."""
    stages = [stage for recipe in plan.recipes for stage in build_stages(recipe)]
    return Steps(work, 1 + len(stages) + (len(plan.recipes) if publish else 0), 1, progress)


def fetch(plan: BuildPlan, steps: Steps) -> dict[Source, SourceFile]:
    """Return the files of a plan by source, downloaded where they are not there yet."""
    options, progress = plan.options, steps.progress
    done: dict[str, int] = {}
    totals: dict[str, int] = {}

    def advance(name: str, num_done: int, total: int | None) -> None:
        progress.extend((total or num_done) - totals.get(name, 0))
        progress.advance(max(0, num_done - done.get(name, 0)))
        done[name], totals[name] = num_done, total or num_done

    folder = options.work / "downloads"
    with report_step(steps, "download", "bytes"):
        try:
            fetched = pull_sources(
                plan.all_sources,
                folder,
                options.corpora_lock,
                mirror=options.mirror,
                offline=options.offline,
                on_bytes=advance,
            )
        except InputError as error:
            raise InputError(f"{error}{_missing_benchmarks(plan, folder)}") from None
    return {file.source: file for file in fetched}


def _missing_benchmarks(plan: BuildPlan, folder: Path) -> str:
    """Return a sentence on the benchmarks that are not on this machine, with the option that goes without them."""
    sources = [source for source in plan.all_sources if plan.catalog[source.corpus].kind == "benchmark"]
    names = sorted({source.corpus for source in missing_sources(sources, folder, plan.options.mirror)})
    if not names:
        return ""
    return (
        f" Of the benchmarks whose texts are searched for, these are missing here: {', '.join(names)}. "
        f"To build without them: --skip-decontamination {','.join(names)} (or all); the card says so."
    )


def open_translators(plan: BuildPlan, work: Workspace | None = None) -> dict[str, Translator]:
    """Return the translator of each recipe, by the recipe's name; two recipes with the same one share it.

    Raises:
        InputError: A translator cannot be opened, lacks a language, or its licence does not allow what it must.
    """
    device = work.executor.device() if work else None
    options = translator_options(plan.options, device)
    names = {recipe.name: plan.translator_name(recipe) for recipe in plan.recipes}
    opened = {name: resolve_translator(name, options) for name in dict.fromkeys(names.values())}
    for recipe in plan.recipes:
        translator = opened[names[recipe.name]]
        for lang in recipe.langs if translator.is_available else ():
            translator.for_lang(lang)  # what is missing is an error before anything is translated
        check_translator(recipe, translator, required_use(recipe, plan.options.licence))
    return {recipe: opened[name] for recipe, name in names.items()}


def open_model_scorer(plan: BuildPlan) -> Scorer | None:
    """Return the model that scores pairs; None if the options name none.

    Raises:
        InputError: It cannot be opened, or lacks a language.
    """
    if not plan.options.score_with:
        return None
    scorer = open_scorer(plan.options.score_with, translator_options(plan.options))
    for lang in dict.fromkeys(lang for recipe in plan.recipes if recipe.reads_bitext for lang in recipe.langs):
        scorer.check_language(lang)
    return scorer


def translator_options(options: BuildOptions, device: str | None = None) -> TranslatorOptions:
    """Return what a translator needs to know of some options."""
    return TranslatorOptions(
        options.work,
        options.threads,
        options.offline,
        options.beam,
        options.compute_type,
        options.corpora_lock,
        logger.warning,
        device,
    )


@contextmanager
def report_step(steps: Steps, name: str, unit: str = "rows") -> Iterator[None]:
    """Report the block as the next step of a run."""
    with stage(steps.progress, name, steps.index, steps.count, unit=unit):
        yield
    steps.index += 1


def build_recipes(plan: BuildPlan, work: Workspace, steps: Steps) -> Iterator[BuildResult]:
    """Build recipe after recipe; everything is checked and fetched before the first begins."""
    scorer = open_model_scorer(plan)
    translators = open_translators(plan, work) if plan.options.translator else None  # a wrong name is reported at once
    fetched = fetch(plan, steps)
    translators = translators or open_translators(plan, work)
    for recipe in plan.recipes:
        work.touched.clear()
        files = [fetched[source] for source in plan.sources[recipe.name]]
        built = build_recipe(
            recipe,
            plan.catalog,
            files,
            plan.filters[recipe.name],
            translators[recipe.name],
            plan.quality_scores,
            work,
            steps,
            plan.has_turns,
            scorer,
        )
        record_build(built, work)
        for sentence in _warnings(plan, built):
            logger.warning(sentence)
        yield built


def _part_files(tables: PartTables, work: Workspace) -> dict[str, str]:
    """Return the files of a part from which its lines can be read."""
    files = {"pairs": tables.part.pairs, "measured": tables.measured, "decisions": tables.decisions}
    return {name: work.relative(path) for name, path in files.items()}


def _warnings(plan: BuildPlan, built: BuildResult) -> list[str]:
    scores = plan.quality_scores
    about_scores = score_warnings(scores, built.filters, built.parts) if scores else ()
    about_pairs = [*filter_warnings(built.ledger, built.filters), *domain_warnings(built.domains)]
    return [*order_warnings(built.parts), *about_pairs, *about_scores]


def record_build(built: BuildResult, work: Workspace) -> None:
    """Write which tasks a recipe's newest build is made of, and remove those that no recipe's build uses."""
    record: dict[str, Any] = {
        "recipe": built.recipe.name,
        "filters": [asdict(rule) for rule in built.filters],
        "parts": {lang: [_part_files(own, work) for own in tables] for lang, tables in built.parts.items()},
        "tasks": sorted({work.relative(path) for path in work.touched}),
    }
    with atomic_path(work.folder / "builds" / f"{built.recipe.name}.json") as path:
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if work.staged:
        work.staged.put(work.folder / "builds" / f"{built.recipe.name}.json")
    kept = {task for path in (work.folder / "builds").glob("*.json") for task in read_build_manifest(path)["tasks"]}
    work.prune(kept)
