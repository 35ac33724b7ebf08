"""Odd values that come back: tensors of strange kinds, numbers and texts that are hard to carry, networks too large."""

from tests.hostile.case import HONEST, case, function

RIGHT = "right = torch.minimum(torch.maximum(x_p, x - eps), x + eps).clamp(0, 1)"


def returns(name, expression, *before, points=0, **more):
    """A 01.1 that computes the right images and returns them in a strange form."""
    lines = [RIGHT, *expression.strip().splitlines()]
    lines[-1] = lines[-1] if lines[-1].lstrip().startswith(("return", "raise")) else f"return {lines[-1]}"
    return case("values", name, *before, function("project(x_p, x, eps)", "\n".join(lines)), points=points, **more)


def network(name, body, **more):
    return case("network", name, function("defend(x, y, eps)", body), notebook="10", **more)


EYE = """
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
same = nn.Linear(3, 3)
same.weight.data, same.bias.data = torch.eye(3), torch.zeros(3)
"""

CASES = [
    # right values in strange clothes
    returns("right, as a view with the negative bit", "torch._neg_view(-right)", points=2),
    returns("right, as the imaginary part of a conjugate", "torch.complex(right * 0, -right).conj().imag", points=2),
    returns("right, as a parameter with a history", "(torch.nn.Parameter(right) * 1)", points=2),
    returns("right, in storage of another shape and order", "right.expand(2, *right.shape)[1].mT.contiguous().mT",
            points=2),
    case("values", "right, as NumPy's numbers out of an array with negative strides", """
import numpy as np
def accuracy_curve(model, attack, x, y, epsilons):
    found = [(model(attack(model, x, y, eps)).argmax(1) == y).double().mean().item() for eps in epsilons]
    return list(np.array(found[::-1])[::-1])""", points=3),
    # kinds of tensors that nobody can carry
    returns("sparse, by coordinates", "right.to_sparse()"),
    returns("sparse, by rows", "right.flatten(1).to_sparse_csr()"),
    returns("quantised", "torch.quantize_per_tensor(right.float(), 0.01, 0, torch.quint8)"),
    returns("in mkldnn's layout", "right.float().to_mkldnn()"),
    returns("nested", "torch.nested.nested_tensor([image for image in right])"),
    returns("nested and jagged", "torch.nested.nested_tensor([image for image in right], layout=torch.jagged)"),
    returns("masked", "from torch.masked import masked_tensor\nmasked_tensor(right, right > 0)"),
    returns("on the device meta", "right.to('meta')"),
    returns("unsigned, of 64 bits", "right.to(torch.uint64)"),
    returns("complex, of 32 bits", "right.to(torch.complex32)"),
    returns("complex, of 128 bits", "right.to(torch.complex128)"),
    returns("of bits", "torch.empty(right.shape, dtype=torch.bits8)"),
    returns("floats of 8 bits, all exponent", "right.to(torch.float8_e8m0fnu)"),
    returns("no elements, in 10^18 columns", "torch.empty(0, 10**18)"),
    returns("one element, 10^12 times", "torch.zeros(1).expand(10**6, 10**6)"),
    returns("a tensor without the storage that it claims", """
kept = right.clone()
kept.untyped_storage().resize_(0)
return kept"""),
    returns("sixty thousand small tensors", "[torch.zeros(1) for _ in range(60_000)]"),
    returns("a tensor whose class answers every question itself", """
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.ones(())
return right.as_subclass(Liar)"""),
    returns("a tensor that claims another shape", """
class Large(torch.Tensor):
    shape = (10**9, 10**9)
    def numel(self):
        return 10**18
return (right * 9).as_subclass(Large)"""),
    # numbers and texts
    returns("a number of five thousand hexadecimal digits", "int('f' * 5000, 16)"),
    returns("a list of such numbers", "[1 << 20_000] * 100"),
    returns("infinite, and none", "[float('inf'), float('-inf'), float('nan'), -0.0, 5e-324]"),
    returns("subclasses of float, int and str that say what is wanted", """
class Number(float):
    def __eq__(self, other): return True
    def __repr__(self): return 'GOT' ' THROUGH'
class Text(str):
    def __str__(self): return 'passed'
class Whole(int):
    def __eq__(self, other): return True
return [Number(1), Text('x'), Whole(3)]"""),
    returns("keys that are no text", "{'\\udcff': 1, '\\ud800\\udfff': right, '': 2, '__class__': 3}"),
    returns("a hundred thousand keys", "{str(number): number for number in range(100_000)}"),
    returns("lists in lists, fourteen deep and four wide", """
nest = [1]
for _ in range(14):
    nest = [nest, [], 'x', {}]
return nest"""),
    returns("a million nothings", "[None] * 1_000_000"),
    returns("signs for terminals and of direction in a reason",
            "raise ValueError('\\x1b[2J\\x1b]0;t\\x07\\x08\\u202ereversed\\u2066 \\x9b31m <script>alert(1)</script>')"),
    returns("a reason of formulas, pipes, backticks and line ends",
            "raise ValueError('=1+1|`' * 200 + '\\u2028\\r\\n|---|\\n# heading')"),
    returns("an object whose text never ends", """
class Endless:
    def __str__(self):
        while True: pass
    __repr__ = __format__ = __str__
return Endless()""", seconds=2),
    returns("an error whose text never ends", """
class Endless(Exception):
    def __str__(self):
        while True: pass
raise Endless()""", seconds=2),
    returns("a coroutine, a generator, a class", """
async def later():
    return right
return [later(), (image for image in right), type('T', (), {'shape': right.shape})]"""),
    returns("a function that returns the right images", "lambda *_: right"),
    # networks that would be judged for ever
    network("a network with ten thousand layers that change nothing",
            EYE + "return nn.Sequential(*net, *[same] * 10_000)"),
    network("a network with thousands of nn.Identity", EYE + "return nn.Sequential(*net, *[nn.Identity()] * 9_000)"),
    network("a network with three million weights", "return nn.Sequential(nn.Flatten(), nn.Linear(36, 80_000), "
                                                    "nn.Linear(80_000, 3))"),
    network("a wide network in few layers", "return nn.Sequential(nn.Flatten(), nn.Linear(36, 1900), nn.ReLU(), "
                                            "nn.Linear(1900, 16), nn.Linear(16, 3))"),
    network("a network that flattens what is not there",
            "return nn.Sequential(nn.Flatten(5, 9), nn.Flatten(-9, 10**18))"),
    network("a network of no layers, and of empty ones", "return nn.Sequential()"),
    network("a network of nothing in, nothing out",
            "return nn.Sequential(nn.Flatten(), nn.Linear(36, 0), nn.Linear(0, 3))"),
    network("a network whose weights are of whole numbers", """
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
net[1].weight = nn.Parameter(torch.ones(3, 36, dtype=torch.long), requires_grad=False)
return net"""),
    network("a network whose weights are sparse", """
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
net[1].weight = nn.Parameter(net[1].weight.data.to_sparse(), requires_grad=False)
return net"""),
    # literals that are hard to write out, where the grader reads before anything runs
    case("literals", "a student of six thousand hexadecimal digits", "STUDENT = 0x" + "f" * 6000),
    case("literals", "a choice and an answer of as many", "choice = 0b" + "1" * 20_000, "answer('01.6', choice)",
         "answer('01.7', -0x" + "f" * 6000 + ")"),
    case("literals", "an exercise of as many", "check(0o" + "7" * 9000 + ", project)", "start(0x" + "f" * 6000 + ")"),
    case("literals", "a function with such a default and constant",
         "LARGE = 0x" + "f" * 6000, "def project(x_p, x, eps, much=0x" + "f" * 6000 + "):\n    return LARGE"),
    case("literals", "a student of bytes, of a complex number, of a signed one", "STUDENT = b'\\xff'",
         "STUDENT = -1e999j", "STUDENT = -5"),
    case("literals", "the same name in full-width letters", HONEST["01.1"].replace("project", "\uff50roject"),
         points=2),
]
