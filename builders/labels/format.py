"""What `builders labels check` prints."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from builders.labels.check import CheckedLabel, LabelCheck


def check_text(result: LabelCheck) -> str:
    """Return the labelled lines that are decided otherwise now, first those that contradict their labels."""
    blocks = [
        _block("Decided otherwise, against the label", result.worse),
        _block("Decided otherwise, as the label says", result.better),
        _block("No longer in the corpora, or with other texts; label them again", result.stale),
    ]
    num_same = len(result.labels) - len(result.worse) - len(result.better) - len(result.stale)
    summary = f"{len(result.labels):,} labels compared with the build {result.recipe}: {num_same:,} decided as before, "
    summary += f"{len(result.worse):,} worse, {len(result.better):,} better, {len(result.stale):,} without their line."
    return "\n\n".join([*filter(None, blocks), summary])


def _block(title: str, rows: Sequence[CheckedLabel]) -> str:
    return "\n".join([f"{title}:", *map(_row, rows)]) if rows else ""


def _row(row: CheckedLabel) -> str:
    label = row.label
    note = f"  {label.note}" if label.note else ""
    change = f"{label.decision} -> {row.decision}"
    return f"  {label.lang} {label.corpus}:{label.line_number}  {label.label} ({label.annotator})  {change}{note}"


def check_json(result: LabelCheck) -> str:
    """Return the result as JSON."""
    names = {"worse": result.worse, "better": result.better, "stale": result.stale}
    lists = {
        name: [{**asdict(row.label), "decision_now": row.decision} for row in rows] for name, rows in names.items()
    }
    return json.dumps({"recipe": result.recipe, "labels": len(result.labels), **lists}, ensure_ascii=False)
