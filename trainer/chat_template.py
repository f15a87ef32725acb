"""Chat templates are programs that come with a model: they run in a process of their own, with little memory and time.

transformers runs them in Jinja's sandbox, which keeps them from files and from Python, but not from endless loops or
from texts of gigabytes.
"""

import json
import os
import select
import signal
import sys
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from corpora.errors import InputError, first_line
from corpora.limits import hint, limit
from corpora.strict_json import load_json

Messages = Sequence[Mapping[str, str]]
READ_BYTES = 1 << 16
MAX_TEXT_BYTES = 64 << 20  # of one conversation


class ChatTemplate:
    """A function that writes conversations, in a process that is started by the first one and ended with this object.

    `render` gets messages, and whether the text ends where the model's answer begins.
    """

    def __init__(self, render: Callable[[Messages, bool], str]) -> None:
        self._render = render
        self._process: _Process | None = None

    def __call__(self, messages: Messages, begins_answer: bool) -> str:
        """Return messages as the template writes them.

        Raises:
            InputError: The template fails, or needs more time or memory than it may use.
        """
        self._process = self._process or _Process(self._render)
        reply = self._process.ask(json.dumps([list(messages), begins_answer]))
        if reply is None:
            self._process = None
            raise InputError(
                "The chat template takes more time, memory or text than one conversation may need. "
                f"Use another prompt, such as --set prompt=chatml. {hint('template_s')} {hint('template_bytes')}"
            )
        if "error" in reply:
            raise InputError(f"The chat template cannot be used: {reply['error']}")
        return str(reply["text"])


class _Process:
    """A copy of this process that renders, a line of JSON for each conversation and for each text."""

    def __init__(self, render: Callable[[Messages, bool], str]) -> None:
        requests, self._to = os.pipe()
        self._from, replies = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the copy uses no thread and no lock of this process
            self._pid = os.fork()
        if not self._pid:
            os.close(self._to)
            os.close(self._from)
            _serve(render, requests, replies)
        os.close(requests)
        os.close(replies)
        self.end = weakref.finalize(self, _end, self._pid, self._to, self._from)

    def ask(self, request: str) -> dict[str, Any] | None:
        """Return the reply; None, and no process any more, if there is none in time."""
        deadline, reply = monotonic() + limit("template_s"), bytearray()
        with suppress(BrokenPipeError):
            _write(self._to, f"{request}\n".encode())
            while not reply.endswith(b"\n") and len(reply) < MAX_TEXT_BYTES:
                ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - monotonic()))
                data = os.read(self._from, READ_BYTES) if ready else b""
                if not data:
                    break
                reply += data
        if reply.endswith(b"\n"):
            answer: dict[str, Any] = load_json(reply.decode())
            return answer
        self.end()
        return None


def _serve(render: Callable[[Messages, bool], str], requests: int, replies: int) -> None:
    """Answer requests until there are no more, and end the process; never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _limit_memory()
        with open(requests, encoding="utf-8") as lines:
            for line in lines:
                messages, begins_answer = load_json(line)
                try:
                    reply = {"text": render(messages, begins_answer)}
                except Exception as error:
                    reply = {"error": first_line(error)}
                _write(replies, f"{json.dumps(reply)}\n".encode())
    finally:
        os._exit(1)


def _limit_memory() -> None:
    """Limit this process to the memory that it has and that of the limit `template_bytes`, where the system can."""
    import resource

    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + limit("template_bytes")
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _end(pid: int, *descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
