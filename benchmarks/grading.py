"""What grading costs: seconds per submission, beyond what the student's own functions take, and memory.

    python benchmarks/grading.py                        # classes of 300 and 1,000; writes results/grading.json
    python benchmarks/grading.py --submissions 10 --workers 1 --dry

nbgrader and otter grade one solved notebook, exported for them, where ADVCOURSE_NBGRADER_PYTHON and
ADVCOURSE_OTTER_PYTHON name Pythons that have them. Both run the whole notebook, in a kernel without walls. The
submissions are the solved notebook, each with another line in it, so that none is taken for graded. A student's own
compute is the time of the same functions on the same probes, called without a box.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path

from advcourse import files
from advcourse.exercises import Exercise, all_exercises
from advcourse.exercises.attempt import attempt
from advcourse.grading import grade, run
from advcourse.grading.box.boxes import Boxes
from advcourse.grading.box.limits import Limits
from advcourse.grading.reading.submissions import Submission, collect
from advcourse.grading.reports.folder import write
from advcourse.grading.reports.standings import standings
from advcourse.pipeline import exports, masters

OUT = Path(__file__).parent / "results" / "grading.json"
SEED, REPEATS = 7, 20


def submission(notebook, number):
    """The solved notebook, as student `number` hands it in."""
    [path] = (masters.ROOT / "notebooks" / "solutions").glob(f"{notebook}_*.ipynb")
    content = path.read_bytes() + b"\n" * (number + 1)
    return Submission(f"student {number:04d}", notebook, path, content)


def own_compute(notebook):
    """Seconds that the reference solutions take on the probes, without a box."""
    exercises = [task for task in all_exercises(notebook) if isinstance(task, Exercise)]
    made = [(exercise, grade.trials(exercise.number, SEED)) for exercise in exercises]
    start = time.perf_counter()
    for exercise, trials in made:
        for probe in trials.probes:
            attempt(exercise.reference, probe, trials.random)
    return time.perf_counter() - start


def one_by_one(notebook):
    """Seconds of grading one submission where the processes have started already, and those of its own compute."""
    with Boxes(Limits()) as boxes:
        grade.grade(submission(notebook, 0), boxes, SEED)
        seconds = sorted(grade.grade(submission(notebook, number), boxes, SEED).seconds
                         for number in range(1, REPEATS + 1))
    own = sorted(own_compute(notebook) for _ in range(5))[2]
    return {"median_s": round(seconds[REPEATS // 2], 3), "largest_s": round(seconds[-1], 3),
            "own_compute_s": round(own, 3),
            "overhead_s": round(seconds[REPEATS // 2] - own, 3)}


def whole_class(notebook, count, workers):
    """Seconds for a class, from the reading of its folder to the last page, and the most memory of this process yet."""
    with tempfile.TemporaryDirectory() as folder:
        for one in (submission(notebook, number) for number in range(count)):
            files.write(Path(folder) / "class" / one.student / one.path.name, one.content)
        start = time.perf_counter()
        graded = run.grade_class(collect(Path(folder) / "class"), Path(folder) / "grades", limits=Limits(), seed=SEED,
                                 workers=workers)
        write(standings(graded), Path(folder) / "grades")
        seconds = time.perf_counter() - start
    wrong = [one.student for one in graded if one.points != one.maximum]
    if wrong:
        raise SystemExit(f"{len(wrong)} solved notebooks did not get full points, such as {wrong[0]}'s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {"submissions": count, "seconds": round(seconds, 1), "peak_mb_of_main_process": peak}


def with_nbgrader(python, folder, name):
    """Seconds of nbgrader's autograde for one submission."""
    exports.export("nbgrader", folder, [name[:2]])
    source = folder / "source" / name / f"{name}.ipynb"
    files.write(folder / "submitted" / "ada" / name / f"{name}.ipynb", source.read_bytes())
    tool(python, folder, "-m", "nbgrader", "generate_assignment", name)
    return tool(python, folder, "-m", "nbgrader", "autograde", name)


def with_otter(python, folder, name):
    """Seconds of otter run for one submission."""
    exports.export("otter", folder, [name[:2]])
    tool(python, folder, "-m", "otter", "assign", "--no-run-tests", f"{name}/{name}.ipynb", "dist")
    (folder / "out").mkdir()
    [autograder] = (folder / "dist" / "autograder").glob("*.zip")
    return tool(python, folder, "-m", "otter", "run", "-a", autograder, "-o", "out", f"dist/autograder/{name}.ipynb")


def tool(python, folder, *arguments):
    """Seconds that another grader's command takes; RuntimeError where it fails."""
    environment = os.environ | {"PYTHONPATH": str(masters.ROOT), "ADVCOURSE_STATIC": "1", "OMP_NUM_THREADS": "1",
                                "PATH": os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])}
    start = time.perf_counter()
    done = subprocess.run([python, *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return round(time.perf_counter() - start, 1)


def others(notebook):
    """From the name of each other grader that is here to its seconds for one submission."""
    [path] = (masters.ROOT / "notebooks" / "source").glob(f"{notebook}_*.py")
    found = {}
    for name, grader in (("nbgrader", with_nbgrader), ("otter", with_otter)):
        if python := os.environ.get(f"ADVCOURSE_{name.upper()}_PYTHON"):
            with tempfile.TemporaryDirectory() as folder:
                found[name] = grader(python, Path(folder), path.stem)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--notebook", default="01")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    # first, as what the rest loads would count: memory is the most so far
    classes = [whole_class(arguments.notebook, count, arguments.workers) for count in sorted(arguments.submissions)]
    result = {"date": date.today().isoformat(), "machine": platform.machine(), "cores": len(os.sched_getaffinity(0)),
              "notebook": arguments.notebook, "one": one_by_one(arguments.notebook),
              "workers": arguments.workers, "others_s": others(arguments.notebook), "classes": classes}
    if not arguments.dry:
        files.write(OUT, json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
