"""Hostile answers of the kinds that came with notebooks 11 to 14: texts, dicts of words, draws, functions to ask."""

from tests.hostile.case import case, function

NORMALISE = """
import unicodedata
def plain(text, lookalikes):
    text = unicodedata.normalize("NFKC", text)
    return "".join(lookalikes.get(sign, sign) for sign in text if unicodedata.category(sign) != "Cf")
"""
BOXES = """
import math
def boxes(n):
    found = []
    while len(found) < n:
        area = 0.08 + 0.92 * torch.rand(4 * n)
        aspect = torch.exp((2 * torch.rand(4 * n) - 1) * math.log(4 / 3))
        sides = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], 1)
        found += list(sides[(sides <= 1).all(1)])
    sides = torch.stack(found[:n])
    return torch.cat([torch.rand(n, 2) * (1 - sides), sides], 1)
"""


def texts(name, body, **more):
    """A 13.5 with this body, below a right `plain` of the attacker's own."""
    return case("texts", name, NORMALISE, function("normalise(text, lookalikes)", body), notebook="13", **more)


def words(name, code, **more):
    return case("words", name, code, notebook="13", **more)


def draws(name, body, **more):
    """An 11.3 with this body, below right `boxes` of the attacker's own."""
    return case("draws", name, BOXES, function("crop_boxes(n)", body), notebook="11", **more)


def asks(name, code, **more):
    return case("asking", name, code, notebook="13", **more)


CASES = [
    # texts that come back
    texts("a text that is equal to every other", """
class Yes(str):
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    __hash__ = str.__hash__
return Yes("GOT THROUGH")"""),
    texts("a text that says another one when it is printed", """
class Two(str):
    def __str__(self):
        return plain(text, lookalikes)
    def __len__(self):
        return len(plain(text, lookalikes))
    def __iter__(self):
        return iter(plain(text, lookalikes))
return Two("free")"""),
    texts("right, as one of NumPy's texts", """
import numpy as np
return np.str_(plain(text, lookalikes))""", points=3),
    texts("right, as a text of a class of its own, which could be anything", """
class Text(str):
    pass
return Text(plain(text, lookalikes))"""),
    texts("a gigabyte of one letter", "return 'x' * 2**30"),
    texts("half of a pair of surrogates", "return '\\ud800' + text"),
    texts("the byte 0, a bell and an escape sequence", "return '\\0\\a\\x1b[2J\\x1b]0;x\\7' + text"),
    texts("a page with a script in it", "return '<script>alert(1)</script><img src=x onerror=alert(1)>' + text"),
    texts("a formula for a spreadsheet", "return '=HYPERLINK(\"http://127.0.0.1:@PORT@\")'"),
    texts("the wire's own words", "return 'adv1' + '{\"values\": {\"dict\": []}}' + text"),
    texts("the table of lookalikes is emptied, and nothing else done", """
lookalikes.clear()
return text"""),
    texts("Unicode's tables are exchanged", """
import unicodedata
unicodedata.normalize = lambda form, text: text
unicodedata.category = lambda sign: "Cf"
return text"""),
    # lists and dicts of words
    words("a list that says it is as long as ours", """
def good_words(ham, spam, k):
    class Long(list):
        def __len__(self):
            return k
        def __eq__(self, other):
            return True
    return Long()"""),
    words("ten million words", """
def good_words(ham, spam, k):
    return [str(number) for number in range(10**7)]"""),
    words("a list that holds itself", """
def good_words(ham, spam, k):
    found = ["free"]
    found.append(found)
    return found"""),
    words("a dict that has every word, and any weight", """
def log_odds(ham, spam, smoothing):
    class Any(dict):
        def __missing__(self, word):
            return 0.0
        def keys(self):
            return {word for message in ham + spam for word in message}
        def __len__(self):
            return len(self.keys())
    return Any()"""),
    words("weights that are equal to every number", """
def log_odds(ham, spam, smoothing):
    class Weight(float):
        def __sub__(self, other):
            return 0.0
        __rsub__ = __sub__
        def __abs__(self):
            return 0.0
        def __eq__(self, other):
            return True
    return {word: Weight("nan") for message in ham + spam for word in message}"""),
    words("a number of a million digits for a weight", """
def log_odds(ham, spam, smoothing):
    return {word: 10**1_000_000 for message in ham + spam for word in message}"""),
    # what is random
    draws("the dice are loaded for everybody", """
torch.rand = lambda *size, **more: torch.full(size, 0.5)
torch.manual_seed(0)
return torch.tensor([[0.0, 0.0, 0.7, 0.7]]).expand(n, 4)"""),
    draws("right ones, the same every time", """
torch.manual_seed(0)
return boxes(n)"""),
    draws("right ones, out of a drawer", """
global drawer
drawer = globals().get("drawer") or boxes(n).tolist()
return torch.tensor(drawer[:n])"""),
    draws("right ones, from the system's own dice", """
import os
torch.manual_seed(int.from_bytes(os.urandom(6), "big"))
return boxes(n)""", points=3),
    draws("boxes that compare as inside, and are not", """
class Inside(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.ones((), dtype=torch.bool)
return (boxes(n) + 7).as_subclass(Inside)"""),
    draws("not a number, so that no count is too large", "return boxes(n) * float('nan')"),
    draws("ten times as many as were asked for", "return boxes(10 * n)"),
    # functions that are to be asked
    asks("the count of the questions is set back", """
def active_words(is_spam, message, pool, k):
    for name in ("calls", "rows", "seen"):
        try:
            setattr(is_spam, name, 0)
        except Exception:
            pass
    for _ in range(300):
        is_spam([message] * 300)
    return []"""),
    asks("what the filter knows is read out of it", """
def active_words(is_spam, message, pool, k):
    import gc
    found = [value for cell in (getattr(is_spam, "__closure__", None) or ()) for value in [cell.cell_contents]]
    found += [vars(one) for one in gc.get_objects() if type(one).__module__.startswith("advcourse.exercises.notebook")]
    return [word for word in pool if word in str(found)][:k] or pool[:1]"""),
    asks("a question that never ends", """
def active_words(is_spam, message, pool, k):
    class Endless(list):
        def __len__(self):
            return 1
        def __iter__(self):
            while True:
                yield message
    is_spam(Endless())
    return pool[:k]""", seconds=5),
    asks("a question of a gigabyte", """
def active_words(is_spam, message, pool, k):
    is_spam([message * (2**30 // len(message))])
    return pool[:k]"""),
]
