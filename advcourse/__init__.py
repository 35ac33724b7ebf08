"""advcourse: a course workbook on adversarial machine learning."""

from importlib import import_module

from advcourse.version import __version__

__all__ = ["__version__", "submit"]

# What notebooks import by the course's name though it lives in a room of its own.
ELSEWHERE = {"classical": "advcourse.models.classical", "families": "advcourse.training.families",
             "series": "advcourse.notebook.series"}


def submit(path=None):
    """Write one file with this notebook, ready to be handed in, and say what is still missing.

    See `advcourse.notebook.submission.submit`, which does it.
    """
    from advcourse.notebook.submission import submit  # imported when it is called: `import advcourse` stays quick

    submit(path)


def __getattr__(name):
    """`import advcourse; advcourse.attacks` works, and yet `import advcourse` does not wait for torch."""
    try:
        return import_module(ELSEWHERE.get(name, f"{__name__}.{name}"))
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
