"""Publish, build or estimate the recipes of some options."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from builders.budget import Budget, name_by_budget, subsample
from builders.execution import build_recipes, open_workspace, plan_steps, report_step
from builders.options import BuildOptions
from builders.pipeline import BuildResult, Steps, as_messages
from builders.publishing import (
    Draft,
    Published,
    PublishOptions,
    Registry,
    count_digests,
    describe,
    open_registry,
    publish_draft,
    release_name,
    write_data,
)
from builders.resolve import BuildPlan, resolve, use_tables
from builders.workspace import Workspace
from corpora.errors import InputError
from corpora.progress import NullProgress, Progress

if TYPE_CHECKING:
    from builders.estimate import Estimate

logger = logging.getLogger(__name__)


def run_publish(
    options: BuildOptions,
    registry: str | Path = "registry",
    format: str = "instructions",
    private: bool = False,
    version: PublishOptions | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> list[Published]:
    """Build and publish the recipes of some options, one after the other."""
    version, progress = version or PublishOptions(), progress or NullProgress()
    with use_tables(options):
        plan = replace(resolve(options, budget), has_turns=format == "messages")
        registries = _open_registries(plan, str(registry), format, private, version)
        with open_workspace(options) as work:
            steps = plan_steps(plan, work, progress, publish=True)
            published: list[Published] = []
            try:
                for built in build_recipes(plan, work, steps):
                    published.append(_publish(built, plan, registries, format, version, work, steps))
            except BaseException:
                for release in published:
                    logger.warning("%s was published before the run stopped.", release.uri)
                raise
            return published


def run_estimate(options: BuildOptions, budget: Budget | None = None) -> "Estimate":
    """Return what building the recipes of some options would take."""
    from builders.estimate import estimate_build

    with use_tables(options):
        return estimate_build(resolve(options, budget))


def run_build(options: BuildOptions, progress: Progress | None = None) -> list[BuildResult]:
    """Build the recipes of some options."""
    with use_tables(options):
        plan = resolve(options)
        with open_workspace(options) as work:
            return list(build_recipes(plan, work, plan_steps(plan, work, progress or NullProgress())))


def _open_registries(
    plan: BuildPlan, uri: str, format: str, private: bool, version: PublishOptions
) -> dict[str, Registry]:
    """Return the registry of each recipe's releases, by the recipe's name."""
    names = {recipe.name: release_name(name_by_budget(recipe, plan.budget), format) for recipe in plan.recipes}
    registries = {recipe: open_registry(uri, name, private) for recipe, name in names.items()}
    if len({registry.uri for registry in registries.values()}) < len(plan.recipes):
        raise InputError(f"{uri} is one repository, for one recipe. Name the organisation, or publish one recipe.")
    for registry in registries.values() if not version.preview else ():
        registry.check_writable(version.remove_unexpected)
    return registries


def _publish(
    built: BuildResult,
    plan: BuildPlan,
    registries: Mapping[str, Registry],
    format: str,
    version: PublishOptions,
    work: Workspace,
    steps: Steps,
) -> Published:
    registry = registries[built.recipe.name]
    with report_step(steps, f"publish {registry.name}"):
        if plan.budget:
            built = subsample(built, plan.budget, work)
        if format == "messages":
            built = replace(built, examples=as_messages(built.recipe, built.examples, work))
        draft = Draft(describe(built, format, plan.catalog), partial(write_data, built, format), count_digests(built))
        return publish_draft(registry, draft, work, version)
