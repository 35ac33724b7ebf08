"""Images that became another class: inside the ball, chosen as by hand; a robust network keeps the old answer."""

import pytest
import torch

from advcourse import data, zoo
from advcourse.invariance.too_invariant import towards_another_class
from advcourse.models.inference import predict


def sets(seed=0, count=6, train=40):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, 1, 4, 4, generator=generator), torch.randint(3, (count,), generator=generator),
            torch.rand(train, 1, 4, 4, generator=generator), torch.randint(3, (train,), generator=generator))


@pytest.mark.parametrize("candidates", [1, 5, 100])
def test_the_image_is_that_of_the_formula(candidates):
    x, y, x_train, y_train = sets()
    found, labels = towards_another_class(x, y, x_train, y_train, eps=0.25, candidates=candidates)
    for image, label, blended, new in zip(x, y, found, labels, strict=True):
        others = sorted((t for t, k in zip(x_train, y_train, strict=True) if k != label),
                        key=lambda t, image=image: (t - image).norm())[:candidates]
        rest = [((t - image).abs() - 0.25).clamp_min(0).norm() for t in others]
        best = others[rest.index(min(rest))]
        assert torch.allclose(blended, image + (best - image).clamp(-0.25, 0.25), atol=1e-6)
        assert new == y_train[(x_train == best).flatten(1).all(1)][0] != label
    assert (found - x).abs().max() <= 0.25 and found.min() >= 0 and found.max() <= 1


def test_with_all_of_the_room_it_is_the_other_image():
    x, y, x_train, y_train = sets()
    found, labels = towards_another_class(x, y, x_train, y_train, eps=1.0)
    assert all((x_train[y_train == label] == image).flatten(1).all(1).any()
               for image, label in zip(found, labels, strict=True))
    assert torch.equal(towards_another_class(x, y, x_train, y_train, eps=0.0)[0], x)


def test_a_robust_network_keeps_the_old_answer_on_digits():
    with data.time_limit(0):
        mnist = data.load("mnist", train=5000, test=150)
    x, y, robust, cnn = mnist.x_test, mnist.y_test, zoo.load("mnist-robust"), zoo.load("mnist-cnn")
    x_new, labels = towards_another_class(x, y, mnist.x_train, mnist.y_train, eps=0.4)
    assert (x_new - x).abs().max() <= 0.4
    kept = [(predict(model, x_new).argmax(1) == y).double().mean() for model in (cnn, robust)]
    assert kept[1] >= 0.7 and kept[1] >= kept[0] + 0.1
    assert (predict(cnn, x_new).argmax(1) == labels).double().mean() >= 0.2


def test_what_does_not_fit_is_named():
    x, y, x_train, y_train = sets()
    with pytest.raises(ValueError, match="other classes than each of y's"):
        towards_another_class(x[:1], y[:1], x_train, y[:1].expand(len(x_train)), eps=0.1)
    with pytest.raises(ValueError, match="eps"):
        towards_another_class(x, y, x_train, y_train, eps=-1)
    with pytest.raises(ValueError, match="candidates"):
        towards_another_class(x, y, x_train, y_train, eps=0.1, candidates=0)
