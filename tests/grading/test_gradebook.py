"""The gradebook: what is saved comes back, and whatever happens it is whole."""

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from advcourse.exercises import engine
from advcourse.grading.gradebook import find, open_gradebook, save, submissions
from advcourse.grading.marks import SET_BY_HAND, STATES, TO_BE_GRADED, UNREADABLE, Graded, Mark

MARKS = (
    Mark("01.1", "Clip", "passed", 2, 2, outcomes={"it is so": None}, code="def clip(): ...\n"),
    Mark("01.2", "Step", "wrong", 1.5, 3, "off by 0.1", {"it is so": None, "it is ε": "off by `0.1`\nand more"},
         "", "Try π.", "x = '\0'"),
)
PRINTS = {"01.1": "f", "01.2": "g"}
ADA = Graded("Ada", "01", "a.zip!Ada/01.ipynb", "ab12", MARKS, ("an earlier file",), ("cell 3 was cut",), None,
             "namespaces", 17, 0.25, 1.7e9, flags=("two files",), group=("Bob",))


def load(connection):
    """Everything in the gradebook, by student and notebook."""
    return [find(connection, *which)[0] for which in submissions(connection)]


@pytest.fixture
def book(tmp_path):
    with closing(open_gradebook(tmp_path / "gradebook.db")) as connection:
        yield connection


def test_what_is_saved_comes_back(book, tmp_path):
    alan = replace(ADA, student="Alan", marks=(), notes=())
    save(book, alan, PRINTS)
    save(book, ADA, PRINTS)
    assert load(book) == [ADA, alan]
    with closing(open_gradebook(tmp_path / "gradebook.db")) as again:
        assert load(again) == [ADA, alan]


@pytest.mark.parametrize("student", ["", "a\nb", "../etc", "Ада", "x" * 10_000, "\udcff", "\0",
                                     "'; DROP TABLE submissions; --", "<b>"])
def test_any_name_can_be_kept(book, student):
    save(book, replace(ADA, student=student), PRINTS)
    save(book, ADA, PRINTS)
    assert replace(ADA, student=student) in load(book) and len(load(book)) == 2
    assert find(book, student, "01") == (replace(ADA, student=student), PRINTS)


def test_no_two_submissions_are_taken_for_one(book):
    for student, notebook in [("a", "b01"), ("ab", "01"), ('a", "b', "01"), ("a", "01")]:
        save(book, replace(ADA, student=student, notebook=notebook), PRINTS)
    assert len(load(book)) == 4


def test_a_new_grade_takes_the_place_of_the_old_one(book):
    save(book, ADA, PRINTS)
    save(book, replace(ADA, notebook="02"), PRINTS)
    better = replace(ADA, sha256="cd34", marks=MARKS[:1])
    save(book, better, PRINTS)
    assert load(book) == [better, replace(ADA, notebook="02")]


def test_what_is_there_is_found_with_what_its_marks_depend_on(book):
    assert find(book, "Ada", "01") is None and submissions(book) == []
    save(book, replace(ADA, notebook="02"), {})
    save(book, ADA, PRINTS)
    assert find(book, "Ada", "01") == (ADA, PRINTS) and find(book, "Ada", "02")[1] == {}
    assert find(book, "Alan", "01") is None and submissions(book) == [("Ada", "01"), ("Ada", "02")]


@pytest.mark.parametrize("problem", ["the box did not start", ""])
def test_a_graders_fault_comes_back_as_one(book, problem):
    save(book, ADA, PRINTS)
    save(book, replace(ADA, marks=(Mark("01.1", "Clip", "to be graded", 0, 2),), problem=problem), PRINTS)
    assert load(book)[0].problem == problem and load(book)[0].points is None


def test_a_failed_save_leaves_what_was_there(book):
    save(book, ADA, PRINTS)
    with pytest.raises(ValueError):
        save(book, replace(ADA, seconds=float("nan")), PRINTS)
    with pytest.raises(TypeError):
        save(book, replace(ADA, notes=(object(),)), PRINTS)
    assert load(book) == [ADA]


def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path):
    text, other, newer = tmp_path / "notes.txt", tmp_path / "other.db", tmp_path / "newer.db"
    text.write_text("my notes\n" * 1000)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE submissions (student)")
        connection.commit()
    with closing(open_gradebook(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = [path.read_bytes() for path in (text, other)]
    with pytest.raises(ValueError, match=r"notes\.txt is no gradebook"):
        open_gradebook(text)
    with pytest.raises(ValueError, match=r"other\.db is another program's database"):
        open_gradebook(other)
    with pytest.raises(ValueError, match=r"newer\.db is a gradebook of version 99, and this advcourse has version 3"):
        open_gradebook(newer)
    assert [path.read_bytes() for path in (text, other)] == before


@pytest.mark.parametrize("place", ["missing/gradebook.db", ""])
def test_a_file_that_cannot_be_opened_is_an_oserror(tmp_path, place):
    with pytest.raises(OSError, match="cannot be opened"):
        open_gradebook(tmp_path / place)


def test_an_empty_file_becomes_a_gradebook(tmp_path):
    (tmp_path / "g.db").touch()  # what a grader leaves that was killed in its first moment
    with closing(open_gradebook(tmp_path / "g.db")) as connection:
        save(connection, ADA, PRINTS)
        assert load(connection) == [ADA]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_can_read_while_another_writes(book, tmp_path):
    save(book, ADA, PRINTS)
    book.execute("BEGIN IMMEDIATE")
    save(book, replace(ADA, student="Alan"), PRINTS)
    with closing(sqlite3.connect(f"file:{tmp_path / 'gradebook.db'}?mode=ro", uri=True)) as reader:
        assert load(reader) == [ADA]
    book.execute("COMMIT")


# Saves student after student, saying each name once it is saved; every second round with other marks.
SAVES = """
import sys
from itertools import count
from advcourse.grading.gradebook import open_gradebook, save
from advcourse.grading.marks import Graded, Mark
print("open", flush=True)
book = open_gradebook(sys.argv[1])
for k in count():
    marks = tuple(Mark(f"01.{n}", "t", "wrong", k, k + 1, "r" * 2000) for n in range(10))
    save(book, Graded(f"student {k % 7}", "01", str(k), f"{k:064x}", marks), {"01.1": "f"})
    print(k, flush=True)
"""


def test_kill_9_at_any_moment_leaves_every_submission_whole(tmp_path):
    path, chance, moments = tmp_path / "g.db", random.Random(0), []
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", SAVES, path], stdout=subprocess.PIPE, text=True)
        child.stdout.readline()
        wanted, said = chance.randrange(40), -1
        for line in child.stdout:
            said = int(line)
            if said >= wanted:
                break
        child.send_signal(signal.SIGKILL)
        said = max([said, *(int(line) for line in child.stdout if line.endswith("\n"))])
        child.wait()
        moments.append(said)
        with closing(open_gradebook(path)) as book:
            assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = {graded.student: int(graded.path) for graded in load(book)}
            # All that was said to be saved is there, and at most the one more that was under way.
            expected, one_more = ({f"student {k % 7}": k for k in range(last + 1)} for last in (said, said + 1))
            assert found in (expected, one_more)
            for graded in load(book):
                assert len(graded.marks) == 10 and {mark.points for mark in graded.marks} == {int(graded.path)}
                assert find(book, graded.student, "01") == (graded, {"01.1": "f"})
            book.execute("DELETE FROM submissions")
    assert len(set(moments)) > 1


def test_the_states_are_those_of_the_checks():
    assert set(STATES) == {engine.PASSED, engine.WRONG, engine.NOT_ATTEMPTED, TO_BE_GRADED, UNREADABLE, SET_BY_HAND}


def test_marks_refuse_what_would_count_as_0():
    wanted = r"state of 01\.1 must be one of passed, wrong, not attempted, to be graded, unreadable, .*; got 'ok'"
    with pytest.raises(ValueError, match=wanted):
        Mark("01.1", "Clip", "ok", 0, 2)
    with pytest.raises(ValueError, match="a grader's fault leaves every exercise 'to be graded'"):
        replace(ADA, problem="fork failed")


def test_points_are_summed_unless_something_is_open():
    assert (ADA.points, ADA.maximum, ADA.is_open, ADA.pending, ADA.reason) == (3.5, 5, False, "", "")
    waiting = replace(ADA, marks=(*MARKS, Mark("01.3", "Draw", "to be graded", 0, 1)))
    assert (waiting.points, waiting.maximum, waiting.pending, waiting.reason) == (None, 6, "to be graded", "01.3")


@pytest.mark.parametrize("marks, notes, reason", [
    ((Mark("01.1", "Clip", UNREADABLE, 0, 2, "it is a .rar"),), ("a note",), "it is a .rar"),
    ((), ("it is a .7z",), "it is a .7z"), ((), (), "no exercise was found in this file")])
def test_what_cannot_be_read_is_no_0(marks, notes, reason):
    one = replace(ADA, marks=marks, notes=notes)
    assert (one.points, one.pending, one.is_open, one.reason) == (None, UNREADABLE, False, reason)
    assert replace(one, set_points=0).points == 0 and replace(one, set_points=0).pending == ""


def test_points_that_were_set_end_a_graders_fault():
    fault = replace(ADA, marks=(Mark("01.1", "Clip", TO_BE_GRADED, 0, 2),), problem="ours")
    assert replace(fault, set_points=3).points == 3 and not replace(fault, set_points=3).is_open
    by_hand = replace(fault, marks=(Mark("01.1", "Clip", SET_BY_HAND, 1, 2),))
    assert by_hand.points == 1 and not by_hand.is_open
