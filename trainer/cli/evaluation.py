"""The verbs of the command `trainer` that score models: evaluate, and what is made of scores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from trainer.cli.options import (
    FILE,
    JSON,
    OUT,
    PLACE_NAMES,
    RESULTS,
    codes,
    comet_of,
    listed,
    place_of,
    place_options,
    told_once,
)


@click.command("evaluate")
@click.argument("models", nargs=-1, required=True)
@click.option("--benchmarks", required=True, help="Such as flores,xquad; see trainer/scoring/benchmarks.toml.")
@click.option("--langs", help="Only these languages, such as el,hi; by default all that a benchmark has.")
@click.option("--directions", help="Of translations: en-xx, xx-en; by default both.")
@click.option("--metrics", help="Such as chrf++,token_accuracy; by default those of each benchmark.")
@click.option("--limit", type=click.IntRange(1), help="Only the first items of each language; said in the signature.")
@click.option("--max-new-tokens", type=click.IntRange(1), default=512, show_default=True, help="Longest answer.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Prompts at once.")
@click.option("--prompt", help="How the model is asked; by default as its run trained it, else alpaca.")
@click.option("--name", help="The model's name in scores; by default its folder's.")
@click.option("--spm", help="The SentencePiece model of spBLEU, such as flores200=FILE.")
@click.option("--comet", help="The COMET of the metric comet: wmt22-comet-da, a folder, or ORG/NAME@COMMIT.")
@click.option(
    "--arabic",
    type=click.Choice(("official", "fixed")),
    default="official",
    show_default=True,
    help="MLQA's rule for Arabic articles, or a mended one.",
)
@click.option("--endpoint", help="Ask an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.")
@click.option("--served", help="The model's name at the endpoint; by default its own.")
@place_options
@OUT
@RESULTS
@JSON
def evaluate_verb(
    models: tuple[str, ...],
    prompt: str | None,
    name: str | None,
    spm: str | None,
    comet: str | None,
    arabic: str,
    endpoint: str | None,
    served: str | None,
    as_json: bool,
    benchmarks: str,
    directions: str | None,
    metrics: str | None,
    **asked: Any,
) -> None:
    """Ask MODELS (runs, folders, or ORG/NAME on the Hub) what benchmarks ask, and write their scores."""
    from dataclasses import replace

    from corpora.errors import InputError
    from trainer.evaluation.benchmarks import check_directions
    from trainer.evaluation.endpoint import Endpoint
    from trainer.evaluation.eval_model import find_candidate, served_candidate
    from trainer.evaluation.evaluate import Evaluation, evaluate
    from trainer.evaluation.leaderboard import scores_json, scores_text
    from trainer.evaluation.metrics import How
    from trainer.evaluation.spm import load_pieces

    find: Callable[..., Any] = served_candidate if endpoint else find_candidate
    place = place_of(**{key: asked.pop(key) for key in PLACE_NAMES})
    if len(models) > 1 and (name or served):
        raise InputError("--name and --served are of one model; evaluate the models one by one.")
    candidates = [find(model, prompt, name) for model in models]
    evaluation = Evaluation(
        candidate=candidates[0],
        benchmarks=listed(benchmarks),
        directions=check_directions(listed(directions)),
        metrics=listed(metrics),
        place=place,
        how=How(arabic, load_pieces(spm, place) if spm else None, comet_of(comet, place.offline)),
        **asked,
    )
    tell = told_once()
    if not spm and not metrics and "flores" in benchmarks:
        tell("spBLEU is left out: name its SentencePiece model with --spm flores200=FILE.")
    scores = []
    for model, candidate in zip(models, candidates, strict=True):
        server = Endpoint(endpoint, served or model) if endpoint else None
        scores += list(evaluate(replace(evaluation, candidate=candidate, endpoint=server), tell))
    click.echo(scores_json(scores) if as_json else scores_text(scores))


@click.command("compare")
@click.argument("a")
@click.argument("b")
@click.option("--metric", default="chrf++", show_default=True, help="What is compared.")
@click.option("--benchmark", help="Only this one.")
@click.option("--langs", help="Only these languages.")
@click.option("--spm", help="The SentencePiece model of spBLEU, such as flores200=FILE.")
@OUT
@JSON
def compare_verb(
    a: str, b: str, metric: str, benchmark: str | None, langs: str | None, spm: str | None, out: Path, as_json: bool
) -> None:
    """How evaluated model B differs from A, with intervals; several runs of one, joined by commas, are its seeds."""
    from trainer.evaluation.compare import compare, compared_json, compared_text
    from trainer.evaluation.metrics import How
    from trainer.evaluation.spm import load_pieces

    how = How(pieces=load_pieces(spm) if spm else None)
    rows = compare(listed(a), listed(b), metric, out, how, benchmark, codes(langs))
    click.echo(compared_json(rows) if as_json else compared_text(rows))


@click.command("leaderboard")
@click.option("--metric", help="Only this one.")
@click.option("--benchmark", help="Only this one.")
@click.option("--markdown", is_flag=True, help="Print tables for a card.")
@click.option("--into", type=FILE, help="Write the tables into a card, such as runs/RUN/model/README.md.")
@RESULTS
@JSON
def leaderboard_verb(
    metric: str | None, benchmark: str | None, markdown: bool, into: Path | None, results: Path, as_json: bool
) -> None:
    """A table for each benchmark and metric: a row a model, a column a language, the mean of its seeds."""
    import json

    from trainer.evaluation.leaderboard import leaderboard, leaderboard_text, write_into_card

    tables = leaderboard(results, metric, benchmark)
    if into:
        write_into_card(into, leaderboard_text(tables, "github"))
    click.echo(
        json.dumps(tables, indent=2, ensure_ascii=False)
        if as_json
        else leaderboard_text(tables, "github" if markdown else "simple")
    )


@click.command("align")
@click.argument("model")
@click.option("--langs", default="ar,el,hi,tr,vi,zh", show_default=True, help="Compared with English.")
@click.option("--benchmark", default="flores", show_default=True, help="Multi-way text.")
@click.option("--limit", type=click.IntRange(2), help="Only the first sentences.")
@click.option("--layer", type=click.IntRange(0), help="Where gamma is taken; by default the last.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Sentences at once.")
@click.option("--name", help="The model's name in scores; by default its folder's.")
@place_options
@OUT
@RESULTS
@JSON
def align_verb(
    model: str, langs: str, benchmark: str, limit: int | None, layer: int | None, batch_size: int, name: str | None,
    out: Path, results: Path, as_json: bool, **place: Any,
) -> None:  # fmt: skip
    """How alike MODEL's states are for translations, layer by layer; a picture, and gamma for the laws."""
    import json

    from tabulate import tabulate

    from trainer.evaluation.align import align, rows_of
    from trainer.evaluation.eval_model import find_candidate

    candidate = find_candidate(model, None, name)
    found = align(candidate, codes(langs), benchmark, place_of(**place), limit, layer, out, results, batch_size)
    rows = list(rows_of(found))
    click.echo(json.dumps(rows, indent=2) if as_json else tabulate(rows, headers="keys", disable_numparse=True))
    if not as_json:
        click.echo(
            f"gamma, at layer {found.gamma_layer}: " + ", ".join(f"{s.lang} {s.value:.3f}" for s in found.scores)
        )
        click.echo(f"picture  {out / candidate.name.replace('/', '--') / 'alignment.png'}")


@click.command("judge")
@click.argument("models", nargs=-1, required=True)
@click.option(
    "--endpoint", required=True, help="The judge's OpenAI-compatible server, such as http://127.0.0.1:8000/v1."
)
@click.option("--judge", "served", required=True, help="The judge's name there.")
@click.option("--benchmark", required=True, help="Whose answers are judged; evaluate MODELS on it first.")
@click.option("--langs", help="Only these languages.")
@click.option("--limit", type=click.IntRange(1), help="Only the first answers (the paper: 100 of XQuAD and MLQA).")
@click.option("--timeout", type=click.FloatRange(1), default=300, show_default=True, help="Seconds for a verdict.")
@OUT
@RESULTS
@JSON
def judge_verb(
    models: tuple[str, ...], endpoint: str, served: str, benchmark: str, langs: str | None, limit: int | None,
    timeout: float, out: Path, results: Path, as_json: bool,
) -> None:  # fmt: skip
    """Let a language model judge the answers of one of MODELS, or say which of two answers better."""
    from corpora.errors import InputError
    from trainer.evaluation.endpoint import Endpoint
    from trainer.evaluation.eval_model import served_candidate
    from trainer.evaluation.judge import judge
    from trainer.evaluation.leaderboard import scores_json, scores_text

    if len(models) > 2:
        raise InputError("One model is judged, or two are compared; three are not.")
    candidates = [served_candidate(model) for model in models]
    server = Endpoint(endpoint, served, timeout)
    judged = list(judge(candidates, server, out, results, benchmark, codes(langs), limit))
    click.echo(scores_json(j.score for j in judged) if as_json else scores_text([j.score for j in judged]))
    if unread := sum(j.unread for j in judged):
        click.echo(f"{unread:,} verdicts could not be read and are not counted.", err=True)


VERBS = [evaluate_verb, compare_verb, leaderboard_verb, align_verb, judge_verb]
