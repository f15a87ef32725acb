"""Compare labels with the newest build: which labelled lines a changed recipe decides otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builders.labels.labels_file import Label, pair_digest, read_labels, replace_labels
from builders.labels.slices import KEPT
from builders.lines import Lines, find_line, open_build, open_lines, read_lines_at
from builders.staging import local_work
from corpora.arguments import checked
from corpora.errors import InputError


@dataclass(frozen=True)
class CheckedLabel:
    """A label and what the build decides on its line now."""

    label: Label
    decision: str
    """`kept`, the filter that rejects the line, `missing` if the corpus has no such line, or `changed` if its texts
    are others."""

    @property
    def is_changed(self) -> bool:
        """Whether the line is kept now and was not, or the other way round."""
        return (self.decision == KEPT) != (self.label.decision == KEPT) and self.has_line

    @property
    def has_line(self) -> bool:
        """Whether the build has the line that was labelled."""
        return self.decision not in ("missing", "changed")

    @property
    def is_worse(self) -> bool:
        """Whether the change contradicts the label."""
        return self.is_changed and self.label.label == ("wrong" if self.decision == KEPT else "right")


@dataclass(frozen=True)
class LabelCheck:
    """The labels of a file, compared with a build."""

    recipe: str
    labels: Sequence[CheckedLabel]

    @property
    def worse(self) -> list[CheckedLabel]:
        """Right pairs that are rejected now, and wrong ones that are kept now."""
        return [row for row in self.labels if row.is_worse]

    @property
    def better(self) -> list[CheckedLabel]:
        """Right pairs that are kept now, and wrong ones that are rejected now."""
        return [row for row in self.labels if row.is_changed and not row.is_worse and row.label.label != "unsure"]

    @property
    def stale(self) -> list[CheckedLabel]:
        """Labels of lines that the corpora no longer have."""
        return [row for row in self.labels if not row.has_line]


@checked
def check_labels(
    *, labels: str | Path = "labels.csv", work: str | Path = "work", recipe: str | None = None, update: bool = False
) -> LabelCheck:
    """Return which labelled lines the newest build decides otherwise than when they were labelled.

    Args:
        labels: The CSV file of labels.
        work: The work folder of the build, or a store.
        recipe: The build of this recipe; None means the newest.
        update: Write the decisions of the build into the file, so that the next check compares with them.

    Raises:
        InputError: There is no build or no label, or the file is malformed.
    """
    path, build = Path(labels), open_build(local_work(work), recipe)
    rows = [label for label in read_labels(path) if label.lang in build.parts]
    if not rows:
        raise InputError(
            f"{path} has no label in a language of the build {build.recipe}. Label lines: builders browse."
        )
    opened = {lang: open_lines(build, lang) for lang in {label.lang for label in rows}}
    result = LabelCheck(build.recipe, [_check(label, opened[label.lang]) for label in rows])
    if update:
        replace_labels(path, [replace(row.label, decision=row.decision) for row in result.labels if row.has_line])
    return result


def _check(label: Label, lines: Lines) -> CheckedLabel:
    index = find_line(lines, label.corpus, label.line_number)
    if index is None:
        return CheckedLabel(label, "missing")
    line = read_lines_at(lines, [index])[0]
    is_same = pair_digest(line.en, line.xx) == label.pair
    return CheckedLabel(label, line.reason if is_same else "changed")
