"""The hostile notebooks of tests/hostile, handed to graders of other people: how many get through, beside ours.

    python benchmarks/hostile_elsewhere.py      # writes results/hostile.json and .md; goes on where it was stopped
    python benchmarks/hostile_elsewhere.py --minutes 20 --only nbgrader
    python benchmarks/hostile_elsewhere.py --ours   # ours alone, anew: the others' rows stay as they were measured

ADVCOURSE_NBGRADER_PYTHON and ADVCOURSE_OTTER_PYTHON name Pythons that have the graders. Each gets a small assignment,
exported as in `advcourse build --for`, of nothing but the exercises that the cases attack. A case's cells stand before
them, and of an exercise that they speak of only the line with `check` is left. What counts, much as in tests/hostile:

* undeserved points: a score, as the grader itself wrote it down, above what the honest part of the notebook deserves;
* leak: the planted secret, or the words that a case says when it found what it looked for, stand in the results or the
outputs;
* harm: planted files are changed, a port was knocked at, or a process lives on after the grader's end;
* taken down: the grader did not end by itself within LIMIT seconds, or by a signal;
* not graded: it left no score; a person must look;
* not applicable: the case asks for a wall that these graders do not claim to have, where nothing secret is read (is
  there a /proc?), or does harm from which the box of this benchmark protects. Its points count all the same. Archives
  and file names (13 cases) aren't handed
  in: these graders take a notebook from a place of their own.

Everything runs in bubblewrap: no network, a process namespace of its own, a read-only system, 512 MB to write to,
bounds on memory, processes and files. As root, the graders get another user's rights in there. Ours is what `pytest
tests/hostile` says.
"""

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import nbformat
from grading import tool as run_tool

from advcourse import files
from advcourse.exercises import get
from advcourse.pipeline import exports, masters

sys.path.insert(0, str(masters.ROOT))
from tests.hostile import cases_harm, cases_models, cases_points, cases_reading
from tests.hostile.case import HONEST, IMPORTS, Case

RESULTS = Path(__file__).parent / "results"
OUT = RESULTS / "hostile.json"
SEED = 1_987_654_321
LIMIT, CELL = 90, 30  # seconds for the grader, and for one cell, where a grader knows such a limit
ATTACKED = {"01": ["01.1", "01.2", "01.3", "01.4"], "10": ["10.1", "10.5"]}
SETUP = IMPORTS + '''
from advcourse.exercises import check
from advcourse.exercises.session import set_notebook
set_notebook("{}")'''
TOOLS = ("nbgrader", "otter")
COUNTED = ("undeserved points", "leak", "harm", "taken down")
THROUGH = set(COUNTED)

NOTE = """

Numbers of hostile notebooks, after the seconds for one solved notebook 01 (grading.py). *Got through*: undeserved
points, a secret that came out, harm to the instructor's files, ports and processes, or a grader that did not end by
itself. *Not graded*: the grader ended, and a person must look. *Not applicable*: the case tries a wall that these
graders do not claim to have; its points count all the same. The 13 cases of archives and file names are for advcourse
alone. Where fewer ran than there are, they are spread evenly over the themes.

nbgrader and otter run the tests in the student's kernel and do not promise to withstand students who attack them; the
course's own solutions must be importable there, for the tests as for the rest of the notebook. They were measured on
{others}, with the cases that there were then; advcourse on {ours}.
"""

# Success reads nothing secret there, or is kept from harm by the box of this benchmark alone.
NOT_APPLICABLE = {
    "the homes, /etc/passwd, /etc/shadow",
    "/proc: other processes, their memory, environment and files",
    "/proc, mounted anew",
    "/sys and /dev/mem",
    "files left open by the grader",
    "the root before this one: chroot and a folder above",
    "another user namespace gives back all rights",
    "root again",
    "another process's memory",
    "odd doors into the kernel: bpf, io_uring, keyctl, memfd, userfaultfd, perf, fanotify",
    "the same doors by the x32 numbers",
    "network: outside, by name and by number, and datagrams",
    "a shell",
    "os.system and posix_spawn",
    "shared memory and message queues of others",
    "what the submission before this one left in the scratch folder",
    "a file in site-packages",
    "a .pth file, a module in the path, a cached module",
    "read-only is taken back",
    "the machine is rebooted, its clock and name set",
    "/dev/null is removed and the scratch folder made executable",
    "bounds are lifted",
}
HONEST_ONES = [
    Case("honest", "all right", tuple(HONEST[number] for number in ATTACKED["01"]),
         sum(get(number).points for number in ATTACKED["01"])),
    Case("honest", "three right, one wrong",
         (HONEST["01.1"], HONEST["01.2"], HONEST["01.3"], HONEST["01.4"].replace("== y", "!= y")), 9),
    Case("honest", "blank", (), 0),
]


def spread(cases):
    """The cases in an order in which the themes come evenly: what is done when time is over is a fair part."""
    places = {}
    for case in cases:
        places.setdefault(case.theme, []).append(case)
    return sorted(cases, key=lambda case: (places[case.theme].index(case) + 0.5) / len(places[case.theme]))


CASES = [*HONEST_ONES, *spread([*cases_points.CASES, *cases_reading.CASES, *cases_harm.CASES, *cases_models.CASES])]


def prepare(tool, python, folder, notebook):
    """Make the small assignment in `folder`; (path of the student's notebook, a submission's place, the command)."""
    [path] = exports.export(tool, folder, [notebook], SEED)
    name, document = path.stem, nbformat.read(path, as_version=4)
    setup = nbformat.v4.new_code_cell(SETUP.format(notebook))
    kept = []
    if tool == "nbgrader":
        names = {f"{kind}_{number.replace('.', '_')}" for kind in ("answer", "exercise")
                 for number in ATTACKED[notebook]}
        kept = [cell for cell in document.cells if cell.metadata.get("nbgrader", {}).get("grade_id") in names]
        document.cells = [setup, *kept]
    else:
        names, inside = {f"name: exercise_{number.replace('.', '_')}" for number in ATTACKED[notebook]}, False
        for cell in document.cells[1:]:
            inside = inside or (cell.source.startswith("# BEGIN QUESTION") and cell.source.splitlines()[1] in names)
            kept += [cell] if inside else []
            inside = inside and cell.source != "# END QUESTION"
        document.cells = [document.cells[0], setup, *kept]
    nbformat.write(document, path)
    if tool == "nbgrader":
        config = folder / "nbgrader_config.py"
        files.write(config, re.sub(r"timeout = \d+.*", f"timeout = {CELL}", config.read_text()))
        run_tool(python, folder, "-m", "nbgrader", "generate_assignment", name)
        released, place = folder / "release" / name / f"{name}.ipynb", f"submitted/eve/{name}/{name}.ipynb"
        return released, place, ["-m", "nbgrader", "autograde", name]
    run_tool(python, folder, "-m", "otter", "assign", "--no-run-tests", f"{name}/{name}.ipynb", "dist")
    [autograder] = (folder / "dist" / "autograder").glob("*.zip")
    command = ["-m", "otter", "run", "-a", f"dist/autograder/{autograder.name}", "-o", "out", f"{name}.ipynb"]
    return folder / "dist" / "student" / f"{name}.ipynb", f"{name}.ipynb", command


def submission(released, case):
    """The text of the student's notebook with the case's cells before the exercises."""
    document = nbformat.read(released, as_version=4)
    spoken, cells = "\n".join(case.code), []
    for cell in document.cells:
        found = re.search(r'^(\w+) = check\("[\d.]+", \1\)$', cell.source, re.MULTILINE)
        if found and not any(cell.source == other.source for other in cells) and re.search(rf"\b{found[1]}\b", spoken):
            cell.source = found[0]
        cells.append(cell)
    cells[1:1] = [nbformat.v4.new_code_cell(code) for code in case.code]
    document.cells = cells
    for number, cell in enumerate(document.cells):
        if "id" not in cell or not cell.metadata.get("nbgrader"):
            cell["id"] = f"own-{number}"
    return nbformat.writes(document)


def boxed(python, prepared):
    """The command of the box in which hostile_box.py runs."""
    base = str(Path(os.path.realpath(python)).parents[1])
    here = [str(masters.ROOT), str(Path(python).parents[1]), base, *outside_paths(python)]

    def small(size, place):
        return ["--size", str(size), "--perms", "1777", "--tmpfs", place]

    # folders on the way, which bubblewrap itself would close to others
    above = dict.fromkeys(str(parent) for path in here for parent in reversed(Path(path).parents[:-1]))
    binds = [word for path in above for word in ("--perms", "0755", "--dir", path)]
    binds += [word for path in dict.fromkeys(here) for word in ("--ro-bind", path, path)]
    # a grammar of addresses that jsonschema does without; to compile it takes seconds at every start
    slow = [word for path in here if (Path(path) / "rfc3987_syntax").exists()
            for word in ("--tmpfs", f"{path}/rfc3987_syntax")]
    root = os.getuid() == 0
    as_root = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--cap-add", "CAP_SETUID",
               "--cap-add", "CAP_SETGID"]
    spaces = as_root if root else ["--unshare-all"]
    # another one each time: the bound on processes counts all of a user's
    user = str(100_000 + secrets.randbelow(1 << 20))
    other = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs",
             "--bounding-set=-all"] if root else []
    environment = {"PATH": os.pathsep.join([str(Path(python).parent), "/usr/bin", "/bin"]),
                   "PYTHONPATH": str(masters.ROOT),
                   "HOME": "/tmp/home", "ADVCOURSE_STATIC": "1", "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1",
                   "LANG": "C.UTF-8",
                   "PYTHONDONTWRITEBYTECODE": "1"}
    return ["bwrap", "--die-with-parent", "--new-session", *spaces, "--ro-bind", "/", "/", "--proc", "/proc", "--dev",
            "/dev",
            *small(32 << 20, "/dev/shm"), *(word for place in ("/root", "/home", "/run", "/var/tmp")
                                            for word in small(1 << 20, place)),
            *small(512 << 20, "/tmp"), "--perms", "1777", "--dir", "/tmp/home", *binds, *slow, "--ro-bind",
            str(prepared), "/tmp/prepared",
            "--clearenv", *(word for item in environment.items() for word in ("--setenv", *item)), "--", *other,
            python, str(Path(__file__).with_name("hostile_box.py"))]


def outside_paths(python):
    """The folders of packages that a Python takes from elsewhere."""
    code = "import sys; print('\\n'.join(path for path in sys.path if path.endswith('site-packages')))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def attempt(tool, python, prepared, released, place, command, case):
    """What came of one case, as hostile_box.py says it; scores and end are None where the box did not survive."""
    job = {"tool": tool, "command": [python, *command], "seconds": LIMIT, "secret": secrets.token_hex(8), "seed": SEED,
           "notebook": submission(released, case), "place": place}
    try:
        done = subprocess.run(boxed(python, prepared), input=json.dumps(job) + "\n", capture_output=True, text=True,
                              errors="replace",
                              timeout=LIMIT + 15)
        said, errors = done.stdout.strip().splitlines(), done.stderr
    except subprocess.TimeoutExpired:
        said, errors = [], "out of time"
    if said:
        return json.loads(said[-1])
    return {"seconds": None, "ended": None, "scores": None, "read": False, "changed": False, "knocked": 0, "left": 0,
            "said": errors[-1500:]}


def judged(case, found):
    """A row of the results: the case, its points and what is wrong with that."""
    points = None if found["scores"] is None else sum(score or 0 for score in found["scores"].values())
    other = case.name in NOT_APPLICABLE
    wrong = {
        "undeserved points": max(0, (points or 0) - case.points),
        "leak": found["read"] and not other,
        "taken down": found["ended"] is None or found["ended"] < 0,
        "harm": (found["changed"] or found["knocked"] > 0 or found["left"] > 0) and not other,
        "not graded": points is None,
        "deserved points lost": max(0, case.points - (points or 0)),
    }
    return {"theme": case.theme, "name": case.name, "points": points, "deserved": case.points, "not applicable": other,
            "wrong": {what: value for what, value in wrong.items() if value}, **found}


def key_of(case):
    return f"{case.theme}: {case.name}"


def python_of(tool):
    return os.environ[f"ADVCOURSE_{tool.upper()}_PYTHON"]


def summary(rows):
    """From what is counted to how many cases; honest notebooks for themselves."""
    hostile = [row for row in rows if row["theme"] != "honest"]
    honest = [row for row in rows if row["theme"] == "honest"]
    through = {}
    for row in hostile:
        if THROUGH & row["wrong"].keys():
            through.setdefault(row["theme"], []).append(f"{row['name']}: {', '.join(row['wrong'])}")
    counted = {what: sum(what in row["wrong"] for row in hostile) for what in (*COUNTED, "not graded")}
    return {"run": len(hostile), "all": len(CASES) - len(HONEST_ONES), "got through": sum(map(len, through.values())),
            **counted,
            "honest right": sum(not row["wrong"] for row in honest), "honest": len(honest),
            "not applicable": sum(row["not applicable"] for row in hostile), "what got through": through}


def table(summaries, ours, measured):
    """The Markdown table of the summaries, and of our own grader's numbers; measured: the date of the summaries."""
    timed = json.loads((RESULTS / "grading.json").read_text())
    seconds = {"advcourse": timed["one"]["median_s"]} | timed["others_s"]
    heads = ["grader", "s a submission", "hostile cases run", "got through", *COUNTED, "not graded", "honest right",
             "not applicable"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, one in {"advcourse": ours, **summaries}.items():
        numbers = [f"{one['run']} of {one['all']}", one["got through"], *(one[what] for what in COUNTED),
                   one["not graded"],
                   f"{one['honest right']} of {one['honest']}", one["not applicable"]]
        lines.append(f"| {name} | {seconds[name]:.2g} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join(lines) + NOTE.format(others=measured, ours=ours["date"])


def ours():
    """The numbers of tests/hostile, run now."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           str(masters.ROOT / "tests" / "hostile")],
                          cwd=masters.ROOT, capture_output=True, text=True)
    found = re.search(r"(\d+) hostile submissions: (\S+) undeserved points, (\d+) leaks, (\d+) harm, (\d+) not graded, "
                      r".*; "
                      r"(\d+) of (\d+) honest", done.stdout)
    if not found:
        raise SystemExit(f"tests/hostile printed no table: {done.stdout[-2000:]}")
    run, points, leaks, harm, unjudged, right, honest = map(float, found.groups())
    return {"date": date.today().isoformat(), "run": int(run), "all": int(run),
            "got through": int(points > 0) + int(leaks + harm), "undeserved points": int(points),
            "leak": int(leaks), "harm": int(harm), "taken down": 0, "not graded": int(unjudged),
            "honest right": int(right), "honest": int(honest), "not applicable": 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1e9, help="no case is begun after that")
    parser.add_argument("--only", choices=TOOLS)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--first", type=int, help="so many cases")
    parser.add_argument("--ours", action="store_true")
    arguments = parser.parse_args()
    if arguments.ours:
        write(json.loads(OUT.read_text()) | {"ours": ours()})
        return
    end = time.monotonic() + 60 * arguments.minutes
    result = json.loads(OUT.read_text()) if OUT.exists() else {"rows": {name: {} for name in TOOLS}}
    tools = [arguments.only] if arguments.only else TOOLS
    jobs = [(tool, case) for case in CASES[:arguments.first] for tool in tools
            if key_of(case) not in result["rows"][tool]]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.workers) as pool:
        made = {(tool, case.notebook): None for tool, case in jobs}
        for tool, notebook in made:
            (place := Path(folder) / tool / notebook).mkdir(parents=True)
            made[tool, notebook] = place, *prepare(tool, python_of(tool), place, notebook)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)  # in the box another user reads it

        def row(job):
            tool, case = job
            if time.monotonic() < end:
                return judged(case, attempt(tool, python_of(tool), *made[tool, case.notebook], case))

        for (tool, case), one in zip(jobs, pool.map(row, jobs), strict=True):
            if one:
                print(tool, one["seconds"], "s", key_of(case), one["points"], "of", case.points, one["wrong"],
                      one.pop("said"), flush=True)
                result["rows"][tool][key_of(case)] = one
                files.write(OUT, json.dumps(result, indent=1) + "\n")
    if "ours" not in result:
        result["ours"] = ours()
    result |= {"date": date.today().isoformat(), "limit_s": LIMIT, "cell_limit_s": CELL,
               "summary": {tool: summary(rows.values()) for tool, rows in result["rows"].items()}}
    write(result)


def write(result):
    """Write the results, and the table of them, which is printed, too."""
    files.write(OUT, json.dumps(result, indent=1) + "\n")
    files.write(OUT.with_suffix(".md"), table(result["summary"], result["ours"], result["date"]))
    print(OUT.with_suffix(".md").read_text())


if __name__ == "__main__":
    main()
