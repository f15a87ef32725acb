"""Chat templates are programs that come with a model: they run in a process of their own, with little memory and time.

transformers runs them in Jinja's sandbox, which keeps them from files and from Python, but not from endless loops or
from texts of gigabytes.
"""

import json
import os
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from corpora.errors import InputError
from corpora.limits import hint, limit
from corpora.strict_json import load_json
from trainer.child_processes import start_with_pipes, stop

Messages = Sequence[Mapping[str, str]]
PROGRAM = "trainer.template_process"
MAX_REPLY_BYTES = 64 << 20


class ChatTemplate:
    """A function that writes conversations by a template; all templates of this process share one that renders.

    `template` is Jinja's text, `special_tokens` the tokens that it may name, such as `bos_token`.
    """

    def __init__(self, template: str, special_tokens: Mapping[str, str]) -> None:
        self._request = {"chat_template": template, "special_tokens": dict(special_tokens)}

    def __call__(self, messages: Messages, begins_answer: bool) -> str:
        """Return messages as the template writes them; `begins_answer` is whether the model's answer is to follow.

        Raises:
            InputError: The template fails, or needs more time or memory than it may use.
        """
        limits = {"seconds": limit("template_s"), "bytes": limit("template_bytes")}
        request = self._request | limits | {"messages": list(messages), "begins_answer": begins_answer}
        reply = _ask(json.dumps(request))
        if reply is None:
            raise InputError(
                "The chat template takes more time, memory or text than one conversation may need. "
                f"Use another prompt, such as --set prompt=chatml. {hint('template_s')} {hint('template_bytes')}"
            )
        if "error" in reply:
            raise InputError(f"The chat template cannot be used: {reply['error']}")
        return str(reply["text"])


class _Renderer:
    """The program that renders: a line of JSON for each conversation, and one for each text."""

    def __init__(self) -> None:
        self.owner = os.getpid()  # a fork of this process needs a renderer of its own
        self._process = start_with_pipes([sys.executable, "-m", PROGRAM])
        assert self._process.stdin
        assert self._process.stdout
        self._requests, self._replies = self._process.stdin, self._process.stdout
        self.end = weakref.finalize(self, stop, self._process, 0.0)
        if not self._replies.readline():
            raise InputError(f"The program that writes chat templates cannot start. See: python -m {PROGRAM}")

    def ask(self, request: str) -> dict[str, Any] | None:
        """Return the reply; None, and no program any more, if it ended or wrote too much."""
        with suppress(BrokenPipeError):
            self._requests.write(f"{request}\n".encode())
            self._requests.flush()
        reply = self._replies.readline(MAX_REPLY_BYTES)
        if reply.endswith(b"\n"):
            answer: dict[str, Any] = load_json(reply.decode())
            return answer
        self.end()
        return None


_lock = threading.Lock()
_renderer: _Renderer | None = None


def _ask(request: str) -> dict[str, Any] | None:
    """Return the reply of the renderer, which is started where there is none; None if it had to end."""
    global _renderer
    with _lock:
        if _renderer and _renderer.owner != os.getpid():
            _renderer.end.detach()  # the parent's goes on
            _renderer = None
        renderer, _renderer = (
            _renderer or _Renderer(),
            None,
        )  # one that was interrupted still has a reply: not asked again
        reply = renderer.ask(request)
        if reply is not None:
            _renderer = renderer
        return reply
