"""Every way in which a call of a student's function can go wrong ends in words, and harms nothing after it."""


import numpy as np
import pytest
import torch
from torch import nn

from advcourse.exercises import Exercise, check, engine, patches, sendable
from tests.exercises.simple import KEEP, double, exercise, run


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


def test_prints_of_the_student_are_let_through(sample, capsys):
    def speak(model, x, y, eps):
        print("hello from me")
        return sample.step(model, x, y, eps)

    check("99.1", speak)
    assert "hello from me" in capsys.readouterr().out


def replaces_a_loss(x):
    nn.functional.cross_entropy = nn.functional.mse_loss
    return 2 * x


def hides_a_method(x):
    torch.Tensor.sign = torch.Tensor.tanh
    return 2 * x


def changes_all_layers(x):
    nn.Linear.forward = lambda layer, x: x
    return 2 * x


def hooks_all_modules(x):
    nn.modules.module.register_module_forward_hook(lambda *_: None)
    return 2 * x


def replaces_and_raises(x):
    torch.clamp = torch.relu
    raise ValueError("broken")


@pytest.mark.parametrize("function, name", [
    (replaces_a_loss, "torch.nn.functional.cross_entropy"), (hides_a_method, "torch.Tensor.sign"),
    (changes_all_layers, "torch.nn.modules.linear.Linear.forward"), (replaces_and_raises, "broken"),
    (hooks_all_modules, "torch.nn.modules.module._global_forward_hooks"),
])
def test_what_a_function_changes_of_pytorch_is_named_and_put_back(function, name):
    before = [nn.functional.cross_entropy, torch.Tensor.sign, nn.Linear.forward, torch.clamp]
    verdict = run(function)
    assert verdict.points == 0 and name in verdict.message
    assert [nn.functional.cross_entropy, torch.Tensor.sign, nn.Linear.forward, torch.clamp] == before
    assert patches.undo() == [] and run(double).state == "passed"


def test_what_was_changed_before_harms_no_judging(monkeypatch):
    monkeypatch.setattr(torch, "clamp", torch.relu)
    clamps = exercise(lambda x: torch.clamp(x, 0, 1), {"x": torch.tensor([2.0])},
                      ends=lambda probe, result: None if result == 1 else "not clamped")
    assert run(lambda x: torch.clamp(x, 0, 1), clamps).state == "passed"


def test_what_pytorch_changes_of_itself_is_nobodys_fault():
    def trains(x):
        model = nn.Linear(3, 1)
        optimizer = torch.optim.Adam(model.parameters())
        model(x).sum().backward()
        optimizer.step()
        with torch.no_grad():
            return 2 * x

    assert run(trains).state == "passed"


class Refuses(nn.Module):
    def state_dict(self, *_, **__):
        raise SystemExit("no weights")


def test_a_network_that_raises_when_it_is_looked_at_gets_words():
    assert "SystemExit: no weights" in run(lambda x: Refuses()).message


def _raises(*_):
    raise ValueError("not to be looked at")


@pytest.mark.parametrize("kind", [list, tuple, dict])
@pytest.mark.parametrize("method", ["__iter__", "__len__", "__bool__", "__getitem__", "keys", "values"])
def test_a_container_that_raises_when_it_is_looked_at_gets_words(kind, method):
    raising = type("Mine", (kind,), {method: _raises})
    for result, words in ((raising(), "a value of type Mine"), ([raising()], "a list of 1: a value of type Mine"),
                          ({"x": raising()}, "a dict with the keys 'x'")):
        assert run(lambda x, result=result: result).message.startswith(f"your function returned {words}; ")


def test_a_model_that_was_made_to_raise_gets_words():
    def refuses(model, x):
        result, model.state_dict = model(x), Refuses().state_dict
        return result

    assert "SystemExit: no weights" in engine.run(READS, refuses).message


READS = exercise(lambda model, x: model(x), {"model": nn.Sequential(nn.Linear(3, 3)), "x": torch.ones(1, 3)})


def gives_a_method(model, x):
    model.forward = lambda x: x
    return model(x)


def takes_its_hook_away(model, x):
    hook = model[0].register_forward_hook(lambda *_: None)
    result = model(x)
    hook.remove()
    return result


@pytest.mark.parametrize("function", [
    lambda model, x: (model[0].register_forward_hook(lambda *_: None), model(x))[1],
    lambda model, x: (model.append(nn.Identity()), model(x))[1], gives_a_method,
])
def test_what_a_function_adds_to_a_model_is_named(function):
    assert "leaves something in `model`" in run(function, READS).messages[0]
    assert run(takes_its_hook_away, READS).state == "passed"


class Stop(BaseException):
    pass


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), Stop("halt")])
def test_what_is_no_exception_ends_in_words_too(error):
    def fail(x):
        raise error

    assert f"{type(error).__name__}" in run(fail).message


@pytest.mark.parametrize("size, refused", [(sendable.MOST_LAYERS, False), (sendable.MOST_LAYERS + 1, True)])
def test_a_network_that_a_grading_refuses_is_refused(size, refused):
    network = exercise(lambda x: nn.Sequential(nn.ReLU()), {"x": torch.ones(1)})
    message = run(lambda x: nn.Sequential(*[nn.ReLU() for _ in range(size)]), network).message
    assert message == (f"your function's result cannot be judged: {sendable.network_problem(size, 0)}" if refused
                       else "")


def test_a_tensor_that_a_grading_refuses_is_refused():
    assert "layout sparse_coo" in run(lambda x: (2 * x).to_sparse()).message


def test_a_default_device_is_set_for_the_call_alone():
    def elsewhere(x):
        torch.set_default_device("meta")
        return 2 * x

    assert run(elsewhere).state == "passed" and torch.ones(1).device.type == "cpu"


def test_no_random_number_of_a_student_is_one_of_a_probe():
    drawn = Exercise(**KEEP, reference=lambda x: x,
                     probes=lambda generator: [{"x": torch.rand(3, generator=generator)}],
                     properties={"holds": lambda probe, result: None if torch.equal(probe["x"], result) else "off"})
    for seed in range(5):
        assert engine.run(drawn, lambda x: torch.rand(3), seed).state == "wrong"
        assert engine.run(drawn, lambda x: x, seed).state == "passed"
