"""The cells that were run in this kernel, as a grading would read them, and how they ended."""

import re
from typing import Any

from advcourse.exercises import all_exercises, session
from advcourse.handin.work import function_in, letter_in, not_at_hand, official_names

NUMBER = re.compile(r"\b(?:check|answer)\(\s*[\"'](\d\d\.\d+)[\"']")
MOST_READ = 200_000  # characters: a kernel that has run for days has seen more cells than a notebook has


def watch(shell: Any, notebook: str) -> None:
    """From now on follow what is run in this IPython, in the place of whoever did so before."""
    for callbacks in shell.events.callbacks.values():
        callbacks[:] = [one for one in callbacks if not isinstance(getattr(one, "__self__", None), CellsRun)]
    cells = CellsRun(shell, notebook)
    shell.events.register("pre_run_cell", cells.begins)
    shell.events.register("post_run_cell", cells.ends)
    session.set_cells(cells)


class CellsRun:
    """The texts of the cells that were run, the one that runs last; IPython calls `begins` and `ends`."""

    def __init__(self, shell: Any, notebook: str):
        self.shell, self.notebook = shell, notebook
        self.known = {task.number for task in all_exercises(notebook)}
        self.texts = list(filter(None, shell.history_manager.input_hist_raw))

    def begins(self, info: Any) -> None:
        """Before a cell is run."""
        self.texts.append(info.raw_cell or "")
        session.begin_cell()

    def ends(self, result: Any) -> None:
        """After a cell was run."""
        if error := result.error_in_exec or result.error_before_exec:
            session.cell_failed(self.numbers_in(result.info.raw_cell or ""), error)

    def numbers_in(self, text: str) -> set[str]:
        """The numbers of this notebook's tasks whose check, answer or definition stands in a cell."""
        defined = {number for number, name in official_names(self.notebook).items()
                   if re.search(rf"^\s*def\s+{name}\b", text, re.MULTILINE)}
        return self.known & set(NUMBER.findall(text)) | defined

    def read(self) -> list[str]:
        """The latest of the texts, each once, the newest last."""
        latest, size = [], 0
        for text in dict.fromkeys(reversed(self.texts)):
            size += len(text)
            if size > MOST_READ and latest:
                break
            latest.append(text)
        return latest[::-1]

    def function(self, number: str) -> tuple[str, object]:
        """The name of the function that a grading would grade or, where there is none, should; and what has it now."""
        name = function_in(self.read(), number)
        return name or official_names(number[:2]).get(number, "name"), self.shell.user_ns.get(name)

    def missing(self, number: str) -> list[str]:
        """The names that this function uses, and that have no value where it is graded."""
        texts = self.read()
        return not_at_hand(texts, function_in(texts, number), self.shell.user_ns)

    def is_read(self, number: str, letter: object) -> bool:
        """Whether a grading reads in the cell that runs that this letter is the answer."""
        found = letter_in(self.read(), number)
        return isinstance(found, str) and found.lower() == str(letter)[:200].lower()  # `choice = B` is b's value
