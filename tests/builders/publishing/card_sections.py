"""Checks of the numbers in the folded sections of a card, against ledger.parquet and the rows."""

import re
from collections import Counter
from itertools import combinations

from cards.summary import NOTABLE, PAIR_STAGES
from corpora.catalog import languages


def check_sections(card, ledger, rows, manifest):
    """Compare every number of the sections on filters, on the ledger and on decontamination."""
    if count_pairs(ledger)[0]:
        check_funnel(card, ledger, rows)
        check_filters(card, ledger)
        check_thresholds(card, manifest["filters"])
        check_script_variants(card, manifest["script_variants"], rows)
        check_shared_sentences(card, rows)
        check_decontamination(card, ledger, manifest["decontamination"])
    check_ledger(card, ledger)


def check_funnel(card, ledger, rows):
    lines, kept = count_pairs(ledger)
    published = {(row["id"], row["lang"], row["corpus"]) for row in rows if row["task"] == "translation"}
    table = cells_below(card, "| language | corpus | upstream lines |")
    for name, corpus, num_in, num_kept, share in table:
        key = codes()[name], corpus
        own = sum(row[1:] == key for row in published)
        assert (number(num_in), number(num_kept), share) == (lines[key], own, f"{own / lines[key]:.1%}")
        assert own == kept[key]
    assert len(table) == len(lines)
    total = lines.total(), len(published)
    assert f"Of {total[0]:,} sentence pairs, {total[1]:,} were kept ({total[1] / total[0]:.1%})" in card
    names = {code: name for name, code in codes().items()}
    alt = re.search(r"^!\[(.*)\]\(funnel.png\)", card, re.MULTILINE)[1]
    shares = {names[lang]: f"{of_lang(kept, lang) / of_lang(lines, lang):.1%}" for lang, _ in lines}
    assert dict(re.findall(r"([^ ]+) ([0-9.]+%)", alt)) == shares


def check_filters(card, ledger):
    lines, _ = count_pairs(ledger)
    removed = Counter()
    for row in ledger:
        if row["reason"] and row["stage"] in PAIR_STAGES:
            removed[row["reason"], row["lang"]] += row["num_rows"]
    by_lang = cells_below(card, "| removed by | pairs | by language |")
    for name, pairs, parts, _ in by_lang:
        expected = {lang: num for (reason, lang), num in removed.items() if reason == name.strip("`")}
        assert (number(pairs), parsed_parts(parts)) == (sum(expected.values()), expected)
    assert {cells[0].strip("`") for cells in by_lang} >= {reason for reason, _ in removed}
    shown = filters_shown(card)
    for name, pairs, share, most_in, _ in shown:
        shares = {lang: n / of_lang(lines, lang) for (reason, lang), n in removed.items() if reason == name.strip("`")}
        total = sum(n for (reason, _), n in removed.items() if reason == name.strip("`"))
        lang, most = most_in.split("&nbsp;")
        assert (number(pairs), share) == (total, f"{total / lines.total():.1%}")
        assert (most, shares[codes()[lang]]) == (f"{max(shares.values()):.1%}", max(shares.values()))
    notable = {reason for (reason, lang), num in removed.items() if num / of_lang(lines, lang) >= NOTABLE}
    assert {cells[0].strip("`") for cells in shown} == notable
    assert [number(cells[1]) for cells in shown] == sorted((number(cells[1]) for cells in shown), reverse=True)


def filters_shown(card):
    """The cells of the filters that removed most, and of those folded below them."""
    head = "| removed by | pairs | share |"
    parts = card.split(head)[1:]
    return [cells for part in parts for cells in cells_below(head + part, head)]


def check_thresholds(card, filters):
    by_name = {rule["name"]: rule["thresholds"] for rule in filters}
    assert f"All {len(filters)} filters" in card
    tables = [cells_below(card, "| removed by | pairs | by language |"), filters_shown(card)]
    for name, *_, text in (cells for table in tables for cells in table):
        found = re.findall(r"(\w+) ([0-9.,]*[0-9])(?: \(([^)]*)\))?", text)
        shown = {key: (number_of(value), {k: number_of(v) for k, v in re.findall(r"(\w+) ([0-9.,]*[0-9])", others)})
                 for key, value, others in found}  # fmt: skip
        thresholds = by_name[name.strip("`")]
        assert shown.keys() == thresholds.keys()
        for key, by_lang in thresholds.items():
            usual, others = shown[key]
            assert by_lang == {lang: others.get(lang, usual) for lang in by_lang}


def check_script_variants(card, variants, rows):
    shown = re.search(r"^Kept pairs by the Chinese script variant of the target side:\n(.*)\.$", card, re.MULTILINE)
    found = {name: number(num) for num, name in re.findall(r"([0-9][0-9,]*) ([^,.]+)", shown[1] if shown else "")}
    assert found == {row["variant"]: row["num_rows"] for row in variants}
    pairs = {row["id"] for row in rows if row["task"] == "translation" and row["lang"] == "zh"}
    assert sum(found.values()) == len(pairs)


def check_ledger(card, ledger):
    expected = {}
    for row in ledger:
        sums, reasons = expected.setdefault((row["stage"], row["corpus"]), (Counter(), Counter()))
        if row["reason"]:
            reasons[row["reason"]] += row["num_rows"]
        else:
            sums.update(num_in=row["num_in"], num_kept=row["num_kept"])
    table = cells_below(card, "| stage | corpus | rows in |")
    for stage, corpus, num_in, num_kept, reasons in table:
        sums, by_reason = expected[stage, corpus]
        assert (number(num_in), number(num_kept)) == (sums["num_in"], sums["num_kept"])
        assert parsed_parts(reasons) == dict(by_reason)
        assert number(num_in) == number(num_kept) + by_reason.total()
    assert len(table) == len(expected)


def check_decontamination(card, ledger, searched):
    removed = sum(row["num_rows"] for row in ledger if row["reason"] == "contaminated")
    assert f"{removed:,} were removed" in card
    table = cells_below(card, "| benchmark | sentences | pairs removed |")
    for name, sentences, pairs, parts in table:
        own = [row for row in searched if row["benchmark"] == name]
        assert (number(sentences), number(pairs)) == tuple(
            sum(row[k] for row in own) for k in ("num_sentences", "num_rows")
        )
        found = {lang: (number(a), number(b)) for lang, a, b in re.findall(r"(\w+) ([0-9,]+) \(([0-9,]+)\)", parts)}
        assert found == {row["lang"]: (row["num_sentences"], row["num_ngrams"]) for row in own}
    assert len(table) == len({row["benchmark"] for row in searched})
    assert removed <= sum(number(cells[2]) for cells in table)


def check_shared_sentences(card, rows):
    english = {}
    for row in rows:
        if row["task"] == "translation":
            side = row["input"] if row["direction"].startswith("en-") else row["output"]
            english.setdefault(row["lang"], set()).add(re.sub(r"[\W_]+", "", side.casefold()))
    shared = {frozenset(pair): len(english[pair[0]] & english[pair[1]]) for pair in combinations(english, 2)}
    table = cells_below(card, "| language | English sentences |")
    for name, sentences, parts in table:
        lang = codes()[name]
        assert number(sentences) == len(english[lang])
        own = {next(iter(pair - {lang})): num for pair, num in shared.items() if lang in pair and num}
        assert parsed_parts(parts) == own
    assert len(table) == len(english)


def count_pairs(ledger):
    """The pairs read and the pairs kept of the ledger, by language and corpus."""
    totals = [row for row in ledger if row["reason"] is None]
    measured, decided = ([row for row in totals if row["stage"] == stage] for stage in ("measured", "decisions"))
    lines = Counter({(row["lang"], row["corpus"]): row["num_in"] for row in measured})
    return lines, Counter({(row["lang"], row["corpus"]): row["num_kept"] for row in decided})


def of_lang(counts, lang):
    return sum(num for (own, _), num in counts.items() if own == lang)


def codes():
    return {entry.name: code for code, entry in languages().items()}


def parsed_parts(text):
    """The numbers of a cell such as `ar 14 · el 4`, by name."""
    return {name: number(num) for name, num in re.findall(r"`?([\w-]+)`? ([0-9,]+)", text)}


def number(cell):
    return 0 if cell == "–" else int(cell.strip("*").replace(",", ""))


def number_of(text):
    return float(text.replace(",", ""))


def cells_below(card, head):
    """The cells of the table whose head begins so."""
    lines = card[card.index(head) :].split("\n")[2:]
    table = lines[: next(n for n, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
