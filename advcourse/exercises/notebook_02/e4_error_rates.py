"""02.4: two kinds of errors, false alarms and misses."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def error_rates(said, truth):
    type_1 = (said & ~truth).sum() / (~truth).sum()
    type_2 = (~said & truth).sum() / truth.sum()
    return type_1.item(), type_2.item()


def error_probes(generator):
    """So many of each kind that no mistake gives what the formula or another mistake does."""
    probes = []
    for negative, positive, alarms, misses in ((44, 16, (8, 12), (5, 8)), (25, 55, (14, 18), (10, 16))):
        places = torch.randperm(negative + positive, generator=generator)
        truth = (torch.arange(negative + positive) >= negative)[places]
        wrong = torch.zeros_like(truth)
        for kind, (least, most) in ((~truth, alarms), (truth, misses)):
            wrong[kind.nonzero()[:torch.randint(least, most, (), generator=generator), 0]] = True
        probes.append({"said": truth ^ wrong, "truth": truth})
    return probes


def counts(said, truth):
    return (said & ~truth).sum().item(), (~said & truth).sum().item()


def numbers_turned_round(said, truth):
    said, truth = said.int(), truth.int()
    return (said & ~truth).sum().item() / (~truth).sum().item(), (~said & truth).sum().item() / truth.sum().item()


exercise = Exercise(
    number="02.4",
    title="False alarms and misses",
    points=3,
    minutes=8,
    hints=(
        ("Which images can be false alarms?",
         "Only those that are negative in truth. Of these, the share that the detector called positive."),
        ("How do I select?",
         "`~truth` turns True and False round, and `said[~truth]` are the detector's answers to the negatives."),
        ("Show me nearly all of it.",
         "Type 1: `said[~truth].float().mean().item()`. Type 2: "
         "the share of `~said` among `truth`. Return both, type 1 first."),
    ),
    reference=error_rates,
    probes=error_probes,
    properties={
        "the two rates are right": equals(error_rates, mistakes={
            "these are the right rates in the wrong order: type 1, the false alarms, comes first":
                lambda said, truth: error_rates(said, truth)[::-1],
            "these are counts; a rate is a share": counts,
            "you divide by the number of all images; false alarms "
            "are a share of the negatives, misses of the positives":
                lambda said, truth: tuple(n / len(truth) for n in counts(said, truth)),
            "you divide each by the other side's number: "
            "false alarms are a share of the negatives, misses of the positives":
                lambda said, truth: (counts(said, truth)[0] / truth.sum().item(),
                                     counts(said, truth)[1] / (~truth).sum().item()),
            "you divide by what the detector said; the rates are shares of what is true":
                lambda said, truth: ((said & ~truth).sum().item() / max(said.sum().item(), 1),
                                     (~said & truth).sum().item() / max((~said).sum().item(), 1)),
            "these are the shares that are right; wanted are the errors":
                lambda said, truth: tuple(1 - rate for rate in error_rates(said, truth)),
            "these are percentages; wanted are shares between 0 and 1":
                lambda said, truth: tuple(100 * rate for rate in error_rates(said, truth)),
            "the two rates do not add up to 1: misses are a share of the positives, counted among them":
                lambda said, truth: (error_rates(said, truth)[0], 1 - error_rates(said, truth)[0]),
            "the second number is the share of the positives that were found; a miss is one that was not":
                lambda said, truth: (error_rates(said, truth)[0], 1 - error_rates(said, truth)[1]),
            "the first number is the share of the negatives that were left in peace; a false alarm is one that was not":
                lambda said, truth: (1 - error_rates(said, truth)[0], error_rates(said, truth)[1]),
            "`~` turns True and False round; of a whole number it makes another one: leave the tensors as they are":
                numbers_turned_round,
            "this is the share of all errors, twice: the two kinds are counted apart":
                lambda said, truth: ((said != truth).double().mean().item(),) * 2,
        }),
    },
)
