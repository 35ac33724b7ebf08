"""A small graded class, hostile texts, code that is alike, and how the tests read pages and tables."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

from advcourse.grading.marks import Graded, Mark
from advcourse.grading.reports import pages, tables
from advcourse.grading.reports.standings import standings

SCRIPT = "<script>alert(1)</script>"
HOSTILE = [
    SCRIPT, "</code></pre><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}{% include 'x' %}",
    "<!-- ",
    "</style><svg onload=alert(1)>", "<a href='javascript:alert(1)'>`<b onclick=x>`</a>", "*<i onmouseover=x>*",
    "&lt;script&gt;",
    "<base href=https://example.org>", "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "\udcff\ud800", "a\0b\x1b[31m\x07",
    "\u202eevil\u2066",
    "\n\r\n\t", "", "`" * 999, "*" * 999, "x" * 100_000, "]]>", "<![CDATA[<script>", "<plaintext>",
    "\u2028\u2029\ufeff\u200b",
]
PASSED = Mark("01.1", "Clip", "passed", 2, 2, "", {"it is clipped": None},
              code="def clip(x):\n    return x.clamp(0, 1)\n")
WRONG = Mark("01.2", "Step", "wrong", 1.5, 3, "it leaves the ball by 0.2: clip",
             {"it goes up": None, "it stays near": "it leaves the ball by 0.2: clip with `torch.clamp(x, 0, 1)`"},
             hint="What is `x`?", code="def step(x):\n    return x < 1\n")
OPEN = Mark("01.3", "Curve", "not attempted", 0, 4, "not attempted", hint="Begin.")
WAITING = Mark("01.1", "Clip", "to be graded", 0, 2)


def graded(student="Ada", *marks, notebook="01", **more):
    values = {"path": f"class/{student}/01_x.ipynb", "sha256": "ab", "walls": "namespaces", "seed": 987654,
              "submitted": 1.7e9} | more
    return Graded(student, notebook, marks=marks or (PASSED, WRONG, OPEN), **values)


FAULT = graded("Evan", WAITING, problem="fork failed at /home/teacher")


class Reader(HTMLParser):
    """Collects the elements, attributes and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.text = [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        if tag in ("td", "th", "div", "p", "li", "h2", "h3"):
            self.text += " "
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def text(page):
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", Reader(body).text)


def student_page(*notebooks, course=None):
    standing, = standings(notebooks, course)
    return pages.feedback_page(standing)


def class_page(*found, course=None, roster=()):
    return pages.class_page(standings(found, course, roster))


def table(*found, course=None):
    return read(tables.grades_table(standings(found, course)))


def read(text, delimiter=","):
    """The rows of a table, a dict each."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))


# --- near-identical code ----------------------------------------------------------------------------------------------

LONG = '''def attack(model, x, y, eps):
    x_adv = x.detach().clone()
    for step in range(40):
        x_adv.requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(x_adv), y)
        gradient = torch.autograd.grad(loss, x_adv)[0]
        x_adv = (x_adv.detach() + 0.02 * gradient.sign()).clamp(0, 1)
    return x_adv
'''
# The same in other clothes: names, types, a docstring, comments, spaces, quotes.
DRESSED = '''def   my_attack(net: object, images, labels, radius) -> "tensor":
    """My own work."""
    best = images.detach().clone()   # copy

    for k in range( 40 ):
        best.requires_grad_()
        cost = torch.nn.functional.cross_entropy(net(best), labels)
        g = torch.autograd.grad(cost, best)[0]  # gradient
        best = (best.detach() + 0.02 * g.sign()).clamp(0, 1)
    return best
'''
OTHERS = ["""def a(model, x, y, eps):
    z = x.clone()
    z.requires_grad = True
    F.cross_entropy(model(z), y).backward()
    return (x + eps * z.grad.sign()).clip(0, 1)
""", """def a(model, x, y, eps):
    d = torch.zeros_like(x, requires_grad=True)
    o = torch.optim.SGD([d], lr=0.1)
    while model(x + d).argmax() == y:
        o.zero_grad()
        (-loss(model(x + d), y)).backward()
        o.step()
    return x + d
""", """def a(model, x, y, eps):
    noise = torch.empty_like(x).uniform_(-eps, eps)
    scores = [model(x + k * noise / 10).softmax(1)[0, y] for k in range(11)]
    return x + min(range(11), key=scores.__getitem__) * noise / 10
"""]


def classroom(*codes):
    return [graded(f"s{place}", replace(WRONG, code=code)) for place, code in enumerate(codes)]
