"""Text that was handed in, on its way to people: all of it is hostile, and nobody reads what cannot be seen.

Names, code and messages reach a page as plain text or not at all.
"""

import hashlib
import re
import unicodedata

# No more characters than this of one text; a page must open.
LONGEST_CODE, LONGEST_MESSAGE, LONGEST_NAME = 20_000, 1_000, 200
# Control characters but tab and line feed, surrogates, marks of direction, and what has no width but joiners:
# some scripts need those.
TREACHEROUS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
                         r"\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]")


def file_name(student):
    """A file's name for any student's name at all: always the same one, and no two students share theirs."""
    ascii_only = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only)[:40].strip("-") or "student"
    return f"{slug}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def legible(text, longest=LONGEST_MESSAGE):
    """The text with what nobody can see, or what turns the direction of writing, spelt out as ⟨U+202E⟩; clipped."""
    if len(text) > longest:
        text = f"{text[:longest]} … ({len(text) - longest:,} more characters)"
    return TREACHEROUS.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def one_line(text, longest=LONGEST_MESSAGE):
    """The text as `legible` makes it, in one line."""
    return legible(" ".join(text.split()), longest)


def name_of(student):
    """A student's name as people read it."""
    return one_line(student, LONGEST_NAME) or "(no name)"


# What a spreadsheet takes for a formula to execute: a sign, wide ones too, at the start of a cell. Where a cell starts
# depends on the spreadsheet's language: it may part fields at semicolons or tabs, and find quotes where we wrote none.
FORMULA = re.compile(r"""((?:^|[;,|\t\r\n"])[\s"]*)(?=[=+\-@＝＋－＠]\s*\S)""")  # noqa: RUF001 (the wide signs)


def harmless(text):
    """The text with an apostrophe before every sign that may begin a formula."""
    return FORMULA.sub(r"\1'", text)


def cell(text):
    """A text for a spreadsheet, in one line."""
    return harmless(one_line(text))
