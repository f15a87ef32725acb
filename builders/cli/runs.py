"""The verbs that run recipes: publish, build and pull."""

import json
from typing import Any

import click

from builders.cli.amounts import by_lang
from builders.cli.budget_options import BUDGET_OPTIONS
from builders.cli.releases import REMOVE_UNEXPECTED
from builders.cli.run_options import RUN_OPTIONS, load_libraries
from corpora.cli import option, options, report_progress, verb
from corpora.options import JSON
from corpora.printing import print_text

DRY_RUN = option(
    "--dry-run",
    is_flag=True,
    group="Run",
    help="Estimate downloads, disk, segments to translate and hours, and do nothing.",
)
RELEASE_OPTIONS = [
    option(
        "--registry",
        default="registry",
        show_default=True,
        metavar="FOLDER|s3://PATH|hf://ORG[/NAME]",
        group="Release",
        help="Where to publish: a folder, a store, an organisation (a repository per recipe), or one repository.",
    ),
    option("--private", is_flag=True, group="Release", help="Create a private repository on the Hub."),
    option(
        "--bump",
        type=click.Choice(("major", "minor", "patch")),
        group="Release",
        help="Take a larger step than the difference to the latest version needs.",
    ),
    option(
        "--as-version", metavar="VERSION", group="Release", help="Publish as this version, such as v3.0.0, or refuse."
    ),
    DRY_RUN,
    option("--preview", is_flag=True, group="Release", help="Build, say what would be published, and publish nothing."),
    REMOVE_UNEXPECTED,
    option(
        "--format",
        type=click.Choice(("instructions", "messages")),
        default="instructions",
        show_default=True,
        group="Release",
        help="Columns instruction, input and output, or one column of messages.",
    ),
]
RECIPES = click.argument(
    "recipes",
    nargs=-1,
    metavar="[RECIPE]...",
    help="Names of recipes, or paths of their files; by default coit and muit.",
)


@verb("publish")
@RECIPES
@options(RUN_OPTIONS, RELEASE_OPTIONS, BUDGET_OPTIONS)
@JSON
def publish_verb(recipes: tuple[str, ...], as_json: bool, **settings: Any) -> None:
    """Build recipes and publish each as the next version of its name."""
    import builders

    with report_progress() as progress:
        load_libraries(progress)
        settings["weight"] = by_lang(settings["weight"], "--weight")
        published = builders.publish(list(recipes) or None, progress=progress, **settings)
    from builders.format import published_json, published_text

    if settings["dry_run"]:
        _print_estimate(published, as_json)
    else:
        print_text(published_json(published) if as_json else "\n".join(published_text(item) for item in published))


@verb("build")
@RECIPES
@options(RUN_OPTIONS)
@JSON
def build_verb(recipes: tuple[str, ...], as_json: bool, **settings: Any) -> None:
    """Build recipes in the work folder, and show how many rows were kept."""
    import builders

    with report_progress() as progress:
        load_libraries(progress)
        built = builders.build(list(recipes) or None, progress=progress, **settings)
    from builders.format import built_json, built_text

    print_text(built_json(built) if as_json else built_text(built))


@verb("pull")
@RECIPES
@options(RUN_OPTIONS, [DRY_RUN])
@JSON
def pull_verb(recipes: tuple[str, ...], as_json: bool, **settings: Any) -> None:
    """Download and verify the files that recipes need, the translation model included."""
    import builders

    with report_progress() as progress:
        load_libraries(progress)
        fetched = builders.pull(list(recipes) or None, progress=progress, **settings)
    from builders.format import pulled_json, pulled_text

    if settings["dry_run"]:
        _print_estimate(fetched, as_json)
    else:
        print_text(pulled_json(fetched) if as_json else pulled_text(fetched))


def _print_estimate(estimate: Any, as_json: bool) -> None:
    print_text(json.dumps(estimate.to_json(), indent=2) if as_json else repr(estimate))


VERBS = (publish_verb, build_verb, pull_verb)
