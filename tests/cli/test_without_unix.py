"""On a system without what Unix alone has, the library, a check and the command do what they do here."""

import os
import shutil
import subprocess
import sys

import distributed
import pytest

from tests.house.test_other_systems import ROOT, UNIX_MODULES, UNIX_NAMES

# Runs before anything else in a Python of its own: to the course's files, and to them alone, the modules and names
# above are not there (other packages have ways of their own for Windows, which this Python would not take).
WINDOWS = f"""
import builtins, sys, types, warnings
sys.path.insert(0, {str(ROOT)!r})
real, modules, names = builtins.__import__, {UNIX_MODULES!r}, {UNIX_NAMES!r}

def imported(name, globals=None, locals=None, fromlist=(), level=0):
    ours = (globals or {{}}).get("__name__", "").startswith("advcourse") and not level
    if ours and name in modules:
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    module = real(name, globals, locals, fromlist, level)
    if ours and name in names:
        poorer = types.ModuleType(name)
        vars(poorer).update({{key: value for key, value in vars(module).items() if key not in names[name]}})
        return poorer
    return module

builtins.__import__ = imported
warnings.filterwarnings("error", category=EncodingWarning, module="advcourse")
"""


def on_windows(code, *arguments, **environment):
    """Run `code` where Unix's modules and names are missing and text in the system's own encoding is an error."""
    return subprocess.run([sys.executable, "-c", WINDOWS + code, *arguments],
                          capture_output=True, timeout=300, encoding="utf-8", errors="replace",
                          env=os.environ | {"PYTHONWARNDEFAULTENCODING": "1", "OMP_NUM_THREADS": "1"} | environment)


def test_the_library_and_a_check_need_no_unix():
    done = on_windows("""
import importlib, pkgutil, advcourse
import IPython, matplotlib.pyplot  # what notebooks have, too
for module in pkgutil.walk_packages(advcourse.__path__, "advcourse."):
    if not module.name.startswith("advcourse.grading.") and module.name != "advcourse.__main__":
        importlib.import_module(module.name)
from advcourse.exercises import check, hint
from advcourse.pipeline.run import default_workers

def clip_and_project(x_p, x, eps):
    return x_p.clamp(x - eps, x + eps).clamp(0, 1)

check("01.1", clip_and_project)
hint("01.1")
assert default_workers() >= 1
""")
    assert done.returncode == 0 and "✓ 01.1" in done.stdout, done.stdout + done.stderr


COMMAND = "from advcourse.cli.app import app\napp(prog_name='advcourse')"


@pytest.mark.parametrize("arguments", [["--help"], ["doctor"], ["lab", "--help"], ["run", "77"], ["zoo", "list"],
                                       ["data", "list"]], ids=" ".join)
def test_commands_answer(arguments, tmp_path):
    done = on_windows(COMMAND, *arguments, ADVCOURSE_DATA=str(tmp_path))
    assert "Traceback" not in done.stderr and "could not look" not in done.stdout
    assert "there is no notebook '77'" in done.stderr if "77" in arguments else done.returncode == 0, done.stderr


def test_a_pipe_that_has_no_letter_for_a_mark_gets_a_question_mark(tmp_path):
    done = on_windows(COMMAND, "doctor", ADVCOURSE_DATA=str(tmp_path), PYTHONIOENCODING="cp1252")
    assert done.returncode == 0 and "? ok" in done.stdout, done.stderr


CLIENT = """
import advcourse.cli.grading
from advcourse.cli.app import app
advcourse.cli.grading.sys = types.SimpleNamespace(platform="win32")
app(prog_name="advcourse")
"""


def test_a_class_is_handed_to_a_cluster_of_linux(tmp_path):
    """The client puts up no walls, and takes nothing of Linux; the workers do."""
    solved = next((ROOT / "notebooks" / "solutions").glob("00_*.ipynb"))
    (tmp_path / "in" / "ada").mkdir(parents=True)
    shutil.copy(solved, tmp_path / "in" / "ada")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1",
                                  dashboard_address="127.0.0.1:0") as cluster:
        done = on_windows(CLIENT, "grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--scheduler",
                          cluster.scheduler_address)
    if "no walls" in done.stderr or "walls cannot be put up" in done.stderr:
        pytest.skip(f"this system gives no walls: {done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ada,,00,00.1," in (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8-sig")
