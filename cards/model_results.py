"""What a model's card says once it is shared: results in the Hub's metadata and as a table, and where it is from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from cards.escaping import front_matter, markdown

FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
METRIC_TYPES = {"chrf++": "chrf", "spbleu": "bleu", "em": "exact_match", "f1": "f1", "accuracy": "accuracy"}
BEGIN, END = "<!-- published results -->", "<!-- /published results -->"


def shared_card(
    card: str, name: str, results: Sequence[Mapping[str, Any]], base_model: str | None, dataset: str | None
) -> str:
    """Return a model's card as the Hub shows it: with `model-index`, `base_model`, `datasets`, and a table of results.

    Args:
        card: The card in the folder of the model.
        name: The repository, as ORG/NAME.
        results: Rows of results: benchmark, lang, direction, metric, value, interval, n, signature.
        base_model: The model on the Hub that the training began with.
        dataset: The data set on the Hub that it was trained on.
    """
    match = FRONT.match(card)
    front = dict(yaml.safe_load(match[1])) if match else {}
    body = card[match.end() :] if match else card
    front |= {"base_model": base_model} if base_model else {}
    front |= {"datasets": [dataset]} if dataset else {}
    front |= {"model-index": [{"name": name.split("/")[-1], "results": model_index(results)}]} if results else {}
    body = body.replace('from_pretrained("model")  # the folder that holds this card', f'from_pretrained("{name}")')
    body = body.replace('from_pretrained("model")', f'from_pretrained("{name}")')
    before, _, rest = body.partition(BEGIN)
    after = rest.partition(END)[2]
    table = f"\n{BEGIN}\n## Results\n\n{results_table(results)}\n{END}\n" if results else ""
    return f"{front_matter(front)}\n{before.rstrip()}\n{table}{after}"


def model_index(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return results as the Hub reads them: one entry for each benchmark, language and direction."""
    entries: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in results:
        key = (row["benchmark"], row["lang"], row["direction"])
        title = " ".join(filter(None, key))
        dataset = {"type": row["benchmark"], "name": title, "config": row["lang"]}
        task = {"type": "translation" if row["direction"] else "text-generation"}
        entry = entries.setdefault(key, {"task": task, "dataset": dataset, "metrics": []})
        entry["metrics"].append(_metric(row))
    return list(entries.values())


def _metric(row: Mapping[str, Any]) -> dict[str, Any]:
    interval = {"interval_95": [round(end, 4) for end in row["interval"]]} if row["interval"] else {}
    arguments = {"signature": row["signature"], "items": row["n"], **interval}
    kind = METRIC_TYPES.get(row["metric"], row["metric"])
    return {"type": kind, "name": row["metric"], "value": round(row["value"], 4), "args": arguments}


def results_table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return results with their intervals as a table in Markdown, and the signatures below it."""
    lines = ["| benchmark | language | direction | metric | value | 95 % interval | items |"]
    lines.append("|---|---|---|---|---:|---|---:|")
    for row in results:
        around = f"{row['interval'][0]:.2f} .. {row['interval'][1]:.2f}" if row["interval"] else "-"
        cells = (row["benchmark"], row["lang"], row["direction"], row["metric"])
        shown = " | ".join(markdown(cell) for cell in cells)
        lines.append(f"| {shown} | {row['value']:.2f} | {around} | {row['n']:,} |")
    signatures = sorted({f"`{row['metric']}`: `{row['signature']}`" for row in results})
    return "\n".join([*lines, "", "Signatures: " + "; ".join(signatures) + "."])
