"""10.3: the checklist."""

import torch

from advcourse.exercises.catalogue import Exercise


def suspicious(left, tolerance):
    gradient = left["gradient"]
    return {
        "noise": left["noise"] < gradient - tolerance,
        "one step": left["one step"] < gradient - tolerance,
        "black box": left["black box"] < gradient - tolerance,
        "transfer": left["transfer"] < gradient - tolerance,
        "unbounded": left["unbounded"] > tolerance,
    }


def suspicious_probes(generator):
    def at_random():
        return torch.rand(1, generator=generator).item()

    probes = []
    for gradient, tolerance in ((0.15, 0.05), (0.5, 0.1), (0.9, 0.04)):
        below, just_below = gradient * at_random() * 0.3, gradient - 0.7 * tolerance
        above = gradient + (1 - gradient) * (0.2 + 0.7 * at_random())
        for kind in range(3):
            values = [(below, just_below, above)[(kind + shift) % 3] for shift in (0, 1, 2, 1)]
            unbounded = (0.0, 0.7 * tolerance, 0.4 + 0.5 * at_random())[kind]
            left = {"clean": 1 - 0.01 * at_random(), "gradient": gradient, "noise": values[0], "one step": values[1],
                    "black box": values[2], "transfer": values[3], "unbounded": unbounded}
            probes.append({"left": left, "tolerance": tolerance})
    return probes


def rule(name):
    """Makes the property that one rule is judged as the reference judges it."""
    weaker = {"noise": "chance", "one step": "a single step", "black box": "an attack that sees only scores",
              "transfer": "another model's examples"}

    def holds(probe, result):
        left, tolerance = probe["left"], probe["tolerance"]
        wanted, told = suspicious(left, tolerance)[name], bool(result[name])
        if told == wanted:
            return None
        found, gradient = left[name], left["gradient"]
        if name == "unbounded" and told:
            return (f"without a limit {found:.2f} are left, and you find "
                    f"that suspicious: a tolerance of {tolerance} allows it")
        if name == "unbounded":
            return (f"without a limit {found:.2f} are still left: every image can become any other there, so it must "
                    "be 0, whatever the gradient attack leaves within its ε")
        if wanted:
            return (f"{weaker[name]} leaves {found:.2f} and the gradient attack {gradient:.2f}: the weaker attack does "
                    "better, that is suspicious")
        if found < gradient:
            return (f"{weaker[name]} leaves {found:.2f} and the gradient attack {gradient:.2f}: within the tolerance "
                    f"of {tolerance} that is chance")
        return (f"{weaker[name]} leaves {found:.2f} and the gradient attack {gradient:.2f}: the stronger attack does "
                "better, as it should. These are accuracies: less is left by the better attack")

    return holds


exercise = Exercise(
    number="10.3",
    title="The checklist",
    points=3,
    minutes=10,
    hints=(
        ("What is being compared?",
         "Accuracies that attacks leave. The gradient attack should "
         "leave the least; any other that leaves less is a warning."),
        ("What is the tolerance for?",
         "A few images may fall to one attack and not to the other by chance: "
         "warn only where the difference exceeds it."),
        ("Show me nearly all of it.",
         "For noise, one step, black box and transfer: `left[name] < left['gradient'] - tolerance`; for unbounded: "
         "`left['unbounded'] > tolerance`."),
    ),
    reference=suspicious,
    probes=suspicious_probes,
    properties={
        "noise is judged right": rule("noise"),
        "one step is judged right": rule("one step"),
        "black-box search is judged right": rule("black box"),
        "transfer is judged right": rule("transfer"),
        "the attack without a limit is judged right": rule("unbounded"),
    },
)
