"""The program that renders chat templates, within limits that a template cannot lift; see `trainer.chat_template`.

It reads a line of JSON for each conversation and writes one with its text, or with the first line of the error.
"""

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from corpora.errors import first_line
from corpora.strict_json import load_json


def main() -> None:
    """Answer requests until there are no more; the first line says that all is imported."""
    from transformers.utils import chat_template_utils  # noqa: F401

    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no reply
    replies.write("\n")
    replies.flush()
    for line in sys.stdin:
        request = load_json(line)
        _limit(request["seconds"], request["bytes"])
        try:
            reply = {"text": _render(request)}
        except Exception as error:
            reply = {"error": first_line(error)}
        replies.write(f"{json.dumps(reply)}\n")
        replies.flush()


def _render(request: dict[str, Any]) -> str:
    from transformers.utils.chat_template_utils import render_jinja_template

    (text,), _ = render_jinja_template(
        conversations=[request["messages"]],
        chat_template=request["chat_template"],
        add_generation_prompt=request["begins_answer"],
        **request["special_tokens"],
    )
    return str(text)


def _limit(seconds: int, num_bytes: int) -> None:
    """Let the system end this program after some seconds of a processor, and let it have so much more memory."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    with suppress(OSError, ValueError):  # where the system can
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + num_bytes, hard))


if __name__ == "__main__":
    main()
