"""The card: a page and its YAML, both a function of the manifest, whatever the manifest says."""

import json
import re
from dataclasses import asdict
from itertools import pairwise

import jinja2
import pytest
import yaml
from hypothesis import example, given, settings
from markdown_it import MarkdownIt

from cards.dataset_card import metadata, render_card
from cards.human_written import read_human_written
from recipes.recipe import Recipe
from tests.cards.test_escaping import HOSTILE as TEXTS

HOSTILE = "a | b `c` \\| d\n---\n<script>alert(1)</script>\r\n| x | y |\n# Heading {{ 1 }} {% if %}"
BLOCKS = ("tr_open", "td_open", "th_open", "li_open", "fence", "code_block", "blockquote_open", "hr", "image")
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
        "manifest_version": 4,
        "name": "tiny",
        "version": "v1.2.0",
        "parent": None,
        "title": "Tiny",
        "summary": "A tiny one.",
        "output_format": "instructions",
        "langs": ["el"],
        "configs": {"el": {"langs": ["el"], "splits": splits}},
        "features": FEATURES,
        "statistics": [
            {"lang": "el", "num_rows": 7, "num_pairs": 7, "num_instructions": 0, "num_documents": 0}
            | {"num_train": 6, "num_validation": 1, "num_bytes": 1_234_000}
        ],
        "lengths": [],
        "examples": [
            {"id": "0" * 32, "lang": "el", "task": "translation", "direction": "en-xx"}
            | {"instruction": "Translate into Greek.", "input": "Yes.", "output": "Ναι."}
        ],
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
    assert "7 distinct; 14 over the 2 configs" in text
    check_tables(render_card(both))


def test_page_leads_with_rows_of_the_release_and_not_with_the_recipe():
    _, text = front(render_card(manifest()))
    assert "A tiny one." not in text
    assert "7 rows for instruction tuning in Greek: translation from English (7 sentence pairs)." in text
    assert "| Greek | `el` | 7 | 6 | 1 | 1.2 |\n| **all** | | **7** | **6** | **1** | **1.2** |\n" in text


def test_page_counts_pairs_in_kept_and_removed_by_filters():
    _, text = front(render_card(manifest()))
    assert "Of 10 sentence pairs, 7 were kept (70.0%)." in text
    assert "| Greek | small | 10 | 7 | 70.0% |" in text
    assert "| `empty` | 3 | 30.0% | Greek&nbsp;30.0% |  |" in text
    assert "- `empty`: One side says nothing." in text
    assert "| `empty` | 3 | el 3 |  |" in text
    check_tables(render_card(manifest()))


def test_of_many_languages_the_largest_come_first_and_all_are_in_a_fold(monkeypatch):
    monkeypatch.setattr("cards.dataset_card.MAX_LANGUAGES", 3)
    monkeypatch.setattr("cards.dataset_card.NUM_SHOWN", 2)
    (row,) = manifest()["statistics"]
    sizes = {"el": 7, "hi": 90, "ar": 8, "zh": 10_000}
    rows = [row | {"lang": lang, "num_rows": num, "num_pairs": num, "num_train": num} for lang, num in sizes.items()]
    card = render_card(manifest(langs=[*sizes], statistics=rows))
    shown, folded = card.split("| language | code |")[1:]
    pairs = [line.split("|")[3].strip() for line in shown.split("\n")[2:6]]
    assert pairs == ["10,000", "90", "15", "**10,105**"]
    assert "Smaller ones: Arabic (`ar`), Greek (`el`)." in shown
    assert "<summary>All 4 languages</summary>" in shown
    assert "| Greek | `el` | 7 |" in folded


def test_release_of_documents_is_neither_for_tuning_nor_of_translations():
    (row,) = manifest()["statistics"]
    given = manifest(statistics=[row | {"num_pairs": 0, "num_documents": 7}])
    assert "7 rows for language modelling in Greek: 7 documents." in render_card(given)
    assert metadata(given)["task_categories"] == ["text-generation"]
    assert metadata(given)["tags"] == ["cross-lingual", "tiny"]


def test_filter_that_removed_little_is_only_in_the_folded_table():
    ledger = [totals("measured", 10_000, 9_998), rejected("measured", "empty", 2), totals("decisions", 9_998, 9_998)]
    _, text = front(render_card(manifest(ledger=ledger)))
    assert text.count("| `empty` |") == 1
    assert text.index("| `empty` |") > text.index("All 1 filters")


def test_example_in_a_right_to_left_script_says_so():
    row = manifest()["examples"][0] | {"lang": "ar", "output": "نعم | <b>"}
    card = render_card(manifest(examples=[row]))
    assert (
        '<br>Yes. | <div dir="rtl" lang="ar">نعم &#124; &lt;b&gt;</div> |'.replace("&lt;", "&#60;").replace(
            "&gt;", "&#62;"
        )
        in card
    )
    check_tables(card)


def test_config_without_validation_is_loaded_without_it():
    configs = {"el": {"langs": ["el"], "splits": {"train": split(6, "train")}}}
    card = render_card(manifest(configs=configs))
    assert "validation" not in [s["split"] for s in front(card)[0]["configs"][0]["data_files"]]
    check_tables(card)


def test_release_without_pairs_has_no_filter_table():
    card = render_card(manifest(filters=[], prompts=[], ledger=[totals("instructions", 7, 7, "alpaca", "en")]))
    assert "What the filters removed" not in card
    check_tables(card)


@pytest.mark.parametrize("key", ["title", "summary"])
def test_hostile_recipe_text_is_valid_yaml(key):
    data, _ = front(render_card(manifest(**{key: HOSTILE})))
    assert data["configs"][0]["config_name"] == "el"
    assert data["pretty_name"] == (HOSTILE if key == "title" else "Tiny")


def rendered(card: str) -> list:
    """Return the tokens of a card below its YAML, as a Markdown renderer finds them, parts of lines included."""
    blocks = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(front(card)[1])
    return [token for block in blocks for token in (block, *(block.children or ()))]


def headings(tokens: list) -> list[str]:
    return [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]


def tags(tokens: list) -> set[str]:
    """Return the HTML of a card: whole comments, and the names of tags."""
    pages = [token.content for token in tokens if token.type in ("html_block", "html_inline")]
    return {tag for page in pages for tag in re.findall(r"<!--.*?-->|</?[a-z]+", page, re.DOTALL)}


def hostile_manifest(text: str):
    """Return a manifest that has a text wherever a text may be anything."""
    base = manifest()
    entry = source(**dict.fromkeys(("corpus", "title", "version", "licence", "licence_note", "homepage"), text))
    rule = {"name": text, "reject": text, "description": text, "thresholds": {text: {"el": 1.0}}}
    recipe = base["recipe"] | {"instruction_langs": ["en", "xx"], "not_decontaminated": [text]}
    example = base["examples"][0] | dict.fromkeys(("instruction", "input", "output"), text)
    model = {"role": "translation", "name": text, "sha256": text, "licence": text}
    return manifest(
        **dict.fromkeys(("title", "summary", "difference"), text),
        parent={"version": "v1.1.0", "manifest_sha256": "0" * 64},
        sources=[entry | {"citation": text}, entry | {"kind": "benchmark", "corpus": f"b{text}"}],
        filters=[rule],
        ledger=[totals("measured", 10, 7, text), rejected("measured", text, 3, text), totals("decisions", 7, 7, text)],
        recipe=recipe,
        examples=[example, example | {"lang": "ar"}],
        prompts=[{"name": text, "text": text, "origin": text}],
        models=[base["models"][0] | {"name": text, "sha256": text}, model],
        translator={"name": text, "sha256": text, "licence": text, "revision": text, "decoding": text},
        decontamination=[base["decontamination"][0] | {"benchmark": text}],
        composition=[base["composition"][0] | {"corpus": text}],
    )


@settings(max_examples=25, deadline=None)
@given(TEXTS)
@example("```\n# Hidden\n")
@example("</summary></details>\n\n# After")
@example("---\n# x\n---\n")
def test_hostile_texts_add_no_heading_html_link_or_row(text):
    plain, hostile = (render_card(hostile_manifest(own)) for own in ("plain", f"plain {text}"))
    expected, tokens = rendered(plain), rendered(hostile)
    assert headings(tokens)[1:] == headings(expected)[1:]
    assert tags(tokens) == tags(expected)
    assert [t.type for t in tokens if t.type in BLOCKS] == [t.type for t in expected if t.type in BLOCKS]
    assert {t.attrs["href"] for t in tokens if t.type == "link_open"} == {
        t.attrs["href"] for t in expected if t.type == "link_open"
    }
    assert yaml.safe_load(hostile.split("\n---\n")[0])["pretty_name"] == f"plain {text}"
    assert read_human_written(hostile) == {}


def test_benchmarks_searched_for_are_in_a_table():
    _, text = front(render_card(manifest()))
    assert "| exam | 5 | 2 | el 5 (50) |" in text


def test_braces_in_text_are_no_template():
    assert "{{ 7 }}" in render_card(manifest(sources=[source(title="{{ 7 }}")]))


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
    assert text.count("| small | el, hi | 1 | cc-by-4.0 |") == 1


def test_licence_note_is_in_the_card():
    _, text = front(render_card(manifest(sources=[source(licence="other", licence_note="Research use.")])))
    assert "| small | el | 1 | other: Research use. |" in text


@pytest.mark.parametrize(("licence", "said"), [("cc-by-nc-4.0", True), ("cc-by-nc-sa-3.0", True), ("cc-by-4.0", False)])
def test_non_commercial_source_makes_the_release_non_commercial(licence, said):
    card = render_card(manifest(sources=[source(), source("other-corpus", licence=licence)]))
    assert ("for non-commercial use only, and so is this release" in card) is said


def test_release_without_translated_instructions_says_so():
    card = render_card(manifest(recipe=manifest()["recipe"] | {"instruction_langs": ["en", "xx"]}))
    assert "There are no translated instructions" in card
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
    assert "of the target side:\n1,200 simplified." in card
    assert "| Chinese | 900 | el 30 |" in card


def test_card_says_what_was_not_searched_for_and_not_judged():
    misaligned = {"name": "misaligned", "reject": "x", "description": "x", "thresholds": {"max": {"el": 0.05}}}
    card = render_card(manifest(filters=[misaligned], decontamination=[]))
    assert "**No benchmark was searched for.**" in card
    assert "was not judged in Greek: too few pairs" in card
    assert "only their form was read" in card
    row = {"lang": "el", "corpus": "small", "num_pairs": 7, "num_judged": 7, "num_rejected": 1}
    row |= {"share": 0.1, "share_low": 0.05, "share_high": 0.2}
    domain = {"lang": "el", "corpus": "small", "words": ["parish", "village"], "num_pairs": 6, "num_spared": 5}
    card = render_card(manifest(filters=[misaligned], alignment=[row], domains=[domain]))
    assert "| Greek | small | parish, village | 6 | 5 |" in card
    assert "No benchmark was searched for" not in card
    assert "not judged" not in card
    assert "only their form was read" not in card
