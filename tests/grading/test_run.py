"""A class is graded once, whatever happens meanwhile: killed at any moment, changed, graded on a cluster."""

import multiprocessing
import os
import random
import re
import shutil
import signal
import time
from dataclasses import replace

import distributed
import pytest

from advcourse import files
from advcourse.grading import grade, gradebook, run
from advcourse.grading.box import proof
from advcourse.grading.box.limits import Limits
from advcourse.grading.reading.submissions import Submission
from advcourse.handin.work import shipped
from advcourse.pipeline import masters

LIMITS = Limits(seconds=20)
SEED = 7
CRASHES, CLASS = 50, 20

try:
    run.proven()
except OSError as error:
    pytest.skip(f"no box here: {error}", allow_module_level=True)


def handed_in(student, notebook="00", solved=True, extra=""):
    """A Submission of a notebook of the course, with some more text in it."""
    [path] = (masters.ROOT / "notebooks" / ("solutions" if solved else "")).glob(f"{notebook}_*.ipynb")
    cell = b'{"cell_type": "markdown", "metadata": {}, "source": "' + extra.encode() + b'"}'
    content = path.read_bytes().replace(b'"cells": [', b'"cells": [' + cell + b",", 1)
    return Submission(student, notebook, path, content, None, 0.0)


def what_counts(graded):
    """Of a Graded, what may not depend on the run."""
    return [(one.student, one.notebook, one.sha256, one.marks, one.notes, one.problem, one.seed) for one in graded]


def grade_class(submissions, out, **options):
    return run.grade_class(submissions, out, limits=LIMITS, seed=SEED, **options)


def test_everyone_gets_what_they_deserve(tmp_path):
    seen = []
    graded = grade_class([handed_in("ada"), handed_in("bob", solved=False)], tmp_path, on_graded=seen.append)
    assert [(one.student, one.points, one.problem) for one in graded] == [("ada", 3, None), ("bob", 0, None)]
    assert {mark.state for mark in graded[1].marks} == {"not attempted"}
    assert sorted(one.student for one in seen) == ["ada", "bob"]


def test_what_is_graded_is_left_alone_and_what_has_changed_is_not(tmp_path):
    first = grade_class([handed_in("ada"), handed_in("bob")], tmp_path)
    seen = []
    again = grade_class([handed_in("ada"), handed_in("bob", solved=False)], tmp_path, on_graded=seen.append)
    assert [one and one.student for one in seen] == [None, "bob"]
    assert what_counts(again)[0] == what_counts(first)[0] and again[0].seconds == first[0].seconds
    assert again[1].points == 0
    run.grade_class([handed_in("ada")], tmp_path, limits=LIMITS, seed=SEED + 1, on_graded=seen.append)
    assert seen[-1].student == "ada" and seen[-1].seed == SEED + 1


def test_the_seed_is_drawn_once_and_kept(tmp_path):
    seeds = {run.grade_class([handed_in(name)], tmp_path, limits=LIMITS)[0].seed for name in ("ada", "bob")}
    assert seeds == {int((tmp_path / "seed.txt").read_text())}


def test_a_fault_of_ours_is_no_zero_and_is_mended_by_the_next_run(tmp_path, monkeypatch):
    def fails(number, seed):
        raise RuntimeError("the course's own solution fails")
    with monkeypatch.context() as patch:
        patch.setattr(grade, "trials", fails)
        [one] = grade_class([handed_in("ada")], tmp_path)
    assert one.points is None and "own solution fails" in one.problem
    assert {mark.state for mark in one.marks} == {"to be graded"}
    [one] = grade_class([handed_in("ada")], tmp_path)
    assert (one.points, one.problem) == (3, None)


def test_without_walls_nothing_runs_unless_that_is_wished(tmp_path, monkeypatch):
    monkeypatch.setattr(proof, "report", lambda: {"no network": False, "bounded time": True})
    run.proven.cache_clear()
    try:
        with pytest.raises(OSError, match="no network"):
            grade_class([handed_in("ada")], tmp_path, workers=2)
        [one] = grade_class([handed_in("ada")], tmp_path, walled=False)
        assert one.walls == run.UNSAFE and one.points == 3
    finally:
        run.proven.cache_clear()


def test_a_cluster_gives_the_same_grades(tmp_path):
    submissions = [handed_in("ada"), handed_in("bob", solved=False), handed_in("cleo", extra="hello")]
    alone = grade_class(submissions, tmp_path / "alone")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, host="127.0.0.1",
                                  dashboard_address="127.0.0.1:0") as cluster:
        together = grade_class(submissions, tmp_path / "together", scheduler=cluster.scheduler_address)
    assert what_counts(together) == what_counts(alone)


def test_killed_at_any_moment_a_run_goes_on_and_ends_with_the_same_grades(tmp_path):
    submissions = [handed_in(f"student {number}", solved=number % 3 > 0, extra=f"{number}") for number in range(CLASS)]
    whole = what_counts(grade_class(submissions, tmp_path / "whole"))
    start = time.monotonic()
    grade_class(submissions, tmp_path / "timed")
    length = time.monotonic() - start
    generator = random.Random(0)
    context = multiprocessing.get_context("fork")  # what was imported and started here serves the killed ones, too
    finished = graded_before = 0
    for _crash in range(CRASHES):
        folder = tmp_path / f"crash {finished}"
        process = context.Process(target=grade_class, args=(submissions, folder))
        process.start()
        time.sleep(generator.uniform(0, length / 3))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        if (folder / "gradebook.db").exists():
            connection = gradebook.open_gradebook(folder / "gradebook.db")
            so_far = what_counts(gradebook.find(connection, *which)[0] for which in
                                 gradebook.submissions(connection))
            connection.close()
            assert all(one in whole for one in so_far), "something half-graded is in the gradebook"
            assert len(so_far) >= graded_before, "something that was graded is lost"
            graded_before = len(so_far)
            if len(so_far) == CLASS:
                finished, graded_before = finished + 1, 0
    seen = []
    assert what_counts(grade_class(submissions, tmp_path / f"crash {finished}", on_graded=seen.append)) == whole
    assert seen.count(None) == graded_before, "something was graded twice"
    assert finished > 0, "no run was ever completed, or none was ever killed in its middle"


# --- what is judged again ---------------------------------------------------------------------------------------------

@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package with a notebook 77 of two exercises and two questions, whose files may be changed."""
    package = tmp_path / "advcourse"
    shutil.copytree(run.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    folder = package / "exercises" / "notebook_77"
    files.write(folder / "e1_first.py", "# an exercise of a notebook")
    files.write(folder / "e10_last.py", "# the tenth")
    shutil.copy(package / "exercises" / "notebook_01" / "questions.toml", folder)
    monkeypatch.setattr(run, "PACKAGE", package)
    yield package
    run.read_questions.cache_clear()


def prints(*how):
    run.read_questions.cache_clear()
    return run.fingerprints.__wrapped__("77", *how)


@pytest.mark.parametrize("name", [
    "handin/statements.py", "handin/calls.py", "handin/work.py", "grading/grade.py", "grading/box/inside.py",
    "grading/box/values.py", "grading/box/wire.py", "exercises/attempt.py", "exercises/probes.py"])
def test_a_grader_that_has_changed_grades_all_again(package, name):
    before = prints(5)
    assert prints(5) == before and not before.items() & prints(6).items()
    with open(package / name, "a") as file:
        file.write("# mended\n")
    assert prints(5).keys() == before.keys() and not before.items() & prints(5).items()


def test_an_exercise_that_has_changed_is_judged_again_and_no_other(package):
    before = prints(5)
    assert before.keys() >= {"77.1", "77.10"}
    files.write(package / "exercises" / "notebook_77" / "e10_last.py", "# mended")
    assert {number for number, now in prints(5).items() if before[number] != now} == {"77.10"}
    path = package / "exercises" / "notebook_77" / "questions.toml"
    files.write(path, path.read_text(encoding="utf-8").replace("points = 1", "points = 2", 1) + "\n# a comment\n")
    changed = {number for number, now in prints(5).items() if before[number] != now} - {"77.10"}
    assert len(changed) == 1 and changed < before.keys() - {"77.1"}


def test_every_exercise_has_a_fingerprint():
    for notebook in shipped():
        assert set(run.fingerprints(notebook)) == {task.number for task in grade.all_exercises(notebook)}


def judged_in(monkeypatch, submissions, out, **options):
    """(the Graded, the exercises that were judged)."""
    seen, marked = [], grade.marked

    def watched(submission, tasks, *args, **more):
        seen.extend(task.number for task in tasks)
        return marked(submission, tasks, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(grade, "marked", watched)
        return grade_class(submissions, out, **options), seen


def test_after_a_mended_check_only_its_exercise_is_judged_again(tmp_path, monkeypatch):
    [first], judged = judged_in(monkeypatch, [handed_in("ada")], tmp_path)
    assert judged == ["00.1", "00.2"]
    assert judged_in(monkeypatch, [handed_in("ada")], tmp_path) == ([first], [])
    before = run.fingerprints
    monkeypatch.setattr(run, "fingerprints", lambda *how: before(*how) | {"00.1": "mended"})
    [again], judged = judged_in(monkeypatch, [handed_in("ada")], tmp_path)
    assert judged == ["00.1"] and again.marks == first.marks and again.points == 3
    assert judged_in(monkeypatch, [handed_in("ada")], tmp_path) == ([again], [])
    [_], judged = judged_in(monkeypatch, [handed_in("ada", extra="new")], tmp_path)
    assert judged == ["00.1", "00.2"], "another file"


def test_an_exercise_can_be_judged_again_by_its_number(tmp_path, monkeypatch):
    [first], _ = judged_in(monkeypatch, [handed_in("ada")], tmp_path)
    [again], judged = judged_in(monkeypatch, [handed_in("ada")], tmp_path, regrade={"00.2", "01.3"})
    assert judged == ["00.2"] and what_counts([again]) == what_counts([first])


def test_a_fault_while_one_exercise_is_judged_again_keeps_no_half(tmp_path, monkeypatch):
    grade_class([handed_in("ada")], tmp_path)

    def fails(*args, **more):
        raise RuntimeError("no box")

    with monkeypatch.context() as patch:
        patch.setattr(grade, "marked", fails)
        [one] = grade_class([handed_in("ada")], tmp_path, regrade={"00.1"})
    assert one.points is None and {mark.state for mark in one.marks} == {"to be graded"}
    [one], judged = judged_in(monkeypatch, [handed_in("ada")], tmp_path)
    assert one.points == 3 and judged == ["00.1", "00.2"]


def test_another_file_that_cannot_be_read_has_another_reason(tmp_path):
    """Files that cannot be read have no content; what is wrong with them stands for it."""
    for problem in ("it is a .rar", "it is a .pdf"):
        [one] = grade_class([Submission("ada", "00", "x", b"", problem)], tmp_path)
        assert {(mark.state, mark.reason) for mark in one.marks} == {("unreadable", problem)}
        assert one.points is None and one.pending == "unreadable"


def test_a_notebook_that_cannot_be_read_says_why(tmp_path):
    for content in (b'{"cells": [', b"<<<<<<< HEAD\n{}", b"<html></html>", b"print(1)", b"%PDF-1.7", b"Rar!\x1a\x07"):
        [one] = grade_class([replace(handed_in("ada"), stored=content)], tmp_path)
        assert {mark.state for mark in one.marks} == {"unreadable"} and all(mark.reason for mark in one.marks)


def test_who_is_not_in_this_run_is_not_in_what_it_returns(tmp_path):
    grade_class([handed_in("Ada"), handed_in("Bob")], tmp_path)
    now = grade_class([handed_in("ada.lovelace")], tmp_path)
    assert [one.student for one in now] == ["ada.lovelace"]
    assert run.left_out(tmp_path, now) == [("Ada", "00"), ("Bob", "00")]


def test_what_is_told_of_a_file_anew_counts_without_grading_it_again(tmp_path):
    grade_class([handed_in("ada")], tmp_path)
    later = replace(handed_in("ada"), submitted=5.0, source="the list", name="Ada L", notes=("an earlier file",))
    seen = []
    [one] = grade_class([later], tmp_path, on_graded=seen.append)
    assert seen == [None] and one.points == 3
    assert (one.submitted, one.source, one.name, one.found) == (5.0, "the list", "Ada L", ("an earlier file",))


def test_a_changed_file_name_does_not_change_what_was_graded(tmp_path):
    [_first] = grade_class([handed_in("ada")], tmp_path)
    seen = []
    grade_class([replace(handed_in("ada"), path="elsewhere.ipynb")], tmp_path, on_graded=seen.append)
    assert seen == [None]


# --- seeds that nobody finds ------------------------------------------------------------------------------------------

WEAK = ["", "anything", "winter 2026", "a" * 40, "abcabcabcabcabcabcabcabc", "abcdefghijklmnopqrstuvwxyz",
        "0123456789" * 4, "passwordpasswordpassword"]


@pytest.mark.parametrize("secret", WEAK)
def test_a_secret_that_can_be_found_by_trying_is_refused_and_another_offered(secret):
    with pytest.raises(ValueError, match="can be found by trying") as refused:
        run.seed_of(secret)
    offered = re.search('secret = "(.+?)"', str(refused.value))[1]
    assert run.seed_of(offered) > run.STRONG


def test_a_secret_stands_for_the_same_seed_everywhere():
    assert run.seed_of("uQ8-tZ3k_Lw0x.Rv7m!P") == run.seed_of("uQ8-tZ3k_Lw0x.Rv7m!P") == \
        215762080045403478874757846856709185558
    assert run.seed_of("uQ8-tZ3k_Lw0x.Rv7m!P") != run.seed_of("uQ8-tZ3k_Lw0x.Rv7m!p")


@pytest.mark.parametrize("text, words", [("7\n", "can be found by trying"), ("", "holds no seed"),
                                         ("x", "holds no seed"), ("-5", "holds no seed"),
                                         ("9" * 5000, "holds no seed")])
def test_a_file_without_a_good_seed_is_refused(text, words, tmp_path):
    files.write(tmp_path / "seed.txt", text)
    with pytest.raises(ValueError, match=words):
        run.own_seed(tmp_path / "seed.txt", set())


def test_graders_that_start_together_have_one_seed(tmp_path, monkeypatch):
    path = tmp_path / "seed.txt"
    monkeypatch.setattr(grade, "trials", lambda number, seed: files.write(path, f"{1 << 100}\n"))  # by the other one
    assert run.own_seed(path, {"00"}) == 1 << 100 == int(path.read_text())


# --- from other systems -----------------------------------------------------------------------------------------------

def dies():
    """Stands for the walls' trial on a worker that is killed meanwhile."""
    time.sleep(0.2)
    os._exit(1)


def test_a_worker_that_is_killed_as_its_walls_are_tried_is_told_in_words(monkeypatch):
    monkeypatch.setattr(run, "proven", dies)
    told = pytest.raises(OSError, match="ended while its walls were tried: see in its log why, and grade again")
    with (distributed.LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", silence_logs=50,
                                   dashboard_address="127.0.0.1:0") as cluster,
          distributed.Client(cluster) as client, told):
        run.prove_everywhere(client, "tcp://here")


def test_what_is_sent_to_a_cluster_holds_no_path_of_this_system():
    assert type(handed_in("ada").in_memory().path) is str
