"""From instructions in English to instructions in other languages: segmented, translated, checked, merged."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from builders.translation.bitext_words import BitextWords
from builders.translation.do_not_translate import do_not_translate_rows
from builders.translation.placeholders import placeholder_rows
from builders.translation.segment_table import SEGMENTS_VERSION, write_segments
from builders.translation.segmentation import code_line_rows
from builders.translation.store import TranslationStore, fingerprint
from builders.translation.translation_counts import TranslationTables
from builders.translation.translation_table import TranslationJob, translate_all
from builders.translation.translator import Translator, check_languages
from builders.workspace import Task, Workspace, inputs_json, query_task
from corpora.language_id import is_spaced
from corpora.progress import Progress

Row = dict[str, Any]


def translate_instructions(
    instructions: Path,
    name: str,
    langs: Sequence[str],
    translator: Translator,
    work: Workspace,
    words: Mapping[str, BitextWords],
    progress: Progress | None = None,
) -> TranslationTables:
    """Return the tables of the instructions of a corpus in each language.

    Args:
        instructions: The table `instructions` of the corpus.
        name: The corpus.
        langs: The languages to translate into.
        translator: The back end.
        work: The work folder; it holds the translation memory too.
        words: What bitexts have taught of the languages, by which translations are judged.
        progress: Receives the number of segments to translate, and of those that are done.

    Raises:
        InputError: The translator does not have one of the languages.
    """
    if not translator.is_memory:
        check_languages(translator, langs)
    tables = {
        "placeholders": [asdict(row) for row in placeholder_rows().values()],
        "lines": [asdict(row) for row in code_line_rows().values()],
        "do_not_translate": [asdict(row) for row in do_not_translate_rows().values()],
    }
    inputs: Row = {"from": instructions.name, "version": SEGMENTS_VERSION, "sentencex": version("sentencex"), **tables}
    task = Task("segments", name, inputs)
    segments = work.make(task, partial(write_segments, instructions=instructions, inputs=inputs_json(task)))
    with TranslationStore(work.folder / "memory").open() as store:
        human = None if translator.is_memory else store.human()
        jobs = {
            lang: TranslationJob(
                segments, lang, translator.for_lang(lang), store, human, progress, words=words.get(lang)
            )
            for lang in langs
        }
        translations = translate_all(jobs, name, work)
    translated = {
        lang: _translated(instructions, segments, path, f"{lang}-{name}", lang, work)
        for lang, path in translations.items()
    }
    work.wait(translated.values())
    return TranslationTables(segments, translations, translated, fingerprint(human))


def _translated(instructions: Path, segments: Path, translations: Path, name: str, lang: str, work: Workspace) -> Path:
    tables = {"instructions": [instructions], "segments": [segments], "translations": [translations]}
    values = {"lang": lang, "spaced": is_spaced(lang)}
    return work.submit(query_task("translated_instructions", name, tables, values))
