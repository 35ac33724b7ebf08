"""A student opens a notebook in JupyterLab in a real browser, runs it up to its widget, and moves that.

The screenshots are kept in build/browser/.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from contextlib import contextmanager

import nbformat
import pytest

from advcourse.pipeline import masters, told
from tests.chromium import CHROMIUM, needs_chromium

WIDGET = "live=course.live"  # stands in the cell of every widget
SCREENSHOTS = masters.ROOT / "build" / "browser"
SETTINGS = {
    # Without this JupyterLab renders only the cells near the top of the window.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
}


def press(slider, key, times):
    """A move: press an arrow key on the widget's slider of this number, counted from 0."""
    def move(page, widget):
        widget.locator(".noUi-handle").nth(slider).focus()
        for _ in range(times):
            page.keyboard.press(key)
    return move


def choose(dropdown, name):
    """A move: choose `name` in the widget's list of this number, counted from 0."""
    return lambda page, widget: widget.locator("select").nth(dropdown).select_option(name)


# For each notebook: what the picture's alt text says at first, the move, and what it says then and did not before.
MOVES = {
    "01": ("of at most 0.20 per pixel", press(1, "ArrowLeft", 16), "of at most 0.04 per pixel"),
    "02": ("The attack fgsm (ε = 0.20", choose(0, "deepfool"), "The attack deepfool (ε = 0.20"),
    "03": ("10 steps of 0.25 ε", press(1, "ArrowRight", 1), "11 steps of 0.25 ε"),
    "04": ("at the price c = 0.0316", press(1, "ArrowRight", 1), "at the price c = 0.1:"),
    "05": ("0 pairs of pixels turned white", press(1, "ArrowRight", 12), "12 pairs of pixels turned white"),
    "06": ("Turned by 30°", press(1, "ArrowLeft", 6), "Turned by 0°"),
    "07": ("with ε = 0.05:", press(0, "ArrowRight", 3), "with ε = 0.08:"),
    "08": ("with ε = 0.15;", press(1, "ArrowRight", 1), "with ε = 0.20;"),
    "09": ("PGD finds at ε = 0.20", press(1, "ArrowRight", 2), "PGD finds at ε = 0.30"),
    "10": ("Defence: none", choose(0, "quantised"), "Defence: quantised"),
    "11": ("brightness 1.00", press(2, "ArrowLeft", 6), "brightness 0.40"),
    "12": ("at +0 pixels", press(0, "ArrowRight", 3), "at +1.5 pixels"),
    "14": ("with the attack at -40 dB", press(1, "ArrowRight", 10), "with the attack at -30 dB"),
}

pytestmark = [pytest.mark.timeout(400), needs_chromium]


@contextmanager
def jupyterlab(folder, settings=SETTINGS):
    """A JupyterLab server on `folder`; gives its address."""
    for name, values in settings.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
         f"--ServerApp.port={port}",
         "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"],
        env={**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=1)
                break
            except OSError:
                assert server.poll() is None, "JupyterLab did not start"
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def page_of(address):
    """A page of headless Chromium, as wide as a laptop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                                            "--disable-sync"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(120_000)
        page.goto(address)
        yield page
        browser.close()


def run_all_cells(page):
    """Run → Run All Cells, and wait until the last cell has run."""
    # Before its kernel is there JupyterLab would ask which one to take.
    page.get_by_text("| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(
        "() => /\\[\\d+\\]/.test([...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].at(-1).textContent)",
        timeout=300_000)


def opened_up_to_its_widget(path, folder):
    """Copy the notebook without outputs, so that what is seen comes from this run, up to its first widget."""
    notebook = nbformat.read(path, as_version=4)
    [last, *_] = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"
                  and WIDGET in cell.source]
    notebook.cells = notebook.cells[: last + 1]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / path.name)


@pytest.mark.parametrize("number", MOVES)
def test_a_student_moves_the_widget(number, tmp_path):
    from playwright.sync_api import expect

    [path] = (masters.ROOT / "notebooks").glob(f"{number}_*.ipynb")
    opened_up_to_its_widget(path, tmp_path)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with jupyterlab(tmp_path) as address, page_of(f"{address}/lab/tree/{path.name}") as page:
        run_all_cells(page)
        assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0

        widget = page.locator(".widget-vbox, .jupyter-widgets.widget-vbox").filter(has=page.locator("img")).first
        widget.scroll_into_view_if_needed()
        picture = widget.locator("img")
        before_source, before_text = picture.get_attribute("src"), picture.get_attribute("alt")
        page.screenshot(path=SCREENSHOTS / f"{number}_before.png")

        before, move, after = MOVES[number]
        assert before in before_text and after not in before_text
        move(page, widget)
        expect(picture).to_have_attribute("alt", re.compile(re.escape(after)))
        page.screenshot(path=SCREENSHOTS / f"{number}_after.png")
        assert picture.get_attribute("src") != before_source


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_student_guesses_first_and_what_breaks_stops_nothing(theme, tmp_path):
    """The welcome as it is handed out: of the outcome a line is seen, until it is run; an error below does no harm."""
    [path] = (masters.ROOT / "notebooks").glob("00_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    [broken] = [cell for cell in notebook.cells if "def largest_change" in cell.source]
    broken.source += "\n\n1 / 0"
    notebook.cells.append(nbformat.v4.new_code_cell("print('the end')"))
    nbformat.write(notebook, tmp_path / path.name)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    themes = {"@jupyterlab/apputils-extension/themes": {"theme": f"JupyterLab {theme}"}}
    with jupyterlab(tmp_path, SETTINGS | themes) as address, page_of(f"{address}/lab/tree/{path.name}") as page:
        cell = page.locator(".jp-CodeCell").filter(has_text=told.TITLE)
        page.get_by_text("| Idle").wait_for()
        cell.scroll_into_view_if_needed()
        page.screenshot(path=SCREENSHOTS / f"00_guess_{theme}.png")
        assert told.TITLE in cell.inner_text() and "claim" not in cell.inner_text()

        run_all_cells(page)
        assert "You made no guess: go back" in cell.inner_text() and "claim" not in cell.inner_text()
        assert "ZeroDivisionError" in page.locator(".jp-Notebook").inner_text()
        assert "the end" in page.locator(".jp-OutputArea-output").last.inner_text()
        cell.scroll_into_view_if_needed()
        page.screenshot(path=SCREENSHOTS / f"00_told_{theme}.png")


def test_a_student_types_a_message_and_what_is_typed_is_never_run(tmp_path):
    """The widget of 13 has no picture: a text box, buttons, and below them what the filter makes of the text."""
    from playwright.sync_api import expect

    [path] = (masters.ROOT / "notebooks").glob("13_*.ipynb")
    opened_up_to_its_widget(path, tmp_path)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    dark = {"@jupyterlab/apputils-extension/themes": {"theme": "JupyterLab Dark"}}
    with jupyterlab(tmp_path, SETTINGS | dark) as address, page_of(f"{address}/lab/tree/{path.name}") as page:
        run_all_cells(page)
        widget = page.locator(".widget-vbox").first
        widget.scroll_into_view_if_needed()
        typed, shown = widget.locator("textarea"), widget.locator(".widget-html")
        expect(shown).to_contain_text("spam, it is blocked")
        page.screenshot(path=SCREENSHOTS / "13_before.png")

        button = widget.get_by_role("button", name="add the best word")
        button.click()
        expect(shown).to_contain_text("Words added: 1.")
        page.screenshot(path=SCREENSHOTS / "13_after.png")

        typed.fill("""free <script>window.ran = 1</script> <img src="x" onerror="window.ran = 1"> &lt;b&gt;""")
        expect(shown).to_contain_text('onerror="window.ran')
        assert shown.locator("script, img, b").count() == 0 and not page.evaluate("window.ran")


def test_a_student_hands_in(tmp_path):
    """The solved welcome with a name and the checklist, run in JupyterLab: the file is there, and so is what is wrong.

    Under this name the answers of 00.2 stand in another order than without one, so that the solution's letter is wrong.
    """
    [path] = (masters.ROOT / "notebooks" / "solutions").glob("00_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace('STUDENT = ""', 'STUDENT = "Ada"')
    notebook.cells.append(nbformat.v4.new_code_cell("import advcourse\n\nadvcourse.submit()"))
    nbformat.write(notebook, tmp_path / path.name)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with jupyterlab(tmp_path) as address, page_of(f"{address}/lab/tree/{path.name}") as page:
        run_all_cells(page)
        said = page.locator(".jp-OutputArea-output").last
        said.scroll_into_view_if_needed()
        page.screenshot(path=SCREENSHOTS / "00_handed_in.png")
        words = said.inner_text()
        assert "Wrote 00_Ada_submission.zip" in words and "✓\t00.1" in words and "not right yet: 00.2." in words
    with zipfile.ZipFile(tmp_path / "00_Ada_submission.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["student"] == "Ada" and archive.read(manifest["file"]) == (tmp_path / path.name).read_bytes()
