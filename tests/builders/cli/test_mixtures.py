"""The verbs fit, allocate and plan: what they print and write, and their errors."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from builders.budget import fit
from builders.cli import cli
from corpora.errors import InputError

BUILDERS = [sys.executable, "-m", "builders"]
TABLE4 = {
    "ar": (60.5567, 0.11),
    "el": (71.1641, 0.140436),
    "hi": (128.9166, 0.15),
    "tr": (112.9395, 0.171009),
    "vi": (60.1153, 0.121466),
    "zh": (57.3984, 0.11099),
}
AVAILABLE = {"ar": 1_097_200, "el": 620_800, "hi": 234_233, "tr": 477_700, "vi": 1_073_800, "zh": 912_500}
ALLOCATE = ("allocate", "--budget", "1200000", "--laws", "laws.json", "--available", "available.csv")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CSV of noisy values by Table 4's laws, one of the paper's available pairs, and fitted laws."""
    folder = tmp_path_factory.mktemp("mixtures")
    rng = np.random.default_rng(7)
    rows = [
        f"{lang},{size},{100 - scale * size**-exponent + rng.normal(0, 0.25):.2f}"
        for lang, (scale, exponent) in TABLE4.items()
        for size in (5_000, 20_000, 50_000, 200_000)
    ]
    (folder / "results.csv").write_text("\n".join(["lang,num_pairs,value", *rows]) + "\n")
    (folder / "available.csv").write_text("lang,rows\n" + "".join(f"{k},{n}\n" for k, n in AVAILABLE.items()))
    fit(
        folder / "results.jsonl", import_=folder / "results.csv", model="m", metric="comet", output=folder / "laws.json"
    )
    return folder


@pytest.fixture
def folder(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: with the two CSV files."""
    for name in ("results.csv", "available.csv"):
        shutil.copy(inputs / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fitted(inputs: Path, folder: Path) -> Path:
    """The working folder: with results and laws too."""
    for name in ("results.jsonl", "laws.json", "laws.png"):
        shutil.copy(inputs / name, folder)
    return folder


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs a command in the folder and returns what it prints."""

    def call(*arguments: str) -> str:
        capsys.readouterr()
        cli.main(list(arguments), standalone_mode=False)
        return capsys.readouterr().out

    return call


@pytest.mark.slow
def test_fit_prints_writes_and_draws_laws(folder: Path, run: Callable[..., str]) -> None:
    printed = run("fit", "--import", "results.csv", "--model", "m", "--metric", "comet", "--gamma", "ar=0.04")
    assert "ar: gamma 0.04, so the paper's alpha is " in printed
    assert len((folder / "results.jsonl").read_text().splitlines()) == 24
    assert (folder / "laws.png").read_bytes().startswith(b"\x89PNG")
    laws = json.loads((folder / "laws.json").read_text())["laws"]
    assert [law["lang"] for law in laws] == sorted(TABLE4)
    before = (folder / "laws.json").read_bytes()
    again = run("fit", "--metric", "comet", "--gamma", "ar=0.04")
    assert again == printed.removeprefix("24 of 24 imported rows are new.\n\n")
    assert (folder / "laws.json").read_bytes() == before, "the same scores give the same laws, to the byte"


@pytest.mark.slow
def test_allocate_writes_a_mixture_that_spends_the_budget(fitted: Path, run: Callable[..., str]) -> None:
    printed = run(*ALLOCATE, "--output", "mixture.csv", "--picture", "frontier.png")
    lines = [line.split(",") for line in (fitted / "mixture.csv").read_text().splitlines()[1:]]
    counts = {lang: int(rows) for lang, rows, _ in lines}
    assert sum(counts.values()) == 1_200_000
    assert counts["hi"] == 234_233
    for lang, rows in counts.items():
        assert f"{rows:,}" in printed, lang
    for name in ("UniMax", "uniform", "temperature 0.3", "proportional"):
        assert name in printed
    assert "Expected regret: " in printed
    assert (fitted / "frontier.png").read_bytes().startswith(b"\x89PNG")


def test_allocate_from_laws_and_from_results_is_the_same(fitted: Path, run: Callable[..., str]) -> None:
    by_laws = json.loads(run(*ALLOCATE, "--json"))
    by_scores = json.loads(run("allocate", "--budget", "1200000", "--available", "available.csv", "--json"))
    assert by_laws["mixture"] == by_scores["mixture"]
    assert by_laws["alternatives"][1]["name"] == "unimax"
    assert by_laws["alternatives"][-1]["p_better"] > 0.99
    assert by_laws["regret"]["expected"] < 0.01


@pytest.mark.slow
def test_allocate_options(fitted: Path, run: Callable[..., str]) -> None:
    (fitted / "tokens.csv").write_text(
        "lang,tokens\n" + "".join(f"{lang},{100 + n}\n" for n, lang in enumerate(AVAILABLE))
    )
    table = json.loads(run(*ALLOCATE, "--costs", "tokens.csv", "--json"))
    assert table["unit"] == "tokens"
    assert 1_200_000 - 100 < table["spent"] <= 1_200_000
    (fitted / "run").mkdir()
    (fitted / "tokens.csv").rename(fitted / "run" / "tokens_per_pair.csv")
    sessions = [{"tokens_per_second": 500.0, "seconds": 60, "world_size": 4}, {"world_size": 4}]
    sessions += [{"tokens_per_second": 250.0, "seconds": 120, "world_size": 2}]
    (fitted / "run" / "run.json").write_text(json.dumps({"sessions": sessions}))
    table = json.loads(run(*ALLOCATE[:2], "2.5h", *ALLOCATE[3:], "--costs", "run", "--json"))
    assert (table["unit"], table["budget"]) == ("tokens", 2.5 * 3600 * 125)  # 60,000 tokens in 480 device seconds
    table = json.loads(run(*ALLOCATE, "--min", "1000", "--min", "zh=400000", "--max", "ar=1500", "--json"))
    counts = {row["lang"]: row["num_pairs"] for row in table["mixture"]}
    assert (counts["zh"], counts["ar"]) == (400_000, 1_500)
    heavy = json.loads(run(*ALLOCATE, "--weight", "zh=5", "--json"))
    assert {row["lang"]: row["num_pairs"] for row in heavy["mixture"]}["zh"] > 400_000
    (fitted / "few.csv").write_text(
        "lang,rows\n" + "".join(f"{lang},{rows // 20}\n" for lang, rows in AVAILABLE.items())
    )
    command = ("allocate", "--budget", "600000", "--laws", "laws.json", "--available", "few.csv")
    repeated = json.loads(run(*command, "--epochs", "4", "--json"))
    assert sum(row["num_pairs"] for row in repeated["mixture"]) == 600_000
    assert max(row["epochs"] for row in repeated["mixture"]) > 1
    assert json.loads(run(*command, "--allow-partial", "--json"))["spent"] == sum(
        rows // 20 for rows in AVAILABLE.values()
    )
    assert "Robust of 1,200,000" in run(*ALLOCATE, "--quantile", "0.1")


def test_plan_prints_runs_and_when_to_stop(fitted: Path, run: Callable[..., str]) -> None:
    command = ("plan", *ALLOCATE[1:], "--runs", "3")
    runs = json.loads(run(*command, "--target-regret", "0", "--json"))
    assert len(runs) == 3
    assert runs[0]["regret_after"] < runs[0]["regret_before"]
    assert "still above 0 points" in run(*command, "--target-regret", "0")
    assert "Nothing to measure" in run(*command, "--target-regret", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fit", "--results", "none.jsonl"), "There is no file none.jsonl"),
        (("fit", "--import", "results.csv"), "needs --metric"),
        (("fit", "--import", "results.csv", "--metric", "comet"), "needs --model"),
        (("fit", "--import", "results.csv", "--metric", "comet", "--model", "m-*"), "needs --model"),
        (("fit", "--import", "results.csv", "--model", "m", "--metric", "comet", "--metric-range", "0"), "two numbers"),
        (("fit", "--langs", "xx"), "Unknown language 'xx'"),
        (("fit", "--langs", "de"), "No result is of these models and languages"),
        (("fit", "--gamma", "ar=much"), "a number of at least 0"),
        (("fit", "--gamma", "de=0.1"), "not one of the languages"),
        ((*ALLOCATE[:2], "5000000", *ALLOCATE[3:]), "above the sum of the maximums, 4,416,233 pairs"),
        ((*ALLOCATE[:2], "0", *ALLOCATE[3:]), "at least 1"),
        ((*ALLOCATE[:2], "nan", *ALLOCATE[3:]), "at least 1"),
        ((*ALLOCATE, "--langs", "ar,de"), "available.csv has no number for de"),
        ((*ALLOCATE, "--min", "hi=300000"), "minimum of hi, 300,000 pairs, is above its maximum of 234,233"),
        ((*ALLOCATE, "--max", "hi=0"), "hi has no pairs"),
        ((*ALLOCATE, "--weight", "hi=0"), "The weight of hi must be above 0, not 0"),
        ((*ALLOCATE, "--weight", "hi=nan"), "--weight hi=nan: a number of at least 0 was expected"),
        ((*ALLOCATE, "--epochs", "0.5"), "--epochs takes a number from 1 to 100"),
        ((*ALLOCATE, "--quantile", "0.9"), "--quantile takes a number between 0 and 0.5"),
        ((*ALLOCATE, "--costs", "available.csv"), "the columns lang,tokens were expected"),
        ((*ALLOCATE[:2], "12h", *ALLOCATE[3:]), "--budget 12h is in device hours: name the folder of a run"),
        ((*ALLOCATE[:2], "12h", *ALLOCATE[3:], "--costs", "."), "run.json with its sessions was expected"),
        (("allocate", "--budget", "10", "--laws", "laws.json"), "or from a CSV with --available"),
        (
            ("allocate", "--budget", "10", "--laws", "available.csv", "--available", "available.csv"),
            "available.csv is not valid JSON",
        ),
        (("plan", *ALLOCATE[1:], "--overhead", "-1"), "--overhead and --target-regret"),
    ],
)
def test_mistakes_are_errors_and_write_nothing(
    fitted: Path, run: Callable[..., str], arguments: tuple[str, ...], message: str
) -> None:
    before = {path: path.read_bytes() for path in fitted.iterdir()}
    with pytest.raises(InputError, match=message):
        run(*arguments)
    assert {path: path.read_bytes() for path in fitted.iterdir()} == before


@pytest.mark.slow
def test_errors_exit_with_2_without_a_traceback(folder: Path) -> None:
    (folder / "results.jsonl").write_text('{"lang": "el"}\n')
    for command in (["fit"], ["allocate", "--budget", "10", "--available", "available.csv"], ["plan", "--budget", "x"]):
        done = subprocess.run([*BUILDERS, *command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Error: " in done.stderr
        assert "Traceback" not in done.stderr
