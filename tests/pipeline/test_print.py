"""What becomes of a run notebook elsewhere: every figure is seen, and seen once."""

import nbconvert
import nbformat
import pytest

from advcourse.pipeline.execute import execute
from tests.pipeline.sample_notebooks import sample

DRAWS = """
from advcourse import plots, widgets
line = lambda a=1: (plots.curves([0, 1], {"a": [0, a]}, "x", "y"), f"Line {a}", f"A line to {a}.")
plots.show(*line())
widgets.explore(line, {"a": widgets.slider("a", 1, 9, 1)}, static=[{"a": 2}, {"a": 3}], live=False)
"""


@pytest.fixture(scope="module")
def ran():
    result = execute("00_sample", sample(DRAWS), {})
    assert result.failure is None
    notebook = nbformat.reads(result.notebook, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]  # prose needs pandoc
    return notebook


@pytest.mark.parametrize("kind, figure, others", [
    ("latex", r"\adjustimage{", ["[figure:"]),  # what a PDF is made of
    ("html", '<img alt="A line to ', ['alt="No description', "[figure:"]),
    ("markdown", '<img alt="A line to ', ["![", "[figure:"]),
    ("rst", '<img alt="A line to ', [".. image::", "[figure:"]),
    ("slides", '<img alt="A line to ', ["[figure:"]),
])
def test_every_figure_is_there_once(ran, kind, figure, others):
    body, resources = nbconvert.get_exporter(kind)().from_notebook_node(ran)
    assert body.count(figure) == 3
    assert not [other for other in others if other in body]
    if kind == "latex":
        assert len([name for name in resources["outputs"] if name.endswith(".png") and name in body]) == 3
