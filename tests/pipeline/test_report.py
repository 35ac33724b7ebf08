"""The page that tells how a run went."""

import base64
import json
import re

import pytest

from advcourse import plots
from advcourse.exercises import display
from advcourse.pipeline import report
from advcourse.pipeline.execute import Result, execute
from tests.chromium import CHROMIUM, needs_chromium
from tests.pipeline.sample_notebooks import sample

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
                         "rkJggg==")


def ran(*outputs, title="# A sample", failure=None, name="00_sample"):
    """A Result whose notebook has one code cell with these outputs: dicts from MIME type to content."""
    cells = [{"cell_type": "markdown", "source": [title + "\n", "More."], "metadata": {}},
             {"cell_type": "code", "source": "", "metadata": {}, "execution_count": 1,
              "outputs": [output if "output_type" in output else
                          {"output_type": "display_data", "data": output, "metadata": {}} for output in outputs]}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return Result(name, json.dumps(notebook), 65.0, 812_000_000, failure)


def says(**payload):
    return {report.PAYLOAD: payload, "text/plain": "as people read it"}


def page(*results):
    return report.page(results, {"PROFILE": "quick"}, 70.0)


def text(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_notebooks_and_the_report_speak_of_the_same_type():
    assert report.PAYLOAD == display.MIME


def test_the_last_verdict_on_an_exercise_counts():
    verdict = dict(kind="verdict", title="Clip", maximum=2)
    html = text(page(ran(says(**verdict, exercise="00.2", state="wrong", points=0),
                         says(**verdict, exercise="00.1", state="passed", points=2),
                         says(**verdict, exercise="00.2", state="not attempted", points=0))))
    assert "1 of 2" in html
    assert html.index("00.1 Clip") < html.index("00.2 Clip")
    assert html.count("00.2 Clip") == 1 and "✓ passed" in html and "not attempted" in html and "✗ wrong" not in html


def test_claims_stand_with_their_values_and_bands():
    claim = dict(kind="claim", sentence="The error is {value:.1%}.", low=0.99, high=1.0)
    results = [ran(says(**claim, value=0.9993, holds=True), says(**claim, value=0.5, holds=False))]
    html = text(page(*results))
    assert "The error is 99.9%. 0.9993 0.99 to 1 measured ✓ yes" in html
    assert "The error is 50.0%. 0.5 0.99 to 1 measured ✗ no" in html
    assert "1 claim outside its band" in html
    assert report.outside(results) == ["00_sample: The error is 50.0%. (measured 0.5, expected 0.99 to 1)"]


def test_a_band_that_was_not_measured_in_the_profile_is_no_failure():
    claim = dict(kind="claim", sentence="The error is {value:.1%}.", low=0.99, high=1.0, value=0.5, holds=False)
    results = [ran(says(kind="start", profile="full"), says(**claim), says(**claim | {"holds": True}))]
    html = text(page(*results))
    assert "0.5 0.99 to 1 not measured in full ✗ no" in html and "no claims outside their bands" in html
    assert "✓ ran – 1 of 2" in html and report.outside(results) == []
    assert len(report.outside([ran(says(kind="start", profile="quick"), says(**claim))])) == 1


def test_times_memory_and_failures_are_told():
    html = text(page(ran(), ran(name="01_sample", title="# Adversarial examples",
                                failure="cell 3 (`1 / 0`): ZeroDivisionError")))
    assert "2 notebooks in 1 min 10 s: 1 failed" in html
    assert "A sample ✓ ran – – 1 min 05 s 812 MB" in html
    assert "Adversarial examples ✗ failed" in html and "cell 3 (`1 / 0`): ZeroDivisionError" in html


@pytest.mark.parametrize("output, address", [
    ({"image/png": base64.encodebytes(PIXEL).decode(), "text/plain": "<Figure>"}, "data:image/png;base64,iVBOR"),
    ({"image/svg+xml": ["<svg xmlns='http://www.w3.org/2000/svg'>", "</svg>"]}, "data:image/svg+xml;base64,PHN2Zy"),
])
def test_pictures_of_every_kind_are_embedded(output, address):
    figure, = report.figures(json.loads(ran(output).notebook))
    assert figure.source.startswith(address) and "\n" not in figure.source


def test_a_picture_in_two_forms_is_one_figure():
    html = '<img alt="A line" width="400" src="data:image/png;base64,AAAA">'
    assert report.figures(json.loads(ran({"text/html": html, "image/png": "BBBB"}).notebook)) == [
        report.Figure("data:image/png;base64,AAAA", "A line", "400")]
    [table] = report.figures(json.loads(ran({"text/html": "<table>", "image/png": "BBBB"}).notebook))
    assert table.source == "data:image/png;base64,BBBB"


def test_an_interrupted_run_is_told_as_such_even_where_nothing_was_run():
    html = text(report.page([], {}, 1.0, ["00_a<b", "01_c"]))
    assert "0 notebooks in 1.0 s" in html and "The run was interrupted: 2 not run." in html
    assert "00_a&lt;b – not run" in html and "01_c – not run" in html
    assert "interrupted" not in page(ran())


def test_alt_text_and_width_come_along():
    image = {"output_type": "display_data", "data": {"image/png": base64.b64encode(PIXEL).decode()},
             "metadata": {"image/png": {"alt": "A <dot>", "width": 40}}}
    html = page(ran(image))
    assert 'alt="A &lt;dot&gt;" width="40"' in html and "<figcaption>A &lt;dot&gt;</figcaption>" in html


def test_what_the_course_draws_is_found_with_its_alt_text():
    source = ("import matplotlib.pyplot as plt\nfrom advcourse import plots\n"
              "plots.show(plots.curves([0, 1], {'a': [0, 1]}, 'x', 'y'), 'A line', 'A line & its \"alt\" text')")
    result = execute("00_sample", sample(source), {})
    assert result.failure is None
    figure, = report.figures(json.loads(result.notebook))
    assert figure.alt == 'A line & its "alt" text' and figure.source.startswith("data:image/png;base64,")
    assert figure.width == str(round(plots.curves([0], {"a": [0]}, "", "").get_figwidth() * 90))


def test_nothing_that_a_notebook_says_becomes_part_of_the_page():
    script = "<script>alert(1)</script>"
    html = page(ran(
        says(kind="claim", sentence=script, value=1, low=0, high=1, holds=True),
        says(kind="verdict", exercise="00.1", title=script, state=script, points=script, maximum=1),
        says(kind="start", profile=script, dataset=script, seed=script, device=script),
        {"text/html": f'{script}<img src="https://example.org/x.png"><img '
                      f'src="data:image/png;base64,AA" alt="{script}">'},
        title=f"# {script}", failure=script))
    assert script not in html and "example.org" not in html
    assert html.count("<img") == 1


@pytest.mark.parametrize("payload", [
    None, 3, [], {}, {"kind": "claim"}, {"kind": "claim", "sentence": "{value.__class__.x}", "value": "a"},
    {"kind": "verdict"},
    {"kind": "claim", "sentence": None, "value": None, "low": "a", "high": []}, {"kind": "start"}, {"kind": []},
    {"kind": "verdict", "exercise": []},
])
def test_strange_payloads_do_no_harm(payload):
    assert "A sample" in page(ran({report.PAYLOAD: payload}))


@needs_chromium
def test_in_a_browser_it_is_whole_and_readable_in_light_and_dark(tmp_path):
    from playwright.sync_api import sync_playwright

    picture = {"image/png": base64.b64encode(PIXEL).decode()}
    (tmp_path / "index.html").write_text(page(ran(picture, says(kind="claim", sentence="It is {value}.", value=1, low=0,
                                                                high=2, holds=True))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            tab = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
            asked = []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto((tmp_path / "index.html").as_uri())
            assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
            assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
            assert tab.evaluate("document.documentElement.scrollWidth") <= 400
            colours = tab.evaluate("""[...document.querySelectorAll('td, th, h1, h2, h3, p, a, figcaption, span')].map(
                node => [getComputedStyle(node).color, getComputedStyle(document.body).backgroundColor])""")
            assert colours and min(contrast(*pair) for pair in colours) >= 4.5, "WCAG asks for 4.5 : 1"
        browser.close()


def contrast(*colours):
    """The contrast of two CSS colours "rgb(…)", as WCAG 2 defines it."""
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted(map(luminance, colours))
    return (high + 0.05) / (low + 0.05)
