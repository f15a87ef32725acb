"""Form: how an instruction is put to a model; the rows of `prompts.toml` below `form`, loaded strictly."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from corpora.catalog import read_toml
from corpora.errors import InputError, unknown

HERE = Path(__file__).parent
OWN_CHAT = "chat"  # the name of the form that a model's own tokenizer brings
KEYS = {"with_input", "without_input", "chat", "origin"}


@dataclass(frozen=True)
class Form:
    """How an instruction is put to a model.

    Either two texts, `with_input` (holding {instruction} and {input}) and `without_input` (holding {instruction}), or
    `chat`, a Jinja chat template in the field's sense; empty where the tokenizer's own is meant.
    """

    name: str
    origin: str
    with_input: str = ""
    without_input: str = ""
    chat: str | None = None

    def prompt(self, instruction: str, input: str) -> str:
        """The text that stands before the answer; not for a chat form."""
        if not input:
            return self.without_input.format(instruction=instruction)
        return self.with_input.format(instruction=instruction, input=input)

    def sha256(self) -> str:
        """The digest of the form, by which a run says what it was trained with."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def forms() -> dict[str, Form]:
    """Every form by name; the tokenizer's own chat template is the one named `chat`."""
    rows = read_toml(HERE / "prompts.toml")["form"]
    own = Form(OWN_CHAT, "the chat template that the model's tokenizer brings", chat="")
    return {name: _form(name, row) for name, row in rows.items()} | {OWN_CHAT: own}


def form(name: str) -> Form:
    """The form of this name; InputError with the known ones."""
    if name not in forms():
        raise unknown("prompt", name, forms())
    return forms()[name]


def _form(name: str, row: Mapping[str, Any]) -> Form:
    where = f"prompts.toml, [form.{name}]"
    for key in row:
        if key not in KEYS:
            raise InputError(f"{where}: {unknown('key', key, KEYS)}")
    for key, allowed in (("with_input", {"instruction", "input"}), ("without_input", {"instruction"})):
        for _, named, _, _ in Formatter().parse(row.get(key, "")):
            if named is not None and named not in allowed:
                raise InputError(f"{where}: {key} may hold {allowed}, not {{{named}}}.")
    return Form(name, **row)
