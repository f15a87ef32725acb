"""What a manifest states of rows, and the numbers on a card, against the Parquet files."""

import re
from statistics import median_low

import pyarrow.parquet as pq
import pytest

from builders.publishing.data_files import SCHEMAS
from builders.publishing.statistics import TOKEN, measure_rows
from tests.builders.conftest import example, write_rows
from tests.builders.publishing.card_sections import cells_below, check_sections, number


def measured(tmp_path, rows):
    return measure_rows(tmp_path, write_rows(rows)(tmp_path))


def test_row_of_several_configs_counts_once(tmp_path):
    english = example("1", lang="en", task="instruction", direction="", instruction="Hi", input="", output="Ho")
    configs = {lang: {"train": [english, example("2", lang=lang)]} for lang in ("el", "hi")}
    rows = measured(tmp_path, configs)["statistics"]
    assert [(row["lang"], row["num_rows"], row["num_pairs"], row["num_instructions"]) for row in rows] == [
        ("en", 1, 0, 1),
        ("el", 1, 1, 0),
        ("hi", 1, 1, 0),
    ]
    assert rows[0]["num_bytes"] == 4


def test_pair_in_both_directions_is_one_pair_and_two_rows(tmp_path):
    both = [example("1", *split) for split in (("train",), ("validation",))]
    both[1]["direction"] = "xx-en"
    (row,) = measured(tmp_path, {"el": {"train": both[:1], "validation": both[1:]}})["statistics"]
    assert (row["num_rows"], row["num_pairs"], row["num_train"], row["num_validation"]) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("text", "num"),
    [
        ("It is 3.5 m, isn't it?", 12),
        ("我喜欢猫abc。", 6),
        ("क्षमा करें", 2),
        ("ภาษาไทย", 7),
        ("  ", 0),
        ("مرحبا بالعالم!", 3),
        ("x\u200dy", 3),
    ],
)
def test_tokens_of_a_text(tmp_path, text, num):
    lengths = measured(tmp_path, {"el": {"train": [example("1", output=text)]}})["lengths"]
    (row,) = (row for row in lengths if row["part"] == "answer")
    assert row["num_tokens"] == row["tokens_median"] == row["tokens_max"] == num


def test_examples_are_of_different_scripts_and_have_the_smallest_ids(tmp_path):
    langs = ("el", "tr", "vi", "hi", "zh")
    rows = {lang: {"train": [example(key, lang=lang, output=lang * 100) for key in ("2", "1")]} for lang in langs}
    examples = measured(tmp_path, rows)["examples"]
    assert [(row["lang"], row["id"]) for row in examples] == [("el", "1"), ("hi", "1"), ("tr", "1")]
    assert examples[0]["output"] == ("el" * 60)[:119] + "…"


def test_messages_are_measured_as_prompt_and_answer(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    turns = [{"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "Ho"}]
    row = example("1") | {"messages": turns}
    import pyarrow as pa

    pq.write_table(pa.Table.from_pylist([row], schema=SCHEMAS["messages"]), folder / "a.parquet")
    file = {"path": "data/a.parquet", "size": 1, "sha256": "0" * 64}
    split = {"num_rows": 1, "num_bytes": 1, "content_sha256": "0" * 64, "files": [file]}
    known = measure_rows(tmp_path, {"all": {"langs": ["el"], "splits": {"train": split}}})
    assert (known["examples"][0]["instruction"], known["examples"][0]["output"]) == ("Hi there", "Ho")
    assert {row["part"]: row["chars_max"] for row in known["lengths"]} == {"prompt": 8, "answer": 2}


def test_token_expression_has_no_nested_repetition():
    assert not re.search(r"[*+]\)[*+]", TOKEN)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["coit", "muit", "crossalpaca"])
def test_every_number_on_the_card_is_that_of_the_parquet_files(tmp_path, recipe):
    import builders
    from cards.dataset_card import NUM_SHOWN
    from corpora.catalog import language

    langs = ["ar", "hi", "zh"] if recipe == "crossalpaca" else ["ar", "el", "hi", "zh"]
    release = builders.publish(recipe, langs=langs, sample=True, registry=tmp_path / "registry", work=tmp_path / "work")
    folder = release.folder()
    card = (folder / "README.md").read_text()
    rows = [
        row | {"config": path.parent.name}
        for path in folder.glob("data/*/*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    distinct = {(row["id"], row["lang"], row["task"], row["direction"]): row for row in rows}
    by_lang = {lang: [row for row in distinct.values() if row["lang"] == lang] for lang in ["en", *langs]}
    table = {cells[0]: cells[1:] for cells in cells_below(card, "| language | code |")}
    assert len(table) <= NUM_SHOWN
    heads = [cell.strip() for cell in re.search(r"^\| language \| code \|(.*)\|$", card, re.MULTILINE)[1].split("|")]
    for name, own in {
        **{language(lang).name: rows for lang, rows in by_lang.items() if rows},
        "**all**": [*distinct.values()],
    }.items():
        expected = {
            "pairs": len({(row["id"], row["lang"]) for row in own if row["task"] == "translation"}),
            "instructions": sum(row["task"] == "instruction" for row in own),
            "train": sum(row["split"] == "train" for row in own),
            "validation": sum(row["split"] == "validation" for row in own),
        }
        shown = dict(zip(heads, table[name][1:], strict=True))
        num_bytes = sum(len(prompt(row).encode()) + len(row["output"].encode()) for row in own)
        assert abs(float(shown.pop("MB").strip("*").replace(",", "")) * 1e6 - num_bytes) <= 5e4
        assert {head: number(cell) for head, cell in shown.items()} == {head: expected[head] for head in shown}
    assert f"{len(distinct):,} distinct" in card
    assert (f"{len(rows):,} over the" in card) is (len(rows) > len(distinct))
    check_contents(card, rows)
    check_lengths(card, by_lang)
    check_sections(card, pq.read_table(folder / "ledger.parquet").to_pylist(), distinct.values(), release.manifest)


def check_contents(card, rows):
    from corpora.catalog import languages

    names = {entry.name: code for code, entry in languages().items()}
    contents = cells_below(card, "| config | language | task |")
    for config, lang, task, direction, corpus, train, validation in contents:
        own = [
            row["split"]
            for row in rows
            if (row["config"], row["lang"], row["task"]) == (config.strip("`"), names[lang], task)
            and (
                direction == "–"
                or row["direction"] == direction.replace("xx", names[lang])
                or row["direction"] == direction
            )
            and row["corpus"] == corpus
        ]
        assert (number(train), number(validation)) == (own.count("train"), own.count("validation"))
    assert sum(number(cells[5]) + number(cells[6]) for cells in contents) == len(rows)


def check_lengths(card, by_lang):
    import regex

    from corpora.catalog import languages

    names = {entry.name: code for code, entry in languages().items()}
    token = regex.compile(TOKEN, regex.VERSION1)
    for lang, task, part, *numbers in cells_below(card, "| language | task | text |"):
        texts = [
            prompt(row) if part == "prompt" else row["output"] for row in by_lang[names[lang]] if row["task"] == task
        ]
        chars, tokens = sorted(map(len, texts)), sorted(len(token.findall(text)) for text in texts)
        assert [number(value) for value in numbers] == [
            sum(tokens),
            *(value for sizes in (chars, tokens) for value in (median_low(sizes), quantile_95(sizes), sizes[-1])),
        ]


def quantile_95(sizes):
    return sizes[int(0.95 * (len(sizes) - 1))]


def prompt(row):
    return row["instruction"] + (f"\n{row['input']}" if row["input"] else "")


def test_any_number_of_ranges_gives_the_same_numbers(tmp_path, monkeypatch):
    from hashlib import md5

    from builders.publishing import statistics

    english = {"lang": "en", "task": "instruction", "direction": "", "instruction": "Hi", "input": ""}
    ids = sorted(md5(bytes([n])).hexdigest() for n in range(60))
    rows = {
        lang: {
            "train": [example(key, lang=lang, output=key[: int(key[0], 16)]) for key in ids[start:40:2]]
            + [example(key, output="Ho" * int(key[1], 16), **english) for key in ids[40:]],
            "validation": [example(key, lang=lang, direction="xx-en") for key in ids[start:10:2]],
        }
        for start, lang in enumerate(("el", "hi"))
    }
    configs = write_rows(rows)(tmp_path)
    whole = measure_rows(tmp_path, configs)
    assert whole["statistics"][0] | {"lang": "en", "num_rows": 20, "num_pairs": 0} == whole["statistics"][0]
    for size in (1, 7):
        monkeypatch.setattr(statistics, "RANGE_ROWS", size)
        assert measure_rows(tmp_path, configs) == whole


G, T, R, D = ("instruction", ""), ("translation", "en-xx"), ("translation", "xx-en"), ("text", "")
EXAMPLES = [  # the tasks of each language, and how many examples are shown
    *(({"el": [G, T, R, D]}, 4), ({"el": [T], "hi": [R]}, 2), ({"el": [T], "tr": [G]}, 2), ({"zh": [D, G]}, 2)),
    ({"el": [T], "hi": [T], "tr": [T], "en": [G]}, 4),
    *(({"el": [T]}, 1), ({"el": [T], "hi": [T]}, 2), ({"el": [T], "hi": [T], "tr": [T]}, 3), ({}, 0)),
    *(({"el": [T], "hi": [T], "tr": [T], "vi": [T], "zh": [T]}, 3), ({"en": [G], "el": [G]}, 2)),
]


@pytest.mark.parametrize(("kinds", "num"), EXAMPLES)
def test_every_task_and_direction_has_an_example_and_none_has_more_than_it_needs(tmp_path, kinds, num):
    rows = [
        example(key, lang=lang, task=task, direction=own)
        for lang, tasks in kinds.items()
        for task, own in tasks
        for key in ("2", "1")
    ]
    examples = measured(tmp_path, {"all": {"train": rows}} if rows else {})["examples"]
    shown = {(row["task"], row["direction"]) for row in examples}
    assert shown == {kind for tasks in kinds.values() for kind in tasks}
    assert len(examples) == num
    assert {row["id"] for row in examples} <= {"1"}
