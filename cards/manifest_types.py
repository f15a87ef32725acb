"""The parts of a manifest, as types: the schema of manifest.json, from which manifest.schema.json is generated."""

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter, with_config
from typing_extensions import TypedDict

MANIFEST_VERSION = 4
PART = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)  # as `corpora.tables.STRICT`
SCHEMA_FILE = Path(__file__).parent / "manifest.schema.json"
DIGEST = r"[0-9a-f]{64}"
NAME = r"[a-z0-9][a-z0-9.-]*"
CONFIG = r"[a-z0-9][A-Za-z0-9.-]*"  # `all` or a language, such as zh-Hant
PATH = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*"  # one step down after another, and no pattern
VERSION = r"v(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})"

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Digest = Annotated[str, Field(pattern=f"^{DIGEST}$")]
Name = Annotated[str, Field(pattern=f"^{NAME}$")]
ConfigName = Annotated[str, Field(pattern=f"^{CONFIG}$")]
FilePath = Annotated[str, Field(pattern=f"^{PATH}$")]
SplitName = Annotated[str, Field(pattern="^(train|validation)$")]
Version = Annotated[str, Field(pattern=f"^{VERSION}$")]


@with_config(PART)
class FileEntry(TypedDict):
    """One file of a release."""

    path: FilePath
    """The path within the release."""
    size: Count
    """The size in bytes."""
    sha256: Digest
    """The SHA-256 of its bytes."""


@with_config(PART)
class Split(TypedDict):
    """The rows of a config to train on, or to validate with."""

    num_rows: Count
    """The number of rows."""
    num_bytes: Count
    """The bytes of the rows in memory, as Arrow counts them."""
    content_sha256: Digest
    """The digest of the rows, whoever wrote the files: SHA-256 of the digests of the rows, a line each."""
    files: list[FileEntry]
    """The Parquet files, in the order of the rows."""


@with_config(PART)
class Config(TypedDict):
    """One config: what `load_dataset` loads by its name."""

    langs: list[str]
    """The languages beside English."""
    splits: dict[SplitName, Split]
    """The splits that have rows."""


@with_config(PART)
class Feature(TypedDict):
    """One column, as the `dataset_info` of a dataset card describes it."""

    name: str
    """The name of the column."""
    dtype: NotRequired[str]
    """The type of its values."""
    list: NotRequired[list["Feature"]]
    """Or the fields of the structs in its lists."""


@with_config(PART)
class SourceEntry(TypedDict):
    """One upstream file."""

    corpus: str
    """The corpus, as the catalogue names it."""
    lang: str
    """The language of the file."""
    kind: str
    """bitext, instructions, monolingual or benchmark; texts of a benchmark are not in the rows."""
    title: str
    """The title of the corpus."""
    version: str
    """The version of the corpus."""
    url: str
    """Where the file is from, without passwords; of a file on this machine its name."""
    sha256: Digest
    """The SHA-256 of the file."""
    size: Count
    """The size of the file in bytes."""
    licence: str
    """The licence, as the Hub spells it."""
    licence_note: str
    """What else the licence asks."""
    homepage: str
    """The page of the corpus."""
    citation: str
    """The citation, in BibTeX."""


@with_config(PART)
class FilterEntry(TypedDict):
    """One filter that was applied, in the order of the filters."""

    name: str
    """The name of the filter, which is the reason of what it rejects."""
    reject: str
    """SQL that is true for a rejected row, or the Python function that says so."""
    description: str
    """Why a row is rejected."""
    thresholds: dict[str, dict[str, float]]
    """The thresholds, by name and language."""


@with_config(PART)
class PromptEntry(TypedDict):
    """One translation prompt."""

    name: str
    """The name of the prompt."""
    text: str
    """The text, with {source} and {target} for the languages."""
    origin: str
    """Where the prompt is from."""


@with_config(PART)
class ModelEntry(TypedDict):
    """One model that the release was built with."""

    role: Literal["language identification", "scores of sentence pairs", "translation"]
    """What it was used for."""
    name: str
    """The name of the model."""
    sha256: str
    """The digest of its file; empty if it is not known."""
    licence: str
    """The licence of its output; empty if it adds none."""


@with_config(PART)
class OriginEntry(TypedDict):
    """Who made translations of the release, and how many of its distinct segments."""

    origin: Literal["model", "human"]
    """A model, or a person."""
    name: str
    """The name of the model or person; empty if it is not known."""
    revision: str
    """The commit of the model on the Hub; empty if it is not known."""
    licence: str
    """The licence of the translations; empty if it is not known."""
    sha256: str
    """The digest of the model; empty for a person."""
    num_segments: Count
    """The number of distinct segments, over all languages."""


@with_config(PART)
class MeaningEntry(TypedDict):
    """How many translated segments of a language were checked by the words of a bitext."""

    num_checked: Count
    """Distinct segments whose words were compared."""
    num_unchecked: Count
    """The others: short ones, translations by people, and all where the build has too few pairs or segments."""


@with_config(PART)
class TranslatorEntry(TypedDict):
    """What translated the instructions."""

    name: str
    """The name of the translator; `none` if nothing was translated."""
    sha256: str
    """The digest of its model or memory; empty for `none`."""
    revision: NotRequired[str]
    """The commit of the model on the Hub."""
    licence: NotRequired[str]
    """The licence of its translations."""
    decoding: NotRequired[str]
    """Its settings, such as `int8 beam 4`."""
    human_sha256: NotRequired[str]
    """The digest of the imported translations by people, which come before the translator."""
    methods: NotRequired[dict[str, dict[str, Count]]]
    """The number of translated segments by language and method."""
    meaning: NotRequired[dict[str, MeaningEntry]]
    """How many translated segments were compared by the words of a bitext, by language."""
    origins: NotRequired[list[OriginEntry]]
    """Who made the translations."""


@with_config(PART)
class DecontaminationRow(TypedDict):
    """One benchmark in one language whose texts were searched for."""

    benchmark: str
    """The benchmark."""
    lang: str
    """The language of its texts."""
    num_sentences: Count
    """The sentences that were searched for."""
    num_ngrams: Count
    """Their distinct n-grams."""
    num_rows: Count
    """The sentence pairs that contain one of them and were rejected."""


@with_config(PART)
class OverlapRow(TypedDict):
    """English sentences that occur in two languages (or, in one, more than once)."""

    lang: str
    """One language."""
    other: str
    """The other language."""
    num_sentences: Count
    """The English sentences in both."""


@with_config(PART)
class ScriptRow(TypedDict):
    """Sentence pairs in one of several scripts of a language."""

    lang: str
    """The language."""
    variant: str
    """The variant, such as simplified or traditional."""
    num_rows: Count
    """The sentence pairs kept."""


@with_config(PART)
class CompositionRow(TypedDict):
    """Rows of a config by language, task, direction, corpus and split."""

    config: str
    """The config."""
    lang: str
    """The language."""
    task: str
    """translation, instruction or text."""
    direction: str
    """The direction of a translation, empty otherwise."""
    corpus: str
    """The corpus that the rows are from."""
    split: Literal["train", "validation"]
    """The split."""
    num_rows: Count
    """The number of rows."""
    epochs: NotRequired[float]
    """How often a trainer repeats the rows, in a release by budget."""


@with_config(PART)
class LedgerRow(TypedDict):
    """Rows of a corpus in a language at one stage: the totals (`reason` is null), or what was rejected with a reason.

    For each stage, corpus and language, num_in = num_kept + the sum of num_rows.
    """

    stage: str
    """The stage of the pipeline."""
    corpus: str
    """The corpus."""
    lang: str
    """The language."""
    reason: str | None
    """Why rows were rejected: the name of a filter or an error; null on the row of the totals."""
    num_in: Count | None
    """Of the totals: the rows that came in."""
    num_kept: Count | None
    """Of the totals: the rows that were kept."""
    num_rows: Count | None
    """Of a reason: the rows that were rejected with it."""
    share: float
    """num_kept or num_rows as a share of the rows of the corpus in the language that came into its first stage."""


@with_config(PART)
class StatisticsRow(TypedDict):
    """The distinct rows of one language; a row that several configs have counts once."""

    lang: str
    """The language; `en` for rows in English only."""
    num_rows: Count
    """The rows."""
    num_pairs: Count
    """The sentence pairs that translations are made from; in both directions a pair makes two rows."""
    num_instructions: Count
    """The rows that are instructions."""
    num_documents: Count
    """The rows that are documents."""
    num_train: Count
    """The rows to train on."""
    num_validation: Count
    """The rows to validate with."""
    num_bytes: Count
    """The bytes of the texts, in UTF-8."""


@with_config(PART)
class AlignmentRow(TypedDict):
    """What the words of the pairs of one corpus in one language say of their alignment."""

    lang: str
    """The language that is not English."""
    corpus: str
    """The corpus."""
    num_pairs: Count
    """The pairs that no other filter rejects."""
    num_judged: Count
    """The pairs whose alignment was judged."""
    num_rejected: Count
    """The pairs that `misaligned` rejects."""
    share: float
    """The estimated share of misaligned pairs among the judged ones, before any is rejected."""
    share_low: float
    """The lower end of its interval of 90 %."""
    share_high: float
    """The upper end; no larger share is rejected."""


@with_config(PART)
class DomainRow(TypedDict):
    """A part of a corpus with a vocabulary of its own, whose pairs are judged by random pairs of the same kind."""

    lang: str
    """The language that is not English."""
    corpus: str
    """The corpus."""
    words: list[str]
    """The words that are typical of its English sides."""
    num_pairs: Count
    """Its pairs that no other filter rejects."""
    num_spared: Count
    """Those that `misaligned` would reject if they were judged by all random pairs."""


@with_config(PART)
class LengthRow(TypedDict):
    """The lengths of the texts of the distinct rows of one language and task.

    A token is a word, a number, another character, or a letter of a script that is written without spaces (Han, kana,
    Thai, Lao, Khmer, Burmese). The tokenizer of a model makes more.
    """

    lang: str
    """The language."""
    task: str
    """translation, instruction or text."""
    part: Literal["prompt", "answer"]
    """The instruction with its input, or the output."""
    num_tokens: Count
    """The tokens of all texts."""
    chars_median: Count
    """The median of the characters of a text."""
    chars_quantile_95: Count
    """The length that 95 % of the texts do not exceed."""
    chars_max: Count
    """The characters of the longest text."""
    tokens_median: Count
    """The same in tokens: the median,"""
    tokens_quantile_95: Count
    """the 95 % quantile,"""
    tokens_max: Count
    """and the most."""


@with_config(PART)
class ExampleRow(TypedDict):
    """A row to show, its texts cut after 120 characters."""

    id: str
    """The id of the row."""
    lang: str
    """Its language."""
    task: str
    """Its task."""
    direction: str
    """The direction of a translation, empty otherwise."""
    instruction: str
    """The instruction, or the messages before the answer."""
    input: str
    """The input."""
    output: str
    """The output."""


@with_config(PART)
class Parent(TypedDict):
    """The version before this one."""

    version: Version
    """Its version."""
    manifest_sha256: Digest
    """Its identity."""
    commit: NotRequired[str]
    """Its commit on the Hub."""


@with_config(PART)
class Description(TypedDict):
    """What a build states of itself, before its rows are written."""

    manifest_version: Literal[4]
    """The version of this format."""
    name: Name
    """The name of the release."""
    title: str
    """The title of the release."""
    summary: str
    """One sentence on what it holds."""
    output_format: Literal["instructions", "messages"]
    """The columns: instruction, input and output, or a list of messages."""
    langs: list[str]
    """The languages beside English."""
    features: list[Feature]
    """The columns of the Parquet files, in order."""
    layout: dict[str, str | int]
    """How the Parquet files are written."""
    sources: list[SourceEntry]
    """The upstream files."""
    recipe: dict[str, JsonValue]
    """The keys of the recipe (recipes/README.md), changes of the command line included."""
    filters: list[FilterEntry]
    """The filters of sentence pairs, in order."""
    prompts: list[PromptEntry]
    """The translation prompts."""
    models: list[ModelEntry]
    """The models that the release was built with."""
    translator: TranslatorEntry
    """The translator of the instructions."""
    decontamination: list[DecontaminationRow]
    """What was searched for of each benchmark."""
    english_overlap: list[OverlapRow]
    """English sentences that languages share."""
    script_variants: list[ScriptRow]
    """Sentence pairs by script, of languages that have several."""
    alignment: NotRequired[list[AlignmentRow]]
    """Misaligned pairs by language and corpus, where a language has enough pairs to judge."""
    domains: NotRequired[list[DomainRow]]
    """Parts of corpora with a vocabulary of their own, which `misaligned` judges apart."""
    model_alignment: NotRequired[list[AlignmentRow]]
    """The same as a model of --score-with finds them, of the pairs that every other filter keeps."""
    composition: list[CompositionRow]
    """The rows by config, language, task, direction, corpus and split."""
    ledger: list[LedgerRow]
    """The numbers of ledger.parquet."""
    allocation: NotRequired[dict[str, JsonValue]]
    """How a budget of sentence pairs was split among the languages (recipes/README.md)."""


@with_config(PART)
class Measured(TypedDict):
    """What is known of a release once its rows are written."""

    configs: dict[ConfigName, Config]
    """The configs, by name."""
    statistics: list[StatisticsRow]
    """The distinct rows by language."""
    lengths: list[LengthRow]
    """The lengths of texts by language and task."""
    examples: list[ExampleRow]
    """Rows for the card, of languages in different scripts."""


@with_config(PART)
class Content(Description, Measured):
    """What a release holds: two versions with the same content are the same release."""


@with_config(PART)
class Manifest(Content):
    """manifest.json: what one version of a release holds, file for file and row for row."""

    version: Version
    """The version."""
    parent: Parent | None
    """The version before; null for the first."""
    difference: str
    """How it differs from the version before."""
    metadata_files: list[FileEntry]
    """The files beside the data: card, croissant.json, ledger and pictures."""


@cache
def manifest_type() -> TypeAdapter[Manifest]:
    """Return the type that validates manifests; it takes a tenth of a second to make."""
    return TypeAdapter(Manifest)


def manifest_schema() -> dict[str, Any]:
    """Return the JSON schema of manifest.json."""
    schema = manifest_type().json_schema()
    for base in (Description, Measured):  # of inherited keys pydantic does not know the descriptions
        for key, value in TypeAdapter(base).json_schema()["properties"].items():
            schema["properties"][key] = value | schema["properties"][key]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def format_schema() -> str:
    """Return the text of manifest.schema.json; `python -m cards.manifest_types` writes it."""
    return json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(format_schema(), encoding="utf-8")
