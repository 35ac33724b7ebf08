"""01.2: the linear attack in closed form."""

import torch

from advcourse.exercises.catalogue import Exercise


def linear_attack(weight, y, target, eps):
    return eps * (weight[target] - weight[y]).sign()


def linear_probes(generator):
    probes = []
    for classes, inputs, eps in ((3, 20, 0.1), (10, 50, 0.25)):
        y, target = torch.randperm(classes, generator=generator)[:2].tolist()
        weight = torch.randn(classes, inputs, generator=generator)
        probes.append({"weight": weight, "y": y, "target": target, "eps": eps})
    return probes


def no_entry_beyond_eps(probe, result):
    beyond = (result.abs() - probe["eps"]).max().item()
    if beyond <= 1e-5:
        return None
    weight, y, target, eps = probe["weight"], probe["y"], probe["target"], probe["eps"]
    told = f"an entry of delta exceeds ε = {eps} by {beyond:.2g}: "
    if torch.allclose(result.abs(), torch.ones_like(result)):
        return f"{told}multiply the signs by ε"
    if torch.allclose(result, eps * (weight[target].sign() - weight[y].sign())):
        return f"{told}take the sign of the difference, not the difference of the signs"
    return f"{told}the limit holds for every input on its own, so only the sign of the weights matters, not their size"


def gains_the_most(probe, result):
    weight, y, target, eps = probe["weight"], probe["y"], probe["target"], probe["eps"]
    direction = weight[target] - weight[y]
    best, gain = eps * direction.abs().sum(), direction @ result
    if gain >= best * (1 - 1e-4):
        return None
    if gain <= -best * (1 - 1e-4):
        return ("the right size in the wrong direction: the target's "
                "score should rise above y's, so start from weight[target]")
    for rows, message in SIGNS_OF_OTHER_ROWS.items():
        if torch.allclose(result, eps * rows(weight, y, target).sign()):
            return message
    if result.abs().max() < 1e-8:
        return "delta is zero everywhere: nothing moves"
    if (result.abs() < 0.99 * eps).any() and gain > 0:
        return ("some inputs move by less than ε, although each may move by the full ε at no cost to the others: take "
                "the sign of the difference, then multiply by ε")
    return f"the target gains {gain:.3g} on y, but {best:.3g} is possible within the same ε"


SIGNS_OF_OTHER_ROWS = {
    lambda weight, y, target: weight[target]:
        "you follow the target's weights alone; what counts is its lead over y: the difference of the two rows",
    lambda weight, y, target: -weight[y]:
        "you only push y's score down; what counts is the target's lead over y: the difference of the two rows",
    lambda weight, y, target: weight[target] + weight[y]:
        "you add the two rows: this raises y's score along with the target's. Subtract weight[y]",
    lambda weight, y, target: weight[target] - weight.mean(0):
        "you raise the target above the average of all classes; what counts is its lead over y: subtract weight[y]",
    lambda weight, y, target: torch.ones_like(weight[y]):
        "every input goes up; where the difference of the two rows is negative, the target gains by going down",
}


exercise = Exercise(
    number="01.2",
    title="The linear attack in closed form",
    points=3,
    minutes=8,
    hints=(
        ("What do I maximise?",
         "The target's lead: (w_target − w_y)ᵀδ. It is a sum with "
         "one term per input, and each δᵢ is limited on its own."),
        ("What is best for a single input?",
         "A term cᵢδᵢ with |δᵢ| ≤ ε is largest at δᵢ = +ε where cᵢ > 0 and −ε where cᵢ < 0."),
        ("Show me nearly all of it.", "ε times the sign of the difference `weight[target] - weight[y]`."),
    ),
    reference=linear_attack,
    probes=linear_probes,
    gates={"no entry of delta exceeds ε": no_entry_beyond_eps},
    properties={"the target's lead over y grows as much as it can": gains_the_most},
)
