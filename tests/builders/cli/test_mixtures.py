"""The commands from scores to a mixture: what they print and write, and how they refuse."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from builders.cli.main import cli
from corpora.errors import InputError

BUILDERS = [sys.executable, "-m", "builders"]
TABLE4 = {
    "ar": (60.5567, -0.11),
    "el": (71.1641, -0.140436),
    "hi": (128.9166, -0.15),
    "tr": (112.9395, -0.171009),
    "vi": (60.1153, -0.121466),
    "zh": (57.3984, -0.11099),
}
CAPS = {"ar": 1_097_200, "el": 620_800, "hi": 234_233, "tr": 477_700, "vi": 1_073_800, "zh": 912_500}
ALLOCATE = ("allocate", "--budget", "1200000", "--laws", "laws.json", "--caps", "caps.csv")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CSV of noisy scores by Table 4's laws, and one of the paper's caps; the current one."""
    rng = np.random.default_rng(7)
    rows = [
        f"{lang},{size},{100 - k * size**beta + rng.normal(0, 0.25):.2f}"
        for lang, (k, beta) in TABLE4.items()
        for size in (5_000, 20_000, 50_000, 200_000)
    ]
    (tmp_path / "results.csv").write_text("\n".join(["lang,num_pairs,value", *rows]) + "\n")
    (tmp_path / "caps.csv").write_text("lang,rows\n" + "".join(f"{lang},{cap}\n" for lang, cap in CAPS.items()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints, run in that folder."""

    def call(*arguments: str) -> str:
        capsys.readouterr()
        cli.main(list(arguments), standalone_mode=False)
        return capsys.readouterr().out

    return call


@pytest.fixture
def fitted(folder: Path, run: Callable[..., str]) -> Path:
    """The folder with laws in it."""
    run("fit", "--import", "results.csv", "--metric", "comet")
    return folder


def test_fit_prints_and_writes_laws_and_draws_them(folder: Path, run: Callable[..., str]) -> None:
    told = run("fit", "--import", "results.csv", "--metric", "comet", "--gamma", "ar=0.04")
    assert "ar: gamma 0.04, so alpha " in told
    assert len((folder / "results.jsonl").read_text().splitlines()) == 24
    assert (folder / "laws.png").read_bytes().startswith(b"\x89PNG")
    laws = json.loads((folder / "laws.json").read_text())["laws"]
    assert [law["lang"] for law in laws] == sorted(TABLE4)
    before = (folder / "laws.json").read_bytes()
    assert run("fit", "--import", "results.csv", "--metric", "comet", "--gamma", "ar=0.04") == told
    assert (folder / "laws.json").read_bytes() == before, "the same scores give the same laws, to the byte"


def test_allocate_writes_a_mixture_that_spends_the_budget_with_hindi_at_its_cap(
    fitted: Path, run: Callable[..., str]
) -> None:
    told = run(*ALLOCATE, "--to", "mixture.csv", "--picture", "frontier.png")
    lines = [line.split(",") for line in (fitted / "mixture.csv").read_text().splitlines()[1:]]
    counts = {lang: int(rows) for lang, rows, _ in lines}
    assert sum(counts.values()) == 1_200_000
    assert counts["hi"] == 234_233
    for lang, rows in counts.items():
        assert f"{rows:,}" in told, lang
    for name in ("unimax", "uniform", "temperature:0.3", "proportional"):
        assert name in told
    assert "Expected regret of this split" in told
    assert (fitted / "frontier.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_split_follows_from_scores_and_for_a_machine(fitted: Path, run: Callable[..., str]) -> None:
    by_laws = json.loads(run(*ALLOCATE, "--json"))
    by_scores = json.loads(run("allocate", "--budget", "1200000", "--caps", "caps.csv", "--json"))
    assert by_laws["mixture"] == by_scores["mixture"]
    assert by_laws["alternatives"][1]["name"] == "unimax"
    assert by_laws["alternatives"][-1]["beaten"] > 0.99
    assert by_laws["regret"]["expected"] < 0.01


def test_costs_floors_weights_epochs_and_the_robust_split(fitted: Path, run: Callable[..., str]) -> None:
    (fitted / "tokens.csv").write_text("lang,tokens\n" + "".join(f"{lang},{100 + n}\n" for n, lang in enumerate(CAPS)))
    table = json.loads(run(*ALLOCATE, "--costs", "tokens.csv", "--json"))
    assert table["unit"] == "tokens"
    assert 1_200_000 - 100 < table["spent"] <= 1_200_000
    table = json.loads(run(*ALLOCATE, "--floor", "1000", "--floor", "zh=400000", "--cap", "ar=1500", "--json"))
    counts = {row["lang"]: row["pairs"] for row in table["mixture"]}
    assert (counts["zh"], counts["ar"]) == (400_000, 1_500)
    heavy = json.loads(run(*ALLOCATE, "--weight", "zh=5", "--json"))
    assert {row["lang"]: row["pairs"] for row in heavy["mixture"]}["zh"] > 400_000
    (fitted / "few.csv").write_text("lang,rows\n" + "".join(f"{lang},{cap // 20}\n" for lang, cap in CAPS.items()))
    command = ("allocate", "--budget", "600000", "--laws", "laws.json", "--caps", "few.csv")
    repeated = json.loads(run(*command, "--epochs", "4", "--json"))
    assert sum(row["pairs"] for row in repeated["mixture"]) == 600_000
    assert max(row["epochs"] for row in repeated["mixture"]) > 1
    assert json.loads(run(*command, "--at-most", "--json"))["spent"] == sum(cap // 20 for cap in CAPS.values())
    assert "Robust of 1,200,000" in run(*ALLOCATE, "--robust", "0.1")


def test_plan_names_runs_and_when_to_stop(fitted: Path, run: Callable[..., str]) -> None:
    command = ("plan", *ALLOCATE[1:], "--runs", "3")
    runs = json.loads(run(*command, "--enough", "0", "--json"))
    assert len(runs) == 3
    assert runs[0]["after"] < runs[0]["before"]
    assert "still above 0 points" in run(*command, "--enough", "0")
    assert "Nothing to measure" in run(*command, "--enough", "1")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("fit", "--results", "none.jsonl"), "There is no file none.jsonl"),
        (("fit", "--import", "results.csv"), "Say which --metric"),
        (("fit", "--import", "results.csv", "--metric", "comet", "--metric-range", "0"), "two numbers"),
        (("fit", "--langs", "xx"), "Unknown language 'xx'"),
        (("fit", "--langs", "de"), "No score is left"),
        (("fit", "--gamma", "ar=much"), "a number of at least 0"),
        (("fit", "--gamma", "de=0.1"), "not among the languages"),
        ((*ALLOCATE[:2], "5000000", *ALLOCATE[3:]), "above the sum of the caps, 4,416,233 pairs"),
        ((*ALLOCATE[:2], "0", *ALLOCATE[3:]), "at least 1"),
        ((*ALLOCATE[:2], "nan", *ALLOCATE[3:]), "at least 1"),
        ((*ALLOCATE, "--langs", "ar,de"), "caps.csv says nothing of de"),
        ((*ALLOCATE, "--floor", "hi=300000"), "floor of hi, 300,000 pairs, is above its cap of 234,233"),
        ((*ALLOCATE, "--cap", "hi=0"), "hi has no pairs to give"),
        ((*ALLOCATE, "--weight", "hi=0"), "The weight of hi must be above 0, not 0"),
        ((*ALLOCATE, "--weight", "hi=nan"), "--weight hi=nan: a number of at least 0 was expected"),
        ((*ALLOCATE, "--epochs", "0.5"), "--epochs takes a number from 1 to 100"),
        ((*ALLOCATE, "--robust", "0.9"), "--robust takes a lower quantile"),
        ((*ALLOCATE, "--costs", "caps.csv"), "the columns lang,tokens were expected"),
        (("allocate", "--budget", "10", "--laws", "laws.json"), "--caps takes them from a CSV instead"),
        (("allocate", "--budget", "10", "--laws", "caps.csv", "--caps", "caps.csv"), "caps.csv is not valid JSON"),
        (("plan", *ALLOCATE[1:], "--overhead", "-1"), "--overhead and --enough"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_writes_nothing(
    fitted: Path, run: Callable[..., str], arguments: tuple[str, ...], told: str
) -> None:
    before = {path: path.read_bytes() for path in fitted.iterdir()}
    with pytest.raises(InputError, match=told):
        run(*arguments)
    assert {path: path.read_bytes() for path in fitted.iterdir()} == before


def test_a_refusal_is_exit_code_2_without_a_traceback(folder: Path) -> None:
    (folder / "results.jsonl").write_text('{"lang": "el"}\n')
    for command in (["fit"], ["allocate", "--budget", "10", "--caps", "caps.csv"], ["plan", "--budget", "x"]):
        done = subprocess.run([*BUILDERS, *command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Error: " in done.stderr
        assert "Traceback" not in done.stderr
