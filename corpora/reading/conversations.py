"""Conversations as datasets write them: `messages` of OpenAI, `conversations` of ShareGPT, a list of texts of LIMA."""

from collections.abc import Mapping, Sequence

from corpora.reading.instruction_rows import Instruction, bad_row, clean_text, instruction_row, is_text

KEYS = ("messages", "conversations", "conversation")  # of a record, one of which holds its turns
SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
ROLES = {  # as datasets spell them
    **dict.fromkeys(("system", "developer"), SYSTEM),
    **dict.fromkeys(("user", "human", "prompter"), USER),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bing", "bard", "model"), ASSISTANT),
}
Turn = dict[str, str]  # role and content


class _BadTurnError(Exception):
    """The read error of a turn."""


def conversation_row(record: object) -> Instruction:
    """Return the row of a record with turns.

    One question and one answer are an instruction; with a system message or more turns they stay `messages`. An empty
    system message is none. The turns are of a user and of an assistant by turns, the last of the assistant; otherwise
    the read error is `turns_out_of_order`. Others are `missing_field`, `not_a_string`, `unknown_role`, `empty_turn`.
    """
    if not isinstance(record, dict):
        return bad_row("not_an_object")
    turns = next((record[key] for key in KEYS if record.get(key) is not None), None)
    if not isinstance(turns, list) or not turns:
        return bad_row("missing_field")
    try:
        return messages_row([*_system(record), *(_turn(turn, number) for number, turn in enumerate(turns))])
    except _BadTurnError as error:
        return bad_row(str(error))


def history_row(record: object) -> Instruction:
    """Return the row of a record as Alpaca has it; with `system` or `history` (pairs of texts) it is a conversation."""
    if not isinstance(record, dict) or not (record.get("history") or record.get("system")):
        return instruction_row(record)
    row = instruction_row(record)
    try:
        history = [_turn(text, number) for pair in _pairs(record.get("history")) for number, text in enumerate(pair)]
        system = _system(record)
    except _BadTurnError as error:
        return bad_row(str(error))
    question = "\n\n".join(text for text in (row["instruction"], row["input"]) if text)
    last = [{"role": USER, "content": question}, {"role": ASSISTANT, "content": row["output"]}]
    return row if row["read_error"] else messages_row([*system, *history, *last])


def messages_row(messages: Sequence[Turn]) -> Instruction:
    """Return the row of clean turns in our roles."""
    turns = [turn for turn in messages if turn["role"] != SYSTEM or turn["content"]]
    roles = [turn["role"] for turn in turns]
    questions = roles[1:] if roles[:1] == [SYSTEM] else roles
    if not questions or questions != [USER, ASSISTANT] * (len(questions) // 2):
        return bad_row("turns_out_of_order")
    if not all(turn["content"] for turn in turns):
        return bad_row("empty_turn")
    first, last = turns[len(roles) - len(questions)]["content"], turns[-1]["content"]
    row = instruction_row({"instruction": first, "output": last})
    return row if len(turns) == 2 else row | {"messages": turns}


def _system(record: Mapping[str, object]) -> list[Turn]:
    text = record.get("system", record.get("system_prompt"))
    return [] if text is None else [{"role": SYSTEM, "content": _text(text)}]


def _pairs(history: object) -> list[list[object]]:
    pairs = history or []
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise _BadTurnError("not_a_string")
    return pairs


def _turn(turn: object, number: int) -> Turn:
    """Return a turn in our roles; a text alone is the user's if its number is even, else the assistant's."""
    if isinstance(turn, str):
        return {"role": (USER, ASSISTANT)[number % 2], "content": _text(turn)}
    if not isinstance(turn, dict):
        raise _BadTurnError("not_an_object")
    role = turn.get("role", turn.get("from"))
    if not isinstance(role, str) or role.lower() not in ROLES:
        raise _BadTurnError("unknown_role")
    return {"role": ROLES[role.lower()], "content": _text(turn.get("content", turn.get("value")))}


def _text(content: object) -> str:
    """Return the text of a turn; OpenAI also writes it as a list of parts, which all must be texts."""
    parts = [_part(part) for part in content] if isinstance(content, list) else [content]
    if not all(map(is_text, parts)):
        raise _BadTurnError("not_a_string")
    return clean_text("\n".join(map(str, parts)))


def _part(part: object) -> object:
    return part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
