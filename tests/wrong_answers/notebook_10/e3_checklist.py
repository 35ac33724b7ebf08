"""Plausible wrong answers to exercise 10.3, each with a part of the message that it should get, and right ones."""

from advcourse.exercises.notebook_10.e3_checklist import suspicious


def turns_the_comparison(left, tolerance):
    found = {name: left[name] > left["gradient"] + tolerance for name in ("noise", "one step", "black box", "transfer")}
    return found | {"unbounded": left["unbounded"] > tolerance}


def forgets_the_tolerance(left, tolerance):
    return suspicious(left, 0.0)


def compares_with_the_clean_accuracy(left, tolerance):
    found = {name: left[name] < left["clean"] - tolerance for name in ("noise", "one step", "black box", "transfer")}
    return found | {"unbounded": left["unbounded"] > tolerance}


def measures_the_unbounded_by_the_gradient(left, tolerance):
    return suspicious(left, tolerance) | {"unbounded": left["unbounded"] > left["gradient"] + tolerance}


def says_what_is_fine(left, tolerance):
    return {name: not found for name, found in suspicious(left, tolerance).items()}


def finds_nothing(left, tolerance):
    return dict.fromkeys(suspicious(left, tolerance), False)


def takes_any_difference(left, tolerance):
    found = {name: abs(left[name] - left["gradient"]) > tolerance
             for name in ("noise", "one step", "black box", "transfer")}
    return found | {"unbounded": left["unbounded"] > tolerance}


def gives_a_list(left, tolerance):
    return [name for name, found in suspicious(left, tolerance).items() if found]


def compares_one_by_one(left, tolerance):
    found = {"unbounded": not left["unbounded"] <= tolerance}
    for weaker in ("transfer", "black box", "one step", "noise"):
        found[weaker] = left["gradient"] - left[weaker] > tolerance
    return found


WRONG = [
    (turns_the_comparison, "less is left by the better attack"),
    (forgets_the_tolerance, "that is chance"),
    (compares_with_the_clean_accuracy, "less is left by the better attack"),
    (measures_the_unbounded_by_the_gradient, "it must be 0"),
    (says_what_is_fine, "less is left by the better attack"),
    (finds_nothing, "the weaker attack does better"),
    (takes_any_difference, "less is left by the better attack"),
    (gives_a_list, "a dict with the keys"),
]

RIGHT = [compares_one_by_one]
