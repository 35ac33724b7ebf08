"""From the bytes of an untrusted notebook to its top-level statements and their names. Nothing of it is executed
here."""

import ast
import json
import re
import symtable
from dataclasses import dataclass, replace

COURSE_CALLS = {"check", "answer", "start", "question", "progress", "hint"}
MENTIONS = re.compile(rf"\b({'|'.join(sorted(COURSE_CALLS))})\b|:=")  # what has none of it needs no closer look
MAGICS_WITH_PYTHON = {"time", "capture", "prun"}  # the cell below such a line is run as it stands
# Far above any real notebook: what a hostile one may cost.
MOST_BRANCHES, MOST_CODE, MOST_STATEMENTS, MOST_TRIED, LONGEST_PAD = 1_000_000, 300_000, 5_000, 3_000_000, 2_000
LOOK_AHEAD = 40  # how far a piece of a broken cell may reach, in lines that could begin a statement
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # what Python's parser raises on hostile text


@dataclass(frozen=True)
class Statement:
    """A top-level statement: its syntax tree and source, the line it stands on in its cell, and its names."""

    node: ast.stmt
    text: str
    line: int
    binds: frozenset = frozenset()  # names that it gives a value
    touches: frozenset = frozenset()  # names whose attributes or entries it sets
    reads: frozenset = frozenset()  # global names that it, or a function in it, reads

    @property
    def padded(self):
        return "\n" * (min(self.line, LONGEST_PAD) - 1) + self.text


# --- the file --------------------------------------------------------------------------------------------------------

def code_cells(content):
    """The (position, source) of every code cell, the first at position 1; any format from 2 to 4.5, whatever is
    missing.

    Raises ValueError where there are no cells.
    """
    if content.count(b"[") + content.count(b"{") > MOST_BRANCHES:
        raise ValueError(f"this is not a notebook: it has more than {MOST_BRANCHES:,} lists and objects")
    try:
        document = json.loads(content.decode(json.detect_encoding(content), "replace"))
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "is nested too deep" if isinstance(error,
                                                    RecursionError) else "is no JSON" if content.strip() else "is empty"
        raise ValueError(f"this is not a notebook: it {reason}") from None
    document = document if isinstance(document, dict) else {}
    cells, sheets = document.get("cells"), document.get("worksheets")  # the latter before format 4
    if not isinstance(cells, list) and isinstance(sheets, list):
        parts = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for part in parts if isinstance(part, list) for cell in part]
    if not isinstance(cells, list):
        raise ValueError("this is not a notebook: it has no cells")
    for position, cell in enumerate(cells, start=1):
        if isinstance(cell, dict) and cell.get("cell_type", "code") == "code":
            source = cell.get("source", cell.get("input", ""))
            if isinstance(source, list):
                source = "".join(line for line in source if isinstance(line, str))
            if isinstance(source, str):
                yield position, source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def read(content):
    """All top-level statements of a notebook in its order, and notes on what could not be read."""
    statements, notes, size, tries = [], [], 0, [MOST_TRIED]
    for position, source in code_cells(content):
        if size + len(source) > MOST_CODE:
            notes.append(f"cell {position} is left out: with it the notebook has more than {MOST_CODE:,} characters of "
                         "code")
            continue
        size += len(source)
        for found in parse_cell(source, tries):
            if isinstance(found, str):
                notes.append(f"cell {position}, {found}")
            elif len(statements) < MOST_STATEMENTS:
                statements.append(with_names(found))
            else:
                notes.append(f"cell {position}: the notebook has more than {MOST_STATEMENTS:,} statements; the rest is "
                             "left out")
                return statements, notes
    return statements, notes


# --- from a cell to statements ---------------------------------------------------------------------------------------

def parse_cell(source, tries):
    """The Statements of a cell, and a str ("line 3 …") for each piece that cannot be read. Uses up `tries`, a list with
    how many characters
    more may be tried."""
    lines = without_cell_magic(source.split("\n"))
    first = next((line for line in lines if line.strip()), "")
    indent = first[:len(first) - len(first.lstrip())]
    if indent:  # Jupyter runs a cell that is indented as a whole
        lines = [line.removeprefix(indent) for line in lines]
    statements, problem = parse(lines)
    return statements if problem is None else parse_pieces(lines, tries)


def without_cell_magic(lines):
    """The lines of a cell, those of %%time and the like blanked; none where its %%magic makes it something else than
    Python."""
    lines = list(lines)
    for index, line in enumerate(lines):
        magic = re.match(r"\s*%%\s*(\w*)", line)
        if magic and magic[1] not in MAGICS_WITH_PYTHON:
            return []
        if magic:
            lines[index] = ""
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return lines


def parse(lines, offset=0):
    """The Statements in lines that begin at line `offset` of their cell, and None; or [] and the parser's error."""
    try:
        body = ast.parse("\n".join(lines)).body
    except UNREADABLE as error:
        return [], error
    data = [line.encode() for line in lines]  # the parser counts columns in bytes
    return [Statement(node, segment(node, data), offset + first_line(node)) for node in body], None


def first_line(node):
    """The line on which a statement begins, decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])


def segment(node, data):
    """The source of a statement, given the encoded lines that it stands in."""
    first = first_line(node)
    start = node.col_offset if first == node.lineno else 0
    if first == node.end_lineno:
        return data[first - 1][start:node.end_col_offset].decode()
    last = node.end_lineno - 1
    return b"\n".join([data[first - 1][start:], *data[first:last], data[last][:node.end_col_offset]]).decode()


def parse_pieces(lines, tries):
    """As parse_cell, for lines that do not parse as a whole: the shortest pieces that do, one after the other."""
    starts = [index for index, line in enumerate(lines)
              if index == 0 or not re.match(r"\s|$|[)\]}#]|(else|elif|except|finally)\b", line)]
    borders = [*starts, len(lines)]
    at = 0
    while at < len(starts):
        end, problem = at + 1, None
        for reach in range(at + 1, min(at + LOOK_AHEAD, len(starts)) + 1):
            piece = lines[borders[at]:borders[reach]]
            for candidate in (piece, without_magics(piece)):
                tries[0] -= 1000 + sum(map(len, candidate))  # a try costs something, however short it is
                if tries[0] < 0:
                    yield f"line {borders[at] + 1}: too much of this notebook is no Python; the rest of the cell is left out"
                    return
                statements, error = parse(candidate, borders[at])
                problem = problem or error
                if error is None:
                    break
            if error is None:
                yield from statements
                end = reach
                break
        else:
            why = getattr(problem, "msg", None) or "it cannot be read"
            yield f"line {borders[at] + (getattr(problem, 'lineno', None) or 1)} is no Python and left out: {one_line(why)}"
        at = end


def without_magics(lines):
    """The lines with `pass` in place of %magics, !commands and ?help, and of assignments of their results."""
    blanked, goes_on = [], False
    for line in lines:
        code = line.lstrip()
        is_magic = goes_on or re.match(r"[%!?]|[\w.\[\]]+\?{1,2}\s*$|[\w ,.\[\]]+=\s*[%!]", code)
        blanked.append(line if not is_magic else "" if goes_on else line[:len(line) - len(code)] + "pass")
        goes_on = bool(is_magic) and line.endswith("\\")
    return blanked


def one_line(text, length=100):
    """A student's or the parser's text as one line of bounded length."""
    return " ".join(str(text)[:length].split())


# --- names -----------------------------------------------------------------------------------------------------------

def with_names(statement):
    """The statement with its names filled in, and without what calls the course: check(…) in an `if` becomes ()."""
    node = statement.node
    if isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.Delete):
        return statement  # loops may run long, and nothing is kept that deletes
    if isinstance(node, ast.Expr) and ":=" not in statement.text:
        return statement
    if MENTIONS.search(statement.text) and calls_course(node):
        if not hasattr(node, "body"):
            return statement
        statement = replace(statement, text=without_course_calls(statement.text))
        try:
            if calls_course(ast.parse(statement.text).body[0]):
                return statement
        except UNREADABLE:
            return statement
    try:
        table = symtable.symtable(statement.text, "cell", "exec")
    except UNREADABLE:
        return statement
    binds = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    if isinstance(node, ast.AnnAssign) and node.value is None:
        binds = set()
    reads, tables = set(), [table]
    while tables:
        inner = tables.pop()
        tables += inner.get_children()
        reads |= {symbol.get_name() for symbol in inner.get_symbols()
                  if symbol.is_referenced() and (inner is table or symbol.is_global())}
    return replace(statement, binds=frozenset(binds), touches=frozenset(touched(node)), reads=frozenset(reads))


def touched(node):
    """The names whose attributes or entries an assignment sets: `settings` of `settings["eps"] = 0.1`."""
    for target in getattr(node, "targets", [getattr(node, "target", None)]):
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
            if isinstance(target, ast.Name):
                yield target.id


def evaluated(node):
    """The nodes below `node`, itself included, that are evaluated when it is executed: no bodies of functions."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += reversed(list(ast.iter_child_nodes(node)))


def course_call(node):
    """("check", "01.1") of check("01.1", …), and ("start", "01"); None for all else. The number may be None."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return None
    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
    number = getattr(argument(node, 0, "number"), "value", None)
    number = number if isinstance(number, str) and re.fullmatch(r"[0-9]{2}(\.[0-9]{1,3})?", number) else None
    # Of methods only exercises.check("01.1", …) and the like: a thread has a start, too.
    return (name, number) if name in COURSE_CALLS and (number or isinstance(node.func, ast.Name)) else None


def argument(call, position, name):
    """The syntax tree of an argument of a call; None where it is not given."""
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def calls_course(node):
    """Whether executing `node` calls the course's own check, answer, start …"""
    return any(course_call(inner) for inner in evaluated(node))


def without_course_calls(text):
    """A compound statement with every simple statement in it that calls the course replaced by ()."""
    data = text.encode().split(b"\n")
    simple = [node for node in evaluated(ast.parse(text).body[0])
              if isinstance(node, ast.stmt) and not hasattr(node, "body") and calls_course(node)]
    for node in reversed(simple):  # from the end, so that positions stay
        first, last = node.lineno - 1, node.end_lineno - 1
        ends = data[first][:node.col_offset] + b"(", b")" + data[last][node.end_col_offset:]
        data[first:last + 1] = [b"".join(ends)] if first == last else [ends[0], *[b""] * (last - first - 1), ends[1]]
    return b"\n".join(data).decode()
