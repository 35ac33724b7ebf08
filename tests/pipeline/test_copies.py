"""Students' copies of the notebooks: updated where there is no work in them, and never overwritten where there is."""

import json

import nbformat
import pytest
from nbformat import v4

from advcourse import files
from advcourse.pipeline import copies, masters


def notebook(*texts, about=True, **metadata):
    """The bytes of a notebook with a cell of code for each text, as the build writes them."""
    cells = [v4.new_code_cell(text, id=f"c{number}") for number, text in enumerate(texts)]
    if about:
        metadata["advcourse"] = {"cells": copies.fingerprint(cells)}
    return nbformat.writes(v4.new_notebook(cells=cells, metadata=metadata), version=4).encode()


def opened(content, **more):
    """What JupyterLab makes of a file: outputs, metadata, another indentation and order of keys."""
    read = json.loads(content)
    read["metadata"] |= {"language_info": {"name": "python", "version": "3.13.1"}, "widgets": {}} | more
    for cell in read["cells"]:
        cell["execution_count"], cell["metadata"] = 3, {"scrolled": True}
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["one\n"]}]
    return json.dumps(read, indent=4, sort_keys=True).encode()


def worked_on(content, text="x = 'mine'"):
    read = json.loads(opened(content))
    read["cells"][-1]["source"] = [text]
    return json.dumps(read).encode()


OLD, NEW = notebook("x = 1\ny = 2", "..."), notebook("x = 1\ny = 3", "...")


@pytest.fixture
def course(tmp_path):
    """Put a notebook into the course and one, if any, among the copies; update; what then lies among the copies."""
    def updated(new, copy=None, unreadable=()):
        files.write(tmp_path / "course/01_a.ipynb", new)
        if copy is not None:
            files.write(tmp_path / "copies/01_a.ipynb", copy)
        kept, found = copies.update(tmp_path / "course", tmp_path / "copies")
        assert found == list(unreadable)
        assert [path.name for path in (tmp_path / "copies").iterdir()] == ["01_a.ipynb"], "nothing half-written"
        return (tmp_path / "copies/01_a.ipynb").read_bytes(), kept
    return updated


def test_the_first_time_all_is_copied(course):
    assert course(NEW) == (NEW, [])


@pytest.mark.parametrize("copy", [OLD, opened(OLD)], ids=["as copied", "opened and run"])
def test_a_copy_without_work_becomes_the_newer_one(course, copy):
    assert course(NEW, copy) == (NEW, [])


def test_what_was_run_stays_where_nothing_is_newer(course):
    assert course(NEW, opened(NEW)) == (opened(NEW), [])


def test_a_new_version_of_the_same_text_is_newer_where_there_is_no_work(course):
    version = json.loads(NEW)
    version["metadata"]["advcourse"]["version"] = "9"
    version = json.dumps(version).encode()
    assert course(version, opened(NEW)) == (version, [])
    assert course(version, worked_on(NEW)) == (worked_on(NEW), []), "the text is the one the student has"


def test_work_is_kept_and_told_when_the_course_has_another(course):
    assert course(OLD, worked_on(OLD)) == (worked_on(OLD), [])
    assert course(NEW, worked_on(OLD)) == (worked_on(OLD), ["01_a.ipynb"])


@pytest.mark.parametrize("change", [
    lambda cells: cells.append(v4.new_markdown_cell("a note")), lambda cells: cells.pop(),
    lambda cells: cells.reverse(), lambda cells: cells[0].update(cell_type="raw")],
    ids=["a cell more", "a cell less", "moved", "another kind"])
def test_every_change_of_cells_is_work(course, change):
    read = json.loads(OLD)
    change(read["cells"])
    mine = json.dumps(read).encode()
    assert course(NEW, mine) == (mine, ["01_a.ipynb"])


def test_a_copy_of_an_earlier_version_of_the_course_is_work_unless_it_equals_the_new_one(course):
    before = notebook("x = 1\ny = 2", "...", about=False)
    assert course(NEW, before) == (before, ["01_a.ipynb"])
    assert course(OLD, before) == (OLD, [])
    assert course(notebook("a", about=False), opened(notebook("a", about=False)))[0] == opened(
        notebook("a", about=False)), "neither knows its fingerprint: what was run stays"


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff\xfe", b"[]", b"3", OLD[:-40], b"\x89PNG\r\n",
                                    b"[" * 200_000, b'{"cells": []}', b'{"metadata": {}}',
                                    b'{"cells": 3, "metadata": {}}', b'{"cells": [{}], "metadata": {}}',
                                    b'{"cells": [], "metadata": []}', b'{"cells": [], "metadata": {"advcourse": 3}}'],
                         ids=lambda broken: ascii(broken[:30]))
def test_what_is_no_notebook_is_kept_and_said_to_be_none(course, broken):
    assert course(NEW, broken, unreadable=["01_a.ipynb"]) == (broken, [])


def test_a_folder_of_a_notebook_s_name_is_kept_and_stops_nothing(tmp_path):
    for name in ("01_a.ipynb", "02_b.ipynb"):
        files.write(tmp_path / "course" / name, NEW)
    files.write(tmp_path / "copies/01_a.ipynb/mine.txt", "mine")
    assert copies.update(tmp_path / "course", tmp_path / "copies") == ([], ["01_a.ipynb"])
    assert (tmp_path / "copies/01_a.ipynb/mine.txt").read_text() == "mine"
    assert (tmp_path / "copies/02_b.ipynb").read_bytes() == NEW


@pytest.mark.parametrize("text", ["", " \n", "\n\n"])
def test_cells_without_text_and_blanks_at_a_cell_s_end_are_no_work(course, text):
    read = json.loads(OLD)
    read["cells"].append(v4.new_code_cell(text))  # as Shift+Enter does in the last cell
    read["cells"].insert(1, v4.new_markdown_cell(text))
    assert course(NEW, json.dumps(read).encode()) == (NEW, [])
    assert course(NEW, worked_on(OLD, "...\n" + text)) == (NEW, [])
    assert course(NEW, worked_on(OLD, " ...")) == (worked_on(OLD, " ..."), ["01_a.ipynb"]), "at its start they are"


def test_work_in_the_clone_s_own_notebooks_is_found_and_then_kept(course):
    # Who worked in notebooks/ of the clone, and then lets `git` take that folder back.
    for handed_out in (OLD, notebook("x = 1\ny = 2", "...", about=False)):
        mine = worked_on(handed_out)
        assert course(mine, opened(OLD)) == (mine, [])
        assert course(NEW, mine) == (mine, ["01_a.ipynb"])


def test_other_work_in_both_places_is_left_where_it_is(course):
    assert course(worked_on(OLD, "a"), worked_on(OLD, "b")) == (worked_on(OLD, "b"), ["01_a.ipynb"])


def test_a_renamed_copy_makes_room_for_the_course_s(course, tmp_path):
    course(NEW, worked_on(OLD))
    (tmp_path / "copies/01_a.ipynb").rename(tmp_path / "copies/01_mine.ipynb")
    assert copies.update(tmp_path / "course", tmp_path / "copies") == ([], [])
    assert (tmp_path / "copies/01_a.ipynb").read_bytes() == NEW
    assert (tmp_path / "copies/01_mine.ipynb").read_bytes() == worked_on(OLD)


def test_a_disk_that_is_full_leaves_the_old_copy(course, tmp_path, monkeypatch):
    course(OLD)
    files.write(tmp_path / "course/01_a.ipynb", NEW)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        with pytest.raises(OSError, match="no space left"):
            copies.update(tmp_path / "course", tmp_path / "copies")
    assert (tmp_path / "copies/01_a.ipynb").read_bytes() == OLD
    assert len(list((tmp_path / "copies").iterdir())) == 1


@pytest.mark.parametrize("solved", [False, True])
def test_a_notebook_knows_its_own_cells_when_it_is_made(solved):
    made = masters.make(masters.find(["01"])[0], solved=solved)
    about, cells = copies.read(nbformat.writes(made, version=4).encode())
    assert about["cells"] == cells
