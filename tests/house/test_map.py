"""CONTRIBUTING's map of the house, README's sizes, and the version, against what is there."""

import re
import tomllib
from pathlib import Path

import pytest

from advcourse.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def tracked(folder):
    """The files and folders in a folder that belong to the repository."""
    ignored = {"__pycache__", "py.typed", "__init__.py", "__main__.py"}
    return [path for path in sorted(folder.iterdir()) if path.name not in ignored and not path.name.startswith(".")]


def drawn():
    """CONTRIBUTING's map: from a path, such as "advcourse/attacks/", to what is said of it, lines below it included."""
    block = re.search(r"```\n(advcourse/\n.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
    folders, found, path = ["advcourse/"], {}, ""
    for line in block.splitlines()[1:]:
        if line.startswith(" " * 16):  # the line above goes on
            found[path] += f" {line.strip()}"
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, text = line.strip().partition("  ")
        path = "".join(folders[:depth]) + name
        if depth == 1 or " " not in name:
            folders[depth:] = [name]
            found[path] = text
        else:  # a group of files of the room above
            found["".join(folders[:2])] += text
    return found


def test_the_map_shows_every_room_and_nothing_else():
    wanted = {f"advcourse/{path.name}{'/' * path.is_dir()}" for path in tracked(ROOT / "advcourse")}
    assert {path for path in drawn() if path.rstrip("/").count("/") == 1} == wanted
    assert not [path for path in drawn() if not (ROOT / path).exists()]


@pytest.mark.parametrize("room", ["attacks", "grading", "exercises", "handin", "notebook"])
def test_the_map_names_what_lies_in_the_large_rooms(room):
    said = " ".join(path + text for path, text in drawn().items() if path.startswith(f"advcourse/{room}/"))
    inside = [path.name for path in tracked(ROOT / "advcourse" / room) if not path.name.startswith("notebook_")]
    assert not [name for name in inside if not re.search(rf"\b{name.removesuffix('.py')}\b", said)]


def test_tests_lie_where_what_they_test_lies():
    rooms = {path.name for path in tracked(ROOT / "advcourse") if path.is_dir()}
    assert rooms <= {path.name for path in tracked(ROOT / "tests") if path.is_dir()}


def lines_of(*patterns):
    paths = [path for pattern in patterns for path in (ROOT / "advcourse").glob(pattern)]
    return sum(len(path.read_text().splitlines()) for path in paths)


def test_the_readme_says_what_is_library_and_what_is_machinery_and_how_large():
    readme = (ROOT / "README.md").read_text()
    rows = dict(re.findall(r"^\| ([^|]+?) \|[^|]*\| ([\d,]+) \|$", readme, re.MULTILINE))
    machinery = ("cli/**/*.py", "grading/**/*.py", "pipeline/**/*.py", "handin/**/*.py")
    exercises = ("exercises/**/*.py",)
    sizes = {"machinery": lines_of(*machinery), "exercises": lines_of(*exercises)}
    sizes["library"] = lines_of("**/*.py") - sum(sizes.values())
    for name, lines in sizes.items():
        said = int(rows[f"the {name}"].replace(",", ""))
        assert abs(said - lines) < 0.1 * lines, f"README says that the {name} has {said} lines; it has {lines}"


def test_there_is_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "advcourse/version.py"
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert newest == __version__
    written = [path for path in (ROOT / "advcourse").rglob("*.py")
               if f'"{__version__}"' in path.read_text() and path.name != "version.py"]
    assert not written
