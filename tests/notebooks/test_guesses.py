"""Guesses are not spoilt: what students open stores and shows nothing that tells an outcome before it was guessed."""

import ast
import html

import nbformat
import pytest

from advcourse.pipeline import lint, masters, report, told

every_notebook = pytest.mark.parametrize("name", [path.stem for path in masters.find()])


def built(name, folder="notebooks"):
    return nbformat.read(masters.ROOT / folder / f"{name}.ipynb", as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def asked(cell):
    """The names of the guesses that a cell asks for: it holds nothing but `name = ...`."""
    body = ast.parse(cell.source).body
    if not body or any(not isinstance(node, ast.Assign) or ast.unparse(node.value) != "..." for node in body):
        return set()
    return {node.targets[0].id for node in body}


def compared(cell):
    """The names of the guesses that a cell compares with their results."""
    return {ast.unparse(node.args[0]) for node in lint.called(ast.parse(cell.source), "compare_guess")}


def texts(outputs):
    """What outputs say in words, the alt texts of pictures included."""
    return " ".join(str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
                    for output in outputs)


def spoilt(notebook):
    """What in a student's notebook tells an outcome: a line for each cell that does."""
    cells = code(notebook)
    for index, cell in enumerate(cells):
        if told.tells(cell):
            about, first = cell.metadata, cell.source.splitlines()[0]
            if cell.outputs or cell.execution_count is not None:
                yield f"code cell {index}: its outputs are stored"
            if about.get("jupyter") != {"source_hidden": True} or "hide-input" not in about.tags:
                yield f"code cell {index}: its source is seen"
            if about.get("cellView") != "form" or first != told.TITLE:
                yield f"code cell {index}: it is no form on Colab"
        elif compared(cell):
            yield f"code cell {index}: it compares a guess, and is not marked"
        for name in asked(cell):
            end = next((end for end in range(index, len(cells)) if name in compared(cells[end])), None)
            if end is None:
                yield f"code cell {index}: {name} is not compared with a result"
            for at in range(index, end or index):
                if cells[at].outputs or (not told.tells(cells[at]) and lint.shows(ast.parse(cells[at].source))):
                    yield f"code cell {at}: it shows something between a guess and its result"


@every_notebook
def test_below_a_guess_nothing_tells_its_outcome(name):
    notebook = built(name)
    assert list(spoilt(notebook)) == []
    assert any(map(asked, code(notebook)))


@every_notebook
def test_what_telling_cells_show_lies_beside_the_tests_and_nowhere_in_the_students_notebook(name):
    notebook, telling = built(name), built(name, told.FOLDER)
    assert [cell.id for cell in telling.cells] == [cell.id for cell in notebook.cells if told.tells(cell)]
    seen = texts(output for cell in code(notebook) for output in cell.outputs)
    for cell in telling.cells:
        assert cell.execution_count
        for said in (texts([output]) for output in cell.outputs):
            assert said and said not in seen
    for claim in report.claims(telling):
        assert claim["said"] not in seen and html.escape(claim["said"]) not in seen


@every_notebook
def test_the_solved_notebook_shows_its_code(name):
    assert not [cell for cell in built(name, "notebooks/solutions").cells if set(cell.metadata) - {"tags"}]


def sample(*cells):
    """A student's notebook of these cells: (source, tags)."""
    made = [nbformat.v4.new_code_cell(source, metadata={"tags": tags}) for source, tags in cells]
    for cell in filter(told.tells, made):
        told.hide(cell)
    return nbformat.v4.new_notebook(cells=made)


GUESS, RESULT = ("my_guess = ...", []), ("compare_guess(my_guess, error)", [told.TAG])


@pytest.mark.parametrize("change, problem", [
    (lambda cells: None, None),
    (lambda cells: cells[2].outputs.append(nbformat.v4.new_output("stream", text="57")), "its outputs are stored"),
    (lambda cells: cells[1].outputs.append(nbformat.v4.new_output("stream", text="57")), "it shows something between"),
    (lambda cells: cells[1].update(source="error = 57\nclaim('{value}', error, 50, 60)"), "it shows something between"),
    (lambda cells: cells[2].metadata.pop("jupyter"), "its source is seen"),
    (lambda cells: cells[2].metadata.pop("cellView"), "it is no form on Colab"),
    (lambda cells: cells[2].update(source="compare_guess(my_guess, error)"), "it is no form on Colab"),
    (lambda cells: cells[2].update(metadata={"tags": []}), "it compares a guess, and is not marked"),
    (lambda cells: cells[0].update(source="my_guess = ...\nmy_other = ..."), "my_other is not compared"),
])
def test_whatever_spoils_a_guess_is_found(change, problem):
    notebook = sample(GUESS, ("error = 57", []), RESULT)
    change(notebook.cells)
    found = " ".join(spoilt(notebook))
    assert problem in found if problem else not found
