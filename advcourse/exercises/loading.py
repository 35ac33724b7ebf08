"""What a notebook's definitions come to where nothing of the course is at hand, as in a grading.

Nothing here knows what an exercise asks for, so a grader can load this file into the box where the student's code runs.
"""

import ast
import importlib.abc
import importlib.util
import linecache
import sys
import types
from collections.abc import Iterable, Iterator

from advcourse.exercises.deadline import OutOfTime

OWN = "advcourse"


class Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes every import from the course succeed and every use of it fail, in words."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self, is_package=True) if name.split(".")[0] == OWN else None

    def create_module(self, spec):
        return NotHere(spec.name)

    def exec_module(self, module):
        pass


class NotHere(types.ModuleType):
    """Stands for a module of the course, and for everything in it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return NotHere(f"{self.__name__}.{name}")

    def __call__(self, *arguments, **keywords):
        raise RuntimeError(f"{self.__name__} is not at hand when your work is graded: "
                           "your function stands on PyTorch and NumPy alone")


def hide_the_course() -> dict[str, types.ModuleType]:
    """From now on imports from the course give a NotHere. Returns the course's modules that were there."""
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == OWN}
    sys.meta_path.insert(0, Missing())
    return hidden


def show_the_course(hidden: dict[str, types.ModuleType]) -> None:
    """Undo `hide_the_course`, given what it returned."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Missing)]
    for name in [name for name in sys.modules if name.split(".")[0] == OWN]:
        del sys.modules[name]
    sys.modules.update(hidden)


def load(statements: Iterable[str], notebook: types.ModuleType, failed: dict[str, str]) -> None:
    """Run the notebook's definitions, one by one; `failed` remembers by name why one could not be made."""
    for place, statement in enumerate(statements):
        file = f"<your notebook, {place}>"  # each statement its own: its lines count from the top of its cell
        linecache.cache[file] = (len(statement), None, statement.splitlines(keepends=True), file)
        tree = ast.parse(statement)
        try:
            exec(compile(tree, file, "exec"), vars(notebook))  # what counts is what these statements make
        except OutOfTime:
            raise
        except BaseException as error:
            failed.update(dict.fromkeys(bound_names(tree), f"{type(error).__name__}: {error}"[:300]))


def bound_names(tree: ast.AST) -> Iterator[str]:
    """The names that a statement would have given a value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.split(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def reason(problem: str, failed: dict[str, str]) -> str:
    """In words, why a name that a problem misses could not be defined; "" where none is known."""
    reasons = [f"; `{unknown}` was not at hand, as its line ends in {words}" for unknown, words in failed.items()
               if f"'{unknown}' is not defined" in problem]
    return "".join(reasons[:1])
