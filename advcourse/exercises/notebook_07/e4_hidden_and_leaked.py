"""07.4: hidden and leaked."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def hidden_and_leaked(before, after, other, y):
    known = before == y
    gone = known & (after != y)
    hidden = (gone.sum() / known.sum()).item()
    leaked = ((other == y) & gone).sum() / gone.sum() if gone.any() else torch.tensor(0.0)
    return hidden, leaked.item()


def answers(y, right, generator):
    """Answers to images of the classes y, each right with the probability `right`."""
    wrong = (y + torch.randint(1, 5, y.shape, generator=generator)) % 5
    return torch.where(torch.rand(y.shape, generator=generator) < right, y, wrong)


def share_probes(generator):
    """Answers that are right with different probabilities; in the last probe nothing is hidden."""
    probes = []
    for right_before, right_after, right_other in ((0.8, 0.4, 0.6), (0.6, 0.3, 0.7), (0.7, 1.0, 0.5)):
        y = torch.randint(5, (60,), generator=generator)
        before = answers(y, right_before, generator)
        after = before.clone() if right_after == 1 else answers(y, right_after, generator)
        probes.append({"before": before, "after": after, "other": answers(y, right_other, generator), "y": y})
    return probes


def shares(count):
    """A formula that a student may have written, from a function of four masks to two (part, whole)."""
    def formula(before, after, other, y):
        parts = count(known=before == y, changed=after != before, wrong=after != y, caught=other == y)
        return tuple((part.sum() / whole.sum().clamp_min(1)).item() for part, whole in parts)
    return formula


def both_shares(probe, result):
    return equals(hidden_and_leaked, mistakes={
        "the two shares are right, but swapped: hidden comes first":
            lambda **probe: hidden_and_leaked(**probe)[::-1],
        "these are percentages; wanted are shares between 0 and 1":
            lambda **probe: tuple(100 * share for share in hidden_and_leaked(**probe)),
        "the second is the share that does *not* leak; count those that the other gets right":
            shares(lambda known, changed, wrong, caught: [
                (known & wrong, known), (known & wrong & ~caught, known & wrong)]),
        "the first is the share that is *not* hidden; count those that are wrong after":
            shares(lambda known, changed, wrong, caught: [
                (known & ~wrong, known), (known & wrong & caught, known & wrong)]),
        "photographs that the recogniser got wrong before count in "
        "your first share: leave them out above and below the line":
            shares(lambda known, changed, wrong, caught: [
                (wrong, wrong | True), (known & wrong & caught, known & wrong)]),
        "photographs that the recogniser got wrong before count in both of your shares: leave them out":
            shares(lambda known, changed, wrong, caught: [(wrong, wrong | True), (wrong & caught, wrong)]),
        "you divide by the number of all photographs; only those count that the recogniser named right before":
            shares(lambda known, changed, wrong, caught: [
                (known & wrong, wrong | True), (known & wrong & caught, known & wrong)]),
        "photographs that the recogniser got wrong before count as leaked: leave them out, they were never hidden":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (wrong & caught, wrong)]),
        "leaked is a share of the *hidden* photographs; you divide by all that the recogniser knew":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (known & wrong & caught, known)]),
        "your leaked is the other's accuracy on everything; it counts the hidden photographs only":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (caught, caught | True)]),
        "your leaked is the other's accuracy on all that the recogniser knew; it counts the hidden photographs only":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (known & caught, known)]),
        "hidden means *wrong* after, of those that were right before; "
        "you count every changed answer, also from wrong to right":
            shares(lambda known, changed, wrong, caught: [
                (changed, changed | True), (known & wrong & caught, known & wrong)]),
        "these are counts; divide by the number of photographs":
            lambda before, after, other, y: (((before == y) & (after != y)).sum().item(),
                                             ((before == y) & (after != y) & (other == y)).sum().item()),
    }, tolerance=1e-5)(probe, result)


def numbers(probe, result):
    if all(share == share for share in result):
        return None
    return ("one of your shares is not a number (nan): where no photograph is hidden, leaked is 0.0 by agreement. Ask "
            "`gone.any()` first")


exercise = Exercise(
    number="07.4",
    title="Hidden, and leaking",
    points=3,
    minutes=10,
    hints=(
        ("Which photographs count?",
         "`known = before == y`: those that the recogniser named right. The hidden ones are `known & (after != y)`."),
        ("What do I divide by?", "Hidden: by the number of known ones. Leaked: by the number of hidden ones."),
        ("Show me nearly all of it.",
         "`gone = known & (after != y)`; hidden is `gone.sum() / known.sum()`, leaked is `((other == y) & gone).sum() "
         "/ gone.sum()`, or 0.0 where `gone.any()` is false. `.item()` makes a number of each."),
    ),
    reference=hidden_and_leaked,
    probes=share_probes,
    properties={
        "both are numbers, also when nothing is hidden": numbers,
        "both shares are right": both_shares,
    },
)
