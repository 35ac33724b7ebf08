"""What students hand in, and what learning platforms make of it."""

import hashlib
import io
import json
import zipfile

# An exercise of each of some notebooks, and a body that is work, right or wrong.
EXERCISES = {"01": "project", "02": "succeeds", "03": "fgsm_step"}
STUB = "raise NotImplementedError"


def notebook(number="01", student="", work=STUB):
    """The bytes of a notebook whose first function has this body, blank by default."""
    name = EXERCISES[number]
    cells = [f'STUDENT = "{student}"', f'import advcourse\ncourse = advcourse.start("{number}", "0.3.0")',
             f"def {name}(*given):\n    {work}", f'{name} = check("{number}.1", {name})']
    return json.dumps({"cells": [{"cell_type": "code", "metadata": {}, "source": cell, "outputs": []}
                                 for cell in cells], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()


def file_name(number="01"):
    titles = {"00": "welcome", "01": "adversarial_examples", "02": "threat_models", "03": "gradient_attacks"}
    return f"{number}_{titles[number]}.ipynb"


def submit_zip(content, student, number="01"):
    """The zip that advcourse.submit() writes."""
    manifest = {"advcourse": "0.3.0", "notebook": number, "student": student, "file": file_name(number),
                "sha256": hashlib.sha256(content).hexdigest(), "time": "2026-11-01T10:00:00+00:00"}
    return zipped({file_name(number): content, "manifest.json": json.dumps(manifest).encode()})


def zipped(files, date=(2026, 11, 1, 10, 0, 0), **options):
    """The bytes of a zip of (name, content) pairs, or of a dict."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name, date)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def lay_out(folder, files):
    """Write files, a dict from names with folders in them to bytes; the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
