"""Translate by a language model behind an OpenAI-compatible server: vLLM, llama.cpp, or a paid service."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.translation.translator import Translation, Translator, TranslatorOptions
from builders.translation.translator_table import TranslatorRow
from corpora.catalog import language, languages
from corpora.endpoint import Endpoint, PromptTooLong, complete, served_models
from corpora.errors import InputError, unknown
from corpora.extensions import read_extended_rows, row_file
from corpora.tables import STRICT

FILE = Path(__file__).with_name("server_prompts.toml")
DEFAULT_PROMPT = "plain"
BYTES_PER_TOKEN = 3.5  # of English, in a rough estimate
OUTPUT_SHARE = 2.0  # tokens of a translation for each token of English: many scripts take more
OVERHEAD_TOKENS = 60  # of the prompt around a segment
RETRY_TEMPERATURE = 0.5


@dataclass(frozen=True)
class ServerPrompt:
    """A row of server_prompts.toml: what a language model is asked for a translation."""

    __pydantic_config__ = STRICT
    name: str
    description: str
    """Which models it is for."""
    user: str
    """The message of the user, with `{text}` and perhaps `{language}`."""
    system: str = ""
    """The system message, if there is one, perhaps with `{language}`."""

    def messages(self, text: str, lang: str) -> list[dict[str, str]]:
        """Return the messages for a segment."""
        name = language(lang).name
        texts = {"system": self.system.replace("{language}", name), "user": self.user.replace("{language}", name)}
        contents = {role: content.replace("{text}", text) for role, content in texts.items() if content}
        return [{"role": role, "content": content} for role, content in contents.items()]


def server_prompt_rows() -> Mapping[str, ServerPrompt]:
    """Return the prompts by name, the user's among them; InputError if one has no place for the text."""
    rows = read_extended_rows(FILE, ServerPrompt)
    for row in rows.values():
        if "{text}" not in row.user:
            raise InputError(f"{row_file(FILE, row.name)}, table [{row.name}]: 'user' must hold {{text}}.")
    return rows


@dataclass(frozen=True)
class ServerTranslator(Translator):
    """A model behind a server, requested once for each segment."""

    endpoint: Endpoint
    prompt: ServerPrompt
    row: TranslatorRow
    temperature: float = 0.0
    batch_bytes: int = 1_024  # a few segments, so that a killed run repeats few requests

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the model at the server."""
        return self.endpoint.model

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """The digest of model and prompt: the weights behind a server are not known."""
        text = json.dumps([self.endpoint.fingerprint, self.prompt.system, self.prompt.user])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def licence(self) -> str:  # type: ignore[override]
        """The licence that the row states."""
        return self.row.licence or "not stated"

    @property
    def languages(self) -> Collection[str]:  # type: ignore[override]
        """Every language: whether a model knows it is for the quality checks to find."""
        return [lang for lang in languages() if lang != "en"]

    @property
    def decoding(self) -> str:  # type: ignore[override]
        """Prompt and temperature."""
        return f"prompt {self.prompt.name} temperature {self.temperature:g}"

    @property
    def num_workers(self) -> int:  # type: ignore[override]
        """The number of requests at a time."""
        return self.row.concurrency

    def translate(self, texts: Sequence[str], lang: str) -> list[Translation]:
        """Return a translation of each segment, with the flags truncated, several_lines and source_too_long."""
        return [self._translate(text, lang) for text in texts]

    def _translate(self, text: str, lang: str) -> Translation:
        body = {
            "messages": self.prompt.messages(text, lang),
            "temperature": self.temperature,
            "max_tokens": 64 + int(4 * len(text.encode()) / BYTES_PER_TOKEN),
        }
        try:
            reply = complete(self.endpoint, body)
        except PromptTooLong:
            return Translation("", ("source_too_long",))
        content, reason = _content(reply, self.endpoint)
        flags = (("truncated",) if reason == "length" else ()) + (("several_lines",) if "\n" in content else ())
        return Translation(content, flags)

    def fallback(self) -> Translator | None:
        """Return the same model at a higher temperature."""
        return None if self.temperature else replace(self, temperature=RETRY_TEMPERATURE)

    def describe_cost(self, texts: Iterable[str]) -> str:
        """Return about how many tokens and how much money the segments take, if the row has prices."""
        sizes = [len(text.encode()) / BYTES_PER_TOKEN for text in texts]
        if not sizes or not (self.row.price_input or self.row.price_output):
            return ""
        tokens_in, tokens_out = sum(sizes) + OVERHEAD_TOKENS * len(sizes), OUTPUT_SHARE * sum(sizes)
        price = (tokens_in * self.row.price_input + tokens_out * self.row.price_output) / 1e6
        return (
            f"{self.name}: {len(sizes):,} segments, about {tokens_in:,.0f} tokens to the server and {tokens_out:,.0f} "
            f"back, about {price:,.2f} in the currency of the row's prices, without retries."
        )


def _content(reply: Mapping[str, Any], endpoint: Endpoint) -> tuple[str, str]:
    """Return the text of a reply, and why it ended."""
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(choice, dict) or not isinstance(content, str | None):
        raise InputError(f"{endpoint.url} does not answer as a chat server of OpenAI's API does. Name another address.")
    return (content or "").strip(), str(choice.get("finish_reason"))


def open_server(model: str, options: TranslatorOptions) -> Translator:
    """Return a translator by a model behind a server: that of a row, or the one model of the server at a URL."""
    row = options.row or TranslatorRow(model, "A server.", "openai", url=model)
    prompts = server_prompt_rows()
    if (row.prompt or DEFAULT_PROMPT) not in prompts:
        raise unknown("server prompt", row.prompt, prompts)
    if options.offline:
        raise InputError(f"--offline does not allow requests to {row.url or 'a server'}. Name another --translator.")
    if not row.url:
        raise InputError(f"The translator {row.name} has no url. Add it to its row, such as http://127.0.0.1:8000/v1.")
    endpoint = Endpoint(row.url, "" if model == row.url else model)
    if not endpoint.model:
        names = served_models(endpoint)
        if len(names) != 1:
            raise InputError(
                f"{row.url} serves {', '.join(names) or 'no model that it lists'}. Name one as 'model' in a row of "
                "translators.toml."
            )
        endpoint = replace(endpoint, model=names[0])
    return ServerTranslator(endpoint, prompts[row.prompt or DEFAULT_PROMPT], row)
