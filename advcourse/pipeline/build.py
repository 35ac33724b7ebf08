"""Make the notebooks from their masters: the student's, executed, and the solved one; and the page of the attacks.

A build changes no byte unless a master or what its cells show has changed.
"""

import re
from pathlib import Path

import nbformat

from advcourse import files
from advcourse.pipeline import attacks_page, masters, told

# The kernel of a build is told everything that could change an output from one run to the next.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
REAL_DATA = ("mnist", "sms-spam", "fsdd")


def build(names=None, check=False, force=False, root=masters.ROOT):
    """Make the notebooks that are stale and return what was stale, one line for each; `check` only says what is.

    names: how the masters' names begin ("01"), by default all; orphans are looked for only then.
    force: execute what is not stale, too.
    Raises ValueError for a name or a master that is wrong, RuntimeError for a cell that fails or shows what it must
    not, and where MNIST, on which stored outputs are made, is missing.
    """
    found = []
    for path in masters.find(names, root):
        notebook, solved = masters.make(path, False, root), masters.make(path, True, root)
        student_path = root / "notebooks" / f"{path.stem}.ipynb"
        solved_path = root / "notebooks" / "solutions" / f"{path.stem}.ipynb"
        told_path = told.place(path.stem, root)
        problems = {student_path: problem_of(student_path, notebook) or (force and "to be executed again"),
                    told_path: problem_of(told_path, told.part(notebook))}
        if any(problems.values()):
            found += [f"{place.relative_to(root)}: {problem}" for place, problem in problems.items() if problem]
            if not check:
                write_executed(student_path, told_path, executed(path.stem, notebook))
        if not solved_path.exists() or solved_path.read_text(encoding="utf-8") != text(solved):
            found.append(f"{solved_path.relative_to(root)}: is not what its master gives")
            if not check:
                files.write(solved_path, text(solved))
    return found + ([] if names else page_of_attacks(check, root) + orphans(root))


def page_of_attacks(check, root):
    """Write the page of the docs about the attacks where it is stale; what was stale, a line at most."""
    place = root / attacks_page.PLACE
    if not place.parent.is_dir() or (place.exists() and place.read_text(encoding="utf-8") == attacks_page.page()):
        return []
    if not check:
        files.write(place, attacks_page.page())
    return [f"{attacks_page.PLACE}: is not what the attacks' cards give"]


def write_executed(student_path, told_path, notebook):
    """Write an executed student's notebook, and beside the tests what its telling cells showed."""
    files.write(told_path, text(told.part(notebook)))
    told.strip(notebook)
    files.write(student_path, text(notebook))


def problem_of(path, notebook):
    """Why the built file at `path` is not what its master gives as `notebook`; None where it is."""
    if not path.exists():
        return "is missing"
    try:
        built = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except Exception as error:  # whatever a damaged file makes of nbformat
        return f"cannot be read as a notebook: {type(error).__name__}"
    for cell in built.cells:
        if cell.cell_type == "code":
            if told.tells(cell) and cell.outputs:
                return "stores what tells the outcome of a guess"
            if cell.execution_count is None and cell.source and not told.tells(cell):
                return "was not executed"
            cell.outputs, cell.execution_count = [], None
    return None if text(built) == text(notebook) else "its cells are not what its master gives"


def orphans(root):
    """Built files without a master, a line for each."""
    known = {path.stem for path in masters.find(root=root)}
    built = [path for folder in ("notebooks", "notebooks/solutions", told.FOLDER)
             for path in sorted((root / folder).glob("*.ipynb"))]
    return [f"{path.relative_to(root)}: has no master; delete it" for path in built if path.stem not in known]


def executed(name, notebook):
    """A copy of `notebook` with the outputs of its cells.

    Those of cells tagged "nbval-ignore-output" differ from run to run and are not stored.
    """
    from advcourse.pipeline import execute

    require_data()
    result = execute.execute(name, text(notebook), {}, environment=ENVIRONMENT)
    if result.failure:
        raise RuntimeError(f"{name}, {result.failure}")
    notebook = nbformat.from_dict(notebook)
    ran = nbformat.reads(result.notebook, as_version=4)
    for number, (cell, outcome) in enumerate(zip(notebook.cells, ran.cells, strict=True), start=1):
        if cell.cell_type == "code":
            cell.execution_count = outcome.execution_count
            cell.outputs = [] if "nbval-ignore-output" in cell.metadata.get("tags", []) else outcome.outputs
            for problem in unfit(cell.outputs):
                raise RuntimeError(f"{name}, cell {number} (`{cell.source.splitlines()[0]}`): {problem}")
    return notebook


def unfit(outputs):
    """Why the outputs of a cell cannot be stored: what makes two runs differ, or needs a live kernel."""
    for output in outputs:
        content = str(output.get("text", "")) + str(output.get("data", ""))
        if output.get("name") == "stderr":
            yield f"it writes to stderr: {output.text.strip()[:300]}"
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
            yield "it shows a live widget; where ADVCOURSE_STATIC is set it should show a picture"
        if address := re.search(r"\bat 0x[0-9a-fA-F]+", content):
            yield f"it shows an object's address, `{address[0]}`, which changes with every run"
        if any(str(place) in content for place in (masters.ROOT, f"{Path.home()}/")):
            yield 'it shows a path of this machine; tag the cell "nbval-ignore-output" and its output is not stored'


def require_data():
    """Raise RuntimeError unless all of REAL_DATA is on this disk: elsewhere made-up data would take its place."""
    from advcourse import data

    for name in REAL_DATA:
        try:
            data.verify(name)
        except data.DataError as error:
            raise RuntimeError(f"stored outputs are made with {', '.join(REAL_DATA)}: {str(error).splitlines()[0]}; or "
                               "name the folder that has them in ADVCOURSE_DATA") from None


def text(notebook):
    """The notebook as it is stored: keys sorted, one line of the file for a line of the text."""
    return nbformat.writes(notebook, version=4) + "\n"
