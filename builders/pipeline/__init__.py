"""Build examples from upstream files: filters, deduplication, decontamination, language identification, the ledger.

Names are loaded when they are used, so that a worker process does not load DuckDB and Polars.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.pipeline.alignments import domain_warnings
    from builders.pipeline.build import BuildResult, build_recipe, resolve_filters
    from builders.pipeline.deciding_again import decide_again
    from builders.pipeline.decisions import PartTables
    from builders.pipeline.examples import as_messages, count_rows
    from builders.pipeline.filters import MODEL_FILTER, MODEL_STAGE, Filter, all_filters, choose_filters
    from builders.pipeline.format import lost_records
    from builders.pipeline.ledger import filter_warnings, read_ledger, totals
    from builders.pipeline.line_order import order_warnings
    from builders.pipeline.lines import (
        read_build_manifest,
        read_lines,
        sample_rejected,
        with_unexplained_words,
        write_lines,
    )
    from builders.pipeline.quality_scores import QualityScores, read_quality_scores, score_warnings
    from builders.pipeline.sources import required_sources
    from builders.pipeline.steps import Steps, build_stages

__all__ = [
    "MODEL_FILTER",
    "MODEL_STAGE",
    "BuildResult",
    "Filter",
    "PartTables",
    "QualityScores",
    "Steps",
    "all_filters",
    "as_messages",
    "build_recipe",
    "build_stages",
    "choose_filters",
    "count_rows",
    "decide_again",
    "domain_warnings",
    "filter_warnings",
    "lost_records",
    "order_warnings",
    "read_build_manifest",
    "read_ledger",
    "read_lines",
    "read_quality_scores",
    "required_sources",
    "resolve_filters",
    "sample_rejected",
    "score_warnings",
    "totals",
    "with_unexplained_words",
    "write_lines",
]
_MODULES = {
    "builders.pipeline.alignments": ("domain_warnings",),
    "builders.pipeline.build": ("BuildResult", "build_recipe", "resolve_filters"),
    "builders.pipeline.decisions": ("PartTables",),
    "builders.pipeline.deciding_again": ("decide_again",),
    "builders.pipeline.examples": ("as_messages", "count_rows"),
    "builders.pipeline.filters": ("MODEL_FILTER", "MODEL_STAGE", "Filter", "all_filters", "choose_filters"),
    "builders.pipeline.format": ("lost_records",),
    "builders.pipeline.line_order": ("order_warnings",),
    "builders.pipeline.ledger": ("filter_warnings", "read_ledger", "totals"),
    "builders.pipeline.lines": (
        "read_build_manifest",
        "read_lines",
        "sample_rejected",
        "with_unexplained_words",
        "write_lines",
    ),
    "builders.pipeline.quality_scores": ("QualityScores", "read_quality_scores", "score_warnings"),
    "builders.pipeline.sources": ("required_sources",),
    "builders.pipeline.steps": ("Steps", "build_stages"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
