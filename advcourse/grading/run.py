"""Grade a class: many notebooks side by side, in processes of this machine or on a dask.distributed cluster.

What is graded is saved at once, each submission in one transaction, so a run that was killed goes on where it stood.
"""

import functools
import hashlib
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import distributed

from advcourse import files
from advcourse.exercises import Exercise, all_exercises
from advcourse.files import PACKAGE
from advcourse.grading import grade, gradebook
from advcourse.grading.box import proof
from advcourse.grading.box.boxes import Boxes
from advcourse.grading.box.walls import Limits
from advcourse.grading.marks import Graded
from advcourse.grading.reading.submissions import Submission
from advcourse.pipeline.cluster import cluster

UNSAFE = "none: --unsafe"

_boxes = {}  # of this process: starting them takes seconds, so they outlive a submission
_one_at_a_time = threading.Lock()  # judging seeds PyTorch's one generator


@dataclass(frozen=True)
class Conditions:
    """How a class is graded. walled: in boxes with walls. seed: of the probes. personal: see `grade.grade`."""

    limits: Limits
    walled: bool
    seed: int
    personal: bool


def grade_class(submissions: Sequence[Submission], out: str | Path, *, limits: Limits, seed: int | None = None,
                workers: int = 1, scheduler: str | None = None, walled: bool = True, personal: bool = False,
                on_graded: Callable[[Graded | None], object] = lambda graded: None) -> list[Graded]:
    """Grade submissions into the gradebook of the folder `out`, and return the Graded of each.

    What is there already, of the same content, is left alone.
    seed: of the probes; by default the one of the last run into this folder, or a new one, kept in its seed.txt.
    scheduler: the address of a dask.distributed cluster to grade on, in place of so many workers of this machine.
    personal: see `grade.grade`. on_graded: called with every Graded, and with None for what was graded before.
    Raises OSError where students' code cannot be walled in, or where the cluster cannot be reached.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if seed is None:
        seed = own_seed(out / "seed.txt", {item.notebook for item in submissions})
    conditions = Conditions(limits, walled, seed, personal)
    mark = fingerprint(conditions)
    with closing(gradebook.open_gradebook(out / "gradebook.db")) as connection:
        waiting = []
        for item in submissions:
            content = hashlib.sha256(item.content).hexdigest()
            if gradebook.is_graded(connection, item.student, item.notebook, content, mark):
                on_graded(None)
            else:
                waiting.append(item)
        for graded in graded_ones(waiting, conditions, workers, scheduler):
            gradebook.save(connection, graded, mark)
            on_graded(graded)
        wanted = {(item.student, item.notebook) for item in submissions}
        return [one for one in gradebook.load(connection) if (one.student, one.notebook) in wanted]


def left_out(out: str | Path, graded: Sequence[Graded]) -> list[tuple[str, str]]:
    """(student, notebook) of all that the gradebook of the folder `out` holds beside these."""
    with closing(gradebook.open_gradebook(Path(out) / "gradebook.db")) as connection:
        there = {(one.student, one.notebook) for one in gradebook.load(connection)}
    return sorted(there - {(one.student, one.notebook) for one in graded})


def graded_ones(submissions, conditions, workers, scheduler):
    """The Graded of each submission, as soon as it is there."""
    if not submissions:
        return
    if workers == 1 and not scheduler:
        for item in submissions:
            yield grade_one(item.in_memory(), conditions)
        return
    # Before anything is started: it may refuse; and what holds here need not be tried by every worker.
    walls = proven() if conditions.walled and not scheduler else None
    with cluster(scheduler, min(workers, len(submissions))) as client:
        if conditions.walled and scheduler:
            client.run(proven)
        at_once = 2 * sum(client.nthreads().values())  # contents are in memory while they are under way
        for item, future in under_way(
                submissions, lambda item: client.submit(grade_one, item.in_memory(), conditions, walls, pure=False),
                at_once):
            try:
                yield future.result()
            except Exception as error:  # a worker that died, a cluster that goes away: the others shall go on
                problem = f"{type(error).__name__}: {error}"[:500]
                yield grade.to_be_graded(item, conditions.seed, problem)
            future.release()


def under_way(items, start, at_once):
    """(item, its finished future) for each item, in the order in which they finish, with so many under way at a time.

    start: from an item to its future.
    """
    futures, finished = {}, distributed.as_completed()
    for item in items:
        if len(futures) >= at_once:
            future = next(finished)
            yield futures.pop(future), future
        future = start(item)
        futures[future] = item
        finished.add(future)
    while futures:
        future = next(finished)
        yield futures.pop(future), future


def grade_one(submission, conditions, walls=None) -> Graded:
    """The Graded of one submission, in a box of this process. walls: what `proven` says here; None to ask it."""
    limits, walled = conditions.limits, conditions.walled
    with _one_at_a_time:
        walls = (walls or proven()) if walled else UNSAFE
        boxes = _boxes.get((limits, walled))
        if boxes is None or not boxes.is_alive():
            boxes = _boxes[limits, walled] = Boxes(limits, walled)
        return grade.grade(submission, boxes, conditions.seed, proven=walls, personal=conditions.personal)


@functools.cache
def proven():
    """A line that says which walls hold here. OSError where one does not: then nothing of a student's may run."""
    walls = proof.report()
    if broken := [name for name, holds in walls.items() if not holds]:
        raise OSError("these walls do not hold on this machine: "
                      f"{', '.join(broken)}; `advcourse grade doctor` tells more")
    return f"{len(walls)} walls, each tried beforehand: {', '.join(walls)}"


def seed_of(secret):
    """The seed that a course's secret, any text, stands for."""
    return int.from_bytes(hashlib.sha256(secret.encode()).digest()[:16])


def own_seed(path, notebooks):
    """The seed that stands in the file, or a new one that our own solutions pass with; then it stands there."""
    if path.exists():
        return int(path.read_text(encoding="utf-8"))
    while True:
        seed = secrets.randbits(128)  # nobody shall find it by trying
        try:
            for notebook in sorted(notebooks):
                for task in all_exercises(notebook):
                    if isinstance(task, Exercise):
                        grade.trials(task.number, seed)
        except RuntimeError:  # a draw that asks too much, such as an attack that finds nothing
            continue
        files.write(path, f"{seed}\n")
        return seed


@functools.cache
def fingerprint(*how):
    """What stands for all that a grade depends on but the submission: exercises, grader, and how it is asked."""
    digest = hashlib.sha256(repr(how).encode())
    exercises = [path for ending in ("py", "toml") for path in (PACKAGE / "exercises").rglob(f"*.{ending}")]
    graders = [*(PACKAGE / "handin").rglob("*.py"), PACKAGE / "grading" / "grade.py",
               *(PACKAGE / "grading" / "box" / f"{name}.py" for name in ("inside", "values", "wire"))]
    for path in sorted([*exercises, *graders]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
