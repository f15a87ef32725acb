"""The options that verbs of both commands have."""

from collections.abc import Callable
from typing import Any

from corpora.cli import FILE, FOLDER, option

JSON = option("--json", "as_json", is_flag=True, group="Output", help="Print JSON.")
WITH = option(
    "--with",
    "with_",
    type=FOLDER,
    multiple=True,
    metavar="FOLDER",
    group="Data",
    help="Add your own tables (corpora.toml, languages.csv, filters.toml, prompts.toml, benchmarks.toml, "
    "metrics.toml, translators.toml, quality_checks.toml, ...), recipes "
    "(datasets/, training/), task files (lm_eval_tasks/) and Python functions. Repeatable.",
)
MIRROR = option(
    "--mirror",
    metavar="URL|FOLDER",
    group="Data",
    help="Use this in place of the public servers: scheme and host are replaced.",
)
OFFLINE = option("--offline", is_flag=True, group="Data", help="Use only what is downloaded.")
CORPORA_LOCK = option(
    "--corpora-lock",
    type=FILE,
    default="corpora.lock",
    show_default=True,
    metavar="FILE",
    group="Data",
    help="The lock file with the digests of downloads.",
)


def registry_option(group: str) -> Callable[[Any], Any]:
    """Return --registry, in a section of --help."""
    return option(
        "--registry",
        default="registry",
        show_default=True,
        metavar="FOLDER|hf://ORG",
        group=group,
        help="Where releases are: a folder, or an organisation on the Hub.",
    )


def datasets_lock_option(group: str) -> Callable[[Any], Any]:
    """Return --datasets-lock, in a section of --help."""
    return option(
        "--datasets-lock",
        type=FILE,
        default="datasets.lock",
        show_default=True,
        metavar="FILE",
        group=group,
        help="The lock file of releases.",
    )
