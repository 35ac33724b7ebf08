"""Grade a class: many notebooks side by side, in processes of this machine or on a dask.distributed cluster.

What is graded is saved at once, each submission in one transaction, so a run that was killed goes on where it stood.
"""

import functools
import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import distributed

from advcourse import files
from advcourse.exercises import Exercise, all_exercises
from advcourse.exercises.catalogue import read_questions
from advcourse.files import PACKAGE
from advcourse.grading import grade, gradebook
from advcourse.grading.box.limits import Limits
from advcourse.grading.marks import Graded
from advcourse.grading.reading.submissions import Submission
from advcourse.pipeline.cluster import cluster

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
                regrade: Collection[str] = (), on_graded: Callable[[Graded | None], object] = lambda graded: None
                ) -> list[Graded]:
    """Grade submissions into the gradebook of the folder `out`, and return the Graded of each.

    What is there already, of the same content, is left alone; an exercise whose check has changed is judged again.
    seed: of the probes; by default the one of the last run into this folder, or a new one, kept in its seed.txt.
    scheduler: the address of a dask.distributed cluster to grade on, in place of so many workers of this machine.
    personal: see `grade.grade`. regrade: the numbers of exercises to judge again in any case.
    on_graded: called with every Graded, and with None for what was graded before.
    Raises OSError where students' code cannot be walled in, or where the cluster cannot be reached.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if seed is None:
        seed = own_seed(out / "seed.txt", {item.notebook for item in submissions})
    conditions = Conditions(limits, walled, seed, personal)
    done, waiting = {}, []
    with closing(gradebook.open_gradebook(out / "gradebook.db")) as connection:
        for item in submissions:
            known = gradebook.find(connection, item.student, item.notebook)
            stale = to_judge(item, known, fingerprints(item.notebook, conditions), regrade)
            if stale is None:  # its date and its student's name may be told otherwise by now
                done[item.student, item.notebook] = replace(known[0], **grade.told(item))
                on_graded(None)
            else:
                waiting.append((item, stale, known and known[0]))
        for item, old, graded in graded_ones(waiting, conditions, workers, scheduler):
            graded = with_old_marks(graded, old)
            gradebook.save(connection, graded, fingerprints(item.notebook, conditions))
            done[item.student, item.notebook] = graded
            on_graded(graded)
    return [done[item.student, item.notebook] for item in submissions]


def to_judge(submission, known, prints, regrade):
    """The numbers of the exercises that are to be judged; None where all that is known of a submission holds."""
    if known is None or known[0].problem is not None or known[0].sha256 != grade.digest(submission):
        return set(prints)
    return {number for number, now in prints.items() if number in regrade or known[1].get(number) != now} or None


def with_old_marks(graded, old):
    """A Graded with the marks of the same content's `old` one for exercises that were not judged again."""
    if old is None or old.sha256 != graded.sha256:
        return graded
    marks = {mark.exercise: mark for mark in (*old.marks, *graded.marks)}
    return replace(graded, marks=tuple(marks[task.number] for task in all_exercises(graded.notebook)))


def left_out(out: str | Path, graded: Sequence[Graded]) -> list[tuple[str, str]]:
    """(student, notebook) of all that the gradebook of the folder `out` holds beside these."""
    with closing(gradebook.open_gradebook(Path(out) / "gradebook.db")) as connection:
        return sorted(set(gradebook.submissions(connection)) - {(one.student, one.notebook) for one in graded})


def graded_ones(waiting, conditions, workers, scheduler):
    """(submission, old, Graded) for each (submission, exercises to judge, old) that waits, as soon as it is there."""
    if not waiting:
        return
    if workers == 1 and not scheduler:
        for item, only, old in waiting:
            yield item, old, grade_one(item.in_memory(), conditions, only)
        return
    # Before anything is started: it may refuse; and what holds here need not be tried by every worker.
    walls = proven() if conditions.walled and not scheduler else None
    with cluster(scheduler, min(workers, len(waiting))) as client:
        if conditions.walled and scheduler:
            prove_everywhere(client, scheduler)
        at_once = 2 * sum(client.nthreads().values())  # contents are in memory while they are under way

        def start(one):
            item, only, _ = one
            return client.submit(grade_one, item.in_memory(), conditions, only, walls, pure=False)

        for (item, _, old), future in under_way(waiting, start, at_once):
            try:
                graded = future.result()
            except Exception as error:  # a worker that died, a cluster that goes away: the others shall go on
                graded = grade.to_be_graded(item, conditions.seed, f"{type(error).__name__}: {error}"[:500])
            future.release()
            yield item, old, graded


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


def prove_everywhere(client, scheduler):
    """Try the walls of every worker of a cluster; OSError where one does not hold, or where a worker ends meanwhile."""
    try:
        client.run(proven)
    except distributed.comm.CommClosedError:
        raise OSError(f"a worker of the cluster at {scheduler} ended while its walls were tried: see in its log why, "
                      "and grade again; nothing of what was graded before is lost") from None


def grade_one(submission, conditions, only=None, walls=None) -> Graded:
    """The Graded of one submission, in a box of this process.

    only: the exercises to judge, all by default. walls: what `proven` says here; None to ask it.
    """
    from advcourse.grading.box.boxes import Boxes  # of Linux, as is proof; the client of a cluster may be elsewhere

    limits, walled = conditions.limits, conditions.walled
    with _one_at_a_time:
        walls = (walls or proven()) if walled else UNSAFE
        boxes = _boxes.get((limits, walled))
        if boxes is None or not boxes.is_alive():
            boxes = _boxes[limits, walled] = Boxes(limits, walled)
        return grade.grade(submission, boxes, conditions.seed, proven=walls, personal=conditions.personal, only=only)


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
def fingerprints(notebook, *how):
    """From every exercise of a notebook to what stands for all that its mark depends on but the submission.

    That is the exercise itself, what all exercises share, the grader, and how it is asked.
    """
    folder = PACKAGE / "exercises" / f"notebook_{notebook}"
    tasks = {f"{notebook}.{path.name[1:].partition('_')[0]}": path.read_bytes() for path in folder.glob("e[0-9]*_*.py")}
    tasks |= {task.number: repr(task).encode() for task in read_questions(folder / "questions.toml")}
    shared = hashlib.sha256(repr(how).encode())
    for path in sorted([*(PACKAGE / "exercises").glob("*.py"), *(PACKAGE / "handin").rglob("*.py"),
                        PACKAGE / "grading" / "grade.py",
                        *(PACKAGE / "grading" / "box" / f"{name}.py" for name in ("inside", "values", "wire"))]):
        shared.update(path.read_bytes())
    return {number: hashlib.sha256(shared.digest() + text).hexdigest() for number, text in tasks.items()}
