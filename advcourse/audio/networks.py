"""Networks that listen: for one word (`word_cnn`), and for a string of them (`string_cnn`)."""

from torch import Tensor, nn

from advcourse.audio.mel import LogMel


class OverTime(nn.Module):
    """The mean over time: (N, C, bands, frames) to (N, C · bands)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(3).flatten(1)


class AsImage(nn.Module):
    """(N, bands, frames) to (N, 1, bands, frames)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, None]


class AsFrames(nn.Module):
    """(N, C, frames) to (N, frames, C), as log-probabilities over C."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).log_softmax(2)


def word_cnn(classes: int = 10, rate: int = 8_000) -> nn.Sequential:
    """From waveforms, (N, T) in [-1, 1], to logits, (N, classes): log-mel, three convolutions, the mean over time.

    25,978 parameters for ten classes. T: any length of 1,024 samples or more.
    """
    def block(before, after):
        return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(LogMel(rate), AsImage(), *block(1, 16), *block(16, 32), *block(32, 64), OverTime(),
                         nn.Linear(64 * 4, classes))


def string_cnn(classes: int = 10, rate: int = 8_000, width: int = 64) -> nn.Sequential:
    """From waveforms, (N, T), to log-probabilities of each frame, (N, frames, 1 + classes), for CTC: 0 is the blank.

    Class c is symbol c + 1. A frame every 32 ms, which has seen a third of a second around it.
    """
    def block(before, after, stride=1):
        return [nn.Conv1d(before, after, 5, stride=stride, padding=2, bias=False), nn.BatchNorm1d(after), nn.ReLU()]

    return nn.Sequential(LogMel(rate), *block(32, width), *block(width, width, stride=2), *block(width, width),
                         *block(width, width), *block(width, width), nn.Conv1d(width, 1 + classes, 1), AsFrames())
