"""The command `builders`: a verb parses its options, calls one function of the Python API, and prints."""

import sys
from typing import NoReturn

import click

from builders.cli.languages import languages_verb
from builders.cli.mixtures import VERBS as MIXTURE_VERBS
from builders.cli.releases import VERBS as RELEASE_VERBS
from builders.cli.runs import VERBS as RUN_VERBS
from builders.cli.translation import tm_verb, translate_verb
from builders.cli.views import VERBS as VIEW_VERBS
from corpora.cli import INTERRUPTED, SETTINGS, Program, run


@click.group(cls=Program, context_settings=SETTINGS)
@click.version_option(package_name="coit-builders")
def cli() -> None:
    """Build versioned CoIT and MuIT datasets from public corpora, with every row accounted for.

    \b
    builders publish --sample --langs ar,el,hi,tr,vi,zh     a first release, in seconds
    builders publish coit muit --langs el,hi                from the public corpora
    builders inspect --lang hi --reason wrong_language_xx   what a filter rejected

    A file builders.toml in the working folder gives defaults for options that name data, such as langs, work,
    registry or with. Python code is used only from folders that the command line names.
    """


cli.add_verbs("Build", [*RUN_VERBS, translate_verb, tm_verb])
cli.add_verbs("Look", [*VIEW_VERBS, languages_verb])
cli.add_verbs("Releases", RELEASE_VERBS)
cli.add_verbs("Mixtures", MIXTURE_VERBS)


RESUME = "Finished work is kept; the same command continues from there."


def main() -> NoReturn:
    """Run the command `builders`."""
    sys.exit(run(cli, RESUME, _answer_interrupt))


def _answer_interrupt(error: BaseException) -> tuple[str, int] | None:
    """Answer Ctrl-C during a query, which DuckDB raises as an error of its own."""
    is_interrupt = str(error) == "Query interrupted" or "failed: KeyboardInterrupt" in str(error)
    return (f"Interrupted. {RESUME}", INTERRUPTED) if is_interrupt else None
