"""A single notebook on a machine like Colab's: it installs the course, runs, and changes no version there."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from packaging.requirements import Requirement

from advcourse.pipeline import masters
from tests.notebooks.nbval_course import MIME

COLAB = masters.ROOT / ".ci" / "colab.txt"  # its versions of all that the course needs
NEEDED = {Requirement(line).name for line in importlib.metadata.requires("advcourse") if "extra ==" not in line}


@pytest.fixture
def machine(tmp_path):
    """The Python of a new virtual environment with Colab's versions of what a notebook needs, but this one's torch."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    # setuptools comes with torch; the older one of a new environment would hide it.
    subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools"], check=True,
                   capture_output=True)
    borrowed = tmp_path / "borrowed"  # outside the environment, where pip never removes anything
    borrowed.mkdir()
    lent = needed_by("torch", needed_by("torchvision"))
    for name in lent:
        lend(name, borrowed)
    site = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True,
                          capture_output=True, text=True).stdout.strip()
    Path(site, "borrowed.pth").write_text(f"{borrowed}\n")
    if sys.version_info >= (3, 14):
        pytest.skip("some of Colab's versions have no wheels for this Python: Colab has 3.13")
    versions = tmp_path / "versions.txt"
    versions.write_text("".join(line for line in COLAB.open() if line.split("==")[0] not in lent))
    pip = subprocess.run([python, "-m", "pip", "install", "--quiet", "--retries=1", "--only-binary=:all:",
                          "--constraint", versions, "ipython", "ipykernel", *(NEEDED - lent)],
                         capture_output=True, text=True)
    if pip.returncode == 0:
        return python
    if "Retrying (" in pip.stderr:
        pytest.skip("no package index can be reached: a machine like Colab's cannot be made here")
    pytest.fail(pip.stderr)


def needed_by(name, found=None, extras=()):
    """The names of the installed packages that `name` needs, itself included: torch is too large to download again."""
    found = set() if found is None else found
    if name in ("numpy", "pillow") or (name in found and not extras):  # those two are to come at versions of their own
        return found
    found.add(name)
    for line in importlib.metadata.requires(name) or []:
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            needed_by(needed.name.lower(), found, needed.extras)
    return found


def lend(name, folder):
    """Link the files of an installed package into `folder`."""
    package = importlib.metadata.distribution(name)
    for top in {file.parts[0] for file in package.files} - {"..", "__pycache__"}:
        if not (folder / top).exists():
            (folder / top).symlink_to(package.locate_file(top))


def frozen(python):
    """The lines of `pip freeze`: every installed package with its version."""
    return set(subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True,
                              text=True).stdout.splitlines())


@pytest.mark.timeout(1200)
def test_one_notebook_file_installs_the_course_runs_and_changes_no_version(machine, tmp_path, monkeypatch):
    kernel = tmp_path / "jupyter" / "kernels" / "colab"
    kernel.mkdir(parents=True)
    start = [str(machine), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": start, "display_name": "Colab", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    content = tmp_path / "content"
    content.mkdir()
    notebook = nbformat.read(masters.ROOT / "notebooks" / "01_adversarial_examples.ipynb", as_version=4)
    parameters, = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source += '\nDATASET = "fonts"'  # what "auto" takes where MNIST does not arrive
    before = frozen(machine)
    assert any(line.startswith("torch==") for line in before) and not any("advcourse" in line for line in before)

    environment = {key: value for key, value in os.environ.items()
                   if key not in ("PYTHONPATH", "MPLBACKEND", "VIRTUAL_ENV")}
    client = nbclient.NotebookClient(notebook, kernel_name="colab", timeout=900)
    client.execute(cwd=str(content), env=environment | {"ADVCOURSE_SOURCE": str(masters.ROOT), "TQDM_DISABLE": "1"})

    after = frozen(machine)
    assert before <= after, f"changed: {sorted(before - after)}"
    assert any("advcourse" in line for line in after)
    payloads = [output.data[MIME] for cell in notebook.cells for output in cell.get("outputs", [])
                if MIME in output.get("data", {})]
    assert {"start", "claim", "verdict"} <= {payload["kind"] for payload in payloads}
    assert all(payload["holds"] for payload in payloads if payload["kind"] == "claim")
