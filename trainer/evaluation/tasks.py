"""TASKS: how the items of each kind of benchmark are loaded, in which languages and directions.

A loader is a function `load(benchmark, lang, direction, source)` that returns `Items`. A benchmark row names a task of
TASKS, or a loader of the user's own as `module:function`, whose items have no direction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corpora.catalog import languages
from corpora.errors import InputError
from recipes.prompts import question_prompts
from trainer.evaluation.academic import academic_langs, load_academic
from trainer.evaluation.instruction_items import load_instructions
from trainer.evaluation.items import DIRECTIONS, Benchmark, BenchmarkSource, Items
from trainer.evaluation.metrics import load_code
from trainer.evaluation.question_items import load_questions
from trainer.evaluation.translation_items import load_translations
from trainer.evaluation.validation_split import load_validation, validation_directions, validation_langs

Loader = Callable[[Benchmark, str, str, BenchmarkSource], Items]


def corpus_langs(benchmark: Benchmark, source: BenchmarkSource) -> Sequence[str]:
    """Return the languages that a benchmark lists, else those of its corpus, else all."""
    corpus = source.catalog.get(benchmark.corpus)
    return benchmark.langs or [code for code in languages() if corpus is None or corpus.has(code)]


def question_langs(benchmark: Benchmark, source: BenchmarkSource) -> Sequence[str]:
    """Return the languages that have both a file and a prompt for questions."""
    return [code for code in corpus_langs(benchmark, source) if code in question_prompts()]


def both_directions(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> Sequence[str]:
    """Return both directions between English and another language."""
    return () if lang == "en" else DIRECTIONS


def no_direction(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> Sequence[str]:
    """Return one empty direction: nothing is translated."""
    return ("",)


@dataclass(frozen=True)
class Task:
    """A kind of benchmark.

    Attributes:
        load: Returns the items of a benchmark in a language and direction.
        list_langs: Returns the languages that are evaluated where none are chosen.
        list_directions: Returns the directions of a language.
        needs_corpus: Whether a row must name a corpus of the catalogue.
    """

    load: Loader
    list_langs: Callable[[Benchmark, BenchmarkSource], Sequence[str]] = corpus_langs
    list_directions: Callable[[Benchmark, str, BenchmarkSource], Sequence[str]] = no_direction
    needs_corpus: bool = False


TASKS = {
    "translation": Task(load_translations, list_directions=both_directions, needs_corpus=True),
    "question": Task(load_questions, question_langs, needs_corpus=True),
    "validation": Task(load_validation, validation_langs, validation_directions),
    "instruction": Task(load_instructions),
    "academic": Task(load_academic, academic_langs),
}


def get_task(benchmark: Benchmark) -> Task:
    """Return the task of a benchmark: one of TASKS, or a user's loader.

    Raises:
        InputError: The user's loader cannot be loaded.
    """
    if benchmark.task in TASKS:
        return TASKS[benchmark.task]
    load, _ = load_code(benchmark.task, f"{benchmark.where}, 'task'")

    def checked(benchmark: Benchmark, lang: str, direction: str, source: BenchmarkSource) -> Items:
        try:
            items = load(benchmark, lang, direction, source)
        except InputError:
            raise
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise InputError(f"{benchmark.where}: {benchmark.task} failed in '{lang}': {problem}.") from error
        if not isinstance(items, Items):
            raise InputError(f"{benchmark.where}: {benchmark.task} must return trainer.evaluation.Items.")
        return items

    return Task(checked)
