"""Functions of PyTorch and NumPy that a student's code has replaced for everybody: found, and put back."""

import math
import operator
from collections.abc import Iterable

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module

OWNERS = (torch, torch.Tensor, torch.autograd, torch.linalg, torch.special, nn, nn.functional, nn.Module, nn.Sequential,
          nn.Flatten, nn.Linear, nn.ReLU, nn.Tanh, nn.Sigmoid, np, np.linalg, math)
# PyTorch replaces these itself: the first with its dtype, the others once it compiles.
OF_TORCH = {"Storage", "manual_seed", "__init__", "__setstate__"}


def functions_of(owner: object) -> dict:
    """From name to what can be called of a module or a class."""
    return {name: value for name, value in vars(owner).items()
            if callable(value) and name not in OF_TORCH and (name.startswith("__") or not name.startswith("_"))}


AS_IMPORTED = [(owner, functions_of(owner), set(vars(owner))) for owner in OWNERS]
OF_ALL_MODULES = {name: hooks for name, hooks in vars(module).items() if name.startswith("_global_") and hooks == {}}


def undo() -> list[str]:
    """Put back what was replaced since this file was imported, and take hooks from all modules; the names of both."""
    names = []
    for owner, functions, known in AS_IMPORTED:
        if not all(map(operator.is_, map(vars(owner).get, functions), functions.values())):
            replaced = [name for name, function in functions.items() if vars(owner).get(name) is not function]
            for name in replaced:
                setattr(owner, name, functions[name])
            names += [name_of(owner, name) for name in replaced]
        if isinstance(owner, type) and (added := vars(owner).keys() - known):
            hiding = [name for name in added if any(name in vars(base) for base in owner.__mro__[1:])]
            for name in hiding:  # such as Tensor.sign, which its base class has
                delattr(owner, name)
            names += [name_of(owner, name) for name in hiding]
    for name, hooks in OF_ALL_MODULES.items():
        if hooks:
            hooks.clear()
            names.append(name_of(module, name))
    return sorted(names)


def name_of(owner: object, name: str) -> str:
    """How a student calls what an owner has under this name."""
    path = f"{owner.__module__}.{owner.__qualname__}" if isinstance(owner, type) else owner.__name__
    return f"{path}.{name}"


def quoted(names: Iterable[str]) -> str:
    """Names in one line."""
    return ", ".join(f"`{name}`" for name in names)
