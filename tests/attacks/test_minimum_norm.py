"""DeepFool and FMN find the exact projection on linear models, and short distances on MNIST."""

from functools import partial

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import geometry, losses
from advcourse.attacks.gradient import fgsm
from advcourse.attacks.line_search import to_boundary
from advcourse.attacks.minimum_norm import FMN_SETTINGS, _restore, _to_radius, deepfool, fmn
from tests.attacks.counting import Counting


def linear(classes=6, pixels=25, dtype=torch.float64, seed=0):
    """(model, x, y): a linear model with the nearest boundaries inside of the box, and images in the middle of it."""
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels, classes)).to(dtype).requires_grad_(False)
    model[1].weight.copy_(torch.randn(classes, pixels, generator=generator))
    model[1].bias.copy_(torch.randn(classes, generator=generator) * 0.1)
    x = (torch.rand(40, 1, 5, 5, generator=generator, dtype=dtype) * 0.1 + 0.45)
    return model, x, model(x).argmax(1)


def exact_distances(model, x, y, norm):
    """The smallest |z_y − z_k| / ‖w_y − w_k‖_q over the other classes: Hölder's inequality, a formula and no attack."""
    z, w = model(x), model[1].weight
    gaps = z.gather(1, y[:, None]) - z
    order = {"l2": 2, "linf": 1, "l1": float("inf")}[norm]  # of the dual norm
    steepness = torch.linalg.vector_norm(w[y][:, None] - w[None], order, dim=2)
    return (gaps / steepness).scatter(1, y[:, None], float("inf")).amin(1)


@pytest.fixture(scope="module")
def mnist():
    loaded = data.load("mnist")
    return loaded.x_test[:60], loaded.y_test[:60]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("attack, norm", [(deepfool, "l2"), (deepfool, "linf"), (fmn, "l2"), (fmn, "linf")])
def test_exact_projection_on_a_linear_model(attack, norm, dtype):
    model, x, y = linear(dtype=dtype)
    exact = exact_distances(model, x, y, norm)
    inside = exact < {"l2": 0.4, "linf": 0.4}[norm]
    assert inside.sum() >= 35
    x_adv = attack(model, x, y, norm=norm)
    assert (model(x_adv).argmax(1) != y).all()
    found = geometry.distance(x_adv, x, norm)
    # In float32 a boundary is only known to the rounding of the logits.
    allowed = 1e-4 * exact + (1e-5 if dtype == torch.float32 else 0)
    assert ((found - exact).abs() <= allowed)[inside].all(), ((found - exact) / exact)[inside].abs().max()


def test_fmn_l1_and_l0_on_a_linear_model():
    model, x, y = linear()
    exact = exact_distances(model, x, y, "l1")
    inside = exact < 0.35  # one pixel can do it
    x_adv = fmn(model, x, y, norm="l1", steps=100)
    assert (geometry.distance(x_adv, x, "l1")[inside] <= 1.02 * exact[inside]).all()
    x_adv = fmn(model, x, y, norm="l0", steps=100)
    assert (model(x_adv).argmax(1) != y).all()
    assert (geometry.distance(x_adv, x, "l0")[inside] == 1).float().mean() >= 0.8


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_targeted_fmn_finds_the_distance_to_the_target_between_two_classes(norm):
    model, x, y = linear(classes=2)
    x_adv = fmn(model, x, 1 - y, norm=norm, targeted=True)
    assert (model(x_adv).argmax(1) == 1 - y).all()
    assert torch.allclose(geometry.distance(x_adv, x, norm), exact_distances(model, x, y, norm), rtol=1e-4)


@pytest.mark.parametrize("attack", [deepfool, fmn])
def test_where_the_box_blocks_the_straight_way_another_is_found(attack):
    # The boundary needs a sum of 2 of four pixels; two of them are white already and cannot rise.
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).requires_grad_(False)
    model[1].weight.copy_(torch.tensor([[0.0] * 4, [1.0] * 4]))
    model[1].bias.copy_(torch.tensor([0.0, -3.5]))
    x = torch.tensor([[[[1.0, 1.0], [0.5, 0.5]]]])
    x_adv = attack(model, x, torch.tensor([0]))
    assert torch.allclose(x_adv.flatten(), torch.tensor([1, 1, 0.75, 0.75]), atol=1e-3)


@pytest.mark.parametrize("attack", [deepfool, fmn])
def test_wrong_images_come_back_unchanged_and_cost_one_forward_pass(attack):
    model, x, y = linear()
    calls = []

    def counted(images):
        calls.append(len(images))
        return model(images)

    assert torch.equal(attack(counted, x, (y + 1) % 6), x)
    assert calls == [len(x)]


def test_the_walk_back_never_moves_away_and_keeps_the_confidence():
    model, x, y = linear()
    x_adv = torch.rand(x.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    found = losses.margin(model(x_adv), y) < -0.3
    closer = to_boundary(model, x, y, x_adv=x_adv, found=found, box=geometry.UNIT,
                         shortfall=partial(losses.shortfall, confidence=0.3))
    assert 5 <= found.sum() < len(x) and torch.equal(closer[~found], x_adv[~found])
    assert (losses.margin(model(closer), y)[found] <= -0.3).all()
    assert (geometry.distance(closer, x, "l2")[found] <= geometry.distance(x_adv, x, "l2")[found]).all()
    # On a linear model the walk ends where the margin is -0.3.
    reached = losses.margin(model(closer), y)[found]
    assert (reached >= -0.3001).all(), reached.min()


def test_projection_onto_ball_and_box_is_the_nearest_point():
    """Against a solver of the same problem. In l2 eight rounds of scaling and clipping come within a percent of it."""
    from scipy.optimize import minimize

    generator = torch.Generator().manual_seed(2)
    x = torch.rand(6, 8, generator=generator, dtype=torch.float64)
    delta = torch.randn(6, 8, generator=generator, dtype=torch.float64)
    eps = torch.full((6,), 0.6, dtype=torch.float64)
    def split(v):
        return v[:8] - v[8:]
    def distance_to(v, its_delta):
        return ((split(v) - its_delta) ** 2).sum()
    for norm, order in (("l2", 2), ("l1", 1)):
        ours = _to_radius(delta, eps, norm, x, geometry.UNIT)
        assert (torch.linalg.vector_norm(ours, order, dim=1) <= 0.6 + 1e-9).all()
        assert (x + ours >= 0).all() and (x + ours <= 1).all()
        for i in range(6):
            # r = p − q with p, q >= 0 makes the l1 norm smooth.
            bounds = [(0, 1 - v) for v in x[i].tolist()] + [(0, v) for v in x[i].tolist()]
            size = (lambda v: 0.6 - v.sum()) if norm == "l1" else (lambda v: 0.36 - (split(v) ** 2).sum())
            solved = minimize(distance_to, [0.01] * 16, args=(delta[i].numpy(),), bounds=bounds,
                              constraints={"type": "ineq", "fun": size}, options={"maxiter": 500, "ftol": 1e-12})
            assert ((ours[i] - delta[i]) ** 2).sum() <= solved.fun * (1.01 if norm == "l2" else 1.002) + 1e-6


@pytest.mark.parametrize("norm, order", [("l2", 2), ("l1", 1)])
def test_a_short_change_is_lengthened_to_the_radius_by_the_pixels_that_have_room(norm, order):
    x = torch.tensor([[0.95, 0.5, 0.5, 0.5]])
    delta = torch.tensor([[0.3, 0.1, -0.1, 0.0]])
    ours = _to_radius(delta, torch.tensor([0.6]), norm, x, geometry.UNIT)
    assert ours[0, 0] == 1 - x[0, 0] and ours[0, 3] == 0 and torch.allclose(ours[0, 1], -ours[0, 2])
    assert 0.99 * 0.6 <= torch.linalg.vector_norm(ours, order) <= 0.6 + 1e-6
    # Where the box is nearer than the radius, its corner.
    assert torch.allclose(_to_radius(delta, torch.tensor([1e9]), norm, x, geometry.UNIT),
                          torch.tensor([[0.05, 0.5, -0.5, 0.0]]))


def test_in_l0_as_many_pixels_are_kept_as_the_radius_says_even_among_equals():
    x = torch.full((3, 6), 0.5)
    delta = torch.tensor([[2.0, -3.0, 0.2, 0.1, 4.0, -0.3]]).expand(3, 6)  # three are cut to 0.5
    ours = _to_radius(delta, torch.tensor([1.0, 3.0, 4.0]), "l0", x, geometry.UNIT)
    assert (ours != 0).sum(1).tolist() == [1, 3, 4]
    assert ours[1:].abs().sum(1).tolist() == pytest.approx([1.5, 1.8])


def test_what_an_l0_attack_does_not_need_is_restored():
    # Three of the twelve changed pixels suffice, if they go all the way to white.
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, 2)).requires_grad_(False)
    weight = torch.zeros(25)
    weight[:12] = torch.cat([torch.full((9,), 0.1), torch.ones(3)])
    model[1].weight.copy_(torch.stack([torch.zeros(25), weight]))
    model[1].bias.copy_(torch.tensor([0.0, -2.9]))
    x = torch.zeros(1, 1, 5, 5)
    x_adv = x.clone().flatten(1)
    x_adv[:, :12] = torch.cat([torch.full((9,), 0.5), torch.full((3,), 0.9)])
    x_adv = x_adv.view(x.shape)
    y = torch.tensor([0])
    assert model(x_adv).argmax(1) == 1
    fewer = _restore(model, x, y, x_adv=x_adv, targeted=False, box=geometry.UNIT)
    assert fewer.flatten().nonzero()[:, 0].tolist() == [9, 10, 11] and model(fewer).argmax(1) == 1


def test_fmn_l0_finds_every_image_in_its_first_round_where_gradients_mislead(mnist):
    """With steps that only become shorter, half of these images stay unfooled."""
    model = zoo.load("mnist-robust")
    x, y = mnist
    right = model(x).argmax(1) == y
    x, y = x[right][:40], y[right][:40]
    x_adv = fmn(model, x, y, norm="l0", steps=FMN_SETTINGS["l0"][0])
    assert (model(x_adv).argmax(1) != y).float().mean() >= 0.95
    assert geometry.distance(x_adv, x, "l0").median() <= 60


@pytest.mark.parametrize("norm, planes", [("l2", 9), ("linf", 4)])
def test_how_many_planes_deepfool_tries_a_step(norm, planes):
    model, x, y = linear(classes=10)
    counted = Counting(model)
    deepfool(counted, x, y, norm=norm, steps=1)
    assert counted.backward_images == planes * len(x)


def test_deepfool_needs_half_of_what_fgsm_needs(mnist):
    """The paper's robustness measure: the mean of ‖r‖₂ / ‖x‖₂, over the images that the model gets right."""
    x, y = mnist
    model = zoo.load("mnist-cnn")
    x_adv = deepfool(model, x, y)
    assert (model(x_adv).argmax(1) != y).all()
    size = geometry.distance(x, torch.zeros_like(x), "l2")
    rho = (geometry.distance(x_adv, x, "l2") / size).mean()
    # FGSM as the paper measures it: at the smallest eps that misleads the model on 90 % of the images.
    for eps in torch.linspace(0.02, 1, 50).tolist():
        candidate = fgsm(model, x, y, eps=eps)
        if (model(candidate).argmax(1) != y).float().mean() >= 0.9:
            break
    of_fgsm = (geometry.distance(candidate, x, "l2") / size).mean()
    assert 0.05 <= rho <= 0.24 and 2 * rho <= of_fgsm, (rho, of_fgsm)


def test_fmn_is_nearer_than_deepfool_and_each_norm_is_best_at_its_own(mnist):
    x, y = mnist
    model = zoo.load("mnist-cnn")
    results = {norm: fmn(model, x, y, norm=norm) for norm in ("l0", "l1", "l2", "linf")}
    for norm in results:
        assert (model(results[norm]).argmax(1) != y).all()
        sizes = {other: geometry.distance(results[other], x, norm).median() for other in results}
        assert min(sizes, key=sizes.get) == norm, (norm, sizes)
    for norm in ("l2", "linf"):
        nearest = geometry.distance(deepfool(model, x, y, norm=norm), x, norm)
        assert geometry.distance(results[norm], x, norm).median() <= nearest.median()
    # What these cost when they were written: l2 1.00, linf .066, l1 6.1, l0 8.
    limits = {"l0": 9, "l1": 7.5, "l2": 1.15, "linf": 0.075}
    for norm, limit in limits.items():
        assert geometry.distance(results[norm], x, norm).median() <= limit, norm


def test_fmn_finds_its_way_where_gradients_mislead(mnist):
    """A network trained against linf 0.3 hides its boundary from l1 and l2: foolbox's DDN with 100 steps ends at 1.97.

    With the paper's margin and without lengthening δ, 52 % of the images stay unfooled in l2, and the median is 21 in
    l1; lengthened before it is clipped, δ ends at 1.82 in l2 and 11 in l1."""
    model = zoo.load("mnist-robust")
    x, y = mnist
    right = model(x).argmax(1) == y
    x, y = x[right][:40], y[right][:40]
    for norm, limit in {"l0": 60, "l1": 9, "l2": 1.8, "linf": 0.37}.items():
        x_adv = fmn(model, x, y, norm=norm)
        assert (model(x_adv).argmax(1) != y).all()
        assert geometry.distance(x_adv, x, norm).median() <= limit, norm


@pytest.mark.parametrize("norm", ["l0", "l1", "l2", "linf"])
def test_scaled_logits_change_nothing(mnist, norm):
    """By powers of two, so that every rounding stays the same."""
    x, y = mnist[0][:20], mnist[1][:20]
    model = zoo.load("mnist-cnn")
    plain = fmn(model, x, y, norm=norm)
    for factor in (0.125, 8):
        def scaled(images, factor=factor):
            return model(images) * factor
        assert torch.equal(fmn(scaled, x, y, norm=norm), plain)


def test_targeted_fmn_on_mnist(mnist):
    x, y = mnist[0][:30], mnist[1][:30]
    model = zoo.load("mnist-cnn")
    target = (y + 3) % 10
    x_adv = fmn(model, x, target, targeted=True)
    assert (model(x_adv).argmax(1) == target).float().mean() >= 0.95
    assert geometry.distance(x_adv, x, "l2").mean() <= 2.4


def test_no_gradient_no_hang():
    def flat(x):
        return torch.cat([x.flatten(1).sum(1, keepdim=True) * 0 + 1, x.flatten(1)[:, :1] * 0], 1)
    x = torch.rand(3, 1, 4, 4)
    for attack in (deepfool, fmn):
        with pytest.warns(RuntimeWarning, match="gradient masking"):
            assert torch.equal(attack(flat, x, torch.zeros(3, dtype=torch.int64)), x)
