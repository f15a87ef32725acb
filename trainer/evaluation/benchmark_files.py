"""Files of benchmarks: the user's own from the folder of --data, or upstream's, downloaded once."""

from collections.abc import Sequence
from pathlib import Path

from corpora.catalog import Corpus, language
from corpora.errors import InputError
from trainer.evaluation.items import BenchmarkSource
from trainer.evaluation.unpacked_files import nearest_files


def find_file(source: BenchmarkSource, names: Sequence[str]) -> Path | None:
    """Return the file of one of these names in the user's folder, compressed or not, or in an unpacked archive there.

    Raises:
        InputError: The folder does not exist, or holds several files of the name.
    """
    if source.data is None:
        return None
    if not source.data.is_dir():
        raise InputError(f"There is no folder {source.data} (--data).")
    paths = next(filter(None, (nearest_files(source.data, name) for name in names)), [])
    if len(paths) > 1:
        raise InputError(f"{source.data} holds several files of one name: {paths[0]} and {paths[1]}. Keep one of them.")
    return paths[0] if paths else None


def fetch_upstream(corpus: Corpus, lang: str, source: BenchmarkSource, names: Sequence[str]) -> Path:
    """Return upstream's file of a corpus in a language, downloaded if it is not here yet.

    Args:
        corpus: The corpus.
        lang: The language's code.
        source: Where to download from and to.
        names: The names that the user's folder lacks, for errors.

    Raises:
        InputError: The corpus does not have the language, or the file cannot be downloaded.
    """
    from corpora.download import Source, pull_sources

    if not corpus.has(lang):
        raise InputError(f"{corpus.title} has no {language(lang).name}; it has {', '.join(corpus.listed_langs)}.")
    file = Source(corpus.id, lang, corpus.location(lang), corpus.sha256.get(lang))
    try:
        folder, lock = source.downloads, source.corpora_lock
        return pull_sources([file], folder, lock, mirror=source.mirror, offline=source.offline)[0].path
    except InputError as error:
        missing = f"{source.data} holds no {' or '.join(names)}. " if source.data and names else ""
        raise InputError(f"{missing}{error}") from None
