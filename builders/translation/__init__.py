"""Translate instructions into other languages: segmentation, translators, quality checks, the translation memory.

Names are loaded when they are used, so that a worker does not load what it has no use for.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.translation.bitext_words import BitextWords
    from builders.translation.chrf_score import chrf
    from builders.translation.convert import convert_checkpoint
    from builders.translation.ctranslate2_translator import Engine, all_cores
    from builders.translation.do_not_translate import (
        DoNotTranslate,
        EmptyInput,
        do_not_translate_rows,
        empty_input_rows,
        find_do_not_translate,
        normalize_input,
    )
    from builders.translation.format import memory_json, memory_text, translate_json, translate_text
    from builders.translation.human_edits import edit_translation, read_edits
    from builders.translation.instruction_files import check_instructions, export, load_instructions, output_path
    from builders.translation.instructions import translate_instructions
    from builders.translation.memory import MEMORY_SCHEMA, TranslationMemory, digest, read_memory
    from builders.translation.memory_export import export_memory, list_memory
    from builders.translation.memory_import import ImportResult, import_memory
    from builders.translation.model import END_TOKEN
    from builders.translation.model_hub import download_model
    from builders.translation.model_loading import load_dense, load_encoder, load_fast_tokenizer
    from builders.translation.model_source import MODEL_REPOSITORY, find_model
    from builders.translation.placeholders import Placeholder, placeholder_rows, split_at_placeholders
    from builders.translation.quality_checks import QualityCheck, check_translations, quality_check_rows
    from builders.translation.segmentation import CodeLine, code_line_rows, merge, segment
    from builders.translation.store import as_batch
    from builders.translation.tables import check_tables
    from builders.translation.translation_counts import TranslationTables, count_translations, describe_translations
    from builders.translation.translator import Translation, Translator, TranslatorOptions
    from builders.translation.translator_table import TranslatorRow, translator_rows
    from builders.translation.translators import (
        DEFAULT_TRANSLATOR,
        TRANSLATORS,
        resolve_translator,
        translator_download_bytes,
    )

__all__ = [
    "DEFAULT_TRANSLATOR",
    "END_TOKEN",
    "MEMORY_SCHEMA",
    "MODEL_REPOSITORY",
    "TRANSLATORS",
    "BitextWords",
    "CodeLine",
    "DoNotTranslate",
    "EmptyInput",
    "Engine",
    "ImportResult",
    "Placeholder",
    "QualityCheck",
    "Translation",
    "TranslationMemory",
    "TranslationTables",
    "Translator",
    "TranslatorOptions",
    "TranslatorRow",
    "all_cores",
    "as_batch",
    "check_instructions",
    "check_tables",
    "check_translations",
    "chrf",
    "code_line_rows",
    "convert_checkpoint",
    "count_translations",
    "describe_translations",
    "digest",
    "do_not_translate_rows",
    "download_model",
    "edit_translation",
    "empty_input_rows",
    "export",
    "export_memory",
    "find_do_not_translate",
    "find_model",
    "import_memory",
    "list_memory",
    "load_dense",
    "load_encoder",
    "load_fast_tokenizer",
    "load_instructions",
    "memory_json",
    "memory_text",
    "merge",
    "normalize_input",
    "output_path",
    "placeholder_rows",
    "quality_check_rows",
    "read_edits",
    "read_memory",
    "resolve_translator",
    "segment",
    "split_at_placeholders",
    "translate_instructions",
    "translate_json",
    "translate_text",
    "translator_download_bytes",
    "translator_rows",
]
_MODULES = {
    "builders.translation.bitext_words": ("BitextWords",),
    "builders.translation.chrf_score": ("chrf",),
    "builders.translation.convert": ("convert_checkpoint",),
    "builders.translation.ctranslate2_translator": ("Engine", "all_cores"),
    "builders.translation.do_not_translate": (
        "DoNotTranslate",
        "EmptyInput",
        "do_not_translate_rows",
        "empty_input_rows",
        "find_do_not_translate",
        "normalize_input",
    ),
    "builders.translation.format": ("memory_json", "memory_text", "translate_json", "translate_text"),
    "builders.translation.human_edits": ("edit_translation", "read_edits"),
    "builders.translation.instruction_files": ("check_instructions", "export", "load_instructions", "output_path"),
    "builders.translation.instructions": ("translate_instructions",),
    "builders.translation.memory": ("MEMORY_SCHEMA", "TranslationMemory", "digest", "read_memory"),
    "builders.translation.memory_export": ("export_memory", "list_memory"),
    "builders.translation.memory_import": ("ImportResult", "import_memory"),
    "builders.translation.model": ("END_TOKEN",),
    "builders.translation.model_hub": ("download_model",),
    "builders.translation.model_loading": ("load_dense", "load_encoder", "load_fast_tokenizer"),
    "builders.translation.model_source": ("MODEL_REPOSITORY", "find_model"),
    "builders.translation.placeholders": ("Placeholder", "placeholder_rows", "split_at_placeholders"),
    "builders.translation.quality_checks": ("QualityCheck", "check_translations", "quality_check_rows"),
    "builders.translation.segmentation": ("CodeLine", "code_line_rows", "merge", "segment"),
    "builders.translation.store": ("as_batch",),
    "builders.translation.tables": ("check_tables",),
    "builders.translation.translation_counts": ("TranslationTables", "count_translations", "describe_translations"),
    "builders.translation.translator": ("Translation", "Translator", "TranslatorOptions"),
    "builders.translation.translator_table": ("TranslatorRow", "translator_rows"),
    "builders.translation.translators": (
        "DEFAULT_TRANSLATOR",
        "TRANSLATORS",
        "resolve_translator",
        "translator_download_bytes",
    ),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
