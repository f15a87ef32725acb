"""The functions behind the verbs that look at corpora and builds: list_corpora, inspect and browse."""

import getpass
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from builders.corpus_list import CorpusList
from corpora.arguments import checked, overload
from corpora.catalog import language, language_codes, languages, load_catalog
from corpora.errors import InputError
from corpora.extensions import extend

if TYPE_CHECKING:
    import polars as pl

    from builders.opus_list import OpusList

logger = logging.getLogger(__name__)


@checked
def list_corpora(
    *, langs: Sequence[str] = (), opus: str | None = None, mirror: str | None = None, with_: Sequence[str | Path] = ()
) -> "CorpusList | OpusList":
    """Return the corpora, and what each of them has in some languages, or in all.

    Args:
        langs: Codes of languages; none means all.
        opus: List the corpora of OPUS whose names contain this text instead.
        mirror: A URL that replaces OPUS's scheme and host.
        with_: Folders with the user's own tables.

    Raises:
        InputError: A language is unknown, or OPUS has no such corpus or cannot be asked.
    """
    with extend(with_):
        if opus is not None:
            from builders.opus_list import OpusList, check_text
            from corpora.named import Access, list_opus

            corpora = list_opus(check_text(opus), Access(Path("work/downloads"), Path("corpora.lock"), mirror))
            return OpusList(tuple(corpora), language_codes(langs))
        return CorpusList(load_catalog(), language_codes(langs) or tuple(languages()))


@overload
def inspect(
    *,
    lang: str,
    reason: str | None = None,
    sample_rejected: int | None = None,
    recipe: str | None = None,
    limit: int = 20,
    output: None = None,
    work: str | Path = "work",
) -> "pl.DataFrame": ...
@overload
def inspect(
    *,
    lang: str,
    reason: str | None = None,
    sample_rejected: int | None = None,
    recipe: str | None = None,
    limit: int = 20,
    output: str | Path,
    work: str | Path = "work",
) -> int: ...
@checked
def inspect(
    *,
    lang: str,
    reason: str | None = None,
    sample_rejected: int | None = None,
    recipe: str | None = None,
    limit: int = 20,
    output: str | Path | None = None,
    work: str | Path = "work",
) -> "pl.DataFrame | int":
    """Return lines of the newest build, kept or rejected, with measurements, reason and match, as a Polars frame.

    Args:
        lang: The language of the sentence pairs.
        reason: Only lines that this filter rejected; `kept` for those that are kept.
        sample_rejected: The number of lines to return for each filter that rejected any.
        recipe: The build of this recipe; None means the newest with the language.
        limit: The most lines.
        output: Write all lines to this Parquet file, and return how many there are.
        work: The work folder of the build, or a store, from which the files of its builds are fetched.

    Raises:
        InputError: There is no such build, language or reason.
    """
    from builders.pipeline import read_lines, with_unexplained_words, write_lines
    from builders.pipeline import sample_rejected as sample
    from builders.staging import local_work

    folder = local_work(work)
    rows = read_lines(folder, language(lang.strip()).code, recipe, reason)
    if sample_rejected:
        rows, limit = sample(rows, sample_rejected), 10_000
    if output:
        return write_lines(rows, Path(output))
    return with_unexplained_words(rows.head(limit).collect(), folder, lang.strip().lower(), recipe)


@checked
def browse(
    *,
    work: str | Path = "work",
    registry: str | Path = "registry",
    runs_folder: str | Path = "runs",
    labels: str | Path = "labels.csv",
    recipe_file: str | Path | None = None,
    annotator: str | None = None,
    laws: str | Path = "laws.json",
    results: str | Path = "results.jsonl",
    port: int = 0,
    no_browser: bool = False,
) -> None:
    """Serve pages that show corpora, filters, translations, releases and laws, until Ctrl-C.

    The server answers only on this machine, and only addresses that hold its token; the first one is logged.

    Args:
        work: The work folder, or a store.
        registry: The folder of releases, or hf://ORG.
        runs_folder: The folder of runs.
        labels: The CSV file of labels, which labelling extends.
        recipe_file: The recipe that changed thresholds may be saved in.
        annotator: Who labels; None means the name of the user.
        laws: The laws that `builders fit` has written.
        results: The results that `trainer evaluate` has written.
        port: The port; 0 for a free one.
        no_browser: Do not open the browser.

    Raises:
        InputError: The extra `browse` is not installed, or the port is in use.
    """
    _check_extra()
    from builders.pages import Project, open_browser, serve
    from builders.staging import local_work

    project = Project(
        work=local_work(work),
        registry=str(registry),
        runs=Path(runs_folder),
        labels=Path(labels),
        recipe_file=Path(recipe_file) if recipe_file else None,
        annotator=annotator or getpass.getuser(),
        laws=Path(laws),
        results=Path(results),
    )

    def report(url: str) -> None:
        logger.warning("The pages are at %s  (Ctrl-C stops the server)", url)
        if not no_browser:
            open_browser(url)

    serve(project, port, report)


@checked
def report(
    source: str,
    *,
    to: str | Path = "report.html",
    work: str | Path = "work",
    registry: str | Path = "registry",
    labels: str | Path = "labels.csv",
) -> Path:
    """Write what the pages show of a build or a release as one HTML file, and return it.

    Args:
        source: A build of the work folder by its recipe, or a release: NAME[@VERSION] or a folder.
        to: The file.
        work: The work folder, or a store.
        registry: Where NAME is.
        labels: The CSV file of labels, for a build.

    Raises:
        InputError: There is no such build or release, or the extra `browse` is not installed.
    """
    _check_extra()
    from builders.pages import write_report
    from builders.staging import local_work

    return write_report(source, Path(to), local_work(work), str(registry), Path(labels))


def _check_extra() -> None:
    from importlib.util import find_spec

    if missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
        raise InputError(f"{missing[0]} is not installed. Install the extra: pip install 'coit-builders[browse]'.")
