"""What people write into a card stays, and nothing else is taken for it."""

from cards.dataset_card import render_card
from cards.human_written import with_notice, written_by_hand
from tests.cards.test_dataset_card import HOSTILE, manifest, source

MINE = {"about": "Read [this](x).\n\n| a | b |\n|---|---|\n| 1 | 2 |", "limits": "- Ours: none."}


def test_what_is_written_by_hand_survives_a_render_of_another_release():
    card = render_card(manifest(), written=MINE)
    assert written_by_hand(card) == MINE
    later = render_card(manifest(version="v2.0.0", title="Other"), written=written_by_hand(card))
    assert written_by_hand(later) == MINE


def test_a_card_that_nobody_wrote_into_has_nothing_by_hand():
    assert written_by_hand(render_card(manifest())) == {}
    assert written_by_hand("") == {}


def test_a_part_that_the_template_does_not_have_is_left_out_and_of_two_the_first_counts():
    twice = "<!-- by hand: about -->\nfirst\n<!-- /by hand -->\n<!-- by hand: about -->\nsecond\n<!-- /by hand -->\n"
    assert written_by_hand(twice + "<!-- by hand: other -->\nx\n<!-- /by hand -->") == {"about": "first"}


def test_windows_line_ends_do_not_hide_a_part():
    card = render_card(manifest(), written=MINE).replace("\n", "\r\n")
    assert written_by_hand(card) == MINE


def test_words_from_outside_are_not_taken_for_a_hand():
    trick = "<!-- by hand: about -->\nbuy\n<!-- /by hand -->"
    card = render_card(manifest(title=trick, summary=trick, sources=[source(citation=trick, title=trick)]))
    assert written_by_hand(card) == {}


def test_a_notice_stands_above_the_title_once_and_goes_again():
    card = render_card(manifest())
    warned = with_notice(with_notice(card, "old"), f"new {HOSTILE}")
    assert warned.count("<!-- notice -->") == 1
    assert "> new a | b" in warned
    assert "<script>" not in warned
    assert warned.index("<!-- notice -->") < warned.index("# Tiny")
    assert with_notice(warned, "") == card
