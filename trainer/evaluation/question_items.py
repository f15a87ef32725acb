"""Question benchmarks: questions about a passage, in the prompt of their language."""

from pathlib import PurePosixPath

from corpora.catalog import language
from corpora.errors import InputError
from corpora.reading import read_questions
from recipes.prompts import QuestionPrompt, question_prompts
from trainer.evaluation.benchmark_files import fetch_upstream, find_file
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item, Items


def load_questions(benchmark: Benchmark, lang: str, direction: str, source: BenchmarkSource) -> Items:
    """Return the questions of a language; ids and the positions of answers are checked."""
    corpus, prompt = source.catalog[benchmark.corpus], question_prompt(lang)
    code = corpus.upstream_code(lang)
    names = [f"{benchmark.corpus}.{code}.json"]
    if corpus.format == "mlqa-zip":
        names = [f"{benchmark.split}-context-{code}-question-{code}.json", PurePosixPath(corpus.location(lang)).name]
    path = find_file(source, names) or fetch_upstream(corpus, lang, source, names)
    file_format = corpus.format if path.suffix == ".zip" else "squad-json"
    table, warnings = read_questions(path, file_format, code, benchmark.split, benchmark.id_pattern)
    items = (
        Item(row["id"], prompt.instruction, prompt.input.format(**row), tuple(row["answers"]))
        for row in table.to_pylist()
    )
    return Items(tuple(items), tuple(warnings))


def question_prompt(lang: str) -> QuestionPrompt:
    """Return the prompt of questions in a language.

    Raises:
        InputError: No `prompts.toml` has one.
    """
    rows = question_prompts()
    if lang not in rows:
        raise InputError(
            f"There is no prompt for questions in {language(lang).name}. Add a table [question.{lang}] to the "
            "prompts.toml of a folder, and name the folder with --with."
        )
    return rows[lang]
