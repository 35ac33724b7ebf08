"""What a student reads outside a notebook: plain text, the same every time."""

import pytest

from advcourse.exercises import (
    answer,
    check,
    display,
    engine,
    hint,
    letter_of_right_answer,
    progress,
    question,
    set_notebook,
    set_student,
)
from advcourse.exercises.session import choices_of


@pytest.fixture
def said(capsys):
    """Returns what was printed since the last call."""
    return lambda: capsys.readouterr().out


def test_a_wrong_function_reads_failures_first_then_what_holds(sample, said):
    check("99.1", sample.too_far)
    lines = said().splitlines()
    assert lines[0] == "✗ 99.1 One step: wrong · 1 of 5 points"
    assert lines[1].startswith("  ✗ stays within ε of x: your x_adv leaves the ε-ball by 0.1")
    assert lines[2].startswith("  ✗ is one step up the gradient: your result is not what the formula gives")
    assert lines[3] == "  ✓ stays in [0, 1]"
    assert lines[4] == '  `hint("99.1")` gives a hint. Meanwhile the notebook goes on with the course\'s own solution.'


def test_an_open_and_a_solved_exercise(sample, said):
    check("99.10", ...)
    assert said().splitlines()[0] == "○ 99.10 Accuracy: not attempted yet · 2 points · about 1 minute"
    check("99.10", sample.share)
    assert said() == "✓ 99.10 Accuracy: passed · 2 of 2 points\n  ✓ is the share of right answers\n"


def test_html_is_escaped_but_for_code(sample):
    verdict = engine.run(sample.one_step, lambda model, x, y: x)
    assert "<code>(model, x, y, eps)</code>" in display.verdict_html(verdict)
    assert display.inline("a < b & `c*<*d`") == "a &lt; b &amp; <code>c*&lt;*d</code>"
    assert display.inline("a *very random* δ, *x*: a * b * c and 2*x*y") == (
        "a <em>very random</em> δ, <em>x</em>: a * b * c and 2*x*y")


def test_a_verdict_has_no_fixed_text_colour_or_white_background(sample):
    html = display.verdict_html(engine.run(sample.one_step, sample.too_far))
    assert "background:rgba(213,94,0,.08)" in html and "✗" in html and "✓" in html
    assert not any(fixed in html for fixed in ("white", "#fff", "black", "#000"))


def test_each_call_gives_one_more_hint(sample, said):
    hint("99.1")
    assert said() == "Hint 1 of 3 for 99.1: Where do I start?\nWith the gradient:\n\n`torch.autograd.grad`\n"
    hint("99.10")
    hint("99.1")
    hint("99.1")
    assert [line for line in said().splitlines() if line.startswith("Hint")] == [
        "Hint 1 of 3 for 99.10: 1?", "Hint 2 of 3 for 99.1: And then?", "Hint 3 of 3 for 99.1: All?"]
    hint("99.1")
    assert said() == "That was all: 99.1 has 3 hints.\n"
    hint("99.4")
    assert said() == "there is no exercise '99.4'; this notebook has 99.1, 99.2, 99.10\n"


def test_a_question_and_its_answers(sample, said):
    question("99.2")
    text = said()
    assert text.startswith("99.2 Why? (2 points)\n\nWhy does $w^T\\delta$ grow?\n\n- a) ")
    right = letter_of_right_answer("99.2")
    assert f"- {right}) It has more terms." in text
    answer("99.2", right)
    assert said() == "✓ 99.2 Why?: passed · 2 of 2 points\n  Each term adds ε.\n"
    for letter, (_, explanation) in choices_of(sample.why, "").items():
        if letter != right:
            answer("99.2", f" {letter.upper()}) ")
            assert said() == f"✗ 99.2 Why?: wrong · 0 of 2 points\n  {explanation}\n"


@pytest.mark.parametrize("letter", [..., None, "", "  "])
def test_an_open_question_is_not_attempted(sample, said, letter):
    answer("99.2", letter)
    assert said() == ("○ 99.2 Why?: not attempted yet · 2 points · about 2 minutes\n"
                      "  Put the letter of your choice in place of `...` and run the cell again.\n")


@pytest.mark.parametrize("letter", ["d", "ab", 2, ["a"], ")"])
def test_an_answer_that_is_no_choice_is_named(sample, said, letter):
    answer("99.2", letter)
    assert f"the choices are a, b and c; your answer is `{letter!r}`" in said()


def test_choices_are_shuffled_by_student_and_stay_so(sample):
    orders = {"".join(str(sample.why.choices.index(choice)) for choice in choices_of(sample.why, f"s{i}").values())
              for i in range(60)}
    assert len(orders) == 6  # all orders of three choices occur
    # Fixed for ever: a change here would turn every stored answer of every student upside down.
    assert [letter_of_right_answer("99.2", student) for student in ("", "ada", "alan", "grace")] == ["c", "b", "b", "a"]


def test_the_students_own_order_is_shown(sample, said):
    name = next(name for name in "abcdefgh" if letter_of_right_answer("99.2", name) != letter_of_right_answer("99.2"))
    set_student(name)
    question("99.2")
    assert f"- {letter_of_right_answer('99.2', name)}) It has more terms." in said()
    answer("99.2", letter_of_right_answer("99.2"))
    assert "✗" in said()


def test_check_and_answer_know_which_number_is_which(sample):
    with pytest.raises(ValueError, match="is a question: use answer"):
        check("99.2", print)
    with pytest.raises(ValueError, match="is not a question: use check"):
        answer("99.1", "a")


def test_progress_counts_the_latest_verdicts(sample, said):
    check("99.1", sample.step)
    check("99.10", lambda logits, y: 1.0)
    answer("99.2", "c" if letter_of_right_answer("99.2") != "c" else "a")
    said()
    progress()
    assert said() == ("Notebook 99: 1 of 3 solved · 5 of 9 points\n"
                      "  ✓ 99.1 One step\n  ✗ 99.2 Why?\n  ✗ 99.10 Accuracy\n")
    check("99.1", sample.too_far)
    check("99.10", sample.share)
    said()
    progress("99")
    assert said().startswith("Notebook 99: 1 of 3 solved · 3 of 9 points\n  ✗ 99.1")
    set_notebook("99")
    progress()
    assert said().startswith("Notebook 99: 0 of 3 solved · 0 of 9 points\n  ○ 99.1")


def test_progress_asks_for_the_notebook_where_none_was_started(said):
    set_notebook(None)
    progress()
    assert said().startswith("Which notebook?")
