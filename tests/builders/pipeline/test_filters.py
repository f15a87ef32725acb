"""Filters: each rejects its example and keeps a near one; the first that matches is the reason."""

import gzip
import json
import math
import re
from dataclasses import replace

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.pipeline.deduplication import Candidates, find_duplicates
from builders.pipeline.filter_sql import reject_sql
from builders.pipeline.filters import TABLES, all_filters, choose_filters
from builders.pipeline.ranges import Range
from builders.run import run_build, run_publish
from builders.workspace import Workspace
from corpora.catalog import SAMPLE
from corpora.errors import InputError


def sample_text(count: int) -> tuple[float, str, str]:
    """One line of many pairs of the sample, end to end: English and Greek."""
    data = gzip.decompress((SAMPLE / "laser" / "WikiMatrix" / "v1" / "WikiMatrix.el-en.tsv.gz").read_bytes()).split(
        b"\n"
    )
    labels = pl.read_csv(SAMPLE / "labels.tsv", separator="\t").filter(corpus="wikimatrix", lang="el", label="clean")
    pairs = [data[number - 1].decode().split("\t")[1:] for number in labels["line_number"][:count]]
    return (1.2, *(" ".join(side) for side in reversed(list(zip(*pairs, strict=True)))))


# Each filter with a line that it rejects and one that it spares though it is near.
EL = {
    "invalid_utf8": (
        "1.2\tThe lamp is \udcff on the table.\tΗ λάμπα είναι στο τραπέζι.".encode(errors="surrogateescape"),
        (1.2, "The lamp is on the table.", "Η λάμπα είναι στο τραπέζι."),
    ),
    "nul_byte": (
        b"1.2\tThe door is op\x00en.\t" + "Η πόρτα είναι ανοιχτή.".encode(),
        (1.2, "The door is open.", "Η πόρτα είναι ανοιχτή."),
    ),
    "missing_column": (
        b"1.2\tThe harbour was quiet before the storm.",
        (1.2, "The harbour was quiet before the storm.", "Το λιμάνι ήταν ήσυχο πριν από την καταιγίδα."),
    ),
    "invalid_margin": (
        "nan\tThe clock has stopped.\tΤο ρολόι σταμάτησε.".encode(),
        "1.2e0\tΗ καμπάνα χτυπάει.\tThe bell is ringing.".encode(),
    ),
    "oversized_line": (
        b"1.2\tA long story. " + b"x" * (1 << 20) + b"\t" + "Μια μεγάλη ιστορία.".encode(),
        (1.2, "A short story.", "Μια μικρή ιστορία."),
    ),
    "empty": ((1.2, "There is nothing on the other side.", " \u3000\u200b"), (1.2, "I agree.", "Συμφωνώ.")),
    "low_margin": (
        (1.0399, "The baker opens his shop at five in the morning.", "Ο φούρναρης ανοίγει το μαγαζί του στις πέντε."),
        (1.04, "The teacher reads a story to the children.", "Η δασκάλα διαβάζει μια ιστορία στα παιδιά."),
    ),
    "too_short": ((1.2, "12.10.1984 – 3", "12.10.1984 – 3 Οκτωβρίου"), (1.2, "A 12", "Ο 12")),
    "too_long": (
        sample_text(60),
        sample_text(25),
    ),
    "bad_encoding": (
        (1.2, "The cafÃ©Ã© is closed today, said the waiter.", "Το καφενείο είναι κλειστό σήμερα, είπε ο σερβιτόρος."),
        (1.2, "The café «Ã» is open today, said the owner.", "Το καφέ «Ã» είναι ανοιχτό σήμερα, είπε ο ιδιοκτήτης."),
    ),
    "markup": (
        (1.2, "He was born in <b>Athens</b> in a small house.", "Γεννήθηκε στην Αθήνα σε ένα μικρό σπίτι."),
        (1.2, "If 3 < 5 and 7 > 2, then the answer is right.", "Αν 3 < 5 και 7 > 2, τότε η απάντηση είναι σωστή."),
    ),
    "copy": (
        (1.2, "Αυτό είναι ίδιο, και στις δύο πλευρές!", "αυτό είναι ίδιο και στις δύο πλευρές"),
        (1.2, "Nikos Papadopoulos", "Νίκος Παπαδόπουλος"),
    ),
    "high_margin": (
        (1.6001, "The goat eats the grass behind the church.", "Η κατσίκα τρώει το χορτάρι πίσω από την εκκλησία."),
        (1.6, "The dog barks at the stranger.", "Ο σκύλος γαβγίζει στον ξένο."),
    ),
    "numbers": (
        (1.2, "The school was built in 1987.", "Το σχολείο χτίστηκε το 1978."),
        (1.2, "The bridge was built in 1,987 days.", "Η γέφυρα χτίστηκε σε 1.987 μέρες."),
    ),
    "partially_untranslated": (
        (
            1.2,
            "The king of the island and the queen were at the harbour.",
            "Ο βασιλιάς και η βασίλισσα, the queen of the island, ήταν στο λιμάνι and the harbour.",
        ),
        (1.2, "The film The Wall was shown in the old cinema.", "Η ταινία «The Wall» παίχτηκε στο παλιό σινεμά."),
    ),
    "wrong_script": (
        (
            1.2,
            "The old bridge crosses the river near the village.",
            "I palia gefyra pernaei to potami konta sto chorio.",
        ),
        (1.2, "Microsoft Windows and Google Chrome are programs.", "Microsoft Windows, Google Chrome: προγράμματα."),
    ),
    "length_ratio": (
        (1.2, "The mountain path was closed for the whole winter because of heavy snow.", "Το μονοπάτι."),
        (1.2, "Good morning to you all", "Καλημέρα"),
    ),
    "repeated_phrase": (
        (
            1.2,
            "He sat by the fire and he slept.",
            "Κάθισε δίπλα στη φωτιά, δίπλα στη φωτιά, δίπλα στη φωτιά, δίπλα στη φωτιά.",
        ),
        (1.2, "Row, row, row your boat, gently down.", "Κωπηλάτησε, κωπηλάτησε τη βάρκα σου απαλά."),
    ),
    "duplicate_exact": (
        (1.04, "  The teacher reads a story to the children.", "Η δασκάλα διαβάζει μια ιστορία στα παιδιά. "),
        (1.1, "The teacher reads a story to the parents.", "Η δασκάλα διαβάζει μια ιστορία στους γονείς."),
    ),
    "duplicate_normalised": (
        (1.2, "good  morning to you, ALL!", "ΚΑΛΗΜΈΡΑ…"),
        (1.2, "Good morning to us all", "Καλημέρα"),
    ),
    "wrong_language_en": (
        (
            1.2,
            "Der alte Mann ging jeden Morgen am Fluss spazieren und fütterte die Enten.",
            "Ο γέρος περπατούσε κάθε πρωί δίπλα στο ποτάμι και τάιζε τις πάπιες.",
        ),
        (1.2, "Der alte Mann", "Ο γέρος άνδρας"),
    ),
}
VI = {
    "wrong_language_xx": (
        (1.2, "The trains in this country are often late.", "Die Züge in diesem Land haben oft große Verspätung."),
        (1.2, "The old man", "Der alte Mann"),
    ),
    "wrong_script": (
        (1.2, "He went to the market early.", "Он рано утром пошёл на рынок."),
        (1.2, "He went to the market late.", "Anh ấy đi chợ muộn."),
    ),
    "bad_encoding": (
        (1.2, "She likes green tea in the morning.", "Cô ấy thích trà xanh vào buổi sáng \ufffd."),
        (1.2, "She likes black tea in the evening.", "Cô ấy thích trà đen vào buổi tối."),
    ),
    "markup": (
        (1.2, "https://example.org/a/page?x=1", "Trang: https://example.org/a/page?x=1"),
        (1.2, "See https://example.org for all the details.", "Xem https://example.org để biết chi tiết."),
    ),
}
ZH = {
    "length_ratio": (
        (1.2, "The weather is nice.", "今天的天气非常好，我们决定一起去公园里散步，然后在湖边吃午饭，晚上再回家休息。"),
        (
            1.2,
            "The weather is nice today and we decided to take a walk in the park.",
            "今天天气很好，我们决定去公园散步。",
        ),
    ),
    "wrong_script": (
        (1.2, "I am a student at this university.", "わたしはこのだいがくのがくせいです。"),
        (1.2, "I am a teacher at this university.", "我是这所大学的老师。"),
    ),
}
CASES = [(lang, name) for lang, cases in (("el", EL), ("vi", VI), ("zh", ZH)) for name in cases]


@pytest.fixture(scope="module")
def verdicts(judge):
    """The reason, or None, for every example, by language and filter: (rejected, spared)."""
    found = {}
    for lang, cases in (("el", EL), ("vi", VI), ("zh", ZH)):
        judged = judge([line for pair in cases.values() for line in pair], lang)
        reasons = [row["reject_reason"] for row in judged]
        found |= {(lang, name): reasons[2 * place : 2 * place + 2] for place, name in enumerate(cases)}
    return found


@pytest.mark.parametrize(("lang", "name"), CASES)
def test_filter_rejects_its_example_and_keeps_a_near_one(verdicts, lang, name):
    assert verdicts[lang, name] == [name, None]


def test_every_filter_has_an_example():
    elsewhere = {"contaminated", "one_to_many", "simplified_chinese", "traditional_chinese"}  # below
    elsewhere |= {"near_duplicate", "misaligned"}  # in test_near_duplicates.py and test_alignments.py
    elsewhere |= {"wrong_variant", "invalid_xml"}  # in test_scripts.py and test_tmx.py
    elsewhere |= {"unlikely_translation"}  # in test_model_scores.py
    assert {name for _, name in CASES} | elsewhere == set(all_filters())


def test_numbers_that_translations_convert_are_no_contradiction(judge):
    lines = [
        (None, "The town is 50 miles from the sea.", "Η πόλη απέχει 80 χιλιόμετρα από τη θάλασσα."),
        (None, "The shop opens at 10:30 pm every day.", "Το κατάστημα ανοίγει στις 22.45 κάθε μέρα."),
        (None, "He lived there in the 1980s and wrote.", "Έζησε εκεί τη δεκαετία του 80 και έγραφε."),
        (None, "The town has 50 schools and a theatre.", "Η πόλη έχει 80 σχολεία και ένα θέατρο."),
    ]
    assert [row["reject_reason"] for row in judge(lines)] == [None, None, None, "numbers"]


def test_titles_of_works_are_not_half_english(judge):
    lines = [
        (
            None,
            "The song was released on The Road to the End of the Night.",
            "Şarkı The Road to the End of the Night albümünde çıktı.",
        ),
        (
            None,
            "The Valley of the Kings of the North is a film from 2001.",
            "The Valley of the Kings of the North, 2001 yapımı bir filmdir.",
        ),
        (
            None,
            "The bridge of the city is one of the oldest in the country.",
            "Köprü, the bridge of the city, en eski of the country.",
        ),
    ]
    assert [row["reject_reason"] for row in judge(lines, "tr")] == [None, None, "partially_untranslated"]


def test_a_title_that_is_the_whole_sentence_has_to_be_translated(judge):
    lines = [
        (
            None,
            "Mary Stone Says She Waited Before the House So He Could Find Books.",
            "15 Kasım 2008 tarihinde okundu. ^ Mary Stone Says She Waited Before the House So He Could Find Books.",
        ),
        (
            None,
            "The team was John Smith, Mary Jones, Peter Brown and William Shakespeare.",
            "Takımda John Smith, Mary Jones, Peter Brown ve William Shakespeare vardı.",
        ),
    ]
    assert [row["reject_reason"] for row in judge(lines, "tr")] == ["partially_untranslated", None]


@pytest.mark.slow
def test_benchmark_text_is_rejected_only_if_the_recipe_names_the_benchmark(judge):
    sentence = "The parliament met for the first time in the old theatre of the harbour town, and nobody was surprised."
    lines = [
        (1.2, sentence, "Η βουλή συνήλθε για πρώτη φορά στο παλιό θέατρο, και κανείς δεν ξαφνιάστηκε από αυτό."),
        (1.2, sentence.upper()[10:], "Η Βουλή συνεδρίασε πρώτη φορά στο παλιό θέατρο της πόλης, όπως όλοι περίμεναν."),
        (1.2, "The parliament met again in the new town hall.", "Η βουλή συνήλθε ξανά στο νέο δημαρχείο."),
    ]
    found = [row["reject_reason"] for row in judge(lines, more='decontaminate_against = ["exam"]\n')]
    assert found == ["contaminated", "contaminated", None]
    assert [row["reject_reason"] for row in judge(lines)] == [None, None, None]


def test_side_with_many_counterparts_is_rejected(judge):
    animals = ["cat", "dog", "goat", "horse", "donkey"]
    lines = [(1.2, f"The {animal} sleeps behind the old mill.", "Πηγή: βιβλιοθήκη του δήμου.") for animal in animals]
    spared = [(1.2, f"The {animal} drinks from the river.", "Πίνει νερό από το ποτάμι.") for animal in animals[:4]]
    assert [row["reject_reason"] for row in judge([*lines, *spared])] == ["one_to_many"] * 5 + [None] * 4


def test_every_line_has_a_decision(judge):
    judged = judge([line for pair in EL.values() for line in pair])
    assert [row["line_number"] for row in judged] == list(range(1, 2 * len(EL) + 1))
    assert {row["reject_reason"] for row in judged} <= {None, *all_filters()}


def test_first_matching_filter_is_the_reason(judge):
    worse = [(1.0, "<b>Oh</b> \ufffd", "<b>Oh</b> \ufffd"), (1.2, "<b>Oh</b> \ufffd", "<b>Oh</b> \ufffd")]
    worse += [(1.2, "<b>Oh</b>", "<b>Oh</b>"), (1.2, "Oh", "oh!"), (1.2, "12", "12"), (1.0, "", "")]
    reasons = [row["reject_reason"] for row in judge(worse)]
    assert reasons == ["low_margin", "bad_encoding", "markup", "copy", "too_short", "empty"]


@pytest.mark.slow
def test_disabled_filter_leaves_its_pairs_to_the_next(judge):
    lines = [(1.2, "<b>Oh</b> \ufffd", "<b>Oh</b> \ufffd")]
    assert judge(lines, more='disable_filters = ["bad_encoding"]')[0]["reject_reason"] == "markup"
    assert judge(lines, more='disable_filters = ["bad_encoding", "markup"]')[0]["reject_reason"] == "copy"


def test_missing_margin_is_not_rejected(judge):
    judged = judge([(None, "The cat sleeps on the roof.", "Η γάτα κοιμάται στη στέγη.")])
    assert [(row["margin"], row["reject_reason"]) for row in judged] == [(None, None)]


@pytest.mark.slow
def test_changed_threshold_is_applied(judge):
    lines = [(1.05, "The cat sleeps on the roof.", "Η γάτα κοιμάται στη στέγη.")]
    assert judge(lines)[0]["reject_reason"] is None
    assert judge(lines, more="[filters.low_margin]\nmin = 1.06")[0]["reject_reason"] == "low_margin"


@pytest.mark.slow
def test_threshold_of_one_language_is_applied_to_it_alone(judge):
    more = "[filters.low_margin]\nmin = { el = 1.06 }"
    assert judge([(1.05, "The cat sleeps.", "Η γάτα κοιμάται.")], "el", more)[0]["reject_reason"] == "low_margin"
    assert judge([(1.05, "The cat sleeps.", "Con mèo đang ngủ.")], "vi", more)[0]["reject_reason"] is None


def test_thresholds_by_language_of_the_file_are_read():
    rule = all_filters()["wrong_language_xx"]
    assert (rule.threshold("min_letters", "zh"), rule.threshold("min_letters", "el")) == (12, 40)


def test_threshold_for_all_languages_replaces_thresholds_by_language():
    rule = {f.name: f for f in choose_filters({"wrong_language_xx": {"min_letters": 30}}, ())}["wrong_language_xx"]
    assert (rule.threshold("min_letters", "el"), rule.threshold("min_letters", "zh")) == (30, 30)


def test_filters_are_in_the_order_of_their_tables():
    for name, rule in all_filters().items():
        assert rule.table in TABLES, name
        assert rule.description.endswith("."), name
        assert set(rule.by_language.get("zh", {})) <= set(rule.thresholds), name
    order = [TABLES.index(rule.table) for rule in all_filters().values()]
    assert order == sorted(order)


def test_every_parameter_of_the_sql_has_a_value():
    everything = choose_filters({}, (), [name for name, rule in all_filters().items() if rule.default == "off"])
    for lang in ("el", "zh"):
        for table in TABLES:
            text, parameters = reject_sql(everything, table, lang)
            assert text.startswith("case when ")
            assert set(re.findall(r"\$(\w+)", text)) == set(parameters)


def test_table_without_filters_rejects_nothing():
    text, parameters = reject_sql((), "measured", "el")
    assert ("null" in text, parameters) == (True, {})


@pytest.mark.parametrize(
    ("changes", "without", "said"),
    [
        ({"low_margn": {"min": 1.1}}, (), "Unknown filter 'low_margn'. Did you mean low_margin"),
        ({}, ("wrong_scrip",), "Unknown filter 'wrong_scrip'. Did you mean wrong_script"),
        ({"low_margin": {"mim": 1.1}}, (), "Filter low_margin: Unknown threshold 'mim'. Did you mean min"),
        ({"low_margin": {"min": {"ell": 1.1}}}, (), "Unknown language 'ell'. Did you mean el"),
        ({"low_margin": {"min": "1.1"}}, (), "'min' must be a finite number, not '1.1'"),
        ({"low_margin": {"min": True}}, (), "'min' must be a finite number, not True"),
        ({"low_margin": {"min": {"el": "x"}}}, (), "'min' must be a finite number, not 'x'"),
    ],
)
def test_unknown_filters_and_thresholds_are_refused_with_the_nearest_name(changes, without, said):
    with pytest.raises(InputError) as error:
        choose_filters(changes, without)
    assert said in str(error.value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_infinite_threshold_is_refused(value):
    with pytest.raises(InputError):
        choose_filters({"low_margin": {"min": value}}, ())


def test_unknown_filter_stops_the_run_before_any_download(request_for):
    request = request_for({"small": {"el": [(1.2, "Yes.", "Ναι.")]}})
    for path in request.with_[0].glob("*.tsv.gz"):
        path.unlink()
    with pytest.raises(InputError, match="low_margn"):
        run_build(replace(request, set={"low_margn.min": 1.1}))


def test_script_share_ignores_marks(judge):
    hindi = "हिन्दी में लिखी हुई कविता की किताबें"
    judged = judge([(1.2, "Books of poetry that are written in Hindi", f"{hindi} γραμμένα βιβλία")], "hi")
    letters = sum("ऄ" <= c <= "ह" for c in hindi)
    assert judged[0]["script_share"] == pytest.approx(letters / (letters + 14), abs=0.01)


def test_thresholds_are_part_of_the_key(tmp_path):
    columns = {
        "corpus": ["a", "b"],
        "line_number": [1, 1],
        "reject_reason": pa.nulls(2, pa.string()),
        "margin": [1.2, 1.1],
    }
    keys = {key: ["same", "same"] for key in ("en_norm_hash", "xx_norm_hash", "en_hash", "xx_hash")}
    pq.write_table(pa.table(columns | keys), tmp_path / "measured.parquet")
    rule = replace(all_filters()["duplicate_exact"], reject="matched_line_number > $max", thresholds={"max": 5})
    found = Candidates("el", [], [tmp_path / "measured.parquet"], [], [Range()])
    work = Workspace(tmp_path / "work", threads=1)
    made = {
        find_duplicates(found, ["a", "b"], (replace(rule, thresholds={"max": most}),), work)[0] for most in (0.0, 5.0)
    }
    work.close()
    assert len(made) == 2


@pytest.mark.slow
def test_manifest_has_the_thresholds_in_use(request_for, tmp_path):
    request = request_for(
        {"small": {"zh": [(1.2, "The cat sleeps.", "猫在睡觉。")]}}, "[filters.low_margin]\nmin = 1.1"
    )
    manifest = run_publish(request, tmp_path / "registry", "instructions")[0].manifest
    thresholds = {rule["name"]: rule["thresholds"] for rule in json.loads(json.dumps(manifest["filters"]))}
    assert thresholds["low_margin"] == {"min": {"zh": 1.1}}
    assert thresholds["wrong_language_xx"] == {
        "min_confidence": {"zh": 0.5},
        "min_letters": {"zh": 12},
        "min_confidence_short": {"zh": 0.8},
        "min_letters_short": {"zh": 6},
    }


def test_changed_thresholds_leave_the_rows_of_the_file_as_they_are():
    before = dict(all_filters()["low_margin"].thresholds)
    choose_filters({"low_margin": {"min": 2.0}}, ("copy",))
    assert dict(all_filters()["low_margin"].thresholds) == before


CHINESE = [
    (1.2, "He studied law at the university for years.", "他在大学学习了多年的法律。"),
    (1.2, "The train to the harbour leaves at noon.", "開往港口的火車在中午離開。"),
    (1.2, "Spring is near and the lake is calm.", "春天近了，湖水很平静。"),
    (1.2, "My mother and I live by the sea.", "我和母親住在海邊。"),
    (1.2, "You and I are the same age.", "你和我同年。"),
]


def test_variant_share_of_chinese_is_measured(judge):
    judged = judge(CHINESE, "zh")
    assert [row["variant_share"] for row in judged] == [0, 1, 0, 1, None]
    assert [row["reject_reason"] for row in judged] == [None] * 5


@pytest.mark.slow
def test_each_variant_of_chinese_can_be_rejected(judge):
    simplified = [row["reject_reason"] for row in judge(CHINESE, "zh", more='enable_filters = ["traditional_chinese"]')]
    assert simplified == [None, "traditional_chinese", None, "traditional_chinese", None]
    traditional = [row["reject_reason"] for row in judge(CHINESE, "zh", more='enable_filters = ["simplified_chinese"]')]
    assert traditional == ["simplified_chinese", None, "simplified_chinese", None, None]


def test_variant_share_of_other_languages_is_null(judge):
    row = judge([(1.2, "I am a teacher.", "Είμαι δάσκαλος.")], "el", more='enable_filters = ["simplified_chinese"]')[0]
    assert (row["variant_share"], row["reject_reason"]) == (None, None)


@pytest.mark.slow
def test_script_variants_of_kept_pairs_are_counted(build_small):
    built = build_small({"small": {"zh": [*CHINESE, (1.0, "Low.", "開往。")], "el": []}})
    found = {row["variant"]: row["num_rows"] for row in built.script_variants.to_dicts()}
    assert found == {"simplified": 2, "traditional": 2, "alike in both": 1}
    assert built.script_variants["lang"].unique().to_list() == ["zh"]
