"""What a machine can see of the style: ruff's rules, hints that pyright understands, lines of students' code."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIENT = Path(__file__).with_name("typed_client.py")
# Lines of code over 88 columns in the masters. The number may only fall: students read them beside a picture.
WIDE_LINES = 804


def run(*command):
    return subprocess.run([sys.executable, "-m", *map(str, command)], cwd=ROOT, capture_output=True, text=True)


def test_ruff_has_nothing_to_say():
    done = run("ruff", "check", "--no-cache", "--output-format", "concise", "advcourse", "tests", "benchmarks")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("rule, code", [
    ("E501", f"# {'x' * 120}\n"), ("F401", "import os\n"), ("I001", "import sys\nimport os\nprint(os, sys)\n"),
    ("B023", "def f():\n    return [lambda: i for i in 'ab']\n"),
    ("UP006", "import typing\nx: typing.List[int] = []\n"),
    ("SIM102", "x = y = 1\nif x:\n    if y:\n        print()\n"), ("C400", "list(i for i in 'ab')\n"),
    ("RUF005", "a = [1]\nprint([0] + a)\n"), ("W291", "a = 1 \n")])
def test_ruff_would_notice(rule, code, tmp_path):
    (tmp_path / "file.py").write_text(code)
    config = ROOT / "pyproject.toml"
    done = run("ruff", "check", "--no-cache", "--config", config, "--output-format", "concise", tmp_path)
    assert done.returncode == 1 and rule in done.stdout


def test_every_exception_from_the_rules_says_why():
    bare = [f"{path.relative_to(ROOT)}:{number}" for folder in ("advcourse", "tests", "benchmarks")
            for path in sorted((ROOT / folder).rglob("*.py"))
            for number, line in enumerate(path.read_text().splitlines(), start=1)
            if re.search(r"#\s*noqa(?!: [A-Z0-9, ]+ \(.+\))", line) and path != Path(__file__)]
    assert not bare


def wide_lines(text):
    """The lines of a master that are code and wider than 88 columns."""
    return [line for line in text.splitlines() if len(line) > 88 and not line.startswith("#")]


def test_wide_lines_of_students_code_only_become_fewer():
    wide = {path.name: len(wide_lines(path.read_text())) for path in (ROOT / "notebooks" / "source").glob("*.py")}
    assert sum(wide.values()) == WIDE_LINES, f"if there are fewer now, lower WIDE_LINES: {wide}"


def found_by_pyright(path):
    """The line numbers of the errors that pyright finds in a file."""
    done = run("pyright", "--outputjson", "--pythonpath", sys.executable, path)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        pytest.skip(f"pyright does not run here: {done.stderr.strip() or done.stdout.strip()}"[:200])
    errors = [found for found in report["generalDiagnostics"] if found["severity"] == "error"]
    return {error["range"]["start"]["line"] + 1 for error in errors}


def test_pyright_finds_every_planted_mistake_of_a_client_and_nothing_else():
    planted = {number for number, line in enumerate(CLIENT.read_text().splitlines(), start=1) if "# mistake" in line}
    assert len(planted) >= 7
    assert found_by_pyright(CLIENT) == planted


def public_functions():
    """Every function without an underscore that the library's rooms define, as (name, function)."""
    rooms = ("attacks", "defenses", "stealing", "invariance", "evaluate", "models", "training", "data", "zoo",
             "widgets", "notebook", "exercises")
    package = ROOT / "advcourse"
    for path in [path for room in (".", *rooms) for path in sorted((package / room).glob("[a-z]*.py"))]:
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{module.__name__}.{name}", function


def test_public_functions_have_a_docstring_and_hints():
    bare = [name for name, function in public_functions() if not inspect.getdoc(function)]
    untyped = [name for name, function in public_functions()
               if not function.__annotations__.keys() >= {*inspect.signature(function).parameters, "return"}]
    assert not bare and not untyped
