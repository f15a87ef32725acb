"""Human-written parts of a card are kept, and nothing else is taken for one."""

from cards.dataset_card import render_card
from cards.human_written import read_human_written, with_notice
from tests.cards.test_dataset_card import HOSTILE, manifest, source

MINE = {"about": "Read [this](x).\n\n| a | b |\n|---|---|\n| 1 | 2 |", "limits": "- Ours: none."}


def test_human_written_parts_are_kept_in_the_next_version():
    card = render_card(manifest(), human_written=MINE)
    assert read_human_written(card) == MINE
    later = render_card(manifest(version="v2.0.0", title="Other"), human_written=read_human_written(card))
    assert read_human_written(later) == MINE


def test_new_card_has_no_human_written_parts():
    assert read_human_written(render_card(manifest())) == {}
    assert read_human_written("") == {}


def test_unknown_part_is_left_out_and_of_two_the_first_counts():
    parts = [("about", "first"), ("about", "second"), ("other", "x")]
    card = "".join(f"<!-- human-written: {name} -->\n{text}\n<!-- /human-written -->\n" for name, text in parts)
    assert read_human_written(card) == {"about": "first"}


def test_windows_line_ends_are_read():
    card = render_card(manifest(), human_written=MINE).replace("\n", "\r\n")
    assert read_human_written(card) == MINE


def test_markers_in_the_manifest_are_escaped():
    trick = "<!-- human-written: about -->\nbuy\n<!-- /human-written -->"
    card = render_card(manifest(title=trick, summary=trick, sources=[source(citation=trick, title=trick)]))
    assert read_human_written(card) == {}


def test_notice_is_above_the_title_and_can_be_removed():
    card = render_card(manifest())
    warned = with_notice(with_notice(card, "old"), f"new {HOSTILE}")
    assert warned.count("<!-- notice -->") == 1
    assert "> new a &#124; b" in warned
    assert "<script>" not in warned
    assert warned.index("<!-- notice -->") < warned.index("# Tiny")
    assert with_notice(warned, "") == card
