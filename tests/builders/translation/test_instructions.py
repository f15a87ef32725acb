"""The verb `translate`, and translation as a stage of a release."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from builders.options import BuildOptions
from builders.run import run_publish
from builders.translation import import_memory
from tests.builders.conftest import ledger_counts
from tests.builders.translation.expected import expected
from tests.builders.translation.running import refused, run

GREEK = partial(expected, flores="ell_Grek")
RECORDS = [
    (
        "Name two colours. Say why.",
        "<noinput>",
        "- Red is warm.\n- Blue is cold; see https://a.org for {name}.\n\n```\nx = 1\n```",
    ),
    ("Correct the spelling.", "He go hom.", "He goes home."),
    ("Find a word that rhymes with cat.", "", "Hat."),
    ("What does 日本 mean?", "", "It is a country."),
]


def test_translations_have_the_ids_of_their_instructions(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    made = run(tmp_path, str(alpaca(*RECORDS)), "--langs", "el,ar", "--translator", str(converted), "--json")
    assert made.exit_code == 0, made.exception
    told = json.loads(made.stdout)
    greek, arabic = (pl.read_parquet(told["files"][lang]) for lang in ("el", "ar"))
    assert set(greek["id"]) == set(arabic["id"])
    rows = {row["output"]: (row["instruction"], row["input"]) for row in greek.to_dicts()}
    cold = f"- {GREEK('Blue is cold; see')} https://a.org {GREEK('for')} {{name}}."
    kept = f"- {GREEK('Red is warm.')}\n{cold}\n\n```\nx = 1\n```"
    assert rows == {
        kept: (GREEK("Name two colours. Say why."), ""),
        "He goes home.": (GREEK("Correct the spelling."), "He go hom."),
    }
    ledger = {(stage, lang, key): n for (stage, _, lang, key), n in ledger_counts(told["ledger"]).items()}
    assert ledger["translated_instructions", "el", "in"] == 4
    assert (
        ledger["translated_instructions", "el", "rhyme"],
        ledger["translated_instructions", "el", "unknown_token"],
    ) == (1, 1)
    assert ledger["segments", "en", "correction_in_part"] == 1
    totals = [row for row in told["ledger"] if row["reason"] is None]
    assert all(row["share"] == row["num_kept"] / row["num_in"] for row in totals), "of instructions, or of segments"
    assert told["translator"]["decoding"] == "float32 beam 1"


def test_number_of_instructions_is_limited(converted: Path, alpaca: Callable[..., Path], tmp_path: Path) -> None:
    made = run(
        tmp_path, str(alpaca(*RECORDS)), "--langs", "el", "--translator", str(converted), "--max-instructions", "1"
    )
    assert made.exit_code == 0, made.exception
    assert pl.read_parquet(tmp_path / "out" / "small.el.parquet").height == 1


def test_release_names_its_translator_and_licence(converted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in converted.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    request = BuildOptions(
        ("coit",),
        ("el",),
        sample=True,
        translator=str(folder),
        beam=1,
        compute_type="float32",
        work=tmp_path / "work",
        corpora_lock=tmp_path / "lock",
        threads=2,
    )
    human = tmp_path / "human.tmx"
    unit = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="el"><seg>{}</seg></tuv></tu>'
    sentence = "Explain in simple words why bread becomes stale."
    translation = "Εξήγησε με απλά λόγια γιατί μπαγιατεύει το ψωμί."
    human.write_text(f'<tmx version="1.4"><body>{unit.format(sentence, translation)}</body></tmx>')
    import_memory(human, work=tmp_path / "work")
    (release,) = run_publish(request, tmp_path / "registry", "instructions")
    assert release.manifest["translator"]["licence"] == "cc-by-nc-4.0"
    assert len(release.manifest["translator"]["human_sha256"]) == 64
    methods = release.manifest["translator"]["methods"]["el"]
    assert methods["human"] == 1
    card = (release.folder() / "README.md").read_text(encoding="utf-8")
    assert "cc-by-nc-4.0" in card
    assert "non-commercial use only" in card
    rows = pl.read_parquet(release.folder() / "data" / "el" / "*.parquet").filter(task="instruction", lang="el")
    assert rows.height > 30
    counts = ledger_counts(release.manifest["ledger"])
    passed = {key: n for (stage, _, _, key), n in counts.items() if stage == "translations"}
    assert passed["kept"] >= 0.9 * passed["in"]
    assert passed["kept"] == sum(methods.values())


def test_conversations_are_translated_turn_by_turn(converted: Path, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Name a fruit."}, {"role": "assistant", "content": "It is an apple."}]
    path = tmp_path / "chat.jsonl"
    path.write_text("\n".join(json.dumps({"messages": m}) for m in (turns, turns * 2)), encoding="utf-8")
    made = run(tmp_path, str(path), "--langs", "el", "--translator", str(converted))
    assert made.exit_code == 0, made.exception
    rows = pl.read_parquet(tmp_path / "out" / "chat.el.parquet").to_dicts()
    assert {(row["instruction"], row["output"]) for row in rows} == {(GREEK("Name a fruit."), GREEK("It is an apple."))}
    assert sorted(len(row["messages"] or ()) for row in rows) == [0, 4]


def test_bad_input_is_an_error_and_leaves_the_memory_unchanged(
    converted: Path, alpaca: Callable[..., Path], tmp_path: Path
) -> None:
    path = str(alpaca(*RECORDS[:1]))
    named = ("--langs", "el", "--translator", str(converted))
    assert run(tmp_path, path, *named).exit_code == 0
    before = {p: p.read_bytes() for p in (tmp_path / "work" / "memory").rglob("*.parquet")}
    assert before
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"instruction": "a", "output": "b"}\n{"instruction": "a" "output"}\n')
    assert "line 2," in refused(tmp_path, str(broken), *named)
    (tmp_path / "page.json").write_text("<!doctype html><html></html>")
    assert "HTML page" in refused(tmp_path, str(tmp_path / "page.json"), *named)
    assert "no file" in refused(tmp_path, "nowhere.json", *named)
    assert "does not have Hindi (hi)" in refused(tmp_path, path, "--langs", "hi", "--translator", str(converted))
    (tmp_path / "empty").mkdir()
    assert "is no translation model" in refused(
        tmp_path, path, "--langs", "el", "--translator", str(tmp_path / "empty")
    )
    assert "There is no translator 'nllb'" in refused(tmp_path, path, "--langs", "el", "--translator", "nllb")
    assert {p: p.read_bytes() for p in (tmp_path / "work" / "memory").rglob("*.parquet")} == before
