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


MOODLE = '"First name","Last name","ID number","Email address",Groups\n'
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,"HW 1, part 2 (241017)",Current Score
,,,,,Manual Posting,
    Points Possible,,,,,18,(read only)
"O'Brien, Siobhán",40001,s471,sob12,ML-01,3,
Ada,40002,,ada,ML-01,,
"Student, Test",40003,,8b1e0c3f,ML-01,,
"""
EXPORTS = {  # as they come -> the id, name, e-mail of each
    "moodle": (MOODLE + 'Siobhán,O\'Brien,471,so@x.example,"A, B"\nAda,Lovelace,472,ada@x.example,\n',
               [("471", "Siobhán O'Brien", "so@x.example"), ("472", "Ada Lovelace", "ada@x.example")]),
    "moodle, with numbers for some": (MOODLE + "Siobhán,O'Brien,471,so@x.example,\nGuest,One,,guest@x.example,\n",
                                      [("471", "Siobhán O'Brien", "so@x.example"),
                                       ("guest@x.example", "Guest One", "guest@x.example")]),
    "moodle's grades": ('"First name",Surname,"ID number",Institution,Department,"Email address","Assignment: HW",'
                        '"Course total"\nAda,Lovelace,,,,ada@x.example,-,-\n',
                        [("ada@x.example", "Ada Lovelace", "ada@x.example")]),
    "moodle's grading worksheet": ("Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified "
                                   "(submission)\nParticipant 123,Ada Lovelace,ada@x.example,-,,18.00,-\n",
                                   [("ada@x.example", "Ada Lovelace", "ada@x.example")]),
    "moodle in German": ("Vorname;Nachname;ID-Nummer;E-Mail-Adresse\nJürg;Möller;;jm@x.example\n",
                         [("jm@x.example", "Jürg Möller", "jm@x.example")]),
    "moodle in French": ("Prénom,Nom,Numéro d'identification,Adresse de courriel\nZoé,Aéro,9,z@x.example\n",
                         [("9", "Zoé Aéro", "z@x.example")]),
    "canvas": (CANVAS, [("s471", "O'Brien, Siobhán", ""), ("ada", "Ada", "")]),
    "blackboard": ('\ufeff"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"HW [Total Pts: 18 Score] |534283"\n'
                   '"O\'Brien"\t"Siobhán"\t"sob12"\t"471"\t""\n', [("471", "Siobhán O'Brien", "")]),
    "brightspace": ("OrgDefinedId,Username,Last Name,First Name,Email,End-of-Line Indicator\n"
                    "#471,#sob12,O'Brien,Siobhán,so@x.example,#\n", [("471", "Siobhán O'Brien", "so@x.example")]),
    "gradescope": ("First Name,Last Name,SID,Email,Role,Sections\nAda,Lovelace,00471,ada@x.example,Student,1\n",
                   [("00471", "Ada Lovelace", "ada@x.example")]),
    "gradescope, one name": ("Name,SID,Email\nAda Lovelace,,ada@x.example\n",
                             [("ada@x.example", "Ada Lovelace", "ada@x.example")]),
    "gradescope's grades": ("First Name,Last Name,SID,Email,01,01 - Max Points\nAda,Lovelace,472,a@x.example,9,18\n",
                            [("472", "Ada Lovelace", "a@x.example")]),
    "canvas, opened in Excel": ("Student;ID;SIS Login ID;Section\n    Points Possible;;;\n"
                                "Lovelace, Ada;40002;ada;ML\n", [("ada", "Lovelace, Ada", "")]),
    "moodle's worksheet in French": ("Identifiant,Nom complet,Adresse de courriel,Statut,Note,Note maximale\n"
                                     "Participant 123,Zoé Aéro,z@x.example,-,,18\n",
                                     [("z@x.example", "Zoé Aéro", "z@x.example")]),
    "moodle in Spanish": ('Nombre,"Apellido(s)","Número de ID","Dirección de correo"\nJosé,Núñez,9,j@x.example\n',
                          [("9", "José Núñez", "j@x.example")]),
    "moodle in Spanish, later": ('Nombre,"Apellido(s)","Nombre de usuario","Dirección Email"\n'
                                 "José,Núñez,jn,j@x.example\n", [("jn", "José Núñez", "j@x.example")]),
    "stud.ip": ("Titel;Vorname;Nachname;Nutzername;E-Mail;Matrikelnummer\n;Jürg;Möller;jmoe;jm@x.example;471\n",
                [("471", "Jürg Möller", "jm@x.example")]),
    "campus online": ("REGISTRATION_NUMBER;FAMILY_NAME_OF_STUDENT;FIRST_NAME_OF_STUDENT\n00471;Möller;Jürg\n",
                      [("00471", "Jürg Möller", "")]),
    "nbgrader": ("id,first_name,last_name,email,lms_user_id\nada,Ada,Lovelace,ada@x.example,\n",
                 [("ada", "Ada Lovelace", "ada@x.example")]),
    "a short list": ("id,name,email\nada,Ada Lovelace,ada@x.example\n", [("ada", "Ada Lovelace", "ada@x.example")]),
    "teams": ('"Display name","User principal name"\n"Ada Lovelace",ada@x.example\n',
              [("ada@x.example", "Ada Lovelace", "")]),
    "github classroom": ('"identifier","github_username","github_id","name"\n"ada@x.example","ada-l","123","Ada"\n',
                         [("ada@x.example", "Ada", "")]),
}


@pytest.mark.parametrize("platform", EXPORTS)
@pytest.mark.parametrize("saved", ["as it came", "sep=", "by Excel", "utf-16", "utf-16 without a mark", "emptied"])
def test_what_platforms_export_and_what_excel_makes_of_it(tmp_path, platform, saved):
    text, students = EXPORTS[platform]
    parted = "\t" if "\t" in text else ";" if ";" in text.partition("\n")[0] else ","
    content = {
        "as it came": text.encode(), "sep=": f"sep={parted}\r\n{text}".encode("utf-8-sig"),
        "by Excel": text.replace("\n", "\r\n").encode("utf-8-sig"), "utf-16": text.encode("utf-16"),
        "utf-16 without a mark": text.removeprefix("\ufeff").encode("utf-16-le"),
        "emptied": "".join(f"{line}{parted * 3}\n" for line in [*text.splitlines(), "", ""]).encode()}[saved]
    assert [(one.id, one.name, one.email) for one in roster(tmp_path, content)] == students


def test_what_else_an_export_says_is_kept(tmp_path):
    siobhan, ada = roster(tmp_path, CANVAS)
    assert siobhan.numbers == {"id": "40001", "sisuserid": "s471", "sisloginid": "sob12"}
    assert (siobhan.canvas, siobhan.moodle, ada.canvas) == ("40001", "", "40002")
    for worksheet in ("moodle's grading worksheet", "moodle's worksheet in French"):
        (one,) = roster(tmp_path, EXPORTS[worksheet][0])
        assert (one.canvas, one.moodle) == ("", "123")


@pytest.mark.parametrize("number", ["Matr.-Nr.", "Matr.Nr", "Mat.-Nr.", "Matrikel", "Matrikel-Nr.", "Student #", "ID #",
                                    "Student No.", "Student-Nr.", "Student ID Number", "SIS ID", "SIS Login ID",
                                    "N° étudiant", "Nº étudiant", "Numéro d’étudiant", "Número de matrícula",
                                    "Registration No"])
@pytest.mark.parametrize("names", ["Forename,Surname(s)", "Given Names,Family Name", "Given name(s),Last Name",
                                   "First,Last", "Vorname(n),Familienname", "Prénom(s),Nom", "Nombre(s),Apellido"])
def test_what_real_lists_call_a_number_and_the_parts_of_a_name(tmp_path, number, names):
    email = {"V": "E-Mailadresse", "P": "Courriel", "N": "Correo electrónico"}.get(names[0], "Email address")
    (one,) = roster(tmp_path, f"#,{number},{names},{email}\n1,0471,Ada Maria,Lovelace,ada@x.example\n")
    assert (one.id, one.name, one.email) == ("0471", "Ada Maria Lovelace", "ada@x.example")


@pytest.mark.parametrize("name", ["Last Name, First Name", "Name, Vorname", "Nom et prénom", "Apellidos y nombre",
                                  "Student Name", "Sortable Name"])
def test_a_whole_name_in_one_column(tmp_path, name):
    assert roster(tmp_path, f'Matrikel;"{name}"\n471;Lovelace, Ada\n') == [Student("471", "Lovelace, Ada")]


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
    (b"PK\x03\x04", "is an Excel workbook; in Excel, save it as"),
    ("First name,Last name,Groups\nAda,L,1", "needs one column 'student'"),
    ("First name,Email\nAda,a@x", "needs one column 'name'"),
    ("First name,Last name,Email\nAda,L,\n", "line 2: the student's id is ''"),
    ("First name,Last name,Email\nAda,L,a@x\nBob,L,A@x\n", "line 3: 'A@x' is in line 2 already"),
    ("sep=;\nstudent;name\nada;Ada\nada;Ada", "line 4: 'ada' is in line 3 already"),
    ("student,name\nada," + 200_000 * "x", "is no CSV file: field larger than field limit"),
])
def test_what_is_wrong_with_a_roster_is_named(tmp_path, content, message):
    with pytest.raises(ValueError) as caught:
        roster(tmp_path, content)
    assert message in str(caught.value)


# --- what spreadsheets do --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("head", ["Name;Vorname;Matrikelnummer", "Matrikelnummer;Name;Vorname"])
def test_beside_a_first_name_name_is_the_last_one(tmp_path, head):
    row = {"Name": "Öz", "Vorname": "Ada", "Matrikelnummer": "7"}
    text = f"{head}\n{';'.join(row[column] for column in head.split(';'))}\n"
    assert roster(tmp_path, text) == [Student("7", "Ada Öz")]
    assert roster(tmp_path, "SEP=;\r\n" + text) == [Student("7", "Ada Öz")]


@pytest.mark.parametrize("text", ['student,name\na,"A\nb,B\nc,C\n', 'student,name\na,"A\nb,"B"\nc,C\n',
                                  'student,name\na,"A\nb,B"\nc,C\n'])
def test_a_quote_that_swallows_lines_is_an_error(tmp_path, text):
    with pytest.raises(ValueError, match="quote"):
        roster(tmp_path, text)


@pytest.mark.parametrize("number", ["1.23457E+11", '"1,23457E+11"', "1e+5"])
def test_an_id_that_a_spreadsheet_shortened_is_an_error(tmp_path, number):
    with pytest.raises(ValueError, match=r"line 2: the id .* is what a spreadsheet made of a long number"):
        roster(tmp_path, f"student,name\n{number},Ada\n")


def test_a_roster_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.csv"):
        read_roster(tmp_path / "none.csv")
