"""Texts that were handed in: names of files that are safe, and nothing that nobody sees."""

import re

import pytest

from advcourse.grading.reports.safe_text import file_name, legible


@pytest.mark.parametrize("student", ["", ".", "..", "../../etc/passwd", "a/b", "a\\b", "a\nb", "con", "-rf", ".hidden",
                                     "王选", "\udcff\0",
                                     "x" * 5000, "a b", "é" * 300, "*?<>|:"])
def test_file_names_are_safe_and_stable(student):
    name = file_name(student)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", name) and name == file_name(student)


def test_no_two_students_share_a_file():
    students = ["Ada", "ada", "Ada ", " Ada", "A da", "Ádà",
                "A/da", "A\nda", "王", "选", "", "-", "x" * 500, "x" * 501, file_name("Ada")]
    assert len({file_name(student) for student in students}) == len(students)


def test_what_nobody_sees_is_spelt_out():
    assert legible("a\u202eb\0c\udcff\td\ne") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+DCFF⟩\td\ne"
    for joined in ("क्\u200dष", "می\u200cخواهم", "👩\u200d💻"):  # noqa: RUF001 (scripts that need joiners)
        assert legible(joined) == joined
