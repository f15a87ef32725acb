"""The lines of a build as its tables have them: decisions, measures and texts, and what other thresholds change.

Names are loaded when they are used, so that no other verb loads DuckDB and Arrow.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.lines.builds import Build, ReplacedError, list_builds, open_build
    from builders.lines.columns import Array, Lines, open_database, open_lines
    from builders.lines.comparison import Comparison, comparison_of, measure_values
    from builders.lines.effects import SERIES, Effect, Histogram, comparison_or_none, effect_of, histogram_of
    from builders.lines.rerun import Rerun, count_replaced, rerun_sample
    from builders.lines.search import corpus_ranges, search_texts
    from builders.lines.texts import (
        Line,
        find_line,
        first_at_random,
        line_id,
        lines_near,
        order_of,
        read_lines_at,
        read_together,
    )

__all__ = [
    "SERIES",
    "Array",
    "Build",
    "Comparison",
    "Effect",
    "Histogram",
    "Line",
    "Lines",
    "ReplacedError",
    "Rerun",
    "comparison_of",
    "comparison_or_none",
    "corpus_ranges",
    "count_replaced",
    "effect_of",
    "find_line",
    "first_at_random",
    "histogram_of",
    "line_id",
    "lines_near",
    "list_builds",
    "measure_values",
    "open_build",
    "open_database",
    "open_lines",
    "order_of",
    "read_lines_at",
    "read_together",
    "rerun_sample",
    "search_texts",
]
_MODULES = {
    "builders.lines.builds": ("Build", "ReplacedError", "list_builds", "open_build"),
    "builders.lines.columns": ("Array", "Lines", "open_database", "open_lines"),
    "builders.lines.comparison": ("Comparison", "comparison_of", "measure_values"),
    "builders.lines.effects": ("SERIES", "Effect", "Histogram", "comparison_or_none", "effect_of", "histogram_of"),
    "builders.lines.rerun": ("Rerun", "count_replaced", "rerun_sample"),
    "builders.lines.search": ("corpus_ranges", "search_texts"),
    "builders.lines.texts": (
        "Line",
        "find_line",
        "first_at_random",
        "line_id",
        "lines_near",
        "order_of",
        "read_lines_at",
        "read_together",
    ),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
