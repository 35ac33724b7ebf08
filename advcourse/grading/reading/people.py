"""From what platforms and files call a student to the student in the roster."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain, count

from advcourse.grading.reading.platforms import NUMBER
from advcourse.grading.reading.roster import Student

# Letters that Unicode does not take apart, and those that German writes as two.
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})
AS_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


class Register:
    """The students of a class by all that they may be called."""

    def __init__(self, students: Iterable[Student]):
        self.by_code, self.by_name = defaultdict(list), defaultdict(list)
        for student in students:
            codes = {student.id, student.folder, student.email, *student.numbers.values(),
                     student.canvas and f"Canvas {student.canvas}", student.moodle and f"Moodle {student.moodle}"}
            for spelling in set().union(*map(codes_of, filter(None, codes))):
                self.by_code[spelling].append(student)
            for name in spellings(student.name):
                self.by_name[name].append(student)

    def find(self, *called: str) -> list[Student]:
        """The students that the first of these can mean that can mean any: by an id, e-mail or number, else by name."""
        for text in called:
            code = text.strip().casefold()
            for found in (self.by_code.get(code), self.by_code.get(code.lstrip("0")), self.by_name.get(squashed(text)),
                          self.by_name.get(squashed(text, AS_TWO)), self.by_code_within(text)):
                if found:
                    return found
        return []

    def by_code_within(self, text):
        """The students of the only id or number with a digit that stands in a text, as in "O'Brien Siobhan (s4711)".

        Where the rest is the name of somebody else, they are meant as well.
        """
        words = text.replace("(", " ").replace(")", " ").replace("_", " ").casefold().split()
        found = [word for word in words if len(word) > 3 and any(map(str.isdigit, word)) and word in self.by_code]
        if len(found) != 1 or NUMBER.fullmatch(text):
            return []
        named = self.by_name.get(squashed("".join(word for word in words if word != found[0])), ())
        meant = self.by_code[found[0]]
        return [*meant, *(student for student in named if student not in meant)]


def codes_of(code):
    """The spellings of an id or a number: Excel drops zeros before it."""
    code = code.casefold()
    return {code, code.lstrip("0") or code} if code.isdigit() else {code}


def spellings(name):
    """Every way in which platforms write a name: squashed, the last name first or last, umlauts as one or two."""
    words = name.replace(",", " ").split()
    orders = [words[at:] + words[:at] for at in range(len(words))]
    return {squashed("".join(order), two) for order in orders for two in ({}, AS_TWO)} - {""}


def squashed(name, as_two=None):
    """A name in lower-case letters and digits alone, without accents: what Canvas makes of it, and more."""
    lower = unicodedata.normalize("NFC", name).casefold().translate(as_two or {}).translate(PLAIN)
    return "".join(letter for letter in unicodedata.normalize("NFKD", lower) if letter.isalnum())


# --- who each of them is ---------------------------------------------------------------------------------------------

def join(entries: Iterable, register: Register) -> dict:
    """From the key of entries to the Student that they are of, for as many as can be told.

    What a platform or a folder calls somebody counts first. Where that means nobody in the roster, or several, what
    their files say of themselves counts: the manifest of submit(), STUDENT. That is the student's own word, and is
    taken for nobody who handed something in under their own name, and for one at most who says so.
    """
    called, said = defaultdict(dict), defaultdict(list)
    for entry in entries:
        called[entry.key] |= dict.fromkeys(entry.who.called)
        said[entry.key] += [word for _, word in entry.said if word]
    found, claims = {}, {}
    for key in called:
        meant = register.find(*called[key])
        says = [student for word in said[key] for student in register.find(word)]
        own = [student for student in meant if student in says] if len(meant) > 1 else meant
        if len(own) == 1:
            found[key] = own[0]
        elif len({student.id for student in says}) == 1 and (not meant or says[0] in meant):
            claims[key] = says[0]
    taken = Counter(student.id for student in [*found.values(), *claims.values()])
    return found | {key: student for key, student in claims.items() if taken[student.id] == 1}


# --- what students are called without a roster -----------------------------------------------------------------------

def display_names(keys: Iterable[tuple[str, str]], taken: Iterable[str] = ()) -> dict[tuple[str, str], str]:
    """From every (name, platform's number) to the student's name in one line, with a number where two share it.

    taken: the ids of others, which none of them may get.
    """
    plain = {key: "".join(letter if letter.isprintable() else "?" for letter in key[0])[:200].strip() or "?"
             for key in keys}
    others = {name.casefold() for name in taken}
    shared = Counter([*(name.casefold() for name in plain.values()), *others])  # in case files are named after them
    names, taken = {}, {name for name, times in shared.items() if times == 1} | others
    for key, name in sorted(plain.items()):
        if shared[name.casefold()] > 1:
            tries = chain([key[1]] if key[1] else [], count(1))
            name = next(tried for number in tries if (tried := f"{name} ({number})").casefold() not in taken)
            taken.add(name.casefold())
        names[key] = name
    return names
