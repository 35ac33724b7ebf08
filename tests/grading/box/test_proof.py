"""Every wall is tried and holds here; and every trial can fail: without walls it gets through."""

import pytest

from advcourse.grading.box import proof

ONLY_WALLS = {"no network", "no other process, no new program", "no sight of other processes",
              "no file of the instructor's",
              "nothing of the course's exercises", "nothing writable but the scratch folder"}


@pytest.fixture(scope="module")
def walled():
    try:
        return proof.report()
    except OSError as error:
        pytest.skip(f"this system gives no walls: {error}")


@pytest.fixture(scope="module")
def unwalled(walled):
    return proof.report(walled=False)


@pytest.mark.parametrize("name", [wall.name for wall in proof.WALLS])
def test_every_wall_holds(name, walled):
    assert walled[name]


@pytest.mark.parametrize("name", sorted(ONLY_WALLS | {"no privileges"}))
def test_without_walls_the_trial_gets_through(name, unwalled):
    assert unwalled[name] is False


def test_the_report_names_every_wall_once(walled):
    assert list(walled) == [wall.name for wall in proof.WALLS]
    assert len(walled) == len(proof.WALLS)


def test_a_trial_that_comes_to_no_end_proves_nothing(monkeypatch):
    """A wall holds where its code fails, not where the machine is slow."""
    from advcourse.grading.box import wire

    class Slow:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def start_clock(self, seconds):
            pass

        def load(self, statements):
            raise wire.Closed("it took too long")

    class Boxes:
        def open(self):
            return Slow()

    assert not proof.holds(Boxes(), proof.WALLS[0], 1, [])
    assert proof.holds(Boxes(), proof.WALLS[-1], 1, [])
