"""Attacks for other models: what each reduces to, its formula written out, and that it carries over."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advcourse import evaluate
from advcourse.attacks import bim, di_fgsm, ensemble, fgsm, mim, ti_fgsm
from advcourse.attacks.transfer import Fused, blur, random_view
from tests.attacks.attack_table import images, network

pytestmark = pytest.mark.filterwarnings("ignore:gradient masking")


def problem(count=6):
    model, x = network((1, 8, 8), torch.float64), images(count, (1, 8, 8), torch.float64)
    return model, x, model(x).argmax(1).detach()


@pytest.mark.parametrize("norm, eps", [("linf", 0.1), ("l2", 0.6)])
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_without_their_idea_they_are_mim(norm, eps, targeted, decay):
    model, x, y = problem()
    y = (y + 1) % 4 if targeted else y
    wanted = mim(model, x, y, eps=eps, norm=norm, steps=4, decay=decay, targeted=targeted)
    same = dict(eps=eps, norm=norm, steps=4, decay=decay, targeted=targeted)
    assert torch.equal(ti_fgsm(model, x, y, kernel=1, **same), wanted)
    assert torch.equal(di_fgsm(model, x, y, probability=0.0, **same), wanted)
    assert torch.allclose(ensemble([model], x, y, **same), wanted)
    assert torch.allclose(ensemble(model, x, y, **same), wanted)


def test_with_their_idea_they_are_not():
    model, x, y = problem()
    plain = mim(model, x, y, eps=0.1, steps=4)
    for attack in (partial(ti_fgsm, model), partial(di_fgsm, model),
                   partial(ensemble, [model, network((1, 8, 8), torch.float64, seed=5)])):
        assert not torch.equal(attack(x, y, eps=0.1, steps=4), plain)


# Views and blurs

def test_a_view_is_the_image_shrunk_and_moved_on_black():
    x = torch.ones(3, 2, 20, 12, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    places = set()
    for _ in range(30):
        view = random_view(x, 1.0, 0.5, generator).round(decimals=9)
        assert view.shape == x.shape and ((view == 0) | (view == 1)).all() and torch.equal(view[0, 0], view[2, 1])
        rows, columns = (view[0, 0].amax(axis) > 0 for axis in (1, 0))
        assert 10 <= rows.sum() <= 20 and 6 <= columns.sum() <= 12
        assert view[0, 0].sum() == rows.sum() * columns.sum(), "one rectangle"
        places.add((rows.nonzero()[0].item(), columns.nonzero()[0].item(), rows.sum().item()))
    assert len(places) > 15
    assert random_view(x, 0.0, 0.5, generator) is x
    assert sum(random_view(x, 0.3, 0.5, generator) is x for _ in range(200)) in range(110, 170)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_a_blur_is_the_convolution_with_a_gaussian_of_sum_one(kernel):
    gradient = torch.zeros(1, 2, 15, 15, dtype=torch.float64)
    gradient[0, 0, 7, 7], gradient[0, 1, 0, 0] = 1, 1
    blurred = blur(gradient, kernel)
    axis = torch.linspace(-3, 3, kernel, dtype=torch.float64) if kernel > 1 else torch.zeros(1, dtype=torch.float64)
    wanted = torch.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / 2)
    half = kernel // 2
    assert torch.allclose(blurred[0, 0, 7 - half:8 + half, 7 - half:8 + half], wanted / wanted.sum())
    assert blurred[0, 0].sum().item() == pytest.approx(1) and (kernel == 1 or blurred[0, 1].sum() < 1)


def test_the_blurred_gradient_is_the_mean_gradient_over_shifts():
    """Dong et al., equation 6, on a linear model, where it is exact: Σ W_ij ∇J(shifted by i, j), moved back."""
    torch.manual_seed(0)
    weight = torch.zeros(1, 1, 9, 9)
    weight[..., 3:6, 3:6] = torch.randn(3, 3)
    axis = torch.linspace(-3, 3, 3)
    gaussian = torch.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / 2)
    gaussian /= gaussian.sum()
    mean = sum(gaussian[i, j] * weight.roll((i - 1, j - 1), (2, 3)) for i in range(3) for j in range(3))
    assert torch.allclose(blur(weight, 3), mean, atol=1e-6)


# Fused models

@pytest.mark.parametrize("weights", [None, [0.2, 0.8]])
def test_fused_models_are_the_formulas_written_out(weights):
    models, x = [network((1, 8, 8), seed=seed) for seed in (1, 5)], images(5, (1, 8, 8))
    w = weights or [0.5, 0.5]
    logits = [model(x) for model in models]
    probabilities = sum(a * z.softmax(1) for a, z in zip(w, logits, strict=True))
    assert torch.allclose(Fused(models, weights)(x).softmax(1), probabilities, atol=1e-6)
    mean = sum(a * z for a, z in zip(w, logits, strict=True))
    assert torch.allclose(Fused(models, weights, "logits")(x), mean, atol=1e-6)
    y = torch.arange(5) % 4
    losses = sum(a * F.cross_entropy(z, y, reduction="none") for a, z in zip(w, logits, strict=True))
    of_losses = Fused(models, weights, "losses")(x)
    assert torch.allclose(-of_losses.gather(1, y[:, None])[:, 0], losses, atol=1e-5)


def test_fused_models_are_exact_where_probabilities_underflow():
    def sure(x):
        return torch.tensor([[1000.0, 0.0]]).expand(len(x), 2)
    assert torch.allclose(Fused([sure, sure])(torch.zeros(1, 1, 2, 2)), torch.tensor([[0.0, -1000.0]]))


def test_every_member_is_attacked_in_eval_mode_and_left_as_it_was():
    first, second = network((1, 8, 8)).train(), network((1, 8, 8), seed=5)
    x = images(4, (1, 8, 8))
    y = torch.arange(4)
    expected = ensemble([network((1, 8, 8)), second], x, y, eps=0.1, steps=3)
    assert torch.equal(ensemble([first, lambda z: second(z)], x, y, eps=0.1, steps=3), expected)
    assert first.training and all(p.requires_grad and p.grad is None for p in first.parameters())


def test_wrong_arguments_are_named():
    model, x, y = problem()
    for call, words in ((lambda: ti_fgsm(model, x, y, eps=0.1, kernel=4), "kernel must be an odd integer.*4"),
                        (lambda: di_fgsm(model, x, y, eps=0.1, probability=1.2), "probability must lie in.*1.2"),
                        (lambda: di_fgsm(model, x, y, eps=0.1, smallest=0), "smallest must lie in.*0"),
                        (lambda: ensemble([], x, y, eps=0.1), "a list of at least one model"),
                        (lambda: ensemble([model], x, y, eps=0.1, weights=[1, 2]), "weights must be one number above 0 "
                                                                                   "for each of the 1"),
                        (lambda: ensemble([model], x, y, eps=0.1, fuse="votes"), "fuse must be.*'votes'"),
                        (lambda: di_fgsm(model, x.flatten(1), y, eps=0.1), "channels, height, width")):
        with pytest.raises(ValueError, match=words):
            call()


# Strength

@pytest.fixture(scope="module")
def family():
    """Five small networks on disjoint subsets of letters, and test images."""
    from advcourse import data, models, training
    from advcourse.training import families

    letters = data.load("fonts", train=4000, test=200)
    networks = []
    for seed in range(5):
        with training.seeded(seed):
            networks.append(models.mlp())
    families.fit_together(networks, *families.disjoint(letters.x_train, letters.y_train, 5, 600), epochs=15)
    return networks, letters.x_test, letters.y_test


def test_an_ensemble_carries_over_better_than_each_of_its_members(family):
    (*known, unseen), x, y = family
    alone = [1 - evaluate.accuracy(unseen, mim(model, x, y, eps=0.08), y) for model in known]
    together = 1 - evaluate.accuracy(unseen, ensemble(known, x, y, eps=0.08), y)
    assert together > max(alone) + 0.03
    goal = (y + 1) % 10
    def reached(x_adv):
        return evaluate.accuracy(unseen, x_adv, goal)
    one = max(reached(mim(model, x, goal, eps=0.15, targeted=True)) for model in known)
    assert reached(ensemble(known, x, goal, eps=0.15, targeted=True)) > one + 0.03


@pytest.mark.parametrize("attack", [partial(di_fgsm, smallest=0.8), ti_fgsm], ids=["diverse", "blurred"])
def test_in_the_white_box_they_still_fool(family, attack):
    (model, *_), x, y = family
    assert evaluate.accuracy(model, attack(model, x, y, eps=0.15), y) < 0.1 < 0.8 < evaluate.accuracy(model, x, y)


def test_it_is_stronger_than_one_step_in_the_white_box(family):
    (model, *_), x, y = family

    def loss(x_adv):
        return F.cross_entropy(model(x_adv), y)

    assert loss(di_fgsm(model, x, y, eps=0.05)) > loss(x)
    assert loss(bim(model, x, y, eps=0.05)) > loss(fgsm(model, x, y, eps=0.05))
    assert isinstance(Fused([model]), nn.Module)
