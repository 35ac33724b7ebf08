"""Networks that are trained together are trained as if alone."""

import pytest
import torch
from torch import nn

from advcourse import models, training
from advcourse.training import families


def test_disjoint_subsets_share_no_image():
    x, y = torch.arange(40.0).view(40, 1, 1, 1), torch.arange(40)
    images, labels = families.disjoint(x, y, 3, 12, seed=1)
    assert images.shape == (3, 12, 1, 1, 1) and torch.equal(images.flatten().long(), labels.flatten())
    assert len(set(labels.flatten().tolist())) == 36
    assert torch.equal(labels, families.disjoint(x, y, 3, 12,
                                                 seed=1)[1]) and not torch.equal(labels, families.disjoint(x, y, 3, 12,
                                                                                                           seed=2)[1])
    with pytest.raises(ValueError, match="need 42 images; there are 40"):
        families.disjoint(x, y, 3, 14)


@pytest.mark.parametrize("make", [models.softmax_regression, models.mlp, models.cnn])
def test_together_is_as_if_alone(make):
    """Adam's steps on the mean over members are those on each member's own loss, but for its tiny constant."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(3, 40, 1, 8, 8, generator=generator), torch.randint(0, 4, (3, 40), generator=generator)
    torch.manual_seed(0)
    networks = [make((1, 8, 8), 4) for _ in range(3)]
    alone = [make((1, 8, 8), 4) for _ in range(3)]
    for a, b in zip(alone, networks, strict=True):
        a.load_state_dict(b.state_dict())
    state = torch.get_rng_state()
    assert families.fit_together(networks, x, y, epochs=3, batch_size=16, seed=5) is networks
    assert torch.equal(torch.get_rng_state(), state)
    for number, model in enumerate(alone):
        training.fit(model, x[number], y[number], epochs=3, batch_size=16, seed=5)
        assert torch.allclose(model(x[number]), networks[number](x[number]), atol=1e-3)
        assert not networks[number].training and not any(p.requires_grad for p in networks[number].parameters())


def test_dropout_is_at_work_and_each_member_draws_its_own():
    class Draws(nn.Module):
        def __init__(self):
            super().__init__()
            self.dropout, self.linear = nn.Dropout(0.5), nn.Linear(64, 2)

        def forward(self, x):
            return self.linear(self.dropout(x.flatten(1)))

    torch.manual_seed(0)
    first = Draws()
    second = Draws()
    second.load_state_dict(first.state_dict())
    x, y = torch.rand(1, 30, 1, 8, 8).expand(2, -1, -1, -1, -1), (torch.arange(30) % 2).expand(2, -1)
    families.fit_together([first, second], x, y, epochs=1)
    assert not torch.equal(first.linear.weight, second.linear.weight)


def test_what_cannot_be_trained_together_is_named():
    x, y = torch.rand(2, 6, 1, 2, 2), torch.zeros(2, 6, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"one set of images for each network.*got 1 networks"):
        families.fit_together([models.mlp((1, 2, 2), 2)], x, y, epochs=1)
    with pytest.raises(ValueError, match=r"batch normalisation.*running_mean"):
        families.fit_together([nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2)) for _ in range(2)], x, y,
                              epochs=1)
