"""Answers that do nothing: what came in, zeros, noise, a constant. They know the wanted kind, and no more."""

import itertools

import torch
from torch import nn

from advcourse.exercises import engine
from advcourse.exercises.attempt import attempt
from advcourse.exercises.kinds import is_kind, is_plain_network

NUMBERS = (0.0, 1.0, 0.5, -1.0, 1e9, -1e9)


def answers(exercise):
    """(name, function) of each answer that does nothing to this exercise."""
    probe = engine.make_probes(exercise)[0]
    wanted = attempt(exercise.reference, engine.make_probes(exercise)[0], by=exercise.differentiated_by).result
    for name in makers(wanted, probe):
        yield name, answering(name, exercise)


def answering(name, exercise):
    """A function that returns, for every probe, what the maker of this name makes."""
    def function(**arguments):
        with torch.no_grad():
            wanted = attempt(exercise.reference, arguments, by=exercise.differentiated_by).result  # for its shape alone
        return makers(wanted, arguments)[name]()

    return function


def makers(wanted, probe):
    """From names to functions that make a value of the kind of `wanted`, from the arguments alone."""
    found = {f"the argument {name}": lambda value=value: value
             for name, value in probe.items() if is_kind(value, wanted)}
    if isinstance(wanted, torch.Tensor):
        found |= tensors(wanted, probe)
    elif isinstance(wanted, bool):
        found |= {"True": lambda: True, "False": lambda: False}
    elif isinstance(wanted, int | float):
        found |= {f"{number:g}": lambda number=number: type(wanted)(number) for number in NUMBERS}
        found |= {f"the number {name}": lambda value=value: value for name, value in probe.items()
                  if isinstance(value, int | float)}
        found |= {f"the mean of {name}": lambda value=value: type(wanted)(value.double().mean().item())
                  for name, value in probe.items() if isinstance(value, torch.Tensor) and value.numel()}
    elif isinstance(wanted, str):
        found |= {"no text": lambda: "", "some text": lambda: "a"}
        found |= {f"the text {name}": lambda value=value: value for name, value in probe.items()
                  if isinstance(value, str)}
    elif type(wanted) in (list, tuple):
        found |= sequences(wanted, probe)
        found |= {f"the beginning of {name}": lambda value=value: value[:len(wanted)]
                  for name, value in probe.items() if type(value) is type(wanted)}
    elif type(wanted) is dict:
        parts = {key: makers(value, probe) for key, value in wanted.items()}
        names = set.intersection(*map(set, parts.values())) if parts else set()
        found |= {f"{{{name}}}": lambda name=name: {key: one[name]() for key, one in parts.items()} for name in names}
    elif is_plain_network(wanted):
        found |= networks(wanted)
    return found


def tensors(wanted, probe):
    """Constant tensors and noise of the shape of `wanted`, and the arguments of this shape with noise upon them."""
    def like(make):
        return lambda: make().to(wanted.dtype)

    def noise():
        return torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1))

    found = {f"all {number:g}": like(lambda number=number: torch.full(wanted.shape, number))
             for number in (NUMBERS if wanted.dtype.is_floating_point else NUMBERS[:2])}
    found |= {"noise": like(noise), "uniform noise": like(lambda: torch.rand_like(noise())),
              "positions": like(lambda: torch.arange(wanted.numel()).reshape(wanted.shape)),
              "tossed coins": like(lambda: noise() > 0)}
    for name, value in probe.items():
        if isinstance(value, torch.Tensor) and value.shape == wanted.shape and value.is_floating_point():
            size = probe.get("eps", 0.1)
            found |= {f"minus {name}": like(lambda value=value: -value),
                      f"{name}, clipped": like(lambda value=value: value.clamp(0, 1)),
                      f"{name} with noise": like(lambda value=value, size=size: value + size * noise()),
                      f"{name} with noise, clipped": like(
                          lambda value=value, size=size: (value + size * noise()).clamp(0, 1)),
                      f"{name}, the other way up": like(lambda value=value: 1 - value),
                      f"{name} in another order": like(lambda value=value: value.flip(0)),
                      f"the mean of {name}": like(lambda value=value: torch.full_like(value, value.mean().item())),
                      f"{name} with random signs": like(
                          lambda value=value, size=size: (value + size * noise().sign()).clamp(0, 1)),
                      f"{name} with faint noise": like(
                          lambda value=value: (value + 1e-3 * noise().sign()).clamp(0, 1))}
    pairs = [(one, other) for one in probe for other in probe if one != other and all(
        isinstance(probe[name], torch.Tensor) and probe[name].shape == wanted.shape for name in (one, other))]
    for one, other in pairs:
        ours, theirs, size = probe[one], probe[other], probe.get("eps", 0.1)
        found |= {f"{one} and a little of {other}": like(
                      lambda ours=ours, theirs=theirs, size=size: (ours + size * theirs).clamp(0, 1)),
                  f"between {one} and {other}": like(lambda ours=ours, theirs=theirs: (ours + theirs) / 2)}
    return found


def sequences(wanted, probe):
    """Lists and tuples of which every part does nothing."""
    if not wanted:
        return {}
    parts = [makers(value, probe) for value in wanted]
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    found = {f"each {name}": lambda name=name: type(wanted)(part[name]() for part in parts) for name in shared}
    if len(wanted) <= 3:  # every part what came in under any name, or zeros
        choices = [[name for name in part if name.startswith(("the ", "all 0"))] for part in parts]
        found |= {" and ".join(names): lambda names=names: type(wanted)(
            part[name]() for part, name in zip(parts, names, strict=True)) for names in itertools.product(*choices)}
    return found


def networks(wanted):
    """Networks that nobody trained."""
    def made(scale):
        network = nn.Sequential(*[type(layer)(layer.in_features, layer.out_features) if isinstance(layer, nn.Linear)
                                  else layer for layer in wanted])
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(scale)
        return network.requires_grad_(False)

    return {"an untrained network": lambda: made(1), "a network of zeros": lambda: made(0)}
