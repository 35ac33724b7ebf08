"""One place picks the device."""

import pytest
import torch

from advcourse import device


@pytest.fixture(autouse=True)
def no_device_asked_for(monkeypatch):
    monkeypatch.delenv("DEVICE", raising=False)


@pytest.fixture
def gpus(monkeypatch):
    """Have torch see so many GPUs."""
    def see(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    return see


@pytest.mark.parametrize("count, chosen", [(0, "cpu"), (2, "cuda")])
def test_auto_takes_a_gpu_where_there_is_one(gpus, count, chosen):
    gpus(count)
    assert device.choose() == device.choose("auto") == device.choose(" Auto ") == torch.device(chosen)


@pytest.mark.parametrize("asked, chosen", [("cpu", "cpu"), ("CPU", "cpu"), (" cuda ", "cuda"), ("Cuda:1", "cuda:1"),
                                           ("cuda:0", "cuda:0"), ("cuda:01", "cuda:1"), (torch.device("cpu"), "cpu")])
def test_what_is_there_is_chosen_by_name_and_by_the_environment(gpus, asked, chosen, monkeypatch):
    gpus(2)
    assert device.choose(asked) == torch.device(chosen)
    monkeypatch.setenv("DEVICE", str(asked))
    assert device.choose() == torch.device(chosen)
    assert device.choose("cpu") == torch.device("cpu"), "who names one gets it"


@pytest.mark.parametrize("empty", ["", " ", "auto", "AUTO"])
def test_an_empty_environment_variable_asks_for_nothing(gpus, empty, monkeypatch):
    gpus(0)
    monkeypatch.setenv("DEVICE", empty)
    assert device.choose() == torch.device("cpu")


@pytest.mark.parametrize("asked, problem", [
    ("nope", "'cuda:NUMBER' alone"), ("xpu", "'cuda:NUMBER' alone"), ("meta", "'cuda:NUMBER' alone"),
    ("cpu:x", "'cuda:NUMBER' alone"), ("cuda:", "'cuda:NUMBER' alone"), ("cuda:-1", "'cuda:NUMBER' alone"),
    ("cuda:1:1", "'cuda:NUMBER' alone"), ("cuda:²", "'cuda:NUMBER' alone"), ("gpu", "'cuda:NUMBER' alone"),
    ("mps", "double precision"), ("MPS:0", "double precision"),
    ("cuda:2", "the last GPU that torch sees is 'cuda:1'"), ("cuda:" + "9" * 30, "the last GPU")])
def test_what_cannot_be_had_is_named_with_what_can(gpus, asked, problem, monkeypatch):
    gpus(2)
    with pytest.raises(ValueError) as by_name:
        device.choose(asked)
    monkeypatch.setenv("DEVICE", asked)
    with pytest.raises(ValueError) as by_environment:
        device.choose()
    for error in map(str, (by_name.value, by_environment.value)):
        assert error.startswith(f"the device {asked!r} was asked for, but ") and problem in error
        assert error.endswith("; use 'cpu' or 'auto'")


@pytest.mark.parametrize("asked", ["", " ", None, 0, [], True])
def test_what_is_no_name_is_refused_in_the_same_words(asked):
    with pytest.raises(ValueError, match=r"the device .* was asked for, but the course knows 'cpu', 'cuda'"):
        device.choose(asked)


@pytest.mark.parametrize("asked", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_told(gpus, asked):
    gpus(0)
    with pytest.raises(ValueError, match=f"'{asked}' was asked for, but torch sees no CUDA GPU"):
        device.choose(asked)
