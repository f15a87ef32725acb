"""From upstream's lines to kept sentence pairs, with a verdict and an account of every line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from builders.cores import on_all_cores
from builders.filters import Filter, verdict
from builders.rows import READER, write_identified, write_pairs_unit
from builders.work import Unit, Work, inputs_text, is_whole, sql, unit_of
from corpora import lid
from corpora.catalog import Corpus, language
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.pull import Fetched

SHARD = 1_000_000  # lines: what one unit screens and judges
IDENTIFIED = pa.schema([("text_key", pa.uuid()), ("label", pa.string()), ("probability", pa.float64())])
NEAR_GRAM = 5  # characters of English in an n-gram that near-duplicates share
NEAR_SHORTEST = 40  # characters of English without spaces: shorter pairs differ in meaning when they differ at all
LEAST_SIMILAR = 0.7  # of pairs this alike, five in six are compared; see near_duplicates.sql
LATE = "verdicts"  # the table of the filters that need the language of the texts


def read(files: Sequence[Fetched], catalog: Mapping[str, Corpus], work: Work) -> dict[str, list[Path]]:
    """`pairs`: every line of every file, by language; the files that are missing are read on all cores."""
    found: dict[str, list[Path]] = {}
    missing = []
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {"sha256": file.sha256, "format": corpus.format, "reader": READER}
        unit = Unit("pairs", f"{lang}-{corpus.id}", inputs)
        found.setdefault(lang, []).append(work.path(unit))
        if not work.stands(unit):
            missing.append((write_pairs_unit, work.path(unit), file.path, corpus, lang, inputs_text(unit)))
    on_all_cores(missing, work.threads, "reading", "lines")
    return found


def screen(lang: str, pairs: Sequence[Path], filters: tuple[Filter, ...], work: Work) -> list[Path]:
    """`screened`: what is cheap to measure about each line, and the first filter that rejects it for that."""
    early, first_parameters = verdict(filters, "pairs", lang)
    reject, parameters = verdict(filters, "screened", lang)
    thresholds = first_parameters | parameters
    own = script_patterns(language(lang).script) | {"ratio": language(lang).ratio}
    made = []
    for path in pairs:
        for first in range(0, max(1, pq.read_metadata(path).num_rows), SHARD):
            values = own | {"first": first, "last": first + SHARD}
            name = f"{path.name.split('.')[0]}-{first // SHARD:05}"
            unit = unit_of("screened", name, [path], early=early, verdict=reject, thresholds=thresholds, **values)
            tables = {"pairs": [path]}
            made.append(work.query(unit, tables, thresholds | values, verdict=reject, early_verdict=early))
    return made


def script_patterns(scripts: Sequence[str]) -> dict[str, str]:
    """Regular expressions (RE2) for the letters of some Unicode scripts, as `screened.sql` wants them."""
    own = "".join(rf"\p{{{script}}}" for script in scripts)
    latin = "Latin" in scripts
    return {
        "script": f"[{own}]",
        "not_script": rf"(?:[^{own}]|\pM)+",
        "expected": rf"[{own}\pM\pN]*" if latin else rf"[{own}\p{{Latin}}\pM\pN]*",
        "not_letters": r"\PL+" if latin else r"(?:\PL|\p{Latin})+",
    }


def charge(
    lang: str, screened: Sequence[Path], corpora: Sequence[str], filters: tuple[Filter, ...], work: Work
) -> list[Path]:
    """`duplicates` and `hubs`: the pairs of a language that are rejected for what its other pairs say."""
    reject, parameters = verdict(filters, "duplicates", lang)
    values = {"corpora": list(corpora), "exact_only": "duplicate_normalised" not in {f.name for f in filters}}
    unit = unit_of("duplicates", lang, screened, verdict=reject, thresholds=parameters, **values)
    duplicates = work.query(unit, {"screened": screened}, parameters | values, verdict=reject)
    found = [duplicates]
    if any(f.table == "near_duplicates" for f in filters):
        found.append(_charge_near(lang, screened, duplicates, corpora, filters, work))
    reject, parameters = verdict(filters, "hubs", lang)
    unit = unit_of("hubs", lang, [*screened, *found], verdict=reject, thresholds=parameters)
    hubs = work.query(unit, {"screened": screened, "duplicates": found}, parameters, verdict=reject)
    return [*found, hubs]


def _charge_near(
    lang: str,
    screened: Sequence[Path],
    duplicates: Path,
    corpora: Sequence[str],
    filters: tuple[Filter, ...],
    work: Work,
) -> Path:
    """`near_duplicates`: the pairs of a language that say nearly what a better-placed one says."""
    reject, parameters = verdict(filters, "near_duplicates", lang)
    similar = parameters["near_duplicate_least"]
    if not LEAST_SIMILAR <= similar <= 1:
        raise InputError(
            f"near_duplicate.least must be {LEAST_SIMILAR} to 1, not {similar:g}: pairs less alike are seldom compared."
        )
    values = {
        "english_n": NEAR_GRAM,
        "foreign_n": max(2, round(NEAR_GRAM * language(lang).ratio)),
        "shortest": NEAR_SHORTEST,
        "foreign_shortest": round(NEAR_SHORTEST * language(lang).ratio),
        "similar": similar,
        "corpora": list(corpora),
    }
    unit = unit_of("near_duplicates", lang, [*screened, duplicates], verdict=reject, thresholds=parameters, **values)
    return work.query(unit, {"screened": screened, "duplicates": [duplicates]}, parameters | values, verdict=reject)


def identify(
    screened: Mapping[str, Sequence[Path]],
    duplicates: Mapping[str, Sequence[Path]],
    contaminated: Mapping[str, Sequence[Path]],
    work: Work,
) -> Path:
    """`identified`: the folder with the language of each distinct text that is left, each heard once."""
    folder = work.folder / "identified" / lid.SHA256[:16]
    for path in folder.glob("*.parquet"):
        if not is_whole(path):
            path.unlink()
    none = folder / "none.parquet"
    if not none.exists():
        with atomic_path(none) as path:
            pq.write_table(IDENTIFIED.empty_table(), path)
    files: list[Path] = []
    for lang in screened:
        tables = {
            "screened": screened[lang],
            "duplicates": duplicates[lang],
            "contaminated": contaminated[lang],
            "identified": [*sorted(folder.glob("*.parquet")), *files],
        }
        files.append(work.scratch / f"unidentified-{lang}.parquet")
        work.scratch.mkdir(exist_ok=True)
        with work.connect(tables) as connection:
            copy = f"copy ({sql('unidentified')}) to $path (format parquet, row_group_size 20480)"
            connection.execute(copy, {"path": str(files[-1])})
    groups = [(path, group) for path in files for group in range(pq.read_metadata(path).num_row_groups)]
    on_all_cores([(write_identified, *place, folder) for place in groups], work.threads, "identifying", "texts")
    for path in files:
        path.unlink()
    return folder


def judge(
    lang: str,
    screened: Sequence[Path],
    duplicates: Sequence[Path],
    contaminated: Sequence[Path],
    identified: Path,
    filters: tuple[Filter, ...],
    work: Work,
) -> list[Path]:
    """`verdicts`: every line with its measures and the first filter of all that rejects it."""
    reject, parameters = verdict(filters, LATE, lang)
    labels = {"labels": list(language(lang).labels), "english_labels": list(language("en").labels)}
    made = []
    for path, searched in zip(screened, contaminated, strict=True):
        unit = unit_of(
            "verdicts",
            path.name.split(".")[0],
            [path, *duplicates, searched],
            verdict=reject,
            thresholds=parameters,
            model=lid.IDENTITY,
            **labels,
        )
        tables = {
            "screened": [path],
            "duplicates": duplicates,
            "contaminated": [searched],
            "identified": sorted(identified.glob("*.parquet")),
        }
        made.append(work.query(unit, tables, parameters | labels, verdict=reject))
    return made


def keep(lang: str, verdicts: Sequence[Path], work: Work) -> Path:
    """`bitext`: the pairs of a language that no filter rejects."""
    return work.query(unit_of("bitext", lang, verdicts), {"verdicts": verdicts}, {})


def account(lang: str, tables: Mapping[str, Sequence[Path]], filters: tuple[Filter, ...], work: Work) -> Path:
    """`ledger`: the account of a language's sentence pairs, from the tables of every stage."""
    values = {
        "lang": lang,
        "late": [f.name for f in filters if f.table == LATE],
        "contamination": [f.name for f in filters if f.table == "contaminated"],
    }
    unit = unit_of("ledger", lang, [path for paths in tables.values() for path in paths], **values)
    return work.query(unit, tables, values)
