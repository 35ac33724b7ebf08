"""What a run measured: claims with the band they should lie in, records, and guesses beside their results."""

import html
from typing import Any, SupportsFloat

from advcourse.exercises.display import emit


def claim(sentence: str, value: SupportsFloat, low: float, high: float) -> None:
    """Say `sentence` with the measured value in it, and record whether it lies in the band [low, high].

    sentence: a format string with one `{value}` field, such as "The error is {value:.1%}."
    A value outside the band is shown as such and does not stop the notebook: it is something to find out about.
    """
    value, low, high = float(value), float(low), float(high)
    if not low <= high:
        raise ValueError(f"the band of a claim must be low <= high; got low={low}, high={high}")
    said, holds = sentence.format(value=value), low <= value <= high
    verdict = "✓ measured" if holds else f"✗ outside the expected band [{low:g}, {high:g}]"
    emit({"kind": "claim", "sentence": sentence, "value": value, "low": low, "high": high, "holds": holds},
         f"{said} ({verdict})", f'<div>{html.escape(said)} <span style="opacity:.7">{verdict}</span></div>')


def record(name: str, value: Any) -> None:
    """Leave `value` (a number, a string, or lists and dicts of them) under `name` for programs that read the run."""
    emit({"kind": "record", "name": name, "value": value}, f"recorded: {name}")


def compare_guess(guess: Any, value: SupportsFloat, unit: str = "%") -> None:
    """Put a guess made before the run beside the result; an open guess (`...` or None) is kindly asked for.

    guess, value: numbers in the same `unit`, a few letters such as "%".
    """
    if guess is None or guess is ...:
        text = (f"The result is {value:.3g} {unit}. "
                "You made no guess: go back, write one down, and run both cells again.")
    else:
        text = f"You guessed {guess:g} {unit}; the result is {value:.3g} {unit}."
    emit({"kind": "guess", "value": float(value)}, text)
