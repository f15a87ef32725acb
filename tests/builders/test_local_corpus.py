"""A corpus on this machine needs no network; missing benchmarks are named at once, with the option that skips them."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from builders.run import run_build
from corpora.catalog import load_catalog
from corpora.download import Source, missing_sources
from corpora.errors import InputError
from corpora.urls import url_path

LINES = {"mine": {"el": [(1.2, "The theatre was opened again.", "Το θέατρο άνοιξε ξανά.")]}}
MORE = 'decontaminate_against = ["flores101", "xquad", "mlqa"]\n'


NAMED = [  # what the recipe wants, what is skipped, what a mirror has, and what is named
    (MORE, (), "", "flores101,mlqa,xquad"),
    (MORE, ("xquad",), "", "flores101,mlqa"),
    (MORE, ("xquad", "mlqa"), "", "flores101"),
    (MORE, (), "xquad", "flores101,mlqa"),
    ('decontaminate_against = ["mlqa"]\n', (), "xquad", "mlqa"),
]


@pytest.mark.parametrize(("more", "skipped", "there", "named"), NAMED)
def test_missing_benchmarks_are_named_together_with_the_option_that_goes_without_them(
    request_for, tmp_path, more, skipped, there, named
):
    options = replace(request_for(LINES, more, tmp_path), skip_decontamination=skipped)
    if there:
        options = replace(options, mirror=str(write_mirror(tmp_path / "mirror", there)))
    with pytest.raises(InputError, match=rf"--skip-decontamination {named} \(or all\)"):
        run_build(options)


def write_mirror(folder: Path, *corpora: str) -> Path:
    """Write files at the places of these corpora in English and Greek; they are only looked for."""
    for name, lang in product(corpora, ("en", "el")):
        path = folder / url_path(load_catalog()[name].location(lang))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return folder


THERE = [(), ("xquad",), ("xquad", "mlqa"), ("flores101",), ("flores101", "mlqa", "xquad")]


@pytest.mark.parametrize("there", THERE)
def test_benchmarks_that_are_on_this_machine_are_not_named(tmp_path, there):
    catalog = load_catalog()
    sources = [Source(name, "el", catalog[name].location("el"), None) for name in ("flores101", "mlqa", "xquad")]
    missing = missing_sources(sources, tmp_path, str(write_mirror(tmp_path / "mirror", *there)))
    assert {source.corpus for source in missing} == {"flores101", "mlqa", "xquad"} - {*there}


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
