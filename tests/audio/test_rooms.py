"""Rooms: what a click sounds like there, exactly, and a way through the air that attacks can be trained on."""

import math

import numpy as np
import pytest
import torch

from advcourse.attacks import eot
from advcourse.audio import levels, rooms

ROOM = rooms.Room((5.0, 4.0, 3.0), (1.0, 1.5, 1.2), (3.0, 2.5, 1.6), 0.6)


def test_a_response_that_is_a_click_changes_nothing():
    """`same` convolutions shift the sound, means are taken away elsewhere."""
    x = torch.randn(2, 500, generator=torch.Generator().manual_seed(0))
    click = torch.zeros(rooms.TAPS)
    click[0] = 1
    assert torch.allclose(rooms.through_room(x, click), x, atol=1e-5)


def test_a_room_is_a_convolution():
    rng = np.random.default_rng(0)
    x, response = rng.normal(size=(2, 700)), rng.normal(size=90)
    found = rooms.through_room(torch.from_numpy(x), torch.from_numpy(response)).numpy()
    assert np.allclose(found, [np.convolve(row, response)[:700] for row in x])


def test_the_direct_sound_is_one_and_at_once():
    response = rooms.impulse_response(ROOM, 8000)
    assert response[0].item() == pytest.approx(1, abs=1e-6) and response.shape == (rooms.TAPS,)
    dead = rooms.impulse_response(rooms.Room(ROOM.size, ROOM.loudspeaker, ROOM.microphone, 0.0), 8000)
    assert dead[0] == 1 and (dead[1:] == 0).all()


def test_the_first_echo_comes_from_the_nearest_mirror():
    """By hand: the source mirrored in the floor, one reflection."""
    response = rooms.impulse_response(ROOM, 8000)
    direct = math.dist(ROOM.loudspeaker, ROOM.microphone)
    images = [math.dist((1.0, 1.5, -1.2), ROOM.microphone), math.dist((1.0, -1.5, 1.2), ROOM.microphone),
              math.dist((-1.0, 1.5, 1.2), ROOM.microphone), math.dist((1.0, 1.5, 4.8), ROOM.microphone)]
    late = (min(images) - direct) * 8000 / 343
    k = math.floor(late)
    assert (response[1:k] == 0).all()
    assert (response[k] + response[k + 1]).item() == pytest.approx(0.6 * direct / min(images), abs=1e-6)
    assert response[k + 1].item() / (response[k] + response[k + 1]).item() == pytest.approx(late - k, abs=1e-4)


def test_more_reflection_is_more_echo():
    energy = [rooms.impulse_response(rooms.Room(ROOM.size, ROOM.loudspeaker, ROOM.microphone, share), 8000)[1:]
              .square().sum().item() for share in (0.1, 0.4, 0.8)]
    assert energy == sorted(energy)


def test_rooms_that_cannot_be_are_named():
    for change, said in ((dict(loudspeaker=(6, 1, 1)), "loudspeaker must be inside"),
                         (dict(microphone=(1, 0, 1)), "microphone must be inside"),
                         (dict(reflection=1.0), "reflection must be"),
                         (dict(microphone=(1.0, 1.5, 1.2)), "must not be at the same place")):
        with pytest.raises(ValueError, match=said):
            rooms.Room(**{**vars(ROOM), **change})
    with pytest.raises(ValueError, match="one room at least"):
        rooms.Air([], 8000)


def test_random_rooms_repeat_and_lie_in_their_ranges():
    one, other = (rooms.random_rooms(20, torch.Generator().manual_seed(3)) for _ in range(2))
    assert one == other and len(set(one)) == 20
    assert all(3 <= room.size[0] <= 7 and 0.4 <= room.reflection <= 0.75 for room in one)


def test_the_air_passes_a_band_at_a_level_with_noise():
    x = 0.2 * torch.randn(3, 4000, generator=torch.Generator().manual_seed(0))
    air = rooms.Air([ROOM], 8000, snr_db=80)
    heard = air(x)
    assert heard.shape == x.shape and torch.allclose(heard.abs().amax(1), torch.full((3,), 0.5), atol=0.01)
    power = torch.fft.rfft(heard).abs().square()
    f = torch.fft.rfftfreq(4000, 1 / 8000)
    assert power[:, (f < 190) | (f > 3410)].sum() < 1e-4 * power.sum()
    noisy = rooms.Air([ROOM], 8000, snr_db=25)
    assert torch.allclose(levels.snr(heard, noisy(x) - heard), torch.full((3,), 25.0), atol=1)
    assert rooms.Air([ROOM], 8000)(torch.zeros(2, 800)).isfinite().all()


def test_eot_trains_through_it():
    """A classifier of the band with more power: through rooms, robustly fooled."""
    def model(x):
        power = torch.fft.rfft(x).abs().square()
        return torch.stack([power[:, 100:375].sum(1), power[:, 375:1300].sum(1)], 1).clamp_min(1e-9).log()

    time = torch.arange(2000) / 8000
    x = (0.3 * torch.sin(2 * math.pi * 700 * time) + 0.2 * torch.sin(2 * math.pi * 2300 * time)).repeat(2, 1)
    air = rooms.Air(rooms.random_rooms(3, torch.Generator().manual_seed(0)), 8000)
    y = torch.zeros(2, dtype=torch.int64)
    x_adv = eot(model, x, y, eps=levels.budget(x, -12, torch.tensor([2000, 1500])), transform=air, low=-1, high=1,
                samples=2, steps=10)
    assert torch.equal(x_adv[1, 1500:], x[1, 1500:]) and not torch.equal(x_adv, x)
    leads = [model(air(z)).diff(dim=1).mean() for z in (x, x_adv)]
    assert leads[1] > leads[0] + 0.1


def test_no_rounding_puts_the_direct_sound_before_itself():
    """Of a few hundred rooms some had it at sample −1."""
    for room in rooms.random_rooms(200, torch.Generator().manual_seed(2)):
        assert 1 <= rooms.impulse_response(room, 8000, order=1)[0] < 1.001
