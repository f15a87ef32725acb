"""Check all tables of translation, ours and the user's, before any work."""

from builders.translation.do_not_translate import do_not_translate_rows, empty_input_rows
from builders.translation.placeholders import placeholder_rows
from builders.translation.quality_checks import check_quality_checks
from builders.translation.segmentation import code_line_rows
from builders.translation.translators import check_translators


def check_tables(translator: str | None = None) -> None:
    """Raise InputError if a row of a table is malformed or names something unknown, or the translator is unknown."""
    for rows in (do_not_translate_rows, empty_input_rows, placeholder_rows, code_line_rows):
        rows()
    check_quality_checks()
    check_translators(translator)
