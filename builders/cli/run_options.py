"""The options of every verb that runs recipes."""

from importlib import import_module
from typing import Any

import click

from corpora.cli import FILE, FOLDER, NAMES, assignments, option
from corpora.options import CORPORA_LOCK, MIRROR, OFFLINE, WITH
from corpora.progress import Progress, stage

COMPUTE_TYPES = ("int8", "float32", "float16", "bfloat16", "int8_float16")
THRESHOLD = "FILTER.KEY[.LANG]=NUMBER"


def load_libraries(progress: Progress) -> None:
    """Import what a run needs, while the progress shows that it has begun."""
    with stage(progress, "load libraries", 0, 0):
        import_module("builders.format")
        import_module("builders.api")


def read_thresholds(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of --set by FILTER.KEY[.LANG]."""
    return dict(assignments(values, "--set", f"{THRESHOLD}, such as low_margin.min=1.06"))


WORK = option(
    "--work",
    type=FOLDER,
    default="work",
    show_default=True,
    metavar="FOLDER|s3://PATH",
    group="Run",
    help="Folder of downloads and finished tasks, or an object store of finished tasks.",
)
RUN_OPTIONS = [
    option("--langs", type=NAMES, default=(), metavar="A,B", group="Recipe", help="Languages beside English."),
    option("--sample", is_flag=True, group="Recipe", help="Build from the bundled sample, without a network."),
    option(
        "--max-instructions",
        type=click.IntRange(1),
        metavar="N",
        group="Recipe",
        help="Take the first N instructions of each corpus.",
    ),
    option(
        "--set",
        multiple=True,
        callback=read_thresholds,
        metavar=THRESHOLD,
        group="Filters",
        help="Change a threshold of a filter. Repeatable.",
    ),
    option(
        "--enable-filters",
        type=NAMES,
        default=(),
        metavar="A,B",
        group="Filters",
        help="Apply filters that are off by default, such as near_duplicate.",
    ),
    option(
        "--disable-filters", type=NAMES, default=(), metavar="A,B", group="Filters", help="Do not apply these filters."
    ),
    option(
        "--quality-scores",
        type=FILE,
        metavar="FILE",
        group="Filters",
        help="Your own scores of sentence pairs by corpus, lang and line_number; each column becomes a filter.",
    ),
    option(
        "--score-with",
        metavar="NAME",
        group="Filters",
        help="Score pairs by a model too, and reject those that it finds unlikely: nllb, labse, another row of "
        "scorers.toml, a folder, or ORG/NAME on the Hub. For GPUs.",
    ),
    option(
        "--skip-decontamination",
        type=NAMES,
        default=(),
        metavar="A,B|all",
        group="Filters",
        help="Keep sentence pairs that contain texts of these benchmarks; the card says so.",
    ),
    WITH,
    MIRROR,
    OFFLINE,
    CORPORA_LOCK,
    option(
        "--language-model",
        metavar="FILE|ORG/NAME",
        group="Filters",
        help="A fastText model (.bin), such as GlotLID's, for languages that lid.176 does not know.",
    ),
    option(
        "--translator",
        metavar="NAME",
        group="Translation",
        help="A row of translators.toml, a folder with a model, ORG/NAME on the Hub, a translation memory in Parquet, "
        "module:Class of a --with folder, or none. Default: that of the recipe, or NLLB.",
    ),
    option(
        "--licence",
        type=click.Choice(("any", "commercial")),
        group="Recipe",
        help="Refuse sources and translators whose licences are not known to allow this use. Default: the recipe's.",
    ),
    option(
        "--beam",
        type=click.IntRange(1),
        default=4,
        show_default=True,
        metavar="N",
        group="Translation",
        help="Beam size.",
    ),
    option(
        "--compute-type",
        type=click.Choice(COMPUTE_TYPES),
        group="Translation",
        help="Number type of the model. Default: int8 on CPUs, float16 on GPUs.",
    ),
    WORK,
    option("--threads", type=click.IntRange(1), metavar="N", group="Run", help="Cores to use. Default: all."),
    option(
        "--max-memory",
        metavar="SIZE",
        group="Run",
        help="Most memory that the run may use, such as 1GB; the rest goes to the disk.",
    ),
    option(
        "--cluster",
        metavar="auto|ADDRESS",
        group="Run",
        help="Do the tasks on the nodes of a Ray cluster that share the work folder; --max-memory is that of a task.",
    ),
    option("--explain", is_flag=True, group="Run", help="Print why each task is made or reused."),
    option(
        "--verify",
        is_flag=True,
        group="Run",
        help="Compare finished files with their SHA-256, not with their size and time alone.",
    ),
]
