"""Every way in which a student's function can go wrong ends in words that name the mistake."""

import json
import math
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from advcourse.exercises import Exercise, check, counted, engine, probes

KEEP = dict(number="99.1", title="Test", points=4, minutes=1, hints=(("a?", "b"),) * 3)


def exercise(reference, probe, **properties):
    """An exercise with one probe; without properties, one that always holds."""
    properties = dict(properties.items()) or {"holds": lambda probe, result: None}
    return Exercise(**KEEP, reference=reference, probes=lambda generator: [probe], properties=properties)


def double(x):
    return 2 * x


DOUBLE = exercise(double, {"x": torch.ones(2, 3)})


def run(function, wanted=DOUBLE):
    return engine.run(wanted, function)


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


def test_torchs_own_not_implemented_error_is_a_mistake():
    verdict = run(lambda x: torch.nn.Module()(x))
    assert verdict.state == "wrong" and "NotImplementedError" in verdict.message


def test_an_exception_is_told_with_the_students_own_line():
    def divide(x):
        return helper(x) / nowhere  # noqa: F821 (what is told)

    def helper(x):
        return x

    verdict = run(divide)
    line = divide.__code__.co_firstlineno + 1
    assert verdict.state == "wrong" and verdict.points == 0
    assert verdict.message == ("your function raises `NameError: name 'nowhere' is not defined` "
                               f"in line {line}: `return helper(x) / nowhere  # noqa: F821 (what is told)`")


def test_the_line_is_the_students_even_under_a_decorator_and_inside_torch():
    @torch.no_grad()
    def multiply(x):
        return x @ x

    message = run(multiply).message
    assert "RuntimeError" in message and message.endswith("`return x @ x`")


@pytest.mark.parametrize("error", [SystemExit(3), RecursionError("deep"), AssertionError(), KeyError("x")])
def test_whatever_is_raised_is_turned_into_words(error):
    def fail(x):
        raise error

    assert type(error).__name__ in run(fail).message


def test_backticks_in_an_error_do_not_break_the_markup_of_the_message():
    def fail(x):
        raise ValueError("no `x` here")

    assert run(fail).message.count("`") == 4 and "no 'x' here" in run(fail).message


def test_an_interrupt_by_the_student_goes_through():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)


def test_addresses_do_not_enter_a_message():
    def fail(x):
        raise ValueError(f"bad {object()}")

    assert "0x…" in run(fail).message and run(fail) == run(fail)


@pytest.mark.parametrize("function, message", [
    (lambda y: y, "your function takes `(y)`; it must take `(x)`"),
    (lambda x, more: x, "your function takes `(x, more)`; it must take `(x)`"),
    (lambda: 1, "your function takes `()`"),
    (lambda x, /: x, "your function takes `(x, /)`; it must take `(x)`, by these names"),
    (torch.ones(3), "was given a tensor of shape (3,)"),
    ("double", "was given a string"),
])
def test_a_wrong_signature_is_named(function, message):
    verdict = run(function)
    assert verdict.state == "wrong" and message in verdict.message


def test_further_arguments_with_defaults_are_welcome():
    assert run(lambda x, factor=2: factor * x).state == "passed"


NUMBER = exercise(lambda x: 0.5, {"x": torch.ones(1)})
NUMBERS = exercise(lambda x: [0.5, 0.25], {"x": torch.ones(1)})
ROWS = exercise(lambda x: [[0.5, 0.25], [1.0, 0.0]], {"x": torch.ones(3)})
PAIR = exercise(lambda x: (x, "cat"), {"x": torch.ones(3)})
MASK = exercise(lambda x: x > 1, {"x": torch.ones(2)})
CLASSES = exercise(lambda x: x.argsort(), {"x": torch.ones(2)})
TRUTH = exercise(lambda x: {"a": True}, {"x": torch.ones(3)})
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
    (DOUBLE, torch.ones(2, 3).to_sparse(), "a sparse tensor (`.to_dense()` makes a common one of it); a tensor"),
    (DOUBLE, torch.ones(2, 3) + 1j, "a tensor of torch.complex64 on cpu; one of torch.float32 on cpu is wanted"),
    (DOUBLE, torch.ones(3) * 1j, "a tensor of complex numbers, of shape (3,); a tensor of shape (2, 3) is wanted"),
    (NUMBER, 1j, "returned a complex number; a number is wanted"),
    (MASK, torch.tensor([0, 2]), "one of torch.bool on cpu, whose entries are True or False"),
    (MASK, [0.0, 1.0], "a list of 2 numbers of torch.float32; one of torch.bool on cpu, whose entries"),
    (CLASSES, torch.tensor([1.0, 2.0]), "a tensor of torch.float32 on cpu; one of torch.int64 on cpu is wanted"),
    (TABLE, {"b": 1.0}, "a dict with the keys 'b'; a dict with the keys 'a' is wanted"),
])
def test_a_wrong_kind_of_result_is_named(wanted, result, message):
    verdict = run(lambda x: result, wanted)
    assert verdict.state == "wrong" and verdict.points == 0
    assert message in verdict.message


@pytest.mark.parametrize("wanted, result", [
    (NUMBER, torch.tensor(0.5)), (NUMBER, np.float32(0.5)), (NUMBER, 1), (NUMBERS, (0.5, torch.tensor(0.25))),
    (PAIR, [torch.ones(3, requires_grad=True), "dog"]), (TABLE, {"a": np.float64(2)}),
    (DOUBLE, torch.ones(2, 3).requires_grad_()), (DOUBLE, torch.ones(2, 3).double()), (DOUBLE, np.ones((2, 3))),
    (DOUBLE, [[1, 2, 3], (4, 5, 6)]), (DOUBLE, [torch.ones(3), torch.ones(3)]), (NUMBERS, torch.tensor([1.0, 2.0])),
    (MASK, torch.tensor([0, 1])), (MASK, [1, 0]), (MASK, np.array([0, 1], "uint8")), (TRUTH, {"a": 1}),
    (TRUTH, {"a": np.int64(0)}), (CLASSES, torch.tensor([1, 2]).int()), (CLASSES, np.array([1, 2], "uint8")),
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


def add_in_place(x):
    x += x
    return x


def train(model, x):
    with torch.no_grad():
        model[0].weight.zero_()
    return x


def test_changing_an_argument_in_place_is_named_and_costs_a_share():
    verdict = run(add_in_place)
    assert verdict.state == "wrong" and verdict.points == 2
    assert "changes `x` in place" in verdict.messages[0] and "`.clone()`" in verdict.messages[0]


def replace_data(images):
    images[0].data = images[0].data.double()
    return images[1]


def replace_entry(images):
    images[0] = None
    return images[1]


@pytest.mark.parametrize("function", [replace_data, replace_entry, lambda images: images.pop()])
def test_changes_inside_a_list_and_of_a_tensors_type_are_named_too(function):
    listed = exercise(lambda images: images[1], {"images": [torch.ones(2), torch.zeros(2)]})
    assert "changes `images` in place" in engine.run(listed, function).messages[0]


def steps_on_x_itself(x):
    x.requires_grad = True
    (2 * x).sum().backward()
    return x.detach() + x.grad


def leaves_a_gradient(x):
    x.requires_grad_()
    x.square().sum().backward()
    return 2 * x.detach().requires_grad_(False)


@pytest.mark.parametrize("function", [steps_on_x_itself, leaves_a_gradient])
def test_gradients_that_are_left_in_an_argument_are_a_change(function):
    assert "leaves a gradient in `x`" in run(function).messages[0]


def test_switching_requires_grad_of_an_argument_is_a_change():
    assert "switches `requires_grad` of `x`" in run(lambda x: 2 * x.requires_grad_()).messages[0]


def test_what_a_function_remembers_shows_when_it_is_called_again():
    calls = []

    def adds_up(x):
        calls.append(x)
        return 2 * x * len(calls)

    def breaks(x):
        if len(calls) > 3:
            raise ValueError("worn out")
        calls.append(x)
        return 2 * x

    doubles = exercise(double, {"x": torch.ones(2)}, doubles=lambda probe, result: None if result[0] == 2 else "off")
    assert engine.run(doubles, adds_up).messages == [
        "when it is called a second time on the same arguments: off"]
    calls.clear()
    calls.extend([0, 0, 0])
    message = engine.run(doubles, breaks).message
    assert message.startswith("when it is called a second time on the same arguments: your function raises `ValueError")


def test_calls_are_counted_once_though_a_function_is_called_twice():
    def asks(times):
        return lambda ask, x: [ask(x) for _ in range(times)][-1]

    counting = Exercise(**KEEP, reference=asks(1),
                        probes=lambda generator: [{"ask": counted.Counted(double), "x": torch.ones(5, 2)}],
                        properties={"asks once": lambda probe, result: None if probe["ask"](result) is not None
                                    and probe["ask"].calls == 1 else f"{probe['ask'].calls} {probe['ask'].rows}"})
    assert engine.run(counting, asks(1)).state == "passed"
    assert engine.run(counting, asks(3)).messages == ["3.0 15.0"]


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


def swallows_everything(x):
    while True:
        try:
            x = x + 1
        except:  # noqa: E722 (as students write it)
            x = 0


def swallows_in_c(x):
    while True:
        try:
            for _ in range(10**5):
                torch.ones(100, 100).sum()
        except:  # noqa: E722 (as students write it)
            continue


def loops(x):
    while True:
        x = x + 1


@pytest.mark.parametrize("function", [swallows_everything, swallows_in_c, lambda x: time.sleep(60), loops])
@pytest.mark.parametrize("in_thread", [False, True])
def test_a_function_that_never_ends_is_stopped_with_a_verdict(function, in_thread, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.3)
    if in_thread and function not in (swallows_everything, loops):
        return  # a thread cannot end one call into C
    with ThreadPoolExecutor() as pool:
        verdict = pool.submit(run, function).result(20) if in_thread else run(function)
    assert verdict.state == "wrong" and "did not come to an end within 0 s" in verdict.message
    assert run(double).state == "passed"


def test_what_was_returned_may_not_keep_the_judge_for_ever(monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.1)
    called = exercise(lambda x: double, {"x": torch.ones(1)},
                      asks=lambda probe, result: None if result(probe["x"]) == 2 else "off")
    assert engine.run(called, lambda x: loops).message.startswith("what your function returned could not be judged")
    assert engine.run(called, lambda x: double).state == "passed"


def test_a_timer_that_runs_already_goes_on(monkeypatch):
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    kept = signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        assert run(double).state == "passed"
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.2
        time.sleep(0.3)
        assert rung == [True]
    finally:
        signal.setitimer(signal.ITIMER_REAL, *kept)
        signal.signal(signal.SIGALRM, before)


def test_a_result_too_strange_to_copy_ends_in_words_too():
    endless = []
    endless.append(endless)
    assert "RecursionError" in run(lambda x: endless).message


def leaves_gradients_in_the_model(model, x):
    model(x).sum().backward()
    return model(x)


def test_changing_the_model_is_named_and_leaves_ours_as_it_was():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3))
    weight = model[0].weight.detach().clone()
    reading = exercise(lambda model, x: model(x), {"model": model, "x": torch.ones(1, 3)})
    verdict = engine.run(reading, train)
    assert verdict.messages == ["your function changes the weights of `model`: it may only read them"]
    assert torch.equal(model[0].weight, weight)
    assert "between training and evaluation" in engine.run(reading, lambda model, x: model.eval()(x)).messages[0]
    frozen = engine.run(reading, lambda model, x: model.requires_grad_(False)(x))
    assert "`requires_grad` of `model`" in frozen.messages[0]
    assert engine.run(reading, leaves_gradients_in_the_model).state == "passed"
    assert model.training and model[0].weight.requires_grad


def test_properties_see_the_arguments_as_they_were_before_the_call():
    seen = []
    run(add_in_place, exercise(double, {"x": torch.ones(1)}, look=lambda probe, result: seen.append(probe["x"].item())))
    assert seen == [1.0]


def test_a_result_buffer_used_again_does_not_blur_the_results():
    buffer = torch.zeros(1)

    def reuse(x):
        return buffer.copy_(2 * x)

    two = Exercise(**KEEP, reference=double, probes=lambda generator: [{"x": torch.ones(1)}, {"x": torch.zeros(1)}],
                   properties={"doubles": lambda probe, result: None if result == 2 * probe["x"] else "off"})
    assert engine.run(two, reuse).state == "passed"


def test_a_generator_argument_is_left_in_its_state_for_the_properties():
    def noise(generator):
        return torch.rand(2, generator=generator)

    def is_its_noise(probe, result):
        return None if torch.equal(result, torch.rand(2, generator=probe["generator"])) else "other noise"

    drawn = Exercise(**KEEP, reference=noise, probes=lambda generator: [{"generator": generator}],
                     properties={"draws from the generator": is_its_noise})
    assert engine.run(drawn, noise).state == "passed"
    assert engine.run(drawn, lambda generator: torch.zeros(2)).messages == ["other noise"]


def test_the_global_random_state_and_gradient_mode_are_left_alone(sample):
    torch.manual_seed(5), np.random.seed(5)
    wanted = torch.rand(1), np.random.rand()
    torch.manual_seed(5), np.random.seed(5)
    with torch.no_grad():
        assert engine.run(sample.one_step, sample.other_step).state == "passed"
        assert not torch.is_grad_enabled()
    assert (torch.rand(1), np.random.rand()) == wanted


def test_a_student_who_switches_gradients_off_does_not_break_the_check(sample):
    def switch_off(model, x, y, eps):
        result = sample.step(model, x, y, eps)
        torch.set_grad_enabled(False)
        return result

    assert engine.run(sample.one_step, switch_off).state == "passed" and torch.is_grad_enabled()


def test_a_student_who_sets_another_dtype_sets_it_for_the_call_alone(sample):
    def doubled(model, x, y, eps):
        torch.set_default_dtype(torch.float64)
        return sample.step(model, x, y, eps)

    assert engine.run(sample.one_step, doubled).state == "passed" and torch.get_default_dtype() == torch.float32


def test_the_verdict_is_the_same_every_time_and_other_seeds_give_other_probes(sample):
    def noisy(model, x, y, eps):
        return x + eps * (torch.rand_like(x) + np.random.rand() + random.random())

    first = engine.run(sample.one_step, noisy)
    torch.manual_seed(7), np.random.seed(7), random.seed(7)
    assert engine.run(sample.one_step, noisy) == first
    assert engine.run(sample.one_step, noisy) != engine.run(sample.one_step, noisy, seed=1)
    first, second = (engine.make_probes(sample.one_step, seed)[0]["x"] for seed in (0, 2**40 + 1))
    assert not torch.equal(first, second)


def test_prints_of_the_student_are_let_through(sample, capsys):
    def speak(model, x, y, eps):
        print("hello from me")
        return sample.step(model, x, y, eps)

    check("99.1", speak)
    assert "hello from me" in capsys.readouterr().out


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
