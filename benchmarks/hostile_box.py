"""Inside of the box of hostile_elsewhere.py: another grader grades one notebook, and JSON says what came of it.

Standard library only, as it runs in that grader's Python. Reads a job from stdin: tool, command, seconds, secret, seed,
notebook (with @FOLDER@, @PORT@ and @PID@ open) and its place in the course's folder, of which /tmp/prepared is a copy
without the submission.
"""

import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

COURSE, FOLDER, PORT = Path("/tmp/course"), Path("/tmp/instructor"), 5055
PLANTED = ("canary", "gradebook.db", "course.toml", "seed.txt", "submissions/anna/01.ipynb")
BOUNDS = {resource.RLIMIT_AS: 5 << 30, resource.RLIMIT_NPROC: 120, resource.RLIMIT_FSIZE: 128 << 20,
          resource.RLIMIT_NOFILE: 1024,
          resource.RLIMIT_CORE: 0}


def plant(secret):
    """Write what hostile code must leave alone; return the doors that nobody may knock at."""
    for name in PLANTED:
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(f"{secret} of {name}")
    doors = [socket.create_server(("127.0.0.1", PORT)), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    doors[1].bind(str(FOLDER / "door"))
    doors[2].bind(f"\0advcourse-{PORT}")
    for door in doors:
        door.listen()
        door.setblocking(False)
    return doors


def tree():
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(FOLDER.rglob("*"))}


def knocked(door):
    try:
        door.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def others():
    """How many processes are here besides this one and the box's first."""
    return len([name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())])


def scores(tool):
    """({exercise's name: score as the grader wrote it down}, all that it lets people read); (None, "") without."""
    if tool == "otter":
        if not (COURSE / "out" / "results.json").exists():
            return None, ""
        text = (COURSE / "out" / "results.json").read_text()
        return {test["name"]: test.get("score", 0) for test in json.loads(text)["tests"]
                if test["name"].startswith("exercise")}, text
    graded = list(COURSE.glob("autograded/eve/*/*.ipynb"))
    if not graded:
        return None, ""
    with sqlite3.connect(COURSE / "gradebook.db") as gradebook:
        rows = gradebook.execute("select base_cell.name, grade.auto_score, grade.manual_score from grade "
                                 "join base_cell on base_cell.id = grade.cell_id")
        found = {name: manual if automatic is None else automatic for name, automatic, manual in rows}
    return found, json.dumps([cell.get("outputs") for cell in json.loads(graded[0].read_text())["cells"]])


def main():
    job = json.loads(sys.stdin.readline())
    shutil.copytree("/tmp/prepared", COURSE)
    doors = plant(job["secret"])
    (COURSE / "out").mkdir()
    before, place = tree(), COURSE / job["place"]

    def hand_in():  # in the grader's own process, whose number the notebook wants to know
        for name, bound in BOUNDS.items():
            resource.setrlimit(name, (bound, bound))
        place.parent.mkdir(parents=True, exist_ok=True)
        text = job["notebook"]
        for name, value in (("@FOLDER@", FOLDER), ("@PORT@", PORT), ("@PID@", os.getpid())):
            text = text.replace(name, str(value))
        place.write_text(text)

    start = time.monotonic()
    with open("/tmp/said", "wb") as said:
        grader = subprocess.Popen(job["command"], cwd=COURSE, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                  preexec_fn=hand_in,
                                  env=os.environ | {"ADVCOURSE_CANARY": job["secret"]})
        try:
            ended = grader.wait(job["seconds"])
        except subprocess.TimeoutExpired:
            ended = None
            grader.kill()
            grader.wait()
    seconds = time.monotonic() - start
    time.sleep(0.3)
    found, text = scores(job["tool"])
    with open("/tmp/said", encoding="utf-8", errors="replace") as said:
        said = said.read(20_000_000)
    text += said
    print(json.dumps({
        "seconds": round(seconds, 1), "ended": ended, "scores": found,
        "read": "GOT THROUGH" in text or job["secret"] in text
        or f"seeds {job['seed']}" in text, "changed": tree() != before, "knocked": sum(map(knocked, doors)),
        "left": others() if ended is not None else 0, "said": said[-1500:] if found is None else ""}))


if __name__ == "__main__":
    main()
