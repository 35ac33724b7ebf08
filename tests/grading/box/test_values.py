"""Values on their way between grader and box: every kind of value comes out whole."""

import json
import warnings
from collections import Counter, defaultdict

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from advcourse.exercises.sendable import MOST_LAYERS, WANTED
from advcourse.grading.box import values

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
          torch.int8, torch.uint8, torch.bool]


def round_trip(value):
    """The value after the journey there."""
    tensors = {}
    tree = json.loads(json.dumps(values.pack(value, tensors, lambda function: 0)))
    loaded = safetensors.torch.load(safetensors.torch.save(tensors)) if tensors else {}
    return values.unpack(tree, loaded, lambda number: None)


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and (a == b or (a != a and b != b))


# --- values that pass -------------------------------------------------------------------------------------------------

@settings(deadline=None, max_examples=60)
@given(st.sampled_from(DTYPES), st.lists(st.integers(0, 4), max_size=4))
def test_tensors_of_any_shape_and_type_pass(dtype, shape):
    tensor = (torch.rand(shape) * 100).to(dtype)
    assert same(round_trip(tensor), tensor)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from("?bhilBefd"), st.lists(st.integers(0, 4), max_size=3))
def test_arrays_pass(kind, shape):
    array = np.asarray(np.random.default_rng(0).random(shape) * 100).astype(kind)
    assert same(round_trip(array), array)


def test_strings_of_numpy_come_out_as_strings():
    words = np.array(["free", "win"])
    assert same(round_trip(words), ["free", "win"]) and same(round_trip([words[0], "now"]), ["free", "now"])
    assert same(round_trip({words[0]: 1.0}), {"free": 1.0})


def test_dicts_of_other_kinds_come_out_as_dicts():
    assert same(round_trip(Counter("aab")), {"a": 2, "b": 1})
    assert same(round_trip(defaultdict(float, a=0.5)), {"a": 0.5})


plain = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                     lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple)
                     | st.dictionaries(st.text() | st.integers(), inner, max_size=4), max_leaves=12)


@settings(deadline=None, max_examples=100)
@given(plain)
def test_plain_values_pass(value):
    assert same(round_trip(value), value)


@pytest.mark.parametrize("strange", [
    torch.arange(24.0).reshape(4, 6)[::2, 1::2], torch.arange(6.0).reshape(2, 3).T, torch.zeros(1).expand(3, 4),
    torch.rand(3, requires_grad=True), nn.Parameter(torch.rand(2)), torch.tensor(float("nan"))],
    ids=["every other", "transposed", "expanded", "with a history", "parameter", "NaN"])
def test_views_and_tensors_with_a_history_pass_as_plain_ones(strange):
    found = round_trip(strange)
    assert type(found) is torch.Tensor and not found.requires_grad
    assert torch.equal(found.nan_to_num(), strange.detach().nan_to_num())


def test_tensors_that_share_memory_come_out_apart():
    tensor = torch.zeros(3)
    first, second = round_trip([tensor, tensor])
    first += 1
    assert second.sum() == 0


def test_subclasses_of_tensors_come_out_plain():
    class Liar(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            if function is not torch.Tensor.detach:
                return "a lie"
            return super().__torch_function__(function, types, args, kwargs or {})

    found = round_trip(torch.ones(2).as_subclass(Liar))
    assert type(found) is torch.Tensor and found.tolist() == [1, 1]


def test_numpy_numbers_pass_as_arrays():
    assert round_trip(np.float64(1.5)).item() == 1.5


def test_networks_of_simple_layers_pass_as_numbers():
    network = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.ReLU(),
                            nn.Linear(4, 2, bias=False)).double().eval().requires_grad_(False)
    found, x = round_trip(network), torch.rand(3, 1, 2, 3).double()
    assert type(found) is nn.Sequential and torch.equal(found(x), network(x))
    assert not found.training and not any(parameter.requires_grad for parameter in found.parameters())


def test_what_is_nothing_of_all_that_passes_as_a_stranger():
    class Command:
        def __reduce__(self):
            raise AssertionError("nobody pickles here")

    assert type(round_trip(Command())).__name__ == "Command"
    assert type(round_trip({(1, 2): 3})).__name__ == "dict"
    assert type(round_trip(np.array([object()]))).__name__ == "ndarray"
    assert type(values.stranger("<script>alert(1)</script>")).__name__.isidentifier()


def test_a_list_in_itself_comes_to_an_end():
    nest = []
    nest.append(nest)
    round_trip(nest)


# --- values that do not travel, and say so ----------------------------------------------------------------------------

EYE = torch.eye(4)
STRANGE = {
    "sparse_coo, where": lambda: EYE.to_sparse(), "sparse_csr, where": lambda: EYE.to_sparse_csr(),
    "sparse_bsr, where": lambda: EYE.to_sparse_bsr((2, 2)), "_mkldnn, where": lambda: EYE.to_mkldnn(),
    "quantised tensor": lambda: torch.quantize_per_tensor(EYE, 0.1, 0, torch.qint8),
    "nested tensor": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "class NestedTensor": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged),
    "class MaskedTensor": lambda: torch.masked.masked_tensor(EYE, EYE > 0),
    "device meta": lambda: EYE.to("meta"), "`.real` makes one": lambda: EYE.to(torch.complex128),
    "torch.float8_e5m2": lambda: EYE.to(torch.float8_e5m2), "torch.bits8": lambda: torch.empty(3, dtype=torch.bits8),
}


@pytest.mark.parametrize("words", STRANGE)
def test_a_tensor_of_a_kind_that_is_not_sent_is_named_and_so_is_what_is_wanted(words):
    with warnings.catch_warnings(action="ignore"):  # of prototypes in torch
        strange = STRANGE[words]()
    with pytest.raises(values.Unsendable) as refused:
        values.pack([strange], {}, None)
    assert words in str(refused.value) and WANTED in str(refused.value)


def layers(count):
    return nn.Sequential(*[nn.Identity() for _ in range(count)])


@pytest.mark.parametrize("network", [layers(MOST_LAYERS + 1), nn.Sequential(nn.Linear(1, 60_000)),
                                     nn.Sequential(*[nn.Linear(2, 2)] * 25)])
def test_a_network_too_large_to_be_judged_is_refused_on_both_sides(network, monkeypatch):
    with pytest.raises(values.Unsendable, match="at most 24 layers and 100,000 weights are judged"):
        values.pack(network, {}, None)
    tensors = {}
    with monkeypatch.context() as patch:  # a box that does not keep to it
        patch.setattr(values, "problem_of", lambda _: None)
        tree = values.pack(network, tensors, None)
    with pytest.raises(values.Malformed, match="too large"):
        values.unpack(tree, tensors, None)


def test_a_network_just_small_enough_travels():
    assert len(round_trip(layers(MOST_LAYERS))) == MOST_LAYERS
