"""The picture of an orbit and its tangent plane shows the step that was asked for, and says how far the line is off."""

import pytest
import torch

from advcourse import plots
from advcourse.widgets import tangent_plane_figure


def ways():
    """Five grey images along a curve and along a line that leaves it, and one to measure from."""
    steps = [-2.0, -1.0, 0.0, 1.0, 2.0]
    line = torch.tensor(steps).view(-1, 1, 1, 1) * 0.1 * torch.ones(1, 1, 4, 4) + 0.5
    curve = line + 0.05 * torch.tensor(steps).view(-1, 1, 1, 1).square()
    return curve, line, torch.zeros(1, 4, 4), steps


@pytest.mark.parametrize("at, apart, first, second", [(2, "0.0", "2.0", "2.0"), (4, "0.8", "3.6", "2.8")])
def test_the_words_give_the_step_and_the_distances(at, apart, first, second):
    curve, line, other, steps = ways()
    _, alt = tangent_plane_figure(curve, line, other, steps, at, "pixels")
    assert f"at {steps[at]:+g} pixels" in alt and f", {apart} from there" in alt
    assert f"{first} from the first and {second} from the second" in alt


def test_the_picture_shows_the_step_and_both_curves():
    curve, line, other, steps = ways()
    figure, alt = tangent_plane_figure(curve, line, other, steps, 4, "pixels")
    shown = [panel.images[0].get_array() for panel in figure.axes[:3]]
    for drawn, image in zip(shown, (curve[4], line[4].clamp(0, 1), other), strict=True):
        assert torch.equal(torch.as_tensor(drawn), image[0])
    distances = {drawn.get_label(): list(drawn.get_ydata()) for drawn in figure.axes[3].lines[:2]}
    assert distances["on the orbit"] == pytest.approx((4 * curve[:, 0, 0, 0]).tolist(), abs=1e-5)
    assert distances["on the plane"] == pytest.approx((4 * line[:, 0, 0, 0]).tolist(), abs=1e-5)
    assert figure.axes[3].lines[-1].get_xdata()[0] == 2.0
    plots.picture(figure, "t", alt)
