"""Do-not-translate rules and empty inputs."""

import pytest

from builders.translation import do_not_translate_rows, find_do_not_translate, normalize_input
from builders.translation.do_not_translate import FIELDS

IN_PART = ("input", "output")


def record(instruction: str, input: str = "", output: str = "An answer.") -> dict[str, str]:
    return {"instruction": instruction, "input": input, "output": output}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (record("Translate the sentence into French.", "Good day."), ("translation", IN_PART)),
        (record("Translate 'Good day' into French."), ("translation", FIELDS)),
        (record("How do you say hello in Japanese?"), ("foreign_language", FIELDS)),
        (record("Correct the spelling in this sentence.", "He go hom."), ("correction", IN_PART)),
        (record("Fix the mistakes in the text.", "He go."), ("mistake", IN_PART)),
        (record("Find a word that rhymes with cat."), ("rhyme", FIELDS)),
        (record("Make an anagram of the word.", "listen"), ("letters", FIELDS)),
        (record("How many vowels are in it?", "banana"), ("letters", FIELDS)),
        (record("Count the number of words.", "One two."), ("counting", IN_PART)),
        (record("Put it in the past tense.", "He goes."), ("grammar", IN_PART)),
        (record("Write a function that adds.", "", "def add(a, b):\n    return a + b"), ("code", ("output",))),
        (record("Write an SQL query.", "all users", "SELECT * FROM users;"), ("code", ("output",))),
    ],
)
def test_tasks_about_english_or_code_stay_in_english(given: dict[str, str], found: object) -> None:
    assert find_do_not_translate(given) == found


@pytest.mark.parametrize(
    "given",
    [
        record("Write a poem about snow. It does not need to rhyme."),
        record("Write a cover letter for a job."),
        record("Explain what a hash function is.", "", "It maps data of any size to numbers."),
        record("Translate the idea into a formal dialogue.", "I saw you."),
        record("Describe the French Revolution."),
        record("What is a loyalty program?"),
    ],
)
def test_similar_tasks_are_translated(given: dict[str, str]) -> None:
    assert find_do_not_translate(given) is None


def test_every_rule_has_a_pattern_and_keeps_a_field() -> None:
    for row in do_not_translate_rows().values():
        assert row.description
        assert row.keep
        assert row.instruction or row.input or row.output


@pytest.mark.parametrize(
    "text",
    [
        *(
            "<noinput>",
            "No input",
            "No Input.",
            "no-input",
            "noinput",
            "< noinput >",
            "`<noinput>`",
            "(No input)",
            "N/A",
        ),
        *("No input required.", "No input is needed", "None", "Not applicable", "\\<noinput\\>", "<no input>,"),
        *("No additional input is required.", "<noinput", "N/A", "<N/A>", "NO INPUT NECESSARY", "input: none"),
    ],
)
def test_spellings_of_no_input_become_an_empty_input(text: str) -> None:
    assert normalize_input(text) == ""


@pytest.mark.parametrize(
    "text", ["", "Na", "nothing", "Noam Chomsky", "Joe Smith\n<noinput>", "no", "0", "I have none."]
)
def test_other_inputs_stay(text: str) -> None:
    assert normalize_input(text) == text
