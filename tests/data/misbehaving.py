"""A file, and a web server that sends it in every way a download must survive."""

import hashlib
import http.server
import threading
import time

import numpy as np

# Incompressible and large enough that a cut falls in the middle of many chunks.
CONTENT = np.random.default_rng(0).bytes(600_000)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html><body>Please sign in to use this network</body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    """The first part of the path says how to behave: /cut/name sends half of the file and hangs up."""

    def do_GET(self):
        behaviour, name = self.path.split("/")[1:3]
        with self.server.lock:
            self.server.requests[behaviour] += 1
            self.server.active += 1
        try:
            getattr(self, behaviour)(self.server.files[name], self.server.requests[behaviour] == 1)
        except (OSError, threading.BrokenBarrierError):  # the client has gone
            pass
        finally:
            with self.server.lock:
                self.server.active -= 1

    def answer(self, content, status=200, length=None, kind="application/octet-stream"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def good(self, content, first):
        self.answer(content)

    def missing(self, content, first):
        self.answer(b"no such file", status=404)

    def busy(self, content, first):
        self.answer(b"come back later", status=503)

    def busy_once(self, content, first):
        self.busy(content, first) if first else self.good(content, first)

    def page(self, content, first):
        self.answer(PAGE, kind="text/html")

    def truncated(self, content, first):
        self.answer(content[: len(content) // 2])

    def corrupted(self, content, first):
        self.answer(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])

    def cut(self, content, first):
        self.answer(content[: len(content) // 2], length=len(content))

    def cut_once(self, content, first):
        self.cut(content, first) if first else self.good(content, first)

    def hang_up(self, content, first):
        self.close_connection = True

    def silent(self, content, first):
        self.server.stop.wait(30)

    def stalled(self, content, first):
        self.answer(content[: len(content) // 2], length=len(content))
        self.wfile.flush()
        self.server.stop.wait(30)

    def drip(self, content, first):
        self.answer(b"", length=len(content))
        for at in range(len(content)):
            if self.server.stop.wait(0.1):
                return
            self.wfile.write(content[at : at + 1])
            self.wfile.flush()

    def together(self, content, first):
        """Half of the file, and the rest when two clients have got so far."""
        self.answer(content[: len(content) // 2], length=len(content))
        self.wfile.flush()
        self.server.two.wait(timeout=60)
        self.wfile.write(content[len(content) // 2 :])

    def slow(self, content, first):
        self.answer(b"", length=len(content))
        for at in range(0, len(content), 10_000):
            time.sleep(0.02)
            self.wfile.write(content[at : at + 10_000])
            self.wfile.flush()

    def log_message(self, *arguments):
        pass
