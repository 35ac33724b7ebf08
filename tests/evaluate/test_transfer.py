"""Transfer matrices against loops written out, and gradients' cosines against their definition."""

from functools import partial

import pytest
import torch
from torch import nn

from advcourse import evaluate
from advcourse.attacks import fgsm


def problem(seed=0):
    """Two linear models, images, labels that are right for most."""
    generator = torch.Generator().manual_seed(seed)
    networks = {}
    for name in ("one", "two"):
        networks[name] = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).requires_grad_(False)
        networks[name][1].weight.copy_(torch.randn(3, 16, generator=generator))
        networks[name][1].bias.zero_()
    networks["two"][1].weight.add_(networks["one"][1].weight)
    x = torch.rand(40, 1, 4, 4, generator=generator)
    y = networks["one"](x).argmax(1)
    y[::3] = (y[::3] + 1) % 3
    return networks, x, y


@pytest.mark.parametrize("measure", ["error", "fooled", "reached"])
def test_every_cell_is_the_share_counted_one_by_one(measure):
    networks, x, y = problem()
    sources = {name: partial(fgsm, model, eps=0.04) for name, model in networks.items()}
    matrix = evaluate.transfer_matrix(sources, networks, x, y, measure=measure, batch_size=7)
    assert matrix.shape == (2, 2) and matrix.dtype == torch.float64
    for row, source in zip(matrix, sources.values(), strict=True):
        x_adv = source(x, y)
        for cell, target in zip(row, networks.values(), strict=True):
            outcomes = []
            for clean, adversarial, label in zip(x, x_adv, y, strict=True):
                before, after = (target(image[None]).argmax() == label for image in (clean, adversarial))
                if measure == "error":
                    outcomes.append(not after)
                elif measure == "reached":
                    outcomes.append(bool(after))
                elif before:
                    outcomes.append(not after)
            assert cell == pytest.approx(sum(outcomes) / len(outcomes))
    assert matrix.min() > 0 and matrix.max() < 1, "a test that cannot tell these apart proves nothing"


def test_a_finished_set_of_images_is_a_source_and_rows_are_sources():
    networks, x, y = problem()
    x_adv = fgsm(networks["one"], x, y, eps=0.04)
    from_tensor = evaluate.transfer_matrix({"one": x_adv}, networks, x, y)
    from_attack = evaluate.transfer_matrix({"one": partial(fgsm, networks["one"], eps=0.04)}, networks, x, y)
    assert torch.equal(from_tensor, from_attack)
    assert from_tensor.shape == (1, 2) and from_tensor[0, 0] != from_tensor[0, 1]


def test_a_target_that_is_always_wrong_has_no_share_of_fooled():
    _networks, x, y = problem()
    never = {"never": lambda images: nn.functional.one_hot((y + 1) % 3, 3).float()}
    assert evaluate.transfer_matrix({"x": x}, never, x, y, measure="fooled").isnan().all()


def test_wrong_arguments_of_a_matrix_are_named():
    networks, x, y = problem()
    for arguments, words in ((({}, networks, x, y), "0 sources, 2 targets"),
                             (({"x": x}, networks, x, y[:3]), r"labels of shape \(3,\)"),
                             (({"x": x[:2]}, networks, x, y), r"shape of x, \(40, 1, 4, 4\); got \(2, 1, 4, 4\)")):
        with pytest.raises(ValueError, match=words):
            evaluate.transfer_matrix(*arguments)
    with pytest.raises(ValueError, match="measure must be 'error', 'fooled' or 'reached'; got 'success'"):
        evaluate.transfer_matrix({"x": x}, networks, x, y, measure="success")


def test_similarity_is_the_mean_cosine_of_the_loss_gradients():
    networks, x, y = problem()
    similarity = evaluate.gradient_similarity(networks, x, y)

    def gradient(model, image, label):
        image = image[None].clone().requires_grad_()
        return torch.autograd.grad(nn.functional.cross_entropy(model(image), label[None]), image)[0].flatten()

    cosines = [torch.cosine_similarity(*(gradient(model, image, label) for model in networks.values()), dim=0)
               for image, label in zip(x, y, strict=True)]
    assert similarity[0, 1].item() == pytest.approx(torch.stack(cosines).mean().item(), abs=1e-5)
    assert torch.allclose(similarity.diagonal(), torch.ones(2, dtype=torch.float64),
                          atol=1e-6) and torch.equal(similarity, similarity.T)


def test_a_model_and_its_opposite_have_opposite_gradients_and_nothing_changes():
    networks, x, y = problem()
    model = networks["one"].train()
    def binary(sign):
        return lambda images: sign * torch.stack([images.flatten(1).sum(1), -images.flatten(1).sum(1)], 1)
    assert evaluate.gradient_similarity({"up": binary(1), "down": binary(-1)}, x, y % 2)[0, 1] == pytest.approx(-1)
    evaluate.gradient_similarity({"one": model}, x, y)
    assert model.training and not x.requires_grad
