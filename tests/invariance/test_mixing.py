"""Mixup and CutMix: images and labels by the same shares, those that were really mixed."""

import pytest
import torch
from torch.nn import functional as F

from advcourse import device, invariance

DEVICE = device.choose()


def seeded(seed=0):
    return torch.Generator(DEVICE).manual_seed(seed)


@pytest.fixture
def batch():
    """Images (50, 3, 12, 20), each of one colour that nobody else has, one-hot labels, and partners."""
    x = torch.linspace(0, 1, 50, device=DEVICE).view(-1, 1, 1, 1).repeat(1, 3, 12, 20)
    y = F.one_hot(torch.arange(50, device=DEVICE) % 10, 10).float()
    return x, y, torch.randperm(50, generator=seeded(), device=DEVICE)


def test_mixup(batch):
    """kornia #3077: the weight was swapped."""
    x, y, partner = batch
    weight = torch.linspace(0, 1, 50, device=DEVICE)
    image, label = invariance.mixup(x, y, partner, weight)
    w = weight.view(-1, 1)
    assert torch.allclose(image, w.view(-1, 1, 1, 1) * x + (1 - w.view(-1, 1, 1, 1)) * x[partner])
    assert torch.allclose(label, w * y + (1 - w) * y[partner])
    assert torch.allclose(label.sum(1), torch.ones(50, device=DEVICE))
    same, labels = invariance.mixup(x, y, partner, 1.0)
    assert torch.equal(same, x) and torch.equal(labels, y)


def test_cutmix_counts_the_pixels_that_it_took(batch):
    """clovaai/CutMix #1: the share was that of the box before it was cut; composer PR #3932: H and W swapped."""
    x, y, partner = batch
    boxes = invariance.cutmix_boxes(50, generator=seeded(1))
    image, label = invariance.cutmix(x, y, partner, boxes)
    own, taken = image == x, image == x[partner]
    assert (own | taken).all()
    other = (partner != torch.arange(50, device=DEVICE)) & (y.argmax(1) != y[partner].argmax(1))
    share = taken[:, 0].double().mean((1, 2))
    given = label[torch.arange(50, device=DEVICE), y[partner].argmax(1)].double()
    assert other.sum() > 30 and torch.allclose(given[other], share[other], atol=1e-6)
    assert torch.allclose(label.sum(1), torch.ones(50, device=DEVICE))
    assert share[other].std() > 0.15  # each pair has its own box
    box = torch.tensor([[0.0, 0.0, 0.5, 0.25]], device=DEVICE).expand(50, 4)
    corner = invariance.cutmix(x, y, partner, box)[0]
    assert torch.equal(corner[:, :, :3, :10], x[partner][:, :, :3, :10])
    assert torch.equal(corner[:, :, 3:], x[:, :, 3:]) and torch.equal(corner[..., 10:], x[..., 10:])


def test_arguments_stay_as_they_were(batch):
    """Megvii YOLOX PR #275: mixup changed its inputs; and what is read must not have been written."""
    x, y, partner = batch
    versions = x._version, y._version
    for mixed in (invariance.mixup(x, y, partner, 0.3), invariance.cutmix(x, y, partner, invariance.cutmix_boxes(
            50, generator=seeded()))):
        assert (x._version, y._version) == versions and all(part.isfinite().all() for part in mixed)


def test_weights_and_boxes_are_distributed_as_the_papers_say():
    before = torch.get_rng_state()
    weights = invariance.mixup_weights(20_000, 0.2, generator=seeded()).double()
    assert torch.equal(torch.get_rng_state(), before)
    assert weights.mean() == pytest.approx(0.5, abs=0.01) and weights.var() == pytest.approx(0.25 / 1.4, rel=0.03)
    generator = seeded(4)
    first, second = (invariance.mixup_weights(9, generator=generator) for _ in range(2))
    assert torch.equal(first, invariance.mixup_weights(9, generator=seeded(4))) and not torch.equal(first, second)
    boxes = invariance.cutmix_boxes(20_000, generator=seeded()).double()
    assert boxes.min() >= 0 and (boxes[:, :2] + boxes[:, 2:]).max() <= 1 + 1e-6
    middle = boxes[(boxes[:, :2] > 0).all(1) & ((boxes[:, :2] + boxes[:, 2:]) < 1 - 1e-6).all(1)]
    assert torch.allclose(middle[:, 2], middle[:, 3], atol=1e-5)  # a square share where nothing is cut
    # A side of s = √u keeps s − s²/4 of itself on average: 1/2 − 1/5 + 1/48 of the image.
    assert (boxes[:, 2] * boxes[:, 3]).mean() == pytest.approx(0.3208, abs=0.01)


@pytest.mark.parametrize("call, said", [
    (lambda x, y, p: invariance.mixup(x, y.argmax(1), p, 0.5), "one_hot"),
    (lambda x, y, p: invariance.mixup(x, y, p[:5], 0.5), "partner must be 50 indices"),
    (lambda x, y, p: invariance.mixup(x, y, p, 1.5), r"weight must lie in \[0, 1\]"),
    (lambda x, y, p: invariance.mixup(x * 255, y, p, 0.5), r"must lie in \[0, 1\]"),
    (lambda x, y, p: invariance.cutmix(x, y, p, torch.ones(50, 4)), "boxes must lie inside"),
    (lambda x, y, p: invariance.mixup_weights(5, 0.0, generator=torch.Generator()), "alpha must be above 0"),
])
def test_arguments_that_cannot_be_are_said(batch, call, said):
    with pytest.raises(ValueError, match=said):
        call(*batch)
