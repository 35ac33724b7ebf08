"""Values as JSON trees with their tensors beside them, and back: a form that cannot carry code."""

import numpy as np
import torch
from torch import nn

from advcourse.exercises.kinds import LAYERS, is_plain_network
from advcourse.exercises.sendable import network_problem, problem_of, tensor_problem

DEEPEST = 12  # of lists in lists, and of questions within questions


class Malformed(ValueError):
    """What came in is not what is allowed."""


class Unsendable(RuntimeError):
    """A value that does not travel, in words for whoever returned it."""


# --- there -----------------------------------------------------------------------------------------------------------

def pack(value, tensors, offer, depth=0):
    """A value as a JSON tree.

    tensors: a dict that its tensors are put into. offer: gives a number for a function, which does not travel.
    """
    def inner(part):
        return pack(part, tensors, offer, depth + 1)

    if depth > DEEPEST:
        return {"other": "a nest of lists"}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, torch.Tensor):
        return {"tensor": put(value.detach(), tensors)}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        return {"array": put(torch.from_numpy(np.array(value)), tensors)}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "U":
        return inner(value.tolist())  # strings, and lists of them
    if type(value) in (list, tuple):
        return {type(value).__name__: [inner(part) for part in value]}
    if isinstance(value, dict) and all(isinstance(key, str) or type(key) is int for key in value):
        return {"dict": [[str(key) if isinstance(key, str) else key, inner(part)] for key, part in value.items()]}
    if is_plain_network(value):
        return packed_network(value, inner)
    if callable(value):
        return {"function": offer(value)}
    return {"other": type(value).__name__[:100]}


def put(tensor, tensors):
    """The name under which a copy of this tensor is put among the tensors; Unsendable where it is no plain one."""
    if problem := tensor_problem(tensor):
        raise Unsendable(problem)
    name = str(len(tensors))
    tensors[name] = tensor.as_subclass(torch.Tensor).cpu().contiguous().clone()
    return name


def packed_network(network, inner):
    """An nn.Sequential of plain layers as a tree: names, numbers and weights."""
    if problem := problem_of(network):
        raise Unsendable(problem)
    layers = []
    for layer in network:
        kind = type(layer).__name__
        layers.append([kind, *(getattr(layer, name) for name in LAYERS[kind]),
                       inner(list(layer.parameters(recurse=False)))])
    return {"network": layers, "training": network.training,
            "frozen": not any(parameter.requires_grad for parameter in network.parameters())}


# --- and back --------------------------------------------------------------------------------------------------------

def unpack(tree, tensors, asked, depth=0):
    """The value that a tree stands for; Malformed, or what hostile trees make of Python, where it stands for none.

    tensors: from name to tensor; each is taken out once, as `pack` puts it in: a small message shall not grow large
        here. asked: gives a stand-in for the function of a number.
    """
    def inner(part):
        return unpack(part, tensors, asked, depth + 1)

    if depth > DEEPEST + 2:
        raise Malformed("a nest of lists")
    if tree is None or type(tree) in (bool, int, float, str):
        return tree
    kind = next(iter(tree), None) if type(tree) is dict else None
    content = tree[kind] if kind else None
    if kind == "tensor":
        return tensors.pop(content)
    if kind == "array":
        return tensors.pop(content).numpy()
    if kind == "list":
        return [inner(part) for part in content]
    if kind == "tuple":
        return tuple(inner(part) for part in content)
    if kind == "dict":
        return {key: inner(part) for key, part in content if type(key) in (str, int)}
    if kind == "network":
        return network(tree, inner)
    if kind == "function" and type(content) is int:
        return asked(content)
    if kind == "other":
        return stranger(content)
    raise Malformed("a value of no known kind")


def stranger(name):
    """An object of an empty class that bears the letters of this name."""
    return type("".join(letter for letter in str(name) if letter.isidentifier())[:40] or "something", (), {})()


def network(tree, inner):
    """The nn.Sequential that a tree of `packed_network` stands for."""
    parts = [(name, numbers, inner(weights)) for name, *numbers, weights in tree["network"]]
    if problem := network_problem(len(parts), sum(weight.numel() for *_, weights in parts for weight in weights)):
        raise Malformed(problem)
    layers = [layer(*part) for part in parts]
    return nn.Sequential(*layers).train(tree["training"] is True).requires_grad_(tree["frozen"] is not True)


def layer(name, numbers, weights):
    """A layer of this name; Malformed where it is no plain one, or the numbers do not fit the weights."""
    fits = name in LAYERS and len(numbers) == len(LAYERS[name]) and all(type(number) is int for number in numbers)
    if not fits or type(weights) is not list:
        raise Malformed("a layer of no known kind")
    if name != "Linear":
        return getattr(nn, name)(*numbers)
    if not 1 <= len(weights) <= 2 or list(weights[0].shape) != [numbers[1], numbers[0]]:
        raise Malformed("a layer whose sizes contradict each other")
    made = nn.utils.skip_init(nn.Linear, *numbers, bias=len(weights) == 2, dtype=weights[0].dtype)
    with torch.no_grad():
        for parameter, weight in zip(made.parameters(), weights, strict=True):
            parameter.copy_(weight)
    return made
