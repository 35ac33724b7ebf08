"""Grade a class: many notebooks side by side, in processes of this machine or on a dask.distributed cluster.

What is graded is saved at once, each submission in one transaction, so a run that was killed goes on where it stood.
"""

import functools
import hashlib
import secrets
import threading
from contextlib import closing
from pathlib import Path

import distributed

from advcourse import exercises, files
from advcourse.exercises import Exercise, all_exercises
from advcourse.grading import grade, gradebook, proof
from advcourse.grading.marks import Graded
from advcourse.grading.sandbox import PACKAGE, Boxes
from advcourse.pipeline.run import cluster

UNSAFE = "none: --unsafe"

_boxes = {}  # of this process: starting them takes seconds, so they outlive a submission
_one_at_a_time = threading.Lock()  # judging seeds PyTorch's one generator


def grade_class(submissions, out, *, limits, seed=None, workers=1, scheduler=None, walled=True, personal=False,
                on_graded=lambda graded: None):
    """Grade `collect.Submission`s into the gradebook of the folder `out`, and return everything that is in it.

    What is there already, of the same content, is left alone.
    seed: of the probes; by default the one of the last run into this folder, or a new one, kept in its seed.txt.
    personal: see `grade.grade`. on_graded: called with every Graded, and with None for what was graded before.
    Raises OSError where students' code cannot be walled in, or where the cluster cannot be reached.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if seed is None:
        seed = own_seed(out / "seed.txt", {item.notebook for item in submissions})
    mark = fingerprint(seed, limits, walled, personal)
    with closing(gradebook.open_gradebook(out / "gradebook.db")) as connection:
        waiting = []
        for item in submissions:
            if gradebook.is_graded(connection, item.student, item.notebook, hashlib.sha256(item.content).hexdigest(),
                                   mark):
                on_graded(None)
            else:
                waiting.append(item)
        for graded in graded_ones(waiting, (limits, walled, seed, personal), workers, scheduler):
            gradebook.save(connection, graded, mark)
            on_graded(graded)
        return gradebook.load(connection)


def graded_ones(submissions, how, workers, scheduler):
    """The Graded of each submission, as soon as it is there."""
    if not submissions:
        return
    if workers == 1 and not scheduler:
        for item in submissions:
            yield grade_one(item, *how)
        return
    if not scheduler and how[1]:
        # before anything is started: it may refuse; and what holds here need not be tried by every worker
        how = (*how, proven())
    with cluster(scheduler, min(workers, len(submissions))) as client:
        if scheduler and how[1]:
            client.run(proven)
        futures = {client.submit(grade_one, item, *how, pure=False): item for item in submissions}
        for future in distributed.as_completed(futures):
            try:
                yield future.result()
            except Exception as error:  # a worker that died, a cluster that goes away: the others shall go on
                yield grade.to_be_graded(futures[future], how[2], f"{type(error).__name__}: {error}"[:500])
            future.release()


def grade_one(submission, limits, walled, seed, personal, walls=None) -> Graded:
    """The Graded of one submission, in a box of this process. walls: what `proven` said on this machine; by default it
    is asked."""
    with _one_at_a_time:
        walls = (walls or proven()) if walled else UNSAFE
        boxes = _boxes.get((limits, walled))
        if boxes is None or not boxes.is_alive():
            boxes = _boxes[limits, walled] = Boxes(limits, walled)
        return grade.grade(submission, boxes, seed, walls, personal)


@functools.cache
def proven():
    """A line that says which walls hold here. Raises OSError, and says which do not: then nothing of a student's may
    run."""
    walls = proof.report()
    if broken := [name for name, holds in walls.items() if not holds]:
        raise OSError(f"these walls do not hold on this machine: {', '.join(broken)}; `advcourse grade doctor` tells "
                      "more")
    return f"{len(walls)} walls, each tried beforehand: {', '.join(walls)}"


def seed_of(secret):
    """The seed that a course's secret, any text, stands for."""
    return int.from_bytes(hashlib.sha256(secret.encode()).digest()[:16])


def own_seed(path, notebooks):
    """The seed that stands in the file, or a new one that our own solutions pass with; then it stands there."""
    if path.exists():
        return int(path.read_text())
    while True:
        seed = secrets.randbits(128)  # nobody shall find it by trying
        try:
            for task in (task for notebook in sorted(notebooks) for task in all_exercises(notebook)):
                if isinstance(task, Exercise):
                    grade.trials(task.number, seed)
        except RuntimeError:  # a draw that asks too much, such as an attack that finds nothing
            continue
        files.write(path, f"{seed}\n")
        return seed


@functools.cache
def fingerprint(*how):
    """What stands for everything that a grade depends on but the submission: the exercises, the grader, and how it is
    asked."""
    digest = hashlib.sha256(repr(how).encode())
    graders = [PACKAGE / "grading" / f"{name}.py" for name in ("statements", "extract", "grade", "box", "wire")]
    for path in sorted([*Path(exercises.__file__).parent.glob("*.py"), *graders]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
