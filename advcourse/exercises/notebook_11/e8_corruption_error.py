"""11.8: the mean corruption error, and the relative one."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals


def corruption_errors(errors, clean, base_errors, base_clean):
    return absolute(errors, clean, base_errors, base_clean), relative(errors, clean, base_errors, base_clean)


def absolute(errors, clean, base_errors, base_clean):
    return (errors.sum(1) / base_errors.sum(1)).mean().item()


def relative(errors, clean, base_errors, base_clean):
    return absolute(errors - clean, 0, base_errors - base_clean, 0)


def error_probes(generator):
    def draw():
        clean, base_clean = (0.01 + 0.06 * torch.rand(2, generator=generator)).tolist()
        growth = torch.arange(1, 5) / 4
        errors, base_errors = (start + 0.02 + growth * (0.1 + 0.7 * torch.rand(6, 1, generator=generator))
                               + 0.05 * torch.rand(6, 4, generator=generator) for start in (clean, base_clean))
        return {"errors": errors, "clean": clean, "base_errors": base_errors, "base_clean": base_clean}

    def with_clear_first():
        return telling_apart(draw, absolute, ABSOLUTE.values())

    return [telling_apart(with_clear_first, relative, RELATIVE.values()) for _ in range(2)]


def of(formula):
    """A mistake in the first number: `formula` of the two tables of errors."""
    return lambda errors, clean, base_errors, base_clean: float(formula(errors, base_errors))


def of_rises(formula):
    """A mistake in the second number: `formula` of the two tables of errors less those on clean images."""
    return lambda errors, clean, base_errors, base_clean: float(formula(errors - clean, base_errors - base_clean))


ABSOLUTE = {
    "this is the mean of the ratios at each severity: add up the severities of a corruption first, then divide":
        of(lambda e, b: (e / b).mean()),
    "this is one ratio of all errors together: each corruption has its own ratio, and the mean comes last":
        of(lambda e, b: e.sum() / b.sum()),
    "you add up over corruptions and take the mean over severities: a row is a corruption, so sum over `dim=1`":
        of(lambda e, b: (e.sum(0) / b.sum(0)).mean()),
    "the errors are not divided by the baseline's": of(lambda e, b: e.mean()),
    "the errors are not divided by the baseline's: these are sums": of(lambda e, b: e.sum(1).mean()),
    "the ratio is upside down: the baseline stands below the line": of(lambda e, b: (b.sum(1) / e.sum(1)).mean()),
    "this is the sum over the corruptions: take the mean": of(lambda e, b: (e.sum(1) / b.sum(1)).sum()),
    "this is a ratio of accuracies, 1 − error: errors are compared here":
        of(lambda e, b: ((1 - e).sum(1) / (1 - b).sum(1)).mean()),
    "this is a difference of errors: their ratio is wanted": of(lambda e, b: (e - b).mean()),
    "only the highest severity counts here: all of them do": of(lambda e, b: (e[:, -1] / b[:, -1]).mean()),
    "this is the median over the corruptions: take the mean": of(lambda e, b: (e.sum(1) / b.sum(1)).median()),
    "the errors on clean images are subtracted here, too: that is the second number":
        lambda errors, clean, base_errors, base_clean: relative(errors, clean, base_errors, base_clean),
}
RELATIVE = {
    "the errors on clean images are not subtracted":
        lambda errors, clean, base_errors, base_clean: absolute(errors, clean, base_errors, base_clean),
    "the baseline's error on clean images is not subtracted from its errors":
        lambda errors, clean, base_errors, base_clean: absolute(errors - clean, 0, base_errors, 0),
    "the network's own error on clean images is not subtracted, only the baseline's":
        lambda errors, clean, base_errors, base_clean: absolute(errors, 0, base_errors - base_clean, 0),
    "the baseline's error on clean images is subtracted from both: each network has its own":
        lambda errors, clean, base_errors, base_clean: absolute(errors - base_clean, 0, base_errors - base_clean, 0),
    "the network's error on clean images is subtracted from both: each network has its own":
        lambda errors, clean, base_errors, base_clean: absolute(errors - clean, 0, base_errors - clean, 0),
    "the error on clean images is subtracted once from the sum: it is in it once for every severity":
        lambda errors, clean, base_errors, base_clean: (
            (errors.sum(1) - clean) / (base_errors.sum(1) - base_clean)).mean().item(),
    "this is the mean of the ratios at each severity: add up the severities of a corruption first, then divide":
        of_rises(lambda e, b: (e / b).mean()),
    "this is one ratio of all rises together: each corruption has its own ratio, and the mean comes last":
        of_rises(lambda e, b: e.sum() / b.sum()),
    "you add up over corruptions and take the mean over severities: a row is a corruption, so sum over `dim=1`":
        of_rises(lambda e, b: (e.sum(0) / b.sum(0)).mean()),
    "the ratio is upside down: the baseline stands below the line":
        of_rises(lambda e, b: (b.sum(1) / e.sum(1)).mean()),
    "the rises are not divided by the baseline's": of_rises(lambda e, b: e.mean()),
    "the rises are not divided by the baseline's: these are sums": of_rises(lambda e, b: e.sum(1).mean()),
    "this is the sum over the corruptions: take the mean": of_rises(lambda e, b: (e.sum(1) / b.sum(1)).sum()),
    "this is a ratio of errors, less the ratio on clean images: subtract first, and divide then":
        lambda errors, clean, base_errors, base_clean: (
            absolute(errors, 0, base_errors, 0) - clean / base_clean),
}


def part(place, formula, mistakes):
    """The property that the result's number at this place is what the formula gives."""
    holds = equals(formula, mistakes)
    return lambda probe, result: holds(probe, result[place])


exercise = Exercise(
    number="11.8",
    title="The mean corruption error",
    points=3,
    minutes=9,
    hints=(
        ("What is added up, and what is averaged?",
         "Within a corruption the errors of all severities are added up, for both networks, and divided. Of these "
         "ratios, one for each corruption, take the mean."),
        ("What is relative about the second one?",
         "It looks at how much the error *rises*: from every error subtract the same network's error on clean images, "
         "then do as before."),
        ("Show me nearly all of it.",
         "`(errors.sum(1) / base_errors.sum(1)).mean().item()`, and the same of `errors - clean` and `base_errors - "
         "base_clean`. Return both."),
    ),
    reference=corruption_errors,
    probes=error_probes,
    properties={
        "the first is the mean corruption error": part(0, absolute, ABSOLUTE),
        "the second is the relative one": part(1, relative, RELATIVE),
    },
)
