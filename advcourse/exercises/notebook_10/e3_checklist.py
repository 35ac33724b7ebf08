"""10.3: the checklist."""

import torch

from advcourse.exercises.catalogue import Exercise

WEAKER = {"noise": "random noise leaves", "one step": "a single step leaves",
          "black box": "an attack that sees only scores leaves", "transfer": "another model's examples leave"}


def suspicious(left, tolerance):
    return {name: left[name] < left["gradient"] - tolerance for name in WEAKER} | {
        "unbounded": left["unbounded"] > tolerance}


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


def comparisons(probe, result):
    """The four weaker attacks are judged as the reference judges them; of several mistakes the gravest is told."""
    left, tolerance = probe["left"], probe["tolerance"]
    wanted, gradient = suspicious(left, tolerance), left["gradient"]
    wrong = [name for name in WEAKER if result[name] != wanted[name]]
    if not wrong:
        return None
    name = max(wrong, key=lambda name: (not wanted[name], left[name]))
    told = f"{WEAKER[name]} {left[name]:.2f} and the gradient attack {gradient:.2f}"
    if wanted[name]:
        return f"{told}: the weaker attack does better, that is suspicious"
    if left[name] < gradient:
        return f"{told}: within the tolerance of {tolerance} that is chance"
    return (f"{told}: the stronger attack does better, as it should. These are accuracies: less is left by the better "
            "attack")


def without_a_limit(probe, result):
    found, tolerance = probe["left"]["unbounded"], probe["tolerance"]
    if result["unbounded"] == suspicious(**probe)["unbounded"]:
        return None
    if result["unbounded"]:
        return (f"without a limit {found:.2f} are left, and you find that suspicious: a tolerance of {tolerance} "
                "allows it")
    return (f"without a limit {found:.2f} are still left: every image can become any other there, so it must be 0, "
            "whatever the gradient attack leaves within its ε")


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
        "the weaker attacks are judged right": comparisons,
        "the attack without a limit is judged right": without_a_limit,
    },
)
