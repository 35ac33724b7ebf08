"""Hostile files: names, archives and what stands in them; each writes itself into a folder of submissions."""

import io
import json
import os
import stat
import warnings
import zipfile

from tests.hostile.case import HONEST, notebook_of

GOOD = notebook_of([HONEST["01.2"]])  # 3 points
EVIL = "<script>alert('canary')</script><img src=x onerror=alert(1)>"


def zip_of(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def put(folder, student, name, content):
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def markup_in_names(folder, canary):
    put(folder, "<script>alert(1)<", "01.ipynb", GOOD)
    put(folder, '"><img src=x onerror=alert(1)>', "01.ipynb", GOOD)


def lines_in_names(folder, canary):
    put(folder, "eve\nbob,01,01.1,2,2", "01\n.ipynb", GOOD)


def formulas_in_names(folder, canary):
    put(folder, "=HYPERLINK(1)", "01.ipynb", GOOD)
    put(folder, "@SUM(1)", "01.ipynb", GOOD)


def directions_in_names(folder, canary):
    put(folder, "eve \u202egpj", "01.ipynb", GOOD)


def bytes_in_names(folder, canary):
    os.makedirs(os.fsencode(folder) + b"/\xff\xfe-eve")
    with open(os.fsencode(folder) + b"/\xff\xfe-eve/01.ipynb", "wb") as file:
        file.write(GOOD)


def markup_everywhere(folder, canary):
    document = json.loads(notebook_of([f"def project(x_p, x, eps):\n    raise ValueError({EVIL!r})  # {EVIL}",
                                       f"# {EVIL}\nbroken = = '{EVIL}'"]))
    for cell in document["cells"]:
        cell["outputs"] = [{"output_type": "display_data", "metadata": {EVIL: EVIL},
                            "data": {"text/html": EVIL, "text/plain": EVIL}}]
        cell["id"] = cell["metadata"]["name"] = EVIL
    put(folder, "markup", "01.ipynb", json.dumps(document | {"metadata": {"title": EVIL, "kernelspec": EVIL}}).encode())


def links(folder, canary):
    put(folder, "linker", "readme.txt", b"")
    (folder / "linker" / "01.ipynb").symlink_to(canary)
    (folder / "linked").symlink_to(canary.parent)


def up_and_out(folder, canary):
    (folder / "upper.zip").write_bytes(zip_of([("../../harmed", b"x"), ("/tmp/../harmed", b"x"),
                                               ("a/../../01.ipynb", GOOD), ("C:\\harmed", b"x")]))


def links_in_an_archive(folder, canary):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("01.ipynb")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, str(canary))
    put(folder, "zipped", "handed-in.zip", data.getvalue())


def bombs(folder, canary):
    flat = zip_of([("01.ipynb", bytes(300_000_000))])
    put(folder, "bomber", "01.zip", flat)
    nest = flat
    for _ in range(6):
        nest = zip_of([("nest.zip", nest)])
    put(folder, "nester", "01.zip", nest)
    put(folder, "many", "01.zip", zip_of([(f"{number}.ipynb", b"") for number in range(5_000)]))


def broken_archives(folder, canary):
    good = zip_of([("01.ipynb", GOOD)])
    put(folder, "half", "01.zip", good[:len(good) // 2])
    put(folder, "spoilt", "01.zip", good[:60] + b"\xff" * 40 + good[100:])


def no_notebooks(folder, canary):
    for number, content in enumerate((b"", b"null", b"[" * 500_000, b'{"cells": 1}', b"\xff" * 1000,
                                      b'{"cells": [' + b'{"source": "x"},' * 1000 + b"1]}", b'{"cells":' * 5000,
                                      b'{"cells": [{"cell_type": "code", "source": ' + b"9" * 100_000 + b"}]}",
                                      b"\x80\x04\x95cposix\nsystem\n(S'touch harmed'\ntR.")):
        put(folder, f"nothing {number}", "01.ipynb", content)


def odd_files(folder, canary):
    put(folder, "piper", "readme.txt", b"")
    os.mkfifo(folder / "piper" / "01.ipynb")


def doubled_members(folder, canary):
    with warnings.catch_warnings(action="ignore"):  # zipfile warns of them
        put(folder, "double", "01.zip", zip_of([("01.ipynb", notebook_of(["x = 1"])), ("01.ipynb", GOOD)]))


def treacherous_members(folder, canary):
    names = ("01\0.ipynb", "..\\..\\01.ipynb", "\u202e01.ipynb", "./././01.ipynb", "//01.ipynb", "CON/01.IPYNB")
    put(folder, "treacherous", "01.zip", zip_of([(name, GOOD) for name in names]))


def encrypted_members(folder, canary):
    archive = bytearray(zip_of([("01.ipynb", GOOD)]))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        archive[archive.index(mark) + place] |= 1
    put(folder, "locked", "01.zip", bytes(archive))


def members_that_lie_about_their_size(folder, canary):
    archive = bytearray(zip_of([("01.ipynb", GOOD)]))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = archive.index(mark) + place
        archive[at:at + 4] = (2**31).to_bytes(4, "little")
    put(folder, "liar", "01.zip", bytes(archive))


def names_that_look_alike(folder, canary):
    for name in ("Ada", "ADA", "\uff21da", "\u0410da"):  # full-width, Cyrillic
        put(folder, name, "01.ipynb", GOOD)


def names_composed_in_two_ways(folder, canary):
    for name in ("Zoe\u0308", "Zo\u00eb"):
        put(folder, name, "01.ipynb", GOOD)


def literals_without_end(folder, canary):
    put(folder, "hex", "01.ipynb", notebook_of(["STUDENT = 0x" + "f" * 9000, "x = -0b" + "1" * 90_000, HONEST["01.2"]]))


def metadata_without_end(folder, canary):
    document = json.loads(GOOD) | {"metadata": {"a" * 100_000: "b" * 1_000_000, "language_info": [{}] * 10_000}}
    put(folder, "meta", "01.ipynb", json.dumps(document).encode())


# From what it tries to (function, points that its files deserve together).
CASES = {
    "HTML in students' names": (markup_in_names, 6),
    "line feeds and commas in names, to forge a row": (lines_in_names, 3),
    "formulas for the spreadsheet in names": (formulas_in_names, 6),
    "marks of direction in names": (directions_in_names, 3),
    "names that are no text": (bytes_in_names, 3),
    "HTML and script in code, comments, outputs, ids, metadata and messages": (markup_everywhere, 0),
    "symbolic links to the instructor's files": (links, 0),
    "archive members that go up and out": (up_and_out, 3),
    "symbolic links in an archive": (links_in_an_archive, 0),
    "zip bombs: flat, nested, of many members": (bombs, 0),
    "archives that are cut or spoilt": (broken_archives, 0),
    "files that are no notebooks": (no_notebooks, 0),
    "a pipe in the place of a file": (odd_files, 0),
    "two members of an archive with one name": (doubled_members, 3),
    "NUL, backslashes, marks of direction and capitals in members' names": (treacherous_members, 3),
    "a member that says it is encrypted": (encrypted_members, 0),
    "a member that says it is larger than it is": (members_that_lie_about_their_size, 3),
    "names in capitals, full width and Cyrillic: each a student": (names_that_look_alike, 12),
    "a name composed in two ways: one student": (names_composed_in_two_ways, 3),
    "numbers that nobody can write out": (literals_without_end, 3),
    "metadata of a megabyte": (metadata_without_end, 3),
}
