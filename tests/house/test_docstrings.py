"""`help()` of an attack or a defence stands alone: it names each parameter, the result, errors, cost and paper."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import advcourse.defenses
from advcourse import attacks

TOOLS = {"table", "print_photo"}  # exported beside the attacks: they have no cost in passes and no paper of their own


def defences():
    """The public functions that are defined in a file of defenses/."""
    for path in sorted(Path(advcourse.defenses.__path__[0]).glob("[a-z]*.py")):
        module = importlib.import_module(f"advcourse.defenses.{path.stem}")
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
                yield pytest.param(function, id=f"{path.stem}.{name}")


def unsaid(function, *words):
    """What the docstring of a function does not say: parameters, and patterns that it should hold."""
    text = inspect.getdoc(function) or ""
    named = set(re.findall(r"[A-Za-z_]\w*", text))
    missing = [name for name in inspect.signature(function).parameters if name not in named]
    return missing + [word for word in words if not re.search(word, text)]


@pytest.mark.parametrize("name", [name for name in attacks.__all__ if name not in TOOLS])
def test_an_attack_says_all_that_one_must_know_to_use_it(name):
    assert not unsaid(getattr(attacks, name), r"\bReturns\b", r"\bRaises\b", r"\bCosts?\b", r"\b(19|20)\d\d\b")


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_a_tool_beside_the_attacks_does_so_too(name):
    assert not unsaid(getattr(attacks, name), r"\bReturns\b", r"\bRaises\b")


@pytest.mark.parametrize("function", list(defences()))
def test_so_does_a_defence(function):
    assert not unsaid(function, r"\bReturns\b", r"\bRaises\b", r"\bCosts?\b", r"\b(19|20)\d\d\b")


def test_a_docstring_that_keeps_something_to_itself_is_noticed():
    def attack(model, x, y, *, eps, decay=1.0):
        """Attack: model, x, y as of `bim`; eps: the radius. Returns x_adv. Cost: 1 pass. Somebody, 2018."""

    assert unsaid(attack, r"\bReturns\b", r"\bRaises\b") == ["decay", r"\bRaises\b"]


@pytest.mark.parametrize("name", [name for name in attacks.__all__ if name not in TOOLS])
def test_no_attack_sends_its_reader_elsewhere_for_its_arguments(name):
    text = inspect.getdoc(getattr(attacks, name))
    assert not re.search(r"(?i)\b(arguments|result|parameters)[^.]*\bas (of|in) `", text)
