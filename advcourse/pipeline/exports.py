"""The course for those who grade with nbgrader or otter: folders in these tools' own formats, made from the masters."""

import re

import nbformat

from advcourse import files
from advcourse.exercises import Exercise, get
from advcourse.exercises.display import count
from advcourse.exercises.exported import grade_id
from advcourse.pipeline import build, masters

SEED = 1  # of the hidden tests, where none is given; `check` uses 0
TASK = re.compile(r'^(?:(\w+) = check\("(\d\d\.\d+)", \1\)|answer\("(\d\d\.\d+)", (\w+)\))$', re.MULTILINE)

NBGRADER_CONFIG = """\
c = get_config()
c.ClearSolutions.code_stub = {"python": "# your work"}
c.Execute.timeout = 600  # seconds for a cell; nbgrader's own 30 are short for a training on a busy machine
"""

OTTER_CONFIG = """\
# ASSIGNMENT CONFIG
name: {name}
requirements: requirements.txt
init_cell: false
export_cell: false
strip_solutions_from_all_cells: true
tests:
    ok_format: false
"""


def export(tool, folder, names=None, seed=SEED, root=masters.ROOT):
    """Write the course for `tool`, "nbgrader" or "otter", into `folder`; return the paths of its notebooks.

    names: how the masters' names begin ("01"), by default all. seed: of the probes of the hidden tests.
    Raises ValueError for an unknown tool or name, OSError where nothing can be written.
    """
    if tool not in ("nbgrader", "otter"):
        raise ValueError(f"the course can be exported for nbgrader and for otter; got {tool!r}")
    written = []
    for path in masters.find(names, root):
        if tool == "nbgrader":
            notebook, place = for_nbgrader(path, seed, root), folder / "source" / path.stem
        else:
            notebook, place = for_otter(path, seed, root), folder / path.stem
            files.write(place / "requirements.txt", f"advcourse @ {masters.archive(root)}\n")
        files.write(place / f"{path.stem}.ipynb", build.text(notebook))
        written.append(place / f"{path.stem}.ipynb")
    if tool == "nbgrader" and not (folder / "nbgrader_config.py").exists():  # a teacher may have added to it
        files.write(folder / "nbgrader_config.py", NBGRADER_CONFIG)
    return written


def read(path, root):
    """The cells of a master, each as (the cell as the student gets it, its source with the solution marked)."""
    cells, marked = masters.make(path, False, root).cells, [cell.source for cell in masters.read(path)]
    cells[0].source = marked[0]  # without the button that opens the course's own notebook
    return zip(cells, marked, strict=True)


def task_of(source):
    """The exercise or question of a cell, and the name of the student's work in it; (None, None) without."""
    found = TASK.search(source)
    return (get(found[2] or found[3]), found[1] or found[4]) if found else (None, None)


# --- nbgrader --------------------------------------------------------------------------------------------------------

def for_nbgrader(path, seed, root=masters.ROOT):
    """A master as the notebook from which `nbgrader generate_assignment` makes the student's."""
    cells = []
    for cell, marked in read(path, root):
        task, name = task_of(marked)
        cells.append(cell)
        if masters.BEGIN in marked:
            cell.source = with_stub(marked)
            cell.metadata["nbgrader"] = nbgrader_metadata(grade_id("answer", task.number) if task
                                                          else f"guess_{cell.id}", solution=True)
        if task:
            identity = grade_id("exercise", task.number)
            test = nbformat.v4.new_code_cell(nbgrader_test(task, name, seed), id=identity)
            test.metadata["nbgrader"] = nbgrader_metadata(identity, points=task.points)
            cells.append(test)
    return nbformat.v4.new_notebook(cells=cells, metadata=masters.METADATA)


def nbgrader_metadata(identity, solution=False, points=None):
    """What nbgrader must know of a cell that students write in, or that grades them."""
    metadata = {"schema_version": 3, "grade_id": identity, "solution": solution, "grade": not solution,
                "locked": not solution,
                "task": False}
    return metadata if points is None else metadata | {"points": points}


def with_stub(marked):
    """A cell with its solution marked, and what students get beside it: nbgrader has one stub for every solution.

    An assignment's `name = ...` stands before the solution, a function's exception behind it, where it is never
    reached.
    """
    before, block, after = split(marked)
    indent = block[0][:-len(masters.BEGIN)]
    if indent:
        return "\n".join([*before, *block, f"{indent}raise NotImplementedError", *after])
    return "\n".join([*before, *masters.open_names(block[1:-1]), *block, *after])


def split(marked):
    """The lines before a cell's solution, those of the solution with its markers, those after it."""
    lines = marked.splitlines()
    begin, end = (next(i for i, line in enumerate(lines) if line.strip() == marker)
                  for marker in (masters.BEGIN, masters.END))
    return lines[:begin], lines[begin:end + 1], lines[end + 1:]


def nbgrader_test(task, name, seed):
    """A cell that grades: its last value are the points."""
    how = " on other random inputs than those of the cell above" if isinstance(task, Exercise) else ""
    return "\n".join([
        f"# {task.number} is graded here{how}: up to {count(task.points, 'point')}.",
        "### BEGIN HIDDEN TESTS",
        "from advcourse.exercises import exported",
        f'exported.points("{task.number}", {name}, seed={seed})',
        "### END HIDDEN TESTS"])


# --- otter -----------------------------------------------------------------------------------------------------------

def for_otter(path, seed, root=masters.ROOT):
    """A master as the notebook from which `otter assign` makes the student's and the autograder."""
    cells = [raw(OTTER_CONFIG.format(name=path.stem))]
    for cell, marked in read(path, root):
        task, name = task_of(marked)
        if masters.BEGIN in marked:
            cell.source = with_prompt(marked)
        if task:  # no cell with otter's own check: `check` is there already
            cells += [raw(f"# BEGIN QUESTION\nname: {grade_id('exercise', task.number)}\ncheck_cell: false"),
                      raw("# BEGIN SOLUTION"), cell,
                      raw("# END SOLUTION"), raw("# BEGIN TESTS")]
            cells += [nbformat.v4.new_code_cell(otter_test(task, name, seed, least))
                      for least in range(1, task.points + 1)]
            cells += [raw("# END TESTS"), raw("# END QUESTION")]
        else:
            cells.append(cell)
    for index, cell in enumerate(cells):
        cell.id = f"cell-{index}"
    return nbformat.v4.new_notebook(cells=cells, metadata=masters.METADATA)


def raw(source):
    return nbformat.v4.new_raw_cell(source)


def with_prompt(marked):
    """A cell with its solution, and what students get in its place, between otter's markers."""
    before, block, after = split(marked)
    indent = block[0][:-len(masters.BEGIN)]
    stub = [indent + masters.WORK] if indent else masters.open_names(block[1:-1])
    return "\n".join([*before, f"{indent}# BEGIN SOLUTION NO PROMPT", *block[1:-1], f"{indent}# END SOLUTION",
                      f'{indent}""" # BEGIN PROMPT', *stub, f'{indent}""" # END PROMPT', *after])


def otter_test(task, name, seed, least):
    """A test case worth one point, passed by work that earns `least` points or more.

    Together they give the points of the course.
    """
    return "\n".join([
        '""" # BEGIN TEST CONFIG',
        "points: 1",
        "hidden: true",
        '""" # END TEST CONFIG',
        f"def test_{least}_of_{task.points}({name}):",
        "    from advcourse.exercises import exported",
        f'    exported.require("{task.number}", {least}, {name}, seed={seed})'])
