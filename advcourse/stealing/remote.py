"""A model behind a service that tells labels and nothing else, as a company would offer it, on this very machine.

`serve(model)` starts it, `ask(url, images)` is a client. It counts every image, refuses more than its budget, and
tells those to wait who ask too often. It listens on 127.0.0.1 alone, and what comes in is read as numbers, never run.
"""

import base64
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import torch
from torch import Tensor

from advcourse.attacks.contract import Model
from advcourse.models.inference import device_of, predict

MOST_BYTES = 20_000_000  # of a request
PATH = "/label"


class Refused(RuntimeError):
    """The service did not answer.

    `status` is the HTTP status: 400 a bad request, 403 the budget is used up, 429 too many requests.
    """

    def __init__(self, status: int, reason: str):
        super().__init__(f"the service refused ({status}): {reason}")
        self.status = status


@contextmanager
def serve(model: Model, shape: Sequence[int], *, budget: int | None = None, per_second: float | None = None,
          clock: Callable[[], float] = time.monotonic) -> Iterator["LabelServer"]:
    """Within it a service answers with the model's labels.

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). shape: of one image, (C, H, W).
    budget: how many images it answers in all, at least 0; a request that needs more is refused as a whole (403). None:
        no limit.
    per_second: how many requests it answers in a second, above 0; a request that comes earlier is refused (429) and
        told how long to wait. None: no limit.
    clock: what says the time in seconds; tests give their own.
    Gives the server with its address, `.url`, and its account: `.queries` (images answered), `.requests`, `.refused`.
    Raises ValueError where budget or per_second is not as said here.
    """
    if (budget is not None and budget < 0) or (per_second is not None and not per_second > 0):
        raise ValueError(f"budget must be at least 0 and per_second above 0; got budget={budget}, "
                         f"per_second={per_second}")
    server = LabelServer(model, tuple(shape), budget, per_second, clock)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(url: str, x: Tensor, *, at_once: int = 500, patience: float = 10.0, timeout: float = 30.0) -> Tensor:
    """The labels that the service at `url` gives to the images x.

    Images travel with 8 bits for each value, as in any image file: the service sees x rounded to 1/255.
    x: images in [0, 1], shape (N, C, H, W). at_once: images in one request, at least 1.
    patience: seconds to wait in all where the service asks for it. timeout: seconds to wait for one answer.
    Returns labels, shape (N,), int64, on x's device.
    Raises ValueError where x leaves [0, 1], Refused where the service does not answer, or would let us wait longer.
    """
    if not (x.numel() == 0 or (x.min() >= 0 and x.max() <= 1)):
        raise ValueError(f"x must lie in [0, 1]; got values from {x.min():.3g} to {x.max():.3g}")
    labels = []
    for images in x.detach().split(at_once) if len(x) else ():
        pixels = (images * 255).round().to(torch.uint8).cpu().numpy().tobytes()
        request = json.dumps({"shape": list(images.shape), "pixels": base64.b64encode(pixels).decode()})
        while True:
            status, answer = _post(url, request, timeout)
            if status != 429 or answer["wait"] > patience:
                break
            time.sleep(answer["wait"])
            patience -= answer["wait"]
        if status != 200:
            raise Refused(status, answer["error"])
        labels += answer["labels"]
    return torch.tensor(labels, dtype=torch.int64, device=x.device)


def _post(url, request, timeout):
    """(status, answer) of one request; http.client goes to the address itself, whatever proxy the machine has."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request("POST", PATH, request, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


class LabelServer(ThreadingHTTPServer):
    """The service and its account; see `serve`."""

    daemon_threads = True

    def __init__(self, model, shape, budget, per_second, clock):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model, self.shape, self.budget, self.clock = model, shape, budget, clock
        self.pause, self.next_request = 1 / per_second if per_second else 0, -math.inf
        self.queries = self.requests = self.refused = 0
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def answer(self, body: bytes) -> tuple[int, dict]:
        """(status, answer) for a request; one at a time, so that the account is right."""
        with self.lock:
            self.requests += 1
            status, answer = self._answer(body)
            self.refused += status != 200
            return status, answer

    def _answer(self, body):
        wait = self.next_request - self.clock()
        if wait > 0:
            return 429, {"error": f"too many requests: wait {wait:.2f} s", "wait": wait}
        self.next_request = self.clock() + self.pause
        try:
            images = _images(body, self.shape)
        except (ValueError, TypeError, KeyError) as error:
            return 400, {"error": f"not a request for labels of images of shape {self.shape}: {error}"}
        if self.budget is not None and self.queries + len(images) > self.budget:
            return 403, {"error": f"{self.queries} of {self.budget} queries are used up, "
                                  f"and {len(images)} more were asked for"}
        labels = predict(self.model, images.to(device_of(self.model, default=torch.device("cpu")))).argmax(1)
        self.queries += len(images)
        return 200, {"labels": labels.tolist()}


def _images(body, shape):
    request = json.loads(body)
    count, *image = request["shape"]
    if tuple(image) != shape or not isinstance(count, int) or count < 1:
        raise ValueError(f"images of shape {request['shape']}")
    pixels = base64.b64decode(request["pixels"], validate=True)
    if len(pixels) != count * math.prod(shape):
        raise ValueError(f"{len(pixels)} values for {count} images")
    return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(count, *shape).float() / 255


class _Handler(BaseHTTPRequestHandler):
    timeout = 30  # seconds to wait for a client that sends nothing

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if self.path != PATH or not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            return self._send(400, {"error": f"POST at most {MOST_BYTES} bytes to {PATH}"})
        self._send(*self.server.answer(self.rfile.read(int(length))))

    def _send(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", str(math.ceil(answer["wait"])))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # the notebook is no place for an access log
