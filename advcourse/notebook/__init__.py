"""What a notebook calls: `start` sets it up, `claim` says what it measured, `compare_guess` compares with a guess."""

from advcourse.notebook.claims import claim, compare_guess, record
from advcourse.notebook.course import Course, start

__all__ = ["Course", "claim", "compare_guess", "record", "start"]
