"""Coders: exact round trips, silence and symmetry; and the gradient that an attacker has behind them."""

import math

import numpy as np
import pytest
import torch

from advcourse.audio import compression


def sounds():
    return (0.3 * torch.randn(3, 5000, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)


def test_mu_law_codes_come_back_are_odd_and_leave_silence():
    """Others add a half on one way only, or count to 256 and have no zero."""
    codes = torch.arange(-127, 128)
    assert torch.equal(compression.to_mu_law(compression.from_mu_law(codes)), codes)
    assert torch.equal(compression.from_mu_law(-codes), -compression.from_mu_law(codes))
    assert compression.mu_law(torch.zeros(1, 4)).abs().max() == 0
    assert compression.from_mu_law(torch.tensor([127, -127])).tolist() == pytest.approx([1, -1])
    for value in (0.01, 0.5, -0.9):
        assert compression.to_mu_law(torch.tensor([value])).item() == round(
            127 * math.copysign(math.log(1 + 255 * abs(value)) / math.log(256), value))


def test_mu_law_is_finer_for_soft_sounds():
    error = [(compression.mu_law(scale * sounds()) - scale * sounds()).abs().max() / scale for scale in (1, 0.01)]
    even = [(compression.fewer_bits(scale * sounds(), 8) - scale * sounds()).abs().max() / scale for scale in (1, 0.01)]
    assert error[1] < 0.2 and even[1] > 0.3 and even[0] < error[0]


@pytest.mark.parametrize("bits", [2, 6, 8, 16])
def test_bits_are_even_steps_with_silence_among_them(bits):
    x = torch.linspace(-1, 1, 10_001).double()[None]
    coded = compression.fewer_bits(x, bits)
    values = coded.unique()
    assert len(values) == min(2 ** bits - 1, 10_001) or bits == 16
    assert 0 in values and values[0] == -1 and values[-1] == 1 and torch.allclose(values, -values.flip(0))
    assert (coded - x).abs().max() <= 0.5 / (2 ** (bits - 1) - 1) + 1e-12
    for wrong in (1, 17, 8.0, True):
        with pytest.raises(ValueError, match="bits must be an integer from 2 to 16"):
            compression.fewer_bits(x, wrong)


def test_the_mdct_is_its_formula_and_comes_back():
    x = sounds().double()
    found = compression.mdct(x, 64)
    n, k = np.arange(128), np.arange(64)
    frame = np.pad(x[0].numpy(), (64, 64))[64 * 7:64 * 9] * np.sin(np.pi / 128 * (n + 0.5))
    expected = [(frame * np.cos(np.pi / 64 * (n + 0.5 + 32) * (line + 0.5))).sum() for line in k]
    assert np.allclose(found[0, 7].numpy(), expected)
    for lines in (64, 256):
        assert torch.allclose(compression.inverse_mdct(compression.mdct(x, lines), 5000), x, atol=1e-9)
    assert torch.allclose(compression.inverse_mdct(compression.mdct(x.float()), 5000), x.float(), atol=1e-5)


def test_a_coarser_mdct_loses_more_and_silence_stays():
    x = sounds()
    lost = [(compression.mdct_quantised(x, drop) - x).square().mean().item() for drop in (30, 12, 6, 0)]
    assert lost == sorted(lost) and lost[0] < 1e-4 and compression.mdct_quantised(torch.zeros(1, 900)).abs().max() == 0
    assert compression.mdct_quantised(x).shape == x.shape


def test_a_gradient_of_none_and_the_one_behind_it():
    def model(x):
        return torch.stack([x.square().sum(1), x.sum(1)], 1)

    x = sounds()[:, :300].requires_grad_()
    coder = lambda z: compression.fewer_bits(z, 6)  # noqa: E731 (a partial would read no better)
    masked, known = compression.Coded(model, coder), compression.Coded(model, coder, known=True)
    assert torch.allclose(masked(x), known(x), rtol=1e-5)
    assert torch.autograd.grad(masked(x).sum(), x)[0].abs().max() == 0
    gradient, = torch.autograd.grad(known(x).sum(), x)
    assert torch.allclose(gradient, 2 * coder(x) + 1, atol=1e-5)
