"""The command `builders`: a skin; a verb parses, makes one call, and prints."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from builders.cli.budget_options import budget_options
from builders.cli.mixtures import VERBS as LAW_VERBS
from builders.cli.releases import REGISTRY, VERBS
from builders.cli.translation import tm_verb, translate_verb

if TYPE_CHECKING:
    from builders.run import Request

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(path_type=Path)
RUN_OPTIONS = [
    click.option("--langs", help="Languages beside English, such as ar,el,hi; by default those of the recipe."),
    click.option("--sample", is_flag=True, help="Build from the bundled sample: no network, a few seconds."),
    click.option("--mirror", help="URL or folder that stands for the public servers: scheme and host are replaced."),
    click.option("--catalog", "catalogs", type=FILE, multiple=True, help="TOML file with your own corpora."),
    click.option("--offline", is_flag=True, help="Use what is downloaded already; never touch the network."),
    click.option("--translator", help="A CTranslate2 folder, ORG/REPO on the Hub, a memory in Parquet, or none."),
    click.option("--beam", type=click.IntRange(1), default=4, show_default=True, help="Beams of the translator."),
    click.option(
        "--compute-type",
        type=click.Choice(["int8", "float32", "float16", "bfloat16", "int8_float16"]),
        help="How the translator computes; int8 on CPUs and float16 on GPUs by default.",
    ),
    click.option("--records", type=click.IntRange(1), metavar="N", help="Only the first N instructions of a corpus."),
    click.option("--set", "changes", multiple=True, metavar="FILTER.THRESHOLD=VALUE", help="Change a threshold."),
    click.option("--without", multiple=True, metavar="FILTER", help="Leave a filter out."),
    click.option("--also", multiple=True, metavar="FILTER", help="Ask for an optional filter, such as near_duplicate."),
    click.option("--scores", type=FILE, help="Your own scores by corpus, lang and line; each column is a filter row."),
    click.option(
        "--no-decontaminate", multiple=True, metavar="SET", help="Let text of an evaluation set in; the card says so."
    ),
    click.option("--work", type=FOLDER, default="work", show_default=True, help="Where finished units are kept."),
    click.option(
        "--lock", type=FILE, default="corpora.lock", show_default=True, help="Digests of what was downloaded."
    ),
    click.option("--threads", type=click.IntRange(1), help="Cores to use; all by default."),
    click.option("--memory", help="Most memory that the run may hold, such as 1GB; the disk takes the rest."),
    click.option("--explain", is_flag=True, help="Say of each unit of work why it is made or reused."),
]
TO = "Where to: a registry folder, hf://ORG (a repository a recipe), or hf://ORG/NAME."
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")


def run_options(verb: Any) -> Any:
    """The options of every verb that runs recipes."""
    for option in reversed(RUN_OPTIONS):
        verb = option(verb)
    return verb


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coit-builders")
def cli() -> None:
    """Build versioned CoIT and MuIT datasets from public corpora, every row accounted for.

    \b
    builders publish --sample --langs ar,el,hi,tr,vi,zh     a first release, in seconds
    builders publish coit muit --langs el,hi                from the public corpora
    builders inspect --lang hi --reason wrong_language_xx   what a filter threw away
    """


@cli.command("publish")
@click.argument("recipes", nargs=-1)
@click.option("--to", default="registry", show_default=True, metavar="PLACE", help=TO)
@click.option("--private", is_flag=True, help="Make the repository on the Hub private.")
@click.option("--bump", type=click.Choice(["major", "minor", "patch"]), help="A larger step than the difference needs.")
@click.option("--as-version", metavar="VERSION", help="Publish as this version, such as v3.0.0.")
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
@click.option(
    "--format", "form", type=click.Choice(["instructions", "messages"]), default="instructions", show_default=True
)
@run_options
@budget_options
@JSON
def publish_verb(
    recipes: tuple[str, ...],
    to: str,
    private: bool,
    bump: str | None,
    as_version: str | None,
    dry_run: bool,
    form: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Build RECIPES (by default coit and muit; names or paths) and publish each as the next version."""
    from builders.format import published_json, published_text
    from builders.publishing import PublishOptions
    from builders.run import run_publish

    published = []
    wish = PublishOptions(bump, as_version, dry_run)
    for release in run_publish(_request(recipes, **options), to, form, wish, private):
        published.append(release)
        if not as_json:
            click.echo(published_text(release))
    if as_json:
        click.echo(published_json(published))


@cli.command("build")
@click.argument("recipes", nargs=-1)
@run_options
@JSON
def build_verb(recipes: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Do all but the publishing: build RECIPES in the work folder and print the account."""
    from builders.format import built_json, built_text
    from builders.run import run_build

    built = run_build(_request(recipes, **options))
    click.echo(built_json(built) if as_json else built_text(built))


@cli.command("pull")
@click.argument("recipes", nargs=-1)
@run_options
@JSON
def pull_verb(recipes: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Download what RECIPES need, the translation model included, verified and locked, and nothing else."""
    from builders.format import pulled_json, pulled_text
    from builders.run import run_pull

    fetched = run_pull(_request(recipes, **options))
    click.echo(pulled_json(fetched) if as_json else pulled_text(fetched))


@cli.command("list")
@click.option("--langs", help="Only these languages.")
@click.option("--catalog", "catalogs", type=FILE, multiple=True, help="TOML file with your own corpora.")
@JSON
def list_verb(langs: str | None, catalogs: tuple[Path, ...], as_json: bool) -> None:
    """Corpora by language: rows as upstream counts them, licences, and what does not exist."""
    from builders.format import catalog_json, catalog_text
    from corpora.catalog import load_catalog, read_corpora

    chosen = _langs(langs)
    catalog = load_catalog() | {name: row for path in catalogs for name, row in read_corpora(path).items()}
    click.echo(catalog_json(catalog, chosen) if as_json else catalog_text(catalog, chosen))


@cli.command("show")
@click.argument("release")
@REGISTRY
@JSON
def show_verb(release: str, registry: str, as_json: bool) -> None:
    """A RELEASE (NAME, NAME@VERSION, hf://ORG/NAME@VERSION or its folder): configs, rows, ledger, provenance."""
    from builders.format import release_text
    from cards.manifest import to_text
    from cards.releases import open_release

    found = open_release(release, registry)
    click.echo(to_text(found.manifest).rstrip() if as_json else release_text(found.uri, found.manifest))


@cli.command("inspect")
@click.option("--lang", required=True, help="The language of the pairs.")
@click.option("--reason", help="Only what this filter rejected; 'kept' for what none did.")
@click.option("--sample-rejected", type=click.IntRange(1), metavar="N", help="N lines that each filter rejected.")
@click.option("--recipe", help="The build of this recipe; by default the newest that has the language.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Lines to print.")
@click.option("--out", type=FILE, help="Write all of it as Parquet instead.")
@click.option("--work", type=FOLDER, default="work", show_default=True, help="The work folder of the build.")
@JSON
def inspect_verb(
    lang: str,
    reason: str | None,
    sample_rejected: int | None,
    recipe: str | None,
    limit: int,
    out: Path | None,
    work: Path,
    as_json: bool,
) -> None:
    """Lines of the newest build, kept or thrown away, with measures, reason and match."""
    import json

    from builders.format import lines_json, lines_text
    from builders.pipeline.lines import read_lines, write_lines
    from builders.pipeline.lines import sample_rejected as scattered

    rows = read_lines(work, lang.strip().lower(), recipe, reason)
    if sample_rejected:
        rows, limit = scattered(rows, sample_rejected), 10_000
    if out:
        count = write_lines(rows, out)
        click.echo(json.dumps({"lines": count, "file": str(out)}) if as_json else f"{count:,} lines are in {out}.")
        return
    chosen = rows.head(limit).collect()
    click.echo(lines_json(chosen) if as_json else lines_text(chosen))


for verb in (*VERBS, *LAW_VERBS):
    cli.add_command(verb)


def _request(
    recipes: tuple[str, ...],
    langs: str | None,
    changes: tuple[str, ...],
    explain: bool,
    memory: str | None,
    **options: Any,
) -> "Request":
    from builders.pipeline.filters import parse_changes
    from builders.run import Request
    from recipes.recipe import DEFAULT_NAMES

    return Request(
        recipes=recipes or DEFAULT_NAMES,
        langs=_langs(langs),
        thresholds=parse_changes(changes),
        memory=_bytes(memory),
        tell=_hint,
        explain=_hint if explain else lambda sentence: None,
        **options,
    )


def _bytes(text: str | None) -> int | None:
    import re

    from corpora.errors import InputError

    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(MB|GB)", text.strip(), re.IGNORECASE)
    size = int(float(match[1]) * {"MB": 10**6, "GB": 10**9}[match[2].upper()]) if match else 0
    if size < 800 * 10**6:
        raise InputError(f"--memory takes a size of at least 800MB, such as 1GB or 1.5GB, not '{text}'.")
    return size


def _langs(text: str | None) -> tuple[str, ...]:
    from corpora.catalog import language

    return tuple(language(lang.strip().lower()).code for lang in text.split(",")) if text is not None else ()


def _hint(sentence: str) -> None:
    click.echo(sentence, err=True)


cli.add_command(translate_verb(run_options, _request))
cli.add_command(tm_verb)


def main() -> NoReturn:
    """Run the command; what is wrong for a person to mend is a sentence and exit code 2."""
    sys.exit(_exit_code())


def _exit_code() -> int:
    from corpora.errors import InputError

    try:
        cli.main(standalone_mode=False)
    except InputError as error:
        return _say(f"Error: {error}", 2)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return _say("Interrupted. Finished work is kept; the same command goes on from there.", 130)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        return _say(
            f"Error: {error.strerror or error}{place}. Nothing half-written is left; mend this and run it again.", 2
        )
    return 0


def _say(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code
