"""From a folder or a zip, as a learning platform gives it, to the submissions in it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from advcourse.grading.reading import times as times_of
from advcourse.grading.reading.archives import Found, Stored, walk_folder, walk_zip
from advcourse.grading.reading.candidates import Candidate, by_notebook, passed_over, problem_of, rivals, unread
from advcourse.grading.reading.own import is_page, without_handed_out
from advcourse.grading.reading.people import Register, display_names, join
from advcourse.grading.reading.platforms import NUMBER
from advcourse.grading.reading.roster import Student
from advcourse.grading.reading.students import by_one_number, identify, layout_of, unwrapped, within_fork


@dataclass(frozen=True)
class Submission:
    """One student's file for one notebook.

    student: the roster's id where there is a roster, else a name of one line, no two students' the same.
    notebook: its number, such as "01"; "" where nothing tells it: then there is a problem.
    path: where it was found, for people: a Path, or "archive.zip!inner/name".
    stored: the file, or where it is; empty where there is a problem.
    problem: why it cannot be read, in one line, or None.
    submitted: seconds since the epoch, by the file's or the platform's date; 0 where there is none, or the platform
        does not mark it as late; `platforms.MARKED_LATE` where that is all that the platform says.
    notes: one line each on what else was found, such as an earlier file for the same notebook.
    name: the roster's, or "". platform: the learning platform's own number of the student, or "".
    source: what tells when it was submitted, for people, such as "the file's date".
    flags: one line each on what a person should look at, such as a STUDENT that is another's; notes has them, too.
    """

    student: str
    notebook: str
    path: Path | str
    stored: bytes | Stored = b""
    problem: str | None = None
    submitted: float = 0.0
    notes: tuple = ()
    name: str = ""
    platform: str = ""
    source: str = ""
    flags: tuple = ()

    @property
    def content(self) -> bytes:
        """The file; OSError where it is no longer where it was."""
        return self.stored if isinstance(self.stored, bytes) else self.stored.read()

    def in_memory(self) -> "Submission":
        """This with its content, as it is sent to who grades it; OSError as `content`."""
        return replace(self, stored=self.content, path=str(self.path))  # of this system: another has no such path


def collect(folder: str | Path, students: Sequence[Student] = (), times: Mapping[tuple[str, str], float] | None = None,
            *, personal: bool = False) -> list[Submission]:
    """The Submissions in a folder or a zip, sorted by student and notebook; their contents stay where they are.

    Layouts: the downloads of Moodle, Canvas, Blackboard, Brightspace, Gradescope and Google Drive, GitHub Classroom's
    clones, a folder or a zip for each student, nbgrader's submitted/STUDENT/ASSIGNMENT, and files whose names hold the
    student's. Of several files for a notebook the latest with work in it counts. A file that is no notebook is given,
    with a problem, where its student has no notebook of the number in its name; with no number in its name, where its
    student has nothing else. What is no student's, such as a list of marks, is left out.

    students: the roster, by whose ids students are then called; who is not in it keeps their name, with a flag.
    times: from (student, notebook) to when it was handed in, in place of all dates. personal: whether it matters that
    STUDENT was left open.
    Raises ValueError where `folder` is neither a folder nor a zip, or a zip that cannot be read.
    """
    root, register = Path(folder), Register(students)
    found = within_fork(unwrapped(files_in(root), register.find), root)
    layout = layout_of(found, root)
    entries = by_one_number([entry for order, one in enumerate(found) for entry in identify(one, order, layout)])
    known = join(entries, register)
    names = display_names({entry.key for entry in entries if entry.key not in known}, [one.id for one in students])
    theirs, owners = defaultdict(list), defaultdict(set)
    for entry in entries:
        owners[entry.found.parts].add(known.get(entry.key))
    for entry in entries:
        student = known.get(entry.key)
        doubts = tuple(doubts_of(entry, student, register, personal, owners[entry.found.parts])) if students else ()
        doubts += (entry.who.doubt,) if entry.who.doubt else ()
        theirs[student.id if student else names[entry.key]].append(Candidate(entry, doubts))
    roster = {student.id: student for student in students}
    submissions = [submission_of(name, roster.get(name), group, candidates)
                   for name, candidates in theirs.items() for group in by_notebook(candidates)]
    return sorted(timed(submissions, times or {}, register), key=lambda one: (one.student, one.notebook))


def files_in(root: Path) -> list[Found]:
    """What students' is Found in a folder or a zip; ValueError where it is neither."""
    if root.is_dir():
        found = list(walk_folder(root))
    elif root.is_file():
        with open(root, "rb") as file:
            found = list(walk_zip(file, Found((), str(root), 0.0, stored=Stored(root))))
    else:
        raise ValueError(f"there is no {root}; give the folder or the zip that holds the submissions")
    for one in found:
        if not one.parts:
            raise ValueError(f"{root} is neither a folder nor a zip that can be read: {one.problem}")
    return without_handed_out([one for one in found if not is_page(one)])


def doubts_of(entry, student, register, personal, owners):
    """Why a file may be somebody else's than that of the student in the roster, or None; a line each.

    owners: all whose file it is, by the platform.
    """
    name = entry.key[0]
    if student is None:
        meant = register.find(*entry.who.called)
        yield (f"{name!r} may be {', '.join(one.id for one in meant)} in the roster" if meant
               else f"{name!r} is not in the roster")
    elif not register.find(*entry.who.called):
        yield f"that {name!r} is {student.id!r} of the roster is told by the file alone"
    else:
        named = register.find(*(called for called in entry.who.called if not NUMBER.fullmatch(called)))
        if named and student not in named:
            yield f"{name!r} is {student.id!r} by its number, and {', '.join(one.id for one in named)} by its name"
    for where, word in entry.said:
        if not word:
            if personal:
                yield f"{where} was left open, so the order of choices that was seen is not the one that is graded"
        elif owners.isdisjoint(register.find(word)):
            others = ", ".join(f"{one.id} ({one.name})" if one.name else one.id for one in register.find(word))
            yield f"{where} says {word!r}, {f'who is {others}' if others else 'who is not in the roster'}"


def submission_of(name, student, group, theirs):
    """The Submission that a student's files for one notebook come to, the one that counts first.

    theirs: all of the student's files.
    """
    best, *others = group
    entry = best.entry
    problem = problem_of(entry)
    flags = (*best.doubts, *rivals(best, others), *unread(best, theirs), *united(group))
    return Submission(name, entry.notebook, entry.found.path, b"" if problem else entry.found.stored, problem,
                      entry.found.submitted, (*flags, *entry.notes, *passed_over(best, others)),
                      student.name if student else "", entry.who.number or (student.platform if student else ""),
                      entry.found.source, flags)


def united(group):
    """A line where files for one notebook, from one place, are of two who are taken for one."""
    keys = sorted({one.entry.key for one in group if one.entry.place == group[0].entry.place and one.entry.who.called})
    if len(keys) > 1:
        names = [f"{name!r} ({number})" if number else repr(name) for name, number in keys]
        yield f"{' and '.join(names)} are taken for one student"


def timed(submissions, times, register):
    """The submissions with the times of a list in place of their dates; ValueError where it names somebody else."""
    given, names = {}, {one.student.casefold() for one in submissions}
    for (student, notebook), time in times.items():
        known = register.find(student)
        name = known[0].id if len(known) == 1 else student
        if len(known) != 1 and name.casefold() not in names:
            raise ValueError(f"the list of times names {student!r}, who is not in the class")
        if given.setdefault((name.casefold(), notebook), time) != time:
            raise ValueError(f"the list of times has two for notebook {notebook} of {name!r}, who is {student!r} as "
                             "well")
    for one in submissions:
        key = one.student.casefold(), one.notebook
        yield replace(one, submitted=given[key], source=times_of.LIST) if key in given else one


def missing(students: Iterable[Student], submissions: Iterable[Submission],
            notebooks: Iterable[str]) -> dict[str, list[Student]]:
    """From each of the notebooks to those of the roster who handed in nothing for it."""
    there = {(one.student, one.notebook) for one in submissions}
    return {notebook: [student for student in students if (student.id, notebook) not in there]
            for notebook in notebooks}
