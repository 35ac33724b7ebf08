"""Levels and noise, against their definitions written once more in NumPy, and against what others had wrong."""

import numpy as np
import pytest
import torch

from advcourse.audio import levels, noise


def waves(count=4, length=4000, seed=0):
    x = 0.2 * torch.randn(count, length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x.clamp(-1, 1)


def test_relative_db_compares_the_largest_samples():
    x = torch.tensor([[0.5, -0.1, 0.2], [0.1, 0.2, -0.4]])
    delta = torch.tensor([[0.0, -0.05, 0.01], [0.4, 0.0, 0.0]])
    assert torch.allclose(levels.relative_db(delta, x), torch.tensor([-20.0, 0.0]))
    assert levels.relative_db(0 * x, x).tolist() == [-float("inf")] * 2


def test_a_budget_is_a_level_below_the_peak_and_nothing_after_the_end():
    x, lengths = waves(3) * torch.tensor([[1.0], [0.3], [0.01]]), torch.tensor([4000, 100, 2500])
    eps = levels.budget(x, -35, lengths)
    assert eps.shape == x.shape and torch.allclose(levels.relative_db(eps, x), torch.full((3,), -35.0).double())
    assert (eps[1, :100] > 0).all() and (eps[1, 100:] == 0).all() and (eps[2, 2500:] == 0).all()
    assert (levels.budget(x, -35) > 0).all()


@pytest.mark.parametrize("make", [noise.white, noise.pink])
@pytest.mark.parametrize("snr", [-5, 0, 10, 30])
def test_the_snr_is_what_was_asked_for_over_the_sounds_own_samples(make, snr):
    """Others had exp(snr / 10), the sign, the square root or the length wrong."""
    x, lengths = waves(3), torch.tensor([4000, 300, 2500])
    x = x * (torch.arange(4000) < lengths[:, None])
    noisy = noise.add_noise(x, make(x, torch.Generator().manual_seed(1)), snr, lengths)
    for row, length in enumerate(lengths.tolist()):
        sound, added = x[row, :length].numpy(), (noisy - x)[row, :length].numpy()
        assert abs(10 * np.log10((sound ** 2).mean() / (added ** 2).mean()) - snr) < 0.1
        assert (noisy[row, length:] == 0).all()
    assert torch.allclose(levels.snr(x, noisy - x, lengths), torch.full((3,), float(snr)).double(), atol=0.1)


def test_each_sound_may_have_a_ratio_of_its_own_and_more_db_are_less_noise():
    x = waves(3)
    noisy = noise.add_noise(x, noise.white(x, torch.Generator().manual_seed(1)), torch.tensor([20.0, 10.0, 0.0]))
    assert torch.allclose(levels.snr(x, noisy - x), torch.tensor([20.0, 10.0, 0.0]).double(), atol=1e-3)
    assert (levels.power(noisy - x).diff() > 0).all()


def test_pink_noise_falls_by_three_db_an_octave_and_white_noise_does_not():
    like = torch.zeros(200, 8192)
    for make, slope in ((noise.white, 0), (noise.pink, -1)):
        z = make(like, torch.Generator().manual_seed(2))
        power = torch.fft.rfft(z).abs().square().mean(0)
        low, high = power[100:200].mean(), power[1600:3200].mean()
        assert torch.log2(high / low).item() / 4 == pytest.approx(slope, abs=0.1)
        assert levels.power(z).mean().item() == pytest.approx(1, abs=0.1)
    assert noise.pink(like).mean(1).abs().max() < 1e-6


def segmental(x, x_adv):
    """The definition, segment by segment, on waveforms that sound all the time."""
    ratios = []
    for start in range(0, len(x) // 160 * 160, 160):
        part, change = x[start:start + 160], (x_adv - x)[start:start + 160]
        ratios.append(np.clip(10 * np.log10((part ** 2).sum() / (change ** 2).sum()), -10, 35))
    return np.mean(ratios)


def test_segmental_snr_is_the_mean_of_the_segments_decibels():
    x = waves(3)
    x_adv = x + waves(3, seed=5) * torch.logspace(-3, 1, 4000).double()
    found = levels.segmental_snr(x, x_adv)
    assert np.allclose(found.numpy(), [segmental(*pair) for pair in zip(x.numpy(), x_adv.numpy(), strict=True)])


def test_silent_segments_do_not_count():
    x = waves(1)
    changed = x + 0.02 * waves(1, seed=5)
    silence = torch.zeros(1, 800).double()
    for quiet in (silence, 1e-4 * waves(1, 800)):
        longer = torch.cat([x, quiet], 1), torch.cat([changed, quiet + 0.05 * waves(1, 800, seed=6)], 1)
        assert levels.segmental_snr(*longer).item() == pytest.approx(levels.segmental_snr(x, changed).item(), abs=1e-9)
    assert levels.segmental_snr(x, x).item() == 35 and levels.segmental_snr(x, -99 * x).item() == -10
    alone = levels.segmental_snr(x[:, :1600], changed[:, :1600])
    assert torch.allclose(levels.segmental_snr(x, changed, torch.tensor([1600])), alone)


def test_louder_says_that_it_would_clip():
    x = torch.tensor([[0.3, -0.5]])
    assert torch.allclose(levels.louder(x, 20 * np.log10(2)), 2 * x) and torch.allclose(levels.louder(x, -20), x / 10)
    with pytest.raises(ValueError, match=r"7 dB louder the largest sample would be 1\.12, .* at most 6\.02 dB"):
        levels.louder(x, 7)


@pytest.mark.parametrize("lengths", [[3], [0, 3], [3, 5], [[3, 3]]])
def test_lengths_that_do_not_fit_are_named(lengths):
    with pytest.raises(ValueError, match="lengths must be one number from 1 to 4 for each of 2 waveforms"):
        levels.own_samples(torch.zeros(2, 4), torch.tensor(lengths))
