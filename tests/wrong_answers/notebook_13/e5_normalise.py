"""Plausible wrong answers to exercise 13.5, each with a part of the message that it should get, and right ones."""

import re
import unicodedata


def nfkc(text):
    return unicodedata.normalize("NFKC", text)


def visible(text):
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf")


def takes_nfkc_alone(text, lookalikes):
    return nfkc(text)


def forgets_the_table(text, lookalikes):
    return visible(nfkc(text))


def takes_the_table_alone(text, lookalikes):
    return "".join(lookalikes.get(sign, sign) for sign in text)


def takes_nfc(text, lookalikes):
    text = visible(unicodedata.normalize("NFC", text))
    return "".join(lookalikes.get(sign, sign) for sign in text)


def takes_nfkd(text, lookalikes):
    text = visible(unicodedata.normalize("NFKD", text))
    return "".join(lookalikes.get(sign, sign) for sign in text)


def throws_away_all_but_ascii(text, lookalikes):
    text = "".join(lookalikes.get(sign, sign) for sign in nfkc(text))
    return text.encode("ascii", "ignore").decode()


def throws_ascii_away_at_once(text, lookalikes):
    return text.encode("ascii", "ignore").decode()


def keeps_letters_alone(text, lookalikes):
    text = "".join(lookalikes.get(sign, sign) for sign in visible(nfkc(text)))
    return "".join(sign for sign in text if sign.isalpha() or sign.isspace())


def writes_small(text, lookalikes):
    return "".join(lookalikes.get(sign, sign) for sign in visible(nfkc(text))).lower()


def looks_up_first(text, lookalikes):
    return nfkc(visible("".join(lookalikes.get(sign, sign) for sign in text)))


def takes_one_invisible_sign(text, lookalikes):
    return "".join(lookalikes.get(sign, sign) for sign in nfkc(text).replace("\u200b", ""))


def puts_blanks(text, lookalikes):
    text = "".join(" " if unicodedata.category(sign) == "Cf" else sign for sign in nfkc(text))
    return "".join(lookalikes.get(sign, sign) for sign in text)


def takes_all_of_c(text, lookalikes):
    text = "".join(sign for sign in nfkc(text) if not unicodedata.category(sign).startswith("C"))
    return "".join(lookalikes.get(sign, sign) for sign in text)


def turns_the_table(text, lookalikes):
    back = {latin: foreign for foreign, latin in lookalikes.items()}
    return "".join(back.get(sign, sign) for sign in visible(nfkc(text)))


def returns_words(text, lookalikes):
    return "".join(lookalikes.get(sign, sign) for sign in visible(nfkc(text))).split()


def translates(text, lookalikes):
    return visible(nfkc(text)).translate(str.maketrans(lookalikes))


def replaces_one_by_one(text, lookalikes):
    text = nfkc(text)
    for foreign, latin in lookalikes.items():
        text = text.replace(foreign, latin)
    return visible(text)


def normalises_last_once_more(text, lookalikes):
    result = ""
    for sign in unicodedata.normalize("NFKC", text):
        if unicodedata.category(sign) == "Cf":
            continue
        result += lookalikes.get(sign, sign)
    return unicodedata.normalize("NFKC", result)


def uses_a_regular_expression(text, lookalikes):
    pattern = re.compile("[" + "".join(lookalikes) + "]")
    return pattern.sub(lambda found: lookalikes[found[0]], visible(unicodedata.normalize("NFKC", text)))


WRONG = [
    (takes_nfkc_alone, "NFKC leaves them there"),
    (forgets_the_table, "NFKC does not touch them"),
    (takes_the_table_alone, "full-width letters stay"),
    (takes_nfc, "NFC does not"),
    (takes_nfkd, "NFKD takes ü apart"),
    (throws_away_all_but_ascii, "is gone from a message in plain letters"),
    (throws_ascii_away_at_once, "is gone from a message in plain letters"),
    (keeps_letters_alone, "is gone from a message in plain letters"),
    (writes_small, "capital letters became small"),
    (looks_up_first, "the table has to come after NFKC"),
    (takes_one_invisible_sign, "take out all of category Cf"),
    (puts_blanks, "cut the words into pieces"),
    (takes_all_of_c, "the line break"),
    (turns_the_table, "is gone from a message in plain letters"),
    (returns_words, "a string is wanted"),
]

RIGHT = [translates, replaces_one_by_one, normalises_last_once_more, uses_a_regular_expression]
