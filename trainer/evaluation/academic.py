"""Academic benchmarks: tasks of lm-evaluation-harness, ours in `lm_eval_tasks/`, a user's, or its own.

The harness builds the prompts, asks the model and counts right answers; items, storage, intervals and signatures are
the same as for other benchmarks. Task files are read from `lm_eval_tasks/` here and in the code folders in use; a name
that is in none of them is one of the harness's own tasks.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from corpora.catalog import language
from corpora.errors import InputError, unknown
from corpora.extensions import current_extensions
from corpora.tables import parse_row
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item, Items
from trainer.evaluation.language_files import LanguageFiles
from trainer.evaluation.subject_files import SubjectFiles

FOLDER = "lm_eval_tasks"
OWN_TASKS = Path(__file__).parent / FOLDER


def harness_version() -> str:
    """Return the installed version of lm-evaluation-harness.

    Raises:
        InputError: It is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lm-eval")
    except PackageNotFoundError:
        raise InputError(
            "Academic benchmarks are run by lm-evaluation-harness: pip install 'coit-builders[harness]'."
        ) from None


def task_name(benchmark: Benchmark, lang: str) -> str:
    """Return the name of a benchmark's lm-eval task in a language."""
    try:
        return benchmark.lm_eval_task.format(lang=lang, flores=language(lang).flores)
    except (KeyError, IndexError, ValueError):
        raise InputError(
            f"{benchmark.where}: 'lm_eval_task' may hold {{lang}} and {{flores}} only: {benchmark.lm_eval_task}"
        ) from None


def task_folders() -> list[Path]:
    """Return the folders of task files: ours, and those of the code folders in use."""
    own = (folder / FOLDER for folder in current_extensions().code)
    return [OWN_TASKS, *(folder for folder in own if folder.is_dir())]


def load_task(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> Any:
    """Return the lm-eval task of a benchmark in a language, with its questions.

    Raises:
        InputError: The harness is not installed, or it cannot load the task.
    """
    harness_version()
    from lm_eval.tasks import TaskManager

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    name = task_name(benchmark, lang)
    metadata: dict[str, Any] = {"data": str(_folder(benchmark, lang, source)), "lang": lang}
    folders: list[str | Path] = [str(folder) for folder in task_folders()]
    manager = TaskManager(include_path=folders, include_defaults=False, metadata=metadata)
    if name not in manager.all_tasks:
        manager = TaskManager(include_path=folders, metadata=metadata)
    if name not in manager.all_subtasks:
        raise unknown("lm-eval task", name, manager.all_subtasks)
    try:
        task = manager.load([name])["tasks"][name]
    except InputError:
        raise
    except Exception as error:  # of anything that a task file or its data set may do
        raise InputError(f"{benchmark.where}: lm-eval cannot load the task {name}: {error}.") from error
    _check_task(benchmark, task)
    return task


def _folder(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> Path:
    """Return the folder of a language's files: CORPUS.LANG in that of --data, or as upstream's archive unpacks."""
    data = source.data or Path()
    own, files = data / f"{benchmark.corpus}.{lang}", local_files(task_name(benchmark, lang))
    if own.is_dir() or files is None:
        return own
    if isinstance(files, LanguageFiles):
        return data
    folders = (path for name in files.unpacks_as for path in ([data] if name == "." else sorted(data.glob(name))))
    return next((path for path in folders if lang == files.lang and files.find(path, lang)), own)


def _check_task(benchmark: Benchmark, task: Any) -> None:
    """Raise InputError for a task whose prompts or values could not be reproduced item by item."""
    config = task.config
    if config.output_type not in ("multiple_choice", "generate_until"):
        raise InputError(
            f"{benchmark.where}: the task's output_type is {config.output_type}; multiple_choice and generate_until "
            "can be evaluated."
        )
    if config.num_fewshot and config.fewshot_config.sampler == "default":
        raise InputError(
            f"{benchmark.where}: the task draws its few-shot examples at random, so a continued run would ask "
            "something else. Set fewshot_config: {sampler: first_n} in a task file of your own."
        )


def prompt_of(task: Any, doc: Mapping[str, Any]) -> str:
    """Return the whole prompt of a question."""
    return str(task.fewshot_context(doc, task.config.num_fewshot or 0))


def load_academic(benchmark: Benchmark, lang: str, direction: str, source: BenchmarkSource) -> Items:
    """Return the questions of an academic benchmark in a language.

    `instruction` holds the text before a question (the subject, examples), `input` the question, and the reference
    is the answer.
    """
    warnings = _check_files(benchmark, lang, source) if benchmark.corpus else []
    task = load_task(benchmark, lang, source)
    items = [_item(task, number, doc) for number, doc in enumerate(task.eval_docs)]
    return Items(tuple(items), tuple(warnings))


def _item(task: Any, number: int, doc: Mapping[str, Any]) -> Item:
    text, target = str(task.doc_to_text(doc)), task.doc_to_target(doc)
    if isinstance(target, int) and task.config.doc_to_choice is not None:
        target = task.doc_to_choice(doc)[target]
    answers = target if isinstance(target, list) else [target]
    prompt = prompt_of(task, doc)
    before = prompt.removesuffix(text) if prompt.endswith(text) else ""
    return Item(doc_id(number, doc), before, text if before or prompt == text else prompt, tuple(map(str, answers)))


def doc_id(number: int, doc: Mapping[str, Any]) -> str:
    """Return the id of a question: its own, or its number from 1 on."""
    return str(doc.get("item_id") or number + 1)


def _check_files(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> list[str]:
    """Read a benchmark's files for their warnings.

    Raises:
        InputError: The folder holds none.
    """
    folder, files = _folder(benchmark, lang, source), local_files(task_name(benchmark, lang))
    if files is None:
        return []
    if not source.data or not files.find(folder, lang):
        raise InputError(
            f"{benchmark.name} in {language(lang).name} is read from a folder: unpack {benchmark.source} (or a "
            f"translation with the same files) in FOLDER, or as FOLDER/{benchmark.corpus}.{lang}/, and name FOLDER "
            "with --data."
        )
    return files.read(folder, lang)[1]


def local_files(name: str) -> SubjectFiles | LanguageFiles | None:
    """Return what a task file reads from a folder, None where it reads something else."""
    keys = read_config(name).get("dataset_kwargs") or {}
    if own := keys.get("subject_files"):
        return parse_row(own, SubjectFiles, f"{name}.yaml, subject_files")
    if own := keys.get("language_files"):
        return parse_row(own, LanguageFiles, f"{name}.yaml, language_files")
    return None


def read_config(name: str) -> dict[str, Any]:
    """Return the keys of a task file, with those of the files that it includes; empty for a task of the harness."""
    path = next((path for folder in task_folders() if (path := folder / f"{name}.yaml").is_file()), None)
    if path is None:
        return {}
    config: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_TaskLoader)
    included = config.pop("include", None)
    return (read_config(Path(included).stem) if included else {}) | config


class _TaskLoader(yaml.SafeLoader):
    """Reads a function as its name."""


_TaskLoader.add_constructor("!function", lambda loader, node: str(loader.construct_scalar(node)))  # type: ignore[arg-type]


def task_sha256(benchmark: Benchmark, lang: str) -> str:
    """Return the digest of a task: its file, or for a task of the harness its name."""
    name = task_name(benchmark, lang)
    return hashlib.sha256(json.dumps([name, read_config(name)], sort_keys=True, default=str).encode()).hexdigest()


def academic_langs(benchmark: Benchmark, source: BenchmarkSource) -> Sequence[str]:
    """Return the languages that the user's folder holds, else those that a benchmark lists, else English."""
    if not benchmark.corpus or not source.data:
        return benchmark.langs or ["en"]
    folders = sorted(path for path in source.data.glob(f"{benchmark.corpus}.*") if path.is_dir())
    langs = [language(folder.name.partition(".")[2]).code for folder in folders]
    own = local_files(task_name(benchmark, (benchmark.langs or ["en"])[0]))
    unpacked = [own.lang] if isinstance(own, SubjectFiles) else []
    known = sorted({*langs, *unpacked, *benchmark.langs})
    return [lang for lang in known if has_files(benchmark, lang, source)] or ["en"]


def has_files(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> bool:
    """Return whether the user's folder holds a benchmark in a language, or the benchmark reads other files."""
    files = local_files(task_name(benchmark, lang))
    return files is None or bool(files.find(_folder(benchmark, lang, source), lang))
