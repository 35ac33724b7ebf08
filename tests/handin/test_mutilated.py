"""Whatever is done to the cells of a notebook without changing what its functions do, it is graded the same."""

import ast
import itertools
import json
import random
import re
from functools import cache
from types import SimpleNamespace

import pytest

from advcourse.handin.statements import first_line
from advcourse.handin.work import extract, official_names, shipped
from tests.handin.notebooks import NUMBERS, right_answers, states

TIMES = 10
JUPYTER = ["%matplotlib inline", "!pip install --quiet \\\n    torch", "?print", "files = !ls", "%load_ext autoreload",
           "print?"]
MISTAKES = ["def broken(:\n    return 1", "x = (1,\nprint(x)", "print 'hello'", "for i in range(3)", "x = 'no end", "}",
            "This should have been a text."]
KEPT = re.compile(r"\b(answer|choice|question)\b")  # questions stand where their answers are looked for


# --- one way to mutilate each; cells are [type, source] --------------------------------------------------------------

def split(cells, chance, needed):
    """Every statement in a cell of its own."""
    for kind, source in cells:
        if kind == "code" and chance.random() < 0.7:
            lines = source.split("\n")
            starts = [first_line(node) - 1 for node in ast.parse(source).body]
            borders = [0, *starts[1:], len(lines)]
            yield from (["code", "\n".join(lines[a:b])] for a, b in itertools.pairwise(borders) if a < b)
        else:
            yield [kind, source]


def delete(cells, chance, needed):
    """Some of what nobody needs: texts, experiments, calls of check."""
    return [[kind, source] for kind, source in cells if (kind == "code" and needed(source)) or chance.random() < 0.4]


def double(cells, chance, needed):
    for cell in cells:
        yield from [cell] * chance.choice([1, 1, 2])


def merge(cells, chance, needed):
    merged = []
    for kind, source in cells:
        if merged and kind == merged[-1][0] and chance.random() < 0.5:
            merged[-1] = [kind, f"{merged[-1][1]}\n{source}"]
        else:
            merged.append([kind, source])
    return merged


def shuffle(cells, chance, needed):
    """What nobody needs goes anywhere."""
    cells = list(cells)
    loose = [cell for cell in cells if not needed(cell[1])]
    kept = [cell for cell in cells if needed(cell[1])]
    for cell in loose:
        kept.insert(chance.randint(0, len(kept)), cell)
    return kept


def jupyter(cells, chance, needed):
    for kind, source in cells:
        if kind == "code":
            form = chance.choice(["{0}", "{1}\n{0}", "{0}\n{1}", "%%time\n{0}", "%%capture\n{1}\n{0}"])
            source = form.format(source, chance.choice(JUPYTER))
        yield [kind, source]


def mistakes(cells, chance, needed):
    for cell in cells:
        yield cell
        if chance.random() < 0.15:
            yield ["code", chance.choice(MISTAKES)]


def without_answers(cells, chance, needed):
    """The calls of answer are gone; the choices still follow their questions."""
    for kind, source in cells:
        yield [kind, re.sub(r"^answer\(.*\)$", "", source, flags=re.MULTILINE) if kind == "code" else source]


WAYS = [split, delete, double, merge, shuffle, mistakes, jupyter]  # the last as it leaves cells that do not parse


def rename(cells, notebook, chance):
    """(the cells with an exercise's function renamed wherever it stands, {old: new}), of names with no other use."""
    trees = [node for kind, source in cells if kind == "code" for node in ast.walk(ast.parse(source))]
    used = {node.arg for node in trees if isinstance(node, ast.arg | ast.keyword)}
    used |= {node.attr for node in trees if isinstance(node, ast.Attribute)}
    name = chance.choice(sorted(set(official_names(notebook).values()) - used))
    return [[kind, re.sub(rf"\b{name}\b", f"my_{name}", source)] for kind, source in cells], {name: f"my_{name}"}


def written(cells, chance):
    """The bytes of a notebook of these cells, in some format, with or without ids, metadata and outputs."""
    minor, as_list = chance.randint(0, 5), chance.random() < 0.5
    def cell(index, kind, source):
        made = {"cell_type": kind, "source": source.splitlines(keepends=True) if as_list else source}
        if chance.random() < 0.5:
            made["metadata"] = chance.choice([{}, {"id": "abc"}, {"nbgrader": {"grade": True}},
                                              {"colab": {"base_uri": "https://example.org"}}])
        if minor == 5:
            made["id"] = f"renamed-{index}"
        if kind == "code" and chance.random() < 0.5:
            output = {"output_type": "stream", "name": "stdout",
                      "text": "check(\"99.1\", x) " * chance.choice([0, 1, 3000])}
            made |= {"outputs": chance.choice([[], [output], [output, None]]),
                     "execution_count": chance.choice([None, 7])}
        return made
    document = {"cells": [cell(index, *one) for index, one in enumerate(cells)], "nbformat": 4, "nbformat_minor": minor}
    encoding = chance.choice(["utf-8", "utf-8-sig", "utf-16"])
    return json.dumps(document, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1])).encode(encoding)


# --- and all together ------------------------------------------------------------------------------------------------

def source_cells(path):
    return [[cell["cell_type"], "".join(cell["source"])]
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def mutilated(path, notebook, chance):
    """A mutilated notebook's bytes, and how its functions were renamed."""
    cells, renamed = source_cells(path), {}
    ways = {way for way in WAYS if chance.random() < 0.6}
    if chance.random() < 0.3:
        cells, renamed = rename(cells, notebook, chance)
    elif chance.random() < 0.4:
        cells = without_answers(cells, chance, None)
    cells = list(cells)
    texts = [text.strip() for text in extract(written(cells, random.Random(0)), notebook).statements]

    def needed(source):
        checks = any(f'", {name})' in source for name in renamed.values())
        return bool(KEPT.search(source)) or checks or any(text in source for text in texts)

    for way in WAYS:
        if way in ways:
            cells = list(way(cells, chance, needed))
    return written(cells, chance), renamed


@cache
def verdicts(notebook, statements, functions):
    """As `states`, once for all notebooks that come to the same statements."""
    return set(states(SimpleNamespace(statements=statements, functions=dict(functions)), notebook).values())


def judged(content, notebook):
    work = extract(content, notebook)
    return work, verdicts(notebook, tuple(text.strip() for text in work.statements), tuple(work.functions.items()))


@pytest.mark.parametrize("notebook", NUMBERS)
def test_a_mutilated_solved_notebook_keeps_everything(notebook):
    path = shipped()[notebook]
    for seed in range(TIMES):
        content, renamed = mutilated(path.parent / "solutions" / path.name, notebook,
                                     random.Random(f"{notebook} {seed}"))
        work, found = judged(content, notebook)
        assert (found, work.answers) == ({"passed"}, right_answers(notebook)), seed
        assert work.functions == {number: renamed.get(name, name)
                                  for number, name in official_names(notebook).items()}, seed


@pytest.mark.parametrize("notebook", NUMBERS)
def test_a_mutilated_blank_notebook_stays_not_attempted(notebook):
    for seed in range(TIMES):
        content, _ = mutilated(shipped()[notebook], notebook, random.Random(f"{notebook} {seed}"))
        work, found = judged(content, notebook)
        assert found == {"not attempted"} and set(work.answers.values()) <= {None}, seed
