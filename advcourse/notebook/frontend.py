"""Where a notebook runs: which file it is in, or its content where the front end gives that, else what to do."""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from advcourse.exercises.display import emit, inline
from advcourse.handin.statements import code_cells

WAIT = 90  # seconds: a large notebook on a slow line takes Colab's page long
GIVE = '`advcourse.submit("{notebook}_….ipynb")`'
# Where it cannot be told which file the notebook is in: what a student does instead.
WAYS = {
    "Colab": "Colab did not send the notebook, and nothing was written. In the browser: File → Download → Download "
             ".ipynb; in VS Code: save the notebook. Hand in that .ipynb file: it counts as well. Or upload it to the "
             f"files on the left and run {GIVE}, which says what is still missing.",
    "Kaggle": "Kaggle does not tell where the notebook is, and nothing was written. File → Download Notebook, and "
              "hand in that .ipynb file: it counts as well. Or add it under Input and give its path, as in "
              f"{GIVE}, which says what is still missing.",
    "": "It cannot be told here which file this notebook is in, and nothing was written. Save the notebook and give "
        f"the name of its file, as in {GIVE}.",
}


def place() -> str:
    """Where this runs: "Colab", "Kaggle", or "" for everywhere else, where notebooks are files."""
    if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:  # first: Kaggle's machines are made from Colab's, with its packages
        return "Kaggle"
    return "Colab" if "google.colab" in sys.modules else ""


def way_out(notebook: str) -> str:
    """What a student does, where this runs, when it cannot be told which file the notebook is in."""
    return WAYS[place()].format(notebook=notebook)


def say(text: str) -> None:
    """Show a sentence or two, in lines that break between words."""
    emit(None, text, f"<p>{inline(text)}</p>")


def clear() -> None:
    """Take away what was shown so far below the cell that runs, once something else is shown."""
    if ipython():
        from IPython.display import clear_output

        clear_output(wait=True)


def running(notebook: str) -> tuple[Path | None, bytes | None]:
    """The path of the notebook that runs in this kernel, and its content where its front end gives it, else None.

    VS Code and Jupyter say where it is, and Colab gives its content. Elsewhere it is the one file of this notebook's
    name in the working directory. (None, None) where there is none, or more than one.
    """
    if place() == "Colab":
        content = from_colab()
        return (Path.cwd() / f"{notebook}_notebook.ipynb", content) if content else (None, None)
    shell = ipython()
    said = [shell.user_ns.get("__vsc_ipynb_file__") if shell else None, os.environ.get("JPY_SESSION_NAME")]
    for path in map(Path, filter(None, said)):
        if path.suffix == ".ipynb" and path.is_file():
            return path, None
    here = sorted(Path.cwd().glob(f"{notebook}_*.ipynb"))
    return (here[0] if len(here) == 1 else None), None


def from_colab() -> bytes | None:
    """The notebook as it stands on Colab's page; None where no page answers, as in VS Code, or not with a notebook."""
    say(f"Waiting for Colab to send the notebook as it stands, at most {WAIT} seconds …")
    try:
        from google.colab import _message

        content = json.dumps(_message.blocking_request("get_ipynb", timeout_sec=WAIT)["ipynb"]).encode()
        return content if any(source.strip() for _, source in code_cells(content)) else None
    except Exception:  # a package that is none of ours, half of it missing, and whatever its front end sends
        return None


def ipython() -> Any:
    """The IPython that runs this; None outside of it."""
    module = sys.modules.get("IPython")
    return module and module.get_ipython()


def offer_download(path: Path) -> None:
    """On Colab and Kaggle, where files go with the machine: say where this one is; on Colab, hand it to the browser."""
    where = {"Colab": f"Your browser downloads it now. If it does not: it is {path}, among the files on the left.",
             "Kaggle": f"Download it before you leave: it is {path}, under Output on the right."}
    if place():
        say(where[place()])
    if place() == "Colab":
        with contextlib.suppress(Exception):  # the line above has said where the file is
            from google.colab import files

            files.download(str(path))
