"""Execute one notebook in a kernel of its own, with nbclient alone."""

import logging
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbclient
import nbformat
import papermill
import psutil

# Runs in the kernel before the first cell: IPython does not mind when a `!` line fails, a course that runs itself must.
SHELL_LINES_RAISE = """
def _shell_lines_raise(shell, system):
    def checked(command):
        system(command)
        if code := shell.user_ns.get("_exit_code"):
            raise RuntimeError(f"the shell line !{command} ended with exit code {code}")
    shell.system = checked
_shell_lines_raise(get_ipython(), get_ipython().system)
del _shell_lines_raise
"""

# What nbclient and papermill would print goes nowhere: what happened is in the Result.
logger = logging.getLogger("advcourse.execute")
logger.addHandler(logging.NullHandler())
logger.propagate = False


@dataclass(frozen=True)
class Result:
    """How the run of one notebook went."""

    name: str  # of the notebook, such as "01_adversarial_examples"
    notebook: str  # the executed notebook as JSON text, up to the cell that failed
    seconds: float
    peak_memory: int  # bytes resident in the kernel and its children together
    failure: str | None = None  # "cell 9 (`y = f(x)`): NameError: ...", or None where all went well


def prepare(text, parameters):
    """The notebook in the JSON `text`, with `parameters` set in a cell after its cell tagged "parameters".

    Raises ValueError where `text` is not a notebook, or has no such parameter: papermill would only warn.
    """
    try:
        notebook = nbformat.reads(text, as_version=4)
    except Exception as error:  # whatever the text makes of nbformat
        raise ValueError(f"this is not a notebook: {str(error)[:200]}") from None
    # The student's editor may have left the name of a kernel that is not here.
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    known = list(papermill.inspect_notebook(notebook))
    if unknown := [name for name in parameters if name not in known]:
        raise ValueError(f"the notebook has no parameter {', '.join(unknown)}; "
                         f"its cell tagged \"parameters\" has: {', '.join(known) or 'none'}")
    notebook = papermill.execute_notebook(notebook, None, parameters=parameters, prepare_only=True, progress_bar=False)
    del notebook.metadata["papermill"]  # it holds the whole notebook once more
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code":  # nothing of an earlier run may be taken for a result of this one
            cell.outputs, cell.execution_count = [], None
    return notebook


def execute(name, text, parameters, *, folder=None, timeout=600, environment=None, on_cell=None):
    """Execute the notebook in the JSON `text` and return its Result; a cell that fails ends it, and is its failure.

    folder: the kernel's working directory, by default this process's
    timeout: seconds that one cell may take
    environment: variables for the kernel, beside those of this process
    on_cell: called with (cells done, cells in all) before every cell
    Raises ValueError where `text` is not a notebook, or has no such parameter.
    """
    notebook = prepare(text, parameters)
    current, memory, over = 0, [0], threading.Event()

    def kernel_started(notebook):
        client.kc.execute(SHELL_LINES_RAISE, silent=True)
        threading.Thread(target=watch_memory, args=(client.km.provisioner.pid, memory, over), daemon=True).start()

    def cell_started(cell, cell_index):
        nonlocal current
        current = cell_index
        if on_cell:
            on_cell(cell_index, len(notebook.cells))

    client = nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=timeout, log=logger, coalesce_streams=True,
        on_notebook_start=kernel_started, on_cell_start=cell_started)
    variables = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    variables |= {"ADVCOURSE_STATIC": "1", "TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    problem, start = None, time.perf_counter()
    try:
        # What the cells print comes back in messages; what the kernel itself prints is noise.
        client.execute(env=variables | (environment or {}), cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except nbclient.exceptions.CellExecutionError as error:
        problem = f"{error.ename}: {error.evalue}"
    except nbclient.exceptions.CellTimeoutError:
        problem = f"Timeout: the cell took longer than {timeout} s"
        add_error(notebook.cells[current], problem)
    except nbclient.exceptions.DeadKernelError:
        problem = "DeadKernel: the kernel died (was it killed, or out of memory?)"
        add_error(notebook.cells[current], problem)
    finally:
        over.set()
    seconds = time.perf_counter() - start
    failure = f"{describe(notebook, current)}: {problem}" if problem else None
    return Result(name, nbformat.writes(notebook), seconds, memory[0], failure)


def add_error(cell, problem):
    """Leave in the cell's outputs what the kernel could not say itself any more."""
    name, value = problem.split(": ", 1)
    cell.outputs.append(nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[problem]))


def describe(notebook, index):
    """The cell at `index` for a person: its number in the file that they have, and its first line."""
    cells = [cell for cell in notebook.cells[:index + 1] if "injected-parameters" not in cell.metadata.get("tags", [])]
    lines = [line for line in notebook.cells[index].source.splitlines() if line.strip()]
    return f"cell {len(cells)} (`{lines[0] if lines else ''}`)"


def watch_memory(pid, largest, over):
    """Keep in largest[0] the most bytes resident in process `pid` and its children together, until the event `over`."""
    while not over.is_set():
        try:
            kernel = psutil.Process(pid)
            largest[0] = max(largest[0], sum(map(peak_memory, [kernel, *kernel.children(recursive=True)])))
        except (psutil.Error, OSError):  # a process ended while it was looked at; the next look will do
            pass
        over.wait(0.2)


def peak_memory(process):
    """The most bytes that a process has had resident so far; the bytes it has now where the system keeps no peak."""
    if psutil.LINUX:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
            return 1024 * int(peak[1])
    return process.memory_info().rss
