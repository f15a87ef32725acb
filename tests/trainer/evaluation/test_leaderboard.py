"""The leaderboard: what differs in size, release or mixture is never averaged, and a card gets its own results only."""

import json

import pytest

from corpora.errors import InputError
from recipes.results import Result, append_results
from trainer.evaluation import leaderboard
from trainer.evaluation.leaderboard_tables import tabulate_results, write_into_card


def result(value, **changes):
    values = {"release": "coit@v1.0.0", "lang": "el", "num_pairs": 1000, "num_documents": 0, "seed": 0}
    values |= {"composition": {"translation": {"el": 1000}}, "model": "tiny-el-1000-seed0", "benchmark": "flores"}
    values |= {"direction": "en-xx", "metric": "chrf++", "interval": None, "n": 8, "signature": "nrefs:1"}
    return Result(**(values | {"value": value, "metric_min": 0.0, "metric_max": 100.0} | changes))


def of_size(size, seed, value):
    composition = {"translation": {"el": size}}
    return result(value, num_pairs=size, seed=seed, composition=composition, model=f"tiny-el-{size}-seed{seed}")


TWO_SIZES = [of_size(1000, 0, 10.0), of_size(1000, 1, 14.0), of_size(4000, 0, 30.0), of_size(4000, 1, 31.0)]


def test_runs_of_two_sizes_and_two_seeds_by_hand():
    (table,) = tabulate_results(TWO_SIZES).tables
    rows = [(row["model"], row["num_pairs"], row["num_seeds"], row["values"][0]) for row in table.rows]
    large, small = rows
    assert large[:3] == ("tiny-el-4000", 4000, 2)
    assert small[:3] == ("tiny-el-1000", 1000, 2)
    assert (large[3]["value"], large[3]["spread"]) == (30.5, pytest.approx(0.5**0.5))  # of 30 and 31
    assert (small[3]["value"], small[3]["spread"]) == (12.0, pytest.approx(8**0.5))  # of 10 and 14
    assert large[3]["is_best"]
    assert not small[3]["is_best"]
    assert "30.50 ± 0.71" in tabulate_results(TWO_SIZES).to_text()


def test_imported_sizes_of_one_name_are_different_rows():
    imported = [result(float(n), model="x", num_pairs=n, seed=s, composition={}) for n in (10, 20) for s in (0,)]
    (table,) = tabulate_results(imported).tables
    assert [(row["num_pairs"], row["values"][0]["value"], row["values"][0]["spread"]) for row in table.rows] == [
        (20, 20.0, None),
        (10, 10.0, None),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"release": "coit@v2.0.0"},
        {"composition": {"translation": {"el": 1000}, "instruction": {"en": 5}}},
        {"num_documents": 5},
        {"model": "other"},
        {"direction": "xx-en"},
    ],
)
def test_results_that_differ_in_more_than_the_seed_are_not_averaged(changes):
    (table,) = tabulate_results([result(10.0), result(20.0, seed=1, **changes)]).tables
    assert [row["values"][0]["value"] for row in table.rows if row["num_seeds"]] in ([20.0, 10.0], [10.0, 20.0])


def test_other_signature_is_another_column():
    (table,) = tabulate_results([result(10.0), result(20.0, signature="nrefs:1|case:lc")]).tables
    assert table.heads() == ["chrF++ (1)", "chrF++ (2)"]
    (row,) = table.rows
    assert [value["value"] for value in row["values"]] == [10.0, 20.0]


def test_metrics_are_columns_and_languages_have_a_mean():
    same = {"composition": {"translation": {"el": 10, "hi": 20}}, "model": "m"}
    results = [
        result(10.0, num_pairs=10, **same),
        result(30.0, lang="hi", num_pairs=20, **same),
        result(0.5, metric="comet", signature="c", num_pairs=10, **same),
    ]
    (table,) = tabulate_results(results).tables
    assert table.heads() == ["chrF++", "COMET"]
    assert [(row["lang"], row["num_pairs"], row["values"][0]["value"]) for row in table.rows] == [
        ("mean", None, 20.0),
        ("el", 10, 10.0),
        ("hi", 20, 30.0),
    ]
    assert table.rows[0]["values"][1] is None  # a metric without hi has no mean
    board = tabulate_results(results)
    for text in (board.to_text(), board.to_markdown(), board._repr_html_(), board.to_json()):
        assert "20.0" in text


def test_mean_is_left_out_where_a_model_has_several_sizes():
    results = [result(1.0, lang=lang, model="x", num_pairs=n, composition={}) for lang in ("el", "hi") for n in (1, 2)]
    (table,) = tabulate_results(results).tables
    assert {row["lang"] for row in table.rows} == {"el", "hi"}


def test_interval_has_its_level_and_signatures_are_folded():
    text = tabulate_results([result(10.0, interval=(9.0, 11.0))]).to_markdown()
    assert "| chrF++ \\[95%\\] |" in text
    assert "10.00 [9.00, 11.00]" in text
    assert "[a, b] is its 95% confidence interval" in text
    assert text.index("<details>") < text.index("nrefs:1")


def test_hostile_names_and_signatures_are_text_in_the_card():
    trick = "x | y\n# Heading <script>"
    text = tabulate_results([result(1.0, model=trick, signature=trick, benchmark=trick, release=trick)]).to_markdown()
    assert "<script>" not in text
    assert "\n# Heading" not in text


def test_card_gets_the_results_of_its_own_model_only(tmp_path):
    folder = tmp_path / "tiny-el-1000-seed0" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "run.json").write_text("{}")
    card = folder / "README.md"
    card.write_text("# Mine\n")
    append_results(tmp_path / "results.jsonl", [*TWO_SIZES, result(99.0, model="stranger")])
    leaderboard(card=card, results=tmp_path / "results.jsonl")
    text = card.read_text()
    assert "10.00" in text
    assert not [value for value in ("99.00", "14.00", "30.00", "stranger") if value in text]
    leaderboard(card=card, name="stranger", results=tmp_path / "results.jsonl")
    assert card.read_text().count("## Results") == 1
    assert "99.00" in card.read_text()


def test_card_without_results_of_its_model_stays_as_it_is(tmp_path):
    card = tmp_path / "README.md"
    card.write_text("# Mine\n")
    with pytest.raises(InputError, match=r"There is no result of .*, the model of .*, but of tiny-el-1000-seed0"):
        write_into_card(card, [result(1.0)])
    assert card.read_text() == "# Mine\n"


def test_json_has_numbers():
    (table,) = json.loads(tabulate_results(TWO_SIZES).to_json())
    assert table["rows"][0]["values"][0]["value"] == 30.5
