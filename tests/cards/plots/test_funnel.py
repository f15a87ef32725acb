"""The picture of the sentence pairs: what is in a bar, how large it is, and that its bytes are always the same."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from builders.pipeline.filters import all_filters
from cards.plots import funnel as plots
from cards.plots.funnel import COLOURS, KEPT, OTHER, _group, _segments, draw_funnel
from tests.cards.test_dataset_card import rejected, totals

ROOT = Path(__file__).parents[3]
FILTERS = ["empty", "low_margin", "copy", "duplicate_exact", "contaminated", "wrong_language_xx"]
DRAW = "import json, sys; from pathlib import Path; from cards.plots.funnel import draw_funnel; "
DRAW += "draw_funnel(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])); "
DRAW += "assert 'matplotlib.pyplot' not in sys.modules"
SETTINGS = "axes.facecolor: red\nfont.size: 30\nfont.family: serif\nsavefig.dpi: 30\nsavefig.bbox: tight\n"


def ledger(lang, corpus="small", num_in=200, num_rejected=(10, 50, 20, 12, 1, 7)):
    """Return the ledger of one corpus: what came in, what each filter rejected, what is left."""
    stages = ["measured"] * 3 + ["duplicates", "contaminated", "decisions"]
    rows = [totals("measured", num_in, num_in - 80, corpus, lang)]
    rows += [rejected(*row, corpus, lang) for row in zip(stages, FILTERS, num_rejected, strict=True)]
    return [*rows, totals("decisions", num_in - 93, num_in - sum(num_rejected), corpus, lang)]


def manifest(langs=("el", "hi"), **changes):
    numbers = [number for lang in langs for number in ledger(lang)]
    filters = [{"name": name, "description": "", "thresholds": {}} for name in FILTERS]
    return {"name": "tiny", "version": "v1.0.0", "langs": [*langs], "filters": filters, "ledger": numbers} | changes


def size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def drawn(given, path: Path) -> bytes:
    draw_funnel(given, path)
    return path.read_bytes()


@pytest.mark.slow
def test_funnel_of_a_manifest_has_the_same_bytes(tmp_path):
    first = drawn(manifest(), tmp_path / "first.png")
    assert first == drawn(manifest(), tmp_path / "second.png")
    assert first != drawn(manifest(version="v1.0.1"), tmp_path / "other.png")
    assert b"matplotlib" not in first.lower()


@pytest.mark.slow
def test_funnel_does_not_depend_on_user_settings(tmp_path):
    (tmp_path / "matplotlibrc").write_text(SETTINGS)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(), sort_keys=True))
    own = {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DRAW, tmp_path / "manifest.json", tmp_path / "there.png"]
    subprocess.run(command, env=os.environ | own, cwd=tmp_path, check=True)
    assert (tmp_path / "there.png").read_bytes() == drawn(manifest(), tmp_path / "here.png")


def test_drawing_keeps_the_settings_of_the_process(tmp_path):
    import matplotlib

    keys = [key for key in matplotlib.rcParams if key != "backend"]  # which is looked for when it is asked for
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        before = [matplotlib.rcParams[key] for key in keys]
        draw_funnel(manifest(), tmp_path / "funnel.png")
        assert [matplotlib.rcParams[key] for key in keys] == before


def test_drawing_does_not_change_the_manifest(tmp_path):
    given = manifest()
    draw_funnel(given, tmp_path / "funnel.png")
    assert given == manifest()


@pytest.mark.slow
@pytest.mark.parametrize(("count", "height"), [(1, 364), (2, 428), (40, 1004)])
def test_funnel_is_2000_pixels_wide_and_grows_with_languages(tmp_path, monkeypatch, count, height):
    monkeypatch.setattr(plots, "language", lambda code: SimpleNamespace(name=f"Language {code}"))
    draw_funnel(manifest([f"x{number:02}" for number in range(count)]), tmp_path / "funnel.png")
    assert size(tmp_path / "funnel.png") == (2000, height)


def test_shares_of_a_language_add_up_to_one():
    other = ledger("el", "other-corpus", 50, (0, 0, 5, 0, 0, 45))
    segments = _segments(manifest(ledger=[*manifest()["ledger"], *other]))
    assert list(segments) == list(COLOURS)
    assert [shares["hi"] for shares in segments.values()] == [0.5, 0.25, 0.035, 0.06, 0.1, 0.05, 0.005]
    assert [shares["el"] for shares in segments.values()] == [0.4, 0.2, 0.208, 0.048, 0.1, 0.04, 0.004]
    for lang in ("el", "hi"):
        assert sum(shares[lang] for shares in segments.values()) == pytest.approx(1)


def test_many_languages_have_a_bar_each_of_the_largest_and_one_of_the_others():
    langs = [f"x{number:02}" for number in range(30)]
    numbers = [row for n, lang in enumerate(langs) for row in ledger(lang, num_in=200 + 10 * n)]
    segments = _segments(manifest(langs, ledger=numbers))
    assert list(segments[KEPT]) == [*langs[:19:-1], "20 other languages"]
    lines = range(200, 400, 10)
    assert segments[KEPT]["20 other languages"] == sum(n - 100 for n in lines) / sum(lines)


def test_empty_group_is_left_out_but_not_kept():
    nothing = ledger("el", num_rejected=(0, 200, 0, 0, 0, 0))
    assert _segments(manifest(["el"], ledger=nothing)) == {KEPT: {"el": 0}, "low margin": {"el": 1}}


def test_language_without_pairs_has_no_bar():
    assert list(_segments(manifest(["el", "hi"], ledger=ledger("hi")))[KEPT]) == ["hi"]


def test_unknown_filter_is_in_the_group_of_others():
    given = json.loads(json.dumps(manifest(["el"])).replace('"empty"', '"empty_brackets"'))
    segments = _segments(given)
    assert "unreadable or empty" not in segments
    assert segments[OTHER]["el"] == pytest.approx(0.15)
    assert sum(shares["el"] for shares in segments.values()) == pytest.approx(1)


def test_groups_cover_the_filters_of_the_project():
    groups = {name: _group(name) for name in all_filters()}
    assert set(groups.values()) == set(COLOURS) - {KEPT}
    assert groups["duplicate_normalised"] == "duplicates"
    assert groups["wrong_language_en"] == groups["wrong_script"] == "wrong language or script"
    assert groups["high_margin"] == groups["too_long"] == OTHER


def test_manifest_without_pairs_draws_no_funnel(tmp_path):
    records = [totals("instructions", 7, 7, "alpaca", "en")]
    draw_funnel(manifest(["en"], ledger=records, filters=[]), tmp_path / "funnel.png")
    assert not list(tmp_path.iterdir())
