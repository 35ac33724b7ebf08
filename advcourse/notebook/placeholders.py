"""What stands under students' names until they are through with a cell: no slip in one stops the rest of a notebook."""

import ast
import re
from collections.abc import Callable

from advcourse.exercises import all_exercises, get
from advcourse.exercises.catalogue import Question
from advcourse.exercises.stand_ins import stand_in
from advcourse.handin.work import official_names, open_names
from advcourse.notebook import cells, frontend


def put(notebook: str) -> None:
    """Give every name that a student is to define in this notebook a value, unless it has one.

    A function's is the course's own solution, all else is left open. The letters of choices stand for themselves, so
    that `choice = b` is an answer. A cell of the student's that Python cannot read ends in words. Outside of IPython
    nothing is done.
    """
    shell = frontend.ipython()
    if shell is None:
        return
    tasks = all_exercises(notebook)
    functions = {name: stand_in(get(number)) for number, name in official_names(notebook).items()}
    most = max((len(task.choices) for task in tasks if isinstance(task, Question)), default=0)
    letters = "abcdefghijklmnopqrstuvwxyz"[:most]
    values = dict.fromkeys(open_names(notebook), ...) | functions | {
        name: letter for letter in letters for name in (letter, letter.upper())}
    for name, value in values.items():
        shell.user_ns.setdefault(name, value)
    known = {task.number for task in tasks}
    transformers = shell.input_transformers_post
    transformers[:] = [one for one in transformers if not hasattr(one, "of_advcourse")]
    transformers.append(told_in_words(known, open_names(notebook)))
    cells.watch(shell, notebook)


def told_in_words(known: set[str], names: set[str]) -> Callable[[list[str]], list[str]]:
    """From the lines of a cell to those that are run: of a student's cell that is no Python, lines that say so.

    known: the numbers of the notebook's tasks. names: those that are left open for the student.
    """
    def readable(lines):
        source = "".join(lines)
        number = next((number for number in cells.NUMBER.findall(source) if number in known), None)
        opened = any(re.search(rf"^{name}\s*=", source, re.MULTILINE) for name in names)
        if number is None and not opened:
            return lines
        try:
            compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            return [f"__import__('advcourse.exercises.session', fromlist=['_']).unreadable({number!r}, "
                    f"{in_words(error, source)!r})\n"]
        return lines

    readable.of_advcourse = True
    return readable


def in_words(error: Exception, source: str) -> str:
    """Where Python stopped to understand a cell, and why."""
    line = getattr(error, "lineno", None) or 0
    lines = source.splitlines()
    text = lines[line - 1].strip().replace("`", "'") if 1 <= line <= len(lines) else ""
    at = f" in line {line}" + (f", `{text}`" if text else "") if line else ""
    return f"Python cannot read this cell: {getattr(error, 'msg', error)}{at}. Mend it, and run the cell again."
