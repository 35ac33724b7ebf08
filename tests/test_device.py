"""One place picks the device."""

import pytest
import torch

from advcourse import device


def test_auto_follows_the_environment(monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    assert device.choose() == torch.device("cpu")
    monkeypatch.delenv("DEVICE")
    assert device.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="'cuda' was asked for, but torch sees no CUDA GPU"):
        device.choose("cuda")
