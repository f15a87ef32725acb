"""From upstream's lines to kept sentence pairs, with a verdict and an account of every line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builders.pipeline.filters import Filter, verdict
from builders.pipeline.write_tables import READER, write_identified, write_pairs_unit
from builders.workspace.parallel import on_all_cores, on_all_threads
from builders.workspace.queries import sql
from builders.workspace.workspace import Tables, Unit, Work, inputs_text, unit_of
from corpora.catalog import Corpus, language
from corpora.download.pull import Fetched
from corpora.files import is_whole, remove_sealed, sealed
from corpora.language_id import chinese_variants as hanzi
from corpora.language_id import fasttext_model as lid

SHARD = 1_000_000  # lines: what one unit screens and judges
SOON_READ = 2 * 2**20  # compressed bytes that are read sooner than processes start
IDENTIFIED = pa.schema([("text_key", pa.uuid()), ("label", pa.string()), ("probability", pa.float64())])
WRITINGS = pl.Schema({"lang": pl.String, "writing": pl.String, "rows": pl.Int64})
LATE = "verdicts"  # the table of the filters that need the language of the texts


def read(files: Sequence[Fetched], catalog: Mapping[str, Corpus], work: Work) -> dict[str, list[Path]]:
    """`pairs`: every line of every file, by language; the files that are missing are read on all cores."""
    found: dict[str, list[Path]] = {}
    missing, size = [], 0
    for file in files:
        corpus, lang = catalog[file.source.corpus], file.source.lang
        inputs = {"sha256": file.sha256, "format": corpus.format, "reader": READER}
        unit = Unit("pairs", f"{lang}-{corpus.id}", inputs)
        found.setdefault(lang, []).append(work.path(unit))
        if not work.stands(unit):
            missing.append((write_pairs_unit, work.path(unit), file.path, corpus, lang, inputs_text(unit)))
            size += file.path.stat().st_size
    if size > SOON_READ and not work.memory:
        lid.load_soon()
    on_all_cores(missing, work.threads if size > SOON_READ else 1, "reading", "lines")
    return found


def screen(lang: str, pairs: Sequence[Path], filters: tuple[Filter, ...], work: Work) -> list[Path]:
    """`screened`: what is cheap to measure about each line, and the first filter that rejects it for that."""
    early, first_parameters = verdict(filters, "pairs", lang)
    reject, parameters = verdict(filters, "screened", lang)
    thresholds = first_parameters | parameters
    own = script_patterns(language(lang).script) | {"ratio": language(lang).ratio} | hanzi.patterns(lang)
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


def judge(known: Mapping[str, Tables], filters: tuple[Filter, ...], work: Work) -> dict[str, list[Path]]:
    """`verdicts`: every line with its measures and the first filter of all that rejects it, by language.

    `known` are the tables screened, duplicates, contaminated and scores of each language; where all verdicts stand,
    nothing is identified.
    """
    units = {lang: _verdict_units(lang, tables, filters) for lang, tables in known.items()}
    missing = {lang: known[lang] for lang in known if not all(work.has(unit) for unit in units[lang])}
    identified = identify(missing, work)
    made = {}
    for lang, tables in known.items():
        reject, parameters = verdict(filters, LATE, lang)
        values = parameters | _labels(lang)
        shards = zip(units[lang], tables["screened"], tables["contaminated"], strict=True)
        made[lang] = [
            work.query(
                unit,
                {**tables, "screened": [screened], "contaminated": [contaminated], "identified": identified},
                values,
                verdict=reject,
            )
            for unit, screened, contaminated in shards
        ]
    return made


def _verdict_units(lang: str, tables: Tables, filters: tuple[Filter, ...]) -> list[Unit]:
    reject, parameters = verdict(filters, LATE, lang)
    others = [*tables["duplicates"], *(() if isinstance(tables["scores"], pa.Table) else tables["scores"])]
    inputs = {"verdict": reject, "thresholds": parameters, "model": lid.IDENTITY, **_labels(lang)}
    return [
        unit_of("verdicts", path.name.split(".")[0], [path, *others, searched], **inputs)
        for path, searched in zip(tables["screened"], tables["contaminated"], strict=True)
    ]


def _labels(lang: str) -> dict[str, list[str]]:
    return {"labels": list(language(lang).labels), "english_labels": list(language("en").labels)}


def identify(known: Mapping[str, Tables], work: Work) -> list[Path]:
    """`identified`: the language of each distinct text that is left, each heard once, in files of a folder."""
    folder = work.folder / "identified" / lid.SHA256[:16]
    for path in folder.glob("*.parquet"):
        if not is_whole(path):
            remove_sealed(path)
    none = folder / "none.parquet"
    if not none.exists():
        with sealed(none) as path:
            pq.write_table(IDENTIFIED.empty_table(), path)
    files: list[Path] = []
    for lang, tables in known.items():
        files.append(work.scratch / f"unidentified-{lang}.parquet")
        work.scratch.mkdir(exist_ok=True)
        with work.connect({**tables, "identified": [*sorted(folder.glob("*.parquet")), *files[:-1]]}) as connection:
            copy = f"copy ({sql('unidentified')}) to $path (format parquet, row_group_size 20480)"
            connection.execute(copy, {"path": str(files[-1])})
    many = sum(pq.read_metadata(path).num_rows for path in files) >= lid.MANY
    groups = [(path, group) for path in files for group in range(pq.read_metadata(path).num_row_groups)]
    tasks = [(write_identified, *place, folder, many) for place in groups]
    run = on_all_cores if many and work.memory else on_all_threads  # compiled code stays in memory, processes end
    run(tasks, work.threads if many else 1, "identifying", "texts")
    for path in files:
        path.unlink()
    return sorted(folder.glob("*.parquet"))


def keep(lang: str, verdicts: Sequence[Path], work: Work) -> Path:
    """`bitext`: the pairs of a language that no filter rejects."""
    return work.query(unit_of("bitext", lang, verdicts), {"verdicts": verdicts}, {})


def writings(verdicts: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """How many kept pairs a language written in two ways has in each, a row a writing: lang, writing, rows."""
    share = pl.col("traditional_share")
    writing = (
        pl.when(share == 0)
        .then(pl.lit("simplified"))
        .when(share == 1)
        .then(pl.lit("traditional"))
        .when(share.is_null())
        .then(pl.lit("alike in both"))
        .otherwise(pl.lit("mixed"))
    )
    frames = [
        pl.scan_parquet([str(path) for path in paths], glob=False)
        .filter(pl.col("rejected_by").is_null())
        .group_by(writing=writing)
        .agg(rows=pl.len().cast(pl.Int64))
        .select(pl.lit(lang).alias("lang"), "writing", "rows")
        .sort("writing")
        .collect()
        for lang, paths in verdicts.items()
        if lang in hanzi.LANGS
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=WRITINGS)


def account(lang: str, tables: Mapping[str, Sequence[Path]], filters: tuple[Filter, ...], work: Work) -> Path:
    """`ledger`: the account of a language's sentence pairs, from the tables of every stage."""
    values = {
        "lang": lang,
        "late": [f.name for f in filters if f.table == LATE],
        "contamination": [f.name for f in filters if f.table == "contaminated"],
    }
    unit = unit_of("ledger", lang, [path for paths in tables.values() for path in paths], **values)
    return work.query(unit, tables, values)
