"""Predictions and accuracies against loops written out, and nothing of the model changed."""

import pytest
import torch
from torch import nn

from advcourse import evaluate


def noisy_model():
    """Batch norm and dropout behave differently in training mode: they give away a forgotten eval()."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 3))


def test_predict_equals_the_model_image_by_image_in_evaluation_mode():
    model, x = noisy_model(), torch.rand(11, 1, 4, 4)
    logits = evaluate.predict(model, x, batch_size=4)
    model.eval()
    assert torch.allclose(logits, torch.cat([model(image[None]) for image in x]), atol=1e-6)
    assert not logits.requires_grad


def test_predict_leaves_modes_buffers_gradients_and_random_state_alone():
    model, x = noisy_model(), torch.rand(11, 1, 4, 4)
    model[1].eval()  # a frozen batch norm inside a model in training mode must stay frozen
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    state = torch.get_rng_state()
    evaluate.predict(model, x)
    assert [module.training for module in model] == [True, False, True, True] and model.training
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in model.named_buffers())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_modes_come_back_after_an_error_too():
    model = noisy_model()
    with pytest.raises(RuntimeError):
        evaluate.predict(model, torch.rand(2, 1, 5, 5))
    assert model.training and all(module.training for module in model)


def test_predict_moves_images_to_the_model_and_logits_back():
    # The meta device stands in for a second device where there is no GPU: it computes shapes only.
    on_cpu = evaluate.predict(nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), torch.rand(5, 1, 4, 4, device="cpu"))
    assert on_cpu.device.type == "cpu"
    seen = []

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.empty(1, device="meta"))

        def forward(self, x):
            seen.append(x.device.type)
            return torch.zeros(len(x), 3)  # a copy out of the meta device is impossible

    assert evaluate.predict(Spy(), torch.rand(5, 1, 4, 4)).device.type == "cpu"
    assert seen == ["meta"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_model_on_the_gpu_images_on_the_cpu():
    model, x = noisy_model().eval(), torch.rand(11, 1, 4, 4)
    expected = model(x)
    logits = evaluate.predict(model.cuda(), x)
    assert logits.device == x.device and torch.allclose(logits, expected, atol=1e-4)
    assert evaluate.accuracy(model, x, expected.argmax(1)) == 1.0


def test_any_callable_is_a_model():
    x = torch.rand(7, 3, 2, 2)
    assert torch.equal(evaluate.predict(lambda images: images.mean((2, 3)), x, batch_size=3), x.mean((2, 3)))


def test_accuracy_equals_a_count_by_hand():
    x = torch.rand(101, 3, 2, 2)
    y = torch.randint(3, (101,))
    answers = [max(range(3), key=image.mean(dim=(1, 2)).tolist().__getitem__) for image in x]
    right = sum(answer == label for answer, label in zip(answers, y.tolist(), strict=True))
    assert 0 < right < 101
    assert evaluate.accuracy(lambda images: images.mean((2, 3)), x, y,
                             batch_size=10) == pytest.approx(right / 101, abs=1e-15)


def test_wrong_arguments_say_what_is_wanted():
    def model(images):
        return images.mean((2, 3))

    x = torch.rand(4, 3, 2, 2)
    with pytest.raises(ValueError, match=r"4 images and labels of shape \(3,\)"):
        evaluate.accuracy(model, x, torch.zeros(3))
    with pytest.raises(ValueError, match=r"labels of shape \(4, 1\)"):
        evaluate.accuracy(model, x, torch.zeros(4, 1))
    with pytest.raises(ValueError, match="at least one image"):
        evaluate.accuracy(model, x[:0], torch.zeros(0))
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        evaluate.predict(model, x, batch_size=0)
