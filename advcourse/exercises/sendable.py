"""What can be judged where a submission is graded: plain numbers, in dense tensors and small networks."""

import torch

from advcourse.exercises.kinds import is_plain_network

MOST_LAYERS, MOST_WEIGHTS = 24, 100_000  # of a network that shall be judged; the course's own have a tenth of that
SENT = {torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.uint64, torch.uint32, torch.uint16, torch.bool, torch.complex64}
WANTED = "an ordinary (dense) tensor of real numbers is wanted"


def problem_of(value: object) -> str | None:
    """In words, why a value, or something in it, cannot be judged; None where it can, or is of no such kind."""
    if isinstance(value, torch.Tensor):
        return tensor_problem(value)
    if is_plain_network(value):
        return network_problem(len(value), sum(parameter.numel() for layer in value
                                               for parameter in layer.parameters(recurse=False)))
    if type(value) is dict:
        value = list(value.values())
    if type(value) in (list, tuple):
        return next(filter(None, map(problem_of, value)), None)
    return None


def tensor_problem(tensor: torch.Tensor) -> str | None:
    """In words, why a tensor's numbers cannot be sent as they are, and what to do; None where they can."""
    if type(tensor) is not torch.Tensor:
        try:
            tensor = tensor.as_subclass(torch.Tensor)
        except Exception:
            return f"it is a tensor of the class {type(tensor).__name__}, where {WANTED}"
    kind = str(tensor.layout).removeprefix("torch.")
    if tensor.is_nested:
        return f"it is a nested tensor, where {WANTED}: `torch.nested.to_padded_tensor` makes one"
    if tensor.layout is not torch.strided:
        return f"it is a tensor of the layout {kind}, where {WANTED}: `.to_dense()` makes one"
    if tensor.is_quantized:
        return f"it is a quantised tensor, where {WANTED}: `.dequantize()` makes one"
    if tensor.is_meta:
        return f"it is a tensor on the device meta, which holds no numbers; {WANTED}"
    if tensor.dtype not in SENT:
        mend = ".real" if tensor.is_complex() else ".float()"
        return f"it is a tensor of {tensor.dtype}, where {WANTED}: `{mend}` makes one"
    return None


def network_problem(layers: int, weights: int) -> str | None:
    """In words, why a network of so many layers and weights is too large to be judged; None where it is not."""
    if layers <= MOST_LAYERS and weights <= MOST_WEIGHTS:
        return None
    return (f"a network of {layers:,} layers with {weights:,} weights is too large: at most {MOST_LAYERS} layers and "
            f"{MOST_WEIGHTS:,} weights are judged")
