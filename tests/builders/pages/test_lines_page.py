"""The page of lines: what a search finds, page by page, and what it marks."""

import re

import pytest

pytestmark = pytest.mark.slow


def test_a_contaminated_line_shows_the_sentence_of_the_benchmark(site) -> None:
    for lang in ("ar", "el", "zh"):
        text = site.get(f"lines?lang={lang}&reason=contaminated")[1]
        assert "as it is compared" in text
        assert re.search(r'<mark class="shared">[^<]{10,}</mark>', text), lang


def test_a_search_finds_every_line_with_the_text_in_any_case(built_sample) -> None:
    import numpy as np

    from builders.lines import open_build, open_lines, read_lines_at, search_texts

    lines = open_lines(open_build(built_sample / "work"), "ar")
    everything = np.arange(lines.num_rows)
    texts = {row.index: f"{row.en}\n{row.xx}".lower() for row in read_lines_at(lines, everything)}
    for text in ("the river", "في", "[(*", "no line has this"):
        hits, following = search_texts(lines, everything, text.upper(), 1_000, 60)
        assert following is None
        assert set(hits.tolist()) >= {index for index, own in texts.items() if text in own}
        assert all(text in texts[int(index)] for index in hits if texts[int(index)].isascii())
    first, following = search_texts(lines, everything, "the", 5, 60)
    rest, _ = search_texts(lines, everything[everything >= following], "the", 1_000, 60)
    whole, _ = search_texts(lines, everything, "the", 1_000, 60)
    assert first.tolist() + rest.tolist() == whole.tolist()
    assert search_texts(lines, everything, "the", 5, -1)[1] == 0


def test_pages_of_lines_follow_each_other(site) -> None:
    seen, path = [], "lines?lang=el&reason=kept"
    for _ in range(3):
        text = site.get(path)[1]
        seen += re.findall(r'<span class="where">([^<]+)</span>', text)
        path = re.search(r'href="[^"]*/(lines\?[^"]*first=\d+)"', text)[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 60
