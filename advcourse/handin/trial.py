"""What a notebook's work comes to when it is tried as a grading tries it: on its own, without the course and the rest.

    python -m advcourse.handin.trial NOTEBOOK < FILE.ipynb

prints, as JSON, [state, points, why] by the number of each exercise and question. Run by `submit()` in a process of its
own, which needs no walls: it is the student's own code on the student's own machine.
"""

import json
import subprocess
import sys
import types
from dataclasses import replace

from advcourse.exercises import all_exercises, engine, loading, session
from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.deadline import OutOfTime, deadline
from advcourse.handin.work import Work, extract

SECONDS = 600  # for all of a notebook, until nobody waits any longer


def tried(content: bytes, notebook: str) -> dict[str, list] | None:
    """[state, points, why] by number, of a notebook's bytes, from a process of its own; None where that fails."""
    command = [sys.executable, "-P", "-m", "advcourse.handin.trial", notebook]  # no files beside the notebook, either
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=True)
        return json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def verdicts(work: Work, notebook: str) -> dict[str, engine.Verdict]:
    """The Verdict on each exercise and question of a notebook."""
    namespace, failed = types.ModuleType("__main__"), {}
    sys.modules["__main__"] = namespace
    course = loading.hide_the_course()
    stopped = ""
    try:
        with deadline(engine.SECONDS):
            loading.load(work.statements, namespace, failed)
    except OutOfTime:
        stopped = f"the definitions in your notebook did not come to an end within {engine.SECONDS} s"
    finally:
        loading.show_the_course(course)
    found = {}
    for task in all_exercises(notebook):
        name = work.functions.get(task.number)
        if not isinstance(task, Exercise):
            found[task.number] = session.judge_answer(task.number, work.answers.get(task.number), work.student)
        elif name is None:
            found[task.number] = engine.verdict(task, engine.NOT_ATTEMPTED)
        elif stopped or not hasattr(namespace, name):
            why = stopped or f"`{name}` could not be defined" + (f": {failed[name]}" if name in failed else "")
            found[task.number] = engine.verdict(task, engine.WRONG, message=why)
        else:
            verdict = session.verdict_on(task, getattr(namespace, name))
            found[task.number] = replace(verdict, message=verdict.message + loading.reason(verdict.message, failed))
    return found


def main(notebook):
    """Print what stdin's notebook comes to; whatever the student's code prints goes to stderr."""
    told, sys.stdout = sys.stdout, sys.stderr
    found = verdicts(extract(sys.stdin.buffer.read(), notebook), notebook)
    print(json.dumps({number: [one.state, one.points, " ".join(one.messages[:1])] for number, one in found.items()}),
          file=told, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
