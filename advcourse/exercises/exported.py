"""What the test cells of notebooks for nbgrader and otter call: the student's work, judged in the student's own kernel.

There a student who wants to cheat can, as with any test that runs beside what it tests: `advcourse grade` judges
outside.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

from advcourse.exercises import engine, session
from advcourse.exercises.catalogue import Question, get
from advcourse.exercises.display import show_verdict, verdict_text


def points(number: str, written: Callable | str | None, seed: int) -> int:
    """The points of an exercise or a question for nbgrader; the verdict is shown.

    written: the function or the letter. What was given to `check` or `answer` counts before it: after a wrong answer
        its name stands for the course's own solution, and the next question's letter may have taken its place.
    seed: of the probes.
    """
    from IPython.display import clear_output

    with quiet():
        verdict = judge(number, written, seed)
    clear_output()  # a logger may have kept the stderr of before; any stderr in a test cell is 0 points in nbgrader
    show_verdict(verdict)
    return verdict.points


def require(number: str, least: int, written: Callable | str | None, seed: int) -> None:
    """A test case of otter: AssertionError, with the verdict in words, where fewer than `least` points are earned."""
    verdict = judge(number, written, seed)
    if verdict.points < least:
        raise AssertionError(verdict_text(verdict))


def judge(number: str, written: Callable | str | None, seed: int) -> engine.Verdict:
    """The Verdict on what the student wrote; arguments as in `points`."""
    task, own = get(number), session.given(number, written)
    return session.judge_answer(number, own) if isinstance(task, Question) else session.verdict_on(task, own, seed)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within it nothing reaches stderr, neither from Python nor from C nor from a child process."""
    kept = os.dup(2)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def grade_id(kind: str, number: str) -> str:
    """nbgrader's name of a cell: "exercise_01_2" for what grades 01.2, "answer_01_2" for what the student writes."""
    return f"{kind}_{number.replace('.', '_')}"
