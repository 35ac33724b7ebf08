"""What a student reads outside a notebook: plain text, the same every time."""

import functools
import importlib

import pytest
import torch

from advcourse.attacks import fgsm
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
from advcourse.exercises.session import choices_of, get, given, verdict_on
from tests.exercises.harness import answers


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


@pytest.mark.parametrize("typed", [
    "{}", "{}.", "({})", " {} ", "'{}'", '"{}"', "**{}**", "answer {}", "The answer is {}.", "{}) It has more terms",
    "{}: a longer text. It has a and b in it", "option ({})"])
def test_an_answer_is_read_as_people_type_it(sample, said, typed):
    letter = letter_of_right_answer("99.2")
    for given_letter in (letter, letter.upper()):
        answer("99.2", typed.format(given_letter))
        assert "passed" in said()


@pytest.mark.parametrize("letter", ["d", "ab", 2, ["a"], ")", "a or b", "a, b", "a) and b)", "a. b.", "a b", "answer",
                                    "nab"])
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


@pytest.mark.parametrize("number, told", [
    ("99.2", "is a question: use answer"), ("1.1", "there is no exercise '1.1'"), (1.1, "there is no exercise 1.1"),
])
def test_check_tells_in_words_that_a_number_is_none_of_an_exercise(sample, said, number, told):
    assert check(number, print) is print
    assert told in said()


def test_check_tells_in_words_what_is_missing_or_no_seed(sample, said):
    assert check("99.1").stands_for == "99.1"
    assert said() == 'Nothing is checked: give your function, too, as in check("99.1", your_function)\n'
    for seed in ("x", -1, 1.5, True, 2**40):
        assert check("99.1", sample.step, seed).stands_for == "99.1"
        assert said().startswith("Nothing is checked: the seed must be a whole number") and "passed" not in said()
    assert check("1.1") is None and "there is no exercise" in said()
    answer("99.2")
    assert "not attempted yet" in said()


@pytest.mark.parametrize("notebook, told", [
    (99, "Notebook 99"), ("99", "Notebook 99"), (" 99 ", "Notebook 99"), ("98", "There is no notebook '98'"),
    ("99.1", "There is no notebook '99.1'"), ([], "There is no notebook"), ("", "Notebook 99"),
])
def test_progress_takes_a_number_as_people_type_it(sample, said, notebook, told):
    progress(notebook)
    assert said().startswith(told)


def test_what_code_changed_of_pytorch_is_told_and_put_back(sample, said, monkeypatch):
    before = torch.nn.functional.cross_entropy
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", torch.nn.functional.mse_loss)
    check("99.1", sample.step)
    assert said().startswith("Code of yours had changed `torch.nn.functional.cross_entropy` for everybody")
    assert torch.nn.functional.cross_entropy is before


@pytest.mark.parametrize("ask", [lambda number: answer(number, "a"), question])
@pytest.mark.parametrize("number, told", [
    ("99.1", "is not a question: use check"), ("1.1", "there is no exercise '1.1'"), (1.1, "there is no exercise 1.1"),
])
def test_answer_and_question_tell_in_words_that_a_number_is_none_of_a_question(sample, said, ask, number, told):
    ask(number)
    assert told in said()


def wrapped_in(function):
    """The ways in which the course's own solution comes back under another name."""
    renamed = function
    return {"itself": function, "renamed": renamed, "partial": functools.partial(function)}


@pytest.mark.parametrize("way", ["itself", "renamed", "partial"])
def test_the_courses_own_solution_never_passes_under_a_students_name(sample, said, way):
    step = check("99.1", ...)
    said()
    again = check("99.1", wrapped_in(step)[way])
    assert "this is the course's own solution" in said() and again.stands_for == "99.1"
    progress()
    assert "0 of 9 points" in said()
    check("99.1", sample.too_far)
    step = check("99.1", sample.too_far)
    said()
    check("99.1", wrapped_in(step)[way])
    assert "Your last verdict stays: wrong" in said()
    assert given("99.1") is sample.too_far


def test_a_function_that_calls_what_stands_in_for_it_does_not_pass(sample, said):
    own = check("99.1", ...)
    said()

    def mine(model, x, y, eps):
        return own(model, x, y, eps)

    check("99.1", mine)
    assert "calls the course's own solution of 99.1" in said()
    check("99.10", lambda logits, y: mine(None, logits, y, 0.1))
    assert "99.1" in said()


def test_a_function_that_uses_the_course_is_told_that_a_grading_has_none(sample, said):
    def with_the_package(model, x, y, eps):
        from advcourse.attacks import fgsm as course_fgsm
        return course_fgsm(model, x, y, eps=eps)

    def with_a_name(model, x, y, eps):
        return helper(model, x, y, eps)

    def helper(model, x, y, eps):
        return fgsm(model, x, y, eps=eps)

    for function, name in ((with_the_package, "advcourse.attacks"), (with_a_name, "fgsm"), (fgsm, None)):
        check("99.1", function)
        assert (f"uses `{name}`, which is the course's" if name else "the course's own solution") in said()


def test_a_function_without_end_is_told_so_and_nothing_else(sample, said, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.2)

    def endless(model, x, y, eps):
        while True:
            pass

    check("99.1", endless)
    assert "did not come to an end" in said()


def test_what_is_as_good_as_the_wanted_kind_is_turned_into_it(sample, said):
    logits, y = torch.eye(3), torch.tensor([0, 1, 0])
    as_tensor = check("99.10", lambda logits, y: (logits.argmax(1) == y).float().mean())
    assert "passed" in said() and isinstance(as_tensor(logits, y), float)
    assert check("99.10", sample.share) is sample.share
    said()
    assert isinstance(check("99.10", as_tensor)(logits, y), float)  # the cell of `check` alone, run again
    assert "passed" in said()
    check("99.10", lambda logits, y: as_tensor(logits, y))
    assert "passed" in said()


def test_nobody_gets_at_the_solution_below_what_stands_in(sample, said):
    step = check("99.1", ...)
    said()
    check("99.1", lambda model, x, y, eps: step.__wrapped__(model, x, y, eps))
    assert "passed" not in said()


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


class Inside:
    """A function of the package by roads on which no name of it is read."""

    table, listed = {"it": fgsm}, [fgsm]

    def __call__(self, model, x, y, eps):
        return self.listed[0](model, x, y, eps=eps)


def by_default(model, x, y, eps, it=fgsm):
    return it(model, x, y, eps=eps)


def by_import(model, x, y, eps):
    return importlib.import_module("advcourse.attacks").fgsm(model, x, y, eps=eps)


@pytest.mark.parametrize("function", [
    Inside(), by_default, by_import, lambda model, x, y, eps: Inside.table["it"](model, x, y, eps=eps),
    functools.lru_cache(lambda model, x, y, eps: Inside.table["it"](model, x, y, eps=eps)),
    functools.partial(by_default, it=fgsm),
])
def test_the_course_is_found_by_whatever_road_it_is_called(sample, said, function):
    check("99.1", function)
    assert "of the course's package" in said() or "is the course's" in said()


@pytest.mark.parametrize("number", ["04.2", "05.2", "06.4", "08.1", "10.2"])
def test_what_comes_as_an_argument_is_there_to_be_called(number, said):
    for function in answers(number).RIGHT:
        verdict = verdict_on(get(number), function)
        assert "of the course's package" not in verdict.message
