"""Labels of sentence pairs: their file, what they say of filters, and the check of a build against them.

Names are loaded when they are used, so that no other verb loads NumPy.
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.labels.agreement import Agreement, measure_agreement
    from builders.labels.check import CheckedLabel, LabelCheck, check_labels
    from builders.labels.estimates import Estimates, Stratum, estimate
    from builders.labels.format import check_json, check_text
    from builders.labels.intervals import Interval, exact_interval
    from builders.labels.labels_file import LABELS, Label, add_label, one_line, pair_digest, read_labels, remove_label
    from builders.labels.slices import KEPT, UNJUDGED, Slice, draw_lines, lines_in, parse_slice, slice_of

__all__ = [
    "KEPT",
    "LABELS",
    "UNJUDGED",
    "Agreement",
    "CheckedLabel",
    "Estimates",
    "Interval",
    "Label",
    "LabelCheck",
    "Slice",
    "Stratum",
    "add_label",
    "check_json",
    "check_labels",
    "check_text",
    "draw_lines",
    "estimate",
    "exact_interval",
    "lines_in",
    "measure_agreement",
    "one_line",
    "pair_digest",
    "parse_slice",
    "read_labels",
    "remove_label",
    "slice_of",
]
_MODULES = {
    "builders.labels.agreement": ("Agreement", "measure_agreement"),
    "builders.labels.check": ("CheckedLabel", "LabelCheck", "check_labels"),
    "builders.labels.estimates": ("Estimates", "Stratum", "estimate"),
    "builders.labels.format": ("check_json", "check_text"),
    "builders.labels.intervals": ("Interval", "exact_interval"),
    "builders.labels.labels_file": (
        *("LABELS", "Label", "add_label", "one_line", "pair_digest", "read_labels", "remove_label"),
    ),
    "builders.labels.slices": ("KEPT", "UNJUDGED", "Slice", "draw_lines", "lines_in", "parse_slice", "slice_of"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
