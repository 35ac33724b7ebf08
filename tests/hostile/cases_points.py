"""Attempts to gain points: by patching, by finding the reference, by forging what comes out."""

from tests.hostile.case import case, function


def project(body, *before, **more):
    """A hostile 01.1 with this body, after the cells `before`."""
    return (*before, function("project(x_p, x, eps)", body)), more


def patches(name, body, *before, **more):
    code, more = project(body, *before, **more)
    return case("patching", name, *code, **more)


def roads(name, body, *before, **more):
    code, more = project(body, *before, **more)
    return case("reference", name, *code, **more)


def forges(name, body, *before, **more):
    code, more = project(body, *before, **more)
    return case("forgery", name, *code, **more)


# The protocol, as anyone can read it in the course's repository.
WIRE = """
import json, os, struct

def found():
    import socket, stat
    for number in range(256):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return number
        except OSError:
            pass

def message(tree, tensors=b""):
    data = json.dumps(tree).encode()
    return struct.pack("<4sII", b"adv1", len(data), len(tensors)) + data + tensors

def said(**account):
    return {"answer": True, "values": {"dict": list(map(list, account.items()))}}
"""

CASES = [
    # patching what the checks might use; here it is another process's
    patches("torch's comparisons say yes", """
for name in ("equal", "allclose", "isfinite", "isclose"):
    setattr(torch, name, lambda *_, **__: torch.tensor(True))
raise ValueError('passed')"""),
    patches("the differences of tensors are always 0", """
for name in ("__sub__", "__rsub__", "sub", "abs", "amax", "__le__", "__gt__"):
    setattr(torch.Tensor, name, lambda *_, **__: torch.tensor(0.0))
return torch.ones(x.shape).mul(9)""", beside=False),
    patches("builtins lie", """
import builtins
for name in ("max", "min", "abs", "len", "any"):
    setattr(builtins, name, lambda *_, **__: 0)
return x_p.tolist()"""),
    patches("isinstance and type agree with everything", """
import builtins
builtins.isinstance = lambda *_: True
return "passed" """),
    patches("asserts and errors are made harmless", """
import builtins
builtins.AssertionError = builtins.Exception = builtins.ValueError = builtins.RuntimeError = KeyboardInterrupt
raise AssertionError('passed')"""),
    patches("the judge is patched, wherever the garbage collector finds one", """
import gc
for one in gc.get_objects():
    if isinstance(one, dict) and str(one.get("__name__")).startswith("advcourse"):
        for name in ("judge", "verdict", "run", "_problem", "_message", "kind_problem", "read", "mark"):
            one[name] = lambda *_, **__: {"state": "passed", "points": 2}
return None"""),
    patches("the box's own account of the call is patched", """
import gc
for one in gc.get_objects():
    if isinstance(one, dict) and "tried" in one and "serve" in one:
        one["tried"] = lambda *_: {"result": "passed", "state": "passed", "points": 2}
raise ValueError('passed')"""),
    case("patching", "check is redefined and says passed", "def check(number, function):\n    return 'passed'",
         "def project(x_p, x, eps):\n    return None", "check('01.1', project)"),
    case("patching", "a decorator puts something else in the function's place", """
class Passed(dict):
    state, points, outcomes = 'passed', 2, {}
    def __call__(self, x_p, x, eps):
        return self
""", "@lambda function: Passed()\ndef project(x_p, x, eps):\n    return x_p"),
    patches("sys.modules holds another torch", """
import sys, types
class Fake(types.ModuleType):
    def __getattr__(self, name):
        return lambda *_, **__: True
sys.modules['torch'] = Fake('torch')
return sys.modules['torch'].zeros(1)""", beside=False),
    patches("json and safetensors write what they like", """
import json, safetensors.torch
said = '{"answer": true, "values": {"dict": [["result", true], ["state", "passed"], ["points", 2]]}}'
json.dumps = lambda *_, **__: said
safetensors.torch.save = lambda *_, **__: b""
return None""", beside=False),
    case("patching", "the cell's outputs and metadata say passed, the code does nothing", """
def project(x_p, x, eps):
    return 1""",
         "points = {'01.1': 2}\nverdict = state = 'passed'\n__all__ = ['passed']"),
    case("patching", "the answer is a string that would define the function",
         "project = 'def project(x_p, x, eps): return x'"),

    # the reference and the checks
    roads("import of the exercises' module",
          "from advcourse.exercises.notebook_01.e1_clip_and_project import project as right\n"
          "return right(x_p, x, eps)"),
    roads("import at top level, under the function's name", "return right(x_p, x, eps)",
          "from advcourse.exercises.notebook_01.e1_clip_and_project import project as right"),
    case("reference", "the course's function is the answer",
         "from advcourse.exercises.notebook_01.e1_clip_and_project import project"),
    case("reference", "the course's attack under the exercise's name",
         "from advcourse.attacks import fgsm as one_step"),
    case("reference", "the answer is an attribute of the course", """
import advcourse.attacks
one_step = advcourse.attacks.fgsm"""),
    roads("importlib, and the finder that says no is taken away", """
import importlib, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != 'Missing']
importlib.invalidate_caches()
return importlib.import_module('advcourse.exercises.notebook_01.e1_clip_and_project').project(x_p, x, eps)"""),
    roads("exec of the import in a string",
          "scope = {}\nexec('from advcourse.exercises.notebook_01 import e1_clip_and_project as n', scope)\n"
          "return scope['n'].project(x_p, x, eps)"),
    roads("the catalogue, found by the garbage collector", """
import gc, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != 'Missing']
get = next(one['get'] for one in gc.get_objects()
           if isinstance(one, dict) and one.get('__name__') == 'advcourse.exercises.catalogue')
return get('01.1').reference(x_p, x, eps)"""),
    roads("check, found by the garbage collector, returns the reference", """
import gc, types
check = next(one for one in gc.get_objects() if isinstance(one, types.FunctionType) and one.__name__ == 'check')
return check('01.1', None)(x_p, x, eps)"""),
    roads("an Exercise among all objects", """
import gc
return next(one for one in gc.get_objects() if type(one).__name__ == 'Exercise').reference(x_p, x, eps)"""),
    roads("the callers' frames hold what is wanted", """
import sys
frame = sys._getframe()
while frame:
    for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
        if callable(getattr(value, 'reference', None)) or type(value).__name__ == 'Trials':
            return value.reference(x_p, x, eps)
    frame = frame.f_back
raise ValueError('no reference')"""),
    roads("the package's files, wherever they are", """
import os, sys, re
for folder in [*sys.path, '/', '/mnt', '/usr/lib', '/usr/local', '/home', '/root', '/opt', '/srv']:
    for base, folders, names in os.walk(folder):
        large = ('torch', 'proc', 'sys', 'scipy', 'sklearn', 'nvidia')
        folders[:] = [name for name in folders if name not in large][:300]
        if any(name.startswith(('notebook_01', '01_adversarial_examples.ipynb')) for name in folders + names):
            raise ValueError('GOT' ' THROUGH to ' + base)
raise ValueError('nothing')""", seconds=60),
    roads("code left in linecache, inspect and __pycache__", """
import inspect, linecache, sys
text = ' '.join(''.join(entry[2]) for entry in linecache.cache.values() if len(entry) == 4)
if 'number="01' + '.1"' in text or 'refer' + 'ence=' in text:
    raise ValueError('GOT' ' THROUGH')
raise ValueError('nothing')"""),
    roads("text of the exercises in memory", """
import gc
wanted = 'it is the allowed image' + ' nearest to x_p'
if any(wanted in str(list(one)) for one in gc.get_objects() if isinstance(one, dict) and len(one) < 10):
    raise ValueError('GOT' ' THROUGH')
raise ValueError('nothing')"""),
    roads("the solution of a copy of the course elsewhere in the path", """
import glob, json, sys
for folder in {*sys.path, '/usr/lib/python3', '/usr/local/lib/python3.11'}:
    for path in glob.glob(folder + '/**/01_adversarial_examples.*', recursive=True):
        raise ValueError('GOT' ' THROUGH to ' + path)
raise ValueError('nothing')""", seconds=60),

    # forged answers
    forges("an answer before the real one", """
os.write(found(), message(said(result=True)))
return x_p""", WIRE, beside=False, points=0),
    forges("answers for every call to come", """
tensor = {"list": [["passed", True], ["state", "passed"]]}
os.write(found(), message(said(result=None, state="passed", points=2)) * 20)
return None""", WIRE, beside=False),
    forges("a verdict in place of a result", "return {'state': 'passed', 'points': 2, 'outcomes': {}, 'maximum': 2}"),
    forges("a verdict with more points than there are",
           "os.write(found(), message({'answer': True, 'values': None, 'points': 1000, 'state': 'passed'}))", WIRE,
           beside=False),
    forges("the grader's own functions are asked by name", """
os.write(found(), b"".join(message({"ask": name, "values": {"list": [{"list": []}, {"dict": []}, None]}})
                           for name in ["judge", "reference", "trials", "load", "attempt", 0, 1, 2, -1, "__class__"]))
return None""", WIRE, beside=False),
    forges("the grader is asked for ever", """
while True:
    os.write(found(), message({"ask": 0, "values": {"list": [{"list": []}, {"dict": []}, None]}}))""", WIRE, seconds=2),
    case("forgery", "the attack of 01.4 is asked for the answers of 01.3, which comes before it", """
import gc
kept = {}
def ours():
    for one in gc.get_objects():
        if type(one).__name__ == "Asked":
            return one
def one_step(model, x, y, eps):
    kept["called"] = (model, x, y, eps)
    asked = ours()
    if asked is None:
        raise ValueError("no attack yet")
    return asked(model, x, y, eps)
def accuracy_curve(model, attack, x, y, epsilons):
    return [one_step(model, x, y, eps) for eps in epsilons]
"""),
    case("forgery", "01.3 keeps asking for what only 01.4 may ask", WIRE, """
import gc
def one_step(model, x, y, eps):
    for one in gc.get_objects():
        if type(one).__name__ == "Peer":
            for number in range(-3, 20):
                try:
                    return one.ask(number, model, x, y, eps)
                except RuntimeError:
                    pass
    raise ValueError("nobody answers")
"""),
    case("forgery", "questions within questions without end", """
def accuracy_curve(model, attack, x, y, epsilons):
    def again(images):
        return attack(again, images, y, 0.1)
    return [float(again(x).sum()) for eps in epsilons]
""", seconds=10),
    case("forgery", "the attack is asked with models that lie, raise and return nonsense", """
def accuracy_curve(model, attack, x, y, epsilons):
    results = []
    for liar in (lambda images: None, lambda images: "0", lambda images: images.sum(), lambda images: [images] * 3,
                 lambda images: 1 / 0):
        try:
            results.append(attack(liar, x, y, 0.1))
        except Exception as error:
            results.append(str(error))
    return results
"""),
    case("forgery", "the attack is asked for more than the grader's memory holds", """
def accuracy_curve(model, attack, x, y, epsilons):
    wide, many = nn.Sequential(nn.Flatten(), nn.Linear(1, 150_000)).double(), torch.zeros(150_000, 1).double()
    return attack(wide, many, torch.zeros(150_000, dtype=torch.long), 0.1)
"""),
    case("forgery", "the attack is asked for much, and nobody fetches the answer", WIRE, """
import gc, safetensors.torch, time
def accuracy_curve(model, attack, x, y, epsilons):
    many = torch.zeros(1_000_000, 1)
    tensors = {"0": many, "1": torch.zeros(len(many), dtype=torch.long), "2": torch.ones(2, 1)}
    network = {"network": [["Linear", 1, 2, {"list": [{"tensor": "2"}]}]], "training": False, "frozen": True}
    values = {"list": [{"list": [network, {"tensor": "0"}, {"tensor": "1"}, 0.1]}, {"dict": []}, None]}
    data, number = message({"ask": 0, "values": values}, safetensors.torch.save(tensors)), found()
    while data:
        try:
            data = data[os.write(number, data):]
        except BlockingIOError:
            pass
    time.sleep(1000)
""", seconds=3),
    case("forgery", "a network of impossible sizes is sent to the grader", """
def accuracy_curve(model, attack, x, y, epsilons):
    wide = nn.Sequential(nn.Flatten(), nn.utils.skip_init(nn.Linear, 36, 4))
    wide[1].in_features = 10**15
    return attack(wide, x, y, 0.1).flatten().tolist()
"""),

    # values that are not what they seem
    forges("a tensor of a subclass that agrees with everything", """
class Agrees(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.tensor(True)
return torch.zeros_like(x).as_subclass(Agrees) + 7"""),
    forges("an object that equals everything", """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __le__(self, other): return True
    __ge__ = __lt__ = __gt__ = __le__
    def __sub__(self, other): return 0
    def __len__(self): return 10**9
    def __repr__(self): return "passed"
    __hash__ = None
return Equal()"""),
    forges("an object that pickles to a command", """
class Command:
    def __reduce__(self):
        import os
        return os.system, ("touch @FOLDER@/harmed",)
return Command()"""),
    forges("a class whose name is code and HTML",
           "return type('<script>alert(1)</script>\\n__import__(\"os\").abort()', (), {})()"),
    forges("NaN everywhere", "return x * float('nan')"),
    case("forgery", "NaN where no number may exceed ε", """
def linear_attack(weight, y, target, eps):
    return weight[0] * float("nan")
""", beside=False),
    forges("infinity everywhere", "return x + float('inf')"),
    forges("integers of four thousand digits", "return [10**4000] * 3"),
    forges("an integer of a million digits", "return 10**1_000_000"),
    forges("the wrong dtype", "return (x_p * 0).to(torch.complex128)"),
    forges("brain floats, half floats and bytes",
           "return {'a': x.bfloat16(), 'b': x.half(), 'c': x.byte(), 'd': x.to(torch.float8_e5m2)}"),
    forges("a sparse tensor", "return x.to_sparse()"),
    forges("a tensor on no device", "return torch.empty(x.shape, dtype=x.dtype, device='meta')"),
    forges("a tensor of a petabyte, expanded from a single number", "return torch.zeros(1).expand(10**15)"),
    forges("a tensor of four gigabytes", "return torch.zeros(10**9)"),
    forges("a list that holds itself", "nest = []\nnest.append(nest)\nreturn nest"),
    forges("a nest of ten thousand lists", "nest = 0\nfor _ in range(10_000): nest = [nest]\nreturn nest"),
    forges("a dict of a million keys", "return dict.fromkeys(range(1_000_000))"),
    forges("a string of a gigabyte", "return 'x' * (1 << 30)"),
    forges("arrays and objects among the names of changed arguments", """
tree = said(result=None)
tree["values"]["dict"].append(["changed", {"list": [{"array": "0"}, {"other": "x"}, {"function": 0}, {"dict": []}]}])
os.write(found(), message(tree, safetensors.torch.save({"0": torch.ones(3)})))
return None""", WIRE, "import safetensors.torch", beside=False),
    forges("a NumPy array of objects", "import numpy\nreturn numpy.array([object()] * 3, dtype=object)"),
    case("forgery", "the function is an object with an evil signature and call", """
class Evil:
    @property
    def __signature__(self):
        raise SystemExit
    def __call__(self, **_):
        raise BaseException('out')
project = Evil()
"""),
    case("forgery", "the function raises what is no Exception", """
def project(x_p, x, eps):
    raise type("Out", (BaseException,), {"__str__": lambda self: 1 / 0})()
"""),
]
