"""The letters: what theta does to them, its gradient, and that the same seed gives the same bits."""

import hashlib
import math
import subprocess
import sys

import pytest
import torch

from advcourse import data, device
from advcourse.data import fonts, glyphs

UPRIGHT = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
COLUMN = {name: at for at, name in enumerate(fonts.RANGES)}


def theta(dtype=torch.float64, **changes):
    row = torch.tensor([UPRIGHT], dtype=dtype)
    for name, value in changes.items():
        row[0, COLUMN[name]] = value
    return row


def centre(image):
    """The centre of the ink, (x, y) in pixels from the middle of the image, y down."""
    at = torch.arange(28, dtype=image.dtype) - 13.5
    ink = image.sum()
    return torch.stack([(image.sum(dim=0) * at).sum() / ink, (image.sum(dim=1) * at).sum() / ink])


def test_there_are_at_least_twenty_faces_that_all_differ():
    faces = fonts.faces()
    assert len(faces) >= 20
    every = torch.arange(len(faces)).repeat_interleave(10)
    images = fonts.decode(every, torch.arange(10).repeat(len(faces)), theta().repeat(len(every), 1))
    distances = torch.cdist(images.flatten(1), images.flatten(1)).fill_diagonal_(9)
    assert distances.min() > 0.5, "a letter looks like another letter, or like itself in another face"
    assert (images.amax(dim=(1, 2, 3)) > 0.3).all()


def test_the_glyphs_are_the_same_bits_everywhere():
    """What networks of the zoo were trained on, and bands measured on: redrawing it is a change of the data set."""
    stored = fonts._glyphs(torch.device("cpu"), torch.float32).numpy()
    assert hashlib.sha256(stored.tobytes()).hexdigest().startswith("63088084645a2742")


def test_loading_needs_neither_matplotlib_nor_anything_that_draws():
    code = (
        "import sys\n"
        "for name in ('matplotlib', 'PIL.ImageDraw', 'PIL.ImageFont', 'PIL._imagingft'): sys.modules[name] = None\n"
        "from advcourse import data; print(data.load('fonts', train=3, test=2).card)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("Fonts: the letters A–J in 23 fonts"), done.stderr


@pytest.mark.parametrize("face", fonts.FACES)
def test_drawing_gives_about_the_glyphs_that_are_shipped(face):
    """Versions of FreeType differ at the edges of a letter, by less than a quarter of the grey values."""
    try:
        drawn = torch.from_numpy(glyphs.draw(face)).double() / 255
    except OSError:
        pytest.skip(f"this matplotlib has no {face}")
    row = fonts._glyphs(torch.device("cpu"), torch.float64)[fonts.FACES.index(face)]
    shipped = torch.cat(list(row), dim=1)
    assert (drawn - shipped).abs().max() < 0.25 and (drawn - shipped).abs().mean() < 0.003


def test_each_letter_is_the_letter_it_is_called():
    """The ten letters of a face are more like those of other faces than like each other: nearest face-mean wins."""
    faces = len(fonts.faces())
    every = torch.arange(faces).repeat_interleave(10)
    images = fonts.decode(every, torch.arange(10).repeat(faces), theta().repeat(len(every), 1)).view(faces, 10, -1)
    nearest = torch.stack([
        torch.cdist(images[face], images[[other for other in range(faces) if other != face]].mean(dim=0)).argmin(dim=1)
        for face in range(faces)
    ])  # fmt: skip
    assert (nearest == torch.arange(10)).double().mean() > 0.9


def test_upright_letters_are_white_on_black_and_centred():
    for face in fonts.faces():
        for letter in fonts.LETTERS:
            image = fonts.decode(face, letter, theta())[0, 0]
            assert image.max() > 0.3 and image[0].max() == image[-1].max() == image[:, 0].max() == image[:,
                                                                                                         -1].max() == 0
            for dim in (0, 1):
                first, last = (image.amax(dim=dim) > 0.03).nonzero()[[0, -1], 0].tolist()
                assert abs(first + last - 27) <= 1, f"{letter} of {face} is more than half a pixel off the centre"


def test_translation_moves_right_and_down():
    image, right, down = (fonts.decode(0, "F", theta(**move))[0, 0]
                          for move in ({}, {"translation_x": 0.2}, {"translation_y": 0.2}))
    assert (centre(right) - centre(image)).tolist() == pytest.approx([2.8, 0], abs=0.02)
    assert (centre(down) - centre(image)).tolist() == pytest.approx([0, 2.8], abs=0.02)


def test_rotation_turns_anticlockwise():
    image = fonts.decode(8, "F", theta())[0, 0]
    turned = fonts.decode(8, "F", theta(rotation=math.pi / 2))[0, 0]
    assert torch.allclose(turned, torch.rot90(image), atol=1e-9)


def test_scale_grows_the_letter():
    image, large = fonts.decode(1, "B", theta()).sum(), fonts.decode(1, "B", theta(scale=1.15)).sum()
    assert (large / image).item() == pytest.approx(1.15**2, rel=0.02)


def test_shear_pushes_each_row_by_its_height():
    image, x, y = (fonts.decode(0, "I", theta(**push))[0, 0] for push in ({}, {"shear_x": 0.5}, {"shear_y": 0.5}))
    at = torch.arange(28, dtype=image.dtype) - 13.5
    rows = slice(9, 19)  # inside the stroke
    def middle(picture):
        return (picture * at).sum(dim=1)[rows] / picture.sum(dim=1)[rows]
    assert torch.allclose(middle(x) - middle(image), 0.5 * at[rows], atol=0.05)
    assert torch.allclose(middle(y), middle(image), atol=0.05), "a vertical stroke stays vertical under shear_y"


def test_the_order_of_the_maps():
    """Translation comes last: a turned letter moves right, not up."""
    both = fonts.decode(2, "E", theta(rotation=1.0, scale=0.8, translation_x=0.2))[0, 0]
    without = fonts.decode(2, "E", theta(rotation=1.0, scale=0.8))[0, 0]
    assert (centre(both) - centre(without)).tolist() == pytest.approx([2.8, 0], abs=0.05)
    sheared = fonts.decode(2, "E", theta(shear_x=0.4))[0, 0]
    assert torch.allclose(fonts.decode(2, "E", theta(shear_x=0.4, rotation=math.pi / 2))[0, 0], torch.rot90(sheared),
                          atol=1e-9)


def test_the_gradient_agrees_with_finite_differences():
    _, y, font, theta = fonts.generate(12, seed=3)
    theta = theta.double().requires_grad_()
    weights = torch.rand(12, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    def score(theta):
        return (fonts.decode(font, y, theta) * weights).sum()
    [gradient] = torch.autograd.grad(score(theta), theta)
    step, numeric = 1e-7, torch.zeros_like(gradient)
    with torch.no_grad():
        for row in range(12):
            for column in range(6):
                change = torch.zeros_like(theta)
                change[row, column] = step
                numeric[row, column] = (score(theta + change) - score(theta - change)) / (2 * step)
    assert gradient.abs().min() > 1e-3
    assert torch.allclose(gradient, numeric, rtol=1e-3, atol=1e-3)


def test_a_step_along_the_gradient_brings_a_letter_back():
    """What the gradient is for: find theta of a given image by descending in the image's distance."""
    goal = theta(translation_x=0.1, shear_x=0.2, rotation=0.3, scale=0.9)
    image = fonts.decode("DejaVuSerif", "G", goal)
    guess = theta().requires_grad_()
    optimizer = torch.optim.Adam([guess], lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        distance = (fonts.decode("DejaVuSerif", "G", guess) - image).square().sum()
        distance.backward()
        optimizer.step()
    assert distance < 0.05
    assert (guess - goal).abs().max() < 0.1


def test_generate_gives_the_latents_that_it_used():
    x, y, font, theta = fonts.generate(2500, seed=5)
    assert x.shape == (2500, 1, 28, 28) and y.shape == font.shape == (2500,) and theta.shape == (2500, 6)
    assert torch.equal(x, fonts.decode(font, y, theta))
    assert x.min() >= 0 and x.max() <= 1
    for column, (low, high) in zip(theta.T, fonts.RANGES.values(), strict=True):
        assert low <= column.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < column.max() <= high
    assert y.bincount(minlength=10).min() > 190 and font.bincount(minlength=len(fonts.faces())).min() > 60


def test_hardly_a_letter_leaves_the_image():
    x, y, font, theta = fonts.generate(3000)
    upright = fonts.decode(font, y, torch.tensor([UPRIGHT]).repeat(3000, 1)).sum(dim=(1, 2, 3))
    area = theta[:, 4] ** 2 * (1 - theta[:, 2] * theta[:, 3])
    lost = 1 - x.sum(dim=(1, 2, 3)) / (upright * area)
    assert (lost > 0.02).float().mean() < 0.04 and lost.max() < 0.4


def test_the_same_seed_gives_the_same_bits():
    """In this process, for any number of images, and in another process with another number of threads."""
    x, y, font, theta = fonts.generate(2100, seed=1)
    again = fonts.generate(2100, seed=1)
    assert all(torch.equal(one, other) for one, other in zip((x, y, font, theta), again, strict=True))
    assert torch.equal(fonts.generate(150, seed=1)[0], x[:150])
    assert not torch.equal(fonts.generate(150, seed=2)[3], theta[:150])
    code = (
        "import hashlib, torch; torch.set_num_threads(2); from advcourse.data import fonts\n"
        "print(hashlib.sha256(fonts.generate(2100, seed=1)[0].numpy().tobytes()).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert hashlib.sha256(x.numpy().tobytes()).hexdigest() == other


def test_generating_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    data.load("fonts", train=10, test=10)
    assert torch.equal(torch.get_rng_state(), before)


def test_spread_shrinks_theta_around_the_upright_letter():
    _, y, font, theta = fonts.generate(500, seed=3)
    x, same_y, same_font, small = fonts.generate(500, seed=3, spread=0.25)
    assert torch.equal(y, same_y) and torch.equal(font, same_font)
    assert torch.allclose(small - fonts.UPRIGHT, 0.25 * (theta - fonts.UPRIGHT), atol=1e-6)
    assert torch.equal(x, fonts.decode(font, y, small))
    for spread in (0, 1.5):
        with pytest.raises(ValueError, match=r"spread must lie in \(0, 1\]"):
            fonts.generate(3, spread=spread)


def test_the_data_set_is_generated_from_two_seeds():
    dataset = data.load("fonts", train=40, test=30, seed=7)
    assert torch.equal(dataset.x_train, fonts.generate(40, seed=14, spread=fonts.LOAD_SPREAD)[0])
    assert torch.equal(dataset.x_test, fonts.generate(30, seed=15, spread=fonts.LOAD_SPREAD)[0])
    assert torch.equal(dataset.y_test, fonts.generate(30, seed=15, spread=fonts.LOAD_SPREAD)[1])
    assert torch.equal(data.load("fonts", train=10, test=10, seed=7).x_train, dataset.x_train[:10])


def test_decode_follows_dtype_and_device():
    where = device.choose()
    dtype = torch.float32 if where.type == "mps" else torch.float64
    image = fonts.decode(3, torch.tensor([1, 2]), torch.tensor([UPRIGHT] * 2, dtype=dtype, device=where))
    assert image.dtype == dtype and image.device.type == where.type
    on_cpu = fonts.decode(torch.tensor([3, 3]), torch.tensor([1, 2]), torch.tensor([UPRIGHT] * 2))
    assert torch.allclose(image.cpu().float(), on_cpu, atol=1e-5)
    assert fonts.decode(0, 0, torch.zeros(0, 6)).shape == (0, 1, 28, 28)


@pytest.mark.parametrize(
    "font, letter, rows, words",
    [
        ("Comic Sans", "A", UPRIGHT, "unknown font 'Comic Sans'"),
        (0, "K", UPRIGHT, "unknown letter 'K'"),
        (0, "AB", UPRIGHT, "unknown letter 'AB'"),
        (99, "A", UPRIGHT, "font must lie in 0"),
        (0, -1, UPRIGHT, "letter must lie in 0 … 9"),
        (torch.zeros(3, dtype=torch.int64), "A", UPRIGHT, "font must be one index or as many"),
        (0, "A", UPRIGHT[:5], "shape \\(N, 6\\)"),
        (0, "A", [0, 0, 0, 0, 0.0, 0], "scale > 0"),
        (0, "A", [0, 0, 2.0, 2.0, 1, 0], "must not flatten"),
        (0, "A", [0, 0, 0, 0, math.nan, 0], "scale > 0"),
    ],
)
def test_wrong_arguments_are_named(font, letter, rows, words):
    with pytest.raises(ValueError, match=words):
        fonts.decode(font, letter, torch.tensor([rows], dtype=torch.float32))


def test_integer_theta_and_no_images_are_refused():
    with pytest.raises(ValueError, match="floating-point"):
        fonts.decode(0, "A", torch.zeros(1, 6, dtype=torch.int64))
    with pytest.raises(ValueError, match="at least 1"):
        fonts.generate(0)
