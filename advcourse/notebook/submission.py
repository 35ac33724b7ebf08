"""What a student hands in: `advcourse.submit()` writes one file, and says what is still missing."""

import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from advcourse import files
from advcourse.exercises import all_exercises, session
from advcourse.exercises.display import COLOURS, SYMBOLS, count, emit, inline
from advcourse.exercises.engine import NOT_ATTEMPTED, WRONG, Verdict
from advcourse.handin import trial
from advcourse.handin.calls import Call, version_told, walk
from advcourse.handin.statements import LARGEST_NOTEBOOK, code_cells, read_cells
from advcourse.handin.work import Work, choose
from advcourse.notebook import frontend
from advcourse.version import __version__

NOT_RUN = "not run"


def submit(path: str | Path | None = None) -> None:
    """Write NN_STUDENT_submission.zip beside the notebook that is running, and say what is missing or would not count.

    path: the notebook's file, wanted only where it cannot be found out. The zip holds the file as it was last saved,
    and manifest.json: the course's version, the notebook and its version, the student, the file's sha256, the time.
    Where the folder is only to be read, the zip is written to the working directory.
    Raises FileNotFoundError where there is no file at `path`, ValueError where it is not a notebook.
    """
    student, notebook, verdicts = session.state()
    if notebook is None:
        emit(None, "Run the set-up cell first, the one that calls start(…): it says which notebook this is.")
        return
    path, content = (Path(path), None) if path is not None else frontend.running(notebook)
    if path is None:
        frontend.say(frontend.way_out(notebook))
        return
    if content is None:
        content = saved_content(path)
    saved = read_saved(content, notebook, path.name)
    frontend.say("Trying what you hand in as a grading does: on its own, without the rest of the notebook …")
    tried = trial.tried(content, notebook)
    frontend.clear()
    absent, unsaved = not_in_file(notebook, saved), not_saved(notebook, saved)
    ran = {number: one for number, one in verdicts.items() if number not in {*absent, *unsaved}}
    missing = [*problems(student, notebook, saved, absent=absent, unsaved=unsaved),
               *open_exercises(notebook, verdicts), *not_counting(ran, tried)]
    name = path.name if path.name.startswith(f"{notebook}_") else f"{notebook}_{path.name}"
    manifest = {"advcourse": __version__, "notebook": notebook, "notebook_version": version_told(saved.calls),
                "student": student, "file": name, "sha256": hashlib.sha256(content).hexdigest(),
                "time": datetime.now(UTC).isoformat(timespec="seconds")}
    archive = files.zipped({name: content, "manifest.json": json.dumps(manifest, indent=1, ensure_ascii=False)})
    try:
        target = write_beside(path, f"{notebook}_{part_of_name(student) or 'unnamed'}_submission.zip", archive)
    except OSError as error:
        frontend.say(f"Nothing can be written here ({error.strerror or error}). Hand in the notebook's own .ipynb "
                     "file: it counts as well.")
        return
    show(target, path, manifest, table(notebook, verdicts, tried), missing)
    frontend.offer_download(target)


# --- files -----------------------------------------------------------------------------------------------------------

def saved_content(path: Path) -> bytes:
    """The bytes of the notebook's file; FileNotFoundError, in words, where there is none."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} in {Path.cwd()}; "
                                "save the notebook and give the name of its file")
    return path.read_bytes()


def part_of_name(student: str) -> str | None:
    """What stands for the student in a file's name; None where the name holds no letter and no digit."""
    try:
        return files.safe_name(student)
    except ValueError:
        return None


def write_beside(path: Path, name: str, content: bytes) -> Path:
    """Write a file of this name beside `path` or, where that cannot be, into the working directory; its path.

    Raises OSError where neither can be written.
    """
    try:
        target = path.with_name(name)
        files.write(target, content)
    except OSError:  # what was uploaded to Kaggle, say, is only to be read
        target = Path.cwd() / name
        files.write(target, content)
    return target


# --- what is missing -------------------------------------------------------------------------------------------------

class Saved(NamedTuple):
    """What stands in the saved file, and what of it counts when it is graded."""

    content: bytes
    sources: set  # the text of each code cell
    calls: list
    literals: dict
    work: Work


def read_saved(content: bytes, notebook: str, name: str) -> Saved:
    """The Saved of a file's bytes; ValueError where they are not a notebook."""
    try:
        cells = list(code_cells(content))
    except ValueError as error:
        raise ValueError(f"{name}{str(error).removeprefix('this')}") from None
    if not any(source.strip() for _, source in cells):
        raise ValueError(f"{name} is not a notebook: it holds no code")
    statements, notes = read_cells(cells)
    return Saved(content, {source.strip() for _, source in cells}, *walk(statements),
                 choose(statements, notes, notebook))


def problems(student: str, notebook: str, saved: Saved, *, absent: list[str], unsaved: list[str]) -> Iterator[str]:
    """What is wrong with the file or who hands it in, a line for each.

    absent: what `not_in_file` finds. unsaved: what `not_saved` does.
    """
    if not student:
        yield ("STUDENT is empty: write your name or number between its "
               "quotes in the first code cell, and run the notebook again.")
    elif "STUDENT" in saved.literals and saved.work.student != student:
        yield (f"STUDENT in the saved file is not {student!r}, with which you ran it: write that between its quotes in "
               "the first code cell, save the notebook, and run it again.")
    if student and part_of_name(student) is None:
        yield (f"STUDENT is {student!r}, without a letter or digit, so the file is called unnamed: write your name or "
               "number in the first code cell, save the notebook, and run it again.")
    if ("start", notebook) not in {(call.kind, call.number) for call in saved.calls}:
        yield (f'this file does not look like notebook {notebook}: no cell of it calls start("{notebook}", …).')
    if len(saved.content) > LARGEST_NOTEBOOK:
        size, most = (f"{number / 1e6:.0f} MB" for number in (len(saved.content), LARGEST_NOTEBOOK))
        yield f"the file has {size}, and at most {most} are read: clear the outputs, save, and run this cell again."
    if absent:
        yield (f"the saved file has no cell for {', '.join(absent)}: take it over from the notebook that you were "
               "given, save, and run this cell again.")
    if older := [number for number in unsaved if number not in absent]:
        yield (f"the file is older than what you ran last for {', '.join(older)}: save the notebook (Ctrl+S) and run "
               "this cell again.")
    given = saved.work.functions | saved.work.answers
    yield from (f"{note}." for note in saved.work.notes if given.get(note.partition(":")[0], note) is None)


def not_in_file(notebook: str, saved: Saved) -> list[str]:
    """The exercises and questions of which the saved file has neither the work nor its check or answer."""
    given, called = saved.work.functions | saved.work.answers, numbers_called(saved.calls)
    return [task.number for task in all_exercises(notebook) if given[task.number] is None and task.number not in called]


def not_saved(notebook: str, saved: Saved) -> list[str]:
    """The exercises whose cell was last run with a text that the saved file does not have."""
    shell, last = frontend.ipython(), {}
    for cell in shell.history_manager.input_hist_raw if shell else []:
        statements, _ = read_cells([(1, cell)])
        last |= dict.fromkeys(numbers_called(walk(statements)[0]), cell.strip())
    return [task.number for task in all_exercises(notebook)
            if task.number in last and last[task.number] not in saved.sources]


def numbers_called(calls: Iterable[Call]) -> set[str]:
    """The numbers that are given to check or answer."""
    return {call.number for call in calls if call.kind in ("check", "answer")}


def open_exercises(notebook: str, verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    """A line for each way in which exercises and questions are not solved."""
    words = {NOT_RUN: "not run since the kernel started (run the notebook from the top)", NOT_ATTEMPTED: "open",
             WRONG: "not right yet"}
    for state, told in words.items():
        if numbers := [number for number, _, found, *_ in table(notebook, verdicts) if found == state]:
            yield f"{told}: {', '.join(numbers)}."


def not_counting(verdicts: Mapping[str, Verdict], tried: Mapping[str, list] | None) -> Iterator[str]:
    """A line for each exercise that earned more in this session than it does on its own, as it is graded."""
    if tried is None:
        yield "it could not be tried here as a grading does; what the table says was found in this session."
    for number, (_, points, why) in (tried or {}).items():
        if number in verdicts and points < verdicts[number].points:
            yield (f"{number}: {count(verdicts[number].points, 'point')} in this session, {points} when the file is "
                   f"graded{': ' if why else ''}{why.rstrip('.')}.")


# --- what is shown ---------------------------------------------------------------------------------------------------

def table(notebook: str, verdicts: Mapping[str, Verdict], tried: Mapping[str, list] | None = None) -> list[tuple]:
    """(number, title, state, points, maximum) of each exercise of the notebook, as tried on its own where it was."""
    rows = []
    for task in all_exercises(notebook):
        verdict = verdicts.get(task.number)
        state, points = (verdict.state, verdict.points) if verdict else (NOT_RUN, 0)
        state, points, _ = (tried or {}).get(task.number, (state, points, ""))
        rows.append((task.number, task.title, state, points, task.points))
    return rows


def show(target: Path, path: Path, manifest: Mapping[str, Any], rows: list[tuple], missing: list[str]) -> None:
    """Say what was written and what is missing, with a row for each exercise."""
    place = target.name if target.parent == path.parent else target
    wrote = f"Wrote {place}, with {path.name} as it was last saved: hand in this one file."
    verdict = "Nothing is missing, as far as can be told here."
    if missing:
        verdict = "Still missing (mend it, save, and run this again):"
    symbols = SYMBOLS | {NOT_RUN: SYMBOLS[NOT_ATTEMPTED]}
    lines = [f"  {symbols[state]} {number} {title}: {state} · {points} of {maximum}"
             for number, title, state, points, maximum in rows]
    items = "".join(f"<li>{html.escape(line)}</li>" for line in missing)
    emit({"kind": "submission", **manifest, "missing": missing},
         "\n".join([wrote, verdict, *(f"  - {line}" for line in missing), *lines]),
         f"<div><p>{html.escape(wrote)}</p><p><b>{verdict}</b></p><ul>{items}</ul>{table_html(rows, symbols)}</div>")


def table_html(rows: list[tuple], symbols: Mapping[str, str]) -> str:
    """The rows as a table."""
    left, colours = 'style="text-align:left"', COLOURS | {NOT_RUN: COLOURS[NOT_ATTEMPTED]}
    head = "".join(f"<th {left}>{name}</th>" for name in ("", "exercise", "title", "state", "points"))
    cells = "".join(
        f'<tr><td style="color:rgb({colours[state]});font-weight:bold">{symbols[state]}</td><td {left}>{number}</td>'
        f"<td {left}>{inline(title)}</td><td {left}>{state}</td><td>{points} of {maximum}</td></tr>"
        for number, title, state, points, maximum in rows)
    return f"<table><tr>{head}</tr>{cells}</table>"
