"""The rules that every master and every built notebook keeps, as far as a program can see them."""

import ast
import inspect
import re
import statistics

import nbformat

from advcourse.exercises import Exercise, all_exercises
from advcourse.pipeline import masters, told

MEDIAN_LINES, MOST_LINES = 8, 30
MOST_BYTES = 600_000  # of a built notebook
PARAMETERS = ["PROFILE", "DATASET", "SEED", "DEVICE", "STUDENT"]
SHOWING = {"claim", "record", "compare_guess", "show", "explore", "print", "display"}
HEADINGS = ["You will be able to", "What to remember", "Further reading"]


def lint(path):
    """What is wrong with the master at `path`: a line for each problem, empty where there is none."""
    cells, number = masters.read(path), path.name[:2]
    try:
        trees = [ast.parse(cell.source) for cell in cells if cell.cell_type == "code"]
    except SyntaxError as error:
        # `!command` and `%magic` lines end here: where they fail, nbval and papermill do not notice.
        return [f"{path.name}: not plain Python: {(error.text or '').strip()!r} (lines with ! and % are not either)"]
    problems = [*anatomy(cells, trees, number), *guesses(cells), *exercises(cells, number)]
    for index, cell in enumerate(cells, start=1):
        rules = [long_cell] if cell.cell_type == "code" else [image_without_text,
                                                              lambda text: bare_number(text, number)]
        problems += [f"cell {index}: {problem}" for rule in rules for problem in rule(cell.source)]
    return [f"{path.name}: {problem}" for problem in problems]


def anatomy(cells, trees, number):
    """What every notebook has, and in which order."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    if cells[0].cell_type != "markdown" or not cells[0].source.startswith("# "):
        yield "the first cell is not a title"
    for index, tag in enumerate(["parameters", "setup"]):
        if tag not in code[index].metadata.get("tags", []):
            yield f"code cell {index + 1} is not tagged {tag!r}"
    names = [node.targets[0].id for node in trees[0].body if isinstance(node, ast.Assign)]
    if names != PARAMETERS:
        yield f"the parameters must be {', '.join(PARAMETERS)}; they are {', '.join(names)}"
    if not any(calls(tree, "start") == [number] for tree in trees[1:2]):
        yield f'the set-up cell does not call start("{number}", …)'
    if not any("compare_guess" in cell.source for cell in code[2:]):
        yield "nothing is guessed before it is run: no cell calls compare_guess"
    if not re.search(r"threat[ -]model", prose, re.IGNORECASE):
        yield "there is no threat-model card"
    for heading in HEADINGS:
        if not re.search(rf"^#+ .*{heading}|^\*\*{heading}", prose, re.IGNORECASE | re.MULTILINE):
            yield f"there is no heading {heading!r}"
    median = statistics.median(len(code_lines(cell.source)) for cell in code)
    if median > MEDIAN_LINES:
        yield f"the median cell has {median:g} lines of code; at most {MEDIAN_LINES} are wanted"


def guesses(cells):
    """Every guess is compared with its result, and from the guess to there only telling cells show anything."""
    waiting = set()
    for index, cell in enumerate(cells, start=1):
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        if masters.BEGIN in cell.source and not calls(tree, "check", "answer"):
            waiting |= {ast.unparse(node.targets[0]) for node in tree.body}
        compared = {ast.unparse(node.args[0]) for node in called(tree, "compare_guess")}
        if compared - waiting:
            yield f"cell {index}: compare_guess compares {', '.join(compared - waiting)}, which no cell asks for"
        if not told.tells(cell) and (compared or (waiting and shows(tree))):
            yield f"cell {index}: it shows something below a guess and is not tagged {told.TAG!r}"
        waiting -= compared
    if waiting:
        yield f"no cell compares {', '.join(sorted(waiting))} with the result"


def shows(tree):
    """Whether the cell of this syntax tree shows something: by a call, or as its last value."""
    return bool(called(tree, *SHOWING)) or isinstance(tree.body[-1], ast.Expr)


def exercises(cells, number):
    """Every exercise is set once, in order, in a cell with a solution, for a function of the reference's signature."""
    set_ones = []
    for cell in cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        here = calls(tree, "check", "answer")
        set_ones += here
        if here and masters.BEGIN not in cell.source:
            yield f"the cell of {here[0]} has no {masters.BEGIN!r}"
        for task in all_exercises(number):
            if isinstance(task, Exercise) and task.number in here:
                arguments = [[arg.arg for arg in node.args.args] for node in tree.body
                             if isinstance(node, ast.FunctionDef)]
                if list(inspect.signature(task.reference).parameters) not in arguments:
                    yield f"no function in the cell of {task.number} has the arguments of its reference"
    wanted = [task.number for task in all_exercises(number)]
    if set_ones != wanted:
        yield (f"the exercises are {', '.join(wanted) or 'none'}; "
               f"check and answer are called for {', '.join(set_ones) or 'none'}")
    for task in all_exercises(number):
        if task.points < 1 or task.minutes < 1:
            yield f"{task.number} needs points and minutes"
        if isinstance(task, Exercise) and (len(task.hints) != 3 or not all(map(all, task.hints))):
            yield f"{task.number} needs three hints"


def calls(tree, *names):
    """The first arguments, where they are constants, of the calls of functions of these names in a syntax tree."""
    return [node.args[0].value for node in called(tree, *names)
            if node.args and isinstance(node.args[0], ast.Constant)]


def called(tree, *names):
    """The calls of functions of these names in a syntax tree, in order."""
    found = [node for node in ast.walk(tree)
             if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in names]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def long_cell(source):
    """A cell should fit a screen."""
    if len(code_lines(source)) > MOST_LINES:
        yield f"{len(code_lines(source))} lines of code; at most {MOST_LINES} are wanted"


def code_lines(source):
    """The lines of a cell that are code: not blank, no comment, no docstring."""
    docstrings = [node.body[0] for node in ast.walk(ast.parse(source))
                  if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)]
    no_code = {line for node in docstrings for line in range(node.lineno, node.end_lineno + 1)}
    return [line for number, line in enumerate(source.splitlines(), start=1)
            if number not in no_code and line.strip() and not line.strip().startswith("#")]


def image_without_text(text):
    """Pictures in prose have words for readers who cannot see them."""
    for image in re.findall(r"!\[\s*\]\([^)]*\)",
                            text) + [tag for tag in re.findall(r"<img[^>]*>", text) if not has_alt(tag)]:
        yield f"a picture without alt text: {image}"


def has_alt(tag):
    """Whether an <img …> tag has an alt text that is not empty."""
    return re.search(r"""\balt\s*=\s*("[^"]*[^"\s][^"]*"|'[^']*[^'\s][^']*')""", tag) is not None


def bare_number(text, number):
    """Measured numbers are shown by claim(…), which measures them again in every run; prose may only cite them.

    Looked for are percentages and decimal fractions. They may stand in code and formulas, which define and do not
    measure, and in a paragraph that cites: with a link, or with a year in brackets such as (Goodfellow et al., 2015).
    """
    for fence in (r"```.*?```", r"\$\$.*?\$\$", r"<!--.*?-->", r"`[^`]*`", r"\$[^$\n]+\$"):
        text = re.sub(fence, " ", text, flags=re.DOTALL)
    for paragraph in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.)\s", text):
        if re.search(r"\]\(http", paragraph) or re.search(r"\([^()]*\b(19|20)\d\d[a-z]?\)", paragraph):
            continue
        words = re.sub(rf"<[^>]*>|\b(0\d|{number})\.\d+\b(?!\s*%)", " ", paragraph)  # tags; numbers of exercises
        for found in re.findall(r"\d+(?:\.\d+)?\s?%|\d+\.\d+", words):
            yield f"the number {found!r} is neither claimed nor cited, in: {' '.join(paragraph.split())[:80]}"


def lint_built(path):
    """What is wrong with the built notebook at `path`: a line for each problem."""
    problems, size = [], path.stat().st_size
    if size > MOST_BYTES:
        problems.append(f"{size / 1e3:.0f} kB; at most {MOST_BYTES / 1e3:.0f} kB are wanted")
    for index, cell in enumerate(nbformat.read(path, as_version=4).cells, start=1):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if any(kind.startswith("image/") for kind in data) and "<img" not in data.get("text/html", ""):
                problems.append(f"cell {index}: a picture without alt text; "
                                "show it with plots.show(figure, title, alt)")
            if not all(map(has_alt, re.findall(r"<img[^>]*>", data.get("text/html", "")))):
                problems.append(f"cell {index}: a picture without alt text")
    return [f"{path.name}: {problem}" for problem in problems]
