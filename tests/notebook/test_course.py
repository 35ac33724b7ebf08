"""Set-up: what people read, and what programs read."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from advcourse import data, exercises, notebook, plots
from advcourse.notebook import claims, course
from advcourse.version import __version__


@pytest.fixture
def payloads(monkeypatch):
    """What the notebook room emits, as (payload, text)."""
    emitted = []
    for module in (claims, course):
        monkeypatch.setattr(module, "emit", lambda payload, text, *more: emitted.append((payload, text)))
    return emitted


@pytest.fixture
def digits(monkeypatch):
    monkeypatch.setattr(plots, "data_name", "")
    yield "digits"
    exercises.set_student("")


def test_the_first_output_says_what_the_run_is_made_on(payloads, digits):
    course = notebook.start("01", dataset=digits, seed=3, device_name="cpu", student="Ada")
    payload, text = payloads[0]
    assert payload == {"kind": "start", "notebook": "01", "profile": "quick", "dataset": "digits", "seed": 3,
                       "device": "cpu", "versions": {"notebook": None, "course": __version__}, "warning": None}
    assert "dataset digits" in text and "seed 3" in text and course.data.card in text
    assert plots.data_name == "digits" and course.quick and course.generator().initial_seed() == 3
    assert exercises.letter_of_right_answer("01.6", "Ada") in "abcd"


def test_another_kind_of_data_is_replaced_and_the_first_output_says_so(payloads, digits):
    course = notebook.start("01", dataset="mnist", device_name="cpu", instead={"mnist": digits})
    assert course.data.name == "digits" and payloads[0][0]["dataset"] == "digits"
    assert payloads[0][1].endswith("(in place of mnist, which this notebook cannot use)")
    notebook.start("01", dataset=digits, device_name="cpu", instead={"mnist": "fonts"})
    assert "in place of" not in payloads[1][1]


def test_a_notebook_on_messages_gets_messages(payloads, digits, monkeypatch, tmp_path):
    monkeypatch.setenv("ADVCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(data.download, "folder", lambda: tmp_path)
    monkeypatch.setattr(data.texts, "SMS_PACKED", replace(data.texts.SMS_PACKED, urls=()))
    instead = {"auto": ("sms-spam", "messages"), "fonts": "messages"}
    for asked, words in (("auto", "in place of sms-spam"), ("fonts", "in place of fonts, which"), ("messages", "free")):
        course = notebook.start("13", dataset=asked, device_name="cpu", kind=data.Messages, instead=instead)
        assert course.data.name == "messages" and words in payloads[-1][1]


def test_data_of_another_kind_is_refused_in_words(digits):
    with pytest.raises(ValueError, match="notebook 01 cannot use DATASET = 'messages'"):
        notebook.start("01", dataset="messages", device_name="cpu")
    with pytest.raises(ValueError, match="notebook 13 cannot use DATASET = 'digits'"):
        notebook.start("13", dataset="digits", device_name="cpu", kind=data.Messages)


def test_test_images_come_with_their_labels(payloads, digits):
    course = notebook.start("01", dataset=digits, device_name="cpu")
    x, y = course.test_images(7)
    assert x.shape[0] == 7 and y.equal(data.load("digits").y_test[:7])


def test_another_seed_draws_other_test_images_with_their_labels(payloads, digits):
    everything = data.load("digits")
    drawn = {seed: notebook.start("01", dataset=digits, seed=seed, device_name="cpu").test_images(50)
             for seed in (0, 7, 8)}
    again, _ = notebook.start("01", dataset=digits, seed=7, device_name="cpu").test_images(40)
    assert drawn[0][0].equal(everything.x_test[:50]), "what the stored outputs show does not change"
    assert drawn[7][0][:40].equal(again), "fewer images are the first of more"
    assert not drawn[7][0].equal(drawn[8][0]) and not drawn[7][0].equal(drawn[0][0])
    for x, y in drawn.values():
        places = [(everything.x_test == image).flatten(1).all(1).nonzero()[0, 0] for image in x]
        assert len(set(map(int, places))) == 50 and everything.y_test[places].equal(y)


def test_a_data_set_without_checkpoints_gets_its_network_trained(payloads, digits):
    from advcourse.models.inference import accuracy

    course = notebook.start("01", dataset=digits, device_name="cpu")
    model = course.model("softmax")
    assert accuracy(model, course.data.x_test, course.data.y_test) > 0.8
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model[1].weight.equal(course.model("softmax")[1].weight), "the seed decides the weights"


def test_a_folder_of_images_called_like_a_data_set_gets_no_network_of_the_zoo(payloads, digits, tmp_path):
    for place, grey, count in (("train/ä b", 0, 50), ("train/日", 250, 50), ("test/ä b", 0, 1), ("test/日", 255, 1)):
        (tmp_path / "mnist" / place).mkdir(parents=True)
        for at in range(count):  # fewer take more epochs
            Image.new("L", (28, 28), grey).save(tmp_path / f"mnist/{place}/{at}.png")
    course = notebook.start("01", dataset=str(tmp_path / "mnist"), device_name="cpu")
    assert "dataset folder mnist" in payloads[0][1] and plots.data_name == "folder mnist"
    assert course.model("softmax")(course.data.x_test).shape == (2, 2)
    assert course.trained_eps("fgsm") == 0.1


def test_a_network_trained_on_fgsm_stands_it(payloads, digits):
    from advcourse import attacks
    from advcourse.models.inference import accuracy

    course = notebook.start("01", dataset=digits, device_name="cpu")
    assert course.trained_eps("fgsm") == 0.1
    x, y = course.test_images(200)
    plain, trained = (accuracy(model, attacks.fgsm(model, x, y, eps=0.1), y)
                      for model in (course.model("mlp"), course.model("fgsm")))
    assert trained > plain + 0.1


@pytest.mark.parametrize("version, in_clone, words", [
    ("0.0.9", True, f"This notebook (0.0.9) is older than the installed course ({__version__}): where"),
    ("99.10.0", True, f"The installed course ({__version__}) is older than this notebook (99.10.0): update it with"),
    ("99.10.0", False, "update it with `%pip install --upgrade https://github.com/")])
def test_a_notebook_of_another_version_is_told_in_one_line_which_is_older(payloads, digits, monkeypatch, version,
                                                                          in_clone, words):
    monkeypatch.setattr(course.files, "checkout", lambda: Path() if in_clone else None)
    notebook.start("01", version=version, dataset=digits, device_name="cpu")
    payload, text = payloads[0]
    assert words in text.splitlines()[-1] and payload["warning"] == text.splitlines()[-1]
    assert payload["versions"] == {"notebook": version, "course": __version__}


def test_versions_are_compared_as_numbers(monkeypatch):
    monkeypatch.setattr(course, "__version__", "0.9.0")
    assert course.version_warning("0.10.0").startswith("The installed course (0.9.0) is older")


@pytest.mark.parametrize("told", [{}, {"version": __version__}, {"version": f"{__version__}.0"}])
def test_of_one_version_and_of_notebooks_that_tell_none_nothing_is_said(payloads, digits, told):
    notebook.start("01", **told, dataset=digits, device_name="cpu")
    payload, text = payloads[0]
    assert payload["warning"] is None and len(text.splitlines()) == 2


@pytest.mark.parametrize("argument, message", [
    ({"version": "new"}, "Invalid version: 'new'"),
    *[({"seed": seed}, f"the seed must be a whole number from 0 to 4294967295; got {seed!r}")
      for seed in ("0", 1.5, True, None, -1, 2**32)],
    ({"profile": "fast"}, "PROFILE is 'fast'"), ({"dataset": "imagenet"}, "unknown data set 'imagenet'"),
    ({"device_name": "cuda:9"}, "cuda")])
def test_bad_parameters_are_named(argument, message, digits):
    with pytest.raises((ValueError, RuntimeError), match=message):
        notebook.start("01", **{"dataset": digits} | argument)


def test_live_unless_told_otherwise(payloads, digits, monkeypatch):
    course = notebook.start("01", dataset=digits, device_name="cpu")
    monkeypatch.delenv("ADVCOURSE_STATIC", raising=False)
    assert course.live
    monkeypatch.setenv("ADVCOURSE_STATIC", "1")
    assert not course.live
