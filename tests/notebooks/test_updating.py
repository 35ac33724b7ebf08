"""A student's clone with work in notebooks/ and a course that went on: README's two lines of git, and nbgitpuller."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbgitpuller.pull import GitPuller

from advcourse.pipeline import copies

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["01_adversarial_examples.ipynb", "03_gradient_attacks.ipynb"]


def git(*words, cwd):
    return subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", *words],
                          cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def course(tmp_path):
    """The course's repository with two real notebooks, and a student's clone of it."""
    origin = tmp_path / "advcourse"
    (origin / "notebooks").mkdir(parents=True)
    git("init", "--quiet", "--initial-branch", "main", cwd=origin)
    for name in NAMES:
        shutil.copy(ROOT / "notebooks" / name, origin / "notebooks")
    git("add", ".", cwd=origin)
    git("commit", "--quiet", "--message", "week 1", cwd=origin)
    git("clone", "--quiet", origin.as_uri(), "student", cwd=tmp_path)
    return origin, tmp_path / "student"


def read(path):
    return nbformat.read(path, as_version=4)


def work_in(folder):
    """Solve every exercise as the solved notebook does, run all, and save as JupyterLab saves; what was solved, by id."""
    solved = {}
    for name in NAMES:
        notebook, answers = read(folder / name), read(ROOT / "notebooks/solutions" / name)
        for cell, answer in zip(notebook.cells, answers.cells, strict=True):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = answer.outputs, (answer.execution_count or 0) + 20
                if cell.source != answer.source:
                    cell.source = solved[cell.id] = answer.source
        notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1", "pygments_lexer": "ipython3"}
        nbformat.write(notebook, folder / name)
    assert len(solved) >= 8
    return solved


def week_2(origin, solved):
    """The course changes its prose, its open exercises and all outputs, adds a cell and takes one away."""
    for name in NAMES:
        notebook = read(origin / "notebooks" / name)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace("\n\n", "\n\nReworded. ", 1)
            else:
                cell.source = cell.source.replace("# your work", "# your work, from week 2 on")  # where theirs stands
                cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text="other\n")], 1
        notebook.cells.insert(5, nbformat.v4.new_markdown_cell("A new cell.", id="brand-new"))
        last = max(n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.id not in solved)
        del notebook.cells[last]
        notebook.metadata["advcourse"] = {"cells": copies.fingerprint(notebook.cells)}
        nbformat.write(notebook, origin / "notebooks" / name)
    git("commit", "--quiet", "--all", "--message", "week 2", cwd=origin)


def assert_merged(folder, origin, solved):
    for name in NAMES:
        merged, new = read(folder / name), read(origin / "notebooks" / name)
        nbformat.validate(merged)
        ids = [cell.id for cell in merged.cells]
        assert len(ids) == len(set(ids)), "a cell stands there twice"
        assert [number for number in ids if number in {cell.id for cell in new.cells}] == [c.id for c in new.cells]
        by_id = {cell.id: cell.source for cell in merged.cells}
        for cell in new.cells:
            assert by_id[cell.id] == solved.get(cell.id, cell.source), "their work, our prose"
    about, cells = copies.read((folder / NAMES[0]).read_bytes())
    assert about.get("cells") != cells, "`advcourse lab` must know that there is work in it"


def readme_s_way():
    """The two lines of git that README shows."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block, = (block for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) if block.startswith("git "))
    return block.splitlines()


def test_git_pull_alone_is_in_the_way_of_work_and_the_readme_s_two_lines_are_not(course):
    origin, clone = course
    solved = work_in(clone / "notebooks")
    week_2(origin, solved)
    with pytest.raises(subprocess.CalledProcessError):
        git("pull", "--no-rebase", cwd=clone)
    commit, pull = readme_s_way()
    for line in (commit, pull):
        identity = "-c user.name=A -c user.email=a@b.c -c commit.gpgsign=false"
        subprocess.run(line.replace("git ", f"git {identity} ", 1), shell=True, cwd=clone, check=True,
                       capture_output=True)
    assert_merged(clone / "notebooks", origin, solved)
    assert git("status", "--porcelain", cwd=clone) == ""


def test_nbgitpuller_brings_what_is_new_and_keeps_the_work(course, tmp_path):
    origin, _ = course
    hub = tmp_path / "hub"  # its first pull makes a clone that is one commit deep

    def follow_link():
        list(GitPuller(origin.as_uri(), str(hub), branch="main").pull())

    follow_link()
    solved = work_in(hub / "notebooks")
    week_2(origin, solved)
    follow_link()
    assert_merged(hub / "notebooks", origin, solved)
    before = (hub / "notebooks" / NAMES[0]).read_bytes()
    follow_link()  # nothing new
    assert (hub / "notebooks" / NAMES[0]).read_bytes() == before


def test_the_copies_of_lab_are_never_in_the_way_of_git_pull(course):
    origin, clone = course
    shutil.copy(ROOT / ".gitignore", origin)
    git("add", ".", cwd=origin)
    git("commit", "--quiet", "--message", "ignore", cwd=origin)
    git("pull", "--quiet", cwd=clone)
    mine = clone / "advcourse-notebooks"
    copies.update(clone / "notebooks", mine)
    solved = work_in(mine)
    before = {name: (mine / name).read_bytes() for name in NAMES}
    week_2(origin, solved)
    assert git("status", "--porcelain", cwd=clone) == ""
    git("pull", "--quiet", cwd=clone)
    assert json.loads((clone / "notebooks" / NAMES[0]).read_text(encoding="utf-8"))["cells"][5]["id"] == "brand-new"
    assert copies.update(clone / "notebooks", mine) == (NAMES, [])
    assert {name: (mine / name).read_bytes() for name in NAMES} == before
