"""The pages in a real browser: Chromium by Playwright against the real server over a real build.

Where there is no Chromium or no Playwright, these tests are left out, and pytest says so.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = Path(__file__).parent / "axe-core-4.14.1.min.js"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="left out: no Chromium"),
]
PAGES = [
    *("corpora", "filters", "filter?name=length_ratio&lang=ar&t.max=1.5", "filter?name=numbers&lang=zh"),
    *("lines?lang=ar", "lines?lang=el&text=the&reason=kept", "labels?lang=el", "label?lang=zh&decision=kept"),
    *("translations?lang=ar", "releases", "release?release=coit-sample@v1.0.0&config=ar", "laws", "runs"),
    "difference?before=coit-sample@v1.0.0&after=coit-sample@v1.1.0",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page whose console stays without a message."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page, messages = context.new_page(), []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert not messages


@pytest.fixture(scope="module")
def project(built_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A project with a build of its own, two versions of a release, results and laws."""
    from builders.budget import fit
    from builders.options import BuildOptions
    from builders.pages import Project
    from builders.run import run_publish
    from recipes.results import append_results

    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(built_sample / "work", folder / "work")
    for thresholds in ({"length_ratio.max": 1.6}, {}):
        options = BuildOptions(
            ("coit",), ("ar", "el", "zh"), True, set=thresholds, work=folder / "work", corpora_lock=folder / "lock"
        )
        run_publish(options, folder / "registry")
    append_results(folder / "results.jsonl", results())
    fit(folder / "results.jsonl", output=folder / "laws.json")
    names = {"registry": str(folder / "registry"), "runs": folder / "runs", "labels": folder / "labels.csv"}
    files = {"laws": folder / "laws.json", "results": folder / "results.jsonl", "recipe_file": folder / "mine.toml"}
    (folder / "mine.toml").write_text('title = "Mine"\n')
    return Project(folder / "work", annotator="ann", **names, **files)


def results() -> list[Any]:
    from recipes.results import Result

    constant: dict[str, Any] = {"num_documents": 0, "seed": 0, "composition": {}, "benchmark": "flores", "n": 1012}
    constant |= {"direction": "en-xx", "metric": "chrf++", "interval": None, "signature": "s"}
    return [
        Result(
            release="coit-sample@v1.0.0", lang=lang, num_pairs=size, model=f"coit-{size}", metric_min=0.0,
            metric_max=100.0, value=100 - scale * size**-0.13 + wave, **constant,
        )
        for lang, scale in {"el": 71.2, "ar": 128.9}.items()
        for size, wave in ((50, 0.1), (100, -0.1), (200, 0.1), (400, -0.1))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def url(project: Any, serve: Callable[[Any], Any]) -> str:
    return str(serve(project).url)


def test_every_page_is_readable_by_all(browser: Any, url: str) -> None:
    """No message in the console, no serious finding of axe, no scrolling sideways on a phone, in both themes."""
    for width, scheme in ((1400, "light"), (390, "dark")):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        page, messages = context.new_page(), []
        page.on("console", lambda message, messages=messages: messages.append(message.text))
        for path in PAGES:
            assert page.goto(url + path).status == 200, path
            page.add_script_tag(path=AXE)
            result = page.evaluate("axe.run({resultTypes: ['violations']})")
            serious = [row for row in result["violations"] if row["impact"] in ("serious", "critical")]
            nodes = [(row["id"], node["html"][:200]) for row in serious for node in row["nodes"]]
            assert not nodes, (path, width, nodes)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
        assert not messages
        context.close()


@pytest.fixture(scope="module")
def many_lines(serve: Callable[[Any], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over a build of 100,000 lines, whose measures count as slow to read."""
    from builders.options import BuildOptions
    from builders.pages import Project, filter_page
    from builders.run import run_build
    from tests.benchmarks.growth import make_mirror

    folder = tmp_path_factory.mktemp("many-lines")
    make_mirror(folder / "mirror", "el", 100_000)
    paths: Any = {"work": folder / "work", "corpora_lock": folder / "lock", "mirror": str(folder / "mirror")}
    run_build(BuildOptions(("coit",), ("el",), translator="none", disable_filters=("misaligned",), **paths))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_page, "NUM_QUICK", 50_000)
        yield serve(Project(folder / "work", str(folder / "registry"), labels=folder / "labels.csv", annotator="a")).url


def test_a_hundred_thousand_lines_are_looked_at(page: Any, many_lines: str) -> None:
    assert page.goto(many_lines + "corpora").status == 200
    assert "100," in page.inner_text("main")
    page.goto(many_lines + "filters")
    page.click("text=length_ratio")
    page.wait_for_selector("#effect .effect")  # which replaces the sentence that the measure is read
    before = page.inner_text("#effect .effect")
    page.fill("input[name='t.max']", "1.2")
    page.wait_for_function("text => document.querySelector('#effect .effect').innerText != text", arg=before)
    assert page.locator("article.line").count() == 20
    page.goto(many_lines + "lines?lang=el&text=the")
    assert page.locator("article.line, tbody tr").count() >= 20
    page.goto(many_lines + "label?lang=el&decision=kept")
    shown = page.inner_text(".where")
    page.keyboard.press("r")
    page.wait_for_function("line => document.querySelector('.where').innerText != line", arg=shown)


def test_a_measure_that_is_read_first_is_shown_without_javascript_too(browser: Any, many_lines: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(many_lines + "filter?name=low_margin&lang=el")
    page.click("text=Show it")
    page.wait_for_selector("svg.chart")
    context.close()


def test_pages_lead_on_without_javascript(browser: Any, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + "filter?name=length_ratio&lang=zh")
    page.fill("input[name='t.max']", "1.5")
    page.click("text=Show the effect")
    assert page.inner_text(".effect strong") == "1"
    page.goto(url + "label?lang=zh&decision=kept")
    before = page.inner_text(".where")
    page.click("button[value=wrong]")
    assert page.inner_text(".where") != before
    page.click("button[value=undo]")
    assert page.inner_text(".where") == before
    context.close()


def test_moving_a_threshold_shows_its_effect_and_saves_it(page: Any, url: str, project: Any) -> None:
    page.goto(url + "filter?name=length_ratio&lang=zh")
    assert "The threshold of the build" in page.inner_text("#effect")
    page.focus("input[type=range]")
    while float(page.input_value("input[name='t.max']")) > 1.5:
        page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".effect strong")
    page.wait_for_function("() => document.querySelector('.effect strong').innerText == '1'")
    assert page.locator("article.line").count() > 5
    page.wait_for_selector("#estimate strong")
    assert page.inner_text("#estimate strong") == "-1 kept pairs"
    page.click("text=Save in mine.toml")
    page.wait_for_selector("text=Build again to apply it")
    assert re.search(r"\[filters.length_ratio\]\nmax = \{ zh = 1\.\d+ \}", project.recipe_file.read_text())


def test_twenty_lines_are_labelled_by_keyboard(page: Any, url: str, project: Any) -> None:
    from builders.labels import read_labels

    page.goto(url + "label?lang=el&decision=kept")
    shown = []
    for number in range(20):
        shown.append(page.inner_text(".where"))
        if number == 3:
            page.keyboard.press("n")
            page.keyboard.type("a wrong word, not a key")
            page.keyboard.press("Enter")
        page.keyboard.press("rw"[number % 2])
        page.wait_for_function("line => document.querySelector('.where').innerText != line", arg=shown[-1])
    page.keyboard.press("z")
    page.wait_for_function("line => document.querySelector('.where').innerText == line", arg=shown[-1])
    labels = {f"{row.corpus}:{row.line_number}": row for row in read_labels(project.labels) if row.lang == "el"}
    assert set(labels) == set(shown[:-1])
    assert labels[shown[3]].note == "a wrong word, not a key"
    assert [labels[line].label for line in shown[:4]] == ["right", "wrong"] * 2
    page.goto(url + "labels?lang=el")
    assert "19" in page.inner_text("tr:has(th:text-is('kept'))")


def test_a_corrected_translation_is_in_the_memory(page: Any, url: str, project: Any) -> None:
    from builders.translation.store import TranslationStore

    page.goto(url + "translations?lang=el&text=bread")
    page.click("table a")
    page.locator("summary").first.click()
    page.locator("textarea").first.fill("Εξήγησε απλά γιατί το ψωμί μπαγιατεύει γρήγορα.")
    page.locator("text=Put it into the memory").first.click()
    page.wait_for_selector(".saved")
    page.wait_for_selector("text=in the memory by ann")
    edits = TranslationStore(project.work / "memory").partition("", "el").rows().select(["text", "name"]).to_pylist()
    assert edits == [{"text": "Εξήγησε απλά γιατί το ψωμί μπαγιατεύει γρήγορα.", "name": "ann"}]


def test_the_difference_of_two_versions_leads_to_a_line(page: Any, url: str) -> None:
    page.goto(url + "releases")
    page.click("text=compare with v1.0.0")
    assert "1 rows added" in page.inner_text("main")
    page.goto(url + "release?release=coit-sample@v1.1.0&config=zh&text=teeth")
    page.locator("text=where it is from").first.click()
    assert "Dentists" in page.inner_text("article")


def test_a_budget_is_divided_live(page: Any, url: str) -> None:
    page.goto(url + "laws")
    before = page.inner_text("#mixture")
    page.fill("input[name=budget]", "120")
    page.wait_for_function("text => document.querySelector('#mixture').innerText != text", arg=before)
    assert "120 pairs" in page.inner_text("#mixture")
    assert "UniMax" in page.inner_text("#mixture")


def test_the_report_is_one_small_file_that_asks_for_nothing(browser: Any, project: Any, tmp_path: Path) -> None:
    from builders.pages import write_report

    for source in ("coit-sample", "coit-sample@v1.1.0"):
        path = write_report(source, tmp_path / "report.html", project.work, project.registry, project.labels)
        assert path.stat().st_size < 3_000_000
        context = browser.new_context(offline=True)
        page, requests, messages = context.new_page(), [], []
        page.on("request", lambda request, requests=requests: requests.append(request.url))
        page.on("console", lambda message, messages=messages: messages.append(message.text))
        page.goto(path.as_uri())
        assert page.inner_text("h1").endswith(source)
        assert page.locator("svg").count() > 3
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
        assert not messages
        context.close()


def test_a_script_in_a_sentence_is_text(browser: Any, serve: Callable[[Any], Any], tmp_path: Path) -> None:
    import polars as pl

    import builders
    from builders.pages import Project

    hostile = ["<script>alert(1)</script> once upon a time", "\" onmouseover='alert(1)' x=\""]
    hostile.append("</bdi></p><img src=x onerror=alert(1)>")
    pairs = pl.DataFrame({"en": [f"{text} number {n} here" for n, text in enumerate(hostile)], "xx": hostile})
    recipe = {"name": "mine", "title": "<b>T", "summary": "<i>s", "configs": "language", "langs": ["el"]}
    recipe |= {"bitext": ["mine"], "directions": ["en-xx"], "prompts": ["paper"], "validation": 0.0}
    builders.build(recipe, corpora={"mine": {"el": pairs}}, skip_decontamination=["all"], work=tmp_path / "work")
    names = {"registry": str(tmp_path / "registry"), "labels": tmp_path / "labels.csv", "annotator": "<u>x"}
    site = serve(Project(tmp_path / "work", **names))
    page, events = browser.new_page(), []
    page.on("dialog", lambda dialog: (events.append("dialog"), dialog.dismiss()))
    page.on("console", lambda message: events.append(message.text))
    paths = ("corpora", "lines", "label?decision=wrong_script&lang=el", "filter?name=wrong_script", "labels")
    for path in (*paths, "lines?text=%3Cscript%3E"):
        page.goto(site.url + path)
        page.mouse.move(300, 300)
        assert page.locator("main script, main img, main u, main b, main i").count() == 0, path
    page.goto(site.url + "lines")
    assert hostile[0] in page.inner_text("main")
    assert not events
    page.close()


def test_a_removed_table_is_a_sentence(browser: Any, project: Any, serve: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    shutil.copytree(project.work, tmp_path / "work")
    site = serve(replace(project, work=tmp_path / "work"))
    page = browser.new_page()
    assert page.goto(site.url + "lines?lang=el").status == 200
    shutil.rmtree(tmp_path / "work" / "decisions")
    shutil.rmtree(tmp_path / "work" / "pairs")
    for path in ("lines?lang=zh", "filter?name=length_ratio&lang=ar", "labels?lang=ar"):
        assert page.goto(site.url + path).status == 409, path
        assert "Reload the page" in page.inner_text("main")
    page.close()
