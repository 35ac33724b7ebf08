"""Read the masters, notebooks/source/NN_name.py, and make of each the student's and the solved notebook, unexecuted."""

import ast
import hashlib
import re
import tomllib
from pathlib import Path

import jupytext
import nbformat

from advcourse import doctor
from advcourse.pipeline import told
from advcourse.pipeline.copies import fingerprint
from advcourse.version import __version__

ROOT = Path(__file__).resolve().parents[2]  # of the checkout: masters live nowhere else
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
WORK = "raise NotImplementedError  # your work"
WORK_TAG = "raises-exception"  # an error in what a student wrote does not stop Run All
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}

# Prepended to every notebook's set-up cell. pip holds what it finds installed at its version: on Colab, torch,
# numpy and ipywidgets are what the rest of the machine was built for. A folder called advcourse has no origin.
SETUP = """\
# Where the course is not installed, such as on Colab: install it, and leave what is there at its version.
import importlib.util, os, pathlib, subprocess, sys, tempfile
if getattr(importlib.util.find_spec("advcourse"), "origin", None) is None:
    print("Installing the course …")
    source = os.environ.get("ADVCOURSE_SOURCE", "ARCHIVE")
    pip, quiet = [sys.executable, "-m", "pip"], {"capture_output": True, "text": True, "errors": "replace"}
    versions = pathlib.Path(tempfile.mkdtemp(), "versions.txt")
    versions.write_text(subprocess.run([*pip, "list", "--format=freeze"], **quiet).stdout)
    options = ["--quiet", "--no-color", "--retries=2", "--constraint", str(versions)]
    done = subprocess.run([*pip, "install", *options, source], **quiet)
    importlib.invalidate_caches()
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["nothing"]
        errors = [line for line in said if line.startswith(("ERROR: ", "× ")) and not line.endswith(":")]
        if sys.version_info < (3, 11):
            why = f"The course needs Python 3.11 or newer; this kernel has {sys.version.split()[0]}: take another."
        elif importlib.util.find_spec("pip") is None:
            why = ("There is no pip to install the course with: run `uv pip install pip` or, on Debian and Ubuntu, "
                   "`sudo apt install python3-pip`, then this cell again.")
        elif "Retry(total=0" in done.stderr:
            why = ("There is no network to fetch the course from: on Kaggle, turn on Settings → Internet (it wants a "
                   "verified phone number) or add the course's wheel as a data set and set ADVCOURSE_SOURCE to its "
                   "path; elsewhere, connect; then run this cell again.")
        else:
            why = "pip cannot install the course, and says: " + (errors or said[-1:])[0]
        problem = RuntimeError(why)
        problem._render_traceback_ = lambda: [why]  # the sentence, and no traceback
        raise problem
"""


def find(names=None, root=ROOT):
    """The paths of the masters in order: all of them, or those whose names begin with one of `names` ("01").

    Raises FileNotFoundError where there are no masters at all, and ValueError for a name that none begins with.
    """
    if not (root / "notebooks" / "source").is_dir():
        raise FileNotFoundError("the masters are not installed with the course: run this in a clone of its repository")
    paths = sorted((root / "notebooks" / "source").glob("[0-9][0-9]_*.py"))
    for name in names or []:
        if not any(path.stem.startswith(name.zfill(2)) for path in paths):
            known = ", ".join(path.stem for path in paths) or "none"
            raise ValueError(f"no master's name begins with {name!r}; the masters are: {known}")
    return [path for path in paths if not names or path.stem.startswith(tuple(name.zfill(2) for name in names))]


def repository(root=ROOT):
    """The address of the course's repository: the one that pyproject.toml gives."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].rstrip("/")


def archive(root=ROOT):
    """The address of the course as one file, for which pip needs no git."""
    return doctor.archive(repository(root))


def read(path):
    """The cells of a master as it is written, solutions and markers included."""
    return jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells


def make(path, solved, root=ROOT):
    """The student's notebook of a master, or the solved one; no outputs."""
    folder = "notebooks/solutions" if solved else "notebooks"
    address = f"{repository(root)}/blob/main/{folder}/{path.stem}.ipynb"
    cells, seen = [], {}
    for index, master in enumerate(read(path)):
        try:
            student = without_solution(master.source) if master.cell_type == "code" else master.source
            if told.tells(master) and (master.cell_type != "code" or student != master.source):
                raise ValueError(f"only code without a solution in it can be tagged {told.TAG!r}")
        except ValueError as error:
            raise ValueError(f"{path.name}, cell {index + 1}: {error}") from None
        source = with_solution(master.source) if solved else student
        if index == 0:
            source = with_badges(source, address)
        tags = master.metadata.get("tags", [])
        if "setup" in tags:
            source = SETUP.replace("ARCHIVE", archive(root)) + "\n" + with_version(source, path.stem[:2])
        # The identity comes from what the student sees: one that came from the solution would tell it to a guesser.
        seen[student] = seen.get(student, 0) + 1
        identity = hashlib.sha256(f"{path.stem}\n{student}\n{seen[student]}".encode()).hexdigest()[:12]
        new_cell = nbformat.v4.new_code_cell if master.cell_type == "code" else nbformat.v4.new_markdown_cell
        cells.append(new_cell(source, id=identity, metadata={"tags": tags} if tags else {}))
        if not solved:
            for_students(cells[-1], with_work=BEGIN in master.source)
    # by the fingerprint `advcourse lab` knows a copy without work in it
    about = {"cells": fingerprint(cells), "version": __version__}
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA | {"advcourse": about})


def for_students(cell, with_work):
    """What only the student's notebook says of a cell: that it tells an outcome, or has work to do in it."""
    if told.tells(cell):
        told.hide(cell)
    if with_work:
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), WORK_TAG]


def with_badges(source, address):
    """The title cell, with the buttons under the title; in HTML, which a PDF leaves out: LaTeX fetches no pictures."""
    title, _, rest = source.partition("\n")
    buttons = re.sub(r"\[!\[(.+?)\]\((.+?)\)\]\((.+?)\)", r'<a href="\3"><img alt="\1" src="\2"></a>', badges(address))
    return f"{title}\n\n{buttons}\n{rest}".rstrip()


def badges(address):
    """The buttons that open the notebook at `address` in Colab and on Kaggle."""
    colab = address.replace("https://github.com/", "https://colab.research.google.com/github/")
    return (f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
            "[![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)]"
            f"(https://kaggle.com/kernels/welcome?src={address})")


def with_version(source, number):
    """The set-up cell, with the version of this notebook in its call of `start`."""
    return source.replace(f'start("{number}", ', f'start("{number}", version="{__version__}", ')


def with_solution(source):
    """The cell without the lines that mark where its solution begins and ends."""
    return "\n".join(line for line in source.splitlines() if line.strip() not in (BEGIN, END))


def without_solution(source):
    """The code cell as the student gets it: in a function, work to do; at top level, every name = `...`.

    Raises ValueError where the markers do not match, or where the solution is neither in a function, behind its
    docstring, nor assignments at top level.
    """
    student, block = [], None
    for line in source.splitlines():
        if line.strip() == (END if block is None else BEGIN):
            raise ValueError(f"a line {line.strip()!r} has no partner")
        if line.strip() == BEGIN:
            block = []
        elif line.strip() == END:
            indent = line[:-len(END)]
            student += [indent + WORK] if indent else open_names(block)
            block = None
        else:
            (student if block is None else block).append(line)
    if block is not None:
        raise ValueError(f"a line {BEGIN!r} has no partner")
    student = "\n".join(student)
    if BEGIN in source:
        check_same_interface(student, with_solution(source))
    return student


def open_names(block):
    """What a student gets for a block of assignments: `name = ...` for each."""
    statements = ast.parse("\n".join(block)).body
    for statement in statements:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise ValueError("a solution outside a function may hold nothing but `name = value`; "
                             f"this one has `{ast.unparse(statement)}`")
    return [f"{statement.targets[0].id} = ..." for statement in statements]


def check_same_interface(student, solved):
    """ValueError unless both cells' functions have one name, signature and docstring, and work to do is in them."""
    functions = [node for node in ast.walk(ast.parse(student)) if isinstance(node, ast.FunctionDef)]
    if not all(interface(node) in map(interface, ast.walk(ast.parse(solved))) for node in functions):
        raise ValueError("the student's function and the solution differ in name, signature or docstring; "
                         f"{BEGIN!r} belongs behind the docstring")
    to_do = {node.lineno for function in functions for node in ast.walk(function) if isinstance(node, ast.Raise)}
    for number, line in enumerate(student.splitlines(), start=1):
        if line.strip() == WORK and number not in to_do:
            raise ValueError("an indented solution must be the body of a function: its place is taken by an exception")


def interface(node):
    """Name, arguments and docstring of a function's syntax tree; None for any other tree."""
    return (node.name, ast.dump(node.args), ast.get_docstring(node)) if isinstance(node, ast.FunctionDef) else None
