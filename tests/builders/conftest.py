"""Small builds on real files: lines in, verdicts out; and the parts of a hand-made release."""

import gzip
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.options import BuildOptions
from builders.pipeline import BuildResult
from builders.publishing import SCHEMAS
from builders.run import run_build
from cards.manifest import file_entry
from cards.manifest_types import MANIFEST_VERSION, Manifest
from recipes.recipe import Recipe

Line = tuple[float | None, str, str] | bytes  # (margin, en, xx), or the bytes of a line as they are
Lines = Sequence[Line]
SENTENCE = "The parliament met for the first time in the old theatre of the harbour town, and nobody was surprised."
QUESTION = {
    "id": "1",
    "question": "Where did the parliament meet for the first time?",
    "answers": [{"text": "theatre"}],
}
EXAM = {"data": [{"paragraphs": [{"context": SENTENCE, "qas": [QUESTION]}]}]}  # the same in every language


def write_laser(lines: Lines, lang: str, path: Path) -> None:
    """A LASER TSV; its sides stand in the alphabetical order of their codes."""
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        for line in lines:
            if not isinstance(line, bytes):
                margin, en, xx = line
                first, second = (en, xx) if lang > "en" else (xx, en)
                line = f"{margin}\t{first}\t{second}".encode()
            file.write(line + b"\n")


def write_moses(lines: Lines, lang: str, path: Path) -> None:
    """A Moses zip: two members side by side, and no margins."""
    with zipfile.ZipFile(path, "w") as archive:
        for index, code in ((1, "en"), (2, lang)):
            archive.writestr(zipfile.ZipInfo(f"small.{code}"), "".join(f"{line[index]}\n" for line in lines))


def write_corpora(corpora: Mapping[str, Mapping[str, Lines]], folder: Path) -> Path:
    """The catalogue of corpora given as name -> language -> lines; one without any margin is a Moses zip."""
    text = ""
    for name, by_lang in corpora.items():
        moses = all(not isinstance(line, bytes) and line[0] is None for lines in by_lang.values() for line in lines)
        form, ending, write = ("moses-zip", "zip", write_moses) if moses else ("laser-tsv", "tsv.gz", write_laser)
        for lang, lines in by_lang.items():
            write(lines, lang, folder / f"{name}.{'-'.join(sorted(('en', lang)))}.{ending}")
        text += f'[{name}]\ntitle = "Small"\nkind = "bitext"\nversion = "1"\nformat = "{form}"\n'
        text += f'url = "{name}.{{pair}}.{ending}"\nlangs = {json.dumps(sorted(by_lang))}\nlicence = "cc0-1.0"\n\n'
    langs = sorted({"en", *(lang for by_lang in corpora.values() for lang in by_lang)})
    for lang in langs:
        (folder / f"exam.{lang}.json").write_text(json.dumps(EXAM), encoding="utf-8")
    text += '[exam]\ntitle = "Exam"\nkind = "benchmark"\nversion = "1"\nformat = "squad-json"\n'
    text += f'url = "exam.{{code}}.json"\nlangs = {json.dumps(langs)}\nlicence = "cc0-1.0"\n'
    (folder / "corpora.toml").write_text(text, encoding="utf-8")
    return folder / "corpora.toml"


def write_recipe(corpora: Mapping[str, Mapping[str, Lines]], folder: Path, more: str) -> Path:
    """A recipe of translation from English over all corpora, in their order."""
    langs = dict.fromkeys(lang for by_lang in corpora.values() for lang in by_lang)
    text = f'title = "Small"\nsummary = "A small one."\nconfigs = "language"\nlangs = {json.dumps(list(langs))}\n'
    text += f'bitext = {json.dumps(list(corpora))}\ndirections = ["en-xx"]\nvalidation = 0\n{more}'
    text = text if "decontaminate_against" in more else f"decontaminate_against = []\n{text}"
    (folder / "small.toml").write_text(text, encoding="utf-8")
    return folder / "small.toml"


@pytest.fixture(scope="session")
def request_for(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., BuildOptions]:
    """A request to build corpora given as name -> language -> lines, in a folder of its own."""

    def ask(corpora: Mapping[str, Mapping[str, Lines]], more: str = "", folder: Path | None = None) -> BuildOptions:
        folder = folder or tmp_path_factory.mktemp("small")
        recipe, catalog = write_recipe(corpora, folder, more), write_corpora(corpora, folder)
        request = BuildOptions(
            recipes=(str(recipe),), with_=(catalog.parent,), offline=True, translator="none", threads=1
        )
        return replace(request, work=folder / "work", corpora_lock=folder / "corpora.lock")

    return ask


@pytest.fixture(scope="session")
def build_small(request_for: Callable[..., BuildOptions]) -> Callable[..., BuildResult]:
    """What is built from corpora given as name -> language -> lines."""

    def run(corpora: Mapping[str, Mapping[str, Lines]], more: str = "", folder: Path | None = None) -> BuildResult:
        return run_build(request_for(corpora, more, folder))[0]

    return run


@pytest.fixture(scope="session")
def judge(build_small: Callable[..., BuildResult]) -> Callable[..., list[dict[str, object]]]:
    """The verdicts on lines of one language, or on corpora of it, in the order of corpus and line."""

    def run(
        lines: Lines | Mapping[str, Lines], lang: str = "el", more: str = "", folder: Path | None = None
    ) -> list[dict[str, object]]:
        corpora = lines if isinstance(lines, Mapping) else {"small": lines}
        built = build_small({name: {lang: own} for name, own in corpora.items()}, more, folder)
        return built.lines(lang).collect().sort("corpus", "line_number").to_dicts()

    return run


Rows = Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]]  # config -> split -> rows


def example(id: str, split: str = "train", **changes: str) -> dict[str, str]:
    """One published row."""
    row = dict.fromkeys(SCHEMAS["instructions"].names, "")
    row |= {"lang": "el", "task": "translation", "direction": "en-xx", "instruction": "Translate.", "corpus": "small"}
    return row | {"id": id, "input": f"in {id}", "output": f"out {id}", "split": split} | changes


def digest_of(rows: Sequence[Mapping[str, str]]) -> str:
    """The digest of rows, as the README defines it: of the digests of their compact JSON, a line each."""
    texts = [json.dumps(dict(row), ensure_ascii=False, separators=(",", ":")) for row in rows]
    return sha256("".join(f"{sha256(text.encode()).hexdigest()}\n" for text in texts).encode()).hexdigest()


def ledger_counts(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str, str], int]:
    """Return the numbers of a ledger by stage, corpus, language, and `in`, `kept` or the reason of a rejection."""
    counts = {}
    for row in rows:
        group = (row["stage"], row["corpus"], row["lang"])
        if row["reason"] is None:
            counts |= {(*group, "in"): row["num_in"], (*group, "kept"): row["num_kept"]}
        else:
            counts[*group, row["reason"]] = row["num_rows"]
    return counts


def write_rows(rows: Rows) -> Callable[[Path], Manifest]:
    """A function that writes rows below a folder and returns what the manifest says of them."""

    def write(folder: Path) -> Manifest:
        configs: Manifest = {}
        for config, splits in rows.items():
            described = {}
            for split, own in splits.items():
                path = folder / "data" / config / f"{split}-00000-of-00001.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                table = pa.Table.from_pylist(list(own), schema=SCHEMAS["instructions"])
                pq.write_table(table, path)
                described[split] = {"num_rows": len(own), "num_bytes": table.nbytes, "content_sha256": digest_of(own)}
                described[split]["files"] = [file_entry(folder, path)]
            configs[config] = {"langs": ["el"], "splits": described}
        pq.write_table(
            pa.table({"stage": ["measured"], "examples": ["of what was rejected"]}), folder / "ledger.parquet"
        )
        return configs

    return write


def described(**changes: object) -> Manifest:
    """The manifest of a small release, but for its configs, version and parent."""
    features = [{"name": name, "dtype": "string"} for name in SCHEMAS["instructions"].names]
    source = {"corpus": "small", "lang": "el", "kind": "bitext", "title": "Small", "version": "1", "url": "small.zip"}
    source |= {"sha256": "0" * 64, "size": 1, "licence": "cc0-1.0", "licence_note": "", "homepage": "", "citation": ""}
    return {
        "manifest_version": MANIFEST_VERSION,
        "name": "tiny",
        "title": "Tiny",
        "summary": "A tiny one.",
        "output_format": "instructions",
        "langs": ["el"],
        "features": features,
        "layout": {},
        "sources": [source],
        "recipe": asdict(Recipe("tiny", "Tiny", "A tiny one.", "language", ("el",), decontaminate_against=())),
        "filters": [],
        "prompts": [],
        "models": [{"role": "language identification", "name": "none", "sha256": "0" * 64, "licence": "cc0-1.0"}],
        "translator": {"name": "none", "sha256": ""},
        "decontamination": [],
        "english_overlap": [],
        "script_variants": [],
        "composition": [],
        "ledger": [],
        **changes,
    }


@pytest.fixture(scope="session")
def tiny() -> Callable[..., Manifest]:
    """`described`: the manifest of a small release, but for its configs, version and parent."""
    return described


@pytest.fixture(scope="session")
def row() -> Callable[..., dict[str, str]]:
    """`example`: one published row."""
    return example


@pytest.fixture(scope="session")
def writer() -> Callable[[Rows], Callable[[Path], Manifest]]:
    """`write_rows`: a function that writes rows and describes them."""
    return write_rows
