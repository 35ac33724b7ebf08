"""virtual_adversarial: the top eigenvector of the divergence's Hessian; on MNIST three times a random direction."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advcourse import data, zoo
from advcourse.attacks.virtual import divergence, virtual_adversarial


@pytest.fixture(scope="module")
def mnist():
    with data.time_limit(0):  # no download in a test
        return data.load("mnist", train=1, test=300)


def small_problem():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 4)).double()
    return model, torch.rand(6, 1, 4, 4, dtype=torch.float64) * 0.4 + 0.3


def test_it_is_the_top_eigenvector_of_the_hessian():
    """Against the Hessian of KL, computed by autograd twice over: an independent way to the same direction."""
    model, x = small_problem()
    d = virtual_adversarial(model, x, eps=1e-3, steps=60, xi=1e-4) - x
    for image, found in zip(x, d, strict=True):
        log_p = F.log_softmax(model(image[None]), 1).detach()

        def kl(r, image=image, log_p=log_p):
            return (log_p.exp() * (log_p - F.log_softmax(model((image.flatten() + r).view(1, 1, 4, 4)), 1))).sum()

        hessian = torch.autograd.functional.hessian(kl, torch.zeros(16, dtype=torch.float64))
        top = torch.linalg.eigh(hessian).eigenvectors[:, -1]
        assert F.cosine_similarity(found.flatten(), top, dim=0).abs() > 0.999
        assert found.norm().item() == pytest.approx(1e-3, rel=1e-6)


def test_the_divergence_is_torchs():
    torch.manual_seed(0)
    a, b = torch.randn(5, 7, dtype=torch.float64), torch.randn(5, 7, dtype=torch.float64)
    expected = F.kl_div(F.log_softmax(b, 1), F.log_softmax(a, 1), reduction="none", log_target=True).sum(1)
    assert torch.allclose(divergence(a, b), expected)


@pytest.mark.parametrize("name", ["mnist-softmax", "mnist-mlp", "mnist-cnn"])
@pytest.mark.parametrize("eps", [0.5, 1.5])
def test_on_mnist_at_least_three_times_the_divergence_of_a_random_direction(mnist, name, eps):
    model, x = zoo.load(name), mnist.x_test
    x_adv = virtual_adversarial(model, x, eps=eps)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(5))
    by_chance = (x + eps * noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)
    ours, random = (divergence(model(x), model(z)) for z in (x_adv, by_chance))
    assert ours.mean() >= 3 * random.mean()
    assert (ours >= 3 * random).double().mean() >= 0.95  # also where the model is sure to seven digits


def test_more_iterations_do_not_hurt_and_one_is_already_good(mnist):
    model, x = zoo.load("mnist-cnn"), mnist.x_test
    means = [divergence(model(x), model(virtual_adversarial(model, x, eps=1.0, steps=steps))).mean().item()
             for steps in (1, 5, 20)]
    assert means[0] >= 0.3 * means[2] and means[1] <= 1.05 * means[2]


def test_sure_of_itself_and_still_a_direction():
    """Where float32 has no probability other than 0 and 1 left, float64 still has."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).requires_grad_(False)
    x = torch.full((2, 1, 4, 4), 0.5)
    model[1].bias[0] += 30
    d = (virtual_adversarial(model, x, eps=0.1) - x).flatten(1)
    # One rival is e^30 away, another a little more: the direction lies in the plane of the two differences of weights.
    plane = torch.linalg.qr((model[1].weight[1:] - model[1].weight[0]).T).Q
    assert torch.allclose((d @ plane).norm(dim=1), d.norm(dim=1), rtol=1e-3)


def test_no_labels_and_labels_that_do_not_matter():
    model, x = small_problem()
    without = virtual_adversarial(model, x, eps=0.2)
    assert torch.equal(without, virtual_adversarial(model, x, torch.arange(6) % 4, eps=0.2))
    with pytest.raises(ValueError, match="labels"):
        virtual_adversarial(model, x, torch.full((6,), 9), eps=0.2)
    with pytest.raises(ValueError, match="xi"):
        virtual_adversarial(model, x, eps=0.2, xi=0)


def test_the_better_sign_is_taken():
    """Near the edge of the box one sign is clipped away: the other must be found."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)).double().requires_grad_(False)
    model[1].weight.copy_(torch.stack([torch.ones(16), -torch.ones(16)]))
    for x in (torch.zeros(3, 1, 4, 4, dtype=torch.float64), torch.ones(3, 1, 4, 4, dtype=torch.float64)):
        x_adv = virtual_adversarial(model, x, eps=0.5)
        assert torch.allclose((x_adv - x).flatten(1).norm(dim=1), torch.full((3,), 0.5, dtype=torch.float64), rtol=1e-6)
