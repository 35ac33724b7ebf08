"""Grade one notebook: the student's functions are called in a box, what they return is judged here."""

import functools
import hashlib
import time
import traceback
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advcourse.exercises import engine
from advcourse.exercises.attempt import CHANGES, Attempt
from advcourse.exercises.catalogue import Exercise, all_exercises, get
from advcourse.exercises.counted import counting
from advcourse.exercises.deadline import OutOfTime, deadline
from advcourse.exercises.kinds import LAYERS
from advcourse.exercises.session import judge_answer
from advcourse.grading.box import wire
from advcourse.grading.marks import TO_BE_GRADED, UNREADABLE, Graded, Mark
from advcourse.grading.reading.submissions import Submission
from advcourse.handin.work import extract

if TYPE_CHECKING:
    from advcourse.grading.box.boxes import Boxes

OWN_MEMORY = 4 << 30  # bytes that a box can make the grader take by asking for much


@dataclass(frozen=True)
class Trials:
    """What every student's function of one exercise meets: probes, and what the reference makes of them."""

    probes: list
    wanted: list
    random: int  # seed of the student's random numbers
    judging: int  # seed of what the properties draw; neither can be told from the other, nor from the probes


@functools.lru_cache(maxsize=256)
def trials(number, seed):
    """The Trials of an exercise; RuntimeError where our own solution fails on them: another seed will do."""
    exercise = get(number)
    drawing, random, judging = (engine.seed_for(seed, number, use) for use in ("probes", "random", "judging"))
    probes = engine.make_probes(exercise, drawing)
    own = engine.make_probes(exercise, drawing)  # they count, too: what our solution asks
    ours = engine.attempts_of(exercise.reference, exercise, own, random)
    made = Trials(probes, ours, random, judging)
    verdict = engine.judge(exercise, own, ours, ours, judging)
    if verdict.state != engine.PASSED:
        raise RuntimeError(f"the course's own solution of {exercise.number} fails with the seed {seed}: "
                           f"{'; '.join(verdict.messages)}")
    return made


def grade(submission: Submission, boxes: "Boxes", seed: int, *, proven: str = "", personal: bool = False,
          only: Collection[str] | None = None) -> Graded:
    """The Graded of one submission. only: the numbers of the exercises to judge; all by default.

    seed: of the probes, the instructor's secret. proven: the line that says which walls hold.
    personal: the choices of questions stand in the order of the submission's student, whatever STUDENT says in the
    notebook. Whatever goes wrong on our side becomes the problem of a Graded that is still to be graded.
    """
    from advcourse.grading.box import walls  # of Linux; who sends a class to a cluster may have another system

    start = time.monotonic()
    try:
        with walls.bounded_memory(OWN_MEMORY):
            tasks = [task for task in all_exercises(submission.notebook) if only is None or task.number in only]
            marks, notes = marked(submission, tasks, boxes, seed, personal=personal)
        return Graded(**about(submission, seed), walls=proven, marks=tuple(marks), notes=tuple(notes),
                      seconds=time.monotonic() - start)
    except Exception as error:  # ours: a student's mistakes end in marks
        where = traceback.extract_tb(error.__traceback__)[-1]
        return to_be_graded(submission, seed, f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")


def to_be_graded(submission, seed, problem):
    """The Graded of a submission that we could not grade, through no fault of its own."""
    marks = tuple(Mark(task.number, task.title, TO_BE_GRADED, 0, task.points)
                  for task in all_exercises(submission.notebook))
    return Graded(**about(submission, seed), marks=marks, problem=problem)


def about(submission, seed):
    """What a Graded says of where it comes from."""
    return told(submission) | {"sha256": digest(submission), "seed": seed}


def told(submission):
    """What is told of a submission beside its content."""
    found = tuple(note for note in submission.notes if note not in submission.flags)
    return {"student": submission.student, "notebook": submission.notebook, "path": str(submission.path),
            "submitted": submission.submitted, "source": submission.source, "name": submission.name,
            "platform": submission.platform, "flags": submission.flags, "found": found}


def digest(submission):
    """What stands for a submission's content; where it cannot be read, for what is wrong with it."""
    return hashlib.sha256(submission.content or (submission.problem or "").encode(errors="replace")).hexdigest()


def marked(submission, tasks, boxes, seed, *, personal):
    """(the Marks of a submission, lines on what was wrong with the file)."""
    if submission.problem:
        return [unreadable(task, submission.problem) for task in tasks], [submission.problem]
    try:
        work = extract(submission.content, submission.notebook)
    except ValueError as error:
        return [unreadable(task, str(error)) for task in tasks], [str(error)]
    student = submission.student if personal else work.student
    verdicts = {task.number: judge_answer(task.number, work.answers.get(task.number), student)
                for task in tasks if not isinstance(task, Exercise)}
    exercises = [task for task in tasks if isinstance(task, Exercise)]
    for exercise in exercises:
        if work.functions.get(exercise.number) is None:
            verdicts[exercise.number] = engine.verdict(exercise, engine.NOT_ATTEMPTED)
    waiting = [exercise for exercise in exercises if exercise.number not in verdicts]
    while waiting:  # where one takes its box along, the others get a new one
        with boxes.open(len(waiting)) as box:
            verdicts |= tried(box, waiting, work, seed)
        waiting = [exercise for exercise in waiting if exercise.number not in verdicts]
    return [mark(task, verdicts[task.number], work.cells.get(task.number, "")) for task in tasks], work.notes


def unreadable(task, problem):
    """The Mark of an exercise in a file that could not be read."""
    return Mark(task.number, task.title, UNREADABLE, 0, task.points, reason=clipped(" ".join(problem.split())))


def tried(box, exercises, work, seed):
    """From number to Verdict, for as many exercises as the box lives to see, in their order; always for the first."""
    verdicts = {}
    try:
        box.start_clock()
        box.load(work.statements)
        for exercise in exercises:
            made = trials(exercise.number, seed)
            box.start_clock()
            with deadline(box.seconds + 1):  # the box's own end comes first, unless it keeps a probe of ours at work
                attempts = called(box, made, work.functions[exercise.number], exercise.differentiated_by)
            verdicts[exercise.number] = engine.judged(
                exercise, made.probes, made.wanted, attempts, seed=made.judging,
                seconds=engine.JUDGING * box.seconds)
    except (wire.Closed, wire.Malformed, OutOfTime) as error:
        exercise = exercises[len(verdicts)]
        verdicts[exercise.number] = engine.verdict(exercise, engine.WRONG, message=ended(error, box.seconds))
    return verdicts


def ended(error, seconds):
    """In words, why no answer came out of the box."""
    if isinstance(error, wire.Malformed):
        return f"what your code sent out is not what was asked for: {error}"
    if isinstance(error, wire.TooLate | OutOfTime):
        return engine.out_of_time(seconds)
    return "your code brought its process to an end, or needed more memory or time than there is"


def called(box, made, name, by):
    """An Attempt for each probe: what the student's function made of it in the box. by: see `attempt`."""
    names = list(made.probes[0])
    attempts = []
    for probe in made.probes:
        try:
            with counting(probe):
                said = box.attempt(name, names, probe, made.random, by)
        except (wire.Closed, wire.Malformed):
            raise
        except RuntimeError as error:  # the box says in words what went wrong: the result may be too large to send
            attempts.append(Attempt(problem=f"your function's result cannot be judged: {error}"[:500]))
            continue
        attempts.append(read(said, probe))
    return attempts


def read(said, probe):
    """The Attempt that a box tells of. Malformed where it tells something else."""
    if type(said) is not dict or not {"result", "problem", "open"} & said.keys():
        raise wire.Malformed("no account of a call")
    if said.get("open") is True:
        return Attempt(is_open=True)
    if said.get("problem") is not None:
        return Attempt(problem=str(said["problem"])[:1000])
    changed, gradients, again = (said.get(name) for name in ("changed", "gradients", "again"))
    results = [said.get("result"), *(again if type(again) is list else [])]
    if any(isinstance(one, wire.Asked) for one in results):  # it could answer otherwise whenever it is attacked
        return Attempt(problem="your function returns a function, or a network of other layers, which cannot be "
                               f"judged without running it: return an nn.Sequential of {', '.join(LAYERS)}")
    known = {name: what for name, what in changed.items() if name in probe and type(what) is str and what in CHANGES} \
        if type(changed) is dict else {}
    return Attempt(said.get("result"), changed=known, gradients=gradients if type(gradients) is list else None,
                   again=again[:1] if type(again) is list else [])


def mark(task, verdict, code):
    """The Mark that a Verdict gives."""
    messages = [clipped(message) for message in verdict.messages]
    passed = verdict.state == engine.PASSED
    return Mark(task.number, task.title, verdict.state, verdict.points, verdict.maximum,
                reason="" if passed or not messages else " ".join(messages[0].split()),
                outcomes={sentence: message and clipped(message) for sentence, message in verdict.outcomes.items()},
                message=clipped(verdict.message), hint="" if passed or not task.hints else task.hints[0][1], code=code)


def clipped(text, longest=1000):
    """A text, cut where it is longer than anyone will read."""
    return text if len(text) <= longest else text[:longest] + "…"
