"""Benchmark: what a model is asked, in which words, and what it should say; read strictly, from upstream's files."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from cards.manifest import FILE as MANIFEST
from corpora.catalog import Corpus, language, languages
from corpora.errors import InputError, unknown
from corpora.reading.archives import file_chunks
from corpora.reading.benchmarks import flores_sentences, read_flores
from corpora.reading.questions import BOM, read_questions, whole_file
from corpora.tables import read_toml
from recipes.prompts import QuestionPrompt, question_prompts, translation_prompts
from trainer.evaluation.instructions import own_instructions, published_instructions
from trainer.evaluation.items import DIRECTIONS, Benchmark, Item, Items, Place
from trainer.evaluation.validation_split import held_directions, held_langs, held_out

HERE = Path(__file__).parent
RELEASE = "release"  # in place of a corpus: what the release holds back


@cache
def benchmarks() -> dict[str, Benchmark]:
    """The rows of `benchmarks.toml`, by name."""
    return {name: Benchmark(name, **row) for name, row in read_toml(HERE / "benchmarks.toml").items()}


def benchmark(name: str) -> Benchmark:
    """The benchmark of this name; InputError with the known ones."""
    if name not in benchmarks():
        raise unknown("benchmark", name, benchmarks())
    return benchmarks()[name]


def load_items(asked: Benchmark, lang: str, direction: str, place: Place, limit: int | None = None) -> Items:
    """The first `limit` items of a benchmark, or all; InputError if the file is not what upstream published."""
    readers = {"translation": _translations, "question": _questions, "instruction": _instructions, "exam": _exam}
    items, odd = readers[asked.task](asked, lang, direction, place)
    if not items:
        raise InputError(f"{asked.name} in {language(lang).name} asks nothing: its file is empty.")
    wanted = asked.expected(lang)
    if wanted is not None and len(items) != wanted and not place.any_rows:
        raise InputError(
            f"{asked.name} in {language(lang).name} has {len(items):,} items here, not {wanted:,} as upstream. Take "
            "upstream's file, or say --any-rows to evaluate on these."
        )
    return Items(tuple(items[:limit]), tuple(odd))


def _translations(asked: Benchmark, lang: str, direction: str, place: Place) -> tuple[list[Item], list[str]]:
    """Sentences to translate: the same line of two languages is one item."""
    if asked.corpus == RELEASE:
        rows = held_out(place.release, lang, direction)
        return [Item(name, asking, text, (right,)) for name, asking, text, right in rows], []
    (english, odd), (foreign, more) = (_sentences(asked, code, place) for code in ("en", lang))
    if len(english) != len(foreign):
        raise InputError(
            f"{asked.name} has {len(english):,} sentences in English and {len(foreign):,} in {language(lang).name}, "
            "so which belong together is not known. Take both from one release."
        )
    source, target = ("en", lang) if direction == "en-xx" else (lang, "en")
    text = translation_prompts()["paper"].text.format(source=language(source).name, target=language(target).name)
    sides = zip(english, foreign, strict=True) if direction == "en-xx" else zip(foreign, english, strict=True)
    return [Item(str(n), text, asked_of, (wanted,)) for n, (asked_of, wanted) in enumerate(sides, 1)], [*odd, *more]


def _sentences(asked: Benchmark, lang: str, place: Place) -> tuple[list[str], list[str]]:
    """The sentences of one language, and what was odd about the file."""
    corpus = place.catalog[asked.corpus]
    known = (
        corpus.upstream_code(lang),
        language(lang).flores,
        language(lang).flores101,
        asked.also.get(lang, lang),
        lang,
    )
    names = [f"{code}.{asked.part}" for code in dict.fromkeys(known)]
    odd = []
    if path := _own(place, names):
        if whole_file(path).startswith(BOM):
            odd.append(f"{path} begins with a byte order mark, which was skipped.")
        rows = flores_sentences(asked.part, file_chunks(path), str(path))
    else:
        rows = read_flores(_upstream(corpus, lang, place, names), lang, corpus.upstream_code(lang))
    found = [text for item, _, text in rows if item.startswith(f"{asked.part}:")]
    for number, text in enumerate(found, 1):
        if not text.strip() or text.lstrip().lower().startswith(("<!doctype", "<html")):
            what = "an HTML page" if text.strip() else "empty"
            raise InputError(f"{asked.name} in {language(lang).name}: line {number} is {what}, no sentence.")
    return found, odd


def _exam(asked: Benchmark, lang: str, direction: str, place: Place) -> tuple[list[Item], list[str]]:
    from trainer.evaluation.exams import read_exam

    return read_exam(asked, lang, place)


def _questions(asked: Benchmark, lang: str, direction: str, place: Place) -> tuple[list[Item], list[str]]:
    """Questions about a passage, in the prompt of their language."""
    corpus, form = place.catalog[asked.corpus], question_form(lang)
    code = corpus.upstream_code(lang)
    names = [f"{asked.corpus}.{code}.json"] if corpus.format == "squad-json" else []
    path = _own(place, names) or _upstream(corpus, lang, place, names)
    table, odd = read_questions(path, corpus.format, code, asked.part, asked.id)
    return [
        Item(row["id"], form.instruction, form.input.format(**row), tuple(row["answers"])) for row in table.to_pylist()
    ], odd


def question_form(lang: str) -> QuestionPrompt:
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


def _instructions(asked: Benchmark, lang: str, direction: str, place: Place) -> tuple[list[Item], list[str]]:
    """Instructions of a release, or of a user's own as JSON Lines; there is nothing to compare the answers with."""
    if place.data and (place.data / MANIFEST).is_file():
        return [Item(*row, ()) for row in published_instructions(place.data, lang)], []
    path = _own(place, [f"{lang}.jsonl"])
    if path is None:
        raise InputError(
            f"{asked.name} is not published: make it with `builders publish mi-eval` and name its folder with --data, "
            f"or put {lang}.jsonl (an object with instruction and input a line) in a folder of your own."
        )
    return [Item(*row, ()) for row in own_instructions(path)], []


def _own(place: Place, names: Sequence[str]) -> Path | None:
    """The file of one of these names in the user's own folder, packed or not."""
    if place.data is None:
        return None
    if not place.data.is_dir():
        raise InputError(f"There is no folder {place.data} (--data).")
    there = (place.data / f"{name}{packed}" for name in names for packed in ("", ".gz"))
    return next((path for path in there if path.is_file()), None)


def _upstream(corpus: Corpus, lang: str, place: Place, names: Sequence[str]) -> Path:
    """The file of a corpus in a language, pulled if it is not here yet; the user's folder has none of these names."""
    from corpora.download import Source, pull_sources

    if not corpus.has(lang):
        raise InputError(f"{corpus.title} has no {language(lang).name}; it has {', '.join(corpus.listed_langs)}.")
    source = Source(corpus.id, lang, corpus.location(lang), corpus.sha256.get(lang))
    try:
        return pull_sources([source], place.downloads, place.lock, mirror=place.mirror, offline=place.offline)[0].path
    except InputError as error:
        lacks = f"{place.data} holds no {' or '.join(names)}. " if place.data and names else ""
        raise InputError(f"{lacks}{error}") from None


def asked_langs(text: str | None, asked: Benchmark, place: Place) -> list[str]:
    """The languages asked for, or all that the benchmark and the prompts have; InputError for an unknown one."""
    if text is not None:
        return [language(code.strip()).code for code in dict.fromkeys(text.split(","))]
    if asked.task == "exam":
        from trainer.evaluation.exams import exam_langs

        return exam_langs(asked, place) or ["en"]
    if asked.corpus == RELEASE:
        return held_langs(place.release)
    corpus = place.catalog.get(asked.corpus)
    rows = question_prompts()
    return [
        code
        for code in languages()
        if (corpus is None or corpus.has(code)) and (asked.task != "question" or code in rows)
    ]


def check_directions(asked: Sequence[str]) -> Sequence[str]:
    """The directions asked for; InputError for one that is none."""
    for direction in asked:
        if direction not in DIRECTIONS:
            raise unknown("direction", direction, DIRECTIONS)
    return asked


def plan(
    names: Sequence[str], langs: str | None, directions: Sequence[str], place: Place
) -> Iterator[tuple[Benchmark, str, str]]:
    """Every benchmark, language and direction that is asked for, in order."""
    for name in dict.fromkeys(names):
        asked = benchmark(name)
        for lang in asked_langs(langs, asked, place):
            held = held_directions(place.release, lang) if asked.corpus == RELEASE and not directions else DIRECTIONS
            for direction in asked.directions(lang):
                if not direction or direction in (directions or held):
                    yield asked, lang, direction
