"""The exercises of the notebooks: `from advcourse.exercises import check, hint, answer, question, progress`."""

from advcourse.exercises.catalogue import Exercise, Question, all_exercises, get
from advcourse.exercises.session import (
    answer,
    check,
    hint,
    letter_of_right_answer,
    progress,
    question,
    set_notebook,
    set_student,
)

__all__ = ["Exercise", "Question", "all_exercises", "answer", "check", "get", "hint", "letter_of_right_answer",
           "progress", "question", "set_notebook", "set_student"]
