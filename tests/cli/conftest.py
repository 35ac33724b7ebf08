"""The course as `pip install` leaves it, and as a clone does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def python(code, *arguments, **options):
    """Run `code` in a Python of its own."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120,
                          **options)


def notebook(text):
    """The text of a notebook with one cell."""
    return json.dumps({"cells": [{"cell_type": "code", "source": [text]}], "metadata": {}})


@pytest.fixture
def installed(tmp_path):
    """The course as `pip install` leaves it, with notebooks inside the package; the environment that finds it there."""
    package = tmp_path / "site" / "advcourse"
    shutil.copytree(ROOT / "advcourse", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "notebooks/solutions").mkdir(parents=True)
    (package / "notebooks/00_welcome.ipynb").write_text(notebook("the course's"))
    (package / "notebooks/01_next.ipynb").write_text(notebook("the course's"))
    (package / "notebooks/solutions/00_welcome.ipynb").write_text("solved")
    return os.environ | {"PYTHONPATH": str(tmp_path / "site")}


@pytest.fixture
def clone(tmp_path):
    """A small clone of the course in a folder with a space in its name; its folder, and the environment for it."""
    root = tmp_path / "Mein Kürs (2)"
    shutil.copytree(ROOT / "advcourse", root / "advcourse", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "notebooks").mkdir()
    (root / "notebooks/00_welcome.ipynb").write_text(notebook("the course's"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root, os.environ | {"PYTHONPATH": str(root)}
