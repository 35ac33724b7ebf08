"""The service of labels: the model's answers, an exact account, its limits; and it stays on this machine."""

import json
import socket
import threading
from http.client import HTTPConnection

import pytest
import torch
from torch import nn

from advcourse.stealing.remote import PATH, Refused, ask, serve

SHAPE = (1, 3, 3)
pytestmark = pytest.mark.timeout(60)


def model(x):
    return torch.stack([x.flatten(1).sum(1), 4.5 + 0 * x.flatten(1).sum(1)], 1)


def images(count=7):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0))


def post(server, body, path=PATH, headers=None):
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("POST", path, body, headers or {})
    response = connection.getresponse()
    return response, json.loads(response.read())


def test_the_labels_are_the_models_and_every_image_is_counted():
    x = images()
    with serve(model, SHAPE) as server:
        assert torch.equal(ask(server.url, x, at_once=3), model(x).argmax(1))
        assert (server.queries, server.requests, server.refused) == (7, 3, 0)
        assert ask(server.url, x[:0]).shape == (0,) and server.requests == 3


def test_images_travel_with_eight_bits():
    seen = []
    x = images()
    with serve(lambda z: seen.append(z) or model(z), SHAPE) as server:
        ask(server.url, x)
    assert torch.equal(seen[0], (x * 255).round() / 255)


def test_the_budget_is_kept_exactly_and_a_refused_request_costs_nothing():
    x = images(6)
    with serve(model, SHAPE, budget=10) as server:
        ask(server.url, x)
        with pytest.raises(Refused, match=r"403.*6 of 10 queries.*6 more") as refused:
            ask(server.url, x)
        assert refused.value.status == 403 and (server.queries, server.refused) == (6, 1)
        ask(server.url, x[:4])
        assert server.queries == 10


def test_who_asks_too_often_is_told_to_wait():
    now = [100.0]
    with serve(model, SHAPE, per_second=4, clock=lambda: now[0]) as server:
        ask(server.url, images(1))
        response, answer = post(server, "{}")
        assert response.status == 429 and response.headers["Retry-After"] == "1"
        assert answer["wait"] == pytest.approx(0.25)
        with pytest.raises(Refused, match=r"429.*wait 0\.25 s"):
            ask(server.url, images(1), patience=0.1)
        now[0] += 0.25
        ask(server.url, images(1))
        assert (server.queries, server.requests, server.refused) == (2, 4, 2)


def test_a_patient_customer_waits_and_is_served():
    with serve(model, SHAPE, per_second=50) as server:
        assert len(ask(server.url, images(4), at_once=1)) == 4
        assert server.queries == 4


BAD = {
    "not json": "hello", "no keys": "{}", "another shape": '{"shape": [1, 1, 2, 2], "pixels": "AAAAAA=="}',
    "too few values": '{"shape": [2, 1, 3, 3], "pixels": "AAAA"}', "no images": '{"shape": [0, 1, 3, 3], "pixels": ""}',
    "a shape of words": '{"shape": ["a", 1, 3, 3], "pixels": ""}',
    "no base64": '{"shape": [1, 1, 3, 3], "pixels": "?"}', "a list": "[1, 2]",
    "bytes": b"\x80\x04\x95",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_bad_requests_are_refused_and_do_no_harm(body):
    with serve(model, SHAPE) as server:
        response, answer = post(server, body)
        assert response.status == 400 and "1, 3, 3" in answer["error"]
        assert (server.queries, server.refused) == (0, 1)
        assert len(ask(server.url, images(2))) == 2


def test_other_paths_and_giant_requests_are_refused_unread():
    with serve(model, SHAPE) as server:
        assert post(server, "{}", path="/weights")[0].status == 400
        assert post(server, "{}", headers={"Content-Length": "99999999999"})[0].status == 400


def test_it_listens_to_this_machine_alone_and_is_gone_afterwards():
    before = threading.active_count()
    with serve(model, SHAPE) as server:
        assert server.server_address[0] == "127.0.0.1"
        port = server.server_port
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_it_is_gone_after_an_exception_and_proxies_do_not_matter(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(KeyError), serve(model, SHAPE) as server:
        assert len(ask(server.url, images(1))) == 1
        raise KeyError
    with pytest.raises(OSError):
        ask(server.url, images(1), timeout=2)


def test_two_customers_at_once_are_counted_right_and_a_network_keeps_its_mode():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(9, 3)).train()
    with serve(network, SHAPE) as server:
        threads = [threading.Thread(target=ask, args=(server.url, images(20)), kwargs={"at_once": 2}) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.queries == 80 and network.training


def test_wrong_arguments_are_named():
    for options in ({"budget": -1}, {"per_second": 0}):
        with pytest.raises(ValueError,
                           match="budget must be at least 0 and per_second above 0"), serve(model, SHAPE, **options):
            pass
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        ask("http://127.0.0.1:9", images() + 1)
