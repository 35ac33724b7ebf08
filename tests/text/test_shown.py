"""The widget: every word with its weight, the sum, buttons that change the message; what is typed is escaped."""

import re

import pytest

from advcourse.text import shown
from advcourse.text.filters import LinearFilter
from advcourse.text.tokens import words


@pytest.fixture
def displayed(monkeypatch):
    import IPython.display

    things = []
    monkeypatch.setattr(IPython.display, "display", lambda thing, **options: things.append(thing))
    return things


def test_each_word_bears_its_weight_and_the_sum_is_the_score(toy):
    page = shown.message_html(toy, "FREE win, free lunch xyz", "FREE win, free lunch xyz")
    assert re.findall(r">(\w+)<sub>([^<]+)", page) == [("FREE", "+2.0"), ("win", "+1.0"), ("lunch", "−0.2")]
    assert re.findall(r'does not count">(\w+)', page) == ["free", "xyz"], "a word counts once, an unknown one never"
    assert "Score +2.2 (bias −0.5, words +2.8): spam, it is blocked" in page


def test_what_is_typed_is_shown_and_never_run(toy):
    page = shown.message_html(toy, '<script>win()</script> <b title="x">&amp; free', "free")
    assert "<script" not in page and "<b " not in page and "&lt;" in page and "&amp;" in page


def test_the_bar_goes_to_the_side_of_the_verdict():
    assert "left:50%;width:25%" in shown.bar_html(6.0) and "left:25%;width:25%" in shown.bar_html(-6.0)
    assert "left:0%;width:50%" in shown.bar_html(-99.0)


def test_changes_do_what_their_names_say(toy):
    assert shown.with_best_word(toy, "free later") == "free later home"
    assert shown.with_good_words(toy, "free win") == "free win later home"
    assert "free" not in words(shown.with_homoglyphs(toy, "free win"))
    lost = LinearFilter({"free": 9.0}, 0.0)
    assert shown.with_good_words(lost, "free") == "free", "where there is no good word, none is added"
    assert shown.with_best_word(lost, "free") == "free"


def test_without_a_kernel_three_messages_are_shown(toy, displayed):
    shown.spam_messages(toy, ["free win"], live=False)
    assert [thing["text/plain"].splitlines()[0] for thing in displayed][:2] == ["free win", "free win later home"]
    assert len(displayed) == 3 and "it passes" in displayed[1]["text/plain"]


def test_controls_change_what_is_seen(toy, displayed):
    shown.spam_messages(toy, ["free win", "win home"])
    [box] = displayed
    chosen, typed, buttons, page = box.children
    best, glyphs, normal, again = buttons.children
    best.click()
    assert typed.value == "free win later" and "later<sub>−1.5" in page.value
    glyphs.click()
    assert "free" not in words(typed.value) and "Score −2.0" in page.value
    normal.click()
    assert typed.value == "free win later"
    typed.value = "win <i>"
    assert "win<sub>+1.0" in page.value and "<i>" not in page.value
    again.click()
    assert typed.value == "free win"
    chosen.value = "win home"
    assert typed.value == "win home"
