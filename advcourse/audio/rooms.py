"""From a loudspeaker through a room to a microphone: echoes, a telephone's band, noise; all of it differentiable.

A wall is a mirror: what it reflects arrives as from an image of the loudspeaker behind it, later and weaker. In a box
of a room all images lie on a grid (Allen and Berkley, "Image method for efficiently simulating small-room acoustics",
1979).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from advcourse.audio.levels import power
from advcourse.audio.noise import white

SPEED = 343.0  # of sound, metres a second
TAPS = 2_048  # of an impulse response: a quarter of a second at 8 kHz


@dataclass(frozen=True)
class Room:
    """A box of a room: its size, where the loudspeaker and the microphone are, (x, y, z) in metres from one corner.

    reflection: how much of a wave's amplitude a wall gives back, from 0 to below 1.
    """

    size: tuple[float, float, float]
    loudspeaker: tuple[float, float, float]
    microphone: tuple[float, float, float]
    reflection: float

    def __post_init__(self):
        for name in ("loudspeaker", "microphone"):
            if not all(0 < at < side for at, side in zip(getattr(self, name), self.size, strict=True)):
                raise ValueError(f"the {name} must be inside the room of {self.size} metres; got {getattr(self, name)}")
        if not 0 <= self.reflection < 1:
            raise ValueError(f"reflection must be at least 0 and below 1; got {self.reflection!r}")
        if self.loudspeaker == self.microphone:
            raise ValueError("the loudspeaker and the microphone must not be at the same place")


def random_rooms(count: int, generator: torch.Generator) -> list[Room]:
    """Rooms of 3 to 7 by 3 to 6 by 2.4 to 3.4 metres that give back 0.4 to 0.75, both devices 0.3 m off the walls."""
    def draw(least, largest):
        return (torch.rand(len(least), generator=generator) * torch.tensor(largest).sub(torch.tensor(least))
                + torch.tensor(least)).tolist()

    rooms = []
    for _ in range(count):
        size = draw((3.0, 3.0, 2.4), (7.0, 6.0, 3.4))
        places = [tuple(draw((0.3,) * 3, [side - 0.3 for side in size])) for _ in range(2)]
        rooms.append(Room(tuple(size), *places, reflection=draw((0.4,), (0.75,))[0]))
    return rooms


def impulse_response(room: Room, rate: int, order: int = 4) -> Tensor:
    """What arrives of a click, (TAPS,), float32: the direct sound, which is 1 and at 0, and then the echoes.

    An image at distance d after r reflections arrives (d − d_0) / SPEED seconds later, with reflection^r d_0 / d of the
    amplitude; d_0: the direct way. Between two samples it is divided between them. order: images per axis and side.
    """
    axes = []
    for side, source, ear in zip(room.size, room.loudspeaker, room.microphone, strict=True):
        # The walls at 0 and at `side` mirror the source to 2 n side ± source, after |2 n| or |2 n − 1| reflections.
        axes.append([(2 * n * side + sign * source - ear, abs(2 * n) if sign > 0 else abs(2 * n - 1))
                     for n in range(-order, order + 1) for sign in (1, -1)])
    response = torch.zeros(TAPS, dtype=torch.float64)
    direct = math.dist(room.loudspeaker, room.microphone)
    images = torch.tensor([[*(axis[0] for axis in image), sum(axis[1] for axis in image)]
                           for image in itertools.product(*axes)], dtype=torch.float64)
    distance = images[:, :3].norm(dim=1)
    late = ((distance - direct) * rate / SPEED).clamp_min(0)  # rounding: the direct way is not before itself
    amplitude = room.reflection ** images[:, 3] * direct / distance
    sample, share = late.floor().long(), late - late.floor()
    for offset, weight in ((0, 1 - share), (1, share)):
        inside = sample + offset < TAPS
        response.index_add_(0, (sample + offset)[inside], (amplitude * weight)[inside])
    return response.float()


def through_room(x: Tensor, response: Tensor) -> Tensor:
    """x as it is heard there, (N, T): the convolution with an impulse response, its first T samples.

        y_t = Σ_s response_s x_{t−s}:   a response of 1 at 0 and nothing else changes nothing
    """
    length = next_fast_len(x.shape[1] + len(response) - 1, real=True)  # a prime takes ten times as long
    heard = torch.fft.rfft(x, n=length) * torch.fft.rfft(response.to(x), n=length)
    return torch.fft.irfft(heard, n=length)[:, : x.shape[1]]


class Air:
    """A way through the air, for `attacks.eot`, another one at every call: a room, a band of frequencies, level, noise.

    rooms: of which each call picks one for all its sounds. rate: samples a second. band: what passes, in Hz.
    peak: the level that the microphone turns the largest sample to. snr_db: of the white noise. Its random numbers come
    from torch's global generator, as those of torchvision's transforms.
    """

    def __init__(self, rooms: Sequence[Room], rate: int, *, band: tuple[float, float] = (200.0, 3400.0),
                 peak: float = 0.5, snr_db: float = 25.0):
        if not rooms:
            raise ValueError("rooms must hold one room at least")
        self.responses = [impulse_response(room, rate) for room in rooms]
        self.rate, self.band, self.peak, self.snr_db = rate, band, peak, snr_db

    def __call__(self, x: Tensor) -> Tensor:
        """x, (N, T) in [-1, 1], as one of the rooms' microphones hears it; of the same shape and range."""
        return self.through(x, int(torch.randint(len(self.responses), ())))

    def through(self, x: Tensor, number: int) -> Tensor:
        """x through the room of this number."""
        heard = band_pass(through_room(x, self.responses[number]), self.rate, *self.band)
        heard = heard * (self.peak / heard.abs().amax(1, keepdim=True).clamp_min(1e-6))
        loud = (power(heard) * 10 ** (-self.snr_db / 10)).sqrt().detach()
        return (heard + loud[:, None] * white(heard)).clamp(-1, 1)


def band_pass(x: Tensor, rate: int, low: float, high: float) -> Tensor:
    """x, (N, T), without the frequencies below `low` and above `high` Hz."""
    frequency = torch.fft.rfftfreq(x.shape[1], 1 / rate, device=x.device)
    return torch.fft.irfft(torch.fft.rfft(x) * ((frequency >= low) & (frequency <= high)), n=x.shape[1])
