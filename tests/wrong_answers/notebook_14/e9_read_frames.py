"""Plausible wrong answers to exercise 14.9, each with a part of the message that it should get, and right ones."""

import itertools

import numpy as np
import torch


def removes_blanks_first(scores):
    path = scores.argmax(1)
    path = torch.unique_consecutive(path[path != 0])
    return "".join(str(symbol - 1) for symbol in path.tolist())


def does_not_collapse(scores):
    return "".join(str(symbol - 1) for symbol in scores.argmax(1).tolist() if symbol)


def keeps_each_once(scores):
    found = []
    for symbol in scores.argmax(1).tolist():
        if symbol and symbol not in found:
            found.append(symbol)
    return "".join(str(symbol - 1) for symbol in found)


def takes_unique(scores):
    return "".join(str(symbol - 1) for symbol in torch.unique(scores.argmax(1)).tolist() if symbol)


def takes_the_last_for_the_blank(scores):
    path = torch.unique_consecutive(scores.argmax(1)).tolist()
    return "".join(str(symbol) for symbol in path if symbol != 10)


def forgets_the_offset(scores):
    path = torch.unique_consecutive(scores.argmax(1)).tolist()
    return "".join(str(symbol) for symbol in path if symbol)


def keeps_the_blanks(scores):
    return "".join(str(symbol - 1) for symbol in torch.unique_consecutive(scores.argmax(1)).tolist())


def shows_the_blanks(scores):
    return "".join("_" if not symbol else str(symbol - 1) for symbol in
                   torch.unique_consecutive(scores.argmax(1)).tolist())


def separates(scores):
    return " ".join(str(symbol - 1) for symbol in torch.unique_consecutive(scores.argmax(1)).tolist() if symbol)


def takes_the_wrong_axis(scores):
    return "".join(str(symbol - 1) for symbol in torch.unique_consecutive(scores.argmax(0)).tolist() if symbol)


def turns_it_round(scores):
    return unique(scores)[::-1]


def takes_the_smallest(scores):
    return unique(-scores)


def gives_a_list(scores):
    return [int(digit) for digit in unique(scores)]


def unique(scores):
    return "".join(str(symbol - 1) for symbol in torch.unique_consecutive(scores.argmax(1)).tolist() if symbol)


def remembers_the_last(scores):
    text, last = "", 0
    for row in scores:
        symbol = int(row.argmax())
        if symbol not in (last, 0):
            text += str(symbol - 1)
        last = symbol
    return text


def groups(scores):
    return "".join("_0123456789"[symbol] for symbol, _ in itertools.groupby(scores.argmax(1).tolist())).replace("_", "")


def uses_numpy(scores):
    path = np.argmax(scores.numpy(), axis=1)
    new = np.concatenate([[True], path[1:] != path[:-1]])
    return "".join(map(str, path[new & (path > 0)] - 1))


WRONG = [
    (removes_blanks_first, "the blanks go before"),
    (does_not_collapse, "equal neighbours are not made one"),
    (keeps_each_once, "every digit occurs once"),
    (takes_unique, "in order of size"),
    (takes_the_last_for_the_blank, "the last symbol is taken"),
    (forgets_the_offset, "the symbols are taken for digits"),
    (keeps_the_blanks, "as digit −1"),
    (shows_the_blanks, "the blanks are still there"),
    (separates, "digits are separated"),
    (takes_the_wrong_axis, "goes over the symbols"),
    (turns_it_round, "the wrong way round"),
    (takes_the_smallest, "the smallest score"),
    (gives_a_list, "a string is wanted"),
]

RIGHT = [unique, remembers_the_last, groups, uses_numpy]
