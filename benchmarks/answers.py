"""Try every wrong and right answer of tests/wrong_answers on a hundred seeds, and answers that do nothing.

    python benchmarks/answers.py            # writes benchmarks/results/answers.json
    python benchmarks/answers.py 09 10.5    # tries a notebook's and an exercise's again, leaves the others' results
    python benchmarks/answers.py --seeds 5  # quick; writes nothing

A check must reject a wrong answer on every seed and pass a right one on every seed, and must say what is wrong in the
words written for the mistake. About an hour on two cores, nearly all of it for 10.5, which attacks what it is given.
"""

import argparse
import concurrent.futures
import functools
import json
import multiprocessing
import os
import platform
import sys
from datetime import date
from pathlib import Path

import torch
from tqdm import tqdm

from advcourse import files
from advcourse.exercises import engine
from advcourse.exercises.catalogue import get

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.exercises import doing_nothing  # noqa: E402 (the checkout's tests are no package that is installed)
from tests.exercises.harness import answers, functions, notebooks  # noqa: E402 (as above)

OUT = Path(__file__).parent / "results" / "answers.json"
SEEDS = 100
DO_NOTHING = 2  # seeds for answers that do nothing, of which there are many


def tasks(numbers):
    """(number, kind, name) of every answer of these notebooks and exercises, and one for all that do nothing."""
    for exercise in (exercise for notebook in notebooks() for exercise in functions(notebook)):
        if not is_asked_for(exercise.number, numbers):
            continue
        found = answers(exercise.number)
        yield exercise.number, "right", exercise.reference.__name__
        yield from ((exercise.number, "right", function.__name__) for function in found.RIGHT)
        yield from ((exercise.number, "wrong", function.__name__) for function, _ in found.WRONG)
        yield exercise.number, "nothing", ""


def is_asked_for(number, numbers):
    """Whether the exercise, or its notebook, is among the numbers."""
    return number in numbers or number.split(".")[0] in numbers


def tried(task, count):
    """What came of one task on the seeds below `count`, as it stands in the results."""
    number, kind, name = task
    exercise, found = get(number), answers(number)
    if kind == "nothing":
        verdicts = [engine.run(exercise, function, seed) for _, function in doing_nothing.answers(exercise)
                    for seed in range(min(count, DO_NOTHING))]
        return {"most points": max(verdict.points for verdict in verdicts), "answers": len(verdicts)}
    these = [(function, "") for function in (exercise.reference, *found.RIGHT)] if kind == "right" else found.WRONG
    [(function, fragment)] = [one for one in these if one[0].__name__ == name]
    verdicts = [engine.run(exercise, function, seed) for seed in range(count)]
    passed = [seed for seed, verdict in enumerate(verdicts) if verdict.state == engine.PASSED]
    if kind == "right":
        return {"rejected on": sorted(set(range(count)) - set(passed))}
    named = sum(any(fragment in message for message in verdict.messages) for verdict in verdicts)
    most = max(verdict.points for verdict in verdicts)
    return {"accepted on": passed, "named on": named / count, "most points": most}


def begin():
    """What a process does first. The next answer to an exercise needs no second run of our solution on a seed."""
    torch.set_num_threads(1)
    solved = engine.solved
    once = functools.lru_cache(2 * SEEDS)(lambda number, seed: solved(get(number), seed))
    engine.solved = lambda exercise, seed: once(exercise.number, seed)


def measure(numbers, count):
    """From the number of each exercise to what its answers came to."""
    found, todo = {}, list(tasks(numbers))
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), spawn, initializer=begin) as pool:
        waiting = {pool.submit(tried, task, count): task for task in todo}
        for done in tqdm(concurrent.futures.as_completed(waiting), total=len(todo), unit="answer"):
            number, kind, name = waiting[done]
            if done.exception():
                pool.shutdown(wait=False, cancel_futures=True)
            rows = found.setdefault(number, {"points": get(number).points, "right": {}, "wrong": {}, "nothing": {}})
            if kind == "nothing":
                rows["nothing"] = done.result()
            else:
                rows[kind][name] = done.result()
    return {number: {key: dict(sorted(value.items())) if isinstance(value, dict) else value
                     for key, value in rows.items()} for number, rows in sorted(found.items())}


def totals(exercises, count):
    """The figures of the whole course, for people."""
    right = [row for rows in exercises.values() for row in rows["right"].values()]
    wrong = [row for rows in exercises.values() for row in rows["wrong"].values()]
    nothing = [rows["nothing"]["most points"] for rows in exercises.values()]
    return {
        "exercises": len(exercises), "seeds": count,
        "right answers": len(right), "right answers rejected on a seed": sum(bool(row["rejected on"]) for row in right),
        "wrong answers": len(wrong), "wrong answers accepted on a seed": sum(bool(row["accepted on"]) for row in wrong),
        "kill rate": share(1 - len(row["accepted on"]) / count for row in wrong),
        "named": share(row["named on"] for row in wrong),
        "points for nothing": sum(nothing), "points": sum(rows["points"] for rows in exercises.values()),
    }


def share(values):
    values = list(values)
    return round(sum(values) / len(values), 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", help="of notebooks or exercises; all where none is given")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    numbers = given.numbers or notebooks()
    exercises = measure(numbers, given.seeds)
    if given.seeds == SEEDS:
        kept = json.loads(OUT.read_text(encoding="utf-8"))["exercises"] if given.numbers and OUT.exists() else {}
        kept = {number: rows for number, rows in kept.items() if not is_asked_for(number, numbers)}
        exercises = dict(sorted((kept | exercises).items()))
    found = totals(exercises, given.seeds)
    print("\n".join(f"{name}: {value}" for name, value in found.items()))
    if given.seeds == SEEDS:
        content = {"made by": "python benchmarks/answers.py", "date": str(date.today()), "machine": platform.machine(),
                   "torch": torch.__version__, "totals": found, "exercises": exercises}
        files.write(OUT, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
