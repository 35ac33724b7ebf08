"""From the bytes of an untrusted notebook to its top-level statements and their names."""

import ast
import json
import re
import symtable
import warnings
from dataclasses import dataclass, replace

COURSE_CALLS = {"check", "answer", "start", "question", "progress", "hint"}
MENTIONS = re.compile(rf"\b({'|'.join(sorted(COURSE_CALLS))})\b|:=")  # what has none of it needs no closer look
MAGICS_WITH_PYTHON = {"time", "capture", "prun"}  # the cell below such a line is run as it stands
LARGEST_NOTEBOOK = 20_000_000  # bytes; a larger one is not graded
# Far above any real notebook: what a hostile one may cost.
MOST_BRANCHES, MOST_CODE, MOST_STATEMENTS, MOST_TRIED, LONGEST_PAD = 1_000_000, 300_000, 5_000, 3_000_000, 2_000
LOOK_AHEAD = 40  # how far a piece of a broken cell may reach, in lines that could begin a statement
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # what Python's parser raises on hostile text
GOES_ON = re.compile(r"\s|$|[)\]}#]|(else|elif|except|finally)\b")  # a line that begins so begins no statement


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


def read(content: bytes):
    """All top-level statements of a notebook in its order, and notes on what could not be read.

    Raises ValueError where there are no cells.
    """
    return read_cells(code_cells(content))


def read_cells(cells):
    """As `read`, of (position, source) pairs."""
    statements, notes, size, tries = [], [], 0, [MOST_TRIED]
    with warnings.catch_warnings(action="ignore"):  # the parser warns of odd escapes and comparisons
        for position, source in cells:
            if size + len(source) > MOST_CODE:
                notes.append(f"cell {position} is left out: with it the notebook has more than {MOST_CODE:,} "
                             "characters of code")
                continue
            size += len(source)
            for found in parse_cell(source, tries):
                if isinstance(found, str):
                    notes.append(f"cell {position}, {found}")
                elif len(statements) < MOST_STATEMENTS:
                    statements.append(with_names(found))
                else:
                    notes.append(f"cell {position}: the notebook has more than {MOST_STATEMENTS:,} statements; the "
                                 "rest is left out")
                    return statements, notes
    return statements, notes


# --- from the file to its cells --------------------------------------------------------------------------------------

def code_cells(content: bytes):
    """The (position, source) of every code cell, the first at position 1; any format from 2 to 4.5.

    Raises ValueError where there are no cells.
    """
    for position, cell in enumerate(all_cells(document_of(content)), start=1):
        if isinstance(cell, dict) and cell.get("cell_type", "code") == "code":
            source = cell.get("source", cell.get("input", ""))
            if isinstance(source, list):
                source = "".join(line for line in source if isinstance(line, str))
            if isinstance(source, str):
                yield position, source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def document_of(content):
    """What the JSON of a file holds; ValueError where it is none, or too much."""
    if content.count(b"[") + content.count(b"{") > MOST_BRANCHES:
        raise ValueError(f"this is not a notebook: it has more than {MOST_BRANCHES:,} lists and objects")
    try:
        return json.loads(content.decode(json.detect_encoding(content), "replace"))
    except RecursionError:
        raise ValueError("this is not a notebook: it is nested too deep") from None
    except (ValueError, MemoryError):
        raise ValueError(f"this is not a notebook: it is {'no JSON' if content.strip() else 'empty'}") from None


def all_cells(document):
    """The list of a notebook's cells, of any kind; ValueError where there is none."""
    document = document if isinstance(document, dict) else {}
    cells, sheets = document.get("cells"), document.get("worksheets")  # the latter before format 4
    if not isinstance(cells, list) and isinstance(sheets, list):
        parts = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for part in parts if isinstance(part, list) for cell in part]
    if not isinstance(cells, list):
        raise ValueError("this is not a notebook: it has no cells")
    return cells


# --- from a cell to statements ---------------------------------------------------------------------------------------

def parse_cell(source, tries):
    """The Statements of a cell, and a str ("line 3 …") for each piece that cannot be read.

    tries: a list with how many characters more may be tried, which is used up.
    """
    lines = without_cell_magic(source.split("\n"))
    first = next((line for line in lines if line.strip()), "")
    indent = first[:len(first) - len(first.lstrip())]
    if indent:  # Jupyter runs a cell that is indented as a whole
        lines = [line.removeprefix(indent) for line in lines]
    statements, problem = parse(lines)
    return statements if problem is None else parse_pieces(lines, tries)


def without_cell_magic(lines):
    """A cell's lines, with %%time and the like blanked; none where its %%magic makes it something else than Python."""
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
    starts = [index for index, line in enumerate(lines) if index == 0 or not GOES_ON.match(line)]
    borders = [*starts, len(lines)]
    at = 0
    while at < len(starts):
        found, at = first_piece(lines, borders, at, tries)
        yield from found


def first_piece(lines, borders, at, tries):
    """(what parse_cell gives for the shortest readable piece that begins at border `at`, the border behind it)."""
    problem, begin = None, borders[at]
    for end in range(at + 1, min(at + 1 + LOOK_AHEAD, len(borders))):
        piece = lines[begin:borders[end]]
        for candidate in (piece, without_magics(piece)):
            tries[0] -= 1000 + sum(map(len, candidate))  # a try costs something, however short it is
            if tries[0] < 0:
                return [f"line {begin + 1}: too much of this notebook "
                        "is no Python; the rest of the cell is left out"], len(borders)
            statements, error = parse(candidate, begin)
            if error is None:
                return statements, end
            problem = problem or error
    line = begin + (getattr(problem, "lineno", None) or 1)
    why = getattr(problem, "msg", None) or "it cannot be read"
    return [f"line {line} is no Python and left out: {one_line(why)}"], at + 1


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


# --- from a statement to its names -----------------------------------------------------------------------------------

def with_names(statement):
    """The statement with its names, and with () for the course's calls in it; without names where it is never kept."""
    node = statement.node
    if isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.Delete):
        return statement  # loops may run long, and nothing is kept that deletes
    if isinstance(node, ast.Expr) and ":=" not in statement.text:
        return statement
    try:
        text = without_course_calls(statement)
        table = symtable.symtable(text, "cell", "exec")
    except UNREADABLE:
        return statement
    binds = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    if isinstance(node, ast.AnnAssign) and node.value is None:
        binds = set()
    return replace(statement, text=text, binds=frozenset(binds), touches=frozenset(touched(node)),
                   reads=frozenset(global_names(table)))


def global_names(table):
    """The global names that a statement's symbol table, or that of a function in it, reads."""
    todo = [table]
    while todo:
        inner = todo.pop()
        todo += inner.get_children()
        for symbol in inner.get_symbols():
            if symbol.is_referenced() and (inner is table or symbol.is_global()):
                yield symbol.get_name()


def touched(node):
    """The names whose attributes or entries an assignment sets: `settings` of `settings["eps"] = 0.1`."""
    for target in getattr(node, "targets", [getattr(node, "target", None)]):
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
            if isinstance(target, ast.Name):
                yield target.id


def without_course_calls(statement):
    """A statement's text with () for every simple statement in it that calls the course; its lines stay where they are.

    Raises ValueError where such a call is not in a block, as in `project = check("01.1", project)`.
    """
    if not MENTIONS.search(statement.text) or not calls_course(statement.node):
        return statement.text
    if not hasattr(statement.node, "body"):
        raise ValueError("the statement itself calls the course")
    data = statement.text.encode().split(b"\n")
    simple = [node for node in evaluated(ast.parse(statement.text).body[0])
              if isinstance(node, ast.stmt) and not hasattr(node, "body") and calls_course(node)]
    for node in reversed(simple):  # from the end, so that positions stay
        first, last = node.lineno - 1, node.end_lineno - 1
        ends = data[first][:node.col_offset] + b"(", b")" + data[last][node.end_col_offset:]
        data[first:last + 1] = [b"".join(ends)] if first == last else [ends[0], *[b""] * (last - first - 1), ends[1]]
    text = b"\n".join(data).decode()
    if calls_course(ast.parse(text).body[0]):
        raise ValueError("the head of a block calls the course")
    return text


# --- what calls the course -------------------------------------------------------------------------------------------

def evaluated(node):
    """The nodes below `node`, itself included, that are evaluated when it is executed: no bodies of functions."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += reversed(list(ast.iter_child_nodes(node)))


def calls_course(node):
    """Whether executing `node` calls the course's own check, answer, start …"""
    return any(course_call(inner) for inner in evaluated(node))


def course_call(node):
    """("check", "01.1") of check("01.1", …), and ("start", "01"); None for all else. The number may be None."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return None
    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
    number = getattr(argument(node, 0, "notebook" if name == "start" else "number"), "value", None)
    number = number if isinstance(number, str) and re.fullmatch(r"[0-9]{2}(\.[0-9]{1,3})?", number) else None
    # Of methods only exercises.check("01.1", …) and the like: a thread has a start, too.
    return (name, number) if name in COURSE_CALLS and (number or isinstance(node.func, ast.Name)) else None


def argument(call, position, name):
    """The syntax tree of an argument of a call; None where it is not given."""
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
