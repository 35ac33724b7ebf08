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
    if beyond > 1e-5:
        return (f"an entry of delta exceeds ε = {probe['eps']} by {beyond:.2g}: the limit holds for every input on its "
                "own, so only the sign of the weights may matter, not their size")


def gains_the_most(probe, result):
    weight, y, target, eps = probe["weight"], probe["y"], probe["target"], probe["eps"]
    direction = weight[target] - weight[y]
    best = eps * direction.abs().sum()
    gain = direction @ result.to(direction.dtype)
    if gain >= best * (1 - 1e-5):
        return None
    if gain <= -best * (1 - 1e-5):
        return ("the right size in the wrong direction: the target's "
                "score should rise above y's, so start from weight[target]")
    if torch.allclose(result, eps * weight[target].sign()):
        return "you follow the target's weights alone; what counts is its lead over y: the difference of the two rows"
    if torch.allclose(result, -eps * weight[y].sign()):
        return "you only push y's score down; what counts is the target's lead over y: the difference of the two rows"
    if result.abs().max() < 1e-8:
        return "delta is zero everywhere: nothing moves"
    if (result.abs() < 0.99 * eps).any() and gain > 0:
        return ("some inputs move by less than ε, although each may move by the full ε at no cost to the others: take "
                "the sign of the difference, then multiply by ε")
    return f"the target gains {gain:.3g} on y, but {best:.3g} is possible within the same ε"


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
    properties={
        "no entry of delta exceeds ε": no_entry_beyond_eps,
        "the target's lead over y grows as much as it can": gains_the_most,
    },
)
