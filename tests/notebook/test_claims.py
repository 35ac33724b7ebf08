"""Claims, records and guesses: what people read, and what programs read."""

import json
from fractions import Fraction

import numpy as np
import pytest
import torch

from advcourse import notebook
from advcourse.notebook import claims


@pytest.fixture
def payloads(monkeypatch):
    """What is emitted, as (payload, text)."""
    emitted = []
    monkeypatch.setattr(claims, "emit", lambda payload, text, *more: emitted.append((payload, text)))
    return emitted


@pytest.mark.parametrize("value, holds", [(0.5, True), (0.4, True), (0.6, True), (0.39, False), (float("nan"), False)])
def test_a_claim_holds_inside_its_band(payloads, value, holds):
    notebook.claim("It is {value:.0%}.", value, 0.4, 0.6)
    payload, text = payloads[0]
    assert payload["holds"] is holds and payload["low"] == 0.4 and payload["sentence"] == "It is {value:.0%}."
    assert ("outside the expected band [0.4, 0.6]" in text) is not holds
    assert text.startswith("It is")


def test_a_band_upside_down_is_an_error():
    with pytest.raises(ValueError, match=r"low <= high; got low=1.0, high=0.0"):
        notebook.claim("{value}", 0.5, 1, 0)


def test_a_record_keeps_its_value(payloads):
    notebook.record("errors", {"fgsm": [0.1, 0.2]})
    assert payloads == [({"kind": "record", "name": "errors", "value": {"fgsm": [0.1, 0.2]}}, "recorded: errors")]


@pytest.mark.parametrize("value", [torch.tensor(0.5), torch.tensor(0.5, requires_grad=True), torch.tensor(1, dtype=int),
                                   np.float32(0.5), np.array(0.5), torch.tensor(0.5, dtype=torch.bfloat16), True])
def test_a_claim_takes_what_holds_one_number(payloads, value, recwarn):
    notebook.claim("It is {value:.0%}.", value, 0.4, 1)
    assert type(payloads[0][0]["value"]) is float and payloads[0][0]["holds"] and not recwarn


@pytest.mark.parametrize("value, kind", [("0.5", "a string"), (torch.rand(2), r"a tensor of shape \(2,\)"),
                                         (None, "None"), ([0.5], "a list of 1 number"), (1j, "a complex number")])
def test_what_is_not_one_number_is_no_claim_and_no_result(value, kind):
    with pytest.raises(TypeError, match=f"the value of a claim must be one number; got .*{kind}"):
        notebook.claim("{value}", value, 0, 1)
    with pytest.raises(TypeError, match=f"the result to compare a guess with must be one number; got .*{kind}"):
        notebook.compare_guess(50, value)


def test_a_record_keeps_tensors_and_numpys_numbers_as_json_has_them(payloads, recwarn):
    notebook.record("all", {"loss": torch.tensor(0.5, requires_grad=True), 3: (np.int64(2), np.float32(0.25)),
                            np.float64(0.5): torch.eye(2), torch.tensor(7): np.array([True]), "none": None})
    kept = payloads[0][0]["value"]
    assert kept == {"loss": 0.5, "3": [2, 0.25], "0.5": [[1, 0], [0, 1]], "7": [True], "none": None}
    assert json.loads(json.dumps(kept)) == kept and not recwarn


def test_what_a_record_cannot_keep_is_named_with_its_place(payloads):
    with pytest.raises(TypeError, match=r"numbers, strings, .*; errors\['fgsm'\]\[1\] is a value of type set"):
        notebook.record("errors", {"fgsm": [0.1, {0.2}]})
    assert payloads == []


@pytest.mark.parametrize("guess, said", [
    (30, "30"), (57.5, "57.5"), ("57%", "57"), ("57 %", "57"), (" 57,5 % ", "57.5"), ("about 57", "57"), ("~57%", "57"),
    (".5%", "0.5"), ("57.", "57"), ("57,500", "57.5"), ("−3", "-3"), ("5e1", "50"), ("> 90 percent", "90"),
    (np.float32(57), "57"), (torch.tensor(57), "57"), (torch.tensor(57.5, requires_grad=True), "57.5"),
    (Fraction(115, 2), "57.5"), ("57\u00a0%", "57")])
def test_a_guess_is_read_as_people_type_it(payloads, guess, said, recwarn):
    notebook.compare_guess(guess, 99.5)
    assert payloads[0][1] == f"You guessed {said} %; the result is 99.5 %." and not recwarn


@pytest.mark.parametrize("guess, said", [("1,000", "1000"), ("1 000 queries", "1000"), ("about 1'200", "1200"),
                                         ("2.5k", "2500"), ("1 k", "1000"), ("0,125", "0.125"), ("12,5", "12.5"),
                                         ("1,000.5", "1000.5")])
def test_a_guess_of_thousands(payloads, guess, said):
    notebook.compare_guess(guess, 1234.4, "queries")
    assert payloads[0][1] == f"You guessed {said} queries; the result is 1234 queries."


@pytest.mark.parametrize("guess", ["fifty", "", "50-60", "50–60 %", "between 50 and 60", "1/2", [57], (57, 5), {}, True,
                                   np.True_, float("nan"), "inf", 10**400, torch.rand(3), np.array([57.0]), print, 1j,
                                   "9" * 400, object()])
def test_a_guess_that_is_not_one_number_is_told_in_words(payloads, guess):
    notebook.compare_guess(guess, 99.5)
    text = payloads[0][1]
    assert text.startswith("The result is 99.5 %. Your guess, ") and len(text) < 200
    assert "is not one number in %: go back, write one such as 57.5, and run both cells again." in text


def test_percents_of_steps_are_no_guess(payloads):
    notebook.compare_guess("57%", 2.25, unit="steps")
    assert "Your guess, '57%', is not one number in steps" in payloads[0][1]


@pytest.mark.parametrize("guess, unit, asked", [(0.57, "%", True), ("0,57", "%", True), ("0.57 %", "%", False),
                                                (0.57, "steps", False), (0, "%", False), (1, "%", False)])
def test_a_guess_that_may_be_a_share_is_taken_at_its_word_and_asked_about(payloads, guess, unit, asked):
    notebook.compare_guess(guess, 60, unit)
    assert ("If you meant 57 %, write 57." in payloads[0][1]) is asked
    said = str(guess).rstrip(" %").replace(",", ".")
    assert payloads[0][1].startswith(f"You guessed {said} {unit}; the result is 60 {unit}.")


@pytest.mark.parametrize("guess", [..., None])
def test_an_open_guess_is_kindly_asked_for(payloads, guess):
    notebook.compare_guess(guess, torch.tensor(99.5))
    assert payloads[0] == ({"kind": "guess", "value": 99.5}, "The result is 99.5 %. You made no guess: go back, write "
                                                             "one down, and run both cells again.")
