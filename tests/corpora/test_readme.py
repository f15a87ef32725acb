"""corpora/README.md: its reference tables are generated, its lists are complete, and its first example runs."""

import re
from pathlib import Path

import pytest

from corpora.catalog import Corpus, Language, load_catalog
from corpora.reading import READ_ERRORS, READERS
from corpora.tables import keys_table

README = (Path(__file__).parents[2] / "corpora" / "README.md").read_text(encoding="utf-8")


def catalogue() -> str:
    lines = ["| corpus | kind | languages | licence | title |", "|---|---|---|---|---|"]
    for corpus in load_catalog().values():
        langs = "any" if corpus.langs == "any" else ", ".join(corpus.langs)
        langs = f"{len(corpus.langs)} languages" if len(corpus.langs) > 12 else langs
        lines.append(
            f"| [`{corpus.id}`]({corpus.homepage}) | {corpus.kind} | {langs} | {corpus.licence} | {corpus.title} |"
        )
    return "\n".join(lines) + "\n"


GENERATED = {
    "Corpus": lambda: keys_table(Corpus, "id", "folder"),
    "Language": lambda: keys_table(Language),
    "catalogue": catalogue,
}


@pytest.mark.parametrize("name", GENERATED)
def test_tables_are_generated(name: str) -> None:
    assert GENERATED[name]() in README, f"put this into corpora/README.md:\n{GENERATED[name]()}"


def test_every_format_and_read_error_is_listed() -> None:
    listed = {
        (kind, name)
        for kind, names in re.findall(r"(?m)^\| (\w+) \| ((?:`[\w-]+`(?:, )?)+) \|", README)
        for name in re.findall(r"`([\w-]+)`", names)
    }
    assert listed == {(kind, name) for kind, formats in READERS.items() for name in formats}
    assert {name for name in READ_ERRORS if f"\n| `{name}` |" in README} == set(READ_ERRORS)


def test_first_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0], {})
    assert "['line_number', 'en', 'xx', 'margin', 'read_error']" in capsys.readouterr().out
