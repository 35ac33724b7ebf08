"""How networks that listen are trained: words that come later, in noise, and as strings."""

import pytest
import torch
from torch import nn

from advcourse.audio import ctc, hardening, networks, strings
from advcourse.randomness import seeded


def words(count=40, samples=1200):
    """Words of 300 to 700 samples, with silence after each, and their classes."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(300, 700, (count,), generator=generator)
    x = torch.rand(count, samples, generator=generator) - 0.5
    return x * (torch.arange(samples) < lengths[:, None]), torch.arange(count) % 10, lengths


def test_the_length_of_a_word_ends_with_its_last_sound():
    x, _, lengths = words()
    assert torch.equal(hardening.lengths_of(x), lengths)
    assert hardening.lengths_of(torch.zeros(2, 50)).tolist() == [1, 1], "no division by zero"


def test_a_word_comes_later_behind_silence_and_is_the_same_word():
    x, _, lengths = words(400)
    with seeded(0):
        moved = hardening.later(x, 100)
    late = torch.tensor([int(row.nonzero()[0, 0]) for row in moved])
    assert late.min() == 0 and late.max() == 100 and len(set(late.tolist())) > 60, "each by its own number"
    assert all(torch.equal(row[at:at + n], word[:n]) and row[at + n:].abs().max() == 0
               for row, word, at, n in zip(moved, x, late.tolist(), lengths.tolist(), strict=True))


def test_noise_is_drawn_between_0_and_30_db_over_the_words_own_samples(monkeypatch):
    x, y, lengths = words(400)
    heard = []
    monkeypatch.setattr(hardening, "later", lambda x: x)

    def model(sounds):
        heard.append(sounds)
        return torch.zeros(len(sounds), 10)

    with seeded(0):
        hardening.noisy_loss(model, 0.1 * x, y)
    added = heard[0] - 0.1 * x
    own = torch.arange(x.shape[1]) < lengths[:, None]
    assert (added * ~own).abs().max() == 0, "no noise after the word"
    snr = 10 * ((0.1 * x).square().sum(1) / added.square().sum(1)).log10()
    assert -0.1 < snr.min() < 2 and 28 < snr.max() < 30.1 and 13 < snr.mean() < 17


def test_strings_hold_their_words_in_order():
    x, y, lengths = words()
    sounds, texts = strings.joined(x, y, torch.Generator().manual_seed(0))
    assert sounds.shape == (len(texts), strings.SAMPLES) and {len(text) for text in texts} == {2, 3, 4}
    spelt = [label for text in texts for label in text]
    assert spelt == y[:len(spelt)].tolist(), "every word once, in its order"
    at = 0
    for sound, text in zip(sounds, texts, strict=True):
        own = torch.cat([x[at + k, :lengths[at + k]] for k in range(len(text))])
        assert torch.equal(sound[sound != 0], own[own != 0])
        at += len(text)


def test_a_string_that_is_too_long_loses_its_last_words():
    x, y = 0.5 * torch.ones(8, 6000), torch.arange(8)
    sounds, texts = strings.joined(x, y, torch.Generator().manual_seed(1))
    assert all(len(text) == 2 for text in texts) and all(
        (sound != 0).sum() == 12_000 for sound in sounds)


def test_the_loss_of_strings_is_that_of_ctc_per_word_and_has_a_gradient():
    x, y, _ = words()
    model = networks.string_cnn(width=8).eval()
    with seeded(3):
        loss = strings.string_loss(model, x, y)
    with seeded(3):
        sounds, texts = strings.joined(x, y)
    mean = sum(ctc.ctc_loss(model(sounds[k:k + 1]), [texts[k]]) / len(texts[k]) for k in range(len(texts))) / len(texts)
    assert loss.item() == pytest.approx(mean.item(), rel=1e-4)
    loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_exact_counts_strings_without_a_mistake():
    x, y, _ = words()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    _, texts = strings.joined(x[order], y[order], torch.Generator().manual_seed(0))

    class Oracle(nn.Module):
        """Spells all strings right but the first, of which it forgets the last word."""

        def forward(self, sounds):
            scores = torch.zeros(len(sounds), 8, 11)
            scores[:, :, 0] = 1
            for row, text in enumerate(texts):
                for place, label in enumerate(text[:-1] if row == 0 else text):
                    scores[row, 2 * place, label + 1] = 2
            return scores

    assert strings.exact(Oracle(), x, y) == pytest.approx(1 - 1 / len(texts))
