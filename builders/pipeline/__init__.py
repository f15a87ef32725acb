"""Build examples from upstream files: filters, deduplication, decontamination, language identification, the ledger.

Names are loaded when they are used, so that a worker process does not load DuckDB and Polars.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builders.pipeline.build import BuildResult, build_recipe, resolve_filters
    from builders.pipeline.examples import as_messages, count_rows
    from builders.pipeline.filters import Filter, all_filters, choose_filters
    from builders.pipeline.ledger import filter_warnings, totals
    from builders.pipeline.lines import read_build_manifest, read_lines, sample_rejected, write_lines
    from builders.pipeline.quality_scores import QualityScores, read_quality_scores, score_warnings
    from builders.pipeline.sources import required_sources
    from builders.pipeline.steps import Steps, build_stages

__all__ = [
    "BuildResult",
    "Filter",
    "QualityScores",
    "Steps",
    "all_filters",
    "as_messages",
    "build_recipe",
    "build_stages",
    "choose_filters",
    "count_rows",
    "filter_warnings",
    "read_build_manifest",
    "read_lines",
    "read_quality_scores",
    "required_sources",
    "resolve_filters",
    "sample_rejected",
    "score_warnings",
    "totals",
    "write_lines",
]
_MODULES = {
    "build": ("BuildResult", "build_recipe", "resolve_filters"),
    "examples": ("as_messages", "count_rows"),
    "filters": ("Filter", "all_filters", "choose_filters"),
    "ledger": ("filter_warnings", "totals"),
    "lines": ("read_build_manifest", "read_lines", "sample_rejected", "write_lines"),
    "quality_scores": ("QualityScores", "read_quality_scores", "score_warnings"),
    "sources": ("required_sources",),
    "steps": ("Steps", "build_stages"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"builders.pipeline.{module}"), name)
    raise AttributeError(f"module 'builders.pipeline' has no attribute '{name}'")
