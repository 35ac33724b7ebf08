"""Plausible wrong answers to exercise 10.3, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch

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


def writes_the_tolerance_down(left, tolerance):
    return suspicious(left, 0.05)


def adds_the_tolerance(left, tolerance):
    return {name: left[name] < left["gradient"] + tolerance for name in ("noise", "one step", "black box", "transfer")
            } | {"unbounded": left["unbounded"] > tolerance}


def wants_nothing_left_without_a_limit(left, tolerance):
    return suspicious(left, tolerance) | {"unbounded": left["unbounded"] > 0}


def forgets_the_unbounded(left, tolerance):
    return {name: left[name] < left["gradient"] - tolerance for name in ("noise", "one step", "black box", "transfer")}


def divides_the_accuracies(left, tolerance):
    weaker = ("noise", "one step", "black box", "transfer")
    return {name: left[name] / left["gradient"] < 1 - tolerance for name in weaker} | {
        "unbounded": left["unbounded"] > tolerance}


def takes_the_differences_as_errors(left, tolerance):
    return suspicious({name: 1 - value for name, value in left.items()}, tolerance)


def changes_the_table(left, tolerance):
    found = {"unbounded": left.pop("unbounded") > tolerance}
    left.pop("clean")
    best = left.pop("gradient") - tolerance
    return found | {name: value < best for name, value in left.items()}


def works_in_numpy(left, tolerance):
    weaker = ["noise", "one step", "black box", "transfer"]
    found = dict(zip(weaker, np.array([left[name] for name in weaker]) < left["gradient"] - tolerance, strict=True))
    return found | {"unbounded": np.float64(left["unbounded"]) > tolerance}


def works_with_tensors(left, tolerance):
    values = {name: torch.tensor(value, dtype=torch.float64) for name, value in left.items()}
    return suspicious(values, tolerance)


def compares_one_by_one(left, tolerance):
    found = {"unbounded": not left["unbounded"] <= tolerance}
    for weaker in ("transfer", "black box", "one step", "noise"):
        found[weaker] = left["gradient"] - left[weaker] > tolerance
    return found


def says_one_and_zero(left, tolerance):
    return {name: int(found) for name, found in suspicious(left, tolerance).items()}


WRONG = [
    (turns_the_comparison, "less is left by the better attack"),
    (forgets_the_tolerance, "that is chance"),
    (compares_with_the_clean_accuracy, "less is left by the better attack"),
    (measures_the_unbounded_by_the_gradient, "it must be 0"),
    (says_what_is_fine, "less is left by the better attack"),
    (finds_nothing, "the weaker attack does better"),
    (takes_any_difference, "less is left by the better attack"),
    (gives_a_list, "a dict with the keys"),
    (writes_the_tolerance_down, "that is chance"),
    (adds_the_tolerance, "that is chance"),
    (wants_nothing_left_without_a_limit, "a tolerance of"),
    (forgets_the_unbounded, "a dict with the keys"),
    (divides_the_accuracies, "that is chance"),
    (takes_the_differences_as_errors, "less is left by the better attack"),
    (changes_the_table, "your function"),
]

RIGHT = [says_one_and_zero, compares_one_by_one, works_in_numpy, works_with_tensors]
