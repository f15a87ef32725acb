"""Texts from outside in documents: whatever they are, a reader sees the text and no markup of it."""

import re
from html.parser import HTMLParser

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cards.escaping import code, fence, front_matter, html, label, markdown, one_line

PIECES = [
    *("# ", "## H", "\n", "\r\n", "\n\n", "---", "===", "```", "~~~", "`", "|", "\\", "\\|", "<script>", "</details>"),
    *("<!-- x -->", "<!-- notice -->", "[a](http://x.y)", "![i](z)", "[r]: http://x.y", "http://x.y", "www.x.y"),
    *("*", "_", "**b**", "~~s~~", "$x^2$", "&lt;", "&#35;", ">", "- ", "+ ", "1. ", "    ", "\t", "\u2028", "\x85"),
    *("\x1b[31m", "\x00", "{{ 7 }}", "{% if %}", "word", "नमस्ते", "مرحبا", "x@y.z", ": ", "- a: b", "|---|", "{#id}"),
]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12).map("".join)
RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
quick = settings(max_examples=200, deadline=None)


def tokens(text: str) -> list:
    """The blocks of a text, and the parts of its lines."""
    blocks = RENDERER.parse(text)
    return [part for block in blocks for part in (block, *(block.children or ()))]


def visible(text: str) -> str:
    return "".join(part.content for part in tokens(text) if part.type in ("text", "code_inline", "text_special"))


@quick
@given(HOSTILE)
@example("`` ` ``")
@example("a\\")
def test_markdown_is_a_paragraph_of_its_text(text):
    assert {part.type for part in tokens(f"Before {markdown(text)}")} <= {
        *("paragraph_open", "inline", "text", "text_special", "paragraph_close"),
    }
    assert visible(f"x{markdown(text)}")[1:].strip() == one_line(text)
    assert not [part for part in tokens(markdown(text)) if part.type not in {
        *("paragraph_open", "inline", "text", "text_special", "paragraph_close"),
    }]  # fmt: skip


@quick
@given(HOSTILE, HOSTILE)
def test_cells_of_a_table_stay_in_their_cells(first, second):
    table = f"| a | b |\n|---|---|\n| {markdown(first)} | {code(second)} |\n\n## After"
    cells = [block for block in RENDERER.parse(table) if block.type == "inline"]
    assert len(cells) == 5
    assert [visible(cell.content).strip() for cell in cells[2:4]] == [one_line(first), one_line(second)]
    assert not [part for part in tokens(table) if part.type in ("html_inline", "html_block", "link_open", "image")]


@quick
@given(HOSTILE)
def test_heading_is_one_heading_of_its_text(text):
    blocks = RENDERER.parse(f"# The {markdown(text)} end")
    assert [block.type for block in blocks] == ["heading_open", "inline", "heading_close"]
    assert one_line(visible(blocks[1].content)) == one_line(f"The {text} end")


@quick
@given(HOSTILE)
def test_fence_holds_its_text(text):
    blocks = RENDERER.parse(f"{fence(text, 'text')}\n\n## After")
    assert [block.type for block in blocks] == ["fence", "heading_open", "inline", "heading_close"]


@quick
@given(HOSTILE, HOSTILE)
def test_front_matter_is_read_back_and_ends_where_it_ends(title, summary):
    values = {"title": title, "list": [summary], title or "key": {"of": summary}}
    card = f"{front_matter(values)}\n\n# After\n"
    match = re.match(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\r|\n|$))", card)  # as the Hub finds it
    assert yaml.safe_load(match[2]) == values
    assert card[match.end() :] == "\n# After\n"


class Reader(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag == "p"
        assert [name for name, _ in attrs] == ["title"]

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_data(self, data):
        self.text += data


@quick
@given(HOSTILE)
def test_html_is_text(text):
    page = Reader(f'<p title="{html(text)}">{html(text)}</p>')
    assert page.tags == ["p"]
    assert one_line(page.text) == one_line(text)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(HOSTILE)
def test_label_is_drawn_as_text_and_svg_stays_whole(text):
    from io import BytesIO
    from xml.etree import ElementTree

    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.text(0, 0.5, label(text))
    file = BytesIO()
    figure.savefig(file, format="svg")
    assert "script" not in {
        element.tag.rpartition("}")[2] for element in ElementTree.fromstring(file.getvalue()).iter()
    }


def test_joiners_of_hindi_and_persian_are_kept():
    assert markdown("क्‍ष می‌خواهم") == "क्‍ष می‌خواهم"


def test_names_stay_readable():
    assert markdown("news-commentary v16, cc-by-4.0: low_margin (C# 7)") == (
        "news-commentary v16, cc-by-4.0: low_margin (C# 7)"
    )
    assert code("low_margin") == "`low_margin`"
