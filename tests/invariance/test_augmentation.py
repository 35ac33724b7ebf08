"""Batched augmentation, against what public libraries got wrong (the reports are named where a test comes from one)."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from advcourse import device, invariance
from advcourse.data import scenes

DEVICE = device.choose()


def seeded(seed=0):
    return torch.Generator(DEVICE).manual_seed(seed)


def images(n=64, channels=3, height=20, width=26, seed=0, dtype=torch.float32):
    drawn = torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (0.1 + 0.8 * drawn).to(DEVICE, dtype)


# One operation each, as call(x, generator).
OPERATIONS = {
    "left-right": lambda x, g: invariance.apply(x, invariance.draws(len(x), left_right=0.5, generator=g)),
    "top-bottom": lambda x, g: invariance.apply(x, invariance.draws(len(x), top_bottom=0.5, generator=g)),
    "shift": lambda x, g: invariance.apply(x, invariance.draws(len(x), pixels=5, generator=g)),
    "crop": lambda x, g: invariance.apply(x, invariance.draws(len(x), area=(0.08, 1), shape=x.shape[-2:], generator=g)),
    "brightness": lambda x, g: invariance.apply(x, invariance.draws(len(x), brightness=0.5, generator=g)),
    "contrast": lambda x, g: invariance.apply(x, invariance.draws(len(x), contrast=0.5, generator=g)),
    "saturation": lambda x, g: invariance.apply(x, invariance.draws(len(x), saturation=0.5, generator=g)),
    "hue": lambda x, g: invariance.apply(x, invariance.draws(len(x), hue=0.1, generator=g)),
    "noise": lambda x, g: invariance.add_noise(x, 0.1, generator=g),
    "erase": lambda x, g: invariance.erase(x, invariance.crop_boxes(len(x), area=(0.1, 0.3), generator=g), generator=g),
    "everything": lambda x, g: invariance.apply(x, invariance.draws(
        len(x), left_right=0.5, top_bottom=0.5, pixels=2, area=(0.08, 1), shape=x.shape[-2:], brightness=0.5,
        contrast=0.5, saturation=0.5, hue=0.1, generator=g)),
}
COLOURS = ("saturation", "hue", "everything")


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_image_gets_its_own_numbers(name):
    """pytorch/vision #2929, #8484: one draw for the whole batch."""
    same = images(1).expand(64, -1, -1, -1)
    out = OPERATIONS[name](same, seeded())
    kinds = len(out.flatten(1).unique(dim=0))
    assert kinds == 2 if name in ("left-right", "top-bottom") else kinds >= 40


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_generator_is_the_only_source_of_chance(name):
    """pytorch #5059, #3880: NumPy's state; Lightning #20412: every epoch alike. Nobody else's numbers are touched."""
    x, operation = images(), OPERATIONS[name]
    np.random.seed(0), torch.manual_seed(0)
    before = torch.get_rng_state()
    generator = seeded(1)
    first, second = operation(x, generator), operation(x, generator)
    assert torch.equal(torch.get_rng_state(), before)
    np.random.seed(1), torch.manual_seed(1)
    assert torch.equal(operation(x, seeded(1)), first)
    assert not torch.equal(first, second) and not torch.equal(operation(x, seeded(2)), first)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (1, 3, 8, 8), (3, 3, 1, 9), (3, 3, 9, 1), (2, 3, 1, 1)])
def test_any_batch_and_an_axis_of_one_pixel(name, shape):
    """kornia #4751: NaN where an axis has one pixel."""
    x = torch.rand(shape, device=DEVICE)
    out = OPERATIONS[name](x, seeded())
    assert out.shape == x.shape and out.isfinite().all() and ((out >= 0) & (out <= 1)).all()


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_finite_values_and_gradients_for_black_white_and_grey(name, dtype):
    """khdlr/augmax #4: NaN after grey; kornia #4560: NaN for black in float16."""
    greys = torch.tensor([0.0, 1.0, 0.5, 0.25], dtype=dtype, device=DEVICE).repeat_interleave(4)
    x = greys.view(-1, 1, 1, 1).repeat(1, 3, 6, 6).requires_grad_()
    out = OPERATIONS[name](x, seeded())
    assert out.dtype == dtype and out.isfinite().all() and out.min() >= 0 and out.max() <= 1
    out.float().sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", OPERATIONS)
def test_arguments_stay_as_they_were_and_need_not_be_contiguous(name):
    """Megvii YOLOX PR #275: inputs were changed."""
    x = images().transpose(2, 3)
    copy, version = x.clone(), x._version
    out = OPERATIONS[name](x, seeded())
    assert torch.equal(x, copy) and x._version == version and out.data_ptr() != x.data_ptr()
    assert torch.equal(out, OPERATIONS[name](x.contiguous(), seeded()))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("x, said", [
    (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), "for uint8: x / 255"),
    (torch.full((2, 3, 4, 4), 200.0), "values from 200 to 200"),
    (torch.full((2, 3, 4, 4), -0.5), "values from -0.5"),
    (torch.full((2, 3, 4, 4), math.nan), "values from nan"),
    (torch.zeros(3, 4, 4), r"one image: x\[None\]"),
])
def test_images_of_another_range_are_refused(name, x, said):
    """pytorch/vision #4915: floats above 1 saturate in silence; pytorch #6390: scaled by their type."""
    with pytest.raises(ValueError, match=said):
        OPERATIONS[name](x.to(DEVICE), seeded())


def test_one_channel_has_light_but_no_colours():
    """kornia #1759: one channel fails even where the hue is not changed."""
    x = images(channels=1)
    for name in OPERATIONS.keys() - set(COLOURS):
        assert OPERATIONS[name](x, seeded()).shape == x.shape
    for name in COLOURS:
        with pytest.raises(ValueError, match="3 channels, red, green and blue; got 1"):
            OPERATIONS[name](x, seeded())
    coloured = invariance.recolour(x.expand(-1, 3, -1, -1), brightness=1.3, contrast=0.6, saturation=1.2, hue=0.3)
    assert torch.allclose(invariance.recolour(x, brightness=1.3, contrast=0.6), coloured[:, :1], atol=1e-6)


def test_gradients_are_right():
    x = images(3, height=5, width=7, dtype=torch.float64).requires_grad_()
    drawn = invariance.draws(3, left_right=0.5, pixels=1, area=(0.3, 1), shape=(5, 7), brightness=0.1, contrast=0.3,
                             saturation=0.3, hue=0.1, generator=seeded(3))
    assert torch.autograd.gradcheck(lambda images: invariance.apply(images, drawn), (x,))


# flips and shifts


def test_flips():
    x = images()
    which = torch.rand(64, generator=seeded(1), device=DEVICE) < 0.5
    for direction, axis in (("left-right", 3), ("top-bottom", 2)):
        once = invariance.flip(x, which, direction)
        assert torch.equal(once[which], x[which].flip(axis)) and torch.equal(once[~which], x[~which])
        assert torch.equal(invariance.flip(once, which, direction), x)  # twice is nothing, bit for bit
    drawn = invariance.draws(20_000, left_right=0.3, generator=seeded())
    assert drawn.left_right.double().mean().item() == pytest.approx(0.3, abs=0.015) and drawn.top_bottom is None


def test_a_shift_moves_whole_pixels_and_repeats_the_edge():
    x = images(3)
    by = torch.tensor([[3, -2], [0, 0], [-1, 4]], device=DEVICE)
    moved = invariance.shift(x, by)
    assert torch.equal(moved[0, :, :-2, 3:], x[0, :, 2:, :-3]) and torch.equal(moved[1], x[1])
    assert torch.equal(moved[2, :, 4:, :-1], x[2, :, :-4, 1:])
    assert torch.equal(moved[0, :, 5, :3], x[0, :, 7, :1].expand(-1, 3))
    drawn = invariance.draws(30_000, pixels=2, generator=seeded()).by
    shares = torch.stack([drawn.flatten().eq(value).double().mean() for value in range(-2, 3)])
    assert drawn.abs().max() == 2 and (shares - 0.2).abs().max() < 0.01


# crops


@pytest.mark.parametrize("shape", [(32, 32), (24, 40), (50, 30)])
def test_boxes_have_the_areas_and_aspects_that_they_should(shape):
    """torchvision PR #343: the aspect's logarithm is uniform; kornia #927: shares of the input, H ≠ W; #680: each its
    own."""
    boxes = invariance.crop_boxes(10_000, shape=shape, generator=seeded()).double()
    left, top, wide, high = boxes.unbind(1)
    area, aspect = wide * high, ((wide * shape[1]) / (high * shape[0])).log()
    assert boxes.min() >= 0 and (left + wide).max() <= 1 + 1e-6 and (top + high).max() <= 1 + 1e-6
    assert 0.08 - 1e-6 < area.min() < 0.09 and area.max() <= 1 + 1e-6
    assert aspect.abs().max() <= math.log(4 / 3) + 1e-5
    if shape[0] == shape[1]:
        assert abs(aspect.median()) < 0.02 and abs((aspect > 0).double().mean() - 0.5) < 0.02
        small = aspect[area < 0.5]  # all of these fit, so that nothing was drawn again
        assert small.std() == pytest.approx(2 * math.log(4 / 3) / math.sqrt(12), rel=0.03)
        assert area[area < 0.5].mean() == pytest.approx(0.29, abs=0.01)  # uniform
    room = 1 - wide > 0.2
    place = (left / (1 - wide))[room]
    assert place.mean() == pytest.approx(0.5, abs=0.02) and place.std() == pytest.approx(1 / math.sqrt(12), rel=0.03)
    assert area.std() > 0.15 and aspect.std() > 0.1
    assert abs(torch.corrcoef(torch.stack([area, aspect]))[0, 1]) < 0.05 or shape[0] != shape[1]


def test_boxes_that_never_fit_are_cut_to_the_image():
    boxes = invariance.crop_boxes(500, area=(0.9, 1), aspect=(3, 4), generator=seeded())
    assert torch.equal(boxes[:, 2], torch.ones(500, device=DEVICE)) and (boxes[:, 3] < 0.6).all()


def test_the_whole_image_as_a_box_changes_nothing():
    """kornia #4412: conventions of the corners were mixed."""
    for height, width in ((20, 26), (7, 7), (1, 5)):
        x = images(4, height=height, width=width)
        whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]], device=DEVICE).expand(4, 4)
        assert (invariance.resized_crop(x, whole) - x).abs().max() < 1e-5


def test_a_crop_of_a_ramp_is_the_ramp_that_it_should_be():
    height, width = 20, 40
    across, down = (torch.arange(width) + 0.5) / width, (torch.arange(height) + 0.5) / height
    ramps = torch.stack([across.expand(height, -1), down[:, None].expand(-1, width)])[None].to(DEVICE)
    left, top, wide, high = 0.3, 0.15, 0.5, 0.7
    out = invariance.resized_crop(ramps, torch.tensor([[left, top, wide, high]], device=DEVICE))[0]
    assert torch.allclose(out[0], (left + wide * across).to(DEVICE).expand(height, -1), atol=1e-5)
    assert torch.allclose(out[1], (top + high * down)[:, None].to(DEVICE).expand(-1, width), atol=1e-5)


def test_half_precision_crops_where_full_precision_does():
    x = images(4, height=3, width=900)
    boxes = invariance.crop_boxes(4, generator=seeded())
    assert (invariance.resized_crop(x.half(), boxes).float() - invariance.resized_crop(x, boxes)).abs().max() < 2e-3


@pytest.mark.parametrize("height, width", [(20, 20), (21, 33), (16, 9)])
def test_a_point_lands_where_its_box_says(height, width):
    """kornia #3306: the matrix was not what was done."""
    boxes = invariance.crop_boxes(200, shape=(height, width), area=(0.2, 1), generator=seeded())
    row, column = height // 2, width // 3
    x = torch.zeros(200, 1, height, width, device=DEVICE)
    x[:, :, row, column] = 1
    out = invariance.resized_crop(x, boxes)[:, 0]
    left, top, wide, high = boxes.unbind(1)
    wanted_x, wanted_y = ((column + 0.5) / width - left) / wide * width, ((row + 0.5) / height - top) / high * height
    visible = (wanted_x > 3) & (wanted_x < width - 3) & (wanted_y > 3) & (wanted_y < height - 3)
    mass = out.sum((1, 2))
    at_x = (out.sum(1) * (torch.arange(width, device=DEVICE) + 0.5)).sum(1) / mass
    at_y = (out.sum(2) * (torch.arange(height, device=DEVICE) + 0.5)).sum(1) / mass
    assert visible.sum() > 20
    assert (at_x - wanted_x)[visible].abs().max() < 0.5 and (at_y - wanted_y)[visible].abs().max() < 0.5


@pytest.mark.parametrize("box", [(-0.1, 0, 1, 1), (0, 0, 1.2, 1), (0.5, 0, 0.6, 0.5), (0, 0.5, 0.5, 0.6), (0, 0, 8, 8)])
def test_a_box_that_leaves_the_image_is_refused(box):
    """pytorch/vision #2950: seen from further away, unsmoothed images alias. There is no such thing here."""
    with pytest.raises(ValueError, match="boxes must lie inside the image"):
        invariance.resized_crop(images(1), torch.tensor([box], device=DEVICE, dtype=torch.float32))


# labels of pixels


def test_labels_move_with_their_image_and_none_is_invented():
    """kornia #1676, albumentations #66: interpolated masks hold new labels; Augmentor #188: masks by draws of their
    own."""
    drawn_scenes = scenes.render(scenes.latents(64, 1))
    labels = drawn_scenes.labels.to(DEVICE)
    drawn = invariance.draws(64, left_right=0.5, top_bottom=0.5, pixels=3, area=(0.08, 1), shape=(32, 32),
                             brightness=0.5, hue=0.1, generator=seeded())
    moved = invariance.apply_to_labels(labels, drawn)
    assert moved.dtype == labels.dtype and moved.shape == labels.shape and not torch.equal(moved, labels)
    for before, after in zip(labels, moved, strict=True):
        assert set(after.unique().tolist()) <= set(before.unique().tolist())
    kinds = len(scenes.LABELS)
    planes = F.one_hot(labels, kinds).movedim(-1, 1).float()
    still = invariance.Draws(drawn.left_right, drawn.top_bottom, drawn.by, drawn.boxes)
    seen = invariance.apply(planes.flatten(0, 1)[:, None].expand(-1, 1, -1, -1), invariance.Draws(*(
        None if value is None else value.repeat_interleave(kinds, 0) for value in vars(still).values())))
    sure, where = seen.view(64, kinds, 32, 32).max(1)
    assert (where == moved)[sure > 0.6].double().mean() > 0.99
    nothing = invariance.Draws()
    assert torch.equal(invariance.apply_to_labels(labels, nothing), labels)


# colours


def test_grey_stays_the_same_grey_for_every_hue_and_saturation():
    """rapidsai/cucim #490: the hue of a grey image gave black."""
    greys = torch.linspace(0, 1, 50, device=DEVICE).view(-1, 1, 1, 1).repeat(1, 3, 4, 4)
    for seed in range(5):
        hue = torch.rand(50, generator=seeded(seed), device=DEVICE) - 0.5
        out = invariance.recolour(greys, hue=hue, saturation=1 + 2 * hue.abs())
        assert (out - greys).abs().max() <= 1e-6


def test_factors_of_one_and_no_turn_change_nothing_and_a_whole_turn_comes_back():
    x = images()
    one = torch.ones(64, device=DEVICE)
    same = invariance.recolour(x, brightness=one, contrast=one, saturation=one, hue=0 * one)
    assert (same - x).abs().max() < 1e-6
    x = 0.4 + 0.2 * x
    turned = x
    for _ in range(4):
        turned = invariance.recolour(turned, hue=0.25)
    assert (turned - x).abs().max() < 1e-5 and (invariance.recolour(x, hue=0.25) - x).abs().max() > 0.05


def test_each_factor_does_what_its_name_says():
    x = 0.35 + 0.3 * images()  # nothing is clamped
    luma = torch.tensor([0.299, 0.587, 0.114], device=DEVICE).view(3, 1, 1)

    def of(images):
        return (images * luma).sum(1, keepdim=True)

    factor = torch.linspace(0.5, 1.5, 64, device=DEVICE)
    f = factor.view(-1, 1, 1, 1)
    assert torch.allclose(invariance.recolour(x, brightness=factor), f * x, atol=1e-6)
    mean = of(x).mean((2, 3), keepdim=True)
    assert torch.allclose(invariance.recolour(x, contrast=factor), mean + f * (x - mean), atol=1e-6)
    assert torch.allclose(invariance.recolour(x, saturation=factor), of(x) + f * (x - of(x)), atol=1e-5)
    assert torch.allclose(of(invariance.recolour(x, hue=factor)), of(x), atol=1e-5)
    red = torch.tensor([0.7, 0.3, 0.3], device=DEVICE).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    turned = [invariance.recolour(red, hue=turn)[0, :, 0, 0].argmax().item() for turn in (0.0, 1 / 3, 2 / 3)]
    assert turned[0] == 0 and sorted(turned) == [0, 1, 2]
    in_turn = invariance.recolour(invariance.recolour(invariance.recolour(x, brightness=0.9), contrast=0.8), hue=0.1)
    assert torch.allclose(invariance.recolour(x, brightness=0.9, contrast=0.8, hue=0.1), in_turn, atol=1e-6)
    assert invariance.recolour(x, brightness=10.0).max() == 1


def test_factors_fill_their_range():
    drawn = invariance.draws(10_000, brightness=0.5, contrast=0.2, saturation=1.0, hue=0.1, generator=seeded())
    for name, strength in (("brightness", 0.5), ("contrast", 0.2), ("saturation", 1.0), ("hue", 0.1)):
        values, middle = getattr(drawn, name).double(), name != "hue"
        assert values.min() == pytest.approx(middle - strength, abs=0.002 * strength + 1e-6)
        assert values.max() == pytest.approx(middle + strength, abs=0.002 * strength + 1e-6)
        assert values.std() == pytest.approx(2 * strength / math.sqrt(12), rel=0.03)


# noise and erasing


def test_noise_has_its_standard_deviation_and_erasing_leaves_the_rest_alone():
    x = torch.full((40, 3, 30, 30), 0.5, device=DEVICE)
    std = torch.linspace(0.01, 0.1, 40, device=DEVICE)
    noisy = invariance.add_noise(x, std, generator=seeded())
    assert torch.allclose((noisy - x).flatten(1).std(1), std, rtol=0.1)
    boxes = torch.tensor([[0.5, 0.1, 0.25, 0.5]], device=DEVICE).expand(40, 4)
    erased = invariance.erase(x, boxes, generator=seeded()) != x
    assert erased.any(1)[:, 3:18, 15:22].all() and not erased[:, :, :3].any() and not erased[..., 23:].any()
    assert erased[:, :, 18:].sum() == 0 and erased[..., :15].sum() == 0  # H and W are not swapped


@pytest.mark.parametrize("call, said", [
    (lambda x: invariance.flip(x, torch.ones(3, dtype=torch.bool)), "which must be 2 bools"),
    (lambda x: invariance.flip(x, torch.ones(2)), "which must be 2 bools"),
    (lambda x: invariance.flip(x, torch.ones(2, dtype=torch.bool), "diagonal"), "direction must be"),
    (lambda x: invariance.shift(x, torch.zeros(2, 2)), "whole numbers of pixels"),
    (lambda x: invariance.crop_boxes(2, area=(0, 1), generator=torch.Generator()), "0 < least <= most <= 1"),
    (lambda x: invariance.crop_boxes(2, aspect=(2, 1), generator=torch.Generator()), "aspect must be a range"),
    (lambda x: invariance.resized_crop(x, torch.zeros(3, 4)), r"boxes must have shape \(2, 4\)"),
    (lambda x: invariance.recolour(x, brightness=-1.0), "brightness must be at least 0; got -1"),
    (lambda x: invariance.recolour(x, hue=torch.zeros(5)), "one for each of the 2 images"),
    (lambda x: invariance.draws(2, left_right=1.5, generator=torch.Generator()), r"left_right must lie in \[0, 1\]"),
    (lambda x: invariance.draws(2, pixels=-1, generator=torch.Generator()), "pixels must be a whole number"),
])
def test_arguments_that_cannot_be_are_said(call, said):
    with pytest.raises(ValueError, match=said):
        call(torch.rand(2, 3, 4, 4))
