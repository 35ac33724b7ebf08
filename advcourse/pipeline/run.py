"""Run notebooks headless, side by side: in processes of this machine, or on the machines of a dask.distributed cluster.

Both ways are one: a notebook travels to a worker as text and comes back as text, so a worker shares no disk with us.
"""

import contextlib
import os
import queue
import uuid
from pathlib import Path

import distributed
import nbformat
import psutil

from advcourse.device import cores
from advcourse.pipeline import execute
from advcourse.pipeline.cluster import cluster

# Seconds that one cell may take: long enough for a slow laptop, or for a training run on a GPU.
CELL_TIMEOUT = {"quick": 300, "full": 6 * 3600}
MEMORY = 3e9  # bytes that a notebook may need in the quick profile


def find(folder, numbers=(), course=None):
    """The paths of the series in `folder`, in order; of the notebooks with these numbers ("01" or "1") where given.

    course: the folder of the course's notebooks, where only files of their names count: no duplicates of a student's
    Raises ValueError for a number that no notebook has.
    """
    series = [path for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
              if path.is_file() and (course is None or (course / path.name).exists())]
    if not series:
        raise ValueError(f"there are no notebooks NN_name.ipynb in {folder}; make them with `advcourse build`")
    chosen = []
    for number in numbers:
        matching = [path for path in series if number and path.name[:2] == number.zfill(2)]
        if not matching:
            known = ", ".join(path.name[:2] for path in series)
            raise ValueError(f"there is no notebook {number!r} in {folder}; there are {known}")
        chosen += [path for path in matching if path not in chosen]
    return chosen or series


def default_workers():
    """How many notebooks this machine runs side by side: one per core, as far as its free memory goes."""
    return max(1, min(cores(), int(psutil.virtual_memory().available / MEMORY)))


def run(paths, parameters, *, workers=1, scheduler=None, on_cell=None, stopped=bool):
    """Execute the notebooks at `paths` and yield the Result of each as soon as it is there.

    parameters: values for their parameters cells; PROFILE must be among them
    workers: how many run side by side, each in a process of its own
    scheduler: the address of a dask.distributed scheduler ("tcp://host:8786"), whose workers are used instead
    on_cell: called with (name, cells done, cells in all) before every cell; from another thread
    stopped: asked several times a second whether to end; then the kernels are killed, and no more Results come
    A notebook whose worker dies is run again from its start by another one.
    Raises OSError where the scheduler or its workers cannot be reached.
    """
    texts = {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in paths}
    folders = {path.stem: str(path.parent.resolve()) for path in paths}
    environment = {"OMP_NUM_THREADS": "1"} if workers > 1 and not scheduler else {}
    options = {"parameters": parameters, "timeout": CELL_TIMEOUT[parameters["PROFILE"]], "environment": environment}
    topic = f"advcourse-{uuid.uuid4().hex}"

    with cluster(scheduler, min(workers, len(paths))) as client:
        if on_cell:
            client.subscribe_topic(topic, lambda event: on_cell(*event[1]))
        done, futures = queue.SimpleQueue(), {}
        for name, text in texts.items():
            future = client.submit(on_worker, topic, name, text, folders[name], options, key=f"{topic}-{name}",
                                   pure=False)
            futures[future] = name
            future.add_done_callback(done.put)
        for future in until(stopped, len(futures), done):
            yield result_of(future, futures[future])
        client.cancel(list(futures))  # kernels on a cluster would go on without us


def until(stopped, count, arrivals):
    """The next `count` things that arrive in a queue, or as many as do before `stopped` says so."""
    while count and not stopped():
        with contextlib.suppress(queue.Empty):
            yield arrivals.get(timeout=0.2)
            count -= 1


def on_worker(topic, name, text, folder, options):
    """Execute one notebook in the process of a worker, telling those who follow `topic` how far it is."""
    worker = distributed.get_worker()
    key, tasks = worker.get_current_task(), worker.state.tasks
    return execute.execute(
        name, text, on_cell=lambda done, total: worker.log_event(topic, (name, done, total)),
        wanted=lambda: key in tasks and tasks[key].state != "cancelled",
        folder=folder if os.path.isdir(folder) else None, **options)


def result_of(future, name):
    """The Result that a finished future holds; where it holds none, one that says what went wrong."""
    try:
        return future.result()
    except ValueError as error:
        problem = str(error)
    except distributed.KilledWorker:
        problem = "every worker that ran it died (were they killed, or out of memory?)"
    except Exception as error:  # of a kernel that does not start, of a cluster that goes away: the others shall go on
        problem = f"{type(error).__name__}: {error}"
    nothing = nbformat.writes(nbformat.v4.new_notebook())  # the outputs in the file are not of this run
    return execute.Result(name, nothing, 0.0, 0, problem)
