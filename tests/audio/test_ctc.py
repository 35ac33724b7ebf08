"""CTC: decoding by hand, the loss over all paths, impossible targets, and a transcription that was asked for."""

import itertools
import math

import pytest
import torch
from torch import nn

from advcourse.audio import ctc, levels


def frames(path, symbols=4):
    return (nn.functional.one_hot(torch.tensor([path]), symbols).double() * 20).log_softmax(2)


@pytest.mark.parametrize("path, string", [
    ([1, 1, 0, 1], (0, 0)), ([1, 1, 1, 1], (0,)), ([0, 0, 0], ()), ([0, 2, 2, 0, 0, 2, 3, 3], (1, 1, 2)), ([3], (2,)),
    ([1, 2, 1, 0, 1], (0, 1, 0, 0))])
def test_repeats_collapse_before_the_blanks_go(path, string):
    assert ctc.decode(frames(path)) == [string]
    assert ctc.frames_needed(string) <= len(path)


@pytest.mark.parametrize("target", [(0,), (1, 1), (2, 0), (0, 1, 2), ()])
def test_the_loss_is_minus_the_log_of_all_its_paths(target):
    log_probs = torch.randn(1, 4, 4, generator=torch.Generator().manual_seed(2)).double().log_softmax(2)
    paths = [path for path in itertools.product(range(4), repeat=4) if ctc.decode(frames(list(path))) == [target]]
    total = sum(math.exp(sum(log_probs[0, t, symbol].item() for t, symbol in enumerate(path))) for path in paths)
    assert ctc.ctc_loss(log_probs, [target]).item() == pytest.approx(-math.log(total))


def test_targets_that_no_path_spells_are_refused():
    """Infinite, or with zero_infinity=True zero with a gradient of zero: an attack that believes it has won."""
    log_probs = torch.randn(1, 4, 5).log_softmax(2)
    with pytest.raises(ValueError, match=r"\(3, 3, 3\) needs 5 frames, with a blank .*; the sound has 4"):
        ctc.ctc_loss(log_probs, [(3, 3, 3)])
    assert ctc.ctc_loss(log_probs, [(3, 2, 3)]).isfinite().all()
    for targets, said in (([(4,)], "classes from 0 to 3"), ([(-1,)], "classes from 0 to 3"),
                          ([(1,), (2,)], "for each")):
        with pytest.raises(ValueError, match=said):
            ctc.ctc_loss(log_probs, targets)


def test_error_rate_counts_the_three_mistakes():
    assert ctc.error_rate([(1, 2, 3), (1, 1), ()], [(1, 3), (1, 2), (4,)]) == 3 / 5
    assert ctc.error_rate([(1, 2)], [(1, 2)]) == 0


class Whistle(nn.Module):
    """Hears which of three tones is loudest in each quarter of a sound, or none."""

    def __init__(self, tones=(500, 1000, 2000), frame=400):
        super().__init__()
        time = torch.arange(frame) / 8000
        waves = torch.stack([torch.exp(2j * math.pi * f * time) for f in tones], 1)
        self.frame, self.waves = frame, waves

    def forward(self, x):
        parts = x.unfold(1, self.frame, self.frame).to(torch.complex64)
        heard = (parts @ self.waves).abs() / self.frame
        return (40 * nn.functional.pad(heard, (1, 0), value=0.05)).log_softmax(2)


def melody(*tones):
    time = torch.arange(400) / 8000
    return torch.cat([0.3 * torch.sin(2 * math.pi * f * time) if f else torch.zeros(400) for f in tones])[None]


def test_an_attack_reaches_its_transcription_or_says_that_it_cannot():
    model = Whistle()
    x = torch.cat([melody(500, 0, 1000, 0), melody(2000, 2000, 0, 500)])
    assert ctc.decode(model(x)) == [(0, 1), (2, 0)]
    wanted = [(2, 1), (1,)]
    eps = levels.budget(x, -3)
    x_adv = ctc.towards_string(model, x, wanted, eps=eps, steps=60)
    assert ctc.decode(model(x_adv)) == wanted and ((x_adv - x).abs() <= eps).all() and x_adv.abs().max() <= 1
    assert not x_adv.requires_grad
    alone = ctc.towards_string(model, x[1:], wanted[1:], eps=eps[1:], steps=60)
    assert torch.allclose(alone, x_adv[1:], atol=1e-5)
    kept = ctc.towards_string(model, x, wanted, eps=levels.budget(x, -3, torch.tensor([1600, 900])), steps=5)
    assert torch.equal(kept[1, 900:], x[1, 900:])
    with pytest.raises(ValueError, match="cannot be reached"):
        ctc.towards_string(model, x, [(1, 1, 1), (1,)], eps=0.3)
    with pytest.raises(ValueError, match="steps"):
        ctc.towards_string(model, x, wanted, eps=0.3, steps=0)
    seen = []
    x_adv = ctc.towards_string(lambda z: seen.append(z.detach()) or model(z), x[1:], wanted[1:], eps=0.25, steps=5,
                               step_size=0.2)
    losses = [ctc.ctc_loss(model(z), wanted[1:]).item() for z in seen if ctc.decode(model(z)) == wanted[1:]]
    assert len(losses) > 1 and losses[-1] > min(losses)
    assert ctc.ctc_loss(model(x_adv), wanted[1:]).item() == pytest.approx(min(losses)), "the best, not the last"
    weak = ctc.towards_string(model, x, wanted, eps=levels.budget(x, -60), steps=5)
    assert ctc.decode(model(weak)) == [(0, 1), (2, 0)]
