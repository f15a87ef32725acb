"""Trees of messages as OpenAssistant publishes them: a line for each message, with its parent and its rank."""

from collections.abc import Iterator, Sequence

from corpora.reading.conversations import ASSISTANT, conversation_row
from corpora.reading.instruction_rows import Instruction, bad_row

NO_RANK = 1_000_000  # a message that nobody has ranked comes after those with a rank


def best_threads(messages: Sequence[object], lang: str) -> Iterator[Instruction | None]:
    """Yield the thread of best answers from each first message in a language; None for other lines.

    Of several replies the one with the lowest rank is taken, then the first in the file. A thread ends with its last
    answer. A first message without an answer is `missing_answer`.
    """
    replies: dict[object, list[dict[str, object]]] = {}
    for message in messages:
        if isinstance(message, dict) and message.get("parent_id"):
            replies.setdefault(message["parent_id"], []).append(message)
    for own in replies.values():
        own.sort(key=_rank)
    for message in messages:
        if not isinstance(message, dict):
            yield bad_row("not_an_object")
        elif message.get("parent_id") or message.get("lang") != lang or message.get("deleted"):
            yield None
        else:
            yield _thread(message, replies)


def _rank(message: dict[str, object]) -> float:
    rank = message.get("rank")
    return rank if isinstance(rank, int | float) else NO_RANK


def _thread(first: dict[str, object], replies: dict[object, list[dict[str, object]]]) -> Instruction:
    turns, seen = [first], {first.get("message_id")}
    while (own := replies.get(turns[-1].get("message_id"))) and own[0].get("message_id") not in seen:
        turns.append(own[0])
        seen.add(own[0].get("message_id"))
    while turns and turns[-1].get("role") != ASSISTANT:
        turns.pop()
    if not turns:
        return bad_row("missing_answer")
    return conversation_row({"messages": [{"role": t.get("role"), "content": t.get("text")} for t in turns]})
