"""The card: a manifest -> README.md, with the YAML that the Hub and `load_dataset` read."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import jinja2
import yaml

from cards.human_written import by_hand
from cards.licences import non_commercial, text_sources, translation_models, whole
from cards.manifest import num_rows
from corpora.catalog import language

STAGES = ("measured", "duplicates", "contaminated", "decisions")  # those that reject sentence pairs
SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]  # as the Hub names them


def render_card(manifest: Mapping[str, Any], where: str = ".", written: Mapping[str, str] | None = None) -> str:
    """The text of README.md for a release: a pure function of its manifest, and of what people wrote into it by hand.

    `where` is the folder or the hf://ORG/NAME that it is loaded from.
    """
    environment = make_environment()
    front = yaml.dump(metadata(manifest), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=1000)
    template = environment.get_template("dataset.md.jinja")
    return template.render(
        m=manifest,
        front=front.strip(),
        load=load_call(where, manifest, next(iter(manifest["configs"]))),
        place=f"{where}@{manifest['version']}" if where.startswith("hf://") else "",
        by_hand=partial(by_hand, written=written or {}),
        non_commercial=non_commercial(manifest),
        restricted=[s["corpus"] for s in _by_corpus(text_sources(manifest)) if "-nc" in s["licence"]],
        translation_models=translation_models(manifest),
        searched=_by_corpus([s for s in manifest["sources"] if s["kind"] == "benchmark"]),
        contents=contents(manifest),
        funnel=funnel(manifest),
        reasons=reasons(manifest),
        names={lang: language(lang).name for lang in manifest["langs"]},
        num_rows=num_rows(manifest),
        shared={(row["lang"], row["other"]): row["num_sentences"] for row in manifest["shared_english"]},
        sources=_by_corpus(text_sources(manifest)),
    )


def load_call(where: str, manifest: Mapping[str, Any], config: str) -> str:
    """The line of Python that loads a config of a release, pinned to its version where it lies on the Hub."""
    arguments = [json.dumps(where.removeprefix("hf://"), ensure_ascii=False)]
    if len(manifest["configs"]) > 1:
        arguments.append(json.dumps(config))
    if where.startswith("hf://"):
        arguments.append(f'revision="{manifest["version"]}"')
    return f"datasets.load_dataset({', '.join(arguments)})"


def make_environment() -> jinja2.Environment:
    """Where the templates of this room are found, strict about names, with the filters that they use."""
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


def metadata(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The card's YAML: languages, licences, configs with their files, features and sizes, as the Hub spells them."""
    return {
        "language": sorted({"en", *manifest["langs"]}),
        "license": whole(manifest),
        "pretty_name": manifest["title"],
        "size_categories": [_size_category(num_rows(manifest))],
        "task_categories": ["text-generation", "translation"],
        "multilinguality": ["multilingual"],
        "tags": ["instruction-tuning", "cross-lingual", "parallel-corpus", manifest["name"]],
        "configs": [_config(name, config, manifest) for name, config in manifest["configs"].items()],
        "dataset_info": [_info(name, config, manifest) for name, config in manifest["configs"].items()],
    }


def _config(name: str, config: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    files = [{"split": split, "path": f"data/{name}/{split}-*.parquet"} for split in config["splits"]]
    alone = {"default": True} if len(manifest["configs"]) == 1 else {}
    return {"config_name": name, **alone, "version": manifest["version"].removeprefix("v"), "data_files": files}


def _info(name: str, config: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    splits = config["splits"].items()
    return {
        "config_name": name,
        "features": [{"name": feature["name"], **feature} for feature in manifest["features"]],
        "splits": [{"name": s, "num_bytes": v["num_bytes"], "num_examples": v["rows"]} for s, v in splits],
        "download_size": sum(file["size"] for _, v in splits for file in v["files"]),
        "dataset_size": sum(v["num_bytes"] for _, v in splits),
    }


def _size_category(rows: int) -> str:
    place = sum(rows >= 1000 * 10**power for power in range(len(SIZES)))
    if place in (0, len(SIZES)):
        return f"n<{SIZES[0]}" if place == 0 else f"n>{SIZES[-1]}"
    return f"{SIZES[place - 1]}<n<{SIZES[place]}"


def funnel(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Pairs in and kept by language and corpus, from the ledger."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for number in manifest["ledger"]:
        place = rows.setdefault((number["lang"], number["corpus"]), {"given": 0, "kept": 0})
        if (number["stage"], number["reason"]) == ("measured", "in"):
            place["given"] = number["rows"]
        if (number["stage"], number["reason"]) == ("decisions", "kept"):
            place["kept"] = number["rows"]
    return [{"lang": lang, "corpus": corpus, **v} for (lang, corpus), v in rows.items() if v["given"]]


def reasons(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each filter rejected, by language: {name, description, rows by lang, total}, in the filters' order."""
    table = []
    for rule in manifest["filters"]:
        found = dict.fromkeys(manifest["langs"], 0)
        for number in manifest["ledger"]:
            if number["reason"] == rule["name"] and number["stage"] in STAGES:
                found[number["lang"]] += number["rows"]
        table.append(
            {"name": rule["name"], "description": rule["description"], "rows": found, "total": sum(found.values())}
        )
    return table


def contents(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is in each config, by language, task, direction and corpus: rows to train on and to validate with."""
    keys = ("config", "lang", "task", "direction", "corpus")
    table: dict[tuple[str, ...], dict[str, int]] = {}
    for row in manifest["mixture"]:
        place = table.setdefault(tuple(row[key] for key in keys), {"train": 0, "validation": 0})
        place[row["split"]] += row["rows"]
    return [{**dict(zip(keys, place, strict=True)), **rows} for place, rows in table.items()]


def _by_corpus(sources: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The sources, one entry a corpus with all its languages."""
    merged: dict[str, dict[str, Any]] = {}
    for source in sources:
        merged.setdefault(source["corpus"], dict(source) | {"langs": []})["langs"].append(source["lang"])
    return list(merged.values())


def _fenced(text: str) -> str:
    """A text from outside that stays inside a fence of backticks."""
    return text.replace("```", "'''")


def _cell(text: object) -> str:
    """A value from outside as one line of a Markdown table."""
    escaped = re.sub(r"([\\|`\[\]])", r"\\\1", str(text)).replace("<", "&lt;")
    return " ".join(escaped.split())
