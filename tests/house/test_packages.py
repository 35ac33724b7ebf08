"""The wheel and the sdist: what is in them, and that they are made without a network."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from advcourse.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def build(source, out, kind):
    """Build with hatchling alone: nothing is downloaded into an environment of its own."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(out), "--target", kind]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made, = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return sorted(name for name in archive.namelist() if name.startswith("advcourse/"))


def test_the_wheel_holds_what_students_open_and_neither_masters_nor_solved_notebooks(wheel):
    assert wheel.name == f"advcourse-{__version__}-py3-none-any.whl"
    inside = names(wheel)
    notebooks = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {name.split("/")[-1] for name in inside if name.endswith(".ipynb")} == notebooks
    assert not [name for name in inside if "notebooks/source" in name or "notebooks/solutions" in name]
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "advcourse").rglob("*")
               if path.is_file() and "__pycache__" not in path.parts}
    assert package <= set(inside), "a file of the package is missing"
    assert set(inside) - package == {f"advcourse/notebooks/{name}" for name in notebooks}
    assert wheel.stat().st_size < 12_000_000


def test_the_sdist_gives_the_same_wheel_without_a_network(wheel, tmp_path):
    sdist = build(ROOT, tmp_path / "sdist", "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build(tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path / "again", "wheel")
    assert names(again) == names(wheel) and again.name == wheel.name
