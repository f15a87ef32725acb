"""Two families of models by their laws, as arXiv 2308.04948 compares them in Figure 7."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from builders.budget.comparison import Families, worths
from builders.cli.main import cli
from corpora.errors import InputError
from recipes.results import Result, to_line
from recipes.scaling.fit import fit
from recipes.scaling.law import Point

SIZES = (5_000, 20_000, 80_000, 320_000)
PAIRS, DOCUMENTS = (60.0, -0.11), (80.0, -0.11)  # k and beta of two laws under a ceiling of 100


def family(model: str, k: float, beta: float, noise: float, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [
        to_line(
            Result(
                "r@v1.0.0", lang, size, 0, 0, {}, f"{model}-{size}", "flores", "en-xx", "comet",
                float(100 - k * size**beta + rng.normal(0, noise)), None, 1012, "s", 0.0, 100.0,
            )
        )
        for lang in ("el", "zh")
        for size in SIZES
    ]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `builders fit` prints over scores of both families, at so much noise."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, noise: float = 0.1) -> str:
        lines = family("coit", *PAIRS, noise, 1) + family("continued", *DOCUMENTS, noise, 2)
        (tmp_path / "results.jsonl").write_text("".join(lines), encoding="utf-8")
        capsys.readouterr()
        cli.main(["fit", *arguments], standalone_mode=False)
        return capsys.readouterr().out

    return call


def test_what_one_family_reaches_is_counted_in_the_other_s_data(run: Callable[..., str]) -> None:
    told = json.loads(run("--against", "continued-*", "--json", noise=0.0))
    assert [law["lang"] for law in told["laws"]] == [law["lang"] for law in told["against"]] == ["el", "zh"]
    needed = 320_000 * (PAIRS[0] / DOCUMENTS[0]) ** (1 / 0.11)
    for worth in told["worth"]:
        assert worth["size"] == 320_000
        assert worth["score"] == pytest.approx(100 - 80 * 320_000**-0.11, abs=1e-3)
        assert worth["pairs"] == pytest.approx(needed, rel=1e-3)
        assert worth["measured"]


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    truth, held = 320_000 * (PAIRS[0] / DOCUMENTS[0]) ** (1 / 0.11), 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        ours, theirs = (
            fit({lang: [Point(x, 100 - k * x**b + rng.normal(0, 0.3)) for x in SIZES] for lang in ("el", "zh")})
            for k, b in (PAIRS, DOCUMENTS)
        )
        for worth in worths(Families(ours, theirs, "coit", "continued")):
            assert worth.interval
            held += (worth.interval[0] or 0) < truth < (worth.interval[1] or math.inf)
    assert held >= 16, "of 20, at 90 %"


def test_the_tables_and_the_picture_show_both(run: Callable[..., str], tmp_path: Path) -> None:
    told = run("--model", "coit-*", "--against", "continued-*")
    assert "law of coit-*" in told
    assert "continued-* at" in told
    both = (tmp_path / "laws.png").read_bytes()
    assert "law of" not in run("--model", "coit-*")
    assert both != (tmp_path / "laws.png").read_bytes()


def test_scores_beyond_the_ceiling_need_no_size(run: Callable[..., str]) -> None:
    told = run("--model", "continued-*", "--against", "coit-*")
    pairs = 320_000 * 0.75 ** (-1 / 0.11)
    assert f"{math.floor(pairs / 1e6)}," in told
    assert "*" in told


def test_a_family_without_scores_is_a_sentence(run: Callable[..., str]) -> None:
    with pytest.raises(InputError, match="No score is left"):
        run("--against", "nothing-*")
