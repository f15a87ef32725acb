"""The card: a page and its YAML, both a function of the manifest, whatever the manifest says."""

import json
import re
from dataclasses import asdict

import jinja2
import pytest
import yaml

from cards.dataset_card import metadata, render_card
from recipes.recipe import Recipe

HOSTILE = "a | b `c` \\| d\n---\n<script>alert(1)</script>\r\n| x | y |\n# Heading {{ 1 }} {% if %}"
FEATURES = [{"name": "id", "dtype": "string"}, {"name": "lang", "dtype": "string"}]


def source(corpus="small", lang="el", **changes):
    values = {"corpus": corpus, "lang": lang, "kind": "bitext", "title": "Small", "version": "1", "url": "x.zip"}
    values |= {"sha256": "0" * 64, "size": 1, "licence": "cc-by-4.0", "licence_note": "", "citation": ""}
    return values | {"homepage": "https://example.org"} | changes


def split(rows: int, name: str):
    file = {"path": f"data/el/{name}-00000-of-00001.parquet", "size": 100 + rows, "sha256": "0" * 64}
    return {"num_rows": rows, "num_bytes": 10 * rows, "content_sha256": "0" * 64, "files": [file]}


def rejected(stage, reason, num_rows, corpus="small", lang="el"):
    """Return the row of a reason in the ledger."""
    group = {"stage": stage, "corpus": corpus, "lang": lang, "reason": reason}
    return group | {"num_in": None, "num_kept": None, "num_rows": num_rows, "share": 0.1}


def totals(stage, num_in, num_kept, corpus="small", lang="el"):
    """Return the row of the totals in the ledger."""
    group = {"stage": stage, "corpus": corpus, "lang": lang, "reason": None}
    return group | {"num_in": num_in, "num_kept": num_kept, "num_rows": None, "share": 0.7}


def manifest(**changes):
    """A manifest with one config of seven rows from ten lines."""
    splits = {"train": split(6, "train"), "validation": split(1, "validation")}
    values = {
        "manifest_version": 3,
        "name": "tiny",
        "version": "v1.2.0",
        "parent": None,
        "title": "Tiny",
        "summary": "A tiny one.",
        "output_format": "instructions",
        "langs": ["el"],
        "configs": {"el": {"langs": ["el"], "splits": splits}},
        "features": FEATURES,
        "layout": {},
        "difference": "the first release",
        "metadata_files": [],
        "sources": [source()],
        "recipe": asdict(Recipe("tiny", "Tiny", "A tiny one.", "language", ("el",), directions=("en-xx",))),
        "filters": [{"name": "empty", "reject": "en = ''", "description": "One side says nothing.", "thresholds": {}}],
        "prompts": [{"name": "paper", "text": "Translate into {target}.", "origin": "a paper"}],
        "models": [{"role": "language identification", "name": "lid", "sha256": "1" * 64, "licence": "cc0-1.0"}],
        "translator": {"name": "none", "sha256": ""},
        "english_overlap": [
            {"lang": lang, "other": other, "num_sentences": sides}
            for lang, other, sides in (("el", "el", 2000), ("el", "zh", 30), ("zh", "el", 30), ("zh", "zh", 900))
        ],
        "script_variants": [{"lang": "zh", "variant": "simplified", "num_rows": 1200}],
        "decontamination": [{"benchmark": "exam", "lang": "el", "num_sentences": 5, "num_ngrams": 50, "num_rows": 2}],
        "composition": [
            {"config": "el", "lang": "el", "task": "translation", "direction": "en-xx", "corpus": "small"}
            | {"split": name, "num_rows": rows}
            for name, rows in (("train", 6), ("validation", 1))
        ],
        "ledger": [
            totals("measured", 10, 7),
            rejected("measured", "empty", 3),
            totals("decisions", 7, 7),
        ],
    }
    return json.loads(json.dumps(values | changes))


def front(card: str):
    """The YAML of a card, found as the Hub finds it, and the text below it."""
    match = re.match(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\r|\n|$))", card)
    assert match
    return yaml.safe_load(match[2]), card[match.end() :]


def tables(text: str) -> list[list[str]]:
    """The Markdown tables of a text: lines that begin with a bar, side by side."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def columns(line: str) -> int:
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1


def check_tables(card: str) -> None:
    found = tables(front(card)[1])
    assert found
    for table in found:
        assert re.fullmatch(r"\|(:?-+:?\|)+", table[1].replace(" ", "")), table
        assert {columns(line) for line in table} == {columns(table[0])}, table


def test_yaml_has_languages_licence_and_size():
    data, _ = front(render_card(manifest()))
    assert data["language"] == ["el", "en"]
    assert data["license"] == "cc-by-4.0"
    assert data["size_categories"] == ["n<1K"]
    assert data["pretty_name"] == "Tiny"
    assert data == metadata(manifest())


def test_yaml_configs_match_the_manifest():
    data, _ = front(render_card(manifest()))
    assert data["configs"] == [
        {
            "config_name": "el",
            "default": True,
            "version": "1.2.0",
            "data_files": [
                {"split": "train", "path": "data/el/train-*.parquet"},
                {"split": "validation", "path": "data/el/validation-*.parquet"},
            ],
        }
    ]
    assert data["dataset_info"] == [
        {
            "config_name": "el",
            "features": FEATURES,
            "splits": [
                {"name": "train", "num_bytes": 60, "num_examples": 6},
                {"name": "validation", "num_bytes": 10, "num_examples": 1},
            ],
            "download_size": 207,
            "dataset_size": 70,
        }
    ]


def test_several_configs_have_no_default():
    both = manifest(langs=["el", "hi"], configs={lang: manifest()["configs"]["el"] for lang in ("el", "hi")})
    data, text = front(render_card(both))
    assert [config["config_name"] for config in data["configs"]] == ["el", "hi"]
    assert [info["config_name"] for info in data["dataset_info"]] == ["el", "hi"]
    assert not any("default" in config for config in data["configs"])
    assert "Configs: `el`, `hi`." in text
    check_tables(render_card(both))


def test_page_counts_pairs_in_kept_and_removed_by_filters():
    _, text = front(render_card(manifest()))
    assert "| Greek (`el`) | small | 10 | 7 | 70.0% |" in text
    assert "| `empty` | 3 | 3 | One side says nothing. |" in text
    assert "**7 examples** in 1 config," in text
    check_tables(render_card(manifest()))


def test_config_without_validation_has_zero_rows():
    configs = {"el": {"langs": ["el"], "splits": {"train": split(6, "train")}}}
    card = render_card(manifest(configs=configs))
    assert re.search(r"\| `el` \| el \| 6 \| 0 \|", card)
    assert "validation" not in [s["split"] for s in front(card)[0]["configs"][0]["data_files"]]
    check_tables(card)


def test_release_without_pairs_has_no_filter_table():
    card = render_card(manifest(filters=[], prompts=[], ledger=[totals("instructions", 7, 7, "alpaca", "en")]))
    assert "What the filters rejected" not in card
    check_tables(card)


@pytest.mark.parametrize("key", ["title", "licence_note", "version", "corpus", "licence"])
def test_hostile_corpus_text_is_escaped(key):
    card = render_card(manifest(sources=[source(**{key: HOSTILE})]))
    data, text = front(card)
    assert data["configs"][0]["config_name"] == "el"
    assert "<script>" not in text
    assert "\n# Heading" not in text
    assert text.count("\n---\n") == 0
    check_tables(card)


@pytest.mark.parametrize("key", ["title", "summary"])
def test_hostile_recipe_text_is_valid_yaml(key):
    data, _ = front(render_card(manifest(**{key: HOSTILE})))
    assert data["configs"][0]["config_name"] == "el"
    assert data["pretty_name"] == (HOSTILE if key == "title" else "Tiny")


def test_hostile_filter_and_translator_text_is_escaped():
    rule = {"name": "empty", "reject": "", "description": HOSTILE, "thresholds": {}}
    general = manifest()["recipe"] | {"instruction_langs": ["xx"]}
    card = render_card(
        manifest(filters=[rule], recipe=general, translator={"name": f"memory {HOSTILE}", "sha256": "2" * 64})
    )
    assert "<script>" not in card
    check_tables(card)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": HOSTILE},
        {"summary": HOSTILE},
        {"sources": [source(homepage=HOSTILE)]},
        {"sources": [source(citation="```\n<script>alert(1)</script>\n```")]},
    ],
    ids=["title", "summary", "homepage", "citation"],
)
def test_text_from_outside_is_escaped(changes):
    card = render_card(manifest(**changes))
    text = re.sub(r"^```bibtex\n.*?^```$", "", front(card)[1], flags=re.MULTILINE | re.DOTALL)
    assert "<script>" not in text
    check_tables(card)


def test_benchmarks_searched_for_are_in_a_table():
    _, text = front(render_card(manifest()))
    assert "| exam | el | 5 | 50 | 2 |" in text


def test_braces_in_text_are_no_template():
    assert "{{ 7 * 6 }}" in render_card(manifest(sources=[source(title="{{ 7 * 6 }}")]))


@pytest.mark.parametrize("key", ["title", "langs", "composition", "sources", "models"])
def test_incomplete_manifest_makes_no_card(key):
    poor = manifest()
    del poor[key]
    with pytest.raises((jinja2.UndefinedError, KeyError)):
        render_card(poor)


def test_several_licences_are_a_list():
    mixed = [source(), source("other-corpus", licence="cc-by-sa-4.0"), source("small", "hi")]
    assert front(render_card(manifest(sources=mixed)))[0]["license"] == ["cc-by-4.0", "cc-by-sa-4.0"]
    assert front(render_card(manifest()))[0]["license"] == "cc-by-4.0"


def test_corpus_of_two_languages_is_one_row():
    _, text = front(render_card(manifest(sources=[source(), source(lang="hi")])))
    assert "| small | el, hi | 1 | cc-by-4.0 |" in text
    assert text.count("| small | cc-by-4.0 |") == 1


def test_licence_note_is_in_the_card():
    _, text = front(render_card(manifest(sources=[source(licence="other", licence_note="Research use.")])))
    assert "| small | other: Research use. |" in text


@pytest.mark.parametrize(("licence", "said"), [("cc-by-nc-4.0", True), ("cc-by-nc-sa-3.0", True), ("cc-by-4.0", False)])
def test_non_commercial_source_makes_the_release_non_commercial(licence, said):
    card = render_card(manifest(sources=[source(), source("other-corpus", licence=licence)]))
    assert ("for non-commercial use only, and so is this release" in card) is said


def test_release_without_translated_instructions_says_so():
    card = render_card(manifest(recipe=manifest()["recipe"] | {"instruction_langs": ["en", "xx"]}))
    assert "This release has no translated instructions" in card
    assert "no translated instructions" not in render_card(
        manifest(recipe=manifest()["recipe"] | {"instruction_langs": ["en"]})
    )


def test_columns_of_messages_are_listed():
    card = render_card(manifest(output_format="messages"))
    assert "| `messages` |" in card
    assert "| `instruction`, `input`, `output` |" not in card
    check_tables(card)


@pytest.mark.parametrize(
    ("rows", "category"),
    [(999, "n<1K"), (1_000, "1K<n<10K"), (99_999, "10K<n<100K"), (1_000_000, "1M<n<10M"), (999_999_999, "100M<n<1B")],
)
def test_size_category_is_spelled_as_on_the_hub(rows, category):
    configs = {"el": {"langs": ["el"], "splits": {"train": split(rows, "train")}}}
    assert metadata(manifest(configs=configs))["size_categories"] == [category]


def test_size_category_of_a_billion_rows():
    configs = {"el": {"langs": ["el"], "splits": {"train": split(10**9, "train")}}}
    assert metadata(manifest(configs=configs))["size_categories"] == ["1B<n<10B"]


def test_card_is_a_pure_function_of_the_manifest():
    given = manifest()
    assert render_card(given) == render_card(manifest())
    assert given == manifest()


def test_card_has_script_variants_and_english_overlap():
    langs = ["el", "zh"]
    ledger = [totals("measured", 10, 10, lang=lang) for lang in langs]
    card = render_card(manifest(langs=langs, ledger=ledger))
    assert "of the foreign side:\n1,200 simplified." in card
    assert "| zh | 30 | 900 |" in card
