"""The rules for masters: each is broken once on a small master; then the course's own are held to them."""

import nbformat
import pytest

from advcourse.exercises import Exercise, Question
from advcourse.pipeline import lint, masters

MASTER = '''\
# %% [markdown]
# # 98 · Sums
#
# **You will be able to** add.

# %% [markdown]
# **Threat model.** The attacker knows the numbers.
#
# ![two numbers](sum.png) The error was 99.9 % ([the paper](https://example.org)), or 97.2 % (Someone et al., 2015).

# %% tags=["parameters"]
PROFILE = "quick"
DATASET = "auto"
SEED = 0
DEVICE = "auto"
STUDENT = ""

# %% tags=["setup"]
from advcourse.notebook import compare_guess, start
course = start("98", profile=PROFILE, dataset=DATASET, seed=SEED, device_name=DEVICE, student=STUDENT)

# %% [markdown]
# A step of $0.25$, or `eps = 0.25`, as in exercise 98.1.

# %%
def double(x):
    """Twice x, a number."""
    ### BEGIN SOLUTION
    return x + x
    ### END SOLUTION

double = check("98.1", double)

# %%
### BEGIN SOLUTION
choice = "b"
### END SOLUTION
answer("98.2", choice)

# %%
### BEGIN SOLUTION
my_guess = 3
### END SOLUTION

# %%
outcome = 70

# %% tags=["tells"]
compare_guess(my_guess, outcome)

# %% [markdown]
# ## What to remember
#
# Sums.
#
# ## Further reading
#
# - A book.
'''

HINT = ("I am lost.", "Add.")
EXERCISE = Exercise("98.1", "Double", 2, 5, (HINT, HINT, HINT), lambda x: x + x, lambda generator: [{"x": 1}],
                    {"is twice x": lambda probe, result: None})
QUESTION = Question("98.2", "Which", "Which one?", (("this", "Yes."), ("that", "No.")))


@pytest.fixture
def problems(tmp_path, monkeypatch):
    """A function of a change to the small master: what lint then says."""
    def of(old="", new="", tasks=(EXERCISE, QUESTION)):
        assert old in MASTER
        monkeypatch.setattr(lint, "all_exercises", lambda number: list(tasks))
        path = tmp_path / "98_sums.py"
        path.write_text(MASTER.replace(old, new, 1))
        return lint.lint(path)
    return of


def test_a_master_that_keeps_the_rules_has_no_problem(problems):
    assert problems() == []


LONG = "\n".join(f"x{i} = {i}" for i in range(30))


@pytest.mark.parametrize("old, new, problem", [
    ("# # 98 · Sums", "# 98 · Sums", "the first cell is not a title"),
    ('tags=["parameters"]', "", "code cell 1 is not tagged 'parameters'"),
    ('tags=["setup"]', "", "code cell 2 is not tagged 'setup'"),
    ("SEED = 0\n", "", "the parameters must be"),
    ('start("98"', 'start("97"', 'the set-up cell does not call start("98", …)'),
    ("compare_guess(my_guess", "print(my_guess", "nothing is guessed"),
    ("compare_guess(my_guess", "print(my_guess", "no cell compares my_guess with the result"),
    ("my_guess = 3", "my_guess = 3\nmy_other_guess = 4", "no cell compares my_other_guess with the result"),
    ("compare_guess(my_guess", "compare_guess(my_ges", "compare_guess compares my_ges, which no cell asks for"),
    (' tags=["tells"]', "", "cell 10: it shows something below a guess and is not tagged 'tells'"),
    ("outcome = 70", "outcome = 70\nclaim('It is {value}.', outcome, 69, 71)", "cell 9: it shows something below"),
    ("outcome = 70", "outcome = 70\nplots.show(figure, 'Seventy', alt='Seventy.')", "cell 9: it shows something below"),
    ("outcome = 70", "outcome = 70\noutcome", "cell 9: it shows something below a guess"),
    ("Threat model", "Attacker", "no threat-model card"),
    ("What to remember", "Summary", "no heading 'What to remember'"),
    ("Further reading", "Books", "no heading 'Further reading'"),
    ("![two numbers]", "![]", "cell 2: a picture without alt text: ![](sum.png)"),
    ("![two numbers](sum.png)", '<img src="sum.png">', 'cell 2: a picture without alt text: <img src="sum.png">'),
    ("![two numbers](sum.png)", '<img src="sum.png" alt=" ">', "cell 2: a picture without alt text"),
    (" ([the paper](https://example.org)), or 97.2 % (Someone et al., 2015)", "", "cell 2: the number '99.9 %'"),
    ("$0.25$, or `eps = 0.25`", "0.25", "cell 5: the number '0.25' is neither claimed nor cited"),
    ("- A book.", "- A book.\n# - It is 7 % longer.", "the number '7 %'"),
    ("compare_guess(my", LONG + "\ncompare_guess(my", "31 lines of code; at most 30"),
    ("compare_guess(my", "!ls\ncompare_guess(my", "not plain Python: '!ls'"),
    ("compare_guess(my", "%run other.py\ncompare_guess(my", "not plain Python: '%run other.py'"),
    ("compare_guess(my", "files = !ls\ncompare_guess(my", "not plain Python: 'files = !ls'"),
    ('check("98.1"', 'check("98.2"', "check and answer are called for 98.2, 98.2"),
    ("def double(x):", "def double(x, y=0):", "no function in the cell of 98.1 has the arguments of its reference"),
    ('### BEGIN SOLUTION\nchoice = "b"\n### END SOLUTION', "choice = ...", "the cell of 98.2 has "
                                                                           "no '### BEGIN SOLUTION'"),
])
def test_a_broken_rule_is_named(problems, old, new, problem):
    assert [line for line in problems(old, new) if problem in line], problems(old, new)


def test_long_cells_count_code_only_and_the_median_counts(problems):
    comments = "\n".join("# why" for _ in range(40))
    assert problems("compare_guess(my", comments + "\ncompare_guess(my") == []
    nine = "\n".join(f"# %%\n{chr(10).join(f'x{i} = {i}' for i in range(9))}\n" for _ in range(8))
    assert "98_sums.py: the median cell has 9 lines of code; at most 8 are wanted" in problems(
        "# %%\noutcome", nine + "\n# %%\noutcome")


def test_exercises_are_set_once_in_order_and_all(problems):
    assert problems(tasks=[EXERCISE]) == ["98_sums.py: the exercises are 98.1; "
                                          "check and answer are called for 98.1, 98.2"]
    swapped = problems('double = check("98.1", double)', 'answer("98.2", "b"); double = check("98.1", double)')
    assert "98_sums.py: the exercises are 98.1, 98.2; check and answer are called for 98.2, 98.1, 98.2" in swapped


def test_exercises_have_minutes_and_three_hints(problems):
    lacking = Exercise("98.1", "Double", 2, 0, (HINT, HINT, ("I am lost.", "")), EXERCISE.reference, EXERCISE.probes,
                       EXERCISE.properties)
    assert problems(tasks=[lacking, QUESTION]) == [
        "98_sums.py: 98.1 needs points and minutes", "98_sums.py: 98.1 needs three hints"]


@pytest.mark.parametrize("data, problem", [
    ({"image/png": "iVBO"},
     ["98.ipynb: cell 1: a picture without alt text; show it with plots.show(figure, title, alt)"]),
    ({"text/html": '<img src="data:">'}, ["98.ipynb: cell 1: a picture without alt text"]),
    ({"text/html": '<p><img alt="a 7" src="data:"><img alt="" src="data:"></p>'},
     ["98.ipynb: cell 1: a picture without alt text"]),
    ({"text/html": '<p><img alt="a 7" src="data:"></p>'}, []),
    ({"text/html": '<img alt="a 7" src="data:">', "image/png": "iVBO"}, []),
    ({"text/html": '<p>A 7.</p>', "image/png": "iVBO"},
     ["98.ipynb: cell 1: a picture without alt text; show it with plots.show(figure, title, alt)"]),
    ({"text/plain": 600_000 * "x"}, ["98.ipynb: 600 kB; at most 600 kB are wanted"]),
])
def test_built_notebooks_are_small_and_their_pictures_have_words(tmp_path, data, problem):
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data=data)])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "98.ipynb")
    assert lint.lint_built(tmp_path / "98.ipynb") == problem


# The notebooks of the course itself.

@pytest.mark.parametrize("path", masters.find(), ids=lambda path: path.stem)
def test_the_masters_keep_the_rules(path):
    assert lint.lint(path) == []


@pytest.mark.parametrize("path", sorted((masters.ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_built_notebooks_keep_the_rules(path):
    assert lint.lint_built(path) == []
