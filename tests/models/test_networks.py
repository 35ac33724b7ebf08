"""The networks against formulas and layers written out by hand."""

import pytest
import torch
from torch.nn import functional as F

from advcourse import models

NETWORKS = [models.softmax_regression, models.mlp, models.cnn, models.pooling_cnn]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 28, 28), (1, 32, 32), (3, 32, 32), (2, 8, 12)])
@pytest.mark.parametrize("classes", [2, 10])
def test_images_of_any_channels_and_size_become_one_logit_per_class(network, shape, classes):
    logits = network(shape, classes)(torch.rand(3, *shape))
    assert logits.shape == (3, classes)
    assert logits.isfinite().all()


def test_softmax_regression_is_the_linear_formula_in_float64():
    model = models.softmax_regression((3, 4, 5), 7).double()
    x = torch.rand(6, 3, 4, 5, dtype=torch.float64)
    weight, bias = model.state_dict().values()
    for logits, image in zip(model(x), x, strict=True):
        by_hand = [sum(w * v for w, v in zip(row.tolist(), image.flatten().tolist(), strict=True)) + b
                   for row, b in zip(weight, bias.tolist(), strict=True)]
        assert logits.tolist() == pytest.approx(by_hand, abs=1e-12)


def test_mlp_is_three_layers_with_relu_between():
    model = models.mlp((1, 6, 6), 4, hidden=5).double()
    x = torch.rand(8, 1, 6, 6, dtype=torch.float64)
    w1, b1, w2, b2, w3, b3 = model.state_dict().values()
    by_hand = (((x.reshape(8, 36) @ w1.T + b1).clamp(min=0) @ w2.T + b2).clamp(min=0)) @ w3.T + b3
    assert torch.allclose(model(x), by_hand, atol=1e-12, rtol=0)


def test_cnn_is_two_strided_convolutions_and_two_layers():
    model = models.cnn((3, 32, 32), 10).double()
    x = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    k1, c1, k2, c2, w1, b1, w2, b2 = model.state_dict().values()
    assert k1.shape == (16, 3, 4, 4) and k2.shape == (32, 16, 4, 4) and w1.shape == (100, 32 * 8 * 8)

    def convolve(images, kernels, bias):
        # The definition of a convolution: the dot product of every 4x4 patch, two pixels apart, with every kernel.
        patches = F.pad(images, (1, 1, 1, 1)).unfold(2, 4, 2).unfold(3, 4, 2)
        return torch.einsum("nchwij,kcij->nkhw", patches, kernels) + bias[:, None, None]

    hidden = convolve(convolve(x, k1, c1).clamp(min=0), k2, c2).clamp(min=0)
    by_hand = (hidden.reshape(2, -1) @ w1.T + b1).clamp(min=0) @ w2.T + b2
    assert torch.allclose(model(x), by_hand, atol=1e-12, rtol=0)


@pytest.mark.parametrize("network", NETWORKS)
def test_images_of_one_batch_do_not_touch_each_other(network):
    model, x = network().double().eval(), torch.rand(5, 1, 28, 28, dtype=torch.float64)
    assert torch.allclose(model(x), torch.cat([model(image[None]) for image in x]), atol=1e-12, rtol=0)


@pytest.mark.parametrize("network", NETWORKS)
def test_wrong_shapes_say_what_is_wanted(network):
    for shape in [(28, 28), (1, 1, 28, 28), (1, 0, 28)]:
        with pytest.raises(ValueError, match=r"\(channels, height, width\)"):
            network(shape)
    with pytest.raises(ValueError, match="at least 2, got 1"):
        network(classes=1)


def test_cnn_wants_multiples_of_four():
    with pytest.raises(ValueError, match=r"multiples of 4, got \(1, 30, 28\)"):
        models.cnn((1, 30, 28))


def test_the_cnn_is_small_enough_for_a_laptop():
    # Multiplications for one 28x28 image, counted layer by layer.
    assert 14 * 14 * 16 * 16 + 7 * 7 * 32 * 16 * 16 + 1568 * 100 + 100 * 10 < 650_000
    assert sum(p.numel() for p in models.cnn().parameters()) == 166_406


def test_pooling_cnn_sees_the_same_object_wherever_it_stands():
    model, x = models.pooling_cnn((3, 64, 64), 8).eval(), torch.zeros(1, 3, 64, 64)
    x[..., 24:30, 24:30] = torch.rand(3, 6, 6)  # so far from the edge that no convolution sees both
    assert torch.allclose(model(x), model(x.roll((8, 4), (2, 3))), atol=1e-5)
    assert not torch.allclose(model(x), model(torch.zeros_like(x)), atol=1e-5)


def test_pooling_cnn_wants_four_by_four():
    with pytest.raises(ValueError, match=r"at least 4 by 4 pixels; got \(1, 3, 8\)"):
        models.pooling_cnn((1, 3, 8))
