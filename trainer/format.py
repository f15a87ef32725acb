"""What the command prints: tables and sentences for people, JSON for machines."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from trainer.run import Record


def run_text(record: Record, out: Path) -> str:
    """What was trained, how it went, and how to load it."""
    release, first, last = record["release"], record["losses"][0], record["losses"][-1]
    seconds = sum(session.get("seconds", 0.0) for session in record["sessions"])
    lines = [
        f"Trained {record['recipe']['name']} on {release['name']}@{release['version']}, config {release['config']}",
        f"  {record['steps']:,} steps, {record['tokens']:,} tokens in {seconds:,.0f} s; "
        f"loss {first['loss']:.3f} -> {last['loss']:.3f}",
        *_evaluation_lines(record),
        f"  model   {out / 'model'}",
        f'  load    transformers.AutoModelForCausalLM.from_pretrained("{out / "model"}")',
        f"  record  {out / 'run.json'}",
    ]
    return "\n".join(lines)


def _evaluation_lines(record: Record) -> list[str]:
    if not record["evaluations"]:
        return ["  no validation rows, so nothing was evaluated"]
    found = {lang: of for lang, of in record["evaluations"][-1].items() if lang != "step"}
    told = (f"{lang} loss {of['loss']:.3f}, accuracy {of['token_accuracy']:.1%}" for lang, of in found.items())
    return [f"  validation: {'; '.join(told)}"]


def run_json(record: Record) -> str:
    """The record."""
    return json.dumps(record, indent=2, ensure_ascii=False)


def sizes_text(records: Sequence[Record]) -> str:
    """A row a run: what it learned from and what it reached."""
    return tabulate([_size_row(record) for record in records], headers="keys", floatfmt=".3f", intfmt=",")


def sizes_json(records: Sequence[Record]) -> str:
    """The same rows for a machine."""
    return json.dumps([_size_row(record) for record in records], indent=2, ensure_ascii=False)


def _size_row(record: Record) -> dict[str, Any]:
    lang = record["release"]["langs"][0]
    found = record["evaluations"][-1].get(lang, {}) if record["evaluations"] else {}
    return {
        "lang": lang,
        "size": record["size"],
        "seed": record["seed"],
        "tokens": record["tokens"],
        "loss": found.get("loss"),
        "token_accuracy": found.get("token_accuracy"),
        "folder": record["folder"],
    }
