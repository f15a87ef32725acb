"""Fold characters that change how a text is written and not what it says; what is not safe stays, and filters count it.

Folded are invisible characters, line separators, presentation forms, ligatures, full-width and styled letters, tatweel,
look-alike letters within a word, entities of HTML, and quotation marks of plain type. Joiners stay where scripts need
them (Persian, Hindi), marks of direction where both directions meet, and wide punctuation in Chinese and Japanese.
"""

import re
import unicodedata
from functools import cache, lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from corpora.reading.entities import unescape
from corpora.reading.normalization import nfc

JOINING = "\u0600-\u08ff\u0900-\u0dff\u1800-\u18af\ufb50-\ufdff\ufe70-\ufefc"  # Arabic to Sinhala, Mongolian
SPACELESS = "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Tibetan, Myanmar, Khmer
RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
LTR = re.compile("[A-Za-z\u00c0-\u058f\u0900-\u1fff0-9\u3040-\ud7ff]")
DIRECTION = "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"
CJK = re.compile("[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7ff]")
# Arabic and Latin ligatures, vertical and small forms, half-width letters, digraphs, and letters of mathematics.
FORMS = (
    "\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06\ufb13-\ufb17\ufb20-\ufb29\ufb4f\ufb50-\ufbb1"
    "\ufbd3-\ufd3d\ufd50-\ufdc7\ufe10-\ufe19\ufe30-\ufe4f\ufe50-\ufe6b\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a"
    "\uff41-\uff5a\uff65-\uffdc\U0001d400-\U0001d7ff"
)
WIDE_PUNCTUATION = "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e"
ENCLOSED = "\u24b6-\u24e9\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189"
SMALL_CAPITALS = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"
CAPITALS = str.maketrans(SMALL_CAPITALS, "abcdefghijklmnoprstuvwyz")
# Letters that look the same: of Latin in the first line, of Cyrillic and of Greek below.
LATIN_CYRILLIC = ("aeopcyxijsABEKMHOPCTXIJSY", "аеорсухіјѕАВЕКМНОРСТХІЈЅУ")
LATIN_GREEK = ("ovABEZHIKMNOPTYX", "ονΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
LATIN, CYRILLIC, GREEK = "A-Za-z\u00c0-\u024f", "\u0400-\u052f", "\u0370-\u03ff\u1f00-\u1fff"
SIDES = (
    *((LATIN, LATIN_CYRILLIC[1]), (LATIN_CYRILLIC[0], CYRILLIC)),
    *((LATIN, LATIN_GREEK[1]), (LATIN_GREEK[0], GREEK), (GREEK, "µ")),
)
MEETING = "|".join(f"[{first}][{second}]|[{second}][{first}]" for first, second in SIDES)
# The same and more for Python, which is faster where a pattern begins with one class.
OTHERS = f"{GREEK}{CYRILLIC}µ"
NEIGHBOUR = f"[{LATIN}µ](?:(?=[{OTHERS}])|(?<=[{OTHERS}].))"
QUOTES = (
    (re.compile(r"``(?=\w)([^`]*?)''"), r"“\1”"),
    (re.compile(r"(?<![\w,]),,(?=\w)([^,„“”]*(?:,(?!,)[^,„“”]*)*?)(?:''|``|“|”)"), r"„\1“"),
    (re.compile(r"(?<![\w<])<<(?=[^\W\d_])([^<>]*?)(?<=[\w.!?…])>>(?!\w)"), r"«\1»"),
)
MIN_OWN = 3  # letters that a word has in its own script where others look alike


def clean_column(texts: pa.Array) -> pa.Array:
    """Return the same texts with their characters folded; nulls stay."""
    suspects = pc.fill_null(pc.match_substring_regex(texts, _suspect()), False)
    if not pc.any(suspects, min_count=0).as_py():
        return texts
    folded = [clean(text) for text in texts.filter(suspects).to_pylist()]
    return pc.replace_with_mask(texts, suspects, pa.array(folded, pa.string()))


def clean(text: str) -> str:
    """Return a text in NFC with its characters folded."""
    text = unescape(text)
    if text.isascii():
        return _quotes(text)
    if re.search(_suspect_characters(), text):
        text = _fold_characters(text)
    text = _fold_words(text)
    return nfc(_quotes(text))


def _fold_characters(text: str) -> str:
    text = re.sub("[\u2028\u2029]", " ", text)
    text = _without_invisible(text)
    text = re.sub(f"[{FORMS}]+", lambda run: unicodedata.normalize("NFKC", run[0]), text)
    text = re.sub(f"[{ENCLOSED}]{{2,}}", lambda run: _enclosed(run[0]), text)
    text = re.sub(f"(?<!\\w)[{SMALL_CAPITALS}xǫ]{{3,}}(?!\\w)", lambda run: run[0].translate(CAPITALS), text)
    if not CJK.search(text):
        text = re.sub(f"[{WIDE_PUNCTUATION}]+", lambda run: unicodedata.normalize("NFKC", run[0]), text)
    text = re.sub(f"(?<=[{JOINING}])ـ+(?=[{JOINING}])", "", text)
    return re.sub("i\u0307(?![\u0300-\u036f])", "i", text)  # what İ becomes in lower case outside Turkish


def _without_invisible(text: str) -> str:
    """Return a text without invisible characters that do nothing where they are."""
    text = _idle().sub("", text)
    if not (RTL.search(text) and LTR.search(text)):
        text = re.sub(f"[{DIRECTION}]", "", text)
    return re.sub("^[\ue000-\uf8ff]+\\s+", "", text)  # a bullet of a symbol font


@cache
def _idle() -> re.Pattern[str]:
    """Return a pattern of invisible characters, without those that a script needs."""
    emoji = "[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]"
    return re.compile(
        "(?<![ÂÃÄÅÎÏÐÑØÙРСΞΟطظ\u00a0-\u00bf])\u00ad"  # not a byte of UTF-8 that was decoded wrongly
        "|[\ufeff\u2060-\u2064\u206a-\u206f\ufff9-\ufffb]"
        f"|(?<![{SPACELESS}])\u200b|\u200b(?![{SPACELESS}])"
        f"|(?<![{JOINING}])\u200c|\u200c(?![{JOINING}])"
        f"|(?<![{JOINING}])(?<!{emoji})\u200d"
        "|(?<![\u1800-\u18af])\u180e"
        "|(?<=[A-Za-z\u00c0-\u052f])[\ufe00-\ufe0f]|(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0001-\U000e007f]"
    )


def _enclosed(run: str) -> str:
    """Return letters in circles and squares as letters."""
    names = (unicodedata.name(char).split() for char in run)
    letters = [name[-1].lower() if "SMALL" in name else name[-1] for name in names]
    return "".join(letters) if all(len(letter) == 1 for letter in letters) else run


def _fold_words(text: str) -> str:
    """Return a text whose words with letters of two scripts are in one script, where that is only a look-alike."""
    parts, end = [], 0
    for match in re.finditer(NEIGHBOUR, text):
        begin, stop = match.span()
        if begin < end:
            continue
        while begin > end and text[begin - 1].isalpha():
            begin -= 1
        while stop < len(text) and text[stop].isalpha():
            stop += 1
        parts += [text[end:begin], _one_script(text[begin:stop])]
        end = stop
    return "".join([*parts, text[end:]])


@lru_cache(10_000)
def _one_script(word: str) -> str:
    """Return a word with look-alikes of other scripts in its own, if it has one and no other letters of another."""
    counts = [(len(re.findall(f"[{script}]", word)), script) for script in (LATIN, CYRILLIC, GREEK)]
    for count, own in sorted(counts, reverse=True):
        folded = word.translate(_look_alikes()[own])
        if count >= MIN_OWN and re.fullmatch(f"[{own}\u0300-\u036f]+", folded):
            return folded
    return word


@cache
def _look_alikes() -> dict[str, dict[int, int]]:
    return {
        LATIN: str.maketrans(LATIN_CYRILLIC[1] + LATIN_GREEK[1], LATIN_CYRILLIC[0] + LATIN_GREEK[0]),
        CYRILLIC: str.maketrans(*LATIN_CYRILLIC),
        GREEK: str.maketrans(LATIN_GREEK[0] + "µ", LATIN_GREEK[1] + "μ"),
    }


def _quotes(text: str) -> str:
    """Return a text whose quotation marks of plain type are those that they stand for."""
    for pattern, quoted in QUOTES:
        text = pattern.sub(quoted, text)
    return text


@cache
def _suspect() -> str:
    """Return a pattern for RE2 that matches every text that `clean` changes."""
    return rf"{_suspect_characters()}|{MEETING}|``\w|,,\w|<<|&"


@cache
def _suspect_characters() -> str:
    """Return a pattern, for RE2 and Python, that matches every text that `_fold_characters` changes."""
    joiners = f"[^{JOINING}]\u200c|^\u200c|\u200c[^{JOINING}]|\u200c$|[^{JOINING}\u2600-\u27bf\ufe0f]\u200d|^\u200d"
    single = (
        f"[\u00ad\ufeff\u2028\u2029\u2060-\u2064\u206a-\u206f\ufff9-\ufffb\u200b\u180e{DIRECTION}{FORMS}"
        f"{WIDE_PUNCTUATION}\U000e0001-\U000e007f]"
    )
    others = f"[{ENCLOSED}]{{2}}|[{SMALL_CAPITALS}xǫ]{{3}}|^[\ue000-\uf8ff]|ـ[{JOINING}]|i\u0307"
    selectors = "[A-Za-z\u00c0-\u052f][\ufe00-\ufe0f]"
    return f"{single}|{joiners}|{others}|{selectors}"
