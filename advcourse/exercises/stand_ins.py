"""The course's own solutions under students' names: handed out so that a notebook goes on, and never passed.

What a student's function uses is looked at, too: where it is graded, nothing of the course is at hand.
"""

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.counted import Counted
from advcourse.files import PACKAGE

OURS = str(PACKAGE)  # asked of every call while a student's function is watched
# What runs around a student's function, and is no road to a solution: stand-ins, the end of its time, the wanted kind.
AROUND = {str(Path(__file__).with_name(f"{name}.py")) for name in ("stand_ins", "deadline", "engine")}

used = set()  # numbers of the exercises whose stand-ins were called since this was last cleared


def stand_in(exercise: Exercise) -> Callable:
    """The course's own solution of an exercise, which can be told from a student's."""
    @functools.wraps(exercise.reference)
    def solution(*arguments, **keywords):
        used.add(exercise.number)
        return exercise.reference(*arguments, **keywords)

    solution.stands_for = exercise.number
    del solution.__wrapped__  # who calls that has called our solution, too
    return solution


def is_courses_own(function: object) -> bool:
    """Whether a function is a stand-in, or comes from the course's package, by itself or in a functools.partial."""
    while isinstance(function, functools.partial):
        function = function.func
    return is_stand_in(function) or is_from_package(function)


def is_stand_in(value: object) -> bool:
    """Whether a value was made by `stand_in`."""
    return isinstance(getattr(value, "stands_for", None), str)


def is_from_package(value: object) -> bool:
    """Whether a value is a part of the course's package, or an object of one of its classes."""
    module = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    return isinstance(module, str) and module.split(".")[0] == "advcourse"


def as_written(function: object) -> object:
    """The student's function, where `check` turned it into one whose results are of the wanted kind; else itself."""
    return vars(function).get("of_student", function) if isinstance(function, types.FunctionType) else function


def course_names(function: object) -> list[str]:
    """The names that a student's function, or another function that it calls, takes from the course's package."""
    return sorted({name for name, value in values_used(function) if is_from_package(value) and not is_stand_in(value)})


def values_used(function: object) -> list[tuple]:
    """(name, value) of what a student's function, and every function of theirs that it calls, reads: `values_read`."""
    found, seen, waiting = [], set(), [function]
    while waiting:
        one = waiting.pop()
        while isinstance(one, functools.partial):
            one = one.func
        one = getattr(as_written(one), "__func__", as_written(one))
        if not isinstance(one, types.FunctionType) or one in seen:
            continue
        seen.add(one)
        read = values_read(one)
        found += read
        waiting += [value for _, value in read if not is_from_package(value)]
        if wrapped := getattr(one, "__wrapped__", None):
            waiting.append(wrapped)
    return found


def values_read(function: types.FunctionType) -> list[tuple]:
    """(name, value) of the global names and closed-over variables of a function, as they are now, and its imports."""
    read, codes = [], [function.__code__]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            read.append((name, cell.cell_contents))
        except ValueError:  # not assigned yet
            continue
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME" and step.argval.split(".")[0] == "advcourse":
                read.append((step.argval, types.ModuleType(step.argval)))
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in function.__globals__:
                read.append((step.argval, function.__globals__[step.argval]))
    return read


# --- what a call reaches ---------------------------------------------------------------------------------------------

reached = set()  # names of the package's functions that a watched function called since this was last cleared


def watched(function: Callable) -> Callable:
    """The function, and whatever of the course's package its calls reach, by any road, is noted in `reached`.

    What it gets as an argument is there to be called, and so is what stands in for an open exercise (see `used`).
    """
    @functools.wraps(function)
    def call(*arguments, **keywords):
        allowed = {code for value in (*arguments, *keywords.values()) for code in codes_of(value)}

        def note(frame, event, _):
            if (event == "call" and is_ours(frame) and not is_ours(frame.f_back) and frame.f_code not in allowed
                    and frame.f_code.co_filename not in AROUND):
                reached.add(frame.f_code.co_name)

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            return function(*arguments, **keywords)
        finally:
            sys.setprofile(before)

    return call


def is_ours(frame: types.FrameType | None) -> bool:
    """Whether a frame runs code of the package, the watch apart."""
    return (frame is not None and frame.f_code.co_filename.startswith(OURS)
            and (frame.f_code.co_filename, frame.f_code.co_name) != (__file__, "call"))


def codes_of(value: object) -> Iterator[types.CodeType]:
    """The code that a call of an argument runs: of a function, of one in a partial or a list, of a model's layers."""
    if isinstance(value, functools.partial):
        yield from codes_of(value.func)
    elif isinstance(value, Counted):
        yield type(value).__call__.__code__
        yield from codes_of(value.function)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from codes_of(part)
    elif isinstance(value, torch.nn.Module):
        for layer in value.modules():
            yield from codes_of(type(layer).forward)
    elif isinstance(value, types.FunctionType):
        yield value.__code__
