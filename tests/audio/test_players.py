"""Files and players: what goes in comes out, as loud as it was, or is refused."""

import base64
import io
import re
import wave

import numpy as np
import pytest
import torch

from advcourse import data
from advcourse.audio import levels, pictures, players


def sine(amplitude, samples=1600):
    return amplitude * torch.sin(torch.arange(samples) * 0.3)


@pytest.mark.parametrize("amplitude", [0.001, 0.5, 1.0])
def test_a_file_holds_what_was_saved(tmp_path, amplitude):
    """Integers saved as floats stand at the rails, floats above 1 wrap: torchaudio 4211, armory 607."""
    x = sine(amplitude)
    x[0], x[1] = amplitude, -amplitude
    players.save(tmp_path / "a.wav", x, 8000)
    again = players.load(tmp_path / "a.wav", 8000)
    assert (again - x).abs().max() <= 1 / 2**16 + (amplitude == 1) / 2**15
    assert torch.equal(again, players.as_saved(x)) and torch.equal(players.as_saved(again), again)
    assert players.to_int16(torch.tensor([1.0, -1.0, 0.0])).tolist() == [32767, -32768, 0]


def test_what_does_not_fit_is_refused(tmp_path):
    for wrong, said in ((sine(1.2), r"must lie in \[-1, 1\]"), (sine(1) * float("nan"), "must lie in"),
                        (players.to_int16(sine(0.5)), "floating-point samples .* got torch.int16")):
        with pytest.raises(ValueError, match=said):
            players.save(tmp_path / "b.wav", wrong, 8000)
    assert not list(tmp_path.iterdir())
    players.save(tmp_path / "c.wav", sine(0.5), 11025)
    with pytest.raises(data.DataError, match=r"c\.wav has 11,025 samples a second, .* wanted 8,000"):
        players.load(tmp_path / "c.wav", 8000)
    (tmp_path / "d.wav").write_bytes(b"RIFF no")
    with pytest.raises(data.DataError, match="not a wave file"):
        players.load(tmp_path / "d.wav", 8000)
    with pytest.raises(ValueError, match="one waveform of shape"):
        players.wave_bytes(sine(0.5)[None], 8000)


def samples_of(page):
    content = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])
    with wave.open(io.BytesIO(content)) as file:
        assert file.getframerate() == 8000
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 2**15


def test_a_player_plays_as_loud_as_it_is():
    """IPython's plays a sine of 0.01 at full scale: every slider in dB would be dumb."""
    loud, soft = (np.abs(samples_of(players.player(levels.louder(sine(0.5)[None], db)[0], 8000, "a"))).max()
                  for db in (0, -40))
    assert loud == pytest.approx(0.5, abs=0.01) and soft == pytest.approx(0.005, abs=1e-4)


def test_a_player_is_short_small_and_named():
    page = players.player(sine(0.5), 8000, 'what "she" <said>')
    assert 'aria-label="what &quot;she&quot; &lt;said&gt;"' in page and "<said>" not in page
    assert len(page) < 1.4 * 2 * 1600 + 400
    with pytest.raises(ValueError, match=r"at most 2\.5 s and 60,000 characters; got 3 s and 32,060"):
        players.player(torch.zeros(12_000), 4000, "long")
    with pytest.raises(ValueError, match="got 2 s and 85,392"):
        players.player(torch.zeros(32_000), 16_000, "large")
    with pytest.raises(ValueError, match="clipped"):
        players.player(sine(1.5), 8000, "loud")


def test_one_after_another():
    joined = players.one_after_another(torch.ones(10), torch.ones(20), rate=100, gap=0.1)
    assert joined.tolist() == [1] * 10 + [0] * 10 + [1] * 20


def test_spectrograms_share_a_scale():
    tone = sine(0.5, 4000)
    figure = pictures.spectrograms({"loud": tone, "soft": tone / 10}, 8000)
    loud, soft = (axes.images[0] for axes in figure.axes[:2])
    assert loud.get_clim() == soft.get_clim() == (pictures.SOFTEST, pictures.LOUDEST)
    assert np.median(loud.get_array() - soft.get_array()) == pytest.approx(20, abs=0.01)
    row = pictures.power_db(tone)[:, 20].argmax().item()
    assert row == round(0.3 / (2 * np.pi) * 256)


def test_a_player_is_displayed_with_its_sounds_one_after_the_other(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    players.play(sine(0.1, 800), sine(0.5, 400), rate=8000, label="soft & loud")
    with wave.open(io.BytesIO(base64.b64decode(re.search("base64,([^\"]+)", shown[0]["text/html"])[1]))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 2**15
    assert len(samples) == 800 + 2000 + 400 and "soft &amp; loud" in shown[0]["text/html"]
    assert abs(samples[:800]).max() == pytest.approx(0.1, abs=1e-3), "as loud as it is"
    assert abs(samples[-400:]).max() == pytest.approx(0.5, abs=1e-3) and abs(samples[800:2800]).max() == 0
    assert shown[0]["text/plain"] == "a player: soft & loud"
