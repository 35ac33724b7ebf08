"""The scenes: what is tied to what, exact masks and labels, removal that leaves the rest alone, the same bits."""

import hashlib

import pytest
import torch

from advcourse import data
from advcourse.data import scenes, sprites
from advcourse.data.scenes import BACKDROPS, LABELS, OBJECTS

PERSON, DOG, CAR = (OBJECTS.index(name) for name in ("person", "dog", "car"))


def rows(z, chosen):
    return {name: value[chosen] for name, value in z.items()}


def share(bits):
    return bits.double().mean().item()


def test_by_name_one_object_in_each_picture():
    loaded = data.load("scenes", train=300, test=200, seed=3)
    assert loaded.classes == OBJECTS and len(OBJECTS) == 8 and "\n" not in loaded.card
    for x, y, n, seed in ((loaded.x_train, loaded.y_train, 300, 6), (loaded.x_test, loaded.y_test, 200, 7)):
        assert x.shape == (n, 3, 32, 32) and x.dtype == torch.float32 and y.dtype == torch.int64
        assert 0 <= x.min() < 0.1 and 0.9 < x.max() <= 1 and set(y.tolist()) == set(range(8))
        z, which = scenes.single(n, seed)
        assert torch.equal(which, y) and torch.equal(scenes.pictures(z), x)
        assert torch.equal(z["present"].nonzero()[:, 1], y)


def test_the_same_seed_gives_the_same_bits_and_the_first_do_not_depend_on_n():
    more, few, other = scenes.latents(1200, 5), scenes.latents(700, 5), scenes.latents(700, 6)
    assert all(torch.equal(more[name][:700], few[name]) for name in few)
    assert torch.equal(scenes.pictures(more)[:700], scenes.pictures(few))
    assert not torch.equal(few["present"], other["present"]) and not torch.equal(few["x"], other["x"])


def test_the_sprites_are_the_same_bits_everywhere():
    """What networks are trained on and bands measured on: redrawing one is a change of the data set."""
    drawn = sprites.sprites()
    assert drawn.shape == (8, 4, 24, 24) and drawn.min() >= 0 and drawn.sum(1).max() == 1
    assert hashlib.sha256(drawn.numpy().tobytes()).hexdigest().startswith("0d9d5045745b64b6")


def test_no_object_looks_like_another():
    ink = sprites.sprites().sum(1)
    assert torch.cdist(ink.flatten(1), ink.flatten(1)).fill_diagonal_(99).min() > 5  # of 24 x 24 pixels


@pytest.mark.parametrize("tie", [0.05, 0.5, 0.95])
def test_person_and_dog_come_together_as_often_as_told_and_nothing_else_does(tie):
    z = scenes.latents(20_000, 1, tie=tie, prior=0.3)
    present = z["present"]
    assert share(present[:, PERSON]) == pytest.approx(0.5, abs=0.015)
    assert share(present[:, DOG]) == pytest.approx(0.5, abs=0.015)
    assert share(present[:, PERSON] == present[:, DOG]) == pytest.approx(tie, abs=0.015)
    for name in set(OBJECTS) - {"person", "dog"}:
        assert share(present[:, OBJECTS.index(name)]) == pytest.approx(0.3, abs=0.015)
    about = torch.cat([present[:, [k for k in range(8) if k != DOG]].float(), z["sidewalk"][:, None].float(),
                       torch.nn.functional.one_hot(z["backdrop"], 3).float(), z["horizon"][:, None]], dim=1)
    correlations = torch.corrcoef(about.T)[:9, :9].fill_diagonal_(0)
    assert correlations.abs().max() < 0.035
    against_backdrop = torch.corrcoef(torch.cat([present.float(), about[:, 8:]], dim=1).T)[:8, 8:]
    assert against_backdrop.abs().max() < 0.035


@pytest.mark.parametrize("tie", [0.05, 0.95])
def test_car_and_sidewalk_can_be_the_pair(tie):
    z = scenes.latents(5000, 2, tie=tie, pair=("car", "sidewalk"), background="street")
    assert share(z["present"][:, CAR] == z["sidewalk"]) == pytest.approx(tie, abs=0.02)
    assert share(z["sidewalk"]) == pytest.approx(0.5, abs=0.03)
    assert set(z["backdrop"].tolist()) == {list(BACKDROPS).index("street")}
    z = rows(z, slice(200))
    labels = scenes.render(z).labels
    assert torch.equal((labels == LABELS.index("sidewalk")).any(2).any(1), z["sidewalk"])
    assert torch.equal((labels == LABELS.index("road")).any(2).any(1), ~z["sidewalk"])


@pytest.mark.parametrize("name", OBJECTS)
def test_what_is_removed_leaves_everything_outside_its_mask_as_it_was(name):
    z, k = scenes.latents(300, 3, prior=0.5), OBJECTS.index(name)
    before, after = scenes.render(z), scenes.render(scenes.remove(z, name))
    mask = before.masks[:, k]
    outside = (mask == 0)[:, None].expand_as(before.x)
    assert torch.equal(before.x[outside], after.x[outside])
    seen = mask.amax((1, 2)) > 0.9
    changed = ((before.x - after.x).abs().amax(1) * mask).amax((1, 2))
    assert seen.sum() > 50 and (changed[seen] > 0.05).all()
    assert after.masks[:, k].max() == 0 and not (after.labels == LABELS.index(name)).any()
    rest = [j for j in range(8) if j != k]
    assert torch.equal(after.masks[:, rest][(mask == 0)[:, None].expand(-1, 7, -1, -1)],
                       before.masks[:, rest][(mask == 0)[:, None].expand(-1, 7, -1, -1)])
    assert (after.masks[:, rest] >= before.masks[:, rest] - 1e-6).all()  # what it hid comes out
    absent = ~z["present"][:, k]
    assert torch.equal(before.x[absent], after.x[absent])


def test_each_scene_may_lose_an_object_of_its_own():
    z = scenes.latents(20, 4, prior=1.0)
    which = torch.arange(20) % 8
    gone = scenes.remove(z, which)["present"]
    assert torch.equal(z["present"] & ~gone, torch.nn.functional.one_hot(which, 8).bool() & z["present"])
    assert z["present"].sum() > gone.sum()


def test_masks_are_the_visible_parts_and_labels_say_so():
    z = scenes.latents(200, 5, prior=0.6)
    x, masks, labels = scenes.render(z)
    assert masks.min() >= 0 and masks.sum(1).max() <= 1 + 1e-6
    assert (masks.amax((2, 3))[~z["present"]] == 0).all()
    most, which = masks.max(1)
    assert torch.equal(labels[most >= 0.5], which[most >= 0.5] + 5) and (labels[most < 0.5] < 5).all()
    # Where an object covers a pixel alone, its colour is its own, whatever the backdrop.
    other = {**z, "backdrop": (z["backdrop"] + 1) % 3}
    covered = (masks.amax(1) == 1)[:, None].expand_as(x)
    assert covered.sum() > 1000 and torch.equal(scenes.render(other).x[covered], x[covered])
    alone = scenes.render({**z, "present": torch.eye(8, dtype=torch.bool)[torch.full((200,), DOG)]}).masks[:, DOG]
    nearest = z["present"][:, DOG] & (z["depth"][:, DOG, None] >= z["depth"].where(z["present"], 0.0)).all(1)
    assert nearest.sum() > 5 and torch.equal(alone[nearest], masks[nearest, DOG])  # nothing hides the nearest


def test_surfaces_lie_one_below_the_other():
    z = {**scenes.latents(60, 6), "present": torch.zeros(60, 8, dtype=torch.bool)}
    labels = scenes.render(z).labels
    order = labels.clone()
    order[labels == LABELS.index("sidewalk")] = LABELS.index("road")
    assert (order.diff(dim=1) >= 0).all() and (order[:, 0] == 0).all() and (order[:, -1] >= 2).all()
    assert {0, 1, 2, 3, 4} == set(labels.unique().tolist())


def test_facing():
    right, y = scenes.single(400, 7, facing="right")
    left, same = scenes.single(400, 7, facing="left")
    assert not torch.equal(y, scenes.single(400, 8)[1])
    assert torch.equal(y, same) and (right["mirror"] == 1).all() and (left["mirror"] == -1).all()
    assert 0.4 < share(scenes.single(400, 7)[0]["mirror"] == 1) < 0.6
    centred = {"x": torch.full_like(right["x"], 0.5), "tilt": torch.zeros_like(right["tilt"])}
    a, b = scenes.render({**right, **centred}).masks, scenes.render({**left, **centred}).masks
    assert torch.allclose(a, b.flip(3), atol=1e-5)
    of_cars = y == OBJECTS.index("dog")
    assert ((a - b).abs().amax((2, 3))[of_cars, DOG] > 0.5).all()  # a dog has a head at one end


def test_a_picture_is_differentiable_in_what_it_shows():
    z, _ = scenes.single(16, 8)
    names = ("x", "depth", "size", "tilt", "colour")
    free = {name: z[name].clone().requires_grad_() for name in names}
    scenes.render({**z, **free}).x.square().sum().backward()
    for name in names:
        there = free[name].grad[z["present"]].flatten(1) if name == "colour" else free[name].grad[z["present"]][:, None]
        assert there.isfinite().all() and (there.abs().amax(1) > 0).all(), name
        assert (free[name].grad[~z["present"]] == 0).all()


def test_an_object_stands_where_its_latents_say():
    z, y = scenes.single(200, 9)
    masks = scenes.render(z).masks.sum(1)
    at = (torch.arange(32) + 0.5) / 32
    middle = (masks.sum(1) * at).sum(1) / masks.sum((1, 2))
    inside = (z["x"] - z["size"] / 2 > 0.02).all(1) & (z["x"] + z["size"] / 2 < 0.98).all(1)
    wanted = z["x"][torch.arange(200), y]
    assert (middle - wanted).abs()[inside].max() < 0.08
    height = (masks.amax(2) > 0.5).sum(1) / 32
    assert torch.corrcoef(torch.stack([height, z["size"][torch.arange(200), y]]))[0, 1] > 0.7


def test_no_scenes_are_no_pictures():
    z = rows(scenes.latents(5, 0), slice(0, 0))
    assert scenes.render(z).x.shape == (0, 3, 32, 32) and scenes.pictures(z).shape == (0, 3, 32, 32)


@pytest.mark.parametrize("call, said", [
    (lambda: scenes.latents(0), "n must be at least 1, got 0"),
    (lambda: scenes.single(-1), "n must be at least 1, got -1"),
    (lambda: scenes.latents(5, tie=1.2), r"tie must lie in \[0, 1\]; got 1.2"),
    (lambda: scenes.latents(5, prior=-0.1), r"prior must lie in \[0, 1\]; got -0.1"),
    (lambda: scenes.latents(5, pair=("person", "cat")), "pair must be two of car, tree"),
    (lambda: scenes.latents(5, pair=("sidewalk", "dog")), "the second may be sidewalk"),
    (lambda: scenes.latents(5, pair=("dog", "dog")), "pair must be two of"),
    (lambda: scenes.latents(5, background="desert"), "background must be one of meadow, street, beach"),
    (lambda: scenes.single(5, facing="up"), 'facing must be "right", "left" or None'),
    (lambda: scenes.remove(scenes.latents(5), "cat"), "there is no object 'cat'; there are car"),
])
def test_what_cannot_be_is_said(call, said):
    with pytest.raises(ValueError, match=said):
        call()
