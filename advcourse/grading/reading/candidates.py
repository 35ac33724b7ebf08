"""Of all files of a student: which is graded for a notebook, and what a person should look at."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from advcourse.grading.reading.notebooks import Done, done
from advcourse.grading.reading.students import Entry
from advcourse.handin.statements import code_cells, one_line

# What work may be handed in as, and nobody reads here.
PACKED = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".pdf", ".doc", ".docx", ".odt", ".pages", ".htm",
          ".html"}


@dataclass
class Candidate:
    """A student's file. doubts: why it may be somebody else's."""

    entry: Entry
    doubts: tuple = ()
    flags: list = field(default_factory=list)

    @property
    def is_readable(self):
        return self.entry.found.inside is not None

    @cached_property
    def may_hide_work(self) -> bool:
        """Whether it cannot be read and may hold work: an archive, a document, a broken notebook."""
        found = self.entry.found
        if found.inside is None:
            return bool(found.problem) or PurePosixPath(found.parts[-1]).suffix.lower() in PACKED
        try:
            list(code_cells(found.stored.read()))
        except (ValueError, OSError):
            return True
        return False

    @cached_property
    def done(self) -> Done:
        """The work in it."""
        try:
            return done(self.entry.found.stored.read(), self.entry.notebook)
        except OSError:
            return Done(frozenset(), ())


def by_notebook(candidates: list[Candidate]) -> list[list[Candidate]]:
    """A student's Candidates for each notebook, the one that is graded first.

    What is the course's own is left out where there is anything else, and so are files that are no notebooks, unless
    the name tells for which notebook they are, or there is nothing else.
    """
    groups = defaultdict(list)
    for one in candidates:
        groups[one.entry.notebook].append(one)
    for number, group in groups.items():
        groups[number] = [one for one in group if not one.entry.is_own] or group[:1]
    nameless = groups.pop("", [])
    if groups:  # beside good notebooks, other files may be anything
        nameless = [one for one in nameless if one.is_readable or one.entry.found.problem]
    return [best_first(group) for group in [*groups.values(), nameless] if group]


def best_first(group):
    """A notebook's Candidates in the order in which they count."""
    several = sum(one.is_readable for one in group) > 1  # finding the work takes a while

    def value(one):
        has_work = bool(one.done.own) if several and one.is_readable else False
        return (one.is_readable, one.entry.found.problem is not None, bool(one.entry.who.called), has_work,
                not one.doubts, one.entry.rank)
    return sorted(group, key=value, reverse=True)


def unread(best, theirs):
    """A line where there is no work in what is graded, and another file of the student's may hold it, unreadable.

    theirs: all Candidates of the student.
    """
    others = [one for one in theirs if one is not best and not one.entry.is_own and one.may_hide_work]
    if best.is_readable and others and not best.done.own and not best.may_hide_work:
        yield (f"there is no work in it, and what cannot be read may hold it: "
               f"{', '.join(one_line(one.entry.found.path, 300) for one in others[:3])}")


def problem_of(entry):
    """Why the file that counts is not graded, in a line; None where it is."""
    if entry.found.problem is None and entry.found.inside is None:
        suffix = PurePosixPath(entry.found.parts[-1]).suffix
        return f"it is no notebook but a file of type {one_line(suffix, 20) or 'unknown'}: the .ipynb file is wanted"
    if entry.found.problem is None and not entry.notebook:
        return "neither its name nor its content tells which notebook of the course it is"
    return entry.found.problem


def passed_over(best, others):
    """A line for each file that is not graded."""
    for one in others:
        empty = best.is_readable and one.is_readable and best.done.own and not one.done.own
        why = "there is no work in it" if empty else "another file is later or better"
        yield f"not graded, as {why}: {one_line(one.entry.found.path, 300)}"


def rivals(best, others):
    """A line for each file with other work in it, unless the platform says that it is an earlier one."""
    for one in others:
        if (best.is_readable and one.is_readable and one.done.own and one.done.counts != best.done.counts
                and one.entry.rank[0] == best.entry.rank[0]):
            yield (f"two files with different work: graded is {one_line(best.entry.found.path, 300)}, "
                   f"not {one_line(one.entry.found.path, 300)}")
