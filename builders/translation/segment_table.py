"""The table `segments`: the fields of a corpus's instructions, each as segments and what stands between them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builders.translation.do_not_translate import FIELDS, find_do_not_translate
from builders.translation.segmentation import join_wrapped_lines, segment
from builders.workspace import write_groups

INSTRUCTION_ROWS = 1 << 17  # read at once
SEGMENTS_VERSION = 6  # of what these functions make; raise it whenever their results change
TEXTS = pa.list_(pa.string())
# A row is one field of one kept instruction, or one turn of a conversation; a field or turn that stays in English has
# no segments.
SEGMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("field", pa.string()),
        ("turn", pa.int32()),
        ("do_not_translate", pa.string()),
        ("skeleton", TEXTS),
        ("segments", TEXTS),
    ]
)
Row = dict[str, Any]


def write_segments(path: Path, instructions: Path, inputs: str) -> None:
    """Write every field of every kept instruction as segments and skeleton."""
    tables = (
        pa.Table.from_pylist([row for instruction in kept for row in _segment(instruction)], schema=SEGMENTS)
        for kept in read_kept(instructions)
    )
    write_groups(path, SEGMENTS, tables, inputs)


def read_kept(instructions: Path) -> Iterator[list[Row]]:
    """Yield the instructions that no filter has rejected, some thousands at once."""
    for batch in pq.ParquetFile(instructions).iter_batches(INSTRUCTION_ROWS):
        yield batch.filter(pc.is_null(batch["reject_reason"])).to_pylist()


def _segment(instruction: Row) -> Iterator[Row]:
    if instruction["messages"]:
        yield from _segment_turns(instruction["id"], instruction["messages"])
        return
    rule, english = find_do_not_translate(instruction) or ("", ())
    for field in FIELDS:
        yield _segment_text(instruction["id"], field, None, rule, instruction[field], field in english)


def _segment_turns(id: str, turns: Sequence[Row]) -> Iterator[Row]:
    """Yield the turns of a conversation: a question is an instruction, and the answer after it its output.

    A rule that keeps a question in English keeps the whole conversation, so that it stays in one language.
    """
    pairs = zip(turns, [*turns[1:], {"role": "", "content": ""}], strict=True)
    questions = [
        {"instruction": turn["content"], "input": "", "output": following["content"]}
        for turn, following in pairs
        if turn["role"] == "user"
    ]
    rules = [find_do_not_translate(question) or ("", ()) for question in questions]
    whole = next((name for name, fields in rules if "instruction" in fields), "")
    name = whole or next((name for name, _ in rules if name), "")
    exchange = -1
    for number, turn in enumerate(turns, 1):
        exchange += turn["role"] == "user"
        is_answer = turn["role"] == "assistant"
        is_kept = bool(whole) or (is_answer and "output" in rules[exchange][1])
        yield _segment_text(id, "output" if is_answer else "instruction", number, name, turn["content"], is_kept)


def _segment_text(id: str, field: str, turn: int | None, rule: str, text: str, is_kept: bool) -> Row:
    segments, skeleton = ([], [text]) if is_kept else segment(join_wrapped_lines(text))
    key = {"id": id, "field": field, "turn": turn, "do_not_translate": rule}
    return {**key, "skeleton": skeleton, "segments": segments}
