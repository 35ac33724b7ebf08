"""Make the two pictures of grading.md, of a made-up class that is graded as a real one is.

    python docs/pictures.py              # writes class_page.png and feedback_page.png beside this file
    python docs/pictures.py --keep DIR   # leaves the class, its roster and rules, and its graded folder in DIR

It takes Chromium and a quarter of a minute. The class is the same every time: its seed is below.
"""

import argparse
import inspect
import io
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

from advcourse import files
from advcourse.exercises import Exercise, all_exercises, letter_of_right_answer

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.chromium import CHROMIUM  # noqa: E402 (the checkout's tests are no package that is installed)
from tests.exercises.harness import answers  # noqa: E402 (as above)

SEED, SECRET = 14, "1" * 24  # of who made which mistake; of the grader's probes
NOTEBOOK = "01"
PEOPLE = ["Ada Lovelace", "Alan Turing", "Ben Okafor", "Chiara Rossi", "Emmy Noether", "Inés Núñez", "Jürg Möller",
          "Katya Ivanova", "Li Wei", "Mina Park", "Siobhán O'Brien", "Zoé Aéro"]
RULES = """\
name = "Adversarial machine learning, winter 2026"
personal = true

[notebooks.01]
deadline = 2026-11-30T23:59:00+01:00

[late]
percent_per_day = 10
free_days = 1
"""
DUE = datetime(2026, 11, 30, 20, 0)


# --- the class -------------------------------------------------------------------------------------------------------

def handed_in(student, chance, slips):
    """The bytes of a student's notebook; slips: the share of exercises that are wrong, or were left open."""
    [path] = (ROOT / "notebooks").glob(f"{NOTEBOOK}_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace('STUDENT = ""', f'STUDENT = "{student}"', 1)
    for task in all_exercises(NOTEBOOK):
        cell = next(cell for cell in notebook.cells if f'check("{task.number}"' in cell.source
                    or f'answer("{task.number}"' in cell.source)
        if chance.random() < slips / 4:
            continue  # left open
        is_wrong = chance.random() < slips
        if isinstance(task, Exercise):
            name = re.search(r"^def (\w+)", cell.source, re.MULTILINE)[1]
            cell.source = f'{code_of(task, name, chance, is_wrong)}\n{name} = check("{task.number}", {name})'
        else:
            right = letter_of_right_answer(task.number, student)
            letters = [letter for letter in "abcd"[:len(task.choices)] if (letter != right) == is_wrong]
            cell.source = cell.source.replace("...", f'"{chance.choice(letters)}"')
    return nbformat.writes(notebook).encode()


def code_of(exercise, name, chance, is_wrong):
    """The source of one of the suite's answers to an exercise, as a function of this name."""
    made = answers(exercise.number)
    functions = [wrong for wrong, *_ in made.WRONG] if is_wrong else made.RIGHT
    others = vars(made).keys() - {"torch", "F"}  # what a notebook does not have
    alone = [one for one in functions if "**" not in str(inspect.signature(one))
             and not set(re.findall(r"\w+", inspect.getsource(one))) & (others - {one.__name__})]
    function = chance.choice(alone)
    return inspect.getsource(function).replace(f"def {function.__name__}(", f"def {name}(")


def make_class(folder):
    """Write a class as Moodle gives it: its zip, the list of participants, the rules."""
    chance, roster, contents = random.Random(SEED), ['"First name","Last name","ID number","Email address"'], {}
    for at, person in enumerate(PEOPLE):
        student, (first, last) = f"s{4711 + 7 * at}", person.split()
        roster.append(f"{first},{last},{student},{student}@uni.example")
        place = f"{person}_{90210 + at}_assignsubmission_file_"
        name = f"{NOTEBOOK}_adversarial_examples.ipynb"
        when = DUE - timedelta(hours=chance.randrange(1, 60))
        if person == "Chiara Rossi":
            name, content = f"{NOTEBOOK}_adversarial_examples.pdf", b"%PDF-1.7"
        else:
            content = handed_in(student if person != "Li Wei" else "s4711", chance, chance.choice([0.05, 0.2, 0.4]))
        if person in ("Inés Núñez", "Ben Okafor"):
            when = DUE + timedelta(days=3)
        if person != "Zoé Aéro":  # who handed in nothing
            contents[f"{place}/{name}"] = content, when
    files.write(folder / "participants.csv", "\n".join(roster) + "\n")
    files.write(folder / "winter.toml", RULES)
    files.write(folder / "class.zip", zipped(contents))


def zipped(contents):
    """The bytes of a zip whose files have dates of their own."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, when) in contents.items():
            archive.writestr(zipfile.ZipInfo(name, when.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


# --- the pictures ----------------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path)
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as folder:
        folder = (keep or Path(folder)).resolve()
        make_class(folder)
        subprocess.run([sys.executable, "-m", "advcourse", "grade", "class.zip", "--course", "winter.toml",
                        "--students", "participants.csv", "--seed", SECRET], cwd=folder, check=True)
        take(folder / "grades")


def take(grades):
    """Write the pictures of a graded class's pages."""
    person = "s4746"  # Inés
    [feedback] = (grades / "students").glob(f"{person}-*.html")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM) as browser:
        tab = browser.new_page(viewport={"width": 900, "height": 1400})
        for page, picture in ((grades / "index.html", "class_page"), (feedback, "feedback_page")):
            tab.goto(page.as_uri())
            height = min(1600, tab.evaluate("document.documentElement.scrollHeight"))
            tab.screenshot(path=Path(__file__).parent / f"{picture}.png", full_page=True,
                           clip={"x": 0, "y": 0, "width": 900, "height": height})


if __name__ == "__main__":
    main()
