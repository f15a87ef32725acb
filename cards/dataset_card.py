"""The dataset card: README.md of a release, with the YAML that the Hub and `load_dataset` read."""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import jinja2
import yaml

from cards.human_written import format_part
from cards.licences import is_non_commercial, release_licence, text_sources, translation_models
from cards.manifest import count_rows
from cards.manifest_types import Config, Manifest
from cards.summary import count_contents, count_pairs, count_rejections, group_by_corpus
from corpora.catalog import language

SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]  # as the Hub names them


def render_card(manifest: Manifest, location: str = ".", human_written: Mapping[str, str] | None = None) -> str:
    """Return the text of README.md: a function of the manifest and of what people wrote into the card.

    Args:
        manifest: The manifest of the release; its metadata files need not be known.
        location: The folder or the hf://ORG/NAME that the card tells to load.
        human_written: The parts that people wrote, by name.
    """
    front = yaml.dump(metadata(manifest), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=1000)
    sources = group_by_corpus(text_sources(manifest))
    return (
        make_environment()
        .get_template("dataset.md.jinja")
        .render(
            m=manifest,
            front=front.strip(),
            load=load_call(location, manifest, next(iter(manifest["configs"]))),
            uri=f"{location}@{manifest['version']}" if location.startswith("hf://") else "",
            human_written=partial(format_part, human_written=human_written or {}),
            non_commercial=is_non_commercial(manifest),
            restricted=[source["corpus"] for source in sources if "-nc" in source["licence"]],
            translation_models=translation_models(manifest),
            benchmarks=group_by_corpus(source for source in manifest["sources"] if source["kind"] == "benchmark"),
            contents=count_contents(manifest),
            pairs=count_pairs(manifest),
            reasons=count_rejections(manifest),
            names={lang: language(lang).name for lang in manifest["langs"]},
            num_rows=count_rows(manifest),
            overlap={(row["lang"], row["other"]): row["num_sentences"] for row in manifest["english_overlap"]},
            sources=sources,
        )
    )


def load_call(location: str, manifest: Manifest, config: str) -> str:
    """Return the line of Python that loads a config, pinned to its version where it is on the Hub."""
    arguments = [json.dumps(location.removeprefix("hf://"), ensure_ascii=False)]
    if len(manifest["configs"]) > 1:
        arguments.append(json.dumps(config))
    if location.startswith("hf://"):
        arguments.append(f'revision="{manifest["version"]}"')
    return f"datasets.load_dataset({', '.join(arguments)})"


def make_environment() -> jinja2.Environment:
    """Return the environment of the templates, strict about names, with the filters that they use."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cards", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown; values from outside go through `cell`
    )
    environment.filters |= {"cell": _cell, "fenced": _fenced, "count": "{:,}".format, "share": "{:.1%}".format}
    return environment


class _PlainDumper(yaml.SafeDumper):
    """YAML without anchors: what is the same in two configs is written twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def metadata(manifest: Manifest) -> dict[str, Any]:
    """Return the card's YAML: languages, licences, configs with files, columns and sizes, as the Hub spells them."""
    return {
        "language": sorted({"en", *manifest["langs"]}),
        "license": release_licence(manifest),
        "pretty_name": manifest["title"],
        "size_categories": [_size_category(count_rows(manifest))],
        "task_categories": ["text-generation", "translation"],
        "multilinguality": ["multilingual"],
        "tags": ["instruction-tuning", "cross-lingual", "parallel-corpus", manifest["name"]],
        "configs": [_config(name, config, manifest) for name, config in manifest["configs"].items()],
        "dataset_info": [_info(name, config, manifest) for name, config in manifest["configs"].items()],
    }


def _config(name: str, config: Config, manifest: Manifest) -> dict[str, Any]:
    files = [{"split": split, "path": f"data/{name}/{split}-*.parquet"} for split in config["splits"]]
    alone = {"default": True} if len(manifest["configs"]) == 1 else {}
    return {"config_name": name, **alone, "version": manifest["version"].removeprefix("v"), "data_files": files}


def _info(name: str, config: Config, manifest: Manifest) -> dict[str, Any]:
    splits = config["splits"].items()
    return {
        "config_name": name,
        "features": [{"name": feature["name"], **feature} for feature in manifest["features"]],
        "splits": [{"name": s, "num_bytes": v["num_bytes"], "num_examples": v["num_rows"]} for s, v in splits],
        "download_size": sum(file["size"] for _, v in splits for file in v["files"]),
        "dataset_size": sum(v["num_bytes"] for _, v in splits),
    }


def _size_category(num_rows: int) -> str:
    index = sum(num_rows >= 1000 * 10**power for power in range(len(SIZES)))
    if index in (0, len(SIZES)):
        return f"n<{SIZES[0]}" if index == 0 else f"n>{SIZES[-1]}"
    return f"{SIZES[index - 1]}<n<{SIZES[index]}"


def _fenced(text: str) -> str:
    """Return a text from outside that stays inside a fence of backticks."""
    return text.replace("```", "'''")


def _cell(text: object) -> str:
    """Return a value from outside as one line of a Markdown table."""
    escaped = re.sub(r"([\\|`\[\]])", r"\\\1", str(text)).replace("<", "&lt;")
    return " ".join(escaped.split())
