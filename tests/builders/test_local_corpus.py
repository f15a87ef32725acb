"""A corpus on this machine needs no network; missing benchmarks are named at once, with the option that skips them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from builders.run import run_build
from corpora.errors import InputError

LINES = {"mine": {"el": [(1.2, "The theatre was opened again.", "Το θέατρο άνοιξε ξανά.")]}}
MORE = 'decontaminate_against = ["flores101", "xquad", "mlqa"]\n'


@pytest.mark.parametrize("skipped", [(), ("xquad",)])
def test_missing_benchmarks_are_named_together_with_the_option_that_goes_without_them(request_for, tmp_path, skipped):
    options = replace(request_for(LINES, MORE, tmp_path), skip_decontamination=skipped)
    names = ",".join(name for name in ("flores101", "mlqa", "xquad") if name not in skipped)
    with pytest.raises(InputError, match=rf"--skip-decontamination {names} \(or all\)"):
        run_build(options)


@pytest.mark.slow
@pytest.mark.parametrize("skipped", [("all",), ("flores101", "xquad", "mlqa")])
def test_build_without_them_needs_no_network(request_for, tmp_path, skipped):
    options = replace(request_for(LINES, MORE, tmp_path), skip_decontamination=skipped)
    assert run_build(options)[0].recipe.not_decontaminated == ("flores101", "xquad", "mlqa")


@pytest.mark.parametrize("name", ["a [b]", "s3:work", "a::b"])
def test_work_folder_that_cannot_be_used_is_refused_at_the_start(request_for, tmp_path, monkeypatch, name):
    options = request_for(LINES, "", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(str(tmp_path / name))):
        run_build(replace(options, work=Path(name)))
    assert not (tmp_path / name).exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ['it\'s "q" sp ace ', "#x?y=1&z", "50%25 {el} $HOME", "😀 é.", "n" * 250, "new\nline"])
def test_odd_work_folders_and_corpus_folders_work(request_for, tmp_path, name):
    (tmp_path / name).mkdir()
    options = replace(request_for(LINES, "", tmp_path / name), work=tmp_path / name / "work")
    assert run_build(options)[0].lines("el").collect().height == 1
