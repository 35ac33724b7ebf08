"""Groups: one file for two or more students, and its marks for each of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from advcourse.grading.marks import Graded


def with_groups(graded: Iterable[Graded], groups: Mapping[str, list[str]]) -> list[Graded]:
    """The Graded of everybody, where each member of a group gets the marks of the group's file.

    groups: from a name to its members. Of several files for a notebook the one handed in last counts, one that can be
    read before one that cannot; who handed in another is flagged.
    """
    group_of = {student: tuple(members) for members in groups.values() for student in members}
    shared, found = defaultdict(list), []
    for one in graded:
        if one.student in group_of and one.notebook:
            shared[group_of[one.student], one.notebook].append(one)
        else:
            found.append(one)
    for (members, _), files in shared.items():
        found += [for_member(student, members, files) for student in members]
    return found


def for_member(student, members, files):
    """What a member gets for one notebook; files: the Graded of those members who handed one in."""
    taken = max(files, key=lambda one: (not one.pending, one.submitted, one.student))
    own = next((one for one in files if one.student == student), None)
    others = tuple(other for other in members if other != student)
    if own is taken:
        return replace(taken, group=others)
    flags = taken.flags
    if own and own.sha256 != taken.sha256:
        flags += (f"handed in a file of their own, too, which is not graded: the group's is that of {taken.student}",)
    return replace(taken, student=student, name=own.name if own else "", platform=own.platform if own else "",
                   flags=flags, group=others, handed_in_by=taken.student)
