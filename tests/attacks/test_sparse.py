"""JSMA and the one-pixel attack: the pair search against brute force, the paper's figures, budgets."""

import pytest
import torch

from advcourse.attacks import sparse
from advcourse.attacks.geometry import Box
from advcourse.attacks.sparse import best_pair, jsma, one_pixel
from tests.attacks.black_boxes import Counting, digits, linear, sealed


def changed(x_adv, x):
    return (x_adv != x).flatten(1).sum(1)


def random_targets(y):
    return (y + torch.randint(1, 10, y.shape, generator=torch.Generator().manual_seed(1))) % 10


@pytest.mark.parametrize("features", [2, 3, 31, 32, 33, 64, 150])
@pytest.mark.parametrize("kind", ["normal", "opposed", "few allowed", "all negative", "one spike", "ties", "balanced"])
@pytest.mark.parametrize("memory", [sparse.SCORES_AT_ONCE, 800], ids=["all pairs at once", "some pairs at once"])
def test_the_best_pair_is_that_of_all_pairs(features, kind, memory, monkeypatch):
    monkeypatch.setattr(sparse, "SCORES_AT_ONCE", memory)
    generator = torch.Generator().manual_seed(features)
    a, c = torch.randn(2, 7, features, generator=generator)
    allowed = torch.ones(7, features, dtype=torch.bool)
    if kind == "opposed":
        c = -a + 0.1 * c  # hardly a feature that is good in both: the search must go deep
    elif kind == "few allowed":
        allowed = torch.rand(7, features, generator=generator) < 0.2
    elif kind == "all negative":
        a = -a.abs()
    elif kind == "one spike":
        a[:, 1], c[:, 0] = 100, 100
    elif kind == "ties":
        a, c = a.round(), c.round()
    elif kind == "balanced":
        tilt = 0.4 * torch.rand(7, features, generator=generator, dtype=torch.float64) - 0.2
        a, c = 1 + tilt, 1 - tilt  # all bounds are alike, and the best pair, of two opposite tilts, is anywhere
    pair, found = best_pair(a, c, allowed)
    score = (a[:, :, None] + a[:, None]).clamp_min(0) * (c[:, :, None] + c[:, None]).clamp_min(0)
    score *= (allowed[:, :, None] & allowed[:, None]) & ~torch.eye(features, dtype=torch.bool)
    largest = score.flatten(1).amax(1)
    assert torch.equal(found, largest > 0)
    assert torch.equal(score[torch.arange(7), pair[:, 0], pair[:, 1]][found], largest[found])


def test_on_a_linear_model_it_changes_the_pairs_of_the_papers_map_in_order():
    model, weights = linear(3, (1, 4, 4))
    x, target = torch.full((1, 1, 4, 4), 0.5), torch.tensor([2])
    a, b = weights[2], weights[:2].sum(0)
    free, wanted = set(range(16)), x.flatten().clone()
    for _ in range(3):
        pairs = [(-(a[p] + a[q]) * (b[p] + b[q]), p, q) for p in free for q in free if p < q and a[p] + a[q] > 0
                 and b[p] + b[q] < 0]
        _, p, q = max(pairs)
        wanted[[p, q]] = 1
        free -= {p, q}
        if model(wanted.view(1, 1, 4, 4)).argmax() == 2:
            break
    x_adv = jsma(model, x, target, targeted=True, others="all", max_share=1.0)
    assert model(x).argmax() != 2 and model(x_adv).argmax() == 2
    assert torch.equal(x_adv.flatten(), wanted)


def test_papers_band_on_digits():
    """Papernot et al.: 97.1 % of targets with 4.02 % of the pixels."""
    model, x, y = digits(100)
    target = random_targets(y)
    x_adv = jsma(model, x, target, targeted=True)
    reached = model(x_adv).argmax(1) == target
    assert reached.float().mean() >= 0.97
    assert changed(x_adv, x)[reached].float().mean() <= 0.05 * 784
    assert torch.equal(x_adv[~reached], x[~reached])


def test_papers_own_map_on_digits():
    model, x, y = digits(100)
    target = random_targets(y)
    x_adv = jsma(model, x, target, targeted=True, others="all")
    reached = model(x_adv).argmax(1) == target
    assert reached.float().mean() >= 0.88
    assert changed(x_adv, x)[reached].float().mean() <= 0.08 * 784


@pytest.mark.parametrize("others", ["likely", "all"])
@pytest.mark.parametrize("direction", ["increase", "decrease"])
def test_it_moves_one_way_and_not_more_pixels_than_allowed(direction, others):
    model, x, y = digits(20)
    x_adv = jsma(model, x, y, direction=direction, others=others, max_share=0.05)
    assert changed(x_adv, x).max() <= 0.05 * 784
    moved = (x_adv - x)[x_adv != x]
    assert (moved > 0).all() if direction == "increase" else (moved < 0).all()
    assert moved.abs().min() >= 0.01  # 253/255 is white: no move is spent on it


def test_smaller_steps_go_on_where_they_have_begun():
    model, x, y = digits(10)
    x_adv = jsma(model, x, y, step_size=0.25)
    assert (model(x_adv).argmax(1) != y).all()
    assert (x_adv - x).amax() > 0.3  # pixels are taken up again


def test_images_leave_when_they_are_done():
    model, x, y = digits(20)
    counting = Counting(model)
    x_adv = jsma(counting, x, y)
    steps = changed(x_adv, x).div(2, rounding_mode="floor") + 1
    assert (model(x_adv).argmax(1) != y).all()
    assert [len(asked) for asked in counting.asked] == [int((steps > step).sum()) for step in range(int(steps.max()))]


def test_arguments_of_jsma():
    model, x, y = digits(10)
    for wrong in (dict(direction="up"), dict(others="some"), dict(step_size=1.5), dict(step_size=0.0),
                  dict(max_share=2), dict(max_share=0)):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            jsma(model, x, y, **wrong)


# One pixel

@pytest.mark.parametrize("queries", [1, 2, 3, 4, 5, 49, 50, 51, 52, 101, 137])
def test_one_pixel_asks_as_often_as_it_may(queries):
    model, x, y = digits(10)
    counting = Counting(sealed(model))
    assert torch.equal(one_pixel(counting, x, y, queries=queries), x)  # a digit does not fall to one pixel so soon
    assert counting.count == queries * len(x)


@pytest.mark.parametrize("pixels", [1, 4])
@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 7, 7), (40,), (2, 11)])
def test_it_changes_at_most_so_many_positions_in_all_their_channels(shape, pixels):
    model, _ = linear(5, shape)
    x = torch.rand(12, *shape, generator=torch.Generator().manual_seed(3))
    y = model(x).argmax(1)
    x_adv = one_pixel(model, x, y, pixels=pixels, queries=400)
    positions = (x_adv != x) if len(shape) == 1 else (x_adv != x).any(1)
    assert positions.flatten(1).sum(1).max() <= pixels
    fooled = model(x_adv).argmax(1) != y
    assert fooled.any() and torch.equal(x_adv[~fooled], x[~fooled])


def test_it_finds_the_one_pixel_that_matters_and_its_colour():
    def model(x):  # the second class wins where pixel (7, 3) is nearly pure blue
        blue = 1 - (x[:, :, 7, 3] - torch.tensor([0.0, 0.0, 1.0])).abs().amax(1)
        # and its neighbours lead there
        near = torch.stack([1 - (x[:, 2, 6:9, 2:5] - 1).abs().amax(2).amax(1), blue], 1).amax(1)
        return torch.stack([torch.full_like(near, 0.8), near], 1)

    x = torch.full((3, 3, 12, 12), 0.4)
    x_adv = one_pixel(model, x, torch.zeros(3, dtype=torch.int64), queries=4000)
    assert (model(x_adv).argmax(1) == 1).all()
    assert torch.equal(torch.nonzero((x_adv != x).any(1)[0]), torch.tensor([[7, 3]]))


def test_evolution_beats_as_many_random_pixels():
    model, x, y = digits(20)
    evolved = (model(one_pixel(model, x, y, pixels=8, queries=2500)).argmax(1) != y).float().mean()
    generator, fooled = torch.Generator().manual_seed(0), torch.zeros(20, dtype=torch.bool)
    for _ in range(2500 // 50):
        tried = x.repeat_interleave(50, 0).flatten(1)
        places = torch.randint(784, (1000, 8), generator=generator)
        tried = tried.scatter(1, places, torch.randint(2, (1000, 8), generator=generator).float()).view(-1, 1, 28, 28)
        fooled |= (model(tried).argmax(1).view(20, 50) != y[:, None]).any(1)
    assert evolved >= fooled.float().mean() + 0.2


def test_one_pixel_of_an_image_does_not_depend_on_its_batch():
    model, x, y = digits(10)
    together = one_pixel(model, x, y, pixels=10, queries=800)
    alone = torch.cat([one_pixel(model, x[i:i + 1], y[i:i + 1], pixels=10, queries=800) for i in range(10)])
    assert torch.equal(together, alone) and (together != x).any()


def test_arguments_of_one_pixel():
    model, x, y = digits(10)
    for wrong in (dict(pixels=0), dict(pixels=785), dict(queries=0), dict(population=3)):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            one_pixel(model, x, y, **wrong)


@pytest.mark.filterwarnings("ignore")
def test_jsma_on_a_compiled_model():
    """Compiled with its own backward pass, a model allows one backward pass for each forward pass."""
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    x = torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(2))
    y = model(x).argmax(1)
    assert torch.allclose(jsma(torch.compile(model, backend="aot_eager", dynamic=True), x, y), jsma(model, x, y),
                          atol=1e-6)
    torch._dynamo.reset()


@pytest.mark.parametrize("box", [Box(-1, 1), Box(-0.5, 2)])
def test_the_colours_of_children_stay_in_the_range(box):
    genes = torch.tensor([[0.5, 0.5, box.low], [0.5, 0.5, box.high]]).repeat(5, 1)[None, :, None]
    children = sparse._next_generation(torch.zeros(1, 1, 6, 6), genes, torch.zeros(1, 10),
                                       torch.Generator().manual_seed(0), box)
    assert children[..., 2].min() == box.low and children[..., 2].max() == box.high
