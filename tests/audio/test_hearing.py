"""The threshold of hearing against its formulas, and the attack that stays below it."""

import math

import numpy as np
import pytest
import torch

from advcourse.attacks import pgd
from advcourse.audio import hearing, levels
from advcourse.audio.hidden import hidden, noise_below


def tone(*frequencies, amplitudes=None, samples=4096, rate=8000):
    time = torch.arange(samples, dtype=torch.float64) / rate
    amplitudes = amplitudes or [0.3] * len(frequencies)
    return sum(a * torch.sin(2 * math.pi * f * time) for f, a in zip(frequencies, amplitudes, strict=True))[None]


def by_hand(level, masker, f):
    """The paper's numbers, in Python's."""
    def z(f):
        return 13 * math.atan(0.00076 * f) + 3.5 * math.atan((f / 7500) ** 2)
    apart = z(f) - z(masker)
    spread = 27 * apart if apart < 0 else (-27 + 0.37 * max(level - 40, 0)) * apart
    return level - 6.025 - 0.275 * z(masker) + spread


def quiet_by_hand(f):
    k = max(f, 20) / 1000
    return 3.64 * k ** -0.8 - 6.5 * math.exp(-0.6 * (k - 3.3) ** 2) + 0.001 * k ** 4 - 12


def test_the_scales_at_known_points():
    assert hearing.bark(torch.tensor(1000.0)).item() == pytest.approx(8.51, abs=0.01)
    assert hearing.quiet(torch.tensor(1000.0)).item() == pytest.approx(-8.63, abs=0.01)
    assert hearing.quiet(torch.tensor(0.0)).isfinite()
    for f in (10, 100, 700, 3300, 15000):
        assert hearing.quiet(torch.tensor(float(f), dtype=torch.float64)).item() == pytest.approx(quiet_by_hand(f))


@pytest.mark.parametrize("level", [30.0, 60.0, 96.0])
def test_one_masker_is_the_formula(level):
    for f in (200, 800, 1000, 1200, 3000):
        found = hearing.masked_by(torch.tensor(level).double(), torch.tensor(1000.0).double(),
                                  torch.tensor(float(f)).double())
        assert found.item() == pytest.approx(by_hand(level, 1000, f))


def test_a_sine_has_the_level_of_the_formula_in_sound_and_change_alike():
    """cleverhans had 8/3 for √(8/3): 4.3 dB."""
    x = tone(1000, amplitudes=[1.0])
    assert hearing.levels(x)[0, :, 10].max().item() == pytest.approx(20 * math.log10(math.sqrt(8 / 3) / 4), abs=0.01)
    _, shift = hearing.masking_threshold(x, 8000)
    assert (hearing.levels(x) + shift).max().item() == pytest.approx(96)
    assert (hearing.levels(x / 10) + shift)[0, :, 10].max().item() == pytest.approx(76, abs=0.01)


def of_three(loud, f):
    k = round(f * 512 / 8000)
    return 10 * math.log10(sum(10 ** (loud[k + j].item() / 10) for j in (-1, 0, 1)))


@pytest.mark.parametrize("frequencies", [(1000,), (500, 3000), (250, 500, 1000, 1500, 2000, 2750, 3500)])
def test_every_masker_counts(frequencies):
    """ART keeps one of seven, and of 500 and 3,000 Hz, eleven Bark apart, one."""
    x = tone(*frequencies, amplitudes=[0.1] * len(frequencies))
    threshold, shift = hearing.masking_threshold(x, 8000)
    loud = (hearing.levels(x) + shift)[0, :, 12]
    for f in frequencies:
        k, level = round(f * 512 / 8000), of_three(loud, f)
        power = 10 ** (quiet_by_hand(f) / 10) + sum(10 ** (by_hand(of_three(loud, g), g, f) / 10) for g in frequencies)
        assert threshold[0, k, 12].item() == pytest.approx(10 * math.log10(power), abs=0.1)
        assert threshold[0, k, 12] > level - 6.025 - 0.275 * hearing.bark(torch.tensor(float(f))) - 0.1


def test_of_two_that_are_close_the_louder_one_counts():
    x = tone(1000, 1031.25, amplitudes=[0.3, 0.15])
    loud = hearing.levels(x)
    masks = hearing._maskers(loud + hearing.LOUDEST - loud.max(), torch.arange(257) * 8000 / 512)
    assert masks[0, 64, 12] and not masks[0, 66, 12]


def test_maskers_at_the_ends_of_the_spectrum():
    """np.delete at 0 and argmax of nothing: both ends broke elsewhere."""
    x = 0.3 * torch.ones(1, 4096).double()
    x[0, ::2] += 0.2
    threshold, _ = hearing.masking_threshold(x, 8000)
    assert threshold.isfinite().all() and threshold[0, 0, 12] > 60 and threshold[0, -1, 12] > 60
    loud = hearing.levels(x)
    masks = hearing._maskers(loud + hearing.LOUDEST - loud.max(), torch.arange(257) * 8000 / 512)
    assert masks[0, 0, 12] and masks[0, -1, 12]


def test_silence_is_not_loud():
    """A maximum by frame, as in ART, makes every silence as loud as speech."""
    x = torch.cat([tone(1000), torch.zeros(1, 4096).double()], 1)
    threshold, _ = hearing.masking_threshold(x, 8000)
    expected = [quiet_by_hand(k * 8000 / 512) for k in range(257)]
    assert np.allclose(threshold[0, :, -3].numpy(), expected, atol=1e-6)


def test_the_spectrum_comes_back():
    x = 0.3 * torch.randn(2, 6400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(hearing.waveform(hearing.spectrum(x), 6400), x, atol=1e-12)


def listener():
    """Two classes: more power below or above 1,500 Hz."""
    def model(x):
        power = torch.fft.rfft(x).abs().square()
        f = torch.fft.rfftfreq(x.shape[1], 1 / 8000)
        low, high = power[:, f < 1500].sum(1), power[:, f >= 1500].sum(1)
        return torch.stack([low, high], 1).clamp_min(1e-9).log()
    return model


def test_a_hidden_attack_fools_below_the_threshold():
    model = listener()
    x = tone(700, 2300, amplitudes=[0.3, 0.27]).float().repeat(3, 1) * torch.tensor([[1.0], [0.9], [0.1]])
    x[:, 3000:] = 0
    y, lengths = torch.zeros(3, dtype=torch.int64), torch.tensor([3000, 3000, 3000])
    x_adv = hidden(model, x, y, rate=8000, lengths=lengths)
    assert (model(x_adv).argmax(1) == 1).all() and (x_adv[:, 3000:] == 0).all() and x_adv.abs().max() <= 1
    threshold, shift = hearing.masking_threshold(x, 8000)
    above = hearing.share_above(x_adv - x, threshold, shift, x)
    plain = pgd(model, x, y, eps=levels.budget(x, -20, lengths), low=-1, high=1)
    assert (above < 0.1).all() and (above < 0.5 * hearing.share_above(plain - x, threshold, shift, x)).all()
    alone = torch.cat([hidden(model, x[i:i + 1], y[i:i + 1], rate=8000, lengths=lengths[i:i + 1]) for i in range(3)])
    assert torch.allclose(alone, x_adv, atol=1e-5)
    assert torch.equal(hidden(model, x, y + 1, rate=8000), x), "wrong already: nothing to do"
    assert (model(hidden(model, x, y + 1, rate=8000, targeted=True)).argmax(1) == 1).all()
    assert (model(hidden(model, x, y, rate=8000, lengths=lengths, offset=-40, steps=5)).argmax(1) == 0).all()


def test_a_hidden_attack_names_wrong_arguments():
    x, y = tone(700).float(), torch.tensor([0])
    for more, said in ((dict(steps=0), "steps"), (dict(step_size=0.0), "step_size"), (dict(lengths=torch.tensor([0])),
                                                                                     "lengths")):
        with pytest.raises(ValueError, match=said):
            hidden(listener(), x, y, rate=8000, **more)
    with pytest.raises(ValueError, match=r"x must lie in \[-1, 1\]"):
        hidden(listener(), 9 * x, y, rate=8000)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1"):
        hidden(listener(), x, y + 2, rate=8000)


def test_the_control_fills_what_is_hidden_and_hardly_more():
    x = 0.5 * tone(400, 1500, samples=6400).float()
    x[:, 5000:] = 0
    lengths = torch.tensor([5000])
    threshold, shift = hearing.masking_threshold(x, 8000)
    found = {}
    for offset in (0.0, -20.0):
        noisy = noise_below(x, rate=8000, offset=offset, lengths=lengths, generator=torch.Generator().manual_seed(0))
        delta = noisy - x
        assert noisy.abs().max() <= 1 and delta[:, 5000:].abs().max() == 0
        assert hearing.share_above(delta, threshold + offset, shift, x).item() < 0.1
        found[offset] = delta
        inside = (hearing.levels(delta) + shift - threshold - offset)[:, 5:-5, 8:30]
        assert inside.median() > -4, "it is about as loud as it may be"
    assert levels.relative_db(found[-20.0], x) < levels.relative_db(found[0.0], x) - 15
