"""Conversations as a chat template writes them, cut into what the model reads and the answers that it learns."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from corpora.errors import InputError

Message = Mapping[str, str]  # role and content
Render = Callable[[Sequence[Message], bool], str]  # messages, whether the text ends where an answer begins
Piece = tuple[str, bool]  # a text, and whether it is learned
QUESTION, ANSWER = "A question of 17 words", "An answer of 23 words"  # texts that no template writes itself


@dataclass(frozen=True)
class TurnSplitter:
    """Cuts conversations; `special` are the texts of the tokenizer's special tokens."""

    name: str
    render: Render
    special: Collection[str]

    def split(self, messages: Sequence[Message]) -> list[Piece]:
        """Return the pieces of a conversation; joined they are what the template writes.

        Learned are the answers: what the template writes before and after an answer belongs to it, up to the last
        special token. After the last answer everything does.

        Raises:
            InputError: The template leaves a message out, or changes what precedes an answer once others follow.
        """
        text = self.render(messages, False)
        self._check_contents(messages, text)
        pieces: list[Piece] = []
        position = 0
        for number, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            begin = self._begin(messages[:number], text)
            end = len(text) if number == len(messages) - 1 else self._end(text, begin, message["content"])
            pieces += [(text[position:begin], False), (text[begin:end], True)]
            position = end
        return [*pieces, (text[position:], False)] if position < len(text) else pieces

    def _check_contents(self, messages: Sequence[Message], text: str) -> None:
        position = 0
        for number, message in enumerate(messages, 1):
            content = message["content"].strip()
            position = text.find(content, position)
            if position < 0:
                raise InputError(
                    f"The chat template '{self.name}' leaves out message {number} of a conversation, which is the "
                    f"{message['role']}'s, or changes its text. Use another prompt, such as --set prompt=chatml."
                )
            position += len(content)

    def _begin(self, before: Sequence[Message], text: str) -> int:
        prompt = self.render(before, True)
        if not text.startswith(prompt):
            raise InputError(changed_prompt(self.name))
        return len(prompt)

    def _end(self, text: str, begin: int, answer: str) -> int:
        """Return where an answer ends that is not the last one, with the special token that ends it."""
        head, tail = self._frame
        for before in dict.fromkeys((head, "")):
            for content in dict.fromkeys((answer, answer.strip())):
                if text.startswith(written := before + content + tail, begin):
                    return begin + len(written)
        raise InputError(
            f"The chat template '{self.name}' changes an answer once another question follows, so it is not known "
            "which tokens are learned. Use another prompt, such as --set prompt=chatml."
        )

    @cached_property
    def _frame(self) -> tuple[str, str]:
        """What the template writes before and after an answer that another question follows."""
        question, answer = {"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}
        prompt, alone = self.render([question], True), self.render([question, answer], False)
        longer = self.render([question, answer, question, answer], False)
        if not alone.startswith(prompt):
            raise InputError(changed_prompt(self.name))
        head, _, tail = alone[len(prompt) :].partition(ANSWER)
        following = longer.partition(ANSWER)[2]
        common = tail[: next((n for n, (a, b) in enumerate(zip(tail, following, strict=False)) if a != b), len(tail))]
        ends = [common.rfind(token) + len(token) for token in self.special if token and token in common]
        return head, common[: max(ends)] if ends else common


def changed_prompt(name: str) -> str:
    """Return the error for a chat template that writes a question in another way once it is answered."""
    return (
        f"The chat template '{name}' changes the prompt once an answer follows, so the start of the answer is not "
        "known. Use another template, such as --set prompt=chatml."
    )
