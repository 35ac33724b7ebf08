"""The contract of an attack, held against every attack: what it returns, and that nothing else changes."""

import contextlib
import random
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from advcourse import attacks
from advcourse.attacks.geometry import distance
from advcourse.attacks.losses import fools
from tests.attacks.attack_table import NOT_ATTACKS, READY, ROWS, answers, images, network, problem

pytestmark = [
    pytest.mark.timeout(60),  # an attack that never ends fails here
    pytest.mark.filterwarnings("ignore:gradient masking"),
]
TARGETED = [row for row in READY if row.targeted and "targeted" in row.parameters]
every_attack = pytest.mark.parametrize("attack", READY, ids=lambda row: row.id)


def of_kind(*kinds):
    return pytest.mark.parametrize("attack", [row for row in READY if row.kind in kinds], ids=lambda row: row.id)


def having(parameter):
    return pytest.mark.parametrize("attack", [row for row in READY if parameter in row.parameters],
                                   ids=lambda row: row.id)


def assert_kept(attack, x_adv, x, eps=None, low=0, high=1):
    """The result has the form of x and lies in the box and in the ball, to the last bit."""
    assert x_adv.shape == x.shape and x_adv.dtype == x.dtype and x_adv.device == x.device
    assert not x_adv.requires_grad and x_adv.grad_fn is None and not x_adv.is_inference()
    assert x_adv.isfinite().all() and (x_adv >= low).all() and (x_adv <= high).all()
    if attack.kind == "budgeted":
        eps = attack.options["eps"] if eps is None else eps
        assert (distance(x_adv, x, attack.norm) <= eps).all(), (distance(x_adv, x, attack.norm) - eps).max()
        sizes = distance(x_adv, x, attack.norm).tolist()
        assert all(size <= eps for size in sizes), "eps as float32 is larger than eps"


class Spy(nn.Module):
    """Counts and keeps what the model is asked and what it answers."""

    def __init__(self, model):
        super().__init__()
        self.model, self.inputs, self.logits = model, [], []

    def forward(self, x):
        logits = self.model(x)
        self.inputs.append(x.detach().clone())
        self.logits.append(logits.detach().clone())
        return logits

    @property
    def count(self):
        return sum(map(len, self.inputs))


def test_every_attack_has_a_row_and_every_row_an_attack():
    assert {row.name for row in ROWS} == set(attacks.__all__) - NOT_ATTACKS


# What comes back

@every_attack
@pytest.mark.parametrize("count, shape", [(3, (1, 28, 28)), (1, (3, 32, 32)), (2, (2, 5, 7))], ids=str)
def test_images_of_any_shape(attack, shape, count):
    model, x, y = problem(count, shape)
    assert_kept(attack, attack(model, x, y), x)


@every_attack
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(data=st.data())
def test_images_of_any_shape_type_and_value(attack, data):
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(2, 9), st.integers(2, 9)))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    model, x, _ = problem(data.draw(st.integers(0, 3)), shape, dtype, seed=data.draw(st.integers(0, 99)))
    x = data.draw(st.sampled_from([x, torch.zeros_like(x), torch.ones_like(x), x.round(), x * 0 + 0.5]))
    y = torch.arange(len(x)) % 4  # wrong for many
    assert_kept(attack, attack(model, x, y), x)


@every_attack
def test_no_images_no_call(attack):
    def model(x):
        raise AssertionError("an empty batch needs no model")

    x = torch.rand(0, 1, 6, 6)
    x_adv = attack(model, x, torch.zeros(0, dtype=torch.int64))
    assert_kept(attack, x_adv, x)


@every_attack
@pytest.mark.parametrize("layout", ["strided", "transposed", "channels last", "expanded"])
def test_any_layout_in_memory(attack, layout):
    wide = images(4, (3, 6, 12))
    x = {
        "strided": wide[..., ::2], "transposed": wide[..., :6].transpose(2, 3),
        "expanded": wide[:1, :1, :, :6].expand(4, 3, 6, 6),
        "channels last": wide[..., :6].contiguous(memory_format=torch.channels_last),
    }[layout]
    model, kept = network((3, 6, 6)), x.clone()
    x_adv = attack(model, x, answers(model, x))
    assert_kept(attack, x_adv, x)
    assert torch.equal(x, kept)


@of_kind("budgeted")
@pytest.mark.parametrize("eps, dtype", [
    *((eps, torch.float32) for eps in (0, 1e-6, 0.3, 8 / 255, 40.0)), (0, torch.float64), (0.1, torch.float64)])
def test_balls_of_any_size(attack, eps, dtype):
    model, x, y = problem(dtype=dtype)
    x_adv = attack(model, x, y, eps=eps)
    assert_kept(attack, x_adv, x, eps)
    assert eps > 0 or torch.equal(x_adv, x)


@of_kind("minimum")
def test_images_already_wrong_come_back_unchanged(attack):
    model, x, y = problem(6)
    y[::2] = (y[::2] + 1) % 4
    x_adv = attack(model, x, y)
    assert torch.equal(x_adv[::2], x[::2])


@pytest.mark.parametrize("attack", [row for row in TARGETED if row.kind == "minimum"], ids=lambda row: row.id)
def test_images_already_at_the_target_come_back_unchanged(attack):
    model, x, y = problem(6)
    y[1::2] = (y[1::2] + 1) % 4
    x_adv = attack(model, x, y, targeted=True)
    assert torch.equal(x_adv[::2], x[::2])


@of_kind("minimum")
def test_where_it_fails_x_comes_back(attack):
    def stubborn(x):
        return 1e-3 * x.flatten(1)[:, :4] + torch.tensor([9.0, 0, 0, 0], dtype=x.dtype)

    x = images(3, (1, 6, 6))
    assert torch.equal(attack(stubborn, x, torch.zeros(3, dtype=torch.int64)), x)


@pytest.mark.parametrize("attack", [row for row in READY if row.best and row.norm], ids=lambda row: row.id)
def test_the_best_image_that_the_model_was_asked_about(attack):
    """If one of the images in the ball that the model saw fooled, the result does (minimum-norm: the nearest one)."""
    for seed in range(5):
        model, x, y = problem(1, seed=seed)
        spy = Spy(model)
        x_adv = attack(spy, x, y)
        seen, logits = torch.cat(spy.inputs), torch.cat(spy.logits)
        target = answers(model, x) if attack.name != "least_likely" else model(x).argmin(1)
        fooling = fools(logits, target.expand(len(seen)), targeted=attack.name == "least_likely")
        fooling &= ((seen >= 0) & (seen <= 1)).flatten(1).all(1)
        sizes = distance(seen, x, attack.norm)
        if attack.kind == "budgeted":
            fooling &= sizes <= attack.options["eps"]
        if attack.card.frequency == "iterative" and fooling.any():
            assert fools(model(x_adv), target, targeted=attack.name == "least_likely").all()
            if attack.kind == "minimum":
                assert distance(x_adv, x, attack.norm).item() <= sizes[fooling].min().item() * (1 + 1e-4) + 1e-6


@pytest.mark.parametrize("attack", TARGETED, ids=lambda row: row.id)
@pytest.mark.parametrize("wanted", range(4))
def test_targeted_reaches_the_target(attack, wanted):
    """On a linear model with four easy classes, and a budget that is large enough."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4, bias=False))
    with torch.no_grad():
        model[1].weight.copy_((torch.eye(4) - 0.25).repeat_interleave(4, 1))
    x = images(6, (1, 4, 4)) * 0.4 + 0.3
    y = torch.full((6,), wanted)
    more = {"eps": {"linf": 0.3, "l2": 1.2, "l1": 4.0}[attack.norm]} if attack.kind == "budgeted" else {}
    for name, plenty in (("queries", 2000), ("steps", 60), ("max_share", 1.0), ("pixels", 6), ("epochs", 60)):
        if name in attack.parameters:
            more[name] = plenty
    x_adv = attack(model, x, y, targeted=True, **more)
    assert (answers(model, x_adv) == wanted).all()


# Other ranges than that of images

RANGED = [row for row in READY if "low" in row.parameters]


def in_another_range(attack, low, high):
    """The options of the row in units of the range: a length grows with it, lbfgs's c is one over a squared length."""
    lengths = {"eps", "delta", "xi", "beta"} | ({"step_size"} if attack.name == "towards_image" else set())
    options = {name: attack.options.get(name, attack.parameters[name].default) * (high - low)
               for name in lengths & {*attack.parameters}}
    if attack.name == "lbfgs":
        options["initial_c"] = attack.parameters["initial_c"].default / (high - low) ** 2
    if "transform" in attack.options:
        inner = attack.options["transform"]
        options["transform"] = lambda z: inner((z - low) / (high - low)) * (high - low) + low
    return dict(options, low=low, high=high)


def test_only_what_needs_a_picture_is_without_a_range():
    assert {row.name for row in READY} - {row.name for row in RANGED} == {"spatial", "patch", "advgan"}


@pytest.mark.parametrize("attack", RANGED, ids=lambda row: row.id)
@pytest.mark.parametrize("low, high", [(-1, 1), (2, 6)], ids=str)
def test_in_another_range_it_is_the_same_attack(attack, low, high):
    """Whether the network takes x in [0, 1] or [low, high], which it maps to [0, 1]: the same images, mapped."""
    model, x, y = problem(8, (1, 12, 12), dtype=torch.float64, seed=5)
    plain = attack(model, x, y)
    mapped = attack(lambda z: model((z - low) / (high - low)), low + (high - low) * x, y,
                    **in_another_range(attack, low, high))
    back = (mapped - low) / (high - low)
    assert not torch.equal(plain, x)
    # Carlini and Wagner's Adam adds 1e-8 to lengths of any unit: the third digit of some pixels.
    assert torch.allclose(back, plain, atol=2e-3 if attack.name.startswith("cw") else 1e-5), (back - plain).abs().max()


@pytest.mark.parametrize("attack", RANGED, ids=lambda row: row.id)
@pytest.mark.parametrize("low, high", [(-1, 1), (-2.2, 2.7), (0.7, 1.6)], ids=str)
def test_no_range_is_left(attack, low, high):
    """Not even by a rounding: -2.2, 0.7, 1.6, 2.7 are no numbers of float32; the nearest ones are outside."""
    model, x, y = problem(6)
    x = (low + (high - low) * x).clamp(*torch.tensor([low, high]).tolist())
    options = in_another_range(attack, low, high)
    least, largest = torch.tensor([low, high]).tolist()
    x_adv = attack(model, x, y, **options)
    assert_kept(attack, x_adv, x, options.get("eps"), least, largest)


@pytest.mark.parametrize("attack", [row for row in RANGED if row.name not in ("di_fgsm", "ti_fgsm", "eot")],
                         ids=lambda row: row.id)
def test_a_waveform_is_as_good_as_an_image(attack):
    generator = torch.Generator().manual_seed(3)
    weights = torch.randn(4, 1, 9, generator=generator)
    x = (0.4 * torch.randn(3, 60, generator=generator)).clamp(-1, 1)

    def model(z):
        return nn.functional.conv1d(z[:, None], weights.to(z)).relu().mean(2) * 20

    x_adv = attack(model, x, answers(model, x), low=-1, high=1)
    assert_kept(attack, x_adv, x, low=-1)


@pytest.mark.parametrize("attack", RANGED, ids=lambda row: row.id)
def test_a_wrong_range_is_named(attack):
    model, x, y = problem(2)
    for low, high in ((1, 0), (0.5, 0.5), (float("nan"), 1), (0, float("inf")), ("0", 1), (False, True)):
        with pytest.raises(ValueError, match="low and high must be finite numbers, low below high"):
            attack(model, x, y, low=low, high=high)
    with pytest.raises(ValueError, match=r"must lie in \[-0\.5, 0\.5\]; got values from 0 to 1"):
        attack(model, x, y, low=-0.5, high=0.5)


# A radius for every value

VALUEWISE = [row for row in READY if row.name in ("pgd", "bim", "eot") and row.norm == "linf"]


@pytest.mark.parametrize("attack", VALUEWISE, ids=lambda row: row.id)
def test_a_radius_for_every_value(attack):
    model, x, y = problem(4)
    eps = attack.options["eps"]
    everywhere = attack(model, x, y, eps=torch.full_like(x, eps))
    assert torch.allclose(everywhere, attack(model, x, y), atol=1e-6)
    some = eps / 2 * torch.randint(3, x.shape, generator=torch.Generator().manual_seed(1))
    x_adv = attack(model, x, y, eps=some, step_size=eps)
    assert ((x_adv - x).abs() <= some).all() and not torch.equal(x_adv, x)
    each = torch.tensor([0, eps, 0, eps]).view(-1, 1, 1, 1)
    x_adv = attack(model, x, y, eps=each)
    assert torch.equal(x_adv[::2], x[::2]) and torch.equal(attack(model, x, y, eps=each.expand_as(x)), x_adv)
    assert ((x_adv - x)[1::2].abs() <= each[1::2]).all() and not torch.equal(x_adv[1::2], x[1::2])
    for wrong, said in ((torch.ones(3), "broadcast to x's shape"), (-some, "at least 0"), (some / 0, "finite")):
        with pytest.raises(ValueError, match=f"eps must be .*{said}"):
            attack(model, x, y, eps=wrong)
    with pytest.raises(ValueError, match="eps must be a finite number of at least 0; got a tensor"):
        attack(model, x, y, eps=some, norm="l2")


# What the result may depend on

@every_attack
def test_the_same_seed_gives_the_same_result(attack):
    model, x, y = problem()
    first = attack(model, x, y)
    torch.rand(3), np.random.rand(3), random.random()
    assert torch.equal(first, attack(model, x, y))


@having("generator")
def test_without_a_generator_the_result_repeats_and_another_device_is_refused(attack):
    model, x, y = problem()
    assert torch.equal(attack(model, x, y, generator=None), attack(model, x, y, generator=None))
    with pytest.raises(ValueError, match="generator"):
        attack(model, x, y, generator=3)


def sizes_of(attack, x_adv, x):
    return distance(x_adv, x, attack.norm or "l2")


@pytest.mark.parametrize("attack", [row for row in READY if row.alone and row.card.input == "non-random"],
                         ids=lambda row: row.id)
def test_an_image_does_not_depend_on_its_batch_or_its_place(attack):
    model, x, y = problem(5, dtype=torch.float64)
    together = attack(model, x, y)
    order = torch.tensor([3, 0, 4, 2, 1])
    moved = attack(model, x[order], y[order])
    alone = torch.cat([attack(model, x[i:i + 1], y[i:i + 1]) for i in range(5)])
    assert torch.allclose(sizes_of(attack, alone, x), sizes_of(attack, together, x), rtol=1e-3, atol=1e-6)
    assert torch.allclose(sizes_of(attack, moved, x[order]), sizes_of(attack, together, x)[order], rtol=1e-3, atol=1e-6)
    assert torch.equal(answers(model, alone), answers(model, together))


@every_attack
def test_a_constant_added_to_all_logits_changes_nothing(attack):
    model, x, y = problem(dtype=torch.float64)
    plain, shifted = (attack(called, x, y) for called in (model, lambda z: model(z) - 100))
    assert torch.allclose(sizes_of(attack, plain, x), sizes_of(attack, shifted, x), rtol=1e-2, atol=1e-4)
    assert torch.equal(answers(model, plain), answers(model, shifted))


@every_attack
@pytest.mark.parametrize("way", ["no_grad", "inference_mode", "frozen parameters", "compiled"])
def test_however_it_is_called(attack, way):
    model, x, y = problem()
    expected = attack(model, x, y)
    if way == "no_grad":
        with torch.no_grad():
            x_adv = attack(model, x, y)
    elif way == "inference_mode":
        with torch.inference_mode():
            x_adv = attack(model, x.clone(), y.clone())
            assert torch.is_inference_mode_enabled()
    elif way == "frozen parameters":
        x_adv = attack(model.requires_grad_(False), x, y)
        assert not any(parameter.requires_grad for parameter in model.parameters())
    else:
        x_adv = attack(torch.compile(model, backend="eager", dynamic=True), x, y)
        torch._dynamo.reset()
    assert_kept(attack, x_adv, x)
    assert torch.allclose(x_adv, expected, atol=1e-5)


# What must not change

def snapshot(model):
    return ([module.training for module in model.modules()],
            [parameter.requires_grad for parameter in model.parameters()],
            [parameter.grad if parameter.grad is None else parameter.grad.clone() for parameter in model.parameters()],
            {name: value.clone() for name, value in model.state_dict().items()})


def assert_unchanged(model, before):
    modes, needs, gradients, state = before
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == needs
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        assert parameter.grad is None if gradient is None else torch.equal(parameter.grad, gradient)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


@every_attack
@pytest.mark.parametrize("mode", ["eval", "train", "mixed"])
def test_nothing_else_changes(attack, mode):
    model, x, y = problem()
    expected = attack(model, x, y)
    model.train(mode != "eval")
    if mode == "mixed":
        model[1].eval()
        model[0].requires_grad_(False)
        model[6].weight.grad = torch.ones_like(model[6].weight)
    before, kept = snapshot(model), (x.clone(), y.clone())
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    x_adv = attack(model, x, y)
    assert_unchanged(model, before)
    assert torch.equal(x, kept[0]) and torch.equal(y, kept[1]) and not x.requires_grad
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all() and random.getstate() == states[2]
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert torch.equal(x_adv, expected), "a model in train mode is attacked in eval mode"


@every_attack
@pytest.mark.parametrize("call", [1, 2])
def test_nothing_else_changes_after_an_exception(attack, call):
    class Failing(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model, self.calls = model, 0

        def forward(self, x):
            self.calls += 1
            if self.calls == call:
                raise KeyboardInterrupt
            return self.model(x)

    model, x, y = problem()
    failing = Failing(model).train()
    before, state = snapshot(failing), torch.get_rng_state()
    with torch.no_grad():
        with contextlib.suppress(KeyboardInterrupt):
            attack(failing, x, y)
        assert not torch.is_grad_enabled()
    assert_unchanged(failing, before)
    assert torch.equal(state, torch.get_rng_state())


@every_attack
def test_a_result_is_a_copy_and_x_may_need_a_gradient(attack):
    model, x, y = problem()
    x_adv = attack(model, x.requires_grad_(), y)
    assert x_adv.data_ptr() != x.data_ptr() and x.grad is None and x.requires_grad
    assert_kept(attack, x_adv, x.detach())


# Models that misbehave

FIRST, LAST = torch.tensor([True, False, False, False]), torch.tensor([False, False, False, True])
MISBEHAVING = {
    "infinite logits": lambda model: lambda x: model(x).masked_fill(LAST, float("-inf")),
    "infinitely sure": lambda model: lambda x: model(x).masked_fill(FIRST, float("inf")),
    "no gradient": lambda model: lambda x: 0 * x.flatten(1)[:, :4] + torch.tensor([30.0, 0, 0, 0]),
    "saturated": lambda model: lambda x: (1e4 * model(x)).tanh(),
    "nan": lambda model: lambda x: model(x) * float("nan"),
    "nan at times": lambda model: lambda x: torch.where(
        x.flatten(1).mean(1, keepdim=True) > 0.5, model(x), float("nan") * model(x)),
    "huge": lambda model: lambda x: 1e30 * model(x),
    "in place": lambda model: nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True), *model),
}


@every_attack
@pytest.mark.parametrize("kind", MISBEHAVING)
def test_models_that_misbehave(attack, kind):
    model, x, _ = problem(3)
    x_adv = attack(MISBEHAVING[kind](model), x, torch.tensor([0, 1, 2]))
    assert_kept(attack, x_adv, x)
    if kind == "nan" and attack.kind == "minimum":
        assert torch.equal(x_adv, x)


@pytest.mark.parametrize("attack", [row for row in READY if row.name in ("fgsm", "bim", "mim", "pgd")],
                         ids=lambda row: row.id)
def test_a_gradient_of_zeros_is_named(attack):
    x = images(3, (1, 6, 6))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        attack(MISBEHAVING["no gradient"](None), x, torch.zeros(3, dtype=torch.int64))
    assert any("gradient masking" in str(warning.message) and "3 of 3" in str(warning.message) for warning in caught)


# Black boxes

class Sealed(torch.autograd.Function):
    """The identity, with a backward pass that fails the test."""

    @staticmethod
    def forward(ctx, logits):
        return logits.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise AssertionError("a black-box attack asked for a gradient")


@pytest.mark.parametrize("attack", [row for row in READY if row.black_box], ids=lambda row: row.id)
def test_black_boxes_never_touch_a_gradient(attack):
    model, x, y = problem()
    expected = attack(model, x, y)
    assert torch.equal(attack(lambda z: Sealed.apply(model(z)), x, y), expected)
    assert torch.equal(attack(lambda z: model(z.detach()).detach(), x, y), expected)


@pytest.mark.parametrize("attack", [row for row in READY if row.card.knowledge == "black box: labels"],
                         ids=lambda row: row.id)
def test_decision_based_attacks_need_only_the_answer(attack):
    model, x, y = problem()
    decided = attack(lambda z: nn.functional.one_hot(model(z).argmax(1), 4).to(z.dtype), x, y)
    assert torch.equal(decided, attack(model, x, y))


@having("queries")
@pytest.mark.parametrize("queries", [1, 2, 7, 50, 123])
@pytest.mark.parametrize("count", [1, 3])
def test_the_query_budget_is_obeyed_exactly(attack, queries, count):
    model, x, _y = problem(count)
    spy = Spy(lambda z: model(z) + torch.tensor([0.0, 0, 0, 50]))  # hard to fool: the budget is needed
    x_adv = attack(spy, x, torch.full((count,), 3), queries=queries)
    assert_kept(attack, x_adv, x)
    assert spy.count <= queries * count
    if count == 1:
        return
    spy.inputs.clear()
    attack(spy, x[:1], torch.tensor([3]), queries=queries)
    assert spy.count <= queries
