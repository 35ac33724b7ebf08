"""A data folder of the test's own, and a server on this machine."""

import collections
import gzip
import hashlib
import http.server
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from advcourse import data
from advcourse.data import download
from tests.data.misbehaving import CONTENT, Handler


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder where downloads land, and no other data; the pauses between attempts are short."""
    monkeypatch.delenv("ADVCOURSE_DATA", raising=False)
    monkeypatch.setattr(download, "folder", lambda: tmp_path / "data")
    monkeypatch.setattr(download, "PAUSE", 0.01)
    monkeypatch.setattr(download, "TIMEOUT", (2, 1))
    monkeypatch.setattr(data, "_not_here", set())
    return tmp_path / "data"


@pytest.fixture
def server():
    """url(behaviour, name), and what the server saw: requests by behaviour."""
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.lock, httpd.stop, httpd.two = threading.Lock(), threading.Event(), threading.Barrier(2)
    httpd.requests, httpd.active = collections.Counter(), 0
    httpd.files = {"file.bin": CONTENT}
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{httpd.server_port}"
    yield SimpleNamespace(url=lambda behaviour, name="file.bin": f"{address}/{behaviour}/{name}", address=address,
                          seen=httpd)
    httpd.stop.set()
    httpd.shutdown()
    httpd.server_close()


def idx(array):
    """An array of bytes as an IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.tobytes()


@pytest.fixture
def small_mnist(monkeypatch):
    """Thirty training and ten test digits in place of MNIST: packed files by name, with their checksums in force."""
    from advcourse.data import images

    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 256, (30, 28, 28), dtype=np.uint8),
        np.arange(30, dtype=np.uint8) % 10,
        rng.integers(0, 256, (10, 28, 28), dtype=np.uint8),
        np.arange(10, dtype=np.uint8),
    ]
    raw = {name: idx(array) for name, array in zip(images.IDX, arrays, strict=True)}
    packed = {f"{name}.gz": gzip.compress(content) for name, content in raw.items()}
    monkeypatch.setattr(images, "MNIST_RAW", ["md5:" + hashlib.md5(content).hexdigest() for content in raw.values()])
    monkeypatch.setattr(images, "MNIST_PACKED",
                        ["md5:" + hashlib.md5(content).hexdigest() for content in packed.values()])
    return SimpleNamespace(arrays=arrays, raw=raw, packed=packed)
