"""The text, JSON and HTML of what training returns."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from tabulate import tabulate

from corpora.terminal_tables import format_table
from trainer.run import RunMetadata

WIDTH = 110
COUNT_COLUMNS = (
    *("split", "lang", "task", "num_rows", "dropped", "truncated", "no_target", "boundary_merged"),
    *("num_tokens", "num_target_tokens"),
)


def to_json(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def run_text(metadata: RunMetadata, folder: Path) -> str:
    """Return what was trained, the result, and how to load the model."""
    release, losses = metadata["release"], [row["loss"] for row in metadata["losses"]]
    seconds = sum(session.get("seconds", 0.0) for session in metadata["sessions"])
    lines = [
        f"Trained {metadata['recipe']['name']} on {release['name']}@{release['version']}, config {release['config']}",
        f"  {metadata['step']:,} steps, {metadata['num_tokens']:,} tokens in {seconds:,.0f} s"
        + (f"; loss {losses[0]:.3f} -> {losses[-1]:.3f}" if losses else ""),
        f"  {_evaluation_text(metadata)}",
        f"  model     {folder / 'model'}",
        f'  load      transformers.AutoModelForCausalLM.from_pretrained("{folder / "model"}")',
        f"  metadata  {folder / 'run.json'}",
    ]
    return "\n".join(lines)


def _evaluation_text(metadata: RunMetadata) -> str:
    if not metadata["evaluations"]:
        return "no validation rows, so nothing was evaluated"
    langs = {lang: metrics for lang, metrics in metadata["evaluations"][-1].items() if lang != "step"}
    parts = (f"{lang} loss {m['loss']:.3f}, token accuracy {m['token_accuracy']:.1%}" for lang, m in langs.items())
    return f"validation: {'; '.join(parts)}"


def run_html(metadata: RunMetadata, folder: Path) -> str:
    """Return the result of a run as an HTML table."""
    release = metadata["release"]
    rows = {
        "recipe": metadata["recipe"]["name"],
        "release": f"{release['name']}@{release['version']}, config {release['config']}",
        "status": metadata["status"],
        "steps": metadata.get("step"),
        "tokens": metadata.get("num_tokens"),
        "evaluation": _evaluation_text(metadata) if "evaluations" in metadata else "",
        "folder": str(folder),
    }
    return str(tabulate(rows.items(), tablefmt="html"))


def sweep_row(metadata: RunMetadata, folder: Path) -> dict[str, Any]:
    """Return the size of a run of a sweep and what it reached."""
    langs = metadata["release"]["langs"]
    evaluated = metadata["evaluations"][-1] if metadata["evaluations"] else {}
    metrics = _mean_metrics([evaluated[lang] for lang in langs if lang in evaluated])
    mixture = metadata["release"].get("mixture")
    return {
        "lang": ",".join(langs),
        "size": sum(mixture.values()) if mixture else metadata["size"],
        "seed": metadata["seed"],
        "num_tokens": metadata["num_tokens"],
        "loss": metrics.get("loss"),
        "token_accuracy": metrics.get("token_accuracy"),
        "folder": str(folder),
    }


def _mean_metrics(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the means of loss and token accuracy over languages."""
    names = ("loss", "token_accuracy")
    return {name: sum(m[name] for m in metrics) / len(metrics) for name in names} if metrics else {}


def sweep_table(rows: Sequence[Mapping[str, Any]], tablefmt: str = "simple") -> str:
    """Return the rows of a sweep as a table."""
    if tablefmt == "html":
        return str(tabulate(rows, headers="keys", floatfmt=".3f", intfmt=",", tablefmt=tablefmt))
    return format_table(list(rows[0]) if rows else [], _number_texts(rows, ".3f"), drop=["folder", "seed"])


def _number_texts(rows: Sequence[Mapping[str, Any]], floats: str) -> list[list[str]]:
    """Return the values of rows as texts, numbers with separators of thousands."""
    formats = {int: ",", float: floats}
    return [[format(v, formats.get(type(v), "")) if v is not None else "" for v in row.values()] for row in rows]


def estimate_text(estimate: Mapping[str, Any]) -> str:
    """Return an estimate as tables and sentences."""
    release, schedule = estimate["release"], estimate["schedule"]
    lines = [
        f"{estimate['recipe']['name']} on {release['name']}@{release['version']}, config {release['config']}",
        "",
        _counts_table(estimate),
        "",
        f"padding   {_padding_text(estimate)}",
        f"training  {schedule['num_steps']:,} steps over {schedule['num_train_epochs']:g} epochs, "
        f"{schedule['num_tokens']:,} tokens, at most {schedule['max_tokens_at_once']:,} at once in each of "
        f"{schedule['processes']} processes",
        f"estimate  {_resources_text(estimate['resources'])}",
        "",
        *_device_lines(estimate["resources"]),
        *[line for sample in estimate["samples"] for line in _sample_lines(sample)],
    ]
    return "\n".join(lines)


def _counts_table(estimate: Mapping[str, Any]) -> str:
    rows = _count_rows(estimate)
    heads = [head for head in (list(rows[0]) if rows else []) if any(row[head] for row in rows)]
    drop = ("max tokens", "tokens per row", "target tokens", "boundary merged", "no target")
    return format_table(heads, _number_texts([{h: row[h] for h in heads} for row in rows], ".1f"), drop=drop)


def estimate_html(estimate: Mapping[str, Any]) -> str:
    """Return an estimate as HTML: the counts of examples, and the sentences."""
    counts = tabulate(_count_rows(estimate), headers="keys", intfmt=",", floatfmt=".1f", tablefmt="html")
    sentences = {
        "padding": _padding_text(estimate),
        "steps": estimate["schedule"]["num_steps"],
        "tokens": estimate["schedule"]["num_tokens"],
        "estimate": _resources_text(estimate["resources"]),
    }
    return f"{counts}\n{tabulate(sentences.items(), tablefmt='html')}"


def _count_rows(estimate: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for row in estimate["example_counts"]:
        trained = row["kept"] + row["truncated"]
        columns = {name.removeprefix("num_").replace("_", " "): row[name] for name in COUNT_COLUMNS}
        means = {"tokens per row": row["num_tokens"] / trained if trained else 0.0, "max tokens": row["max_tokens"]}
        rows.append(columns | means)
    return rows


def _padding_text(estimate: Mapping[str, Any]) -> str:
    shares, max_length = estimate["padding"], estimate["recipe"]["settings"]["max_length"]
    text = f"{shares['padded']:.1%} of the model's input if batches are padded, none if they are packed"
    if "unfilled" in shares:
        text += f"; blocks of {max_length} tokens are {1 - shares['unfilled']:.1%} full"
    return text


def _resources_text(resources: Mapping[str, Any]) -> str:
    return (
        f"{resources['num_parameters']:,} parameters on {resources['device']}: {_memory_text(resources)}; "
        f"{_duration(resources['seconds'])} at {resources['share_of_peak']:.0%} of the peak speed"
    )


def _memory_text(resources: Mapping[str, Any]) -> str:
    """Return whether a run fits a device, and how many of them hold it."""
    needed, available = resources["memory_bytes"] / 1e9, resources["device_bytes"] / 1e9
    if not available:
        return f"about {needed:,.1f} GB a process"
    if needed <= available:
        return f"fits, about {needed:,.1f} of {available:,.0f} GB a process"
    count = resources["processes_that_fit"]
    advice = (
        f"with {count} of them and FSDP2 it does (--processes {count})"
        if count
        else "with no number of them; lower per_device_train_batch_size, or set activation_checkpointing=true"
    )
    return f"does not fit: {needed:,.1f} of {available:,.0f} GB a process; {advice}"


def _device_lines(resources: Mapping[str, Any]) -> list[str]:
    """Return a table of devices: how many hold the run, and how long it takes on them."""
    rows = [
        {
            "device": row["device"],
            "needed": row["processes"] or "does not fit",
            "GB each": f"{row['bytes'] / 1e9:,.1f} of {row['memory']:g}" if row["processes"] else "",
            "time": _duration(3600 * row["hours"]) if row["processes"] else "",
            "device hours": f"{row['device_hours']:,.1f}" if row["processes"] else "",
            "cost": f"{row['cost']:,.2f}" if row.get("cost") is not None else "",
        }
        for row in resources["devices"]
    ]
    if not any(row["cost"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "cost"} for row in rows]
    alignment = ("left", *("right" for _ in list(rows[0])[1:]))
    return str(tabulate(rows, headers="keys", colalign=alignment, disable_numparse=True)).splitlines()


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _sample_lines(sample: Mapping[str, Any]) -> list[str]:
    """Return an example with bars between its tokens; those that are learned are in brackets."""
    marked = []
    for token in sample["tokens"]:
        text = token["text"].replace("\n", "↵").replace(" ", "·")
        marked.append(f"[{text}]" if token["is_target"] else f"|{text}")
    head = f"{sample['task']}, {sample['lang']}: {len(marked)} tokens; those in [brackets] are learned"
    return ["", head, *[f"  {line}" for line in wrap("".join(marked), WIDTH, break_on_hyphens=False)]]
