"""Execute one notebook in a kernel of its own: papermill does it, and this file watches."""

import logging
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import papermill
import psutil
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.execute import remove_error_markers

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

OUTPUT_TIMEOUT = 60  # seconds that outputs may come after their cell has ended; papermill's 4 are few on a busy machine

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


def execute(name, text, parameters, *, folder=None, timeout=600, environment=None, on_cell=None, wanted=None):
    """Execute the notebook in the JSON `text` and return its Result; a cell that fails ends it, and is its failure.

    parameters: values that papermill sets in a cell after the one tagged "parameters"
    folder: the kernel's working directory, by default this process's
    timeout: seconds that one cell may take
    environment: variables for the kernel, beside those of this process
    on_cell: called with (cells done, cells in all) before every cell
    wanted: asked several times a second whether the run shall go on; where it says no, the kernel is killed
    Raises ValueError where `text` is not a notebook, or has no such parameter.
    """
    notebook, watch = read(text, parameters), Watch(wanted)
    variables = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    variables |= {"ADVCOURSE_STATIC": "1", "TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    start = time.perf_counter()
    try:
        papermill.execute_notebook(
            notebook, None, parameters, engine_name="advcourse", kernel_name="python3", progress_bar=False,
            watch=watch, on_cell=on_cell, timeout=timeout, cwd_of_kernel=folder,
            environment=variables | (environment or {}))
    except papermill.PapermillExecutionError:
        pass  # the notebook itself says what happened, and where
    finally:
        watch.over.set()
    seconds = time.perf_counter() - start
    executed = remove_error_markers(watch.notebook)
    failure = failure_of(executed)
    forget_papermill(executed)
    return Result(name, nbformat.writes(executed), seconds, watch.peak_memory, failure)


def read(text, parameters):
    """The notebook in the JSON `text`, as papermill can take it.

    Raises ValueError where `text` is not a notebook, or has no such parameter: papermill would only warn.
    """
    try:
        notebook = nbformat.reads(text, as_version=4)
    except Exception as error:  # whatever the text makes of nbformat
        raise ValueError(f"this is not a notebook: {str(error)[:200]}") from None
    # The student's editor may have left the name of a kernel that is not here.
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    forget_papermill(notebook)
    for cell in notebook.cells:  # an error in a student's cell does not stop JupyterLab, but it does stop this run
        if "raises-exception" in cell.metadata.get("tags", []):
            cell.metadata["tags"] = [tag for tag in cell.metadata["tags"] if tag != "raises-exception"]
    known = list(papermill.inspect_notebook(notebook))
    if unknown := [name for name in parameters if name not in known]:
        raise ValueError(f"the notebook has no parameter {', '.join(unknown)}; "
                         f"its cell tagged \"parameters\" has: {', '.join(known) or 'none'}")
    return notebook


def forget_papermill(notebook):
    """Remove what papermill notes in metadata: times that differ from run to run, and the whole notebook once more."""
    for part in (notebook, *notebook.cells):
        part.metadata.pop("papermill", None)


class Engine(NBClientEngine):
    """papermill's own engine, with what it has no option for: the kernel's surroundings, and somebody who watches."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, *, watch, on_cell, timeout, cwd_of_kernel, environment,
                                 **of_papermill):
        """Execute `nb_man.nb`; where a kernel cannot say any more what ended it, leave that as the cell's error."""
        def kernel_started(notebook):
            client.kc.execute(SHELL_LINES_RAISE, silent=True)
            threading.Thread(target=watch.kernel, args=(client.km.provisioner.pid,), daemon=True).start()

        def cell_started(cell, cell_index):
            nonlocal current
            current = cell
            if on_cell:
                on_cell(cell_index, len(nb_man.nb.cells))

        def cell_failed(cell, cell_index, execute_reply):
            cell.metadata.papermill["error"] = execute_reply["content"]

        watch.notebook, current, problem = nb_man.nb, None, None
        client = PapermillNotebookClient(
            nb_man, kernel_name=kernel_name, timeout=timeout, log=logger, coalesce_streams=True,
            iopub_timeout=OUTPUT_TIMEOUT,
            on_notebook_start=kernel_started, on_cell_start=cell_started, on_cell_error=cell_failed)
        try:
            # What the cells print comes back in messages; what the kernel itself prints is noise.
            client.execute(env=environment, cwd=cwd_of_kernel, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except CellTimeoutError:
            problem = f"Timeout: the cell took longer than {timeout} s"
        except DeadKernelError:
            problem = "DeadKernel: the kernel died (was it killed, or out of memory?)"
        if problem:
            name, value = problem.split(": ", 1)
            error = {"ename": name, "evalue": value, "traceback": [problem]}
            current.outputs.append(nbformat.v4.new_output("error", **error))
            nb_man.cell_exception(current)
            current.metadata.papermill["error"] = error


papermill_engines.register("advcourse", Engine)


def failure_of(notebook):
    """What ended an execution by papermill, for a person: which cell, at which line, and why; None for nothing."""
    cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(cells, start=1):
        if cell.metadata.papermill["exception"]:
            error = cell.metadata.papermill["error"]
            return f"cell {number} (`{line_of(cell, error['traceback'])}`): {error['ename']}: {error['evalue']}"
    return None


def line_of(cell, traceback):
    """The line of the cell at which the error came up; where its traceback does not say, the first that is code."""
    lines = re.sub(r"^(\s*\n)+", "", cell.source).splitlines()  # IPython does not count blank lines at the top
    traceback = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(traceback))
    at = re.search(rf"Cell In\[{cell.execution_count}\], line (\d+)", traceback)
    told = lines[int(at[1]) - 1:] if at else []
    return next((line.strip() for line in told + lines if line.strip() and not line.lstrip().startswith("#")), "")


@dataclass
class Watch:
    """Looks at a kernel while it runs."""

    wanted: object = None  # a function that says whether the run shall go on, or None
    notebook: object = None  # as far as it is executed
    peak_memory: int = 0  # bytes resident in the kernel and its children together
    over: threading.Event = field(default_factory=threading.Event)

    def kernel(self, pid):
        """Keep the most bytes resident in process `pid` and its children, until it is over or no more wanted."""
        while not self.over.wait(0.2):
            try:
                kernel = psutil.Process(pid)
                family = [kernel, *kernel.children(recursive=True)]
                if self.wanted and not self.wanted():
                    kernel.kill()
                self.peak_memory = max(self.peak_memory, sum(map(peak_memory, family)))
            except (psutil.Error, OSError):  # a process ended while it was looked at; the next look will do
                pass


def peak_memory(process):
    """The most bytes that a process has had resident so far; the bytes it has now where the system keeps no peak."""
    if psutil.LINUX:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
            return 1024 * int(peak[1])
    return process.memory_info().rss
