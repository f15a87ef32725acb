"""build(): from upstream's files to the examples of every config, a stage a line."""

import hashlib
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from builders.filters import Filter, choose_filters, verdict
from builders.ledger import read_ledger
from builders.memory import TranslationMemory
from builders.rows import READER, RECORDS, counted, write_identified, write_pairs_unit, write_records, write_translated
from builders.work import Unit, Work, inputs_text, sql
from corpora import lid
from corpora.catalog import Corpus, language
from corpora.errors import InputError
from corpora.files import atomic_path
from corpora.pull import Fetched, Source
from recipes.recipe import Recipe, prompts

SHARD = 1_000_000  # lines: what one unit screens and judges
SPACES = " \t\r\n\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
SPACES += "\u205f\u3000\u200b\u2060\ufeff"
LATE = "verdicts"  # the table of the filters that need the language of the texts
BITEXT = pa.schema([(name, pa.string()) for name in ("id", "lang", "en", "xx", "corpus", "en_key", "xx_key")])


@dataclass(frozen=True)
class Translator:
    """Where translated records come from: a memory and its digest, or nowhere."""

    name: str
    sha256: str = ""
    memory: TranslationMemory | None = None


@dataclass(frozen=True)
class Built:
    """What a build made: the examples of every config, the judged pairs of every language, and the account."""

    recipe: Recipe
    filters: tuple[Filter, ...]
    fetched: tuple[Fetched, ...]
    translator: Translator
    examples: Mapping[str, Path]  # config -> instructions
    verdicts: Mapping[str, Sequence[Path]]  # lang -> shards
    ledger: pl.DataFrame
    mixture: pl.DataFrame


def sources(recipe: Recipe, catalog: Mapping[str, Corpus]) -> list[Source]:
    """The files that a recipe needs; InputError if a language has no sentence pairs and needs some."""
    needed = []
    for lang in recipe.langs if recipe.directions else ():
        found = [catalog[name] for name in recipe.bitext if catalog[name].has(lang)]
        if not found:
            raise InputError(
                f"Recipe {recipe.name} has no translation data in {language(lang).name} ({lang}): "
                f"{', '.join(recipe.bitext)} {'does' if len(recipe.bitext) == 1 else 'do'} not exist in it. "
                "Leave the language out of --langs, or see `builders list`."
            )
        needed += [source(corpus, lang) for corpus in found]
    return needed + [source(catalog[name], "en") for name in recipe.instructions if recipe.general]


def source(corpus: Corpus, lang: str) -> Source:
    """The file that holds a corpus in a language."""
    return Source(corpus.id, lang, corpus.location(lang), corpus.sha256.get(lang))


def build(
    recipe: Recipe, catalog: Mapping[str, Corpus], fetched: Sequence[Fetched], translator: Translator, work: Work
) -> Built:
    """Make, or find made, every table between upstream's files and the examples of each config."""
    filters = choose_filters(recipe.filters, recipe.without)
    bitext_files = [f for f in fetched if catalog[f.source.corpus].kind == "bitext"]
    record_files = [f for f in fetched if catalog[f.source.corpus].kind == "instructions"]

    pairs = read(bitext_files, catalog, work)
    screened = {lang: screen(lang, paths, filters, work) for lang, paths in pairs.items()}
    duplicates = {lang: charge(lang, paths, recipe, filters, work) for lang, paths in screened.items()}
    identified = identify(screened, duplicates, work)
    verdicts = {
        lang: judge(lang, paths, duplicates[lang], identified, filters, work) for lang, paths in screened.items()
    }
    bitext = {
        lang: work.query(_unit("bitext", lang, paths), {"verdicts": paths}, {}) for lang, paths in verdicts.items()
    }
    records = instruct(record_files, catalog, recipe, translator, work)
    examples = {
        config: exemplify(config, langs, recipe, _of(bitext, langs), _all_of(records, ("en", *langs)), work)
        for config, langs in recipe.config_langs().items()
    }

    ledgers = [
        account(lang, pairs[lang], screened[lang], duplicates[lang], verdicts[lang], bitext[lang], filters, work)
        for lang in verdicts
    ]
    told = [row for paths in records.values() for path in paths for row in counted(path)]
    ledger = read_ledger(ledgers, told)
    mixture = count_examples(examples, work)
    return Built(recipe, filters, tuple(fetched), translator, examples, verdicts, ledger, mixture)


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
    _on_all_cores(missing, work, "reading", "lines")
    return found


def screen(lang: str, pairs: Sequence[Path], filters: tuple[Filter, ...], work: Work) -> list[Path]:
    """`screened`: what is cheap to measure about each line, and the first filter that rejects it for that."""
    reject, parameters = verdict(filters, "screened", lang)
    own = script_patterns(language(lang).script) | {"ratio": language(lang).ratio, "spaces": SPACES}
    made = []
    for path in pairs:
        for first in range(0, max(1, pq.read_metadata(path).num_rows), SHARD):
            shard = {"first": first, "last": first + SHARD}
            unit = _unit(
                "screened",
                f"{path.name.split('.')[0]}-{first // SHARD:05}",
                [path],
                verdict=reject,
                thresholds=parameters,
                **own,
                **shard,
            )
            values = parameters | shard | own
            made.append(work.query(unit, {"pairs": [path]}, values, verdict=reject))
    return made


def script_patterns(scripts: Sequence[str]) -> dict[str, str]:
    """Regular expressions (RE2) for the letters of some Unicode scripts, as `screened.sql` wants them."""
    own = "".join(rf"\p{{{script}}}" for script in scripts)
    latin = "Latin" in scripts
    return {
        "script": f"[{own}]",
        "not_script": f"[^{own}]+",
        "expected": rf"[{own}\pM\pN]*" if latin else rf"[{own}\p{{Latin}}\pM\pN]*",
        "not_letters": r"\PL+" if latin else r"(?:\PL|\p{Latin})+",
    }


def charge(lang: str, screened: Sequence[Path], recipe: Recipe, filters: tuple[Filter, ...], work: Work) -> Path:
    """`duplicates`: the pairs of a language that say what another one says, charged to the winner."""
    reject, parameters = verdict(filters, "duplicates", lang)
    unit = _unit("duplicates", lang, screened, verdict=reject, corpora=list(recipe.bitext))
    return work.query(unit, {"screened": screened}, parameters | {"corpora": list(recipe.bitext)}, verdict=reject)


def identify(screened: Mapping[str, Sequence[Path]], duplicates: Mapping[str, Path], work: Work) -> Path:
    """`identified`: the folder with the language of each distinct text that is left, each heard once."""
    folder = work.folder / "identified" / lid.SHA256[:16]
    none = folder / "none.parquet"
    if not none.exists():
        with atomic_path(none) as path, work.connect({}) as connection:
            columns = "null::uuid as text_key, null::varchar as label, null::double as probability"
            connection.execute(f"copy (select {columns} limit 0) to $path (format parquet)", {"path": str(path)})
    for lang in screened:
        tables = {
            "screened": screened[lang],
            "duplicates": [duplicates[lang]],
            "identified": sorted(folder.glob("*.parquet")),
        }
        texts = work.folder / "unidentified.parquet"
        with work.connect(tables) as connection:
            copy = f"copy ({sql('unidentified')}) to $path (format parquet, row_group_size 20480)"
            connection.execute(copy, {"path": str(texts)})
        groups = range(pq.read_metadata(texts).num_row_groups)
        _on_all_cores(
            [(write_identified, texts, group, folder) for group in groups], work, f"identifying {lang}", "texts"
        )
        texts.unlink()
    return folder


def judge(
    lang: str, screened: Sequence[Path], duplicates: Path, identified: Path, filters: tuple[Filter, ...], work: Work
) -> list[Path]:
    """`verdicts`: every line with its measures and the first filter of all that rejects it."""
    reject, parameters = verdict(filters, LATE, lang)
    labels = {"labels": list(language(lang).labels), "english_labels": list(language("en").labels)}
    made = []
    for path in screened:
        unit = _unit(
            "verdicts",
            path.name.split(".")[0],
            [path, duplicates],
            verdict=reject,
            thresholds=parameters,
            model=lid.SHA256,
            **labels,
        )
        tables = {"screened": [path], "duplicates": [duplicates], "identified": sorted(identified.glob("*.parquet"))}
        made.append(work.query(unit, tables, parameters | labels, verdict=reject))
    return made


def instruct(
    files: Sequence[Fetched], catalog: Mapping[str, Corpus], recipe: Recipe, translator: Translator, work: Work
) -> dict[str, list[Path]]:
    """`records` in English and `translated` in each language, by language."""
    made: dict[str, list[Path]] = {"en": []}
    for file in files:
        corpus = catalog[file.source.corpus]
        unit = Unit("records", corpus.id, {"sha256": file.sha256, "format": corpus.format, "reader": READER})
        english = work.make(unit, partial(write_records, source=file.path, corpus=corpus, inputs=inputs_text(unit)))
        made["en"].append(english)
        for lang in recipe.langs if translator.memory and "xx" in recipe.general else ():
            inputs = {"from": english.name, "translator": translator.sha256, "reader": READER}
            unit = Unit("translated", f"{lang}-{corpus.id}", inputs)
            write = partial(
                write_translated, records=english, lang=lang, memory=translator.memory, inputs=inputs_text(unit)
            )
            made.setdefault(lang, []).append(work.make(unit, write))
    return made


def exemplify(
    config: str, langs: Sequence[str], recipe: Recipe, bitext: Sequence[Path], records: Sequence[Path], work: Work
) -> Path:
    """`instructions`: the examples of one config, in the order of their key."""
    values = {
        "directions": list(recipe.directions),
        "general": list(recipe.general),
        "pairs": recipe.pairs or 2**62,
        "validation": recipe.validation,
        "validation_below": f"{int(recipe.validation * 2**32):08x}",
        "seed": str(recipe.seed),
        "num_prompts": len(recipe.prompts),
    }
    asked = [{"number": number, "text": prompts()[name].text} for number, name in enumerate(recipe.prompts)]
    named = [{"code": lang, "name": language(lang).name} for lang in langs]
    unit = _unit(
        "instructions", f"{recipe.name}-{config}", [*bitext, *records], prompts=asked, languages=named, **values
    )
    tables = {
        "bitext": bitext or BITEXT.empty_table(),
        "records": records or RECORDS.empty_table(),
        "prompts": pa.Table.from_pylist(asked),
        "languages": pa.Table.from_pylist(named),
    }
    return work.query(unit, tables, values)


def account(
    lang: str,
    pairs: Sequence[Path],
    screened: Sequence[Path],
    duplicates: Path,
    verdicts: Sequence[Path],
    bitext: Path,
    filters: tuple[Filter, ...],
    work: Work,
) -> Path:
    """`ledger`: the account of a language's sentence pairs."""
    late = [f.name for f in filters if f.table == LATE]
    tables = {
        "pairs": pairs,
        "screened": screened,
        "duplicates": [duplicates],
        "verdicts": verdicts,
        "bitext": [bitext],
    }
    unit = _unit("ledger", lang, [path for paths in tables.values() for path in paths], late=late)
    return work.query(unit, tables, {"late": late, "lang": lang})


def count_examples(examples: Mapping[str, Path], work: Work) -> pl.DataFrame:
    """The mixture as it is: rows by config, language, task, direction, corpus and split."""
    keys = ["lang", "task", "direction", "corpus", "split"]
    frames = [
        pl.scan_parquet(path)
        .group_by(keys)
        .agg(rows=pl.len().cast(pl.Int64))
        .sort(keys)
        .collect()
        .insert_column(0, pl.lit(config).alias("config"))
        for config, path in examples.items()
    ]
    return pl.concat(frames)


def _unit(stage: str, name: str, made_from: Sequence[Path], **inputs: Any) -> Unit:
    """A unit that an SQL file makes from other units, whose file names hold their keys."""
    text = hashlib.sha256(sql(stage).encode()).hexdigest()[:16]
    origin = {"from": [path.name for path in made_from], "sql": text, "duckdb": duckdb.__version__}
    return Unit(stage, name, origin | inputs)


def _of(tables: Mapping[str, Path], langs: Sequence[str]) -> list[Path]:
    return [tables[lang] for lang in langs if lang in tables]


def _all_of(tables: Mapping[str, Sequence[Path]], langs: Sequence[str]) -> list[Path]:
    return [path for lang in langs for path in tables.get(lang, ())]


def _on_all_cores(tasks: Sequence[tuple[Any, ...]], work: Work, title: str, unit: str) -> None:
    """Call each (function, *arguments), which returns a number of rows, in processes of their own if that pays."""
    with tqdm(desc=title, unit=f" {unit}", delay=2, disable=None, leave=False, unit_scale=True) as bar:
        if min(len(tasks), work.threads) < 2:
            for function, *arguments in tasks:
                bar.update(function(*arguments))
            return
        context = multiprocessing.get_context("spawn")  # a fork would copy DuckDB's threads in the middle of their work
        with ProcessPoolExecutor(min(len(tasks), work.threads), mp_context=context) as pool:
            futures = [pool.submit(*task) for task in tasks]
            try:
                for future in as_completed(futures):
                    bar.update(future.result())
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
