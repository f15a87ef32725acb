"""How many translations that are broken on purpose the quality checks stop, and how many of human translators.

    python tests/benchmarks/broken_translations.py FLORES [--langs ar,el,hi,tr,vi,zh,de,es,fr,it] [--sentences 500]
        [--bitext SENTENCES]

FLORES is a folder with a file of human translations for each language. Each sentence is broken in eleven ways.
`--bitext` adds the checks by the words of the bitext that `misaligned.py` reads: what is usual is learned from the
other human translations, so that no sentence is judged by what was learned from itself. Prints the share of each kind
that is stopped, by language.
"""

import argparse
import random
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
from tabulate import tabulate

from builders.alignment import TaughtWords, learn_links, link_table, make_translation_judge, side_of, tokenize
from builders.translation import check_translations, quality_check_rows
from builders.translation.name_swaps import make_name_judge
from builders.translation.quality_checks import BITEXT_CHECKS
from corpora.catalog import language

CODES = {"en": "eng", "ar": "ara", "el": "ell", "hi": "hin", "tr": "tur", "vi": "vie", "zh": "cmn_Hans"}
CODES |= {"de": "deu", "es": "spa", "fr": "fra", "it": "ita"}
HUMAN = "human"
FOLDS = 4  # each is judged by what the others teach
WAYS = ("by misaligned", "by incomplete", "by other_name", "by all checks")
NEGATIONS = {"el": r"\b(δεν|μην|δε) ", "ar": r"\b(لا|لم|لن|ليس) ", "hi": r" (नहीं|ना) ", "zh": "(不|没有|没)"}
NEGATIONS |= {
    "vi": r" (không|chưa) ",
    "de": r" (nicht|kein|keine) ",
    "es": r" no ",
    "fr": r" (ne|n'|pas) ",
    "it": r" non ",
}

Pairs = list[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flores", type=Path)
    parser.add_argument("--langs", default=",".join(code for code in CODES if code != "en"))
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--bitext", type=Path)
    asked = parser.parse_args()
    langs, rows = asked.langs.split(","), {}
    english = read(asked.flores, "en")
    others = {lang: read(asked.flores, lang) for lang in CODES if lang != "en"}
    for lang in langs:
        every = list(zip(english, others[lang], strict=True))
        pairs = every[: asked.sentences]
        kinds = {HUMAN: pairs} | broken(pairs, lang, others)
        for kind, own in kinds.items():
            failed = check_translations([en for en, _ in own], [xx for _, xx in own], [()] * len(own), lang)
            rows.setdefault(kind, []).append(f"{np.mean([name != '' for name in failed]):.1%}" if own else "")
        if asked.bitext:
            for name, shares in judged(kinds, every, lang, asked.bitext).items():
                rows.setdefault(name, []).append(shares)
    print(tabulate([(kind, *own) for kind, own in rows.items()], ["stopped", *langs], disable_numparse=True))


def read(folder: Path, lang: str) -> list[str]:
    return (folder / f"{CODES[lang]}.devtest").read_text(encoding="utf-8").split("\n")[:-1]


def broken(pairs: Pairs, lang: str, others: dict[str, list[str]]) -> dict[str, Pairs]:
    """Return the pairs broken in ways that form can show, and in ways that only meaning can."""
    source = random.Random(6)
    other_lang = {"el": "tr", "tr": "de", "es": "it", "it": "es", "fr": "de", "de": "fr"}.get(lang, "el")
    other_script = "hi" if lang != "hi" else "el"
    moved = [pairs[(n + 7) % len(pairs)][1] for n in range(len(pairs))]
    return {
        "number changed": [(en, changed) for en, xx in pairs if (changed := change_number(xx, source)) != xx],
        "half in English": [(en, f"{cut(xx, 0.5)} {' '.join(en.split()[len(en.split()) // 2 :])}") for en, xx in pairs],
        "repeated": [(en, " ".join([cut(xx, 0.3)] * 6)) for en, xx in pairs],
        "cut": [(en, cut(xx, 0.25)) for en, xx in pairs],
        "wrong script": [(en, others[other_script][n]) for n, (en, _) in enumerate(pairs)],
        "wrong language": [(en, others[other_lang][n]) for n, (en, _) in enumerate(pairs)],
        "another sentence's": [(en, xx) for (en, _), xx in zip(pairs, moved, strict=True)],
        "clause dropped": [(en, changed) for en, xx in pairs if (changed := drop_clause(xx)) != xx],
        "name replaced": [(en, changed) for en, xx in pairs if (changed := replace_name(en, xx, pairs)) != xx],
        "name of another": [(en, changed) for en, xx in pairs if (changed := move_name(en, xx, pairs, source)) != xx],
        "negation lost": [(en, changed) for en, xx in pairs if (changed := drop_negation(xx, lang)) != xx],
    }


def cut(text: str, share: float) -> str:
    words = text.split()
    return " ".join(words[: max(1, int(len(words) * share))]) if len(words) > 6 else text[: int(len(text) * share)]


def change_number(text: str, source: random.Random) -> str:
    """Change the first digit of the first number of two digits or more."""
    return re.sub(r"\d\d+", lambda m: f"{(int(m[0][0]) + source.randint(1, 8)) % 10}{m[0][1:]}", text, count=1)


def drop_clause(text: str) -> str:
    """Leave out the longest part between commas."""
    parts = re.split(r"(?<=[,，،])", text)
    return text if len(parts) < 3 else text.replace(max(parts[1:-1], key=len), "", 1)


def replace_name(en: str, xx: str, pairs: Pairs) -> str:
    """Replace a Latin name that both sides have by another one."""
    names = [word for word in re.findall(r"\b[A-Z][a-z]{3,}\b", xx) if word in en]
    return xx.replace(names[0], "Ferdinand") if names else xx


def move_name(en: str, xx: str, pairs: Pairs, source: random.Random) -> str:
    """Replace a Latin name that both sides have by one that both sides of another sentence have."""
    names = [word for word in re.findall(r"\b[A-Z][a-z]{3,}\b", xx) if word in en]
    others = [word for pair in pairs for word in re.findall(r"\b[A-Z][a-z]{3,}\b", pair[1]) if word in pair[0]]
    return xx.replace(names[0], source.choice(others)) if names else xx


def drop_negation(text: str, lang: str) -> str:
    return re.sub(NEGATIONS[lang], " ", text, count=1) if lang in NEGATIONS else text


def judged(kinds: dict[str, Pairs], every: Pairs, lang: str, folder: Path) -> dict[str, str]:
    """Return the share of each kind that the words of a bitext stop, and that all checks stop."""
    from misaligned import CODES as WITH_BITEXT
    from misaligned import read_sentences

    names = {f"{kind}, {way}" for kind in kinds for way in WAYS}
    if lang not in WITH_BITEXT:
        return dict.fromkeys(sorted(names), "")
    stopped = {f"{kind}, {way}": [] for kind in kinds for way in WAYS}
    words = learn_words(read_sentences(folder, lang), language(lang).code)
    limits = [quality_check_rows()[name].thresholds["max"] for name in BITEXT_CHECKS]
    place = {en: row % FOLDS for row, (en, _) in enumerate(every)}
    for fold in range(FOLDS):
        rest = [pair for pair in every if place[pair[0]] != fold]
        taught = words, *map(list, zip(*rest, strict=True)), language(lang).code
        judge, names = make_translation_judge(*taught), make_name_judge(*taught)
        for kind, pairs in kinds.items():
            if own := [pair for pair in pairs if place[pair[0]] == fold]:
                en, xx = map(list, zip(*own, strict=True))
                scores = [*judge.measure(en, xx, np.full(len(own), False))]
                scores.append(np.array(names.measure(en, xx)) if names else np.full(len(own), -99))
                is_form = np.array([name != "" for name in check_translations(en, xx, [()] * len(own), lang)])
                fails = [np.nan_to_num(score, nan=-99) > limit for score, limit in zip(scores, limits, strict=True)]
                for way, own_fails in zip(WAYS, (*fails, np.any([is_form, *fails], axis=0)), strict=True):
                    stopped[f"{kind}, {way}"].extend(own_fails)
    return {name: f"{np.mean(own):.1%}" if own else "" for name, own in stopped.items()}


def learn_words(bitext: Pairs, code: str) -> TaughtWords:
    """Return what a bitext teaches."""
    en, xx = (pa.array(list(side)) for side in zip(*bitext, strict=True))
    links = learn_links(side_of(tokenize(en, "en")), side_of(tokenize(xx, code)))
    table = link_table(links.en, links.xx, links.evidence)
    return TaughtWords(table, links.en_tokens, links.en_counts, links.xx_tokens, links.xx_counts)


if __name__ == "__main__":
    main()
