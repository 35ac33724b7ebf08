"""The gradient attacks: closed forms on linear models, counts of passes, the strongest image kept, strength."""

from functools import partial

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import apgd, bim, contract, fgsm, least_likely, mim, pgd, ti_fgsm
from tests.attacks.counting import Counting

cross_entropy = partial(nn.functional.cross_entropy, reduction="none")
# the tiny network's ReLUs are all dead on a few images
pytestmark = pytest.mark.filterwarnings("ignore:gradient masking")


def network(dtype=torch.float32, dropout=False):
    torch.manual_seed(3)
    layers = [nn.Conv2d(1, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5)]
    return nn.Sequential(*layers, *([nn.Dropout(0.5)] if dropout else [])).to(dtype).eval()


def images(count=9, dtype=torch.float32):
    generator = torch.Generator().manual_seed(4)
    x = (torch.rand(count, 1, 8, 8, generator=generator) * 1.4 - 0.2).clamp(0, 1).to(dtype)
    return x, torch.randint(0, 5, (count,), generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("eps", [0, 0.003, 0.1, 0.3, 1.0])
def test_inside_the_ball_and_the_box_to_the_last_bit(dtype, eps):
    x, y = images(40, dtype)
    x_adv = fgsm(network(dtype), x, y, eps=eps)
    assert x_adv.dtype == dtype and x_adv.shape == x.shape and not x_adv.requires_grad
    assert (x_adv - x).abs().max() <= eps and x_adv.min() >= 0 and x_adv.max() <= 1


def test_on_a_linear_model_it_is_the_closed_form_and_no_other_step_is_better():
    x, _ = images()
    x = x * 0.4 + 0.3  # away from 0 and 1: nothing is clipped
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).requires_grad_(False)
    y = torch.zeros(len(x), dtype=torch.long)
    direction = (model[1].weight[1] - model[1].weight[0]).view(1, 1, 8, 8)
    assert torch.allclose(fgsm(model, x, y, eps=0.1), x + 0.1 * direction.sign())
    gained = (model(fgsm(model, x, y, eps=0.1)) - model(x)) @ torch.tensor([-1.0, 1.0])
    assert torch.allclose(gained, (0.1 * direction.abs().sum()).expand(len(x)), atol=1e-4)


def test_targeted_goes_down_the_loss_of_the_target():
    x, y = images()
    model = network()
    before, after = (nn.functional.cross_entropy(model(z), y) for z in (x, fgsm(model, x, y, eps=0.02, targeted=True)))
    assert after < before


def test_an_image_does_not_depend_on_its_batch():
    x, y = images()
    model = network()
    alone = torch.cat([fgsm(model, x[i:i + 1], y[i:i + 1], eps=0.1) for i in range(len(x))])
    assert torch.equal(alone, fgsm(model, x, y, eps=0.1))


def test_nothing_else_changes():
    x, y = images()
    model, kept = network(dropout=True), x.clone()
    state, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    with torch.no_grad():
        fgsm(model, x, y, eps=0.1)
    assert torch.equal(x, kept) and not x.requires_grad and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert torch.equal(random, torch.get_rng_state()) and not model.training


def test_no_images_no_error():
    x, y = images(0)
    assert fgsm(network(), x, y, eps=0.1).shape == (0, 1, 8, 8)


def test_bad_input_is_named():
    x, y = images()
    with pytest.raises(ValueError, match=r"eps must be a finite number of at least 0; got -0\.1"):
        fgsm(network(), x, y, eps=-0.1)
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]; got values from .* to 2"):
        fgsm(network(), 2 * x, y, eps=0.1)


# All five: closed forms, counts, and that the strongest image comes back

def linear(pixels=16, classes=2):
    torch.manual_seed(5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels, classes)).double().requires_grad_(False)
    return model, torch.rand(6, 1, 4, pixels // 4, generator=torch.Generator().manual_seed(6),
                             dtype=torch.float64) * 0.4 + 0.3


@pytest.mark.parametrize("attack", [fgsm, bim, mim, partial(pgd, step_size=0.2, steps=30)],
                         ids=["fgsm", "bim", "mim", "pgd"])
@pytest.mark.parametrize("norm, eps", [("linf", 0.1), ("l2", 0.2)])
def test_on_a_linear_model_of_two_classes_all_find_the_optimum(attack, norm, eps):
    model, x = linear()
    direction = (model[1].weight[1] - model[1].weight[0]).view(1, 1, 4, 4)
    best = x + eps * (direction.sign() if norm == "linf" else direction / direction.norm())
    x_adv = attack(model, x, torch.zeros(6, dtype=torch.int64), eps=eps, norm=norm)
    assert torch.allclose(x_adv, best, atol=1e-4 if norm == "l2" else 1e-9)


def test_pgd_in_l1_finds_the_optimum_of_a_linear_model_in_the_box():
    """In the l1 ball and the box the best is greedy: fill the pixel of largest weight to its bound, then the next."""
    model, x = linear()
    direction = (model[1].weight[1] - model[1].weight[0]).tolist()
    best = x.flatten(1).clone()
    for image in best:
        left = 1.5
        for i in sorted(range(16), key=lambda i: -abs(direction[i])):
            move = min(left, (1 - image[i]).item() if direction[i] > 0 else image[i].item())
            image[i] += move if direction[i] > 0 else -move
            left -= move
    x_adv = pgd(model, x, torch.zeros(6, dtype=torch.int64), eps=1.5, norm="l1", steps=100)
    reached, possible = ((z.flatten(1) - x.flatten(1)) @ torch.tensor(direction, dtype=torch.float64)
                         for z in (x_adv, best))
    assert (reached > 0.99 * possible).all() and (reached <= possible + 1e-9).all()


def test_least_likely_is_bim_towards_the_least_likely_class_whatever_y():
    x, y = images()
    model = network()
    target = model(x).argmin(1)
    assert torch.equal(least_likely(model, x, eps=0.1), bim(model, x, target, eps=0.1, targeted=True))
    assert torch.equal(least_likely(model, x, y, eps=0.1), least_likely(model, x, eps=0.1))
    before, after = (cross_entropy(model(z), target) for z in (x, least_likely(model, x, eps=0.1)))
    assert (after <= before).all() and (after < before).sum() >= 7


def test_n_steps_are_n_gradients_and_one_last_look():
    x, y = images(7)
    for attack, forwards, backwards in ((fgsm, 1, 1), (partial(fgsm, random_start=True), 1, 1), (bim, 11, 10),
                                        (mim, 11, 10), (least_likely, 12, 10),
                                        (partial(pgd, steps=5, restarts=3), 18, 15),
                                        (partial(pgd, steps=5, restarts=3, random_start=False), 6, 5)):
        counting = Counting(network())
        attack(counting, x, y, eps=0.01)
        assert (counting.forward_images, counting.backward_images) == (7 * forwards, 7 * backwards)


@pytest.mark.parametrize("attack", [fgsm, bim, mim, least_likely, pgd, partial(pgd, norm="l1", stop_when_fooled=True),
                                    apgd, ti_fgsm],
                         ids=["fgsm", "bim", "mim", "least_likely", "pgd", "pgd l1", "apgd", "ti_fgsm"])
def test_a_large_batch_passes_in_parts_and_gives_the_same(attack, monkeypatch):
    x, y = images(25, torch.float64)
    whole, parts = (Counting(network(torch.float64)) for _ in range(2))
    expected = attack(whole, x, y, eps=0.05)
    monkeypatch.setattr(contract, "PART", 10 * x[0].numel())
    x_adv = attack(parts, x, y, eps=0.05)
    assert torch.allclose(x_adv, expected, rtol=0, atol=1e-9)
    assert max(whole.sizes) == 25 and max(parts.sizes) <= 10
    assert (parts.forward_images, parts.backward_images) == (whole.forward_images, whole.backward_images)


def test_the_last_step_counts():
    """From the image itself one step of BIM is FGSM: it must not be thrown away unseen."""
    x, y = images()
    model = network()
    one = bim(model, x, y, eps=0.05, step_size=0.05, steps=1)
    better = cross_entropy(model(one), y) >= cross_entropy(model(x), y)
    moved = (one != x).flatten(1).any(1)
    assert better.all() and moved.any() and torch.allclose(one[moved], fgsm(model, x, y, eps=0.05)[moved], atol=1e-6)
    assert (one != x).flatten(1).any(1).sum() >= 7


def test_pgd_keeps_the_best_iterate_not_the_last():
    """Steps far too long jump about: every image of highest loss among those seen is kept."""
    x, y = images()
    losses = []

    def spying(z):
        logits = model(z)
        losses.append(cross_entropy(logits.detach(), y))
        return logits

    model = network()
    with torch.no_grad():
        y = model(x).argmax(1)
    x_adv = pgd(spying, x, y, eps=0.1, step_size=0.5, steps=9, restarts=2)
    final = cross_entropy(model(x_adv), y)
    assert torch.allclose(final, torch.stack(losses).amax(0), rtol=1e-4)
    assert (final > losses[-1] + 1e-3).any(), "the last iterate was not always the best, or this tests nothing"


def test_stop_when_fooled_stops():
    x, _ = images(30)
    model = network()
    y = model(x).argmax(1)
    strong, fast = Counting(model), Counting(model)
    x_strong = pgd(strong, x, y, eps=0.1, steps=20, restarts=2)
    x_fast = pgd(fast, x, y, eps=0.1, steps=20, restarts=2, stop_when_fooled=True)
    fooled = [(model(z).argmax(1) != y) for z in (x_strong, x_fast)]
    assert torch.equal(*fooled) and fooled[0].any() and not fooled[0].all()
    assert fast.backward_images < 0.8 * strong.backward_images and fast.sizes == sorted(fast.sizes, reverse=True)
    # All fooled at once: nothing is left for the later steps and restarts.
    counting = Counting(model)
    pgd(counting, x, (y + 1) % 5, eps=0.001, steps=20, restarts=3, stop_when_fooled=True)
    assert counting.backward_images == 30 and counting.forward_images == 30


def test_restarts_differ_and_more_of_them_are_never_worse():
    x, _ = images(20)
    model = network()
    y = model(x).argmax(1)
    one, five = (cross_entropy(model(pgd(model, x, y, eps=0.3, steps=2, restarts=n)), y) for n in (1, 5))
    assert (five >= one).all() and (five > one).sum() > 10


def test_momentum_is_the_papers_sum_with_each_images_own_norm():
    x, y = images(4, torch.float64)
    model = network(torch.float64)
    momentum, z, iterates = torch.zeros_like(x), x, []
    for _ in range(3):
        z = z.detach().requires_grad_()
        gradient, = torch.autograd.grad(nn.functional.cross_entropy(model(z), y, reduction="sum"), z)
        momentum = 0.7 * momentum + gradient / gradient.abs().sum((1, 2, 3), keepdim=True)
        z = torch.max(torch.min(z + 0.02 * momentum.sign(), x + 0.05), x - 0.05).clamp(0, 1).detach()
        iterates.append(z)
    x_adv = mim(model, x, y, eps=0.05, step_size=0.02, steps=3, decay=0.7)
    assert all(any(torch.allclose(x_adv[i], iterate[i], atol=1e-9) for iterate in [x, *iterates]) for i in range(4))
    assert sum(torch.allclose(x_adv[i], iterates[-1][i], atol=1e-9) for i in range(4)) >= 2
    with pytest.raises(ValueError, match="decay"):
        mim(model, x, y, eps=0.1, decay=-1)


def test_confident_models_are_attacked_where_float32_says_the_loss_is_zero():
    """Logits a hundred apart: F.cross_entropy is 0, its gradient lacks the true class; the attack finds its way."""
    torch.manual_seed(0)
    weight = torch.randn(2, 16)
    x = torch.full((1, 1, 4, 4), 0.5)
    scale = 60 / ((weight[0] - weight[1]) @ x.flatten()).abs()
    def model(z):
        return scale * z.flatten(1) @ weight.T
    y = model(x).argmax(1)
    assert nn.functional.cross_entropy(model(x), y) == 0
    direction = (weight[1 - y] - weight[y]).view_as(x).sign()
    assert torch.equal((fgsm(model, x, y, eps=0.1) - x).sign(), direction)


# On real digits

@pytest.fixture(scope="module")
def digits():
    loaded = data.load("mnist")
    return loaded.x_test[:200], loaded.y_test[:200]


def error(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) != y).double().mean().item()


def test_softmax_regression_falls_to_fgsm_and_not_to_random_signs(digits):
    """Goodfellow et al. 2015, section 5: 99.9 % error at eps = .25."""
    x, y = digits
    model = zoo.load("mnist-softmax")
    noise = torch.randint(0, 2, x.shape, generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    assert error(model, fgsm(model, x, y, eps=0.25), y) >= 0.99
    assert error(model, (x + 0.25 * noise).clamp(0, 1), y) <= 0.6


def test_more_steps_are_stronger_on_a_network(digits):
    x, y = digits
    model = zoo.load("mnist-cnn")
    errors = {attack.__name__: error(model, attack(model, x, y, eps=0.1), y) for attack in (fgsm, mim, bim)}
    errors["pgd"] = error(model, pgd(model, x, y, eps=0.1, steps=20), y)
    assert errors["fgsm"] + 0.15 < errors["mim"] and errors["mim"] <= errors["bim"] + 0.02
    assert errors["pgd"] >= errors["bim"] - 0.02 and errors["pgd"] >= 0.85
    assert error(model, pgd(model, x, y, eps=0.2, steps=20), y) >= 0.99
    for norm, eps, least in (("l2", 1.5, 0.8), ("l1", 10.0, 0.6)):
        assert error(model, pgd(model, x[:100], y[:100], eps=eps, norm=norm, steps=20), y[:100]) >= least


def test_targeted_pgd_reaches_targets_on_a_network(digits):
    x, y = digits
    model, target = zoo.load("mnist-cnn"), (y + 3) % 10
    assert 1 - error(model, pgd(model, x, target, eps=0.3, targeted=True), target) >= 0.95
