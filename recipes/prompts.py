"""Prompts as rows of `prompts.toml`: of translations, instructions, questions and judges.

The tables of a `prompts.toml` in a folder of `--with` are added; one of the same name replaces ours.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Formatter
from typing import Any, TypeVar

from corpora.catalog import languages
from corpora.errors import InputError, unknown
from corpora.extensions import extension_files
from corpora.tables import STRICT, check_reference, parse_row, read_toml

HERE = Path(__file__).parent
SECTIONS = ("translation", "template", "question", "judge")
TOKENIZER_TEMPLATE = "chat"  # the name of the prompt template that a model's tokenizer brings
Row = TypeVar("Row")


@dataclass(frozen=True)
class TranslationPrompt:
    """The instruction of a translation example, below `translation`."""

    __pydantic_config__ = STRICT
    name: str
    """The table's name, which recipes refer to."""
    text: str
    """The instruction; it holds `{target}`, and may hold `{source}`: English names of languages, such as Greek."""
    origin: str
    """Who wrote it, or which paper it is from."""


@dataclass(frozen=True)
class PromptTemplate:
    """The text around an instruction for a model, below `template`: two texts, or a chat template."""

    __pydantic_config__ = STRICT
    name: str
    """The table's name, which training recipes and `--prompt` refer to."""
    origin: str
    """Who wrote it, or which paper it is from."""
    with_input: str = ""
    """The text before the answer to an instruction with an input; it may hold `{instruction}` and `{input}`."""
    without_input: str = ""
    """The text before the answer to an instruction without an input; it may hold `{instruction}`."""
    chat: str | None = None
    """A chat template in Jinja as `transformers` has it; empty for the tokenizer's own."""

    def prompt(self, instruction: str, input: str) -> str:
        """Return the text before the answer; a chat template has none."""
        if not input:
            return self.without_input.format(instruction=instruction)
        return self.with_input.format(instruction=instruction, input=input)

    def sha256(self) -> str:
        """Return the digest of the template, which a run records."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class QuestionPrompt:
    """A question about a passage in one language, below `question`."""

    __pydantic_config__ = STRICT
    lang: str
    """The table's name: the code of the language."""
    instruction: str
    """The instruction."""
    input: str
    """The input of the instruction; it holds `{context}` and `{question}`."""


@dataclass(frozen=True)
class JudgePrompt:
    """The request to a judge, below `judge`."""

    __pydantic_config__ = STRICT
    name: str
    """The table's name."""
    text: str
    """The request; it may hold `{question}`, `{answer}`, `{first}` and `{second}`."""


def translation_prompts() -> dict[str, TranslationPrompt]:
    """Return the prompts of translation examples by name."""
    return _read("translation", TranslationPrompt, "name", _check_translation)


def prompt_templates() -> dict[str, PromptTemplate]:
    """Return all prompt templates by name; `chat` is the one of the model's tokenizer."""
    own = PromptTemplate(TOKENIZER_TEMPLATE, "the chat template of the model's tokenizer", chat="")
    return _read("template", PromptTemplate, "name", _check_template) | {TOKENIZER_TEMPLATE: own}


def prompt_template(name: str) -> PromptTemplate:
    """Return the prompt template of this name.

    Raises:
        InputError: There is none; the message has the nearest names.
    """
    templates = prompt_templates()
    if name not in templates:
        raise unknown("prompt", name, templates)
    return templates[name]


def question_prompts() -> dict[str, QuestionPrompt]:
    """Return the prompts of questions about a passage by language."""
    return _read("question", QuestionPrompt, "lang", _check_question)


def judge_prompts() -> dict[str, JudgePrompt]:
    """Return the requests to a judge by name."""
    return _read("judge", JudgePrompt, "name", _check_judge)


def _read(section: str, row_type: type[Row], key: str, check: Callable[[Any, str], None]) -> dict[str, Row]:
    """Return the rows of one section of every `prompts.toml`."""
    rows: dict[str, Row] = {}
    for path in (HERE / "prompts.toml", *extension_files("prompts.toml")):
        content = read_toml(path)
        for name in content:
            check_reference(name, SECTIONS, "section", str(path))
        tables = content.get(section, {})
        if not isinstance(tables, dict):
            raise InputError(f"{path}: '{section}' must hold tables, not {tables!r}.")
        for name, table in tables.items():
            where = f"{path}, table [{section}.{name}]"
            rows[name] = parse_row(table, row_type, where, **{key: name})
            check(rows[name], where)
    return rows


def _check_translation(row: TranslationPrompt, where: str) -> None:
    if "target" not in _check_fields(row.text, ("source", "target"), f"{where}, 'text'"):
        raise InputError(f"{where}: 'text' must hold {{target}}, the name of the language to translate into.")


def _check_template(row: PromptTemplate, where: str) -> None:
    _check_fields(row.with_input, ("instruction", "input"), f"{where}, 'with_input'")
    _check_fields(row.without_input, ("instruction",), f"{where}, 'without_input'")
    if row.chat is not None and (row.with_input or row.without_input):
        raise InputError(f"{where}: a template is either 'chat' or the two texts. Remove one or the other.")


def _check_question(row: QuestionPrompt, where: str) -> None:
    check_reference(row.lang, languages(), "language", where)
    if _check_fields(row.input, ("context", "question"), f"{where}, 'input'") != {"context", "question"}:
        raise InputError(f"{where}: 'input' must hold {{context}} and {{question}}.")


def _check_judge(row: JudgePrompt, where: str) -> None:
    _check_fields(row.text, ("question", "answer", "first", "second"), f"{where}, 'text'")


def _check_fields(text: str, known: tuple[str, ...], where: str) -> set[str]:
    """Return the names of the fields in braces.

    Raises:
        InputError: A field is unknown, or a brace is alone.
    """
    try:
        names = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise InputError(f"{where}: {error}. Double a brace that begins no field.") from None
    for name in names:
        check_reference(name, known, "field", where)
    return names
