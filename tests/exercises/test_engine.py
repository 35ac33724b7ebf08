"""What an attempt comes to: kinds of results, properties, gates, gradients, points, in words that name the mistake."""

import json
import math
import random
import subprocess
import sys
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
from torch import nn

from advcourse.exercises import Exercise, check, counted, engine, kinds, probes
from tests.exercises.simple import DOUBLE, KEEP, double, exercise, run


def test_a_right_function_passes_with_all_points(sample):
    verdict = engine.run(sample.one_step, sample.other_step)
    assert (verdict.state, verdict.points, verdict.messages) == ("passed", 5, [])
    assert list(verdict.outcomes) == list(sample.one_step.properties)


def test_check_returns_the_students_function_when_it_passes_else_the_reference(sample, capsys):
    assert check("99.1", sample.other_step) is sample.other_step
    assert check("99.1", sample.down).stands_for == check("99.1", ...).stands_for == "99.1"
    assert "Traceback" not in capsys.readouterr().out


def raise_plainly(x):
    raise NotImplementedError


@pytest.mark.parametrize("function", [raise_plainly, None, ...])
def test_an_open_exercise_is_not_attempted(function):
    verdict = run(function)
    assert (verdict.state, verdict.points, verdict.messages) == ("not attempted", 0, [])
    assert "raise NotImplementedError" in verdict.advice and 'hint("99.1")' in verdict.advice


def test_a_function_open_for_some_inputs_only_is_wrong():
    def half(x):
        if x.sum() > 5:
            raise NotImplementedError
        return 2 * x

    two = Exercise(**KEEP, reference=double,
                   probes=lambda generator: [{"x": torch.zeros(1)}, {"x": torch.full((1,), 9.0)}],
                   properties={"holds": lambda probe, result: None})
    verdict = engine.run(two, half)
    assert verdict.state == "wrong" and "for some inputs" in verdict.message


NUMBER = exercise(lambda x: 0.5, {"x": torch.ones(1)})
NUMBERS = exercise(lambda x: [0.5, 0.25], {"x": torch.ones(1)})
ROWS = exercise(lambda x: [[0.5, 0.25], [1.0, 0.0]], {"x": torch.ones(3)})
PAIR = exercise(lambda x: (x, "cat"), {"x": torch.ones(3)})
MASK = exercise(lambda x: x > 1, {"x": torch.ones(2)})
CLASSES = exercise(lambda x: x.argsort(), {"x": torch.ones(2)})
TRUTH = exercise(lambda x: {"a": True}, {"x": torch.ones(3)})
TEXTS = exercise(lambda x: ["a", "b"], {"x": torch.ones(3)})
TABLE = exercise(lambda x: {"a": 1.0}, {"x": torch.ones(3)})


@pytest.mark.parametrize("wanted, result, message", [
    (DOUBLE, None, "returns None, but a tensor of shape (2, 3) is wanted: does it end with `return …`?"),
    (DOUBLE, [1.0, 2.0], "returned a list of 2 numbers; a tensor of shape (2, 3) is wanted"),
    (DOUBLE, np.ones((3, 2)), "a NumPy array of shape (3, 2); a tensor of shape (2, 3) is wanted"),
    (DOUBLE, torch.ones(2, 4, 3).tolist(), "returned a list of lists, of shape (2, 4, 3); a tensor of shape (2, 3)"),
    (DOUBLE, torch.ones(2, 3).max(1), "returned all that `.max(…)` gives (take its `.values`, say); a tensor"),
    (DOUBLE, torch.ones(3, 2), "returned a tensor of shape (3, 2); a tensor of shape (2, 3) is wanted"),
    (DOUBLE, torch.ones(2, 3).bool(), "a tensor of torch.bool on cpu; one of torch.float32 on cpu is wanted"),
    (DOUBLE, print, "returned a function;"),
    (NUMBER, True, "returned True or False; a number is wanted"),
    (NUMBER, "0.5", "returned a string; a number is wanted"),
    (NUMBER, torch.ones(2), "returned a tensor of shape (2,); a number is wanted"),
    (NUMBERS, 0.5, "returned a number; a list of 2 numbers is wanted"),
    (NUMBERS, [0.5], "returned a list of 1 number; a list of 2 numbers is wanted"),
    (NUMBERS, [], "returned an empty list;"),
    (PAIR, (torch.ones(3), 1), "a tuple of 2: a tensor of shape (3,), a number; "
                               "a tuple of 2: a tensor of shape (3,), a string"),
    (DOUBLE, torch.ones(2, 3).to_sparse(), "dense) tensor of real numbers is wanted: `.to_dense()` makes one"),
    (DOUBLE, torch.ones(2, 3) + 1j, "a tensor of torch.complex64 on cpu; one of torch.float32 on cpu is wanted"),
    (DOUBLE, torch.ones(3) * 1j, "a tensor of complex numbers, of shape (3,); a tensor of shape (2, 3) is wanted"),
    (NUMBER, 1j, "returned a complex number; a number is wanted"),
    (MASK, torch.tensor([0, 2]), "one of torch.bool on cpu, whose entries are True or False"),
    (MASK, [0.0, 1.0], "a list of 2 numbers of torch.float32; one of torch.bool on cpu, whose entries"),
    (CLASSES, torch.tensor([1.0, 2.0]), "a tensor of torch.float32 on cpu; one of torch.int64 on cpu is wanted"),
    (TEXTS, ["a", 1], "returned a list of 2: a string, a number; a list of strings is wanted"),
    (TEXTS, {"a", "b"}, "returned a value of type set; a list of strings is wanted"),
    (TEXTS, "ab", "returned a string; a list of strings is wanted"),
    (TABLE, {"b": 1.0}, "a dict with the keys 'b'; a dict with the keys 'a' is wanted"),
])
def test_a_wrong_kind_of_result_is_named(wanted, result, message):
    verdict = run(lambda x: result, wanted)
    assert verdict.state == "wrong" and verdict.points == 0
    assert message in verdict.message


@pytest.mark.parametrize("wanted, result", [
    (NUMBER, torch.tensor(0.5)), (NUMBER, np.float32(0.5)), (NUMBER, 1), (NUMBERS, (0.5, torch.tensor(0.25))),
    (PAIR, [torch.ones(3, requires_grad=True), "dog"]), (TABLE, {"a": np.float64(2)}),
    (TABLE, Counter("a")), (TABLE, defaultdict(float, a=1.0)), (TABLE, {np.str_("a"): 1.0}),
    (DOUBLE, torch.ones(2, 3).requires_grad_()), (DOUBLE, torch.ones(2, 3).double()), (DOUBLE, np.ones((2, 3))),
    (DOUBLE, [[1, 2, 3], (4, 5, 6)]), (DOUBLE, [torch.ones(3), torch.ones(3)]), (NUMBERS, torch.tensor([1.0, 2.0])),
    (MASK, torch.tensor([0, 1])), (MASK, [1, 0]), (MASK, np.array([0, 1], "uint8")), (TRUTH, {"a": 1}),
    (TRUTH, {"a": np.int64(0)}), (CLASSES, torch.tensor([1, 2]).int()), (CLASSES, np.array([1, 2], "uint8")),
    (TEXTS, ("a", "b")), (TEXTS, ["a"]), (TEXTS, []), (TEXTS, np.array(["a", "b", "c"])),
    (ROWS, torch.ones(2, 2)), (ROWS, np.ones((2, 2))), (ROWS, [np.ones(2), torch.ones(2)]),
])
def test_harmless_differences_of_kind_are_accepted(wanted, result):
    assert run(lambda x: result, wanted).messages == []


def test_properties_get_plain_numbers_and_tensors_without_history():
    def seen_by_a_property(wanted, result):
        seen = []

        def look(probe, result):
            seen.append(result)

        run(lambda x: result, exercise(lambda x: wanted, {"x": torch.ones(1)}, look=look))
        return seen[0]

    assert isinstance(seen_by_a_property(0.5, torch.tensor(0.5)), float)
    assert not seen_by_a_property(torch.ones(1), torch.ones(1, requires_grad=True)).requires_grad


def test_a_property_that_stumbles_says_so_in_words():
    def crash(probe, result):
        raise IndexError("our own")

    verdict = run(double, exercise(double, {"x": torch.ones(2, 3)}, crash=crash))
    assert verdict.messages == ["this check cannot work with what your function returned, a tensor of shape (2, 3); "
                                "the course's own solution returns a tensor of shape (2, 3) here"]


@pytest.mark.parametrize("nothing", [torch.tensor([1, math.nan]), [1.0, math.nan], (torch.zeros(2), {"a": math.nan})])
def test_what_is_not_a_number_passes_no_check(nothing):
    def never_beyond(probe, result):
        return None  # as `result.max() > eps` is False for NaN
    usual = {torch.Tensor: torch.zeros(2), list: [1.0, 2.0], tuple: (torch.zeros(2), {"a": 1.0})}[type(nothing)]
    tried = exercise(lambda x: usual, {"x": torch.ones(1)}, holds=never_beyond)
    verdict = run(lambda x: nothing, tried)
    assert verdict.points == 0 and "NaN" in verdict.messages[0]
    # where it is wanted
    assert run(lambda x: nothing, exercise(lambda x: nothing, {"x": torch.ones(1)}, holds=never_beyond)).points == 4


def test_points_are_the_share_of_properties_that_hold_rounded_down():
    yes, no = (lambda probe, result: None), (lambda probe, result: "no")
    assert run(double, exercise(double, {"x": torch.ones(1)}, a=yes, b=yes, c=no)).points == 2  # 4 * 2 / 3
    assert run(double, exercise(double, {"x": torch.ones(1)}, a=no)).points == 0


def test_the_first_failing_probe_gives_the_message():
    def probes(generator):
        return [{"x": torch.tensor(value)} for value in (0.0, 1.0, 2.0)]

    counting = Exercise(**KEEP, reference=double, probes=probes,
                        properties={"small": lambda probe, result: f"at {probe['x']:.0f}" if result > 1 else None})
    assert engine.run(counting, double).messages == ["at 1"]


def test_calls_are_counted_once_though_a_function_is_called_twice():
    def asks(times):
        return lambda ask, x: [ask(x) for _ in range(times)][-1]

    counting = Exercise(**KEEP, reference=asks(1),
                        probes=lambda generator: [{"ask": counted.Counted(double), "x": torch.ones(5, 2)}],
                        properties={"asks once": lambda probe, result: None if probe["ask"](result) is not None
                                    and probe["ask"].calls == 1 else f"{probe['ask'].calls} {probe['ask'].rows}"})
    assert engine.run(counting, asks(1)).state == "passed"
    assert engine.run(counting, asks(3)).messages == ["3.0 15.0"]


def own_generator(x):
    return torch.rand(3, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("function", [
    lambda x: torch.zeros(3), own_generator, lambda x: torch.manual_seed(5) and torch.rand(3),
    lambda x: torch.from_numpy(np.random.default_rng(5).random(3, "float32")),
])
def test_what_is_random_draws_other_numbers_at_every_call(function):
    drawing = Exercise(**KEEP, draws=True, reference=lambda x: torch.rand(3), probes=lambda generator: [{"x": 1}] * 2,
                       properties={"below 1": lambda probe, result: None if (result < 1).all() else "above"})
    assert engine.run(drawing, lambda x: np.random.rand(3)).state == "passed"
    verdict = engine.run(drawing, function)
    [message] = verdict.messages
    assert verdict.points == 0 and "the same numbers at every call" in message


def test_what_takes_a_seed_repeats_itself():
    seeded = Exercise(**KEEP, reference=lambda seed: np.random.default_rng(seed).random(3),
                      probes=lambda generator: [{"seed": 1}, {"seed": 2}],
                      properties={"below 1": lambda probe, result: None if (result < 1).all() else "above"})
    assert engine.run(seeded, lambda seed: np.random.RandomState(seed).rand(3)).state == "passed"
    for function in (lambda seed: np.random.default_rng().random(3), lambda seed: np.random.rand(3)):
        verdict = engine.run(seeded, function)
        [message] = verdict.messages
        assert verdict.points == 0 and "a second call with the same `seed`" in message


def test_of_a_list_of_texts_every_one_counts():
    asks = counted.Counted(lambda texts: [len(text) > 2 for text in texts])
    with counted.counting({"is_spam": asks}):
        asks(["a", "bcd", "ef"]), asks(texts=("a",)), asks("abc"), asks(np.array(["ab", "c"]))
    assert (asks.calls * counted.TIMES, asks.rows * counted.TIMES) == (4, 7)


def test_calls_of_functions_in_a_list_are_counted_too():
    listed = [counted.Counted(double), counted.Counted(double)]
    with counted.counting({"attacks": listed, "x": torch.ones(3, 2)}):
        listed[1](torch.ones(3, 2))
    listed[1](torch.ones(3, 2))
    assert [(one.calls, one.rows) for one in listed] == [(0, 0), (1 / counted.TIMES, 3 / counted.TIMES)]


def test_a_probe_that_tells_formulas_apart_is_drawn():
    draws = iter([{"x": 2.0}, {"x": 0.5}, {"x": 1.0}, {"x": 3.0}])  # 2 · 2 = 2 + 2; 2 · 0.5 = 1; 1 + 2 = 3 · 1
    formulas = [lambda x: x + 2, lambda x: 3 * x]
    assert probes.telling_apart(lambda: next(draws), lambda x: 2 * x, formulas) == {"x": 3.0}
    with pytest.raises(RuntimeError, match="tells these formulas apart"):
        probes.telling_apart(lambda: {"x": 3.0}, lambda x: 2 * x, [lambda x: x + x])


LOSS = Exercise(**KEEP, reference=lambda model, x: model(x).square().mean(), differentiated_by="model",
                probes=lambda generator: [{"model": torch.nn.Sequential(torch.nn.Linear(2, 2)), "x": torch.ones(3, 2)}],
                properties={"is the mean square": lambda probe, result: None if torch.allclose(
                    result, probe["model"](probe["x"]).square().mean()) else "off"},
                cut_gradients={"half of it is cut off":
                               lambda model, x: (model(x) * model(x).detach()).mean()})


@pytest.mark.parametrize("loss, messages", [
    (LOSS.reference, []),
    (lambda model, x: model(x).square().mean().detach(), ["your loss has no gradient"]),
    (lambda model, x: model(x).square().mean().item(), ["cut it off with `.detach()`, `.item()`, `float(…)`"]),
    (lambda model, x: 1 + model(x).square().mean(), ["off"]),
    (lambda model, x: (model(x) * model(x).detach()).mean(), ["half of it is cut off"]),
    (lambda model, x: (model(x) * (0.3 * model(x) + 0.7 * model(x).detach())).mean(),
     ["the value of your loss is right"]),
    (lambda model, x: model(x).square().sum(), ["off", "the value of your loss is not"]),
    (lambda model, x: (model(x).sum().backward(), model(x).square().mean())[1], ["leaves a gradient in `model`"]),
])
def test_a_loss_is_judged_with_its_gradient(loss, messages):
    verdict = engine.run(LOSS, loss)
    assert len(verdict.messages) == len(messages)
    earned = 4 if not messages else 2 if messages[0].startswith("leaves") else 0  # of value and gradient, both or none
    assert verdict.points == earned
    assert all(part in message for part, message in zip(messages, verdict.messages, strict=True))


def test_a_list_of_losses_has_a_gradient_too():
    losses = Exercise(**KEEP, reference=lambda z: z.square().sum(1), differentiated_by="z",
                      probes=lambda generator: [{"z": torch.ones(3, 2)}], properties={"holds": lambda *_: None})
    assert engine.run(losses, lambda z: [row.square().sum() for row in z]).state == "passed"
    assert engine.run(losses, lambda z: [z[0].square().sum(), torch.tensor(2.0), z[2].square().sum()]).points == 0
    assert "no gradient" in engine.run(losses, lambda z: [2.0, 2.0, 2.0]).messages[0]


def test_gates_earn_nothing_and_nothing_is_earned_where_one_does_not_hold():
    def judged(gate, main, other):
        tried = Exercise(**KEEP, reference=double, probes=lambda generator: [{"x": torch.ones(1)}],
                         gates={"gate": lambda probe, result: gate},
                         properties={"main": lambda probe, result: main, "other": lambda probe, result: other})
        verdict = engine.run(tried, double)
        return verdict.state, verdict.points

    assert judged(None, None, None) == ("passed", 4) and judged("no", None, None) == ("wrong", 0)
    assert judged(None, "no", None) == ("wrong", 2) and judged(None, "no", "no") == ("wrong", 0)


def test_the_verdict_is_the_same_every_time_and_other_seeds_give_other_probes(sample):
    def noisy(model, x, y, eps):
        return x + eps * (torch.rand_like(x) + np.random.rand() + random.random())

    first = engine.run(sample.one_step, noisy)
    torch.manual_seed(7), np.random.seed(7), random.seed(7)
    assert engine.run(sample.one_step, noisy) == first
    assert engine.run(sample.one_step, noisy) != engine.run(sample.one_step, noisy, seed=1)
    first, second = (engine.make_probes(sample.one_step, seed)[0]["x"] for seed in (0, 2**40 + 1))
    assert not torch.equal(first, second)


def test_a_broken_reference_is_an_error_of_ours():
    def broken(x):
        raise ValueError("ours")

    with pytest.raises(RuntimeError, match=r"reference of exercise 99\.1"):
        run(double, exercise(broken, {"x": torch.ones(1)}))


def test_importing_the_exercises_imports_nothing_heavy():
    heavy = {"IPython", "matplotlib", "sklearn", "ipywidgets", "distributed"}
    code = ("import json, sys, advcourse.exercises, advcourse.exercises.properties;"
            f"print(json.dumps(sorted({heavy!r} & set(sys.modules))))")
    assert json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                     check=True).stdout) == []


CALLED = exercise(lambda x: nn.Sequential(nn.ReLU()), {"x": torch.ones(1)},
                  asks=lambda probe, result: None if result(probe["x"]) == 1 else "off")


@pytest.mark.parametrize("error", [SystemExit(3), NotImplementedError(), NotImplementedError("later"), GeneratorExit()])
def test_a_returned_model_that_raises_when_it_is_asked_ends_in_words(error):
    def returns_a_model(x):
        def model(x):
            raise error
        return model

    [message] = run(returns_a_model, CALLED).messages
    assert message.startswith(f"what your function returned raises `{type(error).__name__}")


def test_an_interrupt_while_judging_goes_through():
    def returns_a_model(x):
        def model(x):
            raise KeyboardInterrupt
        return model

    with pytest.raises(KeyboardInterrupt):
        run(returns_a_model, CALLED)


def test_a_network_with_a_hook_or_a_method_of_its_own_is_no_plain_one():
    for add in (lambda model: model[0].register_forward_hook(lambda *_: None),
                lambda model: setattr(model, "forward", lambda x: x)):
        network = nn.Sequential(nn.ReLU())
        assert kinds.is_plain_network(network)
        add(network)
        assert not kinds.is_plain_network(network)
