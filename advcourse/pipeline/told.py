"""Cells that tell the outcome of a guess: those tagged "tells" in a master.

The student's notebook hides their source and stores none of their outputs. What they showed in the build lies beside
the tests, in notebooks of these cells alone, where nbval compares it.
"""

import nbformat

TAG = "tells"
# The line that is seen of a hidden cell: the title of a form on Colab, the first line in JupyterLab.
TITLE = "# @title Guess first, then run this cell"
HIDDEN = {"jupyter": {"source_hidden": True}, "cellView": "form"}
FOLDER = "tests/notebooks/told"


def tells(cell):
    """Whether a cell of a master, or of a notebook built from it, tells the outcome of a guess."""
    return TAG in cell.metadata.get("tags", [])


def place(name, root):
    """The path of the notebook with what the telling cells of the notebook `name` showed."""
    return root / FOLDER / f"{name}.ipynb"


def hide(cell):
    """Hide a telling cell's source where front ends can: JupyterLab, Colab, and pages made from notebooks."""
    cell.source = f"{TITLE}\n{cell.source}"
    cell.metadata = {**cell.metadata, **HIDDEN, "tags": [*cell.metadata["tags"], "hide-input"]}


def part(notebook):
    """The telling cells of a student's notebook, with their outputs, as a notebook of their own."""
    cells = [nbformat.v4.new_code_cell(cell.source, id=cell.id, outputs=cell.outputs,
                                       execution_count=cell.execution_count) for cell in notebook.cells if tells(cell)]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": notebook.metadata["kernelspec"]})


def strip(notebook):
    """Leave in a student's notebook nothing of what its telling cells showed."""
    for cell in filter(tells, notebook.cells):
        cell.outputs, cell.execution_count = [], None
