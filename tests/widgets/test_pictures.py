"""Pictures and the widget: alt text, size, colours, and that moving something changes what is seen."""

import base64
import io
import re
import wave

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from advcourse import plots, widgets
from advcourse.notebook import series
from advcourse.pipeline import masters
from advcourse.widgets import taxonomy

CLASSES = ("left", "right")


def model():
    """Class "right" where the right half is brighter."""
    linear = nn.Linear(16, 2)
    side = torch.tensor([[-1.0, -1, 1, 1]] * 4).flatten()
    with torch.no_grad():
        linear.weight.copy_(torch.stack([-side, side]))
        linear.bias.zero_()
    return nn.Sequential(nn.Flatten(), linear)


@pytest.fixture
def shown(monkeypatch):
    """What is displayed."""
    import IPython.display

    displayed = []
    monkeypatch.setattr(IPython.display, "display", lambda thing, **options: displayed.append(thing))
    return displayed


def decoded(picture):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)",
                                                                       picture)[1]))).convert("RGB"))


def test_a_figure_carries_its_alt_text_and_the_data_sets_name(shown, monkeypatch):
    monkeypatch.setattr(plots, "data_name", "digits")
    figure = plots.images([torch.rand(3, 1, 4, 4)])
    plots.show(figure, "Three", alt='one & "two"')
    assert 'alt="one &amp; &quot;two&quot;"' in shown[0]["text/html"] and "Three" in shown[0]["text/plain"]
    assert figure.get_suptitle() == "Three · digits"


def test_a_coarser_image_stands_beside_the_html_for_a_pdf(shown):
    plots.show(plots.images([torch.rand(3, 1, 4, 4)]), "Three", alt="one")
    [sharp] = re.findall('base64,([^"]+)', shown[0]["text/html"])
    printed = Image.open(io.BytesIO(base64.b64decode(shown[0]["image/png"])))
    ratio = Image.open(io.BytesIO(base64.b64decode(sharp))).width / printed.width
    assert ratio == pytest.approx(plots.SHARP / plots.PRINTED, rel=0.01)
    assert printed.info["dpi"][0] == pytest.approx(plots.PRINTED, abs=0.1), "its size on paper is the figure's"
    assert len(shown[0]["image/png"]) < 0.8 * len(sharp)


def test_the_same_figure_is_the_same_bytes():
    first, second = (plots.picture(plots.curves([1, 2], {"a": [3, 4], "b": [4, 3]}, "x", "y"), "t", "alt")
                     for _ in range(2))
    assert first == second


def test_greys_stay_grey_beside_a_coloured_perturbation():
    ramp, noise = torch.linspace(0, 1, 784).reshape(1, 28, 28), torch.randn(1, 28, 28,
                                                                            generator=torch.Generator().manual_seed(0))
    figure = plots.images([[ramp], [noise]], signed=(1,))
    figure.axes[1].imshow(noise[0].numpy(), cmap="cividis", interpolation="bicubic")  # hundreds of colours
    pixels = decoded(plots.picture(figure, "a ramp and a perturbation", "noise")).astype(int)
    above = pixels[: len(pixels) // 2].reshape(-1, 3)
    assert (above.max(1) - above.min(1)).max() <= 8  # of 255
    assert (pixels[0, 0] == 255).all()  # paper is white


def test_paper_is_white_under_a_grey_image():
    picture = plots.picture(plots.images([torch.linspace(0, 1, 784).reshape(1, 1, 28, 28)]), "a ramp", "greys")
    assert (decoded(picture)[0, 0] == 255).all()


def test_a_matrix_says_each_share_in_its_cell():
    figure = plots.matrix([[0, 0.25], [0.5, 1]], ["a", "b"], ["c", "d"], "tested on", "made for")
    [panel] = figure.axes
    assert [text.get_text() for text in panel.texts] == ["0%", "25%", "50%", "100%"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["c", "d"]


def test_bars_say_percent_with_the_first_on_top():
    figure = plots.bars({"one": 0.25, "two": torch.tensor(0.5)}, "error")
    [panel] = figure.axes
    assert [bar.get_width() for bar in panel.patches] == [25, 50] and panel.yaxis_inverted()
    assert [text.get_text() for text in panel.texts] == ["25.0", "50.0"] and panel.get_xlabel() == "error in %"
    assert [label.get_text() for label in panel.get_yticklabels()] == ["one", "two"]


def test_matrices_stand_side_by_side_with_their_spread():
    tables = [{"one": [[0, 0.25], [0.5, float("nan")]], "two": [[1, 1], [1, 1]]}, {"three": [[0.1, 0.2], [0.3, 0.4]]}]
    figure = plots.matrices(tables, "ab", "cd", spread={"two": [[0.02, 0], [0, 0]]}, xlabel="target", ylabel="source")
    first, second, third, empty = figure.axes
    assert [text.get_text() for text in first.texts] == ["0", "25", "50", "–"] and first.get_title() == "one"
    assert [text.get_text() for text in second.texts][:2] == ["100$_{±2}$", "100$_{±0}$"]
    assert third.get_title() == "three" and third.axison and not empty.axison
    assert [label.get_text() for label in first.get_xticklabels()] == ["c", "d"] and first.get_ylabel() == "source"
    plots.picture(figure, "t", "alt")


def test_a_perturbation_is_drawn_blue_for_darker_and_red_for_lighter():
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, :, :2], x[0, 0, :, 2:] = -0.1, 0.1
    pixels = decoded(plots.picture(plots.images([x], signed=[0]), "t", "alt")).astype(int)
    height, width = pixels.shape[:2]
    left, right = pixels[height * 2 // 3, width // 4], pixels[height * 2 // 3, width * 3 // 4]
    assert left[2] > left[0] + 50 and right[0] > right[2] + 50


def test_colours_can_be_told_apart_on_white():
    def luminance(colour):
        channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    # The first six, which nearly all figures make do with, reach a contrast of 2 with white; markers tell lines apart
    # as well.
    assert all(1.05 / (luminance(colour) + 0.05) >= 2 for colour in plots.COLOURS[:6])
    assert len(set(plots.MARKERS)) == len(plots.COLOURS) == len(plots.MARKERS)


def directions(x):
    side = torch.tensor([-1.0, -1, 1, 1]).expand_as(x)
    return {"to the right": side, "to the left": -side}


def test_the_static_widget_shows_the_first_directions(shown):
    x = torch.full((2, 1, 4, 4), 0.5)
    x[:, :, :, :2] += 0.05
    widgets.perturbation(model(), x, directions(x), CLASSES, eps=0.2, live=False)
    html = [thing["text/html"] for thing in shown]
    assert len(html) == 2 and "the sum as right" in html[0] and "the sum as left" in html[1]


def test_moving_any_control_changes_the_picture(shown):
    x = torch.full((2, 1, 4, 4), 0.5)
    x[0, :, :, :2] += 0.05
    x[1, :, :, 2:] += 0.05
    widgets.perturbation(model(), x, directions(x), CLASSES, eps=0.0, live=True)
    controls, picture = shown[0].children
    image, eps, direction = controls.children
    seen = [picture.value]
    for control, value in ((eps, 0.2), (image, 1), (direction, "to the left")):
        control.value = value
        seen.append(picture.value)
    assert len(set(seen)) == 4
    assert "the sum as left" in seen[0] and "the sum as right" in seen[1] and "the sum as left" in seen[3]
    assert not np.array_equal(decoded(seen[0]), decoded(seen[1]))


def test_the_sum_stays_an_image():
    figure, _, alt = widgets.perturbation_figure(model(), torch.ones(1, 4, 4), torch.ones(1, 4, 4), 0.3, "up", CLASSES)
    total = figure.axes[2].images[0].get_array()
    assert total.max() <= 1 and "at most 0.30" in alt


def test_the_map_knows_which_notebooks_are_written():
    assert tuple(path.name[:2] for path in masters.find()) == series.WRITTEN
    planned = {number for notebooks in series.PARTS.values() for number in notebooks}
    assert set(series.WRITTEN) <= planned
    assert len(series.draw().axes[0].texts) == len(planned) + len(series.PARTS)
    said = series.alt()
    assert not [text for text in [*planned, "fooled?", "inputs?", "spam arms race"] if text not in said]


# The explorer of attack cards

def test_every_card_stands_on_the_axes_that_are_drawn():
    from advcourse.attacks import all_cards

    drawn = {axis: {*values, "both"} for axis, values in taxonomy.AXES.items() if axis != "measurement"}
    assert not [(card.name, axis) for card in all_cards().values() for axis, values in drawn.items()
                if getattr(card, axis) not in values]


def test_every_attack_is_tried_on_one_image_but_the_one_that_trains_a_network():
    from advcourse.attacks import all_cards

    x = torch.rand(4, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    y, waiting = model()(x).argmax(1), []
    for name in all_cards():
        x_adv = widgets.try_attack(name, model(), x, y, 1, 0.3)
        if x_adv is None:
            waiting.append(name)
        else:
            assert x_adv.shape == (1, 1, 4, 4) and x_adv.min() >= 0 and x_adv.max() <= 1, name
    assert waiting == ["advgan"]


def test_a_card_is_shown_with_its_place_and_its_effect():
    from advcourse.attacks import all_cards

    image, x_adv = torch.zeros(1, 4, 4), torch.zeros(1, 1, 4, 4)
    x_adv[..., 3] = 0.5
    figure, title, alt = widgets.attack_card_figure(all_cards()["fgsm"], model(), image, x_adv, 0.5, CLASSES)
    assert title.startswith("fgsm") and "ε = 0.50" in alt and "knowledge white box" in alt
    assert "as left and the attacked one as right" in alt and "ℓ0 4, ℓ2 1.00, ℓ∞ 0.50" in alt
    coloured = {text.get_text() for text in figure.axes[3].texts if text.get_color() == "white"}
    assert coloured == {"non-random", "one-time", "non-targeted", "targeted", "individual", "l2", "l∞", "non-realistic",
                        "type 1", "type 2",
                        "white box"}


def test_the_explorer_stands_still_where_no_kernel_listens(shown):
    x = torch.rand(4, 1, 6, 6)
    wide = torch.nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
    widgets.attack_cards(wide, x, wide(x).argmax(1), CLASSES, live=False)
    assert len(shown) == 2 and "The attack fgsm" in shown[0]["text/html"]
    assert "The attack patch" in shown[1]["text/html"] and "The attack patch" in shown[1]["text/plain"]


def test_a_walk_is_drawn_where_it_went():
    """On a linear model the gradient's sign is known: left pixels down, right pixels up.

    Two steps along it, then one across.
    """
    x = torch.full((1, 1, 4, 4), 0.5)
    x[..., :2] += 0.05
    along = directions(x)["to the right"]
    across = torch.tensor([[1.0], [-1], [1], [-1]]).expand_as(x)
    path = torch.cat([x, x + 0.02 * along, x + 0.1 * along, x + 0.1 * along + 0.05 * across])
    figure, alt = widgets.walk_figure(model(), path, 0, 0.1, CLASSES)
    walked, cross = figure.axes[0].lines
    assert np.allclose(walked.get_xydata(), [[0, 0], [0.02, 0], [0.1, 0], [0.1, 0.05]], atol=1e-5)
    assert np.allclose(cross.get_xydata(), [[0.1, 0]])
    losses = nn.functional.cross_entropy(model()(path), torch.zeros(4, dtype=torch.long), reduction="none")
    assert np.allclose(figure.axes[1].lines[0].get_ydata(), losses.tolist(), atol=1e-5)
    assert list(figure.axes[1].lines[2].get_xdata()) == [2, 3]  # fooled from the second step on
    assert "walk of 3 steps" in alt and "of class left, ends as right" in alt and f"ends at {losses[3]:.2f}" in alt


def test_a_walk_along_a_gradient_that_is_zero_can_be_drawn():
    x = torch.full((3, 1, 4, 4), 0.5)
    widgets.walk_figure(lambda images: 0 * model()(images), x, 0, 0.1, CLASSES)


def test_the_opinions_of_models_on_the_last_picture():
    first = nn.Sequential(nn.Flatten(), nn.Linear(16, 5))
    with torch.no_grad():
        first[1].weight.copy_(torch.arange(5.0)[:, None] * torch.ones(16))
        first[1].bias.zero_()
    pictures = {"before": torch.zeros(1, 4, 4), "after": torch.full((1, 4, 4), 0.1)}
    figure, named = widgets.opinions_figure(pictures, {"one": first, "other": lambda x: -first(x)}, "ABCDE", true=0,
                                            target=3)
    assert named == ["E", "A"]
    bars = [[(label.get_text(), bar.get_facecolor())
             for label, bar in zip(panel.get_xticklabels(), panel.patches, strict=True)]
            for panel in figure.axes[2:]]
    blue, orange = (plots.plt.matplotlib.colors.to_rgba(colour) for colour in plots.COLOURS[:2])
    assert [name for name, _ in bars[0]] == ["E", "D",
                                             "C"] and bars[0][1][1] == orange and blue not in dict(bars[0]).values()
    assert [name for name, _ in bars[1]] == ["A", "B", "C"] and bars[1][0][1] == blue
    assert [panel.get_title() for panel in figure.axes] == ["before", "after", "one", "other"]
    plots.plt.close(figure)


def test_the_draws_of_an_image_are_counted_for_every_model():
    draws = torch.zeros(4, 1, 4, 4)
    draws[:3, :, :, 2:] = 1  # three that the model reads as right, one that it does not
    figure, alt = widgets.draws_figure(draws[0], draws, {"one": model(), "other": lambda x: -model()(x)}, CLASSES, 1)
    assert [panel.get_title() for panel in figure.axes] == [
        "the image", "one of the draws", "one:\n75% of 4 right", "other:\n0% of 4 right"]
    assert "Of 4 draws are read right: one 75%, other 0%" in alt and "class right" in alt
    plots.plt.close(figure)
# A sound, turned up and down

def played(html):
    """The samples of the player in a page."""
    with wave.open(io.BytesIO(base64.b64decode(re.search("audio/wav;base64,([^\"]+)", html)[1]))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 2**15


def sounds():
    """Two sines, two changes, and a model that hears "right" where the change is louder than a hundredth."""
    time = torch.arange(1600) / 8000
    x = 0.5 * torch.stack([torch.sin(2 * np.pi * f * time) for f in (500, 800)])
    hiss = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))

    def model(waves):
        rough = (waves - x[:1]).abs().amax(1) > 0.05
        return 5 * torch.stack([~rough, rough], 1).float()

    return model, x, {"hiss": hiss, "signs": hiss.sign()}


def test_the_slider_in_db_changes_what_is_heard_and_what_is_played(shown):
    model, x, changes = sounds()
    widgets.loudness(model, x, changes, CLASSES, rate=8000, db=-40)
    controls, page = shown[0].children
    recording, level, change = controls.children
    soft = page.value
    level.value = -10
    loud = page.value
    assert "with hiss at -40 dB" in soft and "with hiss at -10 dB" in loud
    for html, db in ((soft, -40), (loud, -10)):
        samples = played(html)
        first, second = samples[:1600], samples[-1600:]
        assert abs(first).max() == pytest.approx(0.5, abs=1e-3), "the recording itself stays as loud as it is"
        assert abs(second - first).max() == pytest.approx(0.5 * 10 ** (db / 20), rel=0.02), "no player turns it up"
    change.value = "signs"
    assert page.value != loud
    recording.value = 1
    assert not np.array_equal(played(page.value), played(loud))


def test_the_static_picture_of_a_sound_says_what_the_model_hears(shown):
    model, x, changes = sounds()
    widgets.loudness(model, x, changes, CLASSES, rate=8000, db=-20, live=False)
    html = [thing["text/html"] for thing in shown]
    assert len(html) == 2 and "hears as left" in html[0] and "audio" not in html[0]
    _, title, alt = widgets.loudness_figure(model, x[0], x[0] + 0.1 * changes["signs"][0], -14, "signs", CLASSES, 8000)
    assert "at -14 dB" in title and "which it hears as right (99%)" in alt
