"""Can a person still read it? A checker that sees two strings, and nothing of how the second was made."""

import re
import unicodedata

from advcourse.text.lookalikes import skeleton

UNREADABLE = {"Cc", "Co", "Cn", "Cs"}  # control, private, unassigned, halves of characters
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # they turn the direction in which one reads
# The number to call, the link to follow.
NEEDED = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|net|org|co|info|tv|example)\b(?:/\S*)?|\d{5,}", re.I)


def unreadable(text: str, text_adv: str, *, added: int = 30, changed: float = 0.3) -> str | None:
    """Why the second text is not the first for a person who reads it; None where it is.

    added: how many more words it may have; changed: which share of the first one's words may be lost or misspelt.

    Both are compared as the eye sees them (`lookalikes.skeleton`): disguised letters are read, and words in s p a c e d
    letters. The longest sequence of words that both have in this order counts as kept. Phone numbers and links must all
    be there: without them the message is of no use to who sent it. Accents, invisible and foreign signs are free.
    """
    for sign in text_adv:
        if unicodedata.category(sign) in UNREADABLE and not sign.isspace():
            return f"it holds the character U+{ord(sign):04X}, which nobody can read"
    if TURNING.search(text_adv):
        return "it turns the direction of reading"
    compact = "".join(_pieces(text_adv))
    for needed in NEEDED.findall(text):
        if "".join(_pieces(needed)) not in compact:
            return f"{needed}, which the sender needs, is gone"
    old, new = _pieces(text), _pieces(text_adv)
    kept, used = _kept(old, new)
    lost = len(old) - kept
    if lost > changed * len(old):
        return f"{lost} of its {len(old)} words are lost or misspelt; {changed:.0%} may be"
    extra = len(new) - used - lost  # a misspelt word stands where the lost one stood
    if extra > added:
        return f"{extra} words were added; {added} may be"
    return None


def _pieces(text):
    """The words of a text as the eye sees them: letters and figures between what is neither."""
    return re.findall(r"\w+", skeleton(text))


def _kept(old, new):
    """How many words of `old` stand in `new` in their order, at most, and how many of `new` they take up.

    A word may be spread over several of `new`: f, r, e, e.
    """
    best = [(0, 0)] * (len(new) + 1)  # best[j]: of the words of `old` seen so far, from the end, in new[j:]
    for word in reversed(old):
        row = best.copy()  # this word is left out
        for j in reversed(range(len(new))):
            row[j] = max(row[j], row[j + 1])
            end, spelled = j, ""
            while end < len(new) and len(spelled) < len(word) and word.startswith(spelled + new[end]):
                spelled += new[end]
                end += 1
            if spelled == word:
                row[j] = max(row[j], (best[end][0] + 1, best[end][1] + end - j))
        best = row
    return best[0]
