"""Datasets of the Hub as bitexts: the Parquet files of a config at a commit, as URLs for the same verified download."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from corpora.catalog import Corpus
from corpora.download import read_lock
from corpora.errors import InputError
from corpora.hub import HubRepository
from corpora.named.access import Access

NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]*?[\w.-]))?(?:/([^/@]+))?")
SPLITS = ("train", "validation", "valid", "dev", "test")


def hub_corpus(name: str, corpus_id: str) -> Corpus:
    """Return the corpus `hf:ORG/NAME[@REVISION][/CONFIG]`, whose files are not known yet."""
    repository, revision, _ = split_name(name)
    return Corpus(
        id=corpus_id,
        title=f"{repository}, a dataset of the Hugging Face Hub",
        kind="bitext",
        version=revision or "main",
        format="parquet",
        url=name,
        langs="any",
        licence="other",
        licence_note="As its card on the Hugging Face Hub states.",
        homepage=f"https://huggingface.co/datasets/{repository}",
    )


def split_name(name: str) -> tuple[str, str, str]:
    """Return repository, revision and config of `hf:ORG/NAME[@REVISION][/CONFIG]`; what is not named is empty."""
    match = NAME.fullmatch(name)
    if not match:
        raise InputError(
            f"'{name}' is not hf:ORG/NAME[@REVISION][/CONFIG], such as hf:Helsinki-NLP/opus_books/{{pair}}."
        )
    return match[1], match[2] or "", match[3] or ""


def with_files(corpus: Corpus, langs: Sequence[str], access: Access) -> Corpus:
    """Return a corpus of the Hub with its commit, licence, and the URLs of its files in some languages.

    Raises:
        InputError: There is no such dataset, revision or config, several configs fit, or the revision has moved since
            the lock file was written.
    """
    from huggingface_hub import constants, hf_hub_url

    name, revision, config = split_name(corpus.urls[0])
    repository = HubRepository(name, offline=access.offline)
    info = repository.get_info(revision or "main")
    _check_pinned(name, revision, info.commit, constants.ENDPOINT, access)
    files = {}
    for lang in langs:
        code = corpus.upstream_code(lang)
        own = config.replace("{pair}", "-".join(sorted((corpus.upstream_code("en"), code)))).replace("{code}", code)
        paths = _paths(f"hf:{name}@{info.commit[:12]}", info.files, own)
        files[lang] = tuple(hf_hub_url(name, path, repo_type="dataset", revision=info.commit) for path in paths)
    is_stated = info.licence != "not stated" and corpus.licence == "other"
    return replace(
        corpus, version=info.commit, files=files, licence=info.licence.lower() if is_stated else corpus.licence
    )


def _check_pinned(name: str, revision: str, commit: str, endpoint: str, access: Access) -> None:
    """Raise InputError if files of another commit are locked and the revision is no commit."""
    start = f"{endpoint}/datasets/{name}/resolve/"
    locked = {url.removeprefix(start).partition("/")[0] for url in read_lock(access.lock) if url.startswith(start)}
    if locked and commit not in locked and revision != commit:
        raise InputError(
            f"hf:{name}: '{revision or 'main'}' has moved from {', '.join(sorted(locked))} to {commit} since "
            f"{access.lock} was written. Name the commit, or remove the entries from {access.lock}."
        )


def _paths(where: str, files: Sequence[str], config: str) -> list[str]:
    """Return the Parquet files of a config, those for training where splits are apart."""
    tables = [path for path in files if path.endswith(".parquet")]
    if not tables:
        raise InputError(f"{where} has no Parquet files. Name its branch refs/convert/parquet, or use a local copy.")
    configs = sorted({own for path in tables for own in [_config(path)] if own})
    if config:
        own = [path for path in tables if config in PurePosixPath(path).parts[:-1]]
        if not own:
            raise InputError(f"{where} has no config '{config}'. It has: {', '.join(configs[:30]) or 'none'}.")
    elif len(configs) > 1:
        raise InputError(
            f"{where} has several configs: {', '.join(configs[:30])}. Name one, such as hf:.../{configs[0]}."
        )
    else:
        own = tables
    training = [path for path in own if "train" in path]
    return sorted(training or own)


def _config(path: str) -> str:
    """Return the folder of a file that names its config; splits and `data` are none."""
    folders = [part for part in PurePosixPath(path).parts[:-1] if part not in (*SPLITS, "data")]
    return folders[0] if folders else ""
