"""The wheel and the sdist: what is in them, and that they are made without a network."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from advcourse import files
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


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


def test_the_sdist_holds_what_makes_the_wheel_and_nothing_of_other_folders(sdist):
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[1] for name in archive.getnames()}
    around = {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"}
    assert inside >= around - {".gitignore"} and "advcourse/version.py" in inside
    assert not [name for name in inside - around
                if not re.fullmatch(r"advcourse/.+|notebooks/\d\d_\w+\.ipynb", name)]


def test_folders_elsewhere_that_are_named_as_ours_are_not_packed(tmp_path):
    # hatch's patterns match in every folder unless they are anchored.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("advcourse/version.py", "advcourse/notebooks/source/kept.py", "notebooks/source/left_out.py",
                 "tests/notebooks/left_out.py", "tests/advcourse/left_out.py", "data/README.md"):
        files.write(tmp_path / name, '__version__ = "1"\n')
    with tarfile.open(build(tmp_path, tmp_path / "out", "sdist")) as archive:
        packed = {name.split("/", 1)[1] for name in archive.getnames()}
    assert packed == {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "advcourse/version.py",
                      "advcourse/notebooks/source/kept.py"}


def test_the_metadata_speak_of_one_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        path, = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = archive.read(path).decode()
    assert "\nLicense-Expression: MIT\nLicense-File: LICENSE\n" in said


def test_the_sdist_gives_the_same_wheel_without_a_network(wheel, sdist, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build(tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path / "again", "wheel")
    assert names(again) == names(wheel) and again.name == wheel.name
