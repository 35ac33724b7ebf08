"""What a notebook calls: `start` sets it up, `claim` says what it measured, `compare_guess` puts a guess beside the
result."""

from advcourse.notebook.claims import claim, compare_guess, record
from advcourse.notebook.course import Course, start

__all__ = ["Course", "claim", "compare_guess", "record", "start"]
