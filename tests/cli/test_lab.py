"""`advcourse lab`: on the student's copies, wherever the course lives, and no more in JupyterLab's way than needed."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import ROOT, notebook, python

ONLY_SAID = ("from jupyterlab import labapp\nlabapp.main = lambda words: print(*words, sep='\\n')\n"
             "from advcourse.cli.app import app; app()")


def files_in(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_without_a_clone_the_copies_are_made_where_one_stands_and_work_stays(tmp_path, installed):
    work = tmp_path / "work"
    (work / "advcourse-notebooks").mkdir(parents=True)
    (work / "advcourse-notebooks/00_welcome.ipynb").write_text(notebook("the student's"))
    for place in (work, work / "advcourse-notebooks"):  # where JupyterLab's terminals open
        done = python(ONLY_SAID, "lab", "--no-browser", cwd=place, env=installed)
        assert done.returncode == 0, done.stderr
    where, kept, advice, *words = done.stdout.splitlines()
    assert where == f"the notebooks are in {work / 'advcourse-notebooks'}"
    assert kept == "the course has another version of 00_welcome.ipynb; yours has work in it and was kept"
    assert advice == "to get the course's, rename yours, say my_00_welcome.ipynb, and start again"
    assert words == [f"--ServerApp.root_dir={work / 'advcourse-notebooks'}", "--no-browser"]
    assert files_in(work / "advcourse-notebooks") == {"00_welcome.ipynb": notebook("the student's"),
                                                      "01_next.ipynb": notebook("the course's")}


def test_what_cannot_be_read_is_kept_and_jupyterlab_opens(tmp_path, installed):
    copies = tmp_path / "advcourse-notebooks"
    (copies / "00_welcome.ipynb").mkdir(parents=True)
    (copies / "01_next.ipynb").write_bytes(b"")
    done = python(ONLY_SAID, "lab", cwd=tmp_path, env=installed)
    assert done.stdout.splitlines()[1:] == [
        "00_welcome.ipynb, 01_next.ipynb cannot be read as a notebook, and was kept",
        "to get the course's, rename yours, say my_00_welcome.ipynb, and start again",
        f"--ServerApp.root_dir={copies}"], done.stderr


def test_run_executes_what_the_course_has_from_inside_the_copies_too(tmp_path, installed):
    copies = tmp_path / "advcourse-notebooks"
    copies.mkdir()
    mine = json.loads(notebook('PROFILE = "quick"\nprint("the student\'s")'))
    mine["cells"][0] |= {"id": "a", "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": None}
    mine |= {"nbformat": 4, "nbformat_minor": 5}
    (copies / "00_welcome.ipynb").write_text(json.dumps(mine))
    (copies / "00_welcome-Copy1.ipynb").write_text(notebook("1 / 0"))
    for place in (tmp_path, copies):
        out = tmp_path / "out" / place.name
        done = python("from advcourse.cli.app import app; app()", "run", "00", "--out", str(out), cwd=place,
                      env=installed)
        assert done.returncode == 0, done.stderr + done.stdout
        assert sorted(path.name for path in out.iterdir()) == ["00_welcome.ipynb", "index.html"]
        executed, *_ = json.loads((out / "00_welcome.ipynb").read_text())["cells"]
        assert "the student's\\n" in json.dumps(executed["outputs"])
    assert not (copies / copies.name).exists()


def test_in_a_clone_they_lie_in_its_root_where_git_does_not_see_them(tmp_path, clone):
    root, environment = clone
    done = python(ONLY_SAID, "lab", cwd=tmp_path, env=environment)
    assert f"--ServerApp.root_dir={root / 'advcourse-notebooks'}" in done.stdout.splitlines(), done.stderr
    assert files_in(root / "advcourse-notebooks") == {"00_welcome.ipynb": notebook("the course's")}
    for path, ignored in (("advcourse-notebooks/00_welcome.ipynb", 0), ("notebooks/00_welcome.ipynb", 1)):
        assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT).returncode == ignored


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, clone):
    root, environment = clone
    (root / "advcourse-notebooks").write_text("a file")
    done = python(ONLY_SAID, "lab", cwd=tmp_path, env=environment)
    assert done.returncode == 1 and re.fullmatch(r"error: .*advcourse-notebooks.*\n", done.stderr), done.stderr


def test_run_takes_the_student_s_copies_where_there_are_any(tmp_path, installed, clone):
    code = "from advcourse.cli.notebooks import series_folder; print(series_folder(False))"
    root, in_clone = clone
    for environment, courses, work in [(installed, tmp_path / "site/advcourse/notebooks", tmp_path),
                                       (in_clone, root / "notebooks", root)]:
        assert python(code, cwd=tmp_path, env=environment).stdout.splitlines() == [str(courses)]
        copies = work / "advcourse-notebooks"
        copies.mkdir()
        said = python(code, cwd=tmp_path, env=environment).stdout.splitlines()
        assert (tmp_path / said[-1]).resolve() == copies and said[0] == f"the notebooks are in {copies}"
        assert (copies / "00_welcome.ipynb").read_text() == notebook("the course's"), "they are brought up to date"


def test_the_solved_ones_are_those_of_the_clone(tmp_path, installed, clone):
    done = python("from advcourse.cli.app import app; app()", "run", "--solutions", cwd=tmp_path, env=installed)
    assert done.returncode == 1
    assert done.stderr.strip() == ("error: the solved notebooks are not installed with the course: run this in a clone "
                                   "of its repository")
    root, environment = clone
    (root / "advcourse-notebooks").mkdir()
    done = python("from advcourse.cli.notebooks import series_folder; print(series_folder(True))", cwd=root,
                  env=environment)
    assert done.stdout.splitlines() == [str(root / "notebooks/solutions")]


def lab(*words, environment, **options):
    return subprocess.Popen([sys.executable, "-m", "advcourse", "lab", "--no-browser", "--allow-root", *words],
                            env=environment | {"PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}, **options)


def test_jupyterlab_s_exit_code_comes_back(tmp_path, clone):
    _, environment = clone
    for words, code, said in ([("--version",), 0, r"\d"], [("--port=nine",), 1, "port"]):
        done = lab(*words, environment=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                   text=True)
        text, _ = done.communicate(timeout=120)
        assert done.returncode == code and re.search(said, text), text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminal")
def test_ctrl_c_goes_to_jupyterlab_which_asks_and_ends(tmp_path, clone):
    import fcntl
    import pty
    import termios

    root, environment = clone
    ours, theirs = pty.openpty()

    def sit_at_terminal():  # so that ^C becomes SIGINT, as for a person
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    running = lab("--port=0", environment=environment, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs,
                  preexec_fn=sit_at_terminal)
    os.close(theirs)
    said = ""

    def until(words):
        nonlocal said
        end = time.monotonic() + 90
        while words not in said and time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    said += os.read(ours, 4096).decode(errors="replace")
                except OSError:  # it has ended
                    return

    try:
        until("skip confirmation")
        assert f"Serving notebooks from local directory: {root / 'advcourse-notebooks'}" in said, said
        os.write(ours, b"\x03")
        until("(y/[n])?")
        assert "Shut down this Jupyter server (y/[n])?" in said, said
        os.write(ours, b"y\n")
        until("never")
        assert running.wait(30) == 0
        assert "Shutdown confirmed" in said and "Traceback" not in said and "Aborted" not in said
    finally:
        running.poll() is None and running.send_signal(signal.SIGKILL)
        os.close(ours)
