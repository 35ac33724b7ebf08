"""Run nbval as the tests do: in a process of its own, with a timeout on every cell, on every test and around it all."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from advcourse import data
from advcourse.pipeline import build, masters, report

HERE = Path(__file__).parent
SETTINGS = {**build.ENVIRONMENT, "ADVCOURSE_STATIC": "1", "TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def nbval(path, compare=True, plugin=True, cell_timeout=120):
    """Run nbval on the notebook at `path`; returns the exit status, the report, and what cells said to programs.

    compare: whether stored outputs are compared; plugin: whether nbval_course mends what nbval lacks.
    """
    command = [sys.executable, "-m", "pytest", "--nbval" if compare else "--nbval-lax", "--nbval-current-env",
               str(path),
               f"--nbval-cell-timeout={cell_timeout}", f"--timeout={2 * cell_timeout}",
               f"--nbval-sanitize-with={HERE / 'sanitize.cfg'}", "--color=no", "-p", "pytest_timeout", "-p",
               "nbval.plugin"]
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"
                   and not key.startswith("PYTEST_")}
    environment |= SETTINGS | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        keep = Path(scratch, "payloads.json")
        if plugin:
            command += ["-p", "nbval_course", f"--nbval-keep={keep}"]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=540)
        payloads = json.loads(keep.read_text()) if keep.exists() else []
    return ran.returncode, ran.stdout + ran.stderr, payloads


def data_is_here(name):
    """Whether the data set with which the stored outputs of this notebook were made is on this disk."""
    [path] = (masters.ROOT / "notebooks").glob(f"{name}*.ipynb")
    [start] = report.payloads(json.loads(path.read_text(encoding="utf-8")), "start")
    try:
        data.verify(start["dataset"])
    except data.DataError:
        return False
    return True
