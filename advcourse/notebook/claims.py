"""What a run measured: claims with the band they should lie in, records, and guesses beside their results."""

import html
import math
import re
from collections.abc import Mapping
from typing import Any, SupportsFloat

from advcourse.exercises.display import emit
from advcourse.exercises.kinds import describe

GROUPED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:[,'’_\s]\d{3})+(?!\d)")  # 1,000 and 1 000, but not 0,125
DECIMAL_COMMA = re.compile(r"(?<![\d.,]),(?=\d)|(?<=\d),(?=\d)")
NUMBER = re.compile(r"(-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?)(\s?k\b)?", re.IGNORECASE)


def claim(sentence: str, value: SupportsFloat, low: float, high: float) -> None:
    """Say `sentence` with the measured value in it, and record whether it lies in the band [low, high].

    sentence: a format string with one `{value}` field, such as "The error is {value:.1%}."
    value: one number, or a tensor or array without axes that holds one; TypeError for all else.
    A value outside the band is shown as such and does not stop the notebook: it is something to find out about.
    """
    value, low, high = number(value, "the value of a claim"), float(low), float(high)
    if not low <= high:
        raise ValueError(f"the band of a claim must be low <= high; got low={low}, high={high}")
    said, holds = sentence.format(value=value), low <= value <= high
    verdict = "✓ measured" if holds else f"✗ outside the expected band [{low:g}, {high:g}]"
    emit({"kind": "claim", "sentence": sentence, "value": value, "low": low, "high": high, "holds": holds},
         f"{said} ({verdict})", f'<div>{html.escape(said)} <span style="opacity:.7">{verdict}</span></div>')


def record(name: str, value: Any) -> None:
    """Leave `value` under `name` for programs that read the run.

    value: a number, a string, a tensor or an array, or lists and dicts of them; TypeError, which names the part, for
    anything else.
    """
    emit({"kind": "record", "name": name, "value": storable(value, name)}, f"recorded: {name}")


def compare_guess(guess: Any, value: SupportsFloat, unit: str = "%") -> None:
    """Put a guess made before the run beside the result; an open guess (`...` or None) is kindly asked for.

    guess: a number in `unit`, also as people type it: "57 %", "57,5", "about 57". What is none is said to be none.
    value: one number in `unit`, a few letters such as "%"; TypeError for what is none.
    """
    value = number(value, "the result to compare a guess with")
    result = f"{value:.3g} {unit}" if abs(value) < 1000 else f"{value:.0f} {unit}"
    guessed = read_guess(guess, unit)
    if guess is None or guess is ...:
        text = f"The result is {result}. You made no guess: go back, write one down, and run both cells again."
    elif guessed is None:
        text = (f"The result is {result}. Your guess, {shortened(guess)}, is not one number in {unit}: "
                "go back, write one such as 57.5, and run both cells again.")
    else:
        text = f"You guessed {guessed:g} {unit}; the result is {result}."
        if unit == "%" and 0 < guessed < 1 and "%" not in str(guess):
            text += f" (If you meant {100 * guessed:g} %, write {100 * guessed:g}.)"
    emit({"kind": "guess", "value": value}, text)


def read_guess(guess: Any, unit: str) -> float | None:
    """The one finite number in what somebody typed for a guess; None where there is none, or more than one."""
    if isinstance(guess, str):
        text = guess.replace("−", "-")
        if unit != "%":  # there are no thousands of percent: 57,500 has a decimal comma there
            text = GROUPED.sub(lambda found: re.sub(r"\D", "", found[0]), text)
        found = NUMBER.findall(DECIMAL_COMMA.sub(".", text))
        if len(found) != 1 or ("%" in text and unit != "%"):
            return None
        [(digits, thousands)] = found
        guess = float(digits) * (1000 if thousands else 1)
    try:
        guessed = number(guess, "a guess")
    except (TypeError, ValueError, OverflowError):
        return None
    return guessed if math.isfinite(guessed) and not isinstance(plain(guess), bool) else None


def shortened(guess: Any) -> str:
    """A guess as it was typed, or its beginning."""
    text = " ".join(repr(guess).split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def number(value: Any, what: str) -> float:
    """The number that a value is, or holds as a tensor or array without axes; TypeError, which says `what`, else."""
    held = plain(value)
    if not isinstance(held, SupportsFloat):
        raise TypeError(f"{what} must be one number; got {describe(value)}")
    return float(held)


def storable(value: Any, where: str) -> Any:
    """The value as JSON has it; TypeError, which says `where` it stands, for what JSON does not have."""
    value = plain(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): storable(part, f"{where}[{key!r}]") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [storable(part, f"{where}[{index}]") for index, part in enumerate(value)]
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, SupportsFloat):
        return float(value)
    raise TypeError(f"a record holds numbers, strings, and lists and dicts of them; {where} is {describe(value)}")


def plain(value: Any) -> Any:
    """What a tensor or something of NumPy's holds, as Python's own numbers and lists; any other value as it is."""
    return value.tolist() if hasattr(value, "tolist") else value
