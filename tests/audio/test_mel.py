"""The front end against its formula in float64, where other libraries had it wrong, and its gradient in silence."""

import math

import numpy as np
import pytest
import torch

from advcourse.audio import networks
from advcourse.audio.mel import LogMel, _tools, hertz, mel, mel_filters


def triangles(n_mels, n_fft, rate, low, high):
    """The definition, one value at a time."""
    def to_mel(f):
        return 2595 * math.log10(1 + f / 700)

    step = (to_mel(high) - to_mel(low)) / (n_mels + 1)
    corners = [700 * (10 ** ((to_mel(low) + m * step) / 2595) - 1) for m in range(n_mels + 2)]
    result = np.zeros((n_mels, n_fft // 2 + 1))
    for m in range(n_mels):
        for k in range(n_fft // 2 + 1):
            f, (left, top, right) = k * rate / n_fft, corners[m:m + 3]
            if left < f <= top:
                result[m, k] = (f - left) / (top - left)
            elif top < f < right:
                result[m, k] = (right - f) / (right - top)
    return result


@pytest.mark.parametrize("n_mels, n_fft, rate, low, high", [
    (32, 256, 8000, 0, 4000), (20, 255, 8000, 0, 4000), (16, 301, 11025, 0, 5512.5), (16, 256, 8000, 200, 3400)])
def test_filters_are_the_formula_also_for_odd_windows_and_rates(n_mels, n_fft, rate, low, high):
    filters = mel_filters(n_mels, n_fft, rate, low, high)
    assert filters.shape == (n_mels, n_fft // 2 + 1)
    assert np.allclose(filters.numpy(), triangles(n_mels, n_fft, rate, low, high), atol=1e-9)


def test_the_scale_is_htks():
    assert mel(torch.tensor(1000.0)).item() == pytest.approx(999.99, abs=0.01)
    f = torch.linspace(0, 4000, 50, dtype=torch.float64)
    assert torch.allclose(hertz(mel(f)), f)


def test_wrong_bands_are_named():
    with pytest.raises(ValueError, match=r"128 bands are too many for n_fft = 128: \d+ hold no frequency"):
        LogMel(n_mels=128, n_fft=128)
    for low, high in ((-1, None), (300, 200), (0, 4001)):
        with pytest.raises(ValueError, match="0 <= low < high <= 4000 Hz"):
            mel_filters(16, 256, 8000, low, high)
    with pytest.raises(ValueError, match=r"waveforms of shape \(N, T\); got shape \(4, 1, 256\)"):
        LogMel()(torch.zeros(4, 1, 256))


def test_features_are_the_definition():
    x = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = LogMel()(x).numpy()
    assert found.shape == (2, 32, 1 + 1000 // 128)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    filters = triangles(32, 256, 8000, 0, 4000)
    for row in range(2):
        padded = np.pad(x[row].numpy(), 128)
        for frame in range(found.shape[2]):
            power = np.abs(np.fft.rfft(window * padded[128 * frame:128 * frame + 256])) ** 2
            assert np.allclose(found[row, :, frame], np.log(filters @ power + 1e-3), atol=1e-9)


def test_a_tone_is_loudest_in_its_own_band():
    front, time = LogMel(), torch.arange(4000) / 8000
    corners = hertz(torch.linspace(*mel(torch.tensor([0.0, 4000.0])).tolist(), 34))
    for f in (300, 1000, 2500):
        band = front(torch.sin(2 * math.pi * f * time)[None])[0, :, 10].argmax().item()
        assert corners[band] < f < corners[band + 2]


def test_silence_has_a_finite_gradient_and_batches_do_not_matter():
    """Others' top_db counts from the loudest of the batch; a log or a square root without a floor has none at 0."""
    x = torch.zeros(2, 2000)
    x[1, :900] = torch.randn(900, generator=torch.Generator().manual_seed(1))
    x.requires_grad_()
    front = LogMel()
    gradient, = torch.autograd.grad(front(x).square().sum(), x)
    assert gradient.isfinite().all() and (gradient[0] == 0).all() and (gradient[1] != 0).any()
    assert torch.allclose(front(x)[:1], front(x[:1])) and torch.allclose(front(100 * x)[:1], front(x[:1]))


@pytest.mark.parametrize("name, shape, parameters", [
    ("word_cnn", (2, 10), 25_978), ("string_cnn", (2, 26, 11), 93_515)])
def test_networks_take_waveforms_and_ship_no_constants(name, shape, parameters):
    network = getattr(networks, name)().eval()
    _tools.cache_clear()
    with torch.inference_mode():
        assert network(torch.zeros(2, 6400)).shape == shape
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert not any("filter" in key or "window" in key for key in network.state_dict())
    x = torch.zeros(1, 6400).requires_grad_()  # after inference mode the tools must still serve autograd
    network(x).sum().backward()
    if name == "string_cnn":
        assert torch.allclose(network(x).exp().sum(2), torch.ones(1, 26))
