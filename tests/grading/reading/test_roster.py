"""The roster: as spreadsheets write it, and what can be wrong with it."""

import pytest

from advcourse.grading.reading.roster import Student, read_roster

# --- the roster ------------------------------------------------------------------------------------------------------

def roster(tmp_path, content):
    path = tmp_path / "roster.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_roster(path)


@pytest.mark.parametrize("content", [
    "student,name\nada,Ada Lovelace\n47,\"Möller, Jürg\"\n",
    "\ufeffstudent;name\r\nada;Ada Lovelace\r\n47;Möller, Jürg\r\n;\r\n",
    "student\tname\nada\tAda Lovelace\n47\tMöller, Jürg\n".encode("utf-16"),
    "Name, Student ,group\nAda Lovelace,ada ,1\n\n\"Möller, \n Jürg\",47,\n",
])
def test_a_roster_as_spreadsheets_write_it(tmp_path, content):
    assert roster(tmp_path, content) == [Student("ada", "Ada Lovelace"), Student("47", "Möller, Jürg")]


@pytest.mark.parametrize("content, message", [
    ("", "needs one column 'student' in its first line; the columns are: none"),
    ("group,name\n1,a", "needs one column 'student' in its first line; the columns are: group, name"),
    ("student,student,name\n1,1,a", "needs one column 'student'"),
    ("student\nada", "needs one column 'name'"),
    ("student,name\n", "holds no student"),
    ("student,name\n,Ada", "line 2: the student's id is ''"),
    ("student,name\na\x07b,Ada", "line 2: the student's id is 'a\\x07b'"),
    ("student,name\nada,Ada\nbob,Bob\nada,Ada", "line 4: 'ada' is in line 2 already"),
    ("student,name\na/b,Ada\nA?B,Bob", "line 3: 'A?B' is in line 2 already, or cannot be told from it in a file name"),
    ("student,name\n../..,Ada", "'../..' makes no file name"),
    ("student,name\nada,Ada,3", "line 2: 3 fields, where the first line has 2"),
    ("student,name\nada", "line 2: 1 fields"),
    ("student,name\nada,Jürg".encode("latin-1"), 'is not UTF-8 text; in Excel, save it as "CSV UTF-8"'),
    (b"\xff\xfes", "is not UTF-8 text"),
    ("student,name\nada," + 200_000 * "x", "is no CSV file: field larger than field limit"),
])
def test_what_is_wrong_with_a_roster_is_named(tmp_path, content, message):
    with pytest.raises(ValueError) as caught:
        roster(tmp_path, content)
    assert message in str(caught.value)
