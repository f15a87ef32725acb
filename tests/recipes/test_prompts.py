"""Prompts are read strictly, and extended by the user's folders."""

import json
from dataclasses import fields

import pytest

from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions
from recipes.prompts import (
    JudgePrompt,
    PromptTemplate,
    QuestionPrompt,
    TranslationPrompt,
    judge_prompts,
    prompt_template,
    prompt_templates,
    question_prompts,
    translation_prompts,
)
from recipes.recipe import Recipe


@pytest.fixture
def extend(tmp_path):
    """Yield a function that writes a `prompts.toml` and uses its folder as an extension."""

    def use(text: str):
        (tmp_path / "prompts.toml").write_text(text, encoding="utf-8")
        return use_extensions(Extensions((tmp_path,)))

    return use


def test_prompt_of_the_paper_is_verbatim_and_the_default():
    assert translation_prompts()["paper"].text == "Translate the following sentences from {source} to {target}."
    assert Recipe("a", "a", "a", "all", ("el",)).prompts == ("paper",)


def test_prompts_name_their_origin():
    assert all(prompt.origin for prompt in [*translation_prompts().values(), *prompt_templates().values()])


def test_templates_fill_instruction_and_input():
    assert prompt_template("raw").prompt("Say it.", "Hello.") == "Say it.\n\nHello.\n\n"
    assert prompt_template("raw").prompt("Say it.", "") == "Say it.\n\n"
    assert prompt_template("chat").chat == ""


def test_questions_have_a_prompt_in_every_language_of_the_paper():
    assert set(question_prompts()) == {"ar", "el", "en", "hi", "tr", "vi", "zh"}
    assert set(judge_prompts()) == {"answer", "pair"}


def test_prompts_of_an_extension_folder_are_added(extend):
    text = '[translation.mine]\ntext = "Into {target}:"\norigin = "us"\n[template.ours]\norigin = "us"\n'
    with extend(text + 'with_input = "{instruction} {input} "\nwithout_input = "{instruction} "\n'):
        assert translation_prompts()["mine"].text == "Into {target}:"
        assert prompt_template("ours").prompt("a", "b") == "a b "
    assert "mine" not in translation_prompts()


def test_prompt_of_an_extension_folder_replaces_ours_of_the_same_name(extend):
    with extend('[translation.paper]\ntext = "To {target}"\norigin = "us"\n'):
        assert translation_prompts()["paper"].text == "To {target}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[translations.a]\ntext = "{target}"\n', "Unknown section 'translations'. Did you mean translation"),
        ('[translation.a]\ntxt = "{target}"\n', "[translation.a]: Unknown key 'txt'. Did you mean text"),
        ('[translation.a]\ntext = "{target}"\n', "[translation.a]: the key 'origin' is missing"),
        ('[translation.a]\ntext = 1\norigin = ""\n', "[translation.a]: 'text' must be a string, not 1"),
        ('[translation]\na = "{target}"\n', "[translation.a]: keys and values were expected, not '{target}'"),
        ('[translation.a]\ntext = "Into {lang}"\norigin = ""\n', "'text': Unknown field 'lang'"),
        ('[translation.a]\ntext = "{source}"\norigin = ""\n', "'text' must hold {target}"),
        ('[translation.a]\ntext = "} {target}"\norigin = ""\n', "Double a brace that begins no field"),
        ("translation = 1\n", "'translation' must hold tables, not 1"),
    ],
)
def test_a_mistake_in_a_translation_prompt_names_file_table_and_key(extend, tmp_path, text, message):
    with extend(text), pytest.raises(InputError) as error:
        translation_prompts()
    assert str(tmp_path / "prompts.toml") in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (prompt_templates, '[template.a]\norigin = ""\nwith_inputs = ""\n', "Unknown key 'with_inputs'"),
        (prompt_templates, '[template.a]\norigin = ""\nwith_input = "{inpt}"\n', "field 'inpt'. Did you mean input"),
        (prompt_templates, '[template.a]\norigin = ""\nwithout_input = "{input}"\n', "Unknown field 'input'"),
        (prompt_templates, '[template.a]\norigin = ""\nchat = ""\nwithout_input = "a"\n', "either 'chat' or"),
        (question_prompts, '[question.xx]\ninstruction = ""\ninput = ""\n', "Unknown language 'xx'"),
        (question_prompts, '[question.de]\ninstruction = ""\ninput = "{question}"\n', "must hold {context} and"),
        (judge_prompts, '[judge.mine]\ntext = "{anwser}"\n', "Unknown field 'anwser'. Did you mean answer"),
    ],
)
def test_a_mistake_in_other_prompts_names_table_and_key(extend, read, text, message):
    with extend(text), pytest.raises(InputError) as error:
        read()
    assert message in str(error.value)


ROWS = {
    "translation": (translation_prompts, TranslationPrompt, {"text": "{target}", "origin": "us"}),
    "template": (prompt_templates, PromptTemplate, {"origin": "us", "chat": ""}),
    "question": (question_prompts, QuestionPrompt, {"instruction": "", "input": "{context}{question}"}),
    "judge": (judge_prompts, JudgePrompt, {"text": ""}),
}


@pytest.mark.parametrize(
    ("section", "key"),
    [(section, field.name) for section, (_, row, _) in ROWS.items() for field in fields(row) if field.name != "lang"],
)
def test_mistyped_key_and_wrong_type_name_table_and_key(extend, section, key):
    read, _, good = ROWS[section]
    table = f"[{section}.de]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in good.items() if k != key)
    with extend(table + f"{key}q = 1\n"), pytest.raises(InputError, match=rf"\[{section}\.de\]: Unknown key '{key}q'"):
        read()
    if key != "name":
        with extend(table + f"{key} = [1]\n"), pytest.raises(InputError, match=rf"\[{section}\.de\]: '{key}' must be"):
            read()


def test_unknown_template_names_the_nearest():
    with pytest.raises(InputError, match="Unknown prompt 'alpca'"):
        prompt_template("alpca")
