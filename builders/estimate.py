"""What a build would take, estimated before anything runs: bytes to download, disk, segments to translate, hours."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabulate import tabulate

from builders.options import BuildOptions
from builders.resolve import BuildPlan
from builders.translation import list_memory, translator_download_bytes
from cards.escaping import html
from corpora.catalog import Corpus
from corpora.download import FileSize, find_sizes
from corpora.progress import duration, format_bytes
from corpora.terminal_tables import wrap_after
from recipes.recipe import Recipe

# Measured with tests/benchmarks, see its README: growth.py, translate_kill.py and translation.py.
PAIRS_PER_CORE_SECOND = 11_000
WORK_BYTES_PER_PAIR = 300
RELEASE_BYTES_PER_PAIR = 100
FILE_BYTES_PER_PAIR = 100  # of a compressed file
SEGMENTS_PER_INSTRUCTION = 4.3  # distinct ones of Stanford Alpaca
BEAM = 4  # of the next two; the time grows in proportion to the beam
SEGMENTS_PER_CORE_SECOND = 3.0  # NLLB-200-distilled-600M in int8
SEGMENTS_PER_GPU_SECOND = 300.0  # assumed, not measured
USUAL_INSTRUCTIONS = 52_000  # where the catalogue does not count them
USUAL_PAIRS = 500_000  # where neither the catalogue counts them nor the size of the file is known
DEFAULT_MODEL_BYTES = 2_500_000_000


@dataclass(frozen=True, repr=False)
class Estimate:
    """What a build would take. All numbers are estimates but the sizes of files that are known."""

    recipes: tuple[str, ...]
    files: tuple[FileSize, ...]
    """The files of the corpora, each with its size and where that is known from."""
    model_bytes: int
    """Bytes of the translation model to download; 0 if it is here or none is needed."""
    num_pairs: int
    num_segments: int
    """Segments to translate, without those that the translation memory has."""
    pipeline_hours: float
    translation_hours: float
    notes: tuple[str, ...]
    """How the numbers were made, and what they leave out."""

    @property
    def download_bytes(self) -> int:
        """Bytes to download, the translation model included."""
        return sum(file.to_download for file in self.files) + self.model_bytes

    @property
    def disk_bytes(self) -> int:
        """Bytes that downloads, work folder and releases take on the disk."""
        per_pair = WORK_BYTES_PER_PAIR + RELEASE_BYTES_PER_PAIR * len(self.recipes)
        return self.download_bytes + self.num_pairs * per_pair

    @property
    def hours(self) -> float:
        """Hours of the run, without the downloads."""
        return self.pipeline_hours + self.translation_hours

    def rows(self) -> list[tuple[str, str]]:
        """Return the quantities with their values, as text."""
        return [
            ("files to download", f"{sum(file.origin != 'here' for file in self.files)} of {len(self.files)}"),
            ("download", format_bytes(self.download_bytes)),
            ("disk", format_bytes(self.disk_bytes)),
            ("sentence pairs", f"{self.num_pairs:,}"),
            ("segments to translate", f"{self.num_segments:,}"),
            ("time", f"{duration(self.hours * 3600)}, of it {duration(self.translation_hours * 3600)} translating"),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as JSON values."""
        names = ("download_bytes", "model_bytes", "disk_bytes", "num_pairs", "num_segments", "hours")
        files = [
            {"corpus": f.source.corpus, "lang": f.source.lang, "num_bytes": f.num_bytes, "origin": f.origin}
            for f in self.files
        ]
        numbers = {name: getattr(self, name) for name in (*names, "pipeline_hours", "translation_hours")}
        return {"recipes": self.recipes, **numbers, "files": files, "notes": self.notes}

    def __repr__(self) -> str:
        head = f"Estimate for {', '.join(self.recipes)}. Nothing was downloaded, built or published."
        width = max(len(name) for name, _ in self.rows())
        lines = [line for name, value in self.rows() for line in wrap_after(f"{name:{width}}  ", value)]
        notes = [line for note in self.notes for line in wrap_after("", note)]
        return "\n".join([head, *lines, *notes])

    def _repr_html_(self) -> str:
        table = tabulate(self.rows(), tablefmt="html", disable_numparse=True)
        return str(table) + "".join(f"<p>{html(note)}</p>" for note in self.notes)


def estimate_build(plan: BuildPlan) -> Estimate:
    """Return what carrying out a plan would take; servers are asked for sizes alone, and nothing is written."""
    options = plan.options
    files = find_sizes(
        plan.all_sources,
        options.work / "downloads",
        options.corpora_lock,
        mirror=options.mirror,
        offline=options.offline,
    )
    num_pairs, notes = _count_pairs(plan, files)
    num_segments, device = _count_segments(plan), _device()
    cores = options.threads or os.cpu_count() or 1
    per_second = SEGMENTS_PER_GPU_SECOND if device == "GPU" else SEGMENTS_PER_CORE_SECOND * cores
    names = dict.fromkeys(plan.translator_name(recipe) for recipe in plan.recipes) if num_segments else {}
    sizes = [translator_download_bytes(name, options.offline) for name in names]
    model_bytes = None if None in sizes else sum(size or 0 for size in sizes)
    return Estimate(
        recipes=tuple(recipe.name for recipe in plan.recipes),
        files=tuple(files),
        model_bytes=DEFAULT_MODEL_BYTES if model_bytes is None else model_bytes,
        num_pairs=num_pairs,
        num_segments=num_segments,
        pipeline_hours=num_pairs / (PAIRS_PER_CORE_SECOND * cores) / 3600,
        translation_hours=num_segments / (per_second * BEAM / options.beam) / 3600,
        notes=(*_file_notes(files), *notes, *_rate_notes(num_segments, device, cores, model_bytes)),
    )


def _count_pairs(plan: BuildPlan, files: Sequence[FileSize]) -> tuple[int, list[str]]:
    """Return the number of sentence pairs, each file once, and where it is not from the catalogue."""
    total, unknown = 0, []
    for file in files:
        corpus, lang = plan.catalog[file.source.corpus], file.source.lang
        if corpus.kind != "bitext":
            continue
        if lang not in corpus.num_rows:
            unknown.append(f"{corpus.id} ({lang})")
        guess = (file.num_bytes or USUAL_PAIRS * FILE_BYTES_PER_PAIR) // FILE_BYTES_PER_PAIR
        total += corpus.num_rows.get(lang, guess)
    note = (
        f"The catalogue does not count {', '.join(unknown)}: a pair for each {FILE_BYTES_PER_PAIR} bytes is assumed, "
    )
    return total, [note + f"{USUAL_PAIRS:,} where the size is not known."] if unknown else []


def _count_segments(plan: BuildPlan) -> int:
    """Return the number of segments to translate, each corpus and language once, without those that are known."""
    jobs = {
        (corpus, lang): _num_instructions(plan.catalog[corpus], recipe)
        for recipe in plan.recipes
        if _is_model(plan.translator_name(recipe))
        for corpus in recipe.instructions
        for lang in recipe.langs
        if not plan.catalog[corpus].has(lang)
    }
    known = _known_segments(plan.options)
    langs = {lang for _, lang in jobs}
    num_segments = {lang: sum(n for (_, other), n in jobs.items() if other == lang) for lang in langs}
    return sum(max(0, round(n * SEGMENTS_PER_INSTRUCTION) - known.get(lang, 0)) for lang, n in num_segments.items())


def _is_model(translator: str) -> bool:
    """Return whether a model translates, not nothing and not a translation memory."""
    return translator != "none" and not translator.endswith(".parquet")


def _num_instructions(corpus: Corpus, recipe: Recipe) -> int:
    rows = corpus.num_rows.get("en", USUAL_INSTRUCTIONS)
    return min(rows, recipe.max_instructions or rows)


def _known_segments(options: BuildOptions) -> Mapping[str, int]:
    """Return how many segments the translation memory has by language."""
    if not (options.work / "memory").is_dir():
        return {}
    known: dict[str, int] = {}
    for row in list_memory(options.work)["partitions"]:
        known[row["lang"]] = known.get(row["lang"], 0) + row["segments"]
    return known


def _device() -> str:
    import ctranslate2

    return "GPU" if ctranslate2.get_cuda_device_count() else "CPU"


def _file_notes(files: Sequence[FileSize]) -> list[str]:
    origins = {"server": "asked of the servers", "lock file": "known from the lock file"}
    counts = {text: sum(file.origin == origin for file in files) for origin, text in origins.items()}
    known = [f"{count} {text}" for text, count in counts.items() if count]
    unknown = [f"{f.source.corpus} ({f.source.lang}): {f.origin}" for f in files if f.num_bytes is None]
    notes = [f"Sizes of files: {', '.join(known)}."] if known else []
    return notes + ([f"Sizes that are not known count as 0: {'; '.join(unknown)}."] if unknown else [])


def _rate_notes(num_segments: int, device: str, cores: int, model_bytes: int | None) -> list[str]:
    notes = [
        f"Time and disk of the pairs: {PAIRS_PER_CORE_SECOND:,} pairs a second and core ({cores} cores), "
        f"{WORK_BYTES_PER_PAIR:,} bytes a pair in the work folder, as measured on one machine."
    ]
    if num_segments:
        rate = (
            f"{SEGMENTS_PER_GPU_SECOND:g} segments a second on a GPU, which is assumed and not measured"
            if device == "GPU"
            else f"{SEGMENTS_PER_CORE_SECOND:g} segments a second and core with a beam of 4"
        )
        notes.append(f"Translation: {SEGMENTS_PER_INSTRUCTION} segments an instruction, as in Alpaca; {rate}.")
    if model_bytes is None:
        size = format_bytes(DEFAULT_MODEL_BYTES)
        notes.append(f"The size of the translation model is not known: {size}, that of the default one, are assumed.")
    return [*notes, "The time of downloads is not included."]
