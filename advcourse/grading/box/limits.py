"""What one submission may use. Whoever sends a class to a cluster needs this, on any system; walls need Linux."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    seconds: float = 30  # for all calls of one exercise, by the clock
    memory: int = 2 << 30  # bytes, beyond what Python and PyTorch take themselves
    scratch: int = 64 << 20  # bytes in the scratch folder
    threads: int = 64
    files: int = 64  # open at a time
