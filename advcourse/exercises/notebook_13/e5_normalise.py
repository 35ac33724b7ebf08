"""13.5: undoing disguises."""

import unicodedata

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_words, shuffled
from advcourse.text.lookalikes import LOOKALIKES

FOREIGN = {latin: foreign for foreign, latin in reversed(LOOKALIKES.items())}
INVISIBLE = "\u200b\u200d\u2060\u00ad"  # zero-width space and joiner, word joiner, soft hyphen
BOLD_ALPHA = "\U0001d6c2"  # a bold alpha: NFKC makes a Greek one of it, and only then the table knows it
PLAIN = "Über £5 für 2 KM,\nok? {} Café {}!"


def normalise(text, lookalikes):
    text = unicodedata.normalize("NFKC", text)
    return "".join(lookalikes.get(sign, sign) for sign in text if unicodedata.category(sign) != "Cf")


def normalise_probes(generator):
    def disguised(how):
        names = [*random_words(generator, 4), "Parcel", "once"]
        return " ".join(how(word) if place % 2 == 0 else word
                        for place, word in enumerate(shuffled(names, generator))) + " " + how("Special")

    def invisible(word):
        return "".join(letter + INVISIBLE[place % 4] for place, letter in enumerate(word))

    def wide(word):
        return "".join(chr(ord(letter) + 0xFEE0) for letter in word)

    def foreign(word):
        return "".join(FOREIGN.get(letter, letter) for letter in word)

    def both(word):
        return BOLD_ALPHA + foreign(word)

    texts = [disguised(how) for how in (wide, invisible, foreign, both)]
    plain = PLAIN.format(*random_words(generator, 2))
    return [{"text": text, "lookalikes": dict(LOOKALIKES)} for text in [plain, *texts]]


def kind(text):
    """Which disguise a probe tries."""
    if BOLD_ALPHA in text:
        return "both"
    if any(sign in INVISIBLE for sign in text):
        return "invisible"
    if any(sign in LOOKALIKES for sign in text):
        return "foreign"
    return "wide" if unicodedata.normalize("NFKC", text) != text else "plain"


def plain_stays(probe, result):
    text = probe["text"]
    if kind(text) != "plain" or result == text:
        return None
    if result == unicodedata.normalize("NFKD", text):
        return "NFKD takes ü apart, into u and two dots that filters do not know; NFKC leaves it whole"
    if result.casefold() == text.casefold():
        return "capital letters became small ones: upper and lower case stay as they are"
    if "".join(result.split()) == "".join(text.split()):
        return "blanks or the line break are gone: only signs of category Cf go, not those of Cc"
    if gone := [sign for sign in text if sign not in result]:
        return (f"{gone[0]!r} is gone from a message in plain letters: filters know £, ü and figures, and so do people")
    return f"a message in plain letters comes back changed: {result!r}"


def some_stay(text, lookalikes):
    return "".join(sign for sign in text if sign != "\u200b")


def as_blanks(text, lookalikes):
    return "".join(" " if unicodedata.category(sign) == "Cf" else sign for sign in text)


def only_latin(text, lookalikes):
    return text.encode("ascii", "ignore").decode()


def table_first(text, lookalikes):
    return unicodedata.normalize("NFKC", "".join(lookalikes.get(sign, sign) for sign in text))


def turned_table(text, lookalikes):
    back = {latin: foreign for foreign, latin in lookalikes.items()}
    return "".join(back.get(sign, sign) for sign in text)


# For each kind of disguise what is said where it is left as it is, and the known mistakes.
FULL_WIDTH = (
    "full-width letters stay as they are: `unicodedata.normalize(\"NFKC\", …)` makes them plain, and NFC does not", {
    "full-width letters are left out; they are letters, to be made plain": only_latin})
INVISIBLE_SIGNS = ("signs of no width stay in the words, and NFKC leaves them there: take out those of category Cf", {
    "U+200B is gone, and other signs of no width stay: take out all of category Cf": some_stay,
    "signs of no width became blanks, and cut the words into pieces: leave them out": as_blanks})
FOREIGN_LETTERS = (
    "Cyrillic letters stay as they are. NFKC does not touch them: they are no forms of the Latin ones, they only look "
    "like them. Take the table", {
    "foreign letters are left out; put in their place what they look like": only_latin,
    "the table has to come after NFKC: that makes a Greek letter of a bold one, which the table knows then":
        table_first,
    "the table leads from foreign letters to Latin ones; you go the other way": turned_table})
SAID = {"wide": FULL_WIDTH, "invisible": INVISIBLE_SIGNS, "foreign": FOREIGN_LETTERS, "both": FOREIGN_LETTERS}


def undone(probe, result):
    wanted = normalise(**probe)
    if result == wanted:
        return None
    unchanged, mistakes = SAID[kind(probe["text"])]
    if result == probe["text"]:
        return unchanged
    for message, mistake in mistakes.items():
        if result == mistake(**probe):
            return message
    return f"{probe['text']!r} became {result!r}; {wanted!r} is wanted"


exercise = Exercise(
    number="13.5",
    title="One form for every message",
    points=3,
    minutes=10,
    hints=(
        ("What does Unicode offer?",
         "`unicodedata.normalize(\"NFKC\", text)` gives what is the same character in another form, such as full-width "
         "letters, its plain form. Cyrillic letters are no forms of Latin ones: they only look like them."),
        ("How do I find signs that nobody sees?",
         "`unicodedata.category(sign)` is \"Cf\" for them: format characters. Leave those out."),
        ("Show me nearly all of it.",
         "`text = unicodedata.normalize(\"NFKC\", text)`, then `\"\".join(lookalikes.get(sign, sign) for sign in text "
         "if unicodedata.category(sign) != \"Cf\")`: in this order, for NFKC makes letters that only the table knows."),
    ),
    reference=normalise,
    probes=normalise_probes,
    gates={"plain messages stay as they are": plain_stays},
    properties={"letters of full width, invisible signs and foreign letters are undone": undone},
)
