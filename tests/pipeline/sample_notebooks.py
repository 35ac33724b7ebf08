"""Tiny notebooks for the tests of the pipeline."""

import nbformat

PARAMETERS = 'PROFILE = "quick"\nDATASET = "auto"\nSEED = 0\nDEVICE = "auto"'
EMIT = """
from IPython.display import display
def emit(**payload):
    display({"application/vnd.advcourse+json": payload, "text/plain": str(payload)}, raw=True)
"""


def sample(*sources, title="# A sample", parameters=PARAMETERS):
    """A notebook as JSON text: a title, a parameters cell and a code cell for each of `sources`."""
    v4 = nbformat.v4
    cells = [v4.new_markdown_cell(title), v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    return nbformat.writes(v4.new_notebook(cells=cells + [v4.new_code_cell(source) for source in sources]))


def series(folder, **notebooks):
    """Write sample notebooks to `folder`, such as n00="print(1)"; their sources are strings or tuples of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, sources in notebooks.items():
        sources = (sources,) if isinstance(sources, str) else sources
        (folder / f"{name[1:]}_sample.ipynb").write_text(sample(*sources, title=f"# Sample {name[1:]}"))
    return folder
