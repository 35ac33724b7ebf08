"""Messages between grader and box: functions are asked and answer; what is malformed is refused before it costs."""

import json
import math
import socket
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from advcourse.grading.box import wire


@pytest.fixture
def ends():
    """Two sockets that are connected; writes never block for long."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def peers(ends):
    """Our Peer, and the other side's, which answers in a thread until it is closed, by its `functions`."""
    ours, theirs = map(wire.Peer, ends)
    ours.deadline = time.monotonic() + 60

    def serve():
        try:
            while True:
                theirs.answer(theirs.receive())
        except (wire.Closed, wire.Malformed, OSError):
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield ours, theirs
    ends[0].shutdown(socket.SHUT_RDWR)
    thread.join(10)


# --- functions --------------------------------------------------------------------------------------------------------

def test_a_function_is_asked_and_answers(peers):
    ours, theirs = peers
    theirs.functions["apply"] = lambda function, value: function(value, power=3)
    assert ours.ask("apply", lambda value, power: value ** power, 2) == 8


def test_a_function_of_texts_is_asked_and_answers_with_an_array(peers):
    ours, theirs = peers
    theirs.functions["good"] = lambda is_spam, pool: np.array(pool)[~is_spam([f"win £5 {word}" for word in pool])]
    pool = ["home", "fr\u0435\u0435", "gohome"]
    found = ours.ask("good", lambda texts: np.array(["home" not in text for text in texts]), pool)
    assert found == ["home", "gohome"]


@pytest.mark.parametrize("network", [nn.Conv2d(1, 2, 2).double(),
                                     lambda x: (x ** 3).sin().flatten(1) @ torch.arange(18.0).double().reshape(9, 2)],
                         ids=["module", "function"])
def test_gradients_through_a_question_equal_autograds_own(peers, network):
    ours, theirs = peers
    seen = []

    def gradient(model, x, weight):
        x = x.clone().requires_grad_()
        result = model(x)
        seen.append(result.detach())
        return torch.autograd.grad((result * weight).sum(), x)[0]

    theirs.functions["gradient"] = gradient
    x = torch.rand(4, 1, 3, 3, dtype=torch.float64)
    weight = torch.rand_like(network(x).detach())
    found = ours.ask("gradient", network, x, weight)
    inside = x.clone().requires_grad_()
    assert torch.equal(found, torch.autograd.grad((network(inside) * weight).sum(), inside)[0])
    assert torch.equal(seen[0], network(x).detach())


def test_asking_back_leaves_the_asked_ones_gradients_alone(peers):
    ours, theirs = peers
    model = nn.Conv2d(1, 1, 1)

    def gradient(model, x):
        x = x.clone().requires_grad_()
        return torch.autograd.grad(model(x).sum(), x)[0]

    theirs.functions["gradient"] = gradient
    ours.ask("gradient", model, torch.ones(1, 1, 2, 2))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_is_not_offered_is_not_called(peers):
    ours, theirs = peers
    theirs.functions["ask"] = lambda: theirs.ask(0)
    for name in ("__init__", 0, -1, True, None, 1.5, [], {}):
        with pytest.raises(RuntimeError, match="no such function"):
            ours.ask(name)
    with pytest.raises(RuntimeError, match="no such function"):
        ours.ask("ask")


def test_functions_that_were_cleared_are_out_of_reach(peers):
    ours, theirs = peers
    kept = []
    theirs.functions |= {"keep": lambda function: kept.append(function), "again": lambda: kept[0]()}
    ours.ask("keep", lambda: 5)
    assert ours.ask("again") == 5
    ours.functions.clear()
    with pytest.raises(RuntimeError, match="no such function"):
        ours.ask("again")


def test_questions_within_questions_come_to_an_end(peers):
    ours, theirs = peers
    theirs.functions["again"] = lambda function: function(function)

    def again(function):
        return ours.ask("again", again)

    with pytest.raises(RuntimeError, match="too many questions"):
        ours.ask("again", again)


def test_errors_come_back_in_words_of_bounded_length(peers):
    ours, theirs = peers

    def fail():
        raise KeyError("x" * 1_000_000)

    theirs.functions["fail"] = fail
    with pytest.raises(RuntimeError, match="KeyError") as caught:
        ours.ask("fail")
    assert len(str(caught.value)) <= 1000
    assert not ours.is_broken


def test_a_result_too_large_to_send_is_refused_by_the_sender(peers):
    ours, _ = peers
    with pytest.raises(RuntimeError, match="too much to send"):
        ours.ask("f", torch.zeros(wire.LARGEST_TENSORS // 4 + 1))
    with pytest.raises(RuntimeError, match="too much to send"):
        ours.ask("f", "x" * (wire.LARGEST_TREE + 1))


def test_the_other_sides_words_are_cut_whoever_wrote_them(ends):
    peer = wire.Peer(ends[0])
    thread = threading.Thread(target=ends[1].sendall, args=(raw({"error": "x" * 100_000}),), daemon=True)
    thread.start()
    with pytest.raises(RuntimeError) as caught:
        peer.ask("f")
    assert len(str(caught.value)) <= 1000


# --- messages that are none -------------------------------------------------------------------------------------------

def raw(tree=b"{}", tensors=b"", mark=b"adv1", length=None, size=None):
    tree = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return wire.FRONT.pack(mark, len(tree) if length is None else length,
                           len(tensors) if size is None else size) + tree + tensors


def with_tensors(value, **tensors):
    return raw({"answer": True, "values": value}, safetensors.torch.save(tensors or {"0": torch.zeros(2, 2)}))


def header(text, data=b""):
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    return raw({"answer": True, "values": {"tensor": "0"}}, len(text).to_bytes(8, "little") + text + data)


def network(*layers):
    return {"network": [*layers], "training": True, "frozen": True}


MALFORMED = {
    "another mark": raw(mark=b"adv2"),
    "a pickle": b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94",
    "a tree larger than allowed": raw(length=wire.LARGEST_TREE + 1),
    "tensors larger than allowed": raw(size=wire.LARGEST_TENSORS + 1),
    "the largest sizes there are": raw(length=2**32 - 1, size=2**32 - 1),
    "no JSON": raw(b"{'ask': 1}"),
    "bytes that are no text": raw(b'"\xff\xfe"'),
    "an empty tree": raw(b""),
    "no dict": raw([1, 2]),
    "a number": raw(5),
    "a nest of a hundred thousand lists": raw(b"[" * 100_000),
    "a nest of thirty known lists": raw(b'{"values": ' + b'{"list": [' * 30 + b"]}" * 30 + b"}"),
    "an integer of ten thousand digits": raw(b'{"values": ' + b"9" * 10_000 + b"}"),
    "a bare list": raw({"values": [1, 2]}),
    "an empty dict": raw({"values": {}}),
    "an unknown kind": raw({"values": {"object": "os.system"}}),
    "a tensor that is not there": raw({"values": {"tensor": "0"}}),
    "a tensor named by a list": with_tensors({"tensor": ["0"]}),
    "a tensor that is an array of brain floats":
        with_tensors({"array": "0"}, **{"0": torch.zeros(2, dtype=torch.bfloat16)}),
    "a list of a number": raw({"values": {"list": 5}}),
    "a dict without pairs": raw({"values": {"dict": [1, 2]}}),
    "a dict of lists": raw({"values": {"dict": [[1, 2, 3]]}}),
    "a function named by words": raw({"values": {"function": "os.system"}}),
    "a function numbered True": raw({"values": {"function": True}}),
    "tensors without a header": raw({"values": None}, b"\0" * 4),
    "a header that promises more than there is": raw({"values": None}, (2**60).to_bytes(8, "little") + b"{}"),
    "a header that is no JSON": header(b"{{{{"),
    "a tensor beyond the end": header({"0": {"dtype": "F32", "shape": [100], "data_offsets": [0, 400]}}),
    "a tensor of another size than its shape":
        header({"0": {"dtype": "F32", "shape": [100], "data_offsets": [0, 8]}}, bytes(8)),
    "a tensor of unknown type": header({"0": {"dtype": "PICKLE", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "a shape whose product overflows": header({"0": {"dtype": "F32", "shape": [2**62, 8], "data_offsets": [0, 0]}}),
    "offsets that go backwards": header({"0": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}, bytes(8)),
    "tensors that overlap": header({"0": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                                    "1": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, bytes(12)),
    "a layer that is none": raw({"values": network(["Module", {"list": []}])}),
    "a layer by a dotted name": raw({"values": network(["utils.skip_init", {"list": []}])}),
    "a layer without weights": raw({"values": network(["Linear", 2, 2, {"list": []}])}),
    "a layer of sizes that are not its weights'":
        with_tensors(network(["Linear", 10**9, 10**9, {"list": [{"tensor": "0"}]}])),
    "a layer of whole numbers": with_tensors(network(["Linear", 2, 2, {"list": [{"tensor": "0"}]}]),
                                             **{"0": torch.zeros(2, 2, dtype=torch.int64)}),
    "a network that says nothing of training": raw({"values": {"network": []}}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_messages_are_refused(name, ends):
    ours, theirs = ends
    peer = wire.Peer(ours)
    peer.deadline = time.monotonic() + 20
    theirs.sendall(MALFORMED[name])
    with pytest.raises(wire.Malformed):
        peer.receive()


def test_an_answer_that_neither_asks_nor_answers_breaks_the_connection(ends):
    peer = wire.Peer(ends[0])
    ends[1].sendall(raw({"values": 1}))
    with pytest.raises(wire.Malformed):
        peer.ask("f")
    assert peer.is_broken


@pytest.mark.parametrize("values", [None, 5, {"list": []}, {"list": [{"list": []}, {"dict": []}]},
                                    {"list": [{"dict": []}, {"dict": []}, None]}], ids=str)
def test_a_question_without_arguments_is_malformed(ends, values):
    peer = wire.Peer(ends[0])
    peer.functions[0] = lambda: None
    ends[1].sendall(raw({"ask": 0, "values": values}))
    with pytest.raises(wire.Malformed):
        peer.ask("f")
    assert peer.is_broken


def test_sizes_are_refused_before_anything_is_read(ends):
    peer = wire.Peer(ends[0])
    ends[1].sendall(raw(length=wire.LARGEST_TREE + 1) + b"rest")
    with pytest.raises(wire.Malformed):
        peer.receive()
    assert ends[0].recv(100) == b"{}rest"


def test_a_tensor_of_a_message_is_used_once(ends):
    """Else a small message could ask for any amount of memory: the same 64 MB in a thousand layers."""
    layer = ["Linear", 2, 2, {"list": [{"tensor": "0"}]}]
    ends[1].sendall(with_tensors({"network": [layer] * 1000, "training": True, "frozen": True}))
    with pytest.raises(wire.Malformed):
        wire.Peer(ends[0]).receive()


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_random_bytes_never_do_more_than_be_refused(tree, tensors):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(raw(tree, tensors))
        with pytest.raises(wire.Malformed):
            wire.Peer(ours).receive()


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_spoilt_messages_are_read_or_refused(data):
    message = bytearray(with_tensors({"list": [{"tensor": "0"}, {"dict": [["a", 1]]}, {"function": 3},
                                               {"other": "x"}]}))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(wire.FRONT.size, len(message) - 1))] = data.draw(st.integers(0, 255))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(message)
        with suppress(wire.Malformed):
            wire.Peer(ours).receive()


# --- ends -------------------------------------------------------------------------------------------------------------

def test_silence_ends_at_the_deadline(ends):
    peer = wire.Peer(ends[0])
    peer.deadline = time.monotonic() + 0.05
    with pytest.raises(wire.Closed, match="too long"):
        peer.ask("f")
    assert peer.is_broken


def test_half_a_message_ends_at_the_deadline(ends):
    peer = wire.Peer(ends[0])
    peer.deadline = time.monotonic() + 0.05
    ends[1].sendall(raw({"values": "x" * 100})[:50])
    with pytest.raises(wire.Closed, match="too long"):
        peer.receive()


def test_one_who_does_not_listen_ends_at_the_deadline(ends):
    peer, ended = wire.Peer(ends[0]), []
    peer.deadline = time.monotonic() + 0.2

    def ask():
        try:
            peer.ask("f", torch.zeros(1 << 20))
        except wire.Closed as error:
            ended.append(str(error))

    thread = threading.Thread(target=ask, daemon=True)  # it may hang, this test must not
    thread.start()
    thread.join(20)
    assert ended and "too long" in ended[0]


def test_questions_without_end_end_at_the_deadline(ends):
    peer = wire.Peer(ends[0])
    peer.deadline = time.monotonic() + 0.3

    def flood():
        try:
            while True:
                ends[1].sendall(raw({"ask": 0, "values": None}))
        except OSError:
            pass

    def drain():
        try:
            while ends[1].recv(1 << 16):
                pass
        except OSError:
            pass

    threads = [threading.Thread(target=work, daemon=True) for work in (flood, drain)]
    for thread in threads:
        thread.start()
    with pytest.raises(wire.Closed):
        peer.ask("f")
    ends[1].shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("sent", [b"", raw({"values": 1})[:5], raw({"values": 1})[:-1]])
def test_the_other_sides_end_is_told(ends, sent):
    peer = wire.Peer(ends[0])
    ends[1].sendall(sent)
    ends[1].shutdown(socket.SHUT_RDWR)
    with pytest.raises(wire.Closed, match="ended"):
        peer.receive()
    assert peer.deadline == math.inf
