"""Messages between the grader and the box, in a form that cannot carry code.

A message is a JSON tree and, beside it, its tensors in safetensors' format. Sizes stand in front and are looked at
before anything is read. Functions do not travel: the other side gets a stand-in that asks back, with gradients where
they exist.
"""

import json
import math
import select
import struct
import time

import safetensors.torch
import torch

from advcourse.grading.box.values import DEEPEST, Malformed, pack, unpack

FRONT = struct.Struct("<4sII")  # b"adv1", bytes of JSON, bytes of tensors
LARGEST_TREE, LARGEST_TENSORS = 1 << 20, 16 << 20  # bytes; the course's own messages hold less than one megabyte


class Closed(RuntimeError):
    """The other side is gone."""


class TooLate(Closed):
    """The other side did not answer in time."""


class Peer:
    """One end of a connection: asks the other side to call its functions, and lets it call ours meanwhile."""

    def __init__(self, connection):
        self.connection = connection
        if connection:
            # a blocking `send` would wait beyond the deadline for one who does not listen
            connection.setblocking(False)
        self.deadline = math.inf  # on time.monotonic's clock
        self.functions = {}  # what the other side may call: number -> function
        self.depth = 0
        self.is_broken = False  # then nothing that comes can be trusted to belong together

    # --- asking and answering -----------------------------------------------------------------------------------------

    def ask(self, function, *arguments, cotangent=None, **keywords):
        """What the other side's function (its number, or a name) returns; RuntimeError with its words where it fails.

        cotangent: then the gradients of <cotangent, result> with respect to the tensors among `arguments` instead.
        """
        try:
            self.send({"ask": function, "values": [list(arguments), keywords, cotangent]})
            while "ask" in (message := self.receive()):
                self.answer(message)
            if "answer" not in message and "error" not in message:
                raise Malformed("a message that neither asks nor answers")
        except (Closed, Malformed):
            self.is_broken = True
            raise
        if "error" in message:
            raise RuntimeError(str(message["error"])[:1000])
        return message["values"]

    def answer(self, message):
        """Call the function that a message asks for, and send what it returns or why it fails."""
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise RuntimeError("too many questions within questions")
            reply = {"answer": True, "values": self.called(message["ask"], message["values"])}
        except (Closed, Malformed):
            raise
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:1000]}
        finally:
            self.depth -= 1
        try:
            self.send(reply)
        except (Closed, Malformed):
            raise
        except Exception as error:  # it is not sendable, or too large; nothing of it has been sent
            self.send({"error": f"{error}"[:1000]})

    def called(self, function, values):
        """What one of our functions returns for the values of a question."""
        if not isinstance(function, int | str) or function not in self.functions:
            raise RuntimeError("there is no such function")
        if type(values) is not list or len(values) != 3 or type(values[0]) is not list or type(values[1]) is not dict:
            raise Malformed("a question without arguments")
        arguments, keywords, cotangent = values
        if cotangent is None:
            return self.functions[function](*arguments, **keywords)
        return gradients(self.functions[function], arguments, cotangent)

    def offer(self, function):
        """The number by which the other side may ask this function."""
        number = len(self.functions)
        self.functions[number] = function
        return number

    def asked(self, number):
        """A stand-in for the other side's function of this number."""
        return Asked(self, number)

    # --- messages -----------------------------------------------------------------------------------------------------

    def send(self, message):
        """Send a dict; what stands under "values" may be anything that `values.pack` knows."""
        tensors = {}
        message = message | {"values": pack(message.get("values"), tensors, self.offer)}
        tree, buffers = json.dumps(message).encode(), safetensors.torch.save(tensors) if tensors else b""
        if len(tree) > LARGEST_TREE or len(buffers) > LARGEST_TENSORS:
            raise RuntimeError(f"this is too much to send: {(len(tree) + len(buffers)) / 1e6:.0f} MB")
        data = memoryview(FRONT.pack(b"adv1", len(tree), len(buffers)) + tree + buffers)
        while data:
            self.wait(writing=True)
            try:
                data = data[self.connection.send(data):]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Closed("it ended") from error

    def receive(self):
        """The next message. Raises Malformed, Closed at the end, TooLate at the deadline."""
        mark, length, size = FRONT.unpack(self.read(FRONT.size))
        if mark != b"adv1" or length > LARGEST_TREE or size > LARGEST_TENSORS:
            raise Malformed("something else than a message")
        try:
            message = json.loads(self.read(length))
            tensors = safetensors.torch.load(bytes(self.read(size))) if size else {}
            if type(message) is not dict:
                raise Malformed("a message that is no dict")
            return message | {"values": unpack(message.get("values"), tensors, self.asked)}
        except (Closed, Malformed):
            raise
        except Exception as error:  # whatever hostile bytes make of the readers
            raise Malformed(f"a message that cannot be read ({type(error).__name__})") from None

    def read(self, count):
        """Exactly so many bytes."""
        data = bytearray()
        while len(data) < count:
            self.wait()
            try:
                part = self.connection.recv(min(count - len(data), 1 << 20))
            except BlockingIOError:
                continue
            except OSError as error:
                raise Closed("it ended") from error
            if not part:
                raise Closed("it ended")
            data += part
        return data

    def wait(self, writing=False):
        """Until the connection can be used; TooLate at the deadline."""
        left = self.deadline - time.monotonic()
        ends = [self.connection]
        if left <= 0 or not any(select.select([] if writing else ends, ends if writing else [], [],
                                              None if left == math.inf else left)):
            raise TooLate("it took too long")


def gradients(function, arguments, cotangent):
    """The gradients of <cotangent, function(*arguments)> with respect to tensors of real numbers; None for the rest."""
    asked = [argument.clone().requires_grad_() if isinstance(argument, torch.Tensor) and argument.is_floating_point()
             else argument for argument in arguments]
    inputs = [argument for argument in asked if isinstance(argument, torch.Tensor) and argument.requires_grad]
    with torch.enable_grad():
        result = function(*asked)
        found = iter(torch.autograd.grad(result, inputs, cotangent, allow_unused=True) if result.requires_grad
                     else [None] * len(inputs))
    return [next(found) if isinstance(argument, torch.Tensor) and argument.requires_grad else None
            for argument in asked]


class Through(torch.autograd.Function):
    """A call of the other side's function that gradients pass through."""

    @staticmethod
    def forward(ctx, peer, number, *arguments):
        ctx.peer, ctx.number = peer, number
        ctx.arguments = [argument.detach() if isinstance(argument, torch.Tensor) else argument
                         for argument in arguments]
        result = peer.ask(number, *ctx.arguments)
        if not isinstance(result, torch.Tensor):
            raise RuntimeError("a gradient needs a function that returns a tensor")
        return result

    @staticmethod
    def backward(ctx, cotangent):
        found = ctx.peer.ask(ctx.number, *ctx.arguments, cotangent=cotangent)
        if type(found) is not list or len(found) != len(ctx.arguments):
            raise Malformed("gradients of another number of arguments")
        return None, None, *found


class Asked:
    """A function that lives on the other side."""

    def __init__(self, peer, number):
        self.peer, self.number = peer, number

    def __call__(self, *arguments, **keywords):
        if torch.is_grad_enabled() and any(isinstance(argument, torch.Tensor) and argument.requires_grad
                                           for argument in arguments):
            if keywords:
                raise RuntimeError("give this function its arguments by position: "
                                   "it is asked over a pipe, with gradients")
            return Through.apply(self.peer, self.number, *arguments)
        return self.peer.ask(self.number, *arguments, **keywords)
