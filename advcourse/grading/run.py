"""Grade a class: many notebooks side by side, in processes of this machine or on a dask.distributed cluster.

What is graded is saved at once, each submission in one transaction, so a run that was killed goes on where it stood.
"""

import functools
import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import distributed

from advcourse import files
from advcourse.exercises import Exercise, all_exercises
from advcourse.files import PACKAGE
from advcourse.grading import grade, gradebook
from advcourse.grading.box.limits import Limits
from advcourse.grading.marks import Graded
from advcourse.grading.reading.submissions import Submission
from advcourse.pipeline.run import cluster

STRONG = 1 << 64  # seeds below that can be found by trying
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
    """Grade submissions into the gradebook of the folder `out`, and return everything that is in it.

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
                waiting.append(replace(item, path=str(item.path)))  # on a cluster's Linux no path of Windows
        for graded in graded_ones(waiting, conditions, workers, scheduler):
            gradebook.save(connection, graded, mark)
            on_graded(graded)
        return gradebook.load(connection)


def graded_ones(submissions, conditions, workers, scheduler):
    """The Graded of each submission, as soon as it is there."""
    if not submissions:
        return
    if workers == 1 and not scheduler:
        for item in submissions:
            yield grade_one(item, conditions)
        return
    # Before anything is started: it may refuse; and what holds here need not be tried by every worker.
    walls = proven() if conditions.walled and not scheduler else None
    with cluster(scheduler, min(workers, len(submissions))) as client:
        if conditions.walled and scheduler:
            prove_everywhere(client, scheduler)
        futures = {client.submit(grade_one, item, conditions, walls, pure=False): item for item in submissions}
        for future in distributed.as_completed(futures):
            try:
                yield future.result()
            except Exception as error:  # a worker that died, a cluster that goes away: the others shall go on
                problem = f"{type(error).__name__}: {error}"[:500]
                yield grade.to_be_graded(futures[future], conditions.seed, problem)
            future.release()


def prove_everywhere(client, scheduler):
    """Try the walls of every worker of a cluster; OSError where one does not hold, or where a worker ends meanwhile."""
    try:
        client.run(proven)
    except distributed.comm.CommClosedError:
        raise OSError(f"a worker of the cluster at {scheduler} ended while its walls were tried: see in its log why, "
                      "and grade again; nothing of what was graded before is lost") from None


def grade_one(submission, conditions, walls=None) -> Graded:
    """The Graded of one submission, in a box of this process. walls: what `proven` says here; None to ask it."""
    from advcourse.grading.box.boxes import Boxes  # of Linux, as is proof; the client of a cluster may be elsewhere

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
    from advcourse.grading.box import proof

    walls = proof.report()
    if broken := [name for name, holds in walls.items() if not holds]:
        raise OSError("these walls do not hold on this machine: "
                      f"{', '.join(broken)}; `advcourse grade doctor` tells more")
    return f"{len(walls)} walls, each tried beforehand: {', '.join(walls)}"


def require_strong(seed, name="the seed"):
    """ValueError where a student could find the seed by trying: code may print the random numbers that follow it."""
    if seed < STRONG:
        raise ValueError(f"{name} {seed} can be found by trying: take one of 20 digits or more, such as "
                         f"{secrets.randbits(128)}, or none, and one is drawn and kept in OUT/seed.txt")


def seed_of(secret):
    """The seed that a course's secret stands for, a text; ValueError where the text could be found by trying."""
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}  # "abcd…" has one
    if len(secret) < 20 or min(len(set(secret)), len(steps)) < 10:
        raise ValueError(f"the course's secret {secret!r} can be found by trying: take a long random one, such as "
                         f'secret = "{secrets.token_urlsafe(24)}", or none, and one is drawn and kept in OUT/seed.txt')
    # slow on purpose: each guess takes whoever guesses as long
    return int.from_bytes(hashlib.scrypt(secret.encode(), salt=b"advcourse", n=1 << 14, r=8, p=1, dklen=16))


def own_seed(path, notebooks):
    """The seed that stands in the file, or a new one that our own solutions pass with; then it stands there."""
    if path.exists():
        return seed_in(path)
    while True:
        seed = secrets.randbits(128)  # nobody shall find it by trying
        try:
            for notebook in sorted(notebooks):
                for task in all_exercises(notebook):
                    if isinstance(task, Exercise):
                        grade.trials(task.number, seed)
        except RuntimeError:  # a draw that asks too much, such as an attack that finds nothing
            continue
        with suppress(FileExistsError):  # another grader of this class was faster: its seed counts for both
            files.write_new(path, f"{seed}\n")
        return seed_in(path)


def seed_in(path):
    """The seed that stands in a file; ValueError where it is none, or could be found by trying."""
    text = path.read_text(encoding="utf-8-sig").strip()
    if not re.fullmatch("[0-9]{1,100}", text):
        raise ValueError(f"{path} holds no seed, which is a whole number: without this file a new one is drawn")
    require_strong(int(text), f"the seed in {path},")
    return int(text)


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
