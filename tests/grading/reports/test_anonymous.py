"""The class without names, and the key that undoes it."""

from dataclasses import replace

from advcourse.grading.reading.roster import Student
from advcourse.grading.reports import anonymous, folder
from advcourse.grading.reports.standings import standings
from tests.grading.reports.samples import WRONG, graded, read

ROSTER = [Student("s17", "Ada Lovelace"), Student("s18", "Alan Turing")]
ADA = graded(
    "s17", replace(WRONG, reason="ada lovelace's function fails", comment="ask Ada Lovelace (s17)",
                   outcomes={"it holds": "Ada Lovelace: no"}),
    name="Ada Lovelace", platform="4711", path="Ada Lovelace_4711_x/01.ipynb", notes=("Ada Lovelace.ipynb is cut",),
    found=("class/Ada Lovelace/old.ipynb",), flags=("Ada Lovelace handed in two files",), group=("s18",))
ALAN = replace(ADA, student="s18", name="Alan Turing", group=("s17",), handed_in_by="s17")


def test_no_report_holds_a_name_a_number_or_a_path(tmp_path):
    everybody = standings([ADA, ALAN], None, ROSTER)
    codes = anonymous.with_key(everybody, tmp_path / "key.csv")
    folder.write(anonymous.anonymous(everybody, codes), tmp_path / "anonymous")
    written = [path for path in (tmp_path / "anonymous").rglob("*") if path.is_file()]
    assert len(written) == 7
    for path in written:
        text = path.name + path.read_text("utf-8")
        assert not [word for word in ("ovelace", "uring", "s17", "s18", "4711", "old.ipynb") if word in text], path
    assert codes["s17"] in (tmp_path / "anonymous" / "grades.csv").read_text("utf-8")


def test_the_key_undoes_it_and_stays_the_same(tmp_path):
    key = tmp_path / "key.csv"
    odd = graded("=1+1;=2")
    first = anonymous.with_key(standings([ADA, odd], None, ROSTER), key)
    assert {row["code"]: row["student"] for row in read(key.read_text("utf-8"))} == {
        first["s17"]: "s17", first["s18"]: "s18", first["'=1+1;'=2"]: "'=1+1;'=2"}
    assert anonymous.read_key(key) == first and len(set(first.values())) == 3
    assert anonymous.with_key(standings([ADA, odd, graded("new")], None, ROSTER), key).items() > first.items()
    assert "Ada Lovelace" in key.read_text("utf-8")
    assert anonymous.with_key(standings([ADA], None, ROSTER), tmp_path / "other.csv")["s17"] != first["s17"], "drawn"
