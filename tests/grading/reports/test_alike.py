"""What submissions have in common: the same mistake, and code that is nearly the same."""

import inspect
from dataclasses import replace
from pathlib import Path

import pytest

from advcourse.exercises import get
from advcourse.grading.marks import Mark
from advcourse.grading.reports.alike import commonest_mistakes, groups_alike, like_the_course
from advcourse.handin.work import extract, shipped
from tests.grading.reports.samples import DRESSED, LONG, OPEN, OTHERS, WRONG, classroom, graded
from tests.hostile.case import notebook_of


def test_mistakes_that_differ_in_a_number_only_are_one():
    def one(student, *messages, state="wrong"):
        return graded(student, Mark("01.2", "t", state, 0, 3, "r",
                                    {str(place): message for place, message in enumerate(messages)}))

    found = commonest_mistakes([
        one("a", "leaves by 0.2: `clamp(0, 1)`", "NaN"), one("b", "leaves by -3e-05: `clamp(0, 1)`", None),
        one("c", "leaves by 7: `clamp(0, 1)`", "leaves by 8: `clamp(0, 1)`"),
        one("d", "NaN", state="passed"),
        graded("e", Mark("01.6", "t", "wrong", 0, 1, "r", message="Chance is no reason."))])
    assert [(one["students"], one["exercise"], one["message"]) for one in found] == [
        (3, "01.2", "leaves by …: `clamp(0, 1)`"), (1, "01.2", "NaN"), (1, "01.6", "Chance is no reason.")]


def alike(*codes):
    return [(group["students"], group["alike"]) for group in groups_alike(classroom(*codes))]


def test_the_same_code_under_other_names_is_found():
    assert alike(LONG, *OTHERS, DRESSED) == [(("s0", "s4"), 1.0)]


def test_a_copy_with_a_line_changed_is_found():
    changed = DRESSED.replace("0.02 * g.sign()", "0.01 * g.sign()").replace("range( 40 )", "range(50)")
    (students, share), = alike(LONG, *OTHERS, changed)
    assert students == ("s0", "s4") and 0.7 <= share < 1


def test_answers_of_ones_own_are_no_group():
    assert alike(LONG, *OTHERS) == []


def test_code_that_is_half_the_same_is_no_group():
    half = LONG.replace("(x_adv.detach() + 0.02 * gradient.sign())",
                        "x + (x_adv.detach() + gradient / gradient.norm() - x).renorm(2, 0, eps)")
    assert alike(LONG, *OTHERS, half) == []


def test_what_everyone_writes_is_no_group():
    assert alike(*[LONG] * 6, *OTHERS) == []
    short = "def clip(x_p, x, eps):\n    return torch.clamp(x_p, x - eps, x + eps).clamp(0, 1)\n"
    assert alike(short, short, *OTHERS) == [], "so short an answer is the obvious one"
    together = [code.replace("\n", f"\n    note{place} = {'+'.join(map(str, range(place * 9, place * 9 + 9)))}\n", 1)
                for place, code in enumerate([LONG] * 9)]
    assert alike(*together) == [], "the given lines are common to all, and what each adds is not shared"


def test_pairs_that_share_most_exercises_come_first():
    def one(student, *codes):
        return graded(student, *(replace(WRONG, exercise=f"01.{place}", code=code)
                                 for place, code in enumerate(codes, 1)))

    def groups(*students):
        found = groups_alike([*students, *(one(f"e{place}", *OTHERS) for place in range(6))])
        return [("".join(group["students"]), [shared["exercise"] for shared in group["exercises"]]) for group in found]

    assert groups(one("a", LONG, LONG), one("b", OTHERS[0], DRESSED), one("c", LONG, OTHERS[1]),
                  one("d", DRESSED, OTHERS[1]),
                  ) == [("ab", ["01.2"]), ("acd", ["01.1"])], "of two that share as much, the smaller one"
    assert groups(one("a", OTHERS[0], OTHERS[1], LONG), one("b", OTHERS[0], OTHERS[1], DRESSED),
                  *(one(student, LONG, DRESSED, OTHERS[2])
                    for student in "cde")) == [("cde", ["01.1", "01.2"]), ("ab", ["01.3"])]


def test_code_that_was_not_attempted_is_not_compared():
    assert groups_alike([graded(student, replace(OPEN, code=LONG)) for student in "abcdefgh"[:2]]) == []


@pytest.mark.parametrize("code", ["", "def (", "\0", "-" * 9000 + "1", "x = " + "1 + " * 4000 + "1", "(" * 9000,
                                  "x = 0x" + "f" * 9000,
                                  "x = 1" + "0" * 9000,
                                  "x = '\udcff'", LONG * 200, "x" + ".y" * 9000, "x = '\\d'", "f'{" * 300])
def test_code_that_nobody_can_read_does_no_harm(code, recwarn):
    assert groups_alike(classroom(code, code, OTHERS[0])) == [] and not recwarn.list


# --- everything that a function calls, and the course's own solutions -------------------------------------------------

def handed_in(student, *cells, notebook="01"):
    """A Graded as it comes of a notebook with these cells."""
    work = extract(notebook_of(cells), notebook)
    return graded(student, *(replace(WRONG, exercise=number, code=code) for number, code in work.cells.items()),
                  notebook=notebook)


def solution(number):
    """The cell of the solved notebook 01 that defines an exercise's function."""
    path = shipped()["01"].parent / "solutions" / shipped()["01"].name
    return extract(path.read_bytes(), "01").cells[number]


OWN = LONG.replace("def attack(", "def fooling_image(")
WRAPPED = [DRESSED.replace("my_attack", "_work"), "def fooling_image(*things):\n    return _work(*things)\n"]
IN_A_CLASS = ["class Work:\n    def run(self, model, x, y, eps):\n        "
              + OWN.split("\n", 1)[1].replace("\n", "\n    ").strip() + "\n\nworker = Work()",
              "def fooling_image(model, x, y, eps):\n    return worker.run(model, x, y, eps)\n"]


def others():
    return [graded(f"o{place}", replace(WRONG, exercise="01.5", code=code)) for place, code in enumerate(OTHERS)]


@pytest.mark.parametrize("copy", [WRAPPED, IN_A_CLASS], ids=["a function that calls another", "a method"])
def test_a_copy_behind_a_wrapper_is_found(copy):
    [group] = groups_alike([handed_in("ada", OWN), handed_in("eve", *copy), *others()])
    assert group["students"] == ("ada", "eve") and group["exercises"][0]["exercise"] == "01.5"
    assert "_work" in handed_in("eve", *WRAPPED).marks[0].code, "the student's page shows it"


def test_the_courses_own_solution_is_found_however_many_hand_it_in():
    own = solution("01.5")
    renamed = own.replace("x_adv", "picture").replace("step_size", "pace")
    students = [handed_in(f"s{place}", renamed if place % 2 else own) for place in range(6)]
    alone = [graded(f"o{place}", replace(WRONG, exercise="01.5", code=code))
             for place, code in enumerate([*OTHERS, *OTHERS, *OTHERS])]
    [found] = like_the_course([*students, *alone])
    assert found["exercise"] == "01.5" and found["students"] == [f"s{place}" for place in range(6)]
    assert found["alike"] > 0.9
    assert like_the_course(alone) == []


def test_the_solution_that_checks_compare_with_counts_too():
    source = Path(inspect.getsourcefile(get("01.5").reference)).read_text(encoding="utf-8")
    assert [one["students"] for one in like_the_course([handed_in("eve", source)])] == [["eve"]]


def test_what_was_handed_out_is_not_like_the_course():
    blank = extract(shipped()["01"].read_bytes(), "01")
    assert like_the_course([graded("ada", *(replace(WRONG, exercise=number, code=code)
                                            for number, code in blank.cells.items()))]) == []
    assert like_the_course([graded("ada", replace(WRONG, exercise="77.1", code=LONG))]) == []
