"""Where a notebook runs: its file or its content, and what a student is told where neither is to be had."""

import json
import sys
import time
import types

import nbformat
import pytest

import advcourse
from advcourse import exercises
from advcourse.grading.reading.submissions import collect
from advcourse.notebook import frontend

CELLS = ['start("00", student="ada")', "def largest_change(x, x_p): ...\ncheck('00.1', largest_change)",
         'answer("00.2", "a")']
ZIP = "00_ada_submission.zip"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A working directory with nothing in it, in a session of notebook 00."""
    monkeypatch.chdir(tmp_path)
    for name in ("JPY_SESSION_NAME", "KAGGLE_KERNEL_RUN_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    exercises.set_notebook("00")
    exercises.set_student("ada")
    yield tmp_path
    exercises.set_notebook(None)
    exercises.set_student("")


def document():
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell, id=f"cell-{index}")
                                           for index, cell in enumerate(CELLS)])


def saved(path):
    nbformat.write(document(), path)
    return path


@pytest.fixture
def colab(monkeypatch):
    """Puts a google.colab with these attributes in place."""
    def install(**parts):
        package = types.SimpleNamespace(**parts)
        monkeypatch.setitem(sys.modules, "google", types.SimpleNamespace(colab=package))
        monkeypatch.setitem(sys.modules, "google.colab", package)
    return install


def front_end(answer):
    """google.colab._message with colabtools' own signature; `answer` is called for the answer, with the timeout."""
    def blocking_request(request_type, request="", timeout_sec=5, parent=None):
        assert request_type == "get_ipynb"
        return answer(timeout_sec)
    return types.SimpleNamespace(blocking_request=blocking_request)


def raising(error):
    def raise_it(*_):
        raise error
    return raise_it


# --- files -----------------------------------------------------------------------------------------------------------

def test_jupyter_and_vs_code_say_where_the_notebook_is(work, monkeypatch):
    beside, own = saved(work / "00_welcome.ipynb"), work / "mine" / "welcome.ipynb"
    own.parent.mkdir()
    saved(own)
    monkeypatch.setenv("JPY_SESSION_NAME", str(own))
    assert frontend.running("00") == (own, None)
    monkeypatch.setenv("JPY_SESSION_NAME", str(work / "renamed since.ipynb"))
    assert frontend.running("00") == (beside, None)
    monkeypatch.setenv("JPY_SESSION_NAME", "a console")
    monkeypatch.setattr(frontend, "ipython", lambda: types.SimpleNamespace(user_ns={"__vsc_ipynb_file__": str(own)}))
    assert frontend.running("00") == (own, None)


@pytest.mark.parametrize("names", [[], ["00_welcome.ipynb", "00_welcome-Copy1.ipynb"]])
def test_where_the_file_cannot_be_told_its_name_is_asked_for(work, capsys, names):
    for name in names:
        saved(work / name)
    advcourse.submit()
    assert 'as in `advcourse.submit("00_….ipynb")`' in capsys.readouterr().out and not (work / ZIP).exists()


# --- Colab -----------------------------------------------------------------------------------------------------------

def test_colab_gives_the_notebook_as_it_stands_and_gets_the_file(work, colab, capsys):
    """The page answers late: within the 5 seconds that colabtools wait by themselves, it would not."""
    def late(timeout_sec):
        time.sleep(0.2)
        return {"ipynb": document()} if 60 <= timeout_sec <= 120 else None

    downloads = []
    colab(_message=front_end(late), files=types.SimpleNamespace(download=downloads.append))
    advcourse.submit()
    said = capsys.readouterr().out
    assert said.startswith("Waiting for Colab to send the notebook as it stands, at most 90 seconds …\n")
    assert "\nWrote 00_ada" in said
    assert f"If it does not: it is {work / ZIP}, among the files" in said and downloads == [str(work / ZIP)]
    submission, = collect(work)
    assert json.loads(submission.content) == document() and submission.notebook == "00"


@pytest.mark.parametrize("parts", [
    {"_message": front_end(lambda _: None)},
    {"_message": front_end(raising(RuntimeError("MessageError: no such request")))},
    {"_message": front_end(raising(TimeoutError()))},
    *({"_message": front_end(lambda _, answer=answer: answer)} for answer in (
        {}, {"ipynb": None}, {"ipynb": "text"}, {"ipynb": []}, {"ipynb": {"cells": 3}}, {"ipynb": {"cells": []}},
        {"ipynb": b"bytes"}, [], "ipynb", 3)),
    {"_message": types.SimpleNamespace()},
    {},
])
def test_where_colab_s_page_does_not_answer_with_a_notebook_the_way_out_is_told(work, colab, capsys, parts):
    colab(**parts)
    advcourse.submit()
    said = capsys.readouterr().out
    for words in ("Colab did not send the notebook, and nothing was written", "Download .ipynb", "in VS Code: save",
                  "it counts as well", 'advcourse.submit("00_….ipynb")'):
        assert words in said
    assert not list(work.iterdir())


def test_the_student_s_interrupt_of_the_wait_is_one(work, colab):
    colab(_message=front_end(raising(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        advcourse.submit()


def test_a_notebook_that_was_uploaded_to_colab_s_files_is_taken_by_name(work, colab, capsys):
    colab(_message=front_end(lambda _: None))
    saved(work / "Copy of 00_welcome.ipynb")
    advcourse.submit("Copy of 00_welcome.ipynb")
    assert (work / ZIP).is_file() and "Waiting" not in capsys.readouterr().out


@pytest.mark.parametrize("files", [
    {}, {"files": types.SimpleNamespace()},
    {"files": types.SimpleNamespace(download=raising(FileNotFoundError("no such front end")))},
    {"files": types.SimpleNamespace(download=lambda path: None)}], ids=["none", "half", "raises", "does nothing"])
def test_a_download_that_fails_leaves_the_file_and_says_where_it_is(work, colab, capsys, files):
    colab(_message=front_end(lambda _: {"ipynb": document()}), **files)
    advcourse.submit()
    assert (work / ZIP).is_file() and f"it is {work / ZIP}, among the files on the left" in capsys.readouterr().out


def test_what_students_are_told_to_hand_in_instead_is_graded(tmp_path):
    """The bare file, under the names that Colab, Kaggle and browsers give it, as a learning platform hands it on."""
    names = ["00_welcome.ipynb", "Copy of 00_welcome.ipynb", "00_welcome (1).ipynb", "notebook1a2b3c.ipynb",
             "00_welcome.ipynb.txt"]
    for number, name in enumerate(names):
        folder = tmp_path / f"Student {number}_{number}_assignsubmission_file_"
        folder.mkdir()
        saved(folder / name)
    found = collect(tmp_path)
    assert [(one.student, one.notebook, one.problem) for one in found] == [
        (f"Student {number}", "00", None) for number in range(len(names))]


# --- Kaggle ----------------------------------------------------------------------------------------------------------

def test_kaggle_is_told_from_colab_though_its_machines_are_colab_s(work, colab, capsys, monkeypatch):
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    colab(_message=front_end(raising(AssertionError("asked"))))
    advcourse.submit()
    said = capsys.readouterr().out
    assert "File → Download Notebook" in said and "it counts as well" in said and "Colab" not in said
    saved(work / "00_welcome.ipynb")
    advcourse.submit()
    assert f"Download it before you leave: it is {work / ZIP}" in capsys.readouterr().out
