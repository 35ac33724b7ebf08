"""What a student hands in: `advcourse.submit()` writes one file, and says what is still missing."""

import hashlib
import html
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from advcourse import files
from advcourse.exercises import all_exercises, session
from advcourse.exercises.display import COLOURS, SYMBOLS, emit, inline
from advcourse.exercises.engine import NOT_ATTEMPTED, WRONG
from advcourse.version import __version__

NOT_RUN = "not run"
MOST_BYTES = 20_000_000  # of a notebook; the grader reads no larger one


def submit(path=None):
    """Write NN_STUDENT_submission.zip beside the notebook that is running, and say what is still missing.

    path: the notebook's file, wanted only where it cannot be found out. The zip holds the file as it was last saved,
    and manifest.json: the course's version, the notebook, the student, the file's sha256 and the time.
    Raises FileNotFoundError where there is no file at `path`, ValueError where it is not a notebook.
    """
    student, notebook, verdicts = session.state()
    if notebook is None:
        emit(None, "Run the set-up cell first, the one that calls start(…): it says which notebook this is.")
        return
    path, content = (Path(path), None) if path is not None else running(notebook)
    if path is None:
        emit(None, "It cannot be told here which file this notebook is in, and nothing was written. Save the notebook "
                   "and give "
                   f'the name of its file, as in advcourse.submit("{notebook}_….ipynb").')
        return
    if content is None:
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path} in {Path.cwd()}; save the notebook and give the name of "
                                    "its file")
        content = path.read_bytes()
    sources = sources_of(content, path)
    missing = [*problems(student, notebook, content, sources), *open_exercises(notebook, verdicts)]
    target = path.with_name(f"{notebook}_{files.safe_name(student or 'unnamed')}_submission.zip")
    name = path.name if path.name.startswith(f"{notebook}_") else f"{notebook}_{path.name}"
    manifest = {"advcourse": __version__, "notebook": notebook, "student": student, "file": name,
                "sha256": hashlib.sha256(content).hexdigest(), "time": datetime.now(UTC).isoformat(timespec="seconds")}
    files.write(target, files.zipped({name: content,
                                      "manifest.json": json.dumps(manifest, indent=1, ensure_ascii=False)}))
    show(target, path, manifest, table(notebook, verdicts), missing)
    offer_download(target)


# --- which file ------------------------------------------------------------------------------------------------------

def running(notebook):
    """The path of the notebook that runs in this kernel, and its content where its editor gives it, else None.

    VS Code and Jupyter say where it is, and Colab gives its content. Elsewhere it is the one file of this notebook's
    name in the working directory. (None, None) where there is none, or more than one.
    """
    if "google.colab" in sys.modules:
        from google.colab import _message

        return Path.cwd() / f"{notebook}_notebook.ipynb", json.dumps(_message.blocking_request("get_ipynb")["ipynb"]).encode()
    shell = ipython()
    said = [shell.user_ns.get("__vsc_ipynb_file__") if shell else None, os.environ.get("JPY_SESSION_NAME")]
    for path in map(Path, filter(None, said)):
        if path.suffix == ".ipynb" and path.is_file():
            return path, None
    here = sorted(Path.cwd().glob(f"{notebook}_*.ipynb"))
    return (here[0] if len(here) == 1 else None), None


def ipython():
    """The IPython that runs this; None outside of it."""
    module = sys.modules.get("IPython")
    return module and module.get_ipython()


def offer_download(path):
    """On Colab, files are gone when the machine is: hand them to the browser."""
    if "google.colab" in sys.modules:
        from google.colab import files as colab_files

        colab_files.download(str(path))


# --- what is missing -------------------------------------------------------------------------------------------------

def sources_of(content, path):
    """The text of every cell of a notebook; ValueError where the bytes are not one."""
    try:
        cells = json.loads(content)["cells"]
        return ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{path.name} is not a notebook: it holds no cells") from None


def problems(student, notebook, content, sources):
    """What is wrong with the file or who hands it in, a line for each."""
    if not student:
        yield "STUDENT is empty: write your name or number between its quotes in the first code cell, and run the notebook again."
    if not any(f'start("{notebook}"' in source.replace("'", '"') for source in sources):
        yield f'this file does not look like notebook {notebook}: no cell of it calls start("{notebook}", …).'
    if len(content) > MOST_BYTES:
        size, most = (f"{number / 1e6:.0f} MB" for number in (len(content), MOST_BYTES))
        yield f"the file has {size}, and at most {most} are read: clear the outputs, save, and run this cell again."
    if unsaved := not_saved(notebook, sources):
        yield f"the file is older than what you ran last for {', '.join(unsaved)}: save the notebook (Ctrl+S) and run this cell again."


def not_saved(notebook, sources):
    """The exercises whose cell was last run with a text that the saved file does not have."""
    shell, saved = ipython(), {source.strip() for source in sources}
    ran = shell.history_manager.input_hist_raw if shell else []
    found = []
    for task in all_exercises(notebook):
        calls = [f'{function}("{task.number}"' for function in ("check", "answer")]
        cells = [cell for cell in ran if any(call in cell.replace("'", '"') for call in calls)]
        if cells and cells[-1].strip() not in saved:
            found.append(task.number)
    return found


def open_exercises(notebook, verdicts):
    """A line for each way in which exercises and questions are not solved."""
    words = {NOT_RUN: "not run since the kernel started (run the notebook from the top)", NOT_ATTEMPTED: "open",
             WRONG: "not right yet"}
    for state, told in words.items():
        if numbers := [number for number, _, found, *_ in table(notebook, verdicts) if found == state]:
            yield f"{told}: {', '.join(numbers)}."


# --- what is shown ---------------------------------------------------------------------------------------------------

def table(notebook, verdicts):
    """(number, title, state, points, maximum) of each exercise of the notebook."""
    rows = []
    for task in all_exercises(notebook):
        verdict = verdicts.get(task.number)
        rows.append((task.number, task.title, verdict.state if verdict else NOT_RUN, verdict.points if verdict else 0,
                     task.points))
    return rows


def show(target, path, manifest, rows, missing):
    """Say what was written and what is missing, with a row for each exercise."""
    wrote = f"Wrote {target.name}, with {path.name} as it was last saved: hand in this one file."
    verdict = "Still missing (mend it, save, and run this again):" if missing else "Nothing is missing, as far as can be told here."
    symbols = SYMBOLS | {NOT_RUN: SYMBOLS[NOT_ATTEMPTED]}
    lines = [f"  {symbols[state]} {number} {title}: {state} · {points} of {maximum}" for number,
             title, state, points, maximum in rows]
    colours = COLOURS | {NOT_RUN: COLOURS[NOT_ATTEMPTED]}
    cells = "".join(
        f'<tr><td style="color:rgb({colours[state]});font-weight:bold">{symbols[state]}</td><td '
        f'style="text-align:left">{number}</td>'
        f'<td style="text-align:left">{inline(title)}</td><td style="text-align:left">{state}</td><td>{points} of '
        f'{maximum}</td></tr>'
        for number, title, state, points, maximum in rows)
    head = "".join(f'<th style="text-align:left">{name}</th>' for name in ("", "exercise", "title", "state", "points"))
    items = "".join(f"<li>{html.escape(line)}</li>" for line in missing)
    emit({"kind": "submission", **manifest, "missing": missing},
         "\n".join([wrote, verdict, *(f"  - {line}" for line in missing), *lines]),
         f"<div><p>{html.escape(wrote)}</p><p><b>{verdict}</b></p><ul>{items}</ul><table><tr>{head}</tr>{cells}</table></div>")
