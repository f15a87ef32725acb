"""The dataset card: README.md of a release, with the YAML that the Hub and `load_dataset` read."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jinja2

from cards.description import describe_advantage, describe_goal, describe_measured, describe_rows, join
from cards.display_names import metric_name, mixture_name
from cards.escaping import code, fence, front_matter, link, markdown
from cards.human_written import format_part
from cards.licences import (
    hub_licence,
    is_non_commercial,
    obligations,
    row_licences,
    text_sources,
    translation_models,
)
from cards.manifest import count_rows, data_files
from cards.manifest_types import Config, ExampleRow, Manifest
from cards.summary import (
    count_contents,
    count_pairs,
    count_rejections,
    count_translated,
    group_by_corpus,
    most_shared,
    select_rejections,
    sum_benchmarks,
    sum_ledger,
    sum_statistics,
)
from corpora.catalog import language, languages

HOMEPAGE = "https://pypi.org/project/coit-builders/"
SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]  # as the Hub names them
MAX_LANGUAGES, NUM_SHOWN = 20, 10  # with more languages than the first, the first table shows only the second number
MAX_FILTERS = 7  # in the table that is not folded
RIGHT_TO_LEFT = {"Adlam", "Arabic", "Hebrew", "Nko", "Syriac", "Thaana"}  # scripts
CITATIONS = """\
@article{zhu2023extrapolating,
  title = {Extrapolating Large Language Models to Non-English by Aligning Languages},
  author = {Zhu, Wenhao and Lv, Yunzhe and Dong, Qingxiu and Yuan, Fei and Xu, Jingjing and Huang, Shujian and Kong, Lingpeng and Chen, Jiajun and Li, Lei},
  journal = {arXiv:2308.04948}, year = {2023}
}
@article{ranaldi2023empowering,
  title = {Empowering Cross-lingual Abilities of Instruction-tuned Large Language Models by Translation-following demonstrations},
  author = {Ranaldi, Leonardo and Pucci, Giulia and Freitas, Andre},
  journal = {arXiv:2308.14186}, year = {2023}
}"""  # noqa: E501


def render_card(manifest: Manifest, location: str = ".", human_written: Mapping[str, str] | None = None) -> str:
    """Return the text of README.md: a function of the manifest and of what people wrote into the card.

    Args:
        manifest: The manifest of the release; its metadata files need not be known.
        location: The folder or the hf://ORG/NAME that the card tells to load.
        human_written: The parts that people wrote, by name.
    """
    sources = group_by_corpus(text_sources(manifest))
    return (
        make_environment()
        .get_template("dataset.md.jinja")
        .render(
            m=manifest,
            front=front_matter(metadata(manifest)),
            load=load_call(location, manifest, next(iter(manifest["configs"]))),
            uri=f"{location}@{manifest['version']}" if location.startswith("hf://") else "",
            homepage=HOMEPAGE,
            human_written=partial(format_part, human_written=human_written or {}),
            sources=sources,
            citations="\n".join([CITATIONS, *(source["citation"] for source in sources if source["citation"])]),
            **_sentences(manifest, sources),
            **_tables(manifest),
        )
    )


def _sentences(manifest: Manifest, sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the sentences of a card need."""
    origins = [link(f"{source['corpus']} {source['version']}", source["homepage"]) for source in sources]
    return {
        "rows_sentence": markdown(describe_rows(manifest)),
        "origins": join(origins),
        "licence_names": join([code(name) for name in row_licences(manifest)]),
        "non_commercial": is_non_commercial(manifest),
        "restricted": [source["corpus"] for source in sources if "-nc" in source["licence"]],
        "translation_models": translation_models(manifest),
        "obligations": obligations(manifest),
        "size": _megabytes(sum(file["size"] for file in data_files(manifest["configs"]))) + " MB",
        "funnel_text": _funnel_text(manifest),
        **_mixture_sentences(manifest.get("allocation") or {}),
    }


def _tables(manifest: Manifest) -> dict[str, Any]:
    """Return the numbers of a card's tables."""
    largest = sorted(manifest["statistics"], key=lambda row: -row["num_rows"])
    return {
        "total": sum_statistics(manifest),
        "shown_languages": manifest["statistics"] if len(largest) <= MAX_LANGUAGES else largest[:NUM_SHOWN],
        "more_languages": [] if len(largest) <= MAX_LANGUAGES else largest[NUM_SHOWN:],
        "max_filters": MAX_FILTERS,
        "num_rows": count_rows(manifest),
        "num_tokens": sum(row["num_tokens"] for row in manifest["lengths"]),
        "contents": count_contents(manifest),
        "pairs": count_pairs(manifest),
        "reasons": count_rejections(manifest),
        "notable": select_rejections(manifest),
        "unjudged": _unjudged_languages(manifest),
        "ledger": sum_ledger(manifest),
        "translated": count_translated(manifest),
        "overlap": most_shared(manifest),
        "searched": sum_benchmarks(manifest),
        "benchmark_names": join([markdown(row["name"]) for row in sum_benchmarks(manifest)]),
        "num_contaminated": sum(row["num_rows"] or 0 for row in manifest["ledger"] if row["reason"] == "contaminated"),
        "benchmarks": group_by_corpus(source for source in manifest["sources"] if source["kind"] == "benchmark"),
    }


def _mixture_sentences(allocation: Mapping[str, Any]) -> dict[str, str]:
    """Return what a budget was allocated for, what the mixture is worth, and what was measured; empty without laws."""
    if not allocation.get("alternatives"):
        return {"goal": "", "worth": "", "measured": ""}
    verdict = allocation.get("recommended", {}).get("sentence")
    return {
        "goal": describe_goal(allocation["objective"]) if "objective" in allocation else "the mean",
        "worth": f"The laws say: {verdict}" if verdict else describe_advantage(allocation),
        "measured": describe_measured(allocation["measured"]) if "measured" in allocation else "",
    }


def _unjudged_languages(manifest: Manifest) -> list[str]:
    """Return the names of languages whose pairs `misaligned` did not judge, though the release asks for it."""
    if all(rule["name"] != "misaligned" for rule in manifest["filters"]):
        return []
    judged = {row["lang"] for row in manifest.get("alignment", ()) if row["num_judged"]}
    return [language(lang).name for lang in sorted({row["lang"] for row in count_pairs(manifest)} - judged)]


def _funnel_text(manifest: Manifest) -> str:
    """Return the alternative text of the picture: the shares of pairs kept."""
    sums: dict[str, list[int]] = {}
    for row in count_pairs(manifest):
        counts = sums.setdefault(row["lang"], [0, 0])
        counts[0] += row["num_kept"]
        counts[1] += row["num_in"]
    shares = [f"{language(lang).name} {kept / lines:.1%}" for lang, (kept, lines) in sums.items()]
    return markdown(f"Bars of the sentence pairs of each language. Kept: {', '.join(shares)}.")


def load_call(location: str, manifest: Manifest, config: str) -> str:
    """Return the line of Python that loads a config, pinned to its version where it is on the Hub."""
    arguments = [json.dumps(location.removeprefix("hf://"), ensure_ascii=False)]
    if len(manifest["configs"]) > 1:
        arguments.append(json.dumps(config))
    if location.startswith("hf://"):
        arguments.append(f'revision="{manifest["version"]}"')
    return f"datasets.load_dataset({', '.join(arguments)})"


def make_environment() -> jinja2.Environment:
    """Return the environment of the templates, strict about names, with the filters that they use.

    Every value from outside goes through `md`, `code`, `link` or `fence`.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cards", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # this is Markdown, not HTML
    )
    environment.filters |= {
        "md": markdown,
        "metric": metric_name,
        "mixture": mixture_name,
        "code": code,
        "link": link,
        "fence": fence,
    }
    environment.filters |= {"count": "{:,}".format, "share": "{:.1%}".format, "mb": _megabytes}
    environment.filters |= {
        "name": lambda lang: language(lang).name,
        "number": _number,
        "langs": _langs,
        "cell_text": _cell_text,
    }
    return environment


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.{0 if num_bytes >= 1e9 else 1 if num_bytes >= 1e5 else 3}f}"


def _number(value: int) -> str:
    return f"{value:,}" if value else "–"


def _langs(langs: Sequence[str]) -> str:
    return ", ".join(langs) if len(langs) <= 12 else f"{len(langs)} languages"


def _cell_text(text: str, row: ExampleRow, column: str) -> str:
    """Return a text of an example for a cell, in the direction of its language's script."""
    lang = _text_language(row, column)
    is_right_to_left = bool(text) and bool(RIGHT_TO_LEFT & set(languages()[lang].script))
    return f'<div dir="rtl" lang="{lang}">{markdown(text)}</div>' if is_right_to_left else markdown(text)


def _text_language(row: ExampleRow, column: str) -> str:
    """Return the language of a text: instructions of translations are in English, as is one side."""
    if row["task"] == "translation" and column != ("output" if row["direction"].startswith("en-") else "input"):
        return "en"
    return row["lang"]


def metadata(manifest: Manifest) -> dict[str, Any]:
    """Return the card's YAML: languages, licences, configs with files and sizes, as the Hub spells them.

    The columns are not in it: the Parquet files have them.
    """
    total = sum_statistics(manifest)
    return {
        "language": sorted({"en", *manifest["langs"]}),
        **hub_licence(manifest),
        "pretty_name": manifest["title"],
        "size_categories": [_size_category(count_rows(manifest))],
        "task_categories": ["text-generation", *(["translation"] if total["num_pairs"] else [])],
        "multilinguality": ["multilingual"],
        "tags": [*_tags(total), manifest["name"]],
        "configs": [_config(name, config, manifest) for name, config in manifest["configs"].items()],
        "dataset_info": [_info(name, config) for name, config in manifest["configs"].items()],
    }


def _tags(total: Mapping[str, int]) -> list[str]:
    is_tuning = total["num_pairs"] or total["num_instructions"]
    tags = {"instruction-tuning": is_tuning, "cross-lingual": True, "parallel-corpus": total["num_pairs"]}
    return [tag for tag, applies in tags.items() if applies]


def _config(name: str, config: Config, manifest: Manifest) -> dict[str, Any]:
    files = [{"split": split, "path": f"data/{name}/{split}-*.parquet"} for split in config["splits"]]
    alone = {"default": True} if len(manifest["configs"]) == 1 else {}
    return {"config_name": name, **alone, "version": manifest["version"].removeprefix("v"), "data_files": files}


def _info(name: str, config: Config) -> dict[str, Any]:
    splits = config["splits"].items()
    return {
        "config_name": name,
        "splits": [{"name": s, "num_bytes": v["num_bytes"], "num_examples": v["num_rows"]} for s, v in splits],
        "download_size": sum(file["size"] for _, v in splits for file in v["files"]),
        "dataset_size": sum(v["num_bytes"] for _, v in splits),
    }


def _size_category(num_rows: int) -> str:
    index = sum(num_rows >= 1000 * 10**power for power in range(len(SIZES)))
    if index in (0, len(SIZES)):
        return f"n<{SIZES[0]}" if index == 0 else f"n>{SIZES[-1]}"
    return f"{SIZES[index - 1]}<n<{SIZES[index]}"
