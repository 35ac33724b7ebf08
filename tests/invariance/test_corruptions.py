"""The corruptions: fifteen, each worse with its severity, the same for everybody with one seed."""

import pytest
import torch

from advcourse import data, device, invariance

DEVICE = device.choose()
RANDOM = {"Gaussian noise", "salt and pepper", "speckle", "fog", "stripes", "rotate", "shift"}


@pytest.fixture(scope="module")
def pictures():
    """Grey letters and coloured scenes."""
    return [data.load(name, train=60, test=5).x_train.to(DEVICE) for name in ("fonts", "scenes")]


def test_there_are_fifteen_at_five_severities():
    assert len(invariance.CORRUPTIONS) == 15
    assert all(len(strengths) == 5 for _, strengths in invariance.CORRUPTIONS.values())


@pytest.mark.parametrize("name", invariance.CORRUPTIONS)
def test_a_corruption_is_worse_with_its_severity_and_stays_an_image(name, pictures):
    for x in pictures:
        copy, state = x.clone(), torch.get_rng_state()
        out = [invariance.corrupt(x, name, severity, seed=1) for severity in range(1, 6)]
        assert torch.equal(x, copy) and torch.equal(torch.get_rng_state(), state)
        for image in out:
            assert image.shape == x.shape and image.dtype == x.dtype and image.min() >= 0 and image.max() <= 1
        distances = [(image - x).square().mean().item() for image in out]
        assert distances[0] > 1e-6 and distances == sorted(distances) and distances[4] > 1.5 * distances[0], distances


@pytest.mark.parametrize("name", invariance.CORRUPTIONS)
def test_chance_is_the_seeds_alone_and_each_images_own(name, pictures):
    x = pictures[1][:1].expand(12, -1, -1, -1)
    first = invariance.corrupt(x, name, 3, seed=1)
    assert torch.equal(first, invariance.corrupt(x, name, 3, seed=1))
    kinds = len(first.flatten(1).unique(dim=0))
    assert (kinds > 1) == (name in RANDOM) == (not torch.equal(first, invariance.corrupt(x, name, 3, seed=2)))


def test_a_turn_is_a_turn_where_height_and_width_differ():
    x = torch.zeros(8, 1, 21, 41, device=DEVICE)
    x[:, :, 10, 8:33] = 1  # a line through the middle
    out = invariance.corrupt(x, "rotate", 5)
    rows, columns = (torch.arange(side, device=DEVICE) - side // 2 for side in (21, 41))
    moments = [(out[:, 0] * a * b).sum((1, 2)) for a, b in ((rows[:, None], rows[:, None]), (columns, columns),
                                                            (rows[:, None], columns))]
    angle = 0.5 * torch.atan2(2 * moments[2], moments[1] - moments[0])
    assert torch.allclose(angle.abs().rad2deg(), torch.full((8,), 40.0, device=DEVICE), atol=2.5)


@pytest.mark.parametrize("arguments, said", [
    (("haze", 3), "there is no corruption 'haze'; there are Gaussian noise"),
    (("blur", 0), "severity must be 1 to 5; got 0"),
    (("blur", 6), "severity must be 1 to 5; got 6")])
def test_arguments_that_cannot_be_are_said(arguments, said, pictures):
    with pytest.raises(ValueError, match=said):
        invariance.corrupt(pictures[0], *arguments)
