"""Which way imports run: the contracts of import-linter in pyproject.toml, and that each of them would notice."""

import ast
import importlib
import os
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import grimp
import pytest

import advcourse

ROOT = Path(__file__).resolve().parents[2]
NOT_FOR_NOTEBOOKS = {"grading", "pipeline", "cli"}  # the course's machinery


def lint_imports(root):
    """What import-linter says of the package in the folder `root`."""
    code = ("import sys; sys.path.insert(0, sys.argv[1]); from importlinter.cli import lint_imports; "
            "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))")
    return subprocess.run([sys.executable, "-P", "-c", code, str(root)], cwd=root, capture_output=True, text=True,
                          env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})


def test_imports_run_one_way():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("file, line, broken", [
    ("attacks/geometry.py", "def lazy():\n    from advcourse import zoo", "a room imports those below it only"),
    ("defenses/bounds.py", "import advcourse.evaluate.transfer", "a room imports those below it only"),
    ("data/images.py", "from advcourse.models import networks", "a room imports those below it only"),
    ("spare/__init__.py", "", "a room imports those below it only"),  # a room that the order does not know
    ("zoo/recipes.py", "def lazy():\n    from advcourse.zoo import loading", "no circle inside a room")])
def test_an_arrow_against_the_order_is_noticed(file, line, broken, tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "advcourse", tmp_path / "advcourse", ignore=shutil.ignore_patterns("__pycache__", "*.safe*"))
    path = tmp_path / "advcourse" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert f"{broken} BROKEN" in done.stdout or "spare" in done.stdout, done.stdout


def test_no_circle_among_files():
    # Contracts speak of rooms and of files beside each other; this of a package and the files in it, too.
    graph = grimp.build_graph("advcourse", cache_dir=None)
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()


def test_no_name_hides_a_file():
    # A package that hands on a function under a file's own name hides the file: `import advcourse.attacks.square as s`
    # gave the function.
    hidden = []
    for path in sorted((ROOT / "advcourse").rglob("*.py")):
        package, _, name = ".".join(path.relative_to(ROOT).with_suffix("").parts).rpartition(".")
        if not name.startswith("__"):
            importlib.import_module(f"{package}.{name}")
            if not isinstance(getattr(importlib.import_module(package), name), ModuleType):
                hidden.append(f"{package}.{name}")
    assert not hidden


def test_an_attack_named_as_its_file_is_called_and_is_a_module():
    import advcourse.attacks.square as file
    from advcourse.attacks import square

    assert square is file and callable(square) and isinstance(file, ModuleType) and callable(file.search)
    assert square.__doc__ == file.square.__doc__


def imports(path):
    """(module, name or None) of everything that a file of Python imports from the course."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((name.name, None) for name in node.names if name.name.split(".")[0] == "advcourse")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "advcourse":
            yield from ((node.module, name.name) for name in node.names)


def test_what_two_files_need_has_no_underscore():
    private = [f"{path.relative_to(ROOT)}: {module}.{name}" for path in sorted((ROOT / "advcourse").rglob("*.py"))
               for module, name in imports(path) if name and name.startswith("_") and name != "__version__"]
    assert not private


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks" / "source").glob("*.py")), ids=lambda path: path.stem)
def test_notebooks_import_what_is_there_and_none_of_the_machinery(path):
    for module, name in imports(path):
        parts = {*module.split(".")[1:2], *([name] if module == "advcourse" else [])}
        assert not parts & NOT_FOR_NOTEBOOKS, f"{module}: {name}"
        assert name is None or hasattr(importlib.import_module(module), name), f"{module} has no {name}"


def test_rooms_are_attributes_of_the_course_which_itself_is_quick():
    code = ("import sys, advcourse\nquick = 'torch' not in sys.modules\nprint(quick, callable(advcourse.submit), "
            "callable(advcourse.attacks.pgd), advcourse.classical.__name__, hasattr(advcourse, 'nothing'))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["True", "True", "True", "advcourse.models.classical", "False"], done.stderr
    with pytest.raises(AttributeError, match="module 'advcourse' has no attribute 'nothing'"):
        _ = advcourse.nothing
