"""Writes the bundled sample: a small mirror of the corpora in their upstream formats, with every kind of noise planted.

`python tests/sample/make.py [FOLDER]` turns the sentences and records in `tests/sample/text` into `corpora/sample`.
Every choice is a function of (language, row, kind), so the same text gives the same sample.
"""

import csv
import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from builders.translation import digest
from corpora.catalog import languages
from tests.sample.memory import align, human_row, write_memory

ROOT = Path(__file__).parents[2]
TEXT = Path(__file__).parent / "text"
LANGS = ("ar", "el", "hi", "tr", "vi", "zh")
NEWS_LANGS = ("ar", "hi", "zh")
MLQA_LANGS = ("en", "ar", "hi", "vi", "zh")
FIELDS = ("instruction", "input", "output")
DOLLY = "datasets/databricks/databricks-dolly-15k/resolve/main/databricks-dolly-15k.jsonl"

# ---- The text, written by hand: sentences by language and id. w: encyclopedia, n: news, e and p, q, a: benchmarks.


def read_sentences(lang: str) -> dict[str, str]:
    """The sentences of a language by id."""
    lines = (TEXT / f"{lang}.sentences.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def read_records(lang: str, kind: str = "records") -> dict[str, dict[str, str]]:
    """The instruction records of a language by id; those of the kind `open` are in Dolly's form."""
    lines = (TEXT / f"{lang}.{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    return {record.pop("id"): record for record in map(json.loads, lines)}


def ids_of(letter: str) -> list[str]:
    """The ids that begin with a letter, in file order."""
    return [name for name in SENTENCES["en"] if name.startswith(letter)]


SENTENCES = {lang: read_sentences(lang) for lang in ("en", *LANGS)}
EN = SENTENCES["en"]
WIKI, NEWS, BENCHMARK, PARAGRAPHS = ids_of("w"), ids_of("n")[:30], ids_of("e"), ids_of("p")
SPARE = [name for name in ids_of("n")[30:] if name != "n038"]  # for noise only; n038 has a number in it
LONG = [name for name in WIKI if len(SENTENCES["zh"][name]) >= 26]  # long enough to be identified in any language
WITH_DIGITS = [name for name in WIKI if all(re.search("[0-9]", s[name]) for s in SENTENCES.values())]

# ---- Noise that cannot be derived from the text.

MARKUP = (
    "{{cite book|title=TEXT|year=1987}}",
    '| align="right" || 1,204 || TEXT || 17.3',
    '<ref name="a1">TEXT</ref><br />',
    "[[File:Example.jpg|thumb|TEXT]]",
    "https://LANG.example.org/wiki/ID",
)
ENTITIES = {
    "en": (
        "Rock &amp; roll became popular in the 1950s.",
        "The word &quot;robot&quot; comes from a Czech play.",
        "Research &amp; development needs patience and money.",
    ),
    "ar": (
        "أصبحت موسيقى الروك أند رول شائعة في خمسينيات القرن العشرين.",
        "كلمة «روبوت» مأخوذة من مسرحية تشيكية.",
        "يحتاج البحث والتطوير إلى الصبر والمال.",
    ),
    "el": (
        "Το ροκ εντ ρολ έγινε δημοφιλές τη δεκαετία του 1950.",
        "Η λέξη «ρομπότ» προέρχεται από ένα τσεχικό θεατρικό έργο.",
        "Η έρευνα και η ανάπτυξη χρειάζονται υπομονή και χρήματα.",
    ),
    "hi": (
        "रॉक एंड रोल 1950 के दशक में लोकप्रिय हुआ।",
        '"रोबोट" शब्द एक चेक नाटक से आया है।',
        "अनुसंधान और विकास के लिए धैर्य और पैसा चाहिए।",
    ),
    "tr": (
        "Rock and roll 1950'lerde popüler oldu.",
        '"Robot" sözcüğü bir Çek oyunundan gelir.',
        "Araştırma ve geliştirme sabır ve para ister.",
    ),
    "vi": (
        "Nhạc rock and roll trở nên phổ biến vào thập niên 1950.",
        'Từ "robot" bắt nguồn từ một vở kịch của Séc.',
        "Nghiên cứu và phát triển cần sự kiên nhẫn và tiền bạc.",
    ),
    "zh": (
        "摇滚乐在20世纪50年代流行起来。",
        "“机器人”一词出自一部捷克戏剧。",
        "研究与开发需要耐心和资金。",
    ),
}
HUB = {
    "ar": "وهي من أشهرها في البلاد كلها.",
    "el": "Είναι ένα από τα πιο γνωστά σε ολόκληρη τη χώρα.",
    "hi": "यह पूरे देश में सबसे प्रसिद्ध में से एक है।",
    "tr": "Bütün ülkede en çok bilinenlerden biridir.",
    "vi": "Đây là một trong những nơi nổi tiếng nhất cả nước.",
    "zh": "它是全国最著名的之一。",
}
AROUND_THE_HUB = (
    "He returned to his home town in the autumn.",
    "The station was opened a few years later.",
    "It was the second album of the band.",
    "She was the youngest of three sisters.",
    "The species lives mainly in dry grassland.",
)
NEARLY_EQUAL = (
    ("1998 – 2004", "1998–2004"),
    ("Wolfgang Amadeus Mozart", "Wolfgang Amadé Mozart"),
    ("Apollo 11, 12, 14, 15", "Apollo 11, 12, 14 – 16"),
    ("(2003) 117, 118, 121.", "(2003), 117, 118, 121"),
)
NO_LETTERS = ("1914 – 1918", "3 : 2 (1 : 1)", "12.5 % (2007)", "1 234 567")
NO_NUMBERS = ("n/a", "high", "1,073125", "nan")
WRONG_SCRIPT = {  # w001 and w004
    "ar": (
        "Yamurr nahr ad-danub bi-'ashr duwal qabla an yasubb fi al-bahr al-aswad.",
        "Yusna' az-zujaj bi-sahr ar-raml ma'a ramad as-suda wal-hajar al-jiri.",
    ),
    "el": (
        "O Dounavis diaschizei deka chores protou ekvalei sti Mavri Thalassa.",
        "To gyali paraskevazetai lionontas ammo mazi me soda kai asvestolitho.",
    ),
    "hi": (
        "Kala sagar mein milne se pahle Danube nadi das deshon se hokar guzarti hai.",
        "Kanch banane ke lie ret ko soda aish aur chuna patthar ke saath pighlaya jata hai.",
    ),
    "tr": (
        "Туна Нехри, Карадениз'е дөкүлмеден өндже он үлкеден гечер.",
        "Джам, кумун сода күлү ве киреч ташыйла бирликте эритилмесийле япылыр.",
    ),
    "vi": (
        "Шонг Дануб тяй куа мыой куок зя чыок кхи до за Бьен Ден.",
        "Тхюи тинь дыок лам банг кать нунг тяй кат кунг вой шо-да ва да вой.",
    ),
    "zh": (
        "Duonao He liujing shi ge guojia, zuihou zhuru Heihai.",
        "Boli shi ba shazi tong chunjian he shihuishi yiqi ronghua zhicheng de.",
    ),
}
LAST_DIGIT = re.compile("[1-9](?=0*(?:[^0-9]|$))")  # of a number, but for noughts: another year stays a year
OTHER_DIGITS = str.maketrans("123456789", "738195426")
FAULTY_RECORDS = (
    {"instruction": "Describe the smell of rain in one sentence.", "input": "", "output": ""},
    {"instruction": "Name three large rivers in Africa.", "input": ""},
)

# ---- Choices and margins.


class Line(NamedTuple):
    """A line of a bitext: what it is, its margin as text, its sides; None is a column that is missing."""

    label: str
    margin: str
    en: str
    xx: str | None


Noise = Iterator[tuple[str, str, str | None]]  # margin, en, xx


def share(*key: str) -> float:
    """A number in 0..1 that depends on nothing but the key."""
    return int(hashlib.sha256("\t".join(key).encode()).hexdigest()[:12], 16) / 16**12


def pick(count: int, lang: str, kind: str, ids: Iterable[str]) -> list[str]:
    """`count` of the ids, the same ones each time."""
    return sorted(ids, key=lambda name: share(lang, name, kind))[:count]


def spare(lang: str) -> list[str]:
    """The sentences kept for noise, in the language's own order: each has one use in a language."""
    return pick(len(SPARE), lang, "spare", SPARE)


def margin(lang: str, name: str, kind: str, least: float = 1.045, most: float = 1.25) -> str:
    """A margin between the bounds, as WikiMatrix writes it."""
    return f"{least + share(lang, name, kind, 'margin') * (most - least):.6f}"


def smaller_margin(lang: str, name: str, kind: str) -> str:
    """A margin below that of the clean pair, though not low."""
    return margin(lang, name, kind, 1.0405, float(margin(lang, name, "clean")) - 0.001)


def chosen(count: int, lang: str, kind: str, ids: Iterable[str] = WIKI) -> Iterator[tuple[str, str, str]]:
    """A margin and the two sides of `count` clean pairs, as material for noise."""
    for name in pick(count, lang, kind, ids):
        yield margin(lang, name, kind), EN[name], SENTENCES[lang][name]


# ---- Kinds of noise in WikiMatrix: a function a kind, named after it.


def low_margin(lang: str) -> Noise:
    first, second, *wrong = names = spare(lang)[:4]
    for name, other in zip(names, (first, second, *reversed(wrong)), strict=True):
        yield margin(lang, name, "low_margin", 1.02, 1.0395), EN[name], SENTENCES[lang][other]


def duplicate_exact(lang: str) -> Noise:
    for name in pick(4, lang, "duplicate_exact", WIKI):
        yield smaller_margin(lang, name, "duplicate_exact"), EN[name], SENTENCES[lang][name]


def duplicate_normalised(lang: str) -> Noise:
    changes: tuple[Callable[[str], str], ...] = (
        lambda text: text.lower(),
        lambda text: text.replace(" ", "  "),
        lambda text: f"“{text}”",
        lambda text: text.removesuffix("."),
    )
    for change, name in zip(changes, pick(4, lang, "duplicate_normalised", WIKI), strict=True):
        yield smaller_margin(lang, name, "duplicate_normalised"), change(EN[name]), SENTENCES[lang][name]


def wrong_language_xx(lang: str) -> Noise:
    others = [other for other in LANGS if other != lang]
    for other, name in zip(others, pick(5, lang, "wrong_language_xx", LONG), strict=True):
        yield margin(lang, name, "wrong_language_xx"), EN[name], SENTENCES[other][name]


def wrong_language_en(lang: str) -> Noise:
    others = [other for other in LANGS if other != lang]
    for other, name in zip(others, pick(5, lang, "wrong_language_en", LONG), strict=True):
        yield margin(lang, name, "wrong_language_en"), SENTENCES[other][name], SENTENCES[lang][name]


def copy(lang: str) -> Noise:
    for value, en, _ in chosen(3, lang, "copy"):
        yield value, en, en


def length_ratio(lang: str) -> Noise:
    for value, en, xx in chosen(3, lang, "length_ratio"):
        more = " ".join(EN[name] for name in pick(2, lang, en, (name for name in LONG if EN[name] != en)))
        yield value, f"{en} {more}", xx[: 4 if lang == "zh" else 10].strip()


def markup(lang: str) -> Noise:
    for template, name in zip(MARKUP, pick(5, lang, "markup", WIKI), strict=True):
        sides = [
            template.replace("TEXT", SENTENCES[side][name]).replace("LANG", side).replace("ID", name)
            for side in ("en", lang)
        ]
        yield margin(lang, name, "markup"), sides[0], sides[1]


def bad_encoding(lang: str) -> Noise:
    lost, control, *twice = chosen(4, lang, "bad_encoding")
    yield lost[0], lost[1], put_inside("\ufffd", lost[2])
    yield control[0], put_inside("\x07", control[1]), control[2]
    for value, en, xx in twice:
        yield value, en, xx.encode().decode("latin-1")


def put_inside(character: str, text: str) -> str:
    """The text with a character in the place of the one in its middle."""
    middle = len(text) // 2
    return text[:middle] + character + text[middle + 1 :]


def empty(lang: str) -> Noise:
    for number, (value, en, xx) in enumerate(chosen(4, lang, "empty")):
        yield (value, en, "" if number else " ") if number % 2 == 0 else (value, "", xx)


def no_letters(lang: str) -> Noise:
    for number, (value, en, xx) in enumerate(chosen(4, lang, "no_letters")):
        yield (value, en, NO_LETTERS[number]) if number % 2 else (value, NO_LETTERS[number], xx)


def too_long(lang: str) -> Noise:
    names = pick(5, lang, "too_long", WIKI)
    en, xx = (" ".join(SENTENCES[side][name] for name in names) for side in ("en", lang))
    times = 5000 // len(en) + 1
    yield margin(lang, names[0], "too_long"), " ".join([en] * times), " ".join([xx] * times)


def contaminated(lang: str) -> Noise:
    yield from chosen(3, lang, "contaminated", BENCHMARK)
    (name,) = pick(1, lang, "contaminated", PARAGRAPHS)
    pairs = list(zip(sentences_of(EN[name]), sentences_of(SENTENCES[lang][name]), strict=True))
    en, xx = pairs[int(share(lang, name, "sentence") * len(pairs))]
    yield margin(lang, name, "contaminated"), en, xx


def sentences_of(paragraph: str) -> list[str]:
    """The sentences of a paragraph."""
    return re.split(r"(?<=[.।])\s+|(?<=。)(?!$)", paragraph)


def misaligned(lang: str) -> Noise:
    one, two, three, four = spare(lang)[4:8]
    for name, other in ((one, two), (two, one), (three, four), (four, three)):
        yield margin(lang, name, "misaligned"), EN[name], SENTENCES[lang][other]


def half_english(lang: str) -> Noise:
    for name in (spare(lang)[8], *pick(3, lang, "half_english", LONG)):
        words, xx = EN[name].split(), SENTENCES[lang][name]
        first = xx[: len(xx) // 2] if lang == "zh" else " ".join(xx.split()[: len(xx.split()) // 2])
        yield margin(lang, name, "half_english"), EN[name], f"{first} {' '.join(words[len(words) // 2 :])}"


def numbers(lang: str) -> Noise:
    for value, en, xx in (*chosen(1, lang, "numbers", ["n038"]), *chosen(3, lang, "numbers", WITH_DIGITS)):
        yield value, en, re.sub(LAST_DIGIT, lambda found: found[0].translate(OTHER_DIGITS), xx, count=1)


def entities(lang: str) -> Noise:
    for en, xx in zip(ENTITIES["en"], ENTITIES[lang], strict=True):
        yield margin(lang, en, "entities"), en, xx


def hub(lang: str) -> Noise:
    for en in AROUND_THE_HUB:
        yield margin(lang, en, "hub"), en, HUB[lang]


def high_margin(lang: str) -> Noise:
    for en, xx in NEARLY_EQUAL:
        yield margin(lang, en, "high_margin", 1.6, 1.9), en, xx


def wrong_script(lang: str) -> Noise:
    for name, xx in zip(("w001", "w004"), WRONG_SCRIPT[lang], strict=True):
        yield margin(lang, name, "wrong_script"), EN[name], xx


def invalid_utf8(lang: str) -> Noise:
    """Bytes that are no UTF-8 stand as Python's surrogate escapes until they are written."""
    one, two, three = chosen(3, lang, "invalid_utf8")
    yield one[0], put_inside("\udcff", one[1]), one[2]
    yield two[0], two[1], put_inside("\udcff", two[2])
    yield three[0], three[1], re.sub("[^\x00-\x7f]", cut_short, three[2], count=1)


def cut_short(found: re.Match[str]) -> str:
    """A character without its last byte."""
    return found[0].encode()[:-1].decode("utf-8", "surrogateescape")


def nul_byte(lang: str) -> Noise:
    one, two, three = chosen(3, lang, "nul_byte")
    yield one[0], put_inside("\0", one[1]), one[2]
    yield two[0], two[1], put_inside("\0", two[2])
    yield three[0], three[1], three[2] + "\0"


def missing_column(lang: str) -> Noise:
    for value, en, _ in chosen(3, lang, "missing_column"):
        yield value, en, None


def invalid_margin(lang: str) -> Noise:
    for text, (_, en, xx) in zip(NO_NUMBERS, chosen(4, lang, "invalid_margin"), strict=True):
        yield text, en, xx


WIKIMATRIX_NOISE = (
    *(invalid_utf8, nul_byte, missing_column, invalid_margin),
    *(empty, low_margin, no_letters, too_long, bad_encoding, markup, entities, copy, length_ratio),
    *(duplicate_exact, duplicate_normalised, contaminated, wrong_language_xx, wrong_language_en, wrong_script),
    *(misaligned, half_english, numbers, hub, high_margin),
)

# ---- Bitext.


def wikimatrix(lang: str) -> list[Line]:
    """The lines of WikiMatrix in a language, clean and not, in an order that says nothing about them."""
    lines = [Line("clean", margin(lang, name, "clean"), EN[name], SENTENCES[lang][name]) for name in WIKI]
    lines += [Line(kind.__name__, *line) for kind in WIKIMATRIX_NOISE for line in kind(lang)]
    return scattered(lang, lines)


def news_commentary(lang: str) -> list[Line]:
    """The lines of News-Commentary in a language, which have no margins."""
    twice, (gone, alone), (strange,) = (
        pick(count, lang, kind, NEWS)
        for count, kind in ((2, "news_duplicate"), (2, "news_empty"), (1, "news_wrong_language"))
    )
    known, leaked = pick(4, lang, "duplicate_wikimatrix", WIKI), pick(4, lang, "contaminated", BENCHMARK)[3:]
    other = pick(1, lang, "news_wrong_language", (other for other in LANGS if other != lang))[0]
    labels = {"clean": NEWS, "duplicate_wikimatrix": known, "duplicate_exact": twice, "contaminated": leaked}
    lines = [Line(label, "", EN[name], SENTENCES[lang][name]) for label, names in labels.items() for name in names]
    lines += [Line("empty", "", EN[gone], ""), Line("empty", "", "", SENTENCES[lang][alone])]
    lines += [Line("wrong_language_xx", "", EN[strange], SENTENCES[other][strange])]
    return with_the_first_clean(scattered(lang, lines))


def with_the_first_clean(lines: Sequence[Line]) -> list[Line]:
    """The lines with the first of each repeated pair labelled clean: without margins, the earlier line is kept."""
    repeated = {line[1:] for line in lines if line.label == "duplicate_exact"}
    labelled: list[Line] = []
    for line in lines:
        label = line.label
        if line[1:] in repeated:
            label = "duplicate_exact" if line[1:] in {earlier[1:] for earlier in labelled} else "clean"
        labelled.append(line._replace(label=label))
    return labelled


def scattered(lang: str, lines: Sequence[Line]) -> list[Line]:
    """The lines in an order that depends on what they are, and looks like none."""
    return sorted(lines, key=lambda line: share(lang, line.label, line.margin, repr(line.en), repr(line.xx)))


def write_wikimatrix(folder: Path, lang: str, lines: Sequence[Line]) -> None:
    """Write lines as LASER does; Turkish with CRLF and Greek with a byte order mark, as some mirrors have them."""
    rows = [(line.margin, *(in_order(lang, line.en, line.xx))) for line in lines]
    texts = ["\t".join(column for column in row if column is not None) for row in rows]
    end = "\r\n" if lang == "tr" else "\n"
    text = ("\ufeff" if lang == "el" else "") + "".join(text + end for text in texts)
    path = folder / f"laser/WikiMatrix/v1/WikiMatrix.{pair_of(lang)}.tsv.gz"
    write(path, gzip.compress(text.encode("utf-8", "surrogateescape"), mtime=0))


def in_order(lang: str, en: str, xx: str | None) -> tuple[str | None, str | None]:
    """The two sides in alphabetical order of their codes."""
    return (en, xx) if lang > "en" else (xx, en)


def pair_of(lang: str) -> str:
    """The name of the pair of English and a language, as upstream spells it."""
    return "-".join(sorted(("en", lang)))


def write_news_commentary(folder: Path, lang: str, lines: Sequence[Line]) -> None:
    """Write lines as OPUS packs them: a file a side, in a zip."""
    name = f"News-Commentary.{pair_of(lang)}"
    sides = {"en": [line.en for line in lines], lang: [line.xx or "" for line in lines]}
    members = {
        "README": "A sample in the form of OPUS News-Commentary v16, written by hand for this project.\n",
        "LICENSE": "CC0 1.0: https://creativecommons.org/publicdomain/zero/1.0/\n",
    } | {f"{name}.{side}": "".join(text + "\n" for text in texts) for side, texts in sides.items()}
    write_zip(folder / f"OPUS-News-Commentary/v16/moses/{pair_of(lang)}.txt.zip", members)


def write_labels(folder: Path, bitexts: Mapping[tuple[str, str], Sequence[Line]]) -> None:
    """Write what every line of every bitext is."""
    text = io.StringIO()
    rows = csv.writer(text, delimiter="\t", lineterminator="\n")
    rows.writerow(("corpus", "lang", "line_number", "label"))
    for (corpus, lang), lines in bitexts.items():
        rows.writerows((corpus, lang, number, line.label) for number, line in enumerate(lines, 1))
    write(folder / "labels.tsv", text.getvalue().encode())


# ---- Instructions and their translations.


def write_alpaca(folder: Path) -> None:
    """Write the English records as Alpaca does, with a duplicate and two records without an output at the end."""
    records = read_records("en")
    rows = [*records.values(), records["r05"], *FAULTY_RECORDS]
    write_json(folder / "tatsu-lab/stanford_alpaca/main/alpaca_data.json", rows, indent=4)


def write_dolly(folder: Path) -> None:
    """Write the open records as Databricks Dolly has them: a JSON object in each line."""
    rows = [
        {"instruction": r["instruction"], "context": r["input"], "response": r["output"], "category": r["category"]}
        for r in read_records("en", "open").values()
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write(folder / DOLLY, text.encode())


def write_translations(folder: Path) -> None:
    """Write the human translation of every segment of every record as a translation memory."""
    texts: dict[tuple[str, str], str] = {}  # of two translations of a segment ("Kind regards,"), the first
    for kind in ("records", "open"):
        english = read_records("en", kind)
        for lang in LANGS:
            for name, record in read_records(lang, kind).items():
                for field in FIELDS:
                    for segment, translation in align(english[name][field], record[field], lang):
                        texts.setdefault((digest(segment), lang), translation)
    write_memory((human_row(*key, text) for key, text in texts.items()), folder / "memory.parquet")


# ---- Benchmarks.


def write_flores(folder: Path) -> None:
    """Write the benchmark sentences as FLORES-101 does: a file a language, in a tar."""
    members = {"README": "A sample in the form of FLORES-101, written by hand for this project. CC0 1.0.\n"}
    for lang in ("en", *LANGS):
        lines = "".join(SENTENCES[lang][name] + "\n" for name in BENCHMARK)
        members[f"devtest/{languages()[lang].flores101}.devtest"] = lines
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in members.items():
            entry = tarfile.TarInfo(f"flores101_dataset/{name}")  # dated 1970, owned by nobody
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    write(folder / "flores101/dataset/flores101_dataset.tar.gz", gzip.compress(buffer.getvalue(), mtime=0))


def write_xquad(folder: Path) -> None:
    """Write the paragraphs and their questions as XQuAD does: a SQuAD file a language."""
    for lang in ("en", *LANGS):
        write_json(folder / f"google-deepmind/xquad/master/xquad.{lang}.json", squad(PARAGRAPHS, lang, lang, "1.1"))


def write_mlqa(folder: Path) -> None:
    """Write them as MLQA does: a SQuAD file for each part, language of the context and language of the question."""
    members = {
        f"MLQA_V1/{part}/{part}-context-{context}-question-{question}.json": as_json(
            squad(names, context, question, "1.0")
        )
        for part, names in (("dev", PARAGRAPHS[:1]), ("test", PARAGRAPHS[1:]))
        for context in MLQA_LANGS
        for question in MLQA_LANGS
    }
    write_zip(folder / "MLQA/MLQA_V1.zip", members)


def squad(names: Iterable[str], context: str, question: str, version: str) -> dict[str, object]:
    """Paragraphs and their questions in the form of SQuAD 1.1, an article a paragraph."""
    return {"version": version, "data": [article(name, context, question) for name in names]}


def article(name: str, context: str, question: str) -> dict[str, object]:
    """A paragraph in one language with its two questions in another."""
    text, number = SENTENCES[context][name], int(name[1:])
    numbers = (f"{2 * number - 1:03}", f"{2 * number:03}")
    questions = [
        {
            "id": f"q{n}",
            "question": SENTENCES[question][f"q{n}"],
            "answers": [answer(text, SENTENCES[context][f"a{n}"])],
        }
        for n in numbers
    ]
    return {"title": name, "paragraphs": [{"context": text, "qas": questions}]}


def answer(context: str, text: str) -> dict[str, object]:
    """An answer and where it stands."""
    return {"text": text, "answer_start": context.index(text)}


# ---- Files.


def write(path: Path, content: bytes) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def as_json(value: object, indent: int | None = None) -> str:
    """The value as JSON that people can read."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def write_json(path: Path, value: object, indent: int | None = None) -> None:
    """Write a value as JSON."""
    write(path, as_json(value, indent).encode())


def write_zip(path: Path, members: Mapping[str, str]) -> None:
    """Write texts as the members of a zip, all dated 1980."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text.encode(), zipfile.ZIP_DEFLATED)
    write(path, buffer.getvalue())


def make(folder: Path) -> None:
    """Write the whole sample, but for its catalogue and its README, which are written by hand."""
    bitexts = {("wikimatrix", lang): wikimatrix(lang) for lang in LANGS}
    bitexts |= {("news-commentary", lang): news_commentary(lang) for lang in NEWS_LANGS}
    writers = {"wikimatrix": write_wikimatrix, "news-commentary": write_news_commentary}
    for (corpus, lang), lines in bitexts.items():
        writers[corpus](folder, lang, lines)
    write_labels(folder, bitexts)
    for write_part in (write_alpaca, write_dolly, write_translations, write_flores, write_xquad, write_mlqa):
        write_part(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "corpora" / "sample")
