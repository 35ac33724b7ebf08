"""The doctor: says what is there, what is wrong and what is missing, and never fails itself."""

import time
from importlib import metadata

import pytest
from typer.testing import CliRunner

from advcourse import data, doctor
from advcourse.cli import app as cli


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    """Only the data sets that need no file are here: looking at the others takes seconds."""
    monkeypatch.setenv("ADVCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(data.download, "folder", lambda: tmp_path)
    monkeypatch.setattr(data, "folder", lambda: tmp_path)


def rows():
    return {row.what: row for row in doctor.report(network_timeout=0.5)}


def test_it_looks_at_everything():
    found = rows()
    assert {"Python", "advcourse", "torch", "numpy", "papermill", "device", "threads", "data: fonts", "disk",
            "network"} <= set(found)
    assert found["torch"].state == "ok" and metadata.version("torch") in found["torch"].detail
    assert found["data: digits"].state == "ok"
    assert {row.state for row in found.values()} <= {"ok", "warning", "missing"}
    assert not [row for row in found.values() if "could not look" in row.detail]


def test_versions_are_held_against_what_the_course_asks_for(monkeypatch):
    real = metadata.version

    def version(name):
        if name in ("scipy", "papermill"):
            raise metadata.PackageNotFoundError(name)
        return {"numpy": "1.26.4"}.get(name) or real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = rows()
    assert found["numpy"] == ("numpy", "warning", "1.26.4 is outside >=2.0")
    assert found["scipy"].state == "missing"
    assert found["papermill"].state == "warning", "only running the course oneself needs it"


def test_data_that_is_not_here_is_not_downloaded_by_looking(tmp_path):
    assert doctor.data_set("mnist") == ("warning", "not here; `advcourse data get mnist` downloads it")
    (tmp_path / "MNIST/raw").mkdir(parents=True)
    (tmp_path / "MNIST/raw/train-images-idx3-ubyte").write_bytes(b"damaged")
    state, detail = doctor.data_set("mnist")
    assert state == "warning" and "checksum" in detail


def test_whatever_is_broken_the_rest_is_reported(monkeypatch):
    def fails(*arguments):
        raise KeyError("broken on purpose")

    looks = ("python", "packages", "device", "data_sets", "disk", "network")
    for broken in looks:
        with monkeypatch.context() as patch:
            for look in looks:
                patch.setattr(doctor, look, fails if look == broken
                              else lambda *arguments: [doctor.Row("fine", "ok", "")])
            found = doctor.report()
        assert [row.state for row in found].count("ok") == 5, broken
        (row,) = [row for row in found if row.state == "warning"]
        assert row.detail == "could not look: KeyError: 'broken on purpose'"


def test_a_network_that_does_not_answer_costs_no_more_than_the_timeout(monkeypatch):
    import requests

    monkeypatch.setattr(requests, "head", lambda *a, **k: time.sleep(20))  # as a name server that is not there
    start = time.monotonic()
    assert doctor.network(0.3)[0].state == "warning"
    assert time.monotonic() - start < 2
    monkeypatch.setattr(requests, "head", lambda *a, **k: None)
    assert doctor.network(0.3)[0].state == "ok"


@pytest.mark.parametrize("asked", ["cuda:99", "nope", "mps"])
def test_a_device_that_was_asked_for_and_is_not_there_is_told(monkeypatch, asked):
    monkeypatch.setenv("DEVICE", asked)
    found = rows()
    assert found["device"].state == "warning" and found["threads"].state == "ok"
    assert found["device"].detail.startswith(f"the device '{asked}' was asked for, but ")


def test_the_command_shows_the_table():
    done = CliRunner().invoke(cli.app, ["doctor"], env={"COLUMNS": "150"})
    assert done.exit_code == 0 and "torch" in done.stdout and "network" in done.stdout
