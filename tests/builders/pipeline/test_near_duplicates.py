"""Near duplicates: the best-ranked of similar pairs is kept, and the others name it."""

import random
import unicodedata
from dataclasses import replace
from itertools import count, pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import builders.pipeline.parts
import builders.pipeline.ranges
from builders.pipeline.deduplication import Candidates
from builders.pipeline.filters import choose_filters
from builders.pipeline.near_duplicates import MIN_LENGTH, NGRAM_SIZE, find_near_duplicates
from builders.pipeline.parts import Part
from builders.pipeline.ranges import ranges_of
from builders.workspace import Workspace
from corpora.catalog import language
from corpora.errors import InputError

SIMILAR = 0.8
CORPORA = ("zulu", "alpha")
NUMBERS = count()
ENGLISH = (
    "The old harbour was closed in winter because the storms had damaged the northern wall of the lighthouse.",
    "Every spring the farmers of the valley bring their first cherries to the market in front of the town hall.",
    "The museum keeps three hundred letters that the poet wrote to her brother while she lived in Alexandria.",
    "Nobody in the laboratory expected that the new telescope would find two comets in a single night.",
    "The railway reached the mountain villages late, and most families had already moved down to the plain.",
    "A teacher from the island collected songs, proverbs and recipes that the fishermen still remembered.",
)
LATER = ("as the newspapers reported", "according to the council", "for the second time")
WORDS = ("lantern", "engineers", "quietly", "bridges", "eleven", "merchant", "yellow", "orchestra")
TEXTS = {
    "el": (
        "Το παλιό λιμάνι έκλεισε τον χειμώνα επειδή οι θύελλες είχαν καταστρέψει τον βόρειο τοίχο του φάρου.",
        "Κάθε άνοιξη οι αγρότες της κοιλάδας φέρνουν τα πρώτα τους κεράσια στην αγορά μπροστά στο δημαρχείο.",
        "Το μουσείο φυλάει τριακόσιες επιστολές που έγραψε η ποιήτρια στον αδελφό της όσο ζούσε στην Αλεξάνδρεια.",
        "Κανείς στο εργαστήριο δεν περίμενε ότι το νέο τηλεσκόπιο θα έβρισκε δύο κομήτες μέσα σε μία νύχτα.",
        "Ο σιδηρόδρομος έφτασε αργά στα ορεινά χωριά και οι περισσότερες οικογένειες είχαν ήδη κατέβει στον κάμπο.",
        "Μια δασκάλα από το νησί μάζεψε τραγούδια, παροιμίες και συνταγές που θυμούνταν ακόμη οι ψαράδες.",
    ),
    "zh": (
        "由于风暴损坏了灯塔的北墙，那座古老的港口在冬天关闭了，直到第二年才重新开放。",
        "每年春天，山谷里的农民都会把第一批樱桃带到市政厅前面的集市上出售给城里的居民。",
        "博物馆收藏着三百封信件，都是诗人住在亚历山大港的时候写给她弟弟的。",
        "实验室里没有人料到，新的望远镜竟然会在一个晚上发现两颗彗星。",
        "铁路很晚才修到山里的村庄，那时大多数家庭已经搬到平原上居住了。",
        "一位来自岛上的教师收集了渔民们仍然记得的歌曲、谚语和各种菜谱。",
    ),
    "ar": (
        "أُغلق الميناء القديم في الشتاء لأن العواصف كانت قد أضرت بالجدار الشمالي للمنارة القائمة عند المدخل.",
        "في كل ربيع يحمل مزارعو الوادي أول ثمار الكرز إلى السوق المقامة أمام مبنى البلدية في وسط المدينة.",
        "يحتفظ المتحف بثلاثمئة رسالة كتبتها الشاعرة إلى أخيها عندما كانت تعيش في مدينة الإسكندرية.",
        "لم يتوقع أحد في المختبر أن يعثر التلسكوب الجديد على مذنبين اثنين في ليلة واحدة.",
        "وصلت السكة الحديدية متأخرة إلى قرى الجبل، وكانت معظم العائلات قد انتقلت إلى السهل.",
        "جمعت معلمة من الجزيرة الأغاني والأمثال ووصفات الطعام التي ما زال الصيادون يتذكرونها.",
    ),
    "hi": (
        "पुराना बंदरगाह सर्दियों में बंद रहा क्योंकि तूफ़ानों ने प्रकाशस्तंभ की उत्तरी दीवार को नुकसान पहुँचाया था।",
        "हर वसंत में घाटी के किसान अपनी पहली चेरी नगर भवन के सामने लगने वाले बाज़ार में लेकर आते हैं।",
        "संग्रहालय में तीन सौ पत्र रखे हैं जो कवयित्री ने सिकंदरिया में रहते हुए अपने भाई को लिखे थे।",
        "प्रयोगशाला में किसी ने नहीं सोचा था कि नई दूरबीन एक ही रात में दो धूमकेतु खोज लेगी।",
        "रेलगाड़ी पहाड़ी गाँवों तक देर से पहुँची और तब तक अधिकतर परिवार मैदान में बस चुके थे।",
        "द्वीप की एक अध्यापिका ने वे गीत, कहावतें और व्यंजन इकट्ठे किए जो मछुआरों को अब भी याद थे।",
    ),
}
FOREIGN_LATER = {
    "el": ("όπως έγραψαν οι εφημερίδες", "σύμφωνα με το συμβούλιο", "για δεύτερη φορά"),
    "zh": ("据报纸报道", "根据市议会的说法", "这是第二次"),
    "ar": ("كما ذكرت الصحف", "بحسب المجلس", "للمرة الثانية"),
    "hi": ("जैसा अख़बारों ने लिखा", "परिषद के अनुसार", "दूसरी बार"),
}
FOREIGN_WORDS = {
    "el": ("φανάρι", "μηχανικοί", "ήσυχα", "γέφυρες", "έντεκα", "έμπορος", "κίτρινο", "ορχήστρα"),
    "zh": ("灯笼", "工程师", "悄悄", "桥梁", "十一", "商人", "黄色", "乐队"),
    "ar": ("فانوس", "المهندسون", "بهدوء", "الجسور", "أحد عشر", "التاجر", "أصفر", "الفرقة"),
    "hi": ("लालटेन", "इंजीनियर", "चुपचाप", "पुल", "ग्यारह", "व्यापारी", "पीला", "वाद्यवृंद"),
}


def said(text):
    """What a text says: its letters, marks and digits."""
    return "".join(c for c in text.lower() if unicodedata.category(c)[0] in "LMN")


def sizes(lang):
    """The parameters of the comparison: characters as in English."""
    ratio = language(lang).ratio
    return {
        "english_n": NGRAM_SIZE,
        "foreign_n": max(2, round(NGRAM_SIZE * ratio)),
        "min_length": MIN_LENGTH,
        "foreign_min_length": round(MIN_LENGTH * ratio),
    }


def charged(rows, folder, lang="el", threads=2, reject="", rejected=(), duplicates=()):
    """What `near_duplicates` says of (corpus, margin, en, xx): line -> the winner's line, similarity and reason.

    The lines are the places in `rows`; `rejected` are those that an earlier filter rejects, `duplicates` maps lines to
    what was said of them as duplicates.
    """
    lines = list(range(1, len(rows) + 1))
    corpora, margins, english, foreign = list(zip(*rows, strict=True)) or [()] * 4
    reasons = ["low_margin" if line in rejected else None for line in lines]
    measured = {
        "corpus": pa.array(corpora, pa.string()),
        "line_number": pa.array(lines, pa.int64()),
        "en_cleaned": pa.nulls(len(rows), pa.string()),
        "xx_cleaned": pa.array(foreign, pa.string()),
        "en_norm": pa.nulls(len(rows), pa.string()),  # as compiled code writes it
        "xx_norm": pa.nulls(len(rows), pa.string()),
        "margin": pa.array(margins, pa.float64()),
        "reject_reason": pa.array(reasons, pa.string()),
    }
    earlier = dict(duplicates)
    exact = {
        "corpus": pa.array([corpora[line - 1] for line in earlier], pa.string()),
        "line_number": pa.array(list(earlier), pa.int64()),
        "reject_reason": pa.array(list(earlier.values()), pa.string()),
    }
    texts = {"en": pa.array(english, pa.string()), "xx": pa.array([f" {text}" for text in foreign], pa.string())}
    pairs = pa.table(texts | {name: measured[name] for name in ("corpus", "line_number")})
    folder = folder / str(next(NUMBERS))
    parts = cut(pairs, pa.table(measured), lang, folder)
    pq.write_table(pa.table(exact), folder / "duplicates.parquet")
    filters = choose_filters({}, (), ["near_duplicate"])
    if reject:
        filters = tuple(replace(f, reject=reject, thresholds={}) if f.name == "near_duplicate" else f for f in filters)
    own = Candidates(lang, [part for part, _ in parts], [path for _, path in parts], [], ranges_of(len(rows)))
    work = Workspace(folder / "work", threads=threads)
    try:
        paths = find_near_duplicates(own, [folder / "duplicates.parquet"], CORPORA, filters, work)
        work.wait(paths)
    finally:
        work.close()
    found = [row for path in paths for row in pq.read_table(path).to_pylist()]
    assert all(
        (corpora[r["line_number"] - 1], corpora[r["matched_line_number"] - 1]) == (r["corpus"], r["matched_corpus"])
        for r in found
    )
    assert len({row["line_number"] for row in found}) == len(found)
    return {r["line_number"]: (r["matched_line_number"], r["similarity"], r["reject_reason"]) for r in found}


def cut(pairs, measured, lang, folder):
    """Each part of some pairs, with the file of its `measured`; there are no texts but in its pairs."""
    folder.mkdir()
    parts = []
    lines = measured["line_number"].to_pylist()
    corpora = measured["corpus"].to_pylist()
    part_rows = builders.pipeline.parts.PART_ROWS
    places = {(corpus, (line - 1) // part_rows) for corpus, line in zip(corpora, lines, strict=True)}
    for corpus, number in sorted(places):
        own = [(c, (line - 1) // part_rows) == (corpus, number) for c, line in zip(corpora, lines, strict=True)]
        path = folder / f"{corpus}-{number}"
        pq.write_table(pairs.filter(pa.array(own)), path.with_suffix(".pairs"))
        pq.write_table(measured.filter(pa.array(own)), path.with_suffix(".measured"))
        parts.append((Part(corpus, lang, number, path.with_suffix(".pairs")), path.with_suffix(".measured")))
    return parts


def winners(found):
    """line -> the line that it is charged to."""
    return {line: winner for line, (winner, _, _) in found.items()}


def grams_of(row, lang):
    """The n-grams of both sides of a pair, each with its side; none if one is too short."""
    size = sizes(lang)
    en, xx = said(row[2]), said(row[3])
    if len(en) < size["min_length"] or len(xx) < size["foreign_min_length"]:
        return set()
    sides = (("en", en, size["english_n"]), ("xx", xx, size["foreign_n"]))
    return {(side, text[i : i + n]) for side, text, n in sides for i in range(len(text) - n + 1)}


def jaccard(first, second):
    return len(first & second) / len(first | second) if first and second else 0.0


def place(row, line):
    corpus, margin, _, _ = row
    return (-(float("-inf") if margin is None else margin), CORPORA.index(corpus), line)


def oracle(rows, lang):
    """By comparing all with all: line -> the lines of its better-placed near neighbours, best first."""
    grams = [grams_of(row, lang) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: place(rows[i], i + 1))
    near = {
        loser + 1: [better + 1 for better in order[:i] if jaccard(grams[better], grams[loser]) >= SIMILAR]
        for i, loser in enumerate(order)
    }
    return {line: better for line, better in near.items() if better}


def changed(text, word, rng):
    """The text with one word changed; in Chinese, which has no spaces, two characters."""
    if " " in text:
        words = text.split(" ")
        words[rng.randrange(len(words))] = word
        return " ".join(words)
    at = rng.randrange(len(text) - 2)
    return text[:at] + word + text[at + 2 :]


def swapped(text, rng):
    """The text with two neighbouring words, or Chinese characters, swapped."""
    space = " " if " " in text else ""
    words = text.split(" ") if space else list(text)
    at = rng.randrange(len(words) - 1)
    words[at], words[at + 1] = words[at + 1], words[at]
    return space.join(words)


def edited(en, xx, lang, rng):
    """A pair with up to two edits of both sides."""
    for _ in range(rng.randint(0, 2)):
        which = rng.randrange(8)
        match rng.choice(["change", "append", "swap"]):
            case "change":
                en, xx = changed(en, WORDS[which], rng), changed(xx, FOREIGN_WORDS[lang][which], rng)
            case "append":
                en, xx = f"{en} {LATER[which % 3]}", f"{xx} {FOREIGN_LATER[lang][which % 3]}"
            case "swap":
                en, xx = swapped(en, rng), swapped(xx, rng)
    return en, xx


def generated(lang, seed=7):
    """150 pairs of a language, edited from six: near to some of the others and less near to many."""
    rng = random.Random(f"{lang}-{seed}")
    texts = list(zip(ENGLISH, TEXTS[lang], strict=True))
    margins = [None, 1.05, 1.1, 1.15, 1.2, 1.25]
    return [(rng.choice(CORPORA), rng.choice(margins), *edited(*rng.choice(texts), lang, rng)) for _ in range(150)]


@pytest.mark.parametrize("lang", TEXTS)
def test_near_duplicates_equal_those_of_brute_force(tmp_path, lang):
    rows = generated(lang)
    grams = [grams_of(row, lang) for row in rows]
    near = oracle(rows, lang)
    assert 50 < len(near) < len(rows) - 20
    found = charged(rows, tmp_path, lang)
    assert found.keys() <= near.keys()
    assert len(found) >= 0.98 * len(near)
    assert sum(near[line][0] == winner for line, (winner, _, _) in found.items()) >= 0.98 * len(near)
    for line, (winner, similarity, _) in found.items():
        assert winner in near[line]
        assert similarity == pytest.approx(jaccard(grams[line - 1], grams[winner - 1]))


@pytest.mark.parametrize("lang", TEXTS)
def test_near_duplicates_do_not_depend_on_threads(tmp_path, lang):
    rows = generated(lang, seed=8)
    assert charged(rows, tmp_path, lang, threads=1) == charged(rows, tmp_path, lang, threads=2)


@pytest.mark.slow
def test_near_duplicates_do_not_depend_on_parts_and_ranges(tmp_path, monkeypatch):
    rows = generated("el", seed=9)
    whole = charged(rows, tmp_path)
    for part_rows, range_rows in ((150, 700), (40, 10_000), (7, 2_000)):
        monkeypatch.setattr(builders.pipeline.parts, "PART_ROWS", part_rows)
        monkeypatch.setattr(builders.pipeline.ranges, "RANGE_ROWS", range_rows)
        assert charged(rows, tmp_path) == whole


def test_near_duplicates_do_not_depend_on_the_order_of_lines(tmp_path):
    rows = [(corpus, 1 + i / 1000, en, xx) for i, (corpus, _, en, xx) in enumerate(generated("el"))]
    size = len(rows) + 1
    there, back = (winners(charged(r, tmp_path)) for r in (rows, rows[::-1]))
    assert there
    assert there == {size - line: size - winner for line, winner in back.items()}


EN, EL = ENGLISH[0], TEXTS["el"][0]
NEAR = (f"{EN} Again!", f"{EL} Πάλι!")


@pytest.mark.parametrize(
    ("first", "second", "loser"),
    [
        (("alpha", 1.1), ("alpha", 1.2), 1),
        (("zulu", None), ("alpha", 1.05), 1),
        (("alpha", 1.2), ("zulu", 1.2), 1),
        (("alpha", None), ("zulu", None), 1),
        (("zulu", 1.2), ("zulu", 1.2), 2),
    ],
)
def test_better_ranked_pair_is_kept(tmp_path, first, second, loser):
    found = charged([(*first, EN, EL), (*second, *NEAR)], tmp_path)
    assert winners(found) == {loser: 3 - loser}


def test_match_is_the_best_ranked_near_duplicate(tmp_path):
    rows = [("zulu", 1.1, f"{EN} So!", f"{EL} Ναι!"), ("zulu", 1.2, *NEAR), ("zulu", 1.3, EN, EL)]
    assert winners(charged(rows, tmp_path)) == {1: 3, 2: 3}


def test_match_may_be_rejected_itself(tmp_path):
    chain = [(EN, EL)]
    for later, foreign in zip(LATER[:2], FOREIGN_LATER["el"][:2], strict=True):
        chain.append((f"{chain[-1][0]} {later[:18]}", f"{chain[-1][1]} {foreign[:14]}"))
    rows = [("zulu", 1.3 - i / 10, *pair) for i, pair in enumerate(chain)]
    grams = [grams_of(row, "el") for row in rows]
    assert all(jaccard(*both) >= SIMILAR for both in pairwise(grams))
    assert jaccard(grams[0], grams[2]) < SIMILAR
    assert winners(charged(rows, tmp_path)) == {2: 1, 3: 2}


@pytest.mark.slow
def test_many_pairs_of_one_pattern_match_the_best_ranked(tmp_path):
    rows = [("zulu", 1.2, f"{EN} {i}", f"{EL} {i}") for i in range(100, 350)]
    assert winners(charged(rows, tmp_path)) == dict.fromkeys(range(2, 251), 1)


def test_short_pairs_are_never_near_duplicates(tmp_path):
    en, el = "The harbour was closed all winter long", "Το λιμάνι ήταν κλειστό όλο τον χειμώνα"
    assert len(said(en)) < MIN_LENGTH
    rows = [("zulu", 1.2, en, el), ("zulu", 1.1, en, el), ("zulu", 1.2, EN, el), ("zulu", 1.1, EN, el)]
    assert charged([*rows, ("zulu", 1.2, en, EL), ("zulu", 1.1, en, EL)], tmp_path) == {}


@pytest.mark.parametrize("lang", TEXTS)
def test_short_edited_pairs_are_never_near_duplicates(tmp_path, lang):
    rows = [(corpus, margin, en[:30], xx[:9]) for corpus, margin, en, xx in generated(lang)]
    assert charged(rows, tmp_path, lang) == {}


def test_sentences_of_one_pattern_with_other_facts_are_kept(tmp_path):
    facts = [
        ("Dimitra", "Arcadia", "1834", "Δήμητρα", "Αρκαδία"),
        ("Kalamos", "Boeotia", "1912", "Κάλαμος", "Βοιωτία"),
        ("Petrino", "Thessaly", "1845", "Πέτρινο", "Θεσσαλία"),
        ("Skoutari", "Laconia", "1971", "Σκουτάρι", "Λακωνία"),
    ]
    rows = [
        (
            "zulu",
            1.2,
            f"{name} is a village and a former municipality in {region}, founded in {year}.",
            f"Η κοινότητα {xx_name} είναι χωριό και πρώην δήμος στην περιφέρεια {xx_region} από το {year}.",
        )
        for name, region, year, xx_name, xx_region in facts
    ]
    assert all(grams_of(row, "el") for row in rows)
    assert oracle(rows, "el") == {}
    assert charged(rows, tmp_path) == {}


def test_equal_sides_alone_are_no_duplicates(tmp_path):
    rows = [("zulu", 1.2, EN, EL), ("zulu", 1.1, EN, TEXTS["el"][1]), ("zulu", 1.1, ENGLISH[1], EL)]
    assert charged(rows, tmp_path) == {}


def test_rejected_pairs_have_no_near_duplicates(tmp_path):
    rows = [("zulu", 1.3, EN, EL), ("zulu", 1.2, EN, EL), ("zulu", 1.1, *NEAR)]
    assert charged(rows, tmp_path, rejected=[1], duplicates=[(2, "duplicate_exact")]) == {}
    assert winners(charged(rows, tmp_path, rejected=[1], duplicates=[(2, None)])) == {3: 2}
    assert charged(rows, tmp_path, rejected=[1, 3]) == {}


def test_condition_reads_the_similarity(tmp_path):
    rows = [("zulu", 1.2, EN, EL), ("zulu", 1.1, *NEAR)]
    for least, reason in ((0.85, "near_duplicate"), (1.0, None)):
        [(_, similarity, found)] = charged(rows, tmp_path, reject=f"similarity >= {least}").values()
        assert found == reason
        assert 0.85 < similarity < 1


def test_no_pairs_have_no_near_duplicates(tmp_path):
    assert charged([], tmp_path) == {}


@pytest.mark.slow
def test_build_rejects_near_duplicates_if_the_filter_is_enabled(judge):
    lines = [(1.3, EN, EL), (1.2, *NEAR)]
    assert [row["reject_reason"] for row in judge(lines)] == [None, None]
    [first, second] = judge(lines, more='enable_filters = ["near_duplicate"]\n')
    assert first["reject_reason"] is None
    assert (second["reject_reason"], second["matched_corpus"], second["matched_line_number"]) == (
        "near_duplicate",
        "small",
        1,
    )
    assert 0.8 <= second["matched_similarity"] < 1


def test_threshold_of_a_filter_that_is_off_is_refused(judge):
    with pytest.raises(InputError, match="--enable-filters near_duplicate"):
        judge([(1.3, EN, EL)], more="[filters]\nnear_duplicate = { min = 0.9 }\n")


def test_low_similarity_threshold_is_refused(judge):
    more = 'enable_filters = ["near_duplicate"]\n[filters]\nnear_duplicate = { min = 0.5 }\n'
    with pytest.raises(InputError, match=r"0\.7 to 1, not 0\.5"):
        judge([(1.3, EN, EL)], more=more)
