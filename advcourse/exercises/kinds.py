"""Kinds of values in words: what a student's function returned, and what was wanted."""

import numpy as np
import torch
from torch import nn

# Networks of these layers are numbers and nothing else: they can be sent to whoever judges them, and hide no code.
LAYERS = {"Linear": ("in_features", "out_features"), "Flatten": ("start_dim", "end_dim"), "ReLU": (), "Tanh": (),
          "Sigmoid": (), "Identity": ()}


def is_plain_network(value: object) -> bool:
    """Whether a value is an nn.Sequential of nothing but LAYERS, as they are in PyTorch."""
    return type(value) is nn.Sequential and not added_to(value) and all(
        type(layer) is getattr(nn, type(layer).__name__, None) and type(layer).__name__ in LAYERS for layer in value)


def added_to(model: nn.Module) -> int:
    """How many hooks and methods of their own a model and its layers have: what makes more of it than its layers."""
    return sum(len(value) if name.endswith("_hooks") and value is not None else callable(value)
               for layer in model.modules() for name, value in vars(layer).items())


def plain(result: object, expected: object) -> object:
    """The result in the kind of `expected`, where they differ in a way that does no harm.

    A tensor, an array or a NumPy scalar that holds one number (or True) is as good as the number, a list as a tensor or
    a tuple, another type of floating-point or whole numbers as the one of `expected`, 0 and 1 as False and True. All
    else comes back as it is.
    """
    if isinstance(expected, torch.Tensor):
        tensor = as_tensor(result)
        return result if tensor is None else tensor.to(expected.dtype) if _casts(tensor, expected.dtype) else tensor
    if isinstance(result, torch.Tensor | np.ndarray | np.generic):
        if isinstance(expected, int | float) and result.ndim == 0:
            return plain(result.item(), expected)
        if type(expected) in (list, tuple) and result.ndim:
            result = list(result)  # row by row
    if type(expected) in (list, tuple) and type(result) in (list, tuple) and expected:
        return type(expected)(map(plain, result, [*expected, *[expected[-1]] * len(result)]))
    if type(expected) is dict and isinstance(result, dict) and result.keys() == expected.keys():
        return {key: plain(result[key], expected[key]) for key in expected}
    if isinstance(expected, bool) and type(result) is int and result in (0, 1):
        return bool(result)
    return result


def _casts(tensor, dtype):
    """Whether a tensor says the same in this dtype. Complex numbers and floats for whole numbers lose something."""
    if tensor.dtype == torch.bool or tensor.is_complex() or not is_dense(tensor):
        return False
    if dtype == torch.bool:
        return not tensor.is_floating_point() and bool(((tensor == 0) | (tensor == 1)).all())
    return dtype.is_floating_point or not tensor.is_floating_point()


def is_dense(tensor: torch.Tensor) -> bool:
    """Whether a tensor holds its numbers one beside the other, as nearly all do, and can be compared with others."""
    return tensor.layout == torch.strided and not (tensor.is_quantized or tensor.is_nested or tensor.is_meta)


def as_tensor(value: object) -> torch.Tensor | None:
    """A tensor of what holds numbers as a tensor does; None for what does not."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return torch.from_numpy(np.array(value)) if value.dtype.kind in "biuf" else None
    if _is_number(value):
        return torch.tensor(value)
    if type(value) not in (list, tuple) or not value:
        return None
    try:
        if all(isinstance(part, int | float) for part in value):
            return torch.tensor(value)
        parts = list(map(as_tensor, value))
        return None if any(part is None for part in parts) else torch.stack(parts)
    except (TypeError, ValueError, RuntimeError):  # parts of other shapes, or a number beyond all bounds
        return None


def kind_problem(result: object, expected: object) -> str | None:
    """In words, how the kind of value differs from what is expected; None where it is the same."""
    if expected is None:
        return None
    if result is None:
        return f"your function returns None, but {describe(expected)} is wanted: does it end with `return …`?"
    if is_kind(plain(result, expected), expected):
        return None
    given, wanted = describe(result), describe(expected)
    tensor = as_tensor(result)
    if isinstance(expected, torch.Tensor) and tensor is not None and is_dense(tensor) and (
            tensor.shape == expected.shape):
        given = f"a tensor of {tensor.dtype} on {tensor.device}" if tensor is result else f"{given} of {tensor.dtype}"
        wanted = f"one of {expected.dtype} on {expected.device}"
        if expected.dtype == torch.bool:
            wanted += ", whose entries are True or False, as those of comparisons are,"
    return f"your function returned {given}; {wanted} is wanted"


def is_kind(result: object, expected: object) -> bool:
    """Whether a value is of the kind of `expected`: its type, and of tensors shape, dtype and device."""
    if isinstance(expected, torch.Tensor):
        return (isinstance(result, torch.Tensor) and is_dense(result) and result.shape == expected.shape
                and result.dtype == expected.dtype and result.device == expected.device)
    if _is_number(expected):
        return _is_number(result)
    if type(expected) is list and expected and all(isinstance(part, str) for part in expected):
        return type(result) is list and all(isinstance(part, str) for part in result)  # how many, the properties say
    if type(expected) in (list, tuple):
        return (type(result) is type(expected) and len(result) == len(expected)
                and all(map(is_kind, result, expected)))
    if type(expected) is dict:
        return (isinstance(result, dict) and result.keys() == expected.keys()
                and all(is_kind(result[key], expected[key]) for key in expected))
    if callable(expected):
        return callable(result)  # a model may be any function
    return isinstance(result, type(expected))


def holds_nan(value: object) -> bool:
    """Whether a value, or something in it, is not a number."""
    if isinstance(value, torch.Tensor):
        return bool(value.isnan().any())
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and bool(np.isnan(value).any())
    if type(value) in (list, tuple):
        return any(map(holds_nan, value))
    if type(value) is dict:
        return any(map(holds_nan, value.values()))
    return isinstance(value, float) and value != value


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def describe(value: object) -> str:
    """A value's kind in words: "a tensor of shape (8, 1, 28, 28)", "a list of 3 numbers"."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        if not is_dense(value):
            return ("a tensor that holds no plain numbers" if value.layout == torch.strided else
                    "a sparse tensor (`.to_dense()` makes a common one of it)")
        return f"a tensor of {'complex numbers, of ' * value.is_complex()}shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of {'complex numbers, of ' * (value.dtype.kind == 'c')}shape {value.shape}"
    if isinstance(value, complex):
        return "a complex number"
    if isinstance(value, bool):
        return "True or False"
    if _is_number(value):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if type(value).__module__ == "torch.return_types":
        return f"all that `.{type(value).__name__}(…)` gives (take its `.values`, say)"
    if type(value) in (list, tuple):  # what a class of the student's own does when it is looked at, nobody knows
        kind = type(value).__name__
        if not value:
            return f"an empty {kind}"
        if all(isinstance(part, str) for part in value):
            return f"a {kind} of strings"
        if all(map(_is_number, value)):
            return f"a {kind} of {len(value)} number{'s' * (len(value) > 1)}"
        if type(value[0]) in (list, tuple) and (tensor := as_tensor(value)) is not None:
            return f"a {kind} of {kind}s, of shape {tuple(tensor.shape)}"
        parts = ", ".join(map(describe, value[:4])) + (", …" if len(value) > 4 else "")
        return f"a {kind} of {len(value)}: {parts}"
    if type(value) is dict:
        return f"a dict with the keys {', '.join(map(repr, value))}" if value else "an empty dict"
    if callable(value):
        return "a function"
    return f"a value of type {type(value).__name__}"
