"""Translation benchmarks: the same line of two languages is one item."""

from collections.abc import Sequence

from corpora.catalog import language
from corpora.errors import InputError
from corpora.reading import BOM, file_chunks, flores_sentences, read_flores, read_whole_file
from recipes.prompts import translation_prompts
from trainer.evaluation.benchmark_files import fetch_upstream, find_file
from trainer.evaluation.items import Benchmark, BenchmarkSource, Item, Items


def load_translations(benchmark: Benchmark, lang: str, direction: str, source: BenchmarkSource) -> Items:
    """Return the sentences of a language to translate from or to English."""
    english, warnings = _sentences(benchmark, "en", source)
    other, more = _sentences(benchmark, lang, source)
    if len(english) != len(other):
        raise InputError(
            f"{benchmark.name} has {len(english):,} sentences in English and {len(other):,} in {language(lang).name}, "
            "so which belong together is not known. Take both from one release."
        )
    codes = ("en", lang) if direction == "en-xx" else (lang, "en")
    text = translation_prompts()[benchmark.prompt].text
    instruction = text.format(source=language(codes[0]).name, target=language(codes[1]).name)
    sides = (english, other) if direction == "en-xx" else (other, english)
    pairs = zip(*sides, strict=True)
    items = tuple(Item(str(n), instruction, sentence, (reference,)) for n, (sentence, reference) in enumerate(pairs, 1))
    return Items(items, (*warnings, *more))


def _sentences(benchmark: Benchmark, lang: str, source: BenchmarkSource) -> tuple[Sequence[str], Sequence[str]]:
    """Return the sentences of one language, and warnings about the file."""
    corpus = source.catalog[benchmark.corpus]
    codes = (
        corpus.upstream_code(lang),
        language(lang).flores,
        language(lang).flores101,
        benchmark.alternative_codes.get(lang, lang),
        lang,
    )
    names = [f"{code}.{benchmark.split}" for code in dict.fromkeys(codes)]
    warnings = []
    if path := find_file(source, names):
        if read_whole_file(path).startswith(BOM):
            warnings.append(f"{path} begins with a byte order mark, which was skipped.")
        rows = flores_sentences(benchmark.split, file_chunks(path), str(path))
    else:
        rows = read_flores(corpus.input_file(fetch_upstream(corpus, lang, source, names), lang))
    sentences = [text for item, _, text in rows if item.startswith(f"{benchmark.split}:")]
    _check_sentences(sentences, f"{benchmark.name} in {language(lang).name}")
    return sentences, warnings


def _check_sentences(sentences: Sequence[str], where: str) -> None:
    for number, text in enumerate(sentences, 1):
        if not text.strip() or text.lstrip().lower().startswith(("<!doctype", "<html")):
            kind = "an HTML page" if text.strip() else "empty"
            raise InputError(f"{where}: line {number} is {kind}, not a sentence.")
