"""Every planted defence: as accurate as the model, "robust" against the naive attack, broken by the right one."""

import warnings

import pytest
import torch

from advcourse import attacks, data, models, training, zoo
from advcourse.defenses import masking
from advcourse.models.inference import accuracy

EPS = {"mnist": 0.1, "fonts": 0.1}
PLANTS = ("saturated", "distilled", "quantised", "jpeg_compressed", "stepped", "rippled", "dithered")


@pytest.fixture(scope="module", params=["mnist", "fonts"])
def base(request):
    """(name, model, x, y, images to distil on)."""
    dataset = data.load(request.param)
    model = zoo.load(f"{request.param}-mlp")
    right = (model(dataset.x_test[:80]).argmax(1) == dataset.y_test[:80]).nonzero()[:50, 0]
    return request.param, model, dataset.x_test[right], dataset.y_test[right], dataset.x_train[:3000]


def planted(name, model, x_train):
    if name != "distilled":
        return getattr(masking, name)(model)
    with training.seeded(0):
        student = models.mlp()
    return masking.distilled(model, student, x_train)


def naive(defended, x, y, eps, plant):
    """What a hurried author reports: FGSM, and PGD from the image where the gradients seem to be fine."""
    return attacks.fgsm(defended, x, y,
                        eps=eps) if plant == "stepped" else attacks.bim(defended, x, y, eps=eps, steps=10)


def right(defended, model, x, y, eps, plant):
    """The attack that the docstring names."""
    if plant in ("saturated", "distilled"):
        return attacks.apgd(defended, x, y, eps=eps, loss="dlr", steps=40)
    if plant in ("quantised", "jpeg_compressed", "rippled"):
        return attacks.pgd(masking.bpda(defended, model), x, y, eps=eps, steps=20)
    if plant == "stepped":
        return attacks.pgd(defended, x, y, eps=eps, steps=40, restarts=2)
    return attacks.eot(defended, x, y, eps=eps, transform=lambda images: images, samples=16, steps=20)


@pytest.mark.parametrize("plant", PLANTS)
def test_shown_robust_by_a_naive_attack_and_broken_by_the_right_one(base, plant):
    name, model, x, y, x_train = base
    defended, eps = planted(plant, model, x_train), EPS[name]
    assert accuracy(defended, x, y) >= 0.85
    if plant != "jpeg_compressed":  # there the naive attack cannot even run
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            shown = accuracy(defended, naive(defended, x, y, eps, plant), y)
        assert shown >= 0.4, f"the naive attack leaves {shown:.0%}"
    left = accuracy(defended, right(defended, model, x, y, eps, plant), y)
    assert left <= 0.2, f"the right attack leaves {left:.0%}"


def test_the_jpeg_defence_has_no_gradient(base):
    _, model, x, y, _ = base
    with pytest.raises(ValueError, match="carry no gradient"):
        attacks.fgsm(masking.jpeg_compressed(model), x, y, eps=0.1)


def test_black_box_search_and_transfer_break_what_has_no_gradient(base):
    name, model, x, y, _ = base
    defended, eps = masking.jpeg_compressed(model), EPS[name]
    assert accuracy(defended, attacks.square(defended, x, y, eps=eps, queries=300), y) <= 0.2
    assert accuracy(defended, attacks.pgd(model, x, y, eps=eps, steps=20), y) <= 0.2


def test_more_steps_average_the_noise_away(base):
    name, model, x, y, _ = base
    defended = masking.dithered(model)
    few, many = (accuracy(defended, attacks.pgd(defended, x, y, eps=EPS[name], steps=steps, step_size=EPS[name] / 10),
                          y) for steps in (10, 150))
    assert many <= 0.35 and many < few - 0.2


def test_bpda_answers_as_the_defence_and_slopes_as_the_substitute(base):
    _, model, x, _y, _ = base
    defended = masking.quantised(model)
    attacked = masking.bpda(defended, model)
    images = x[:5].clone().requires_grad_()
    assert torch.allclose(attacked(images), defended(x[:5]), atol=1e-5)
    slope, = torch.autograd.grad(attacked(images)[:, 0].sum(), images)
    wanted, = torch.autograd.grad(model(images)[:, 0].sum(), images)
    assert torch.equal(slope, wanted) and wanted.any()


def test_the_temperature_makes_the_student_sure(base):
    _, model, x, _, x_train = base
    student = planted("distilled", model, x_train)

    def lead(logits):
        return logits.topk(2).values.diff().abs().median()

    assert lead(student(x)) > 10 * lead(model(x))
    assert not any(parameter.requires_grad for parameter in student.parameters())


def test_dithering_repeats_with_its_generator_and_leaves_the_global_one_alone(base):
    _, model, x, _, _ = base
    state = torch.get_rng_state()
    first, second = (masking.dithered(model, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    answer = first(x)
    assert torch.equal(answer, second(x)) and not torch.equal(answer, first(x))
    assert torch.equal(torch.get_rng_state(), state)
