"""Right answers of unusual kinds, as `check` takes them: put into a notebook, they must not stop its other cells."""

import functools
import inspect

import numpy as np
import torch

from advcourse.exercises import engine, session, stand_ins
from advcourse.exercises.catalogue import get
from tests.exercises.harness import SLOW, answers


def changed(value, tensors, numbers):
    """A result of which all tensors and all numbers, in lists, tuples and dicts too, are turned into another kind."""
    if isinstance(value, torch.Tensor):
        return tensors(value)
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return numbers(value)
    if type(value) in (list, tuple):
        return type(value)(changed(part, tensors, numbers) for part in value)
    if type(value) is dict:
        return {key: changed(part, tensors, numbers) for key, part in value.items()}
    return value


def as_it_is(value):
    return value


def in_float64(tensor):
    return tensor.double() if tensor.is_floating_point() else tensor


def with_a_gradient(tensor):
    return tensor.detach().clone().requires_grad_() if tensor.is_floating_point() else tensor


KINDS = {
    "in float64": (in_float64, np.float64),
    "as lists and tensors without a dimension": (torch.Tensor.tolist, torch.tensor),
    "as NumPy arrays": (lambda tensor: tensor.detach().numpy(), np.array),
    "with a gradient left on it": (with_a_gradient, as_it_is),
    "changed in place": (lambda tensor: tensor.clone().add_(0), as_it_is),
}


def of_another_kind(function, kind):
    """A function with copies of its arguments, and its result of another kind."""
    @functools.wraps(function)
    def turned(*arguments, **named):
        copies = inspect.signature(function).bind(*arguments, **named)
        copies.arguments = {name: value.clone() if isinstance(value, torch.Tensor) else value
                            for name, value in copies.arguments.items()}
        return changed(function(*copies.args, **copies.kwargs), *KINDS[kind])

    return turned


def all_answers(number):
    """From names to functions: the course's solution of every kind, and the right answers of tests/wrong_answers."""
    exercise = get(number)
    return ({kind: of_another_kind(exercise.reference, kind) for kind in KINDS}
            | {function.__name__: function for function in answers(number).RIGHT})


@functools.cache
def accepted(number):
    """The names of the unusual answers that `check` takes; those that only are the reference again are left out."""
    exercise = get(number)
    if number in SLOW:  # a network is of one kind
        return [function.__name__ for function in answers(number).RIGHT]
    return [name for name, function in all_answers(number).items()
            if engine.run(exercise, function).state == engine.PASSED]


def answer(number, name):
    """The answer of this name, in a kernel in which `check` takes what leans on the course's own code."""
    session.is_courses_own = lambda function: False
    session.course_names = lambda function: []
    stand_ins.watched = lambda function: function
    return all_answers(number)[name]
