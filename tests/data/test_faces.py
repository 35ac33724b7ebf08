"""The drawn faces: the same seed gives the same bits, people can be told apart, and every trait shows."""

import hashlib
import subprocess
import sys

import pytest
import torch

from advcourse import data
from advcourse.data import faces
from tests.data.test_data import keeps_the_contract


def middle(ranges):
    """One row in the middle of every range."""
    return torch.tensor(list(ranges.values())).mean(1)[None]


def test_the_data_set():
    dataset = data.load("faces")
    keeps_the_contract(dataset, 800, 320, (1, 48, 40), 40)
    assert dataset.y_train.bincount().tolist() == [20] * 40 and dataset.y_test.bincount().tolist() == [8] * 40
    assert dataset.y_train[:40].tolist() == list(range(40)), "the first few hold every person equally often"
    few = data.load("faces", train=60, test=50)
    assert torch.equal(few.x_test, dataset.x_test[:50]), "the first photographs do not depend on how many there are"
    assert torch.equal(few.x_train, dataset.x_train[:60])
    data.verify("faces")


def test_photographs_have_256_grey_values():
    x = data.load("faces", train=40, test=1).x_train
    assert torch.equal((x * 255).round() / 255, x)


def test_the_same_seed_gives_the_same_bits():
    """In this process and in another with other threads; other seeds give other people and other photographs."""
    x = data.load("faces", seed=1).x_train
    assert torch.equal(data.load("faces", seed=1).x_train, x)
    code = ("import hashlib, torch; torch.set_num_threads(2); from advcourse import data\n"
            "print(hashlib.sha256(data.load('faces', seed=1).x_train.numpy().tobytes()).hexdigest())")
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert hashlib.sha256(x.numpy().tobytes()).hexdigest() == other
    assert not torch.equal(data.load("faces", train=40, seed=2).x_train, x[:40])
    assert not torch.equal(x[:40], x[40:80]), "two photographs of the same people"


def test_drawing_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    data.load("faces", train=10, test=10)
    assert torch.equal(torch.get_rng_state(), before)


def test_people_can_be_told_apart_but_not_by_a_glance_at_the_pixels():
    dataset = data.load("faces")
    means = dataset.x_train.view(20, 40, -1).mean(0)
    nearest = torch.cdist(dataset.x_test.flatten(1), means).argmin(1)
    assert 0.3 < (nearest == dataset.y_test).float().mean() < 0.95
    # Where light, place and expression do not vary, any two people differ.
    still = faces.photograph(faces.people(40), middle(faces.SCENE).repeat(40, 1)).flatten(1)
    assert torch.cdist(still, still).fill_diagonal_(9).min() > 1


@pytest.mark.parametrize("name", faces.TRAITS)
def test_every_trait_shows(name):
    low, high = middle(faces.TRAITS), middle(faces.TRAITS)
    low[0, list(faces.TRAITS).index(name)], high[0, list(faces.TRAITS).index(name)] = faces.TRAITS[name]
    one, other = (faces.photograph(traits, middle(faces.SCENE)) for traits in (low, high))
    assert (one - other).abs().max() > 0.03


@pytest.mark.parametrize("name", faces.SCENE)
def test_every_circumstance_shows(name):
    low, high = middle(faces.SCENE), middle(faces.SCENE)
    low[0, list(faces.SCENE).index(name)], high[0, list(faces.SCENE).index(name)] = faces.SCENE[name]
    one, other = (faces.photograph(middle(faces.TRAITS), scene) for scene in (low, high))
    assert (one - other).abs().max() > 0.03


def test_a_face_is_a_face():
    """Two dark eyes beside a lighter nose, at the same height; a mouth darker than the chin; left and right alike."""
    face = faces.photograph(middle(faces.TRAITS), torch.cat([middle(faces.SCENE)]))[0, 0]
    eyes, cheeks = face[20:25].amin(0), face[26:29].mean(0)
    left, right = eyes[8:20].argmin() + 8, eyes[20:32].argmin() + 20
    assert abs(left + right - 39) <= 1 and eyes[left] < cheeks[left] - 0.1 and eyes[20] > eyes[left] + 0.1
    assert face[30:36, 18:22].min() < face[39, 18:22].mean() - 0.1


@pytest.mark.parametrize("traits, scene, words", [
    (torch.zeros(2, 3), torch.zeros(2, len(faces.SCENE)), "traits must have shape"),
    (torch.zeros(2, len(faces.TRAITS)), torch.zeros(2, 4), "scene must have shape"),
    (torch.zeros(2, len(faces.TRAITS)), torch.zeros(3, len(faces.SCENE)), "one scene per photograph"),
])
def test_wrong_arguments_are_named(traits, scene, words):
    with pytest.raises(ValueError, match=words):
        faces.photograph(traits, scene)


def test_no_people_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        faces.people(0)
