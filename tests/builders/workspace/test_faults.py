"""Faults during a build: full disks, damaged files, changed inputs and rules; the release is the same byte for byte."""

import gzip
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import builders.pipeline.filters
import builders.pipeline.measuring.write
import builders.pipeline.parts
import builders.pipeline.ranges
import builders.pipeline.write_tables
import builders.workspace.task
import builders.workspace.workspace
from builders.options import BuildOptions
from builders.run import run_build, run_publish
from corpora.catalog import SAMPLE
from corpora.errors import InputError
from tests.builders.messages import logged_messages

pytestmark = pytest.mark.slow

BUILDERS = [sys.executable, "-m", "builders"]
STAGES = (
    *(
        "parts",
        "pairs",
        "benchmark_texts",
        "ngrams",
        "measured",
        "language_ids",
        "duplicates",
        "one_to_many",
        "repeats",
        "contaminated",
        "decisions",
        "bitext",
    ),
    *("ambiguous", "english_overlap", "instructions", "translated_instructions", "examples", "ledger"),
)
TSV = "laser/WikiMatrix/v1/WikiMatrix.el-en.tsv.gz"
Files = dict[str, bytes]


def request_in(folder: Path, **changes: object) -> BuildOptions:
    """A request for the Greek of the sample, whose every trace is in a folder."""
    asked = BuildOptions(
        ("coit",), ("el",), sample=True, threads=1, work=folder / "work", corpora_lock=folder / "corpora.lock"
    )
    return replace(asked, **changes)


def published(request: BuildOptions) -> Files:
    """The bytes of every file of a request's release, in a registry that knows of no other."""
    registry = request.work.parent / "registry"
    shutil.rmtree(registry, ignore_errors=True)
    release = run_publish(request, registry, "instructions")[0].folder()
    return {path.relative_to(release).as_posix(): path.read_bytes() for path in release.rglob("*") if path.is_file()}


def explained(request: BuildOptions) -> tuple[Files, list[str]]:
    """What a request publishes, and what was said of the units of work that did not stand."""
    with logged_messages() as told:
        files = published(replace(request, explain=True))
    return files, [sentence for sentence in told if not sentence.endswith(": reused")]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Files]:
    """The folder of a build that nothing happened to, and the files that it published."""
    folder = tmp_path_factory.mktemp("calm")
    return folder, published(request_in(folder))


@pytest.fixture
def copied(calm: tuple[Path, Files], tmp_path: Path) -> tuple[BuildOptions, Files]:
    """The same in a folder of its own, to do harm in."""
    shutil.copytree(calm[0], tmp_path / "copied")
    return request_in(tmp_path / "copied"), calm[1]


# Damaged files


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def of_another_schema(path: Path) -> None:
    pl.DataFrame({"other": [1, 2, 3]}).write_parquet(path)


def turned(path: Path) -> None:
    """Turn a bit of a value and leave size, time and footer as they are, as a bad disk does."""
    content, times = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("damage", [cut, empty, of_another_schema, turned, Path.unlink])
def test_damaged_files_of_every_stage_are_made_again(
    copied: tuple[BuildOptions, Files], damage: Callable[[Path], None]
) -> None:
    request, whole = copied
    harmed = [path for stage in STAGES for path in (request.work / stage).glob("*.parquet")]
    assert {path.parent.name for path in harmed} == set(STAGES)
    for path in harmed:
        damage(path)
    files, told = explained(replace(request, verify=damage is turned))
    assert files == whole
    noticed = "there is none yet" if damage is Path.unlink else "damaged"
    assert {sentence.split(":")[0].split()[0] for sentence in told} == set(STAGES)
    assert all(noticed in sentence for sentence in told), told


@pytest.mark.parametrize("stage", STAGES)
def test_flipped_bit_is_found_with_verify_and_what_depends_on_it_is_made_again(
    copied: tuple[BuildOptions, Files], stage: str
) -> None:
    request, whole = copied
    turned(sorted((request.work / stage).glob("*.parquet"))[0])
    files, told = explained(replace(request, verify=True))
    assert files == whole
    made = [sentence.split()[0] for sentence in told]
    assert not set(made) & set(STAGES[: STAGES.index("pairs" if stage == "parts" else stage)]) - {"parts"}
    assert next(sentence for sentence in told if sentence.startswith(f"{stage} ")).endswith(
        "made again, its file is damaged"
    )
    others = [sentence for sentence in told if not sentence.startswith((f"{stage} ", "parts "))]
    assert all(sentence.endswith("a file that it is made from was damaged") for sentence in others), told


# Changed inputs


def sample_mirror(folder: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, folder / "mirror"))


def test_changed_input_is_refused_until_its_lock_entry_is_removed(tmp_path: Path) -> None:
    mirror = sample_mirror(tmp_path)
    changes = {"sample": False, "mirror": str(mirror), "translator": "none"}
    request = request_in(tmp_path / "one", **changes)
    before = published(request)
    with gzip.open(mirror / TSV, "ab") as file:
        file.write("1.2\tΜια νέα γραμμή στέκεται εδώ.\tA new line is standing here.\n".encode())
    with pytest.raises(InputError, match=r"corpora\.lock"):
        published(request)
    request.corpora_lock.unlink()
    files, told = explained(request)
    assert files != before
    assert "parts el-wikimatrix: made, sha256 was" in told[0]
    assert not [sentence for sentence in told if sentence.startswith(("benchmark_texts", "ngrams", "instructions"))]
    assert files == published(request_in(tmp_path / "two", **changes))


# Other versions of the rules


def test_changed_filter_is_explained_and_applied(
    copied: tuple[BuildOptions, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, before = copied
    rules = dict(builders.pipeline.filters.all_filters())
    rules["copy"] = replace(rules["copy"], reject="en_norm = xx_norm or line_number % 7 = 0")
    monkeypatch.setattr(builders.pipeline.filters, "all_filters", lambda: rules)
    files, told = explained(request)
    assert files != before
    assert "en_norm = xx_norm or line_number % 7 = 0 then 'copy'" in told[0]
    assert told[0].startswith("measured el-sample-wikimatrix-00000: made, reject_reason was")
    assert files == published(request_in(tmp_path / "anew"))
    monkeypatch.undo()
    assert published(request) == before


@pytest.mark.parametrize("stage", ["measured", "ngrams", "decisions", "examples"])
def test_changed_sql_makes_its_stage_and_later_ones_again(
    copied: tuple[BuildOptions, Files], monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    request, whole = copied
    real = builders.workspace.task.sql

    def other(name: str, **texts: str) -> str:
        return ("-- Another version.\n" if name == stage else "") + real(name, **texts)

    monkeypatch.setattr(builders.workspace.task, "sql", other)
    monkeypatch.setattr(builders.pipeline.measuring.write, "sql", other)
    files, told = explained(request)
    assert files == whole
    assert told[0].startswith(f"{stage} ")
    assert "sql was" in told[0]
    assert not {sentence.split()[0] for sentence in told} & set(STAGES[: STAGES.index(stage)])


def test_new_reader_version_reads_all_files_again(
    copied: tuple[BuildOptions, Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    request, whole = copied
    was = builders.pipeline.parts.READER_VERSION
    monkeypatch.setattr(builders.pipeline.parts, "READER_VERSION", was + 1)
    files, told = explained(request)
    assert files == whole
    assert told[0] == f"parts el-sample-wikimatrix: made, reader was {was}, is {was + 1}"


# Full disks


def limited(size: int) -> Callable[[], None]:
    """No file may grow longer than `size`."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return limit


@pytest.mark.parametrize("stage", ["measured", "instructions"])
def test_full_disk_is_a_sentence_and_the_next_run_completes_the_build(
    calm: tuple[Path, Files], tmp_path: Path, stage: str
) -> None:
    sizes = {name: max(p.stat().st_size for p in (calm[0] / "work" / name).glob("*.parquet")) for name in STAGES}
    arguments = ["publish", "coit", "--sample", "--langs", "el", "--threads", "1"]
    done = subprocess.run(
        [*BUILDERS, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited(sizes[stage] - 1),
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "too large" in done.stderr
    assert not list(tmp_path.rglob(".tmp-*"))
    assert not list((tmp_path / "registry").rglob("*.parquet"))
    assert published(request_in(tmp_path)) == calm[1]


# What changes nothing


@pytest.mark.parametrize(("part", "rows_of_range", "threads"), [(23, 50, 2), (1_000_000, 1_000_000, 3)])
def test_release_bytes_do_not_depend_on_parts_ranges_and_threads(
    calm: tuple[Path, Files],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
    rows_of_range: int,
    threads: int,
) -> None:
    monkeypatch.setattr(builders.pipeline.parts, "PART_ROWS", part)
    monkeypatch.setattr(builders.pipeline.ranges, "RANGE_ROWS", rows_of_range)
    request = request_in(tmp_path, threads=threads)
    assert published(request) == calm[1]
    num_lines = pl.read_parquet(request.work / "pairs" / "*.parquet").height
    assert len(list((request.work / "measured").glob("*.parquet"))) == -(-num_lines // part)
    assert len(list((request.work / "duplicates").glob("*.parquet"))) == -(-num_lines // rows_of_range)


# Hostile lines


def test_lines_of_combining_marks_are_rejected_with_a_reason(tmp_path: Path) -> None:
    mirror = sample_mirror(tmp_path)
    marks = "\u0301\u0323" * 5_000_000
    with gzip.open(mirror / TSV, "ab", compresslevel=1) as file:
        file.write(f"1.2\tα{marks}\ta\n1.2\tα{marks[:400_000]}\tThe day is fine.\n".encode())
    request = request_in(tmp_path, sample=False, mirror=str(mirror), translator="none")
    built = run_build(request)[0]
    rows = built.lines("el").collect().sort("line_number")
    assert rows["reject_reason"].to_list()[-2:] == ["oversized_line", "too_long"]
