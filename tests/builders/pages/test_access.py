"""Who may ask: a token in every address, this host, forms of its own pages; texts are never markup."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow


def test_pages_need_the_token(site) -> None:
    token = urlsplit(site.url).path
    assert site.get("corpora")[0] == 200
    for path in (
        "/",
        "/corpora",
        "/x" + token[1:] + "corpora",
        token[:-2] + "/corpora",
        "/assets/browse.css",
        "//corpora",
    ):
        status, text = site.get(path)
        assert (status, "token" in text) == (404, True), path


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1", "", "127.0.0.1.evil.example"]
)
def test_a_foreign_host_is_refused(site, host: str) -> None:
    assert site.get("corpora", Host=host)[0] == 421


def test_answers_forbid_inline_scripts_frames_and_storage(site) -> None:
    import urllib.request

    with urllib.request.urlopen(site.url + "corpora") as answer:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_an_unknown_name_is_a_sentence(site) -> None:
    for path in ("filter?name=nope", "filter?name=length_ratio&lang=xx", "corpora?build=../../etc/passwd", "nowhere"):
        status, text = site.get(path)
        assert status in (400, 404), path
        assert "Traceback" not in text
    assert "is a number, not &#39;&lt;b&gt;&#39;" in site.get("filter?name=length_ratio&t.max=%3Cb%3E")[1]


def test_no_path_leads_out_of_the_assets(site) -> None:
    for path in ("assets/../app.py", "assets/%2e%2e/app.py", "assets/..%2f..%2fapi.py", "assets//etc/passwd"):
        assert site.get(path)[0] == 404, path


def test_templates_have_no_inline_script_or_style() -> None:
    import re

    import builders.pages

    for path in (Path(builders.pages.__file__).parent / "templates").glob("*"):
        if path.name == "report.html.jinja":
            continue  # one file, with our own stylesheet
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|\|\s*safe|javascript:", text), (
            path.name
        )


def test_a_form_needs_the_origin_of_this_server(site) -> None:
    form = {"lang": "el", "line": "sample-wikimatrix:1", "label": "right", "slice": "kept"}
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "https://" + urlsplit(site.url).netloc, ""):
        status, text = site.post("label", form, Origin=origin)
        assert (status, "form of another page" in text) == (403, True), origin
    assert site.post("label", {**form, "note": "x" * 70_000})[0] == 413
    assert not site.project.labels.exists()


@pytest.mark.parametrize(
    "form",
    [
        {"label": "good"},
        {"line": "nowhere:1"},
        {"line": "sample-wikimatrix:99999999999999999999"},
        {"line": "../../etc/passwd:1"},
        {"slice": "kept length_ratio 3 2"},
        {"slice": "nope"},
        {"lang": "xx"},
        {"slice": "kept nope 1 2"},
    ],
)
def test_a_wrong_form_writes_nothing(site, form: dict[str, str]) -> None:
    known = {"lang": "el", "line": "sample-wikimatrix:1", "label": "right", "slice": "kept", "known": ""}
    assert site.post("label", {**known, **form})[0] == 400
    assert not site.project.labels.exists()


def test_projects_with_nothing_to_show_say_so(serve, tmp_path: Path) -> None:
    from builders.options import BuildOptions
    from builders.pages import Project
    from builders.run import run_build

    site = serve(Project(tmp_path / "work", str(tmp_path / "registry"), tmp_path / "runs", tmp_path / "labels.csv"))
    paths = ("corpora", "filters", "filter?name=numbers", "lines", "labels", "label", "translations")
    for path in paths:
        status, text = site.get(path)
        assert (status, "has no build yet" in text) == (400, True), path
    for path in ("releases", "laws", "runs"):
        assert site.get(path)[0] == 200, path
    run_build(BuildOptions(("alpaca-en",), (), True, work=tmp_path / "work", corpora_lock=tmp_path / "lock"))
    for path in paths:
        status, text = site.get(path)
        assert status == 200 or "no sentence pairs" in text, path
