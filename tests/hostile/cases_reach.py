"""Attempts to reach the grader's processes, and to leave the box spoilt for what comes after."""

from tests.hostile.case import case, function

CTYPES = "import ctypes, os, signal, struct\nlibc = ctypes.CDLL(None, use_errno=True)"


def reaches(name, body, *before, points=0, **more):
    """A 01.1 that does harm; where something says that it got through, it stands in the feedback."""
    return case("reach", name, CTYPES, *before, function("project(x_p, x, eps)", body), points=points, **more)


def tries(name, *ways, **more):
    """As `reaches`: each way must fail with an OSError."""
    body = "got = []\n" + "\n".join(
        f"try:\n    {way}\n    got.append('GOT' ' THROUGH {number}')\nexcept OSError:\n    pass"
        for number, way in enumerate(ways))
    return reaches(name, f"{body}\nraise ValueError(got)", **more)


def calls(name, *numbers, **more):
    """As `tries`, of system calls (x86-64) that must not succeed."""
    lines = [f"got += ['GOT' ' THROUGH {one}'] if libc.syscall{one} >= 0 else []" for one in numbers]
    body = "\n".join(["got = []", *lines])
    return reaches(name, f"{body}\nraise ValueError(got)", **more)


CASES = [
    tries("the priority of the grader's group, user and processes",
          "os.setpriority(os.PRIO_PGRP, 0, 19)", "os.setpriority(os.PRIO_USER, 0, 19)", "os.nice(19)",
          "os.setpriority(os.PRIO_PROCESS, @PID@, 19)", "os.setpriority(os.PRIO_PGRP, @PID@, 19)"),
    calls("the grader's turn at the disk", "(251, 2, 0, 3 << 13)", "(251, 3, 0, 3 << 13)", "(251, 1, @PID@, 3 << 13)"),
    tries("the grader's processors and scheduling", "os.sched_setaffinity(0, {0})", "os.sched_setaffinity(@PID@, {0})",
          "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))",
          "os.sched_setscheduler(@PID@, os.SCHED_BATCH, os.sched_param(0))", "os.sched_setparam(0, os.sched_param(0))"),
    calls("scheduling by its newest call", "(314, 0, struct.pack('IIQiIQQQ', 48, 5, 0, 0, 0, 0, 0, 0), 0)"),
    tries("signals to the group", "os.kill(0, 9)", "os.killpg(0, 9)", "os.killpg(os.getpgrp(), 15)",
          "os.kill(-@PID@, 9)"),
    tries("into another group or session", "os.setpgid(0, @PID@)", "os.setsid()", "os.setpgid(0, 0)",
          "os.tcsetpgrp(0, 1)"),
    reaches("signals by way of a file's owner", """
import fcntl
for number in range(64):
    for owner in (-os.getpgrp() or -1, 0, -@PID@, @PID@):
        try:
            fcntl.fcntl(number, fcntl.F_SETOWN, owner)
            fcntl.fcntl(number, 10, 9)
            fcntl.fcntl(number, fcntl.F_SETFL, os.O_ASYNC | fcntl.fcntl(number, fcntl.F_GETFL))
        except OSError:
            pass
return None"""),
    calls("another's bounds", "(302, @PID@, 7, struct.pack('QQ', 3, 3), 0)", "(302, 1, 7, 0, bytes(16))",
          "(302, 2, 0, 0, bytes(16))"),
    calls("another's memory and files", "(310, @PID@, bytes(16), 1, bytes(16), 1, 0)",
          "(311, @PID@, bytes(16), 1, bytes(16), 1, 0)", "(434, @PID@, 0)", "(438, 3, 0, 0)", "(448, 3, 0)",
          "(440, 3, bytes(16), 1, 4, 0)", "(312, 1, @PID@, 0, 0, 0)"),
    calls("handles to the grader by sendmsg and sendmmsg", *(
        f"({call}, {number}, bytes(64), {more}, 0)" for call, more in ((46, 0), (307, 1)) for number in (3, 4, 5))),
    reaches("each of the newer system calls", """
before = os.getpid()
for call in (*range(424, 435), *range(436, 475)):
    if call not in (435,):
        libc.syscall(call, 0, 0, 0, 0, 0, 0)
        libc.syscall(call, -1, -1, -1, -1, -1, -1)
assert os.getpid() == before
raise ValueError('nothing')"""),
    reaches("core scheduling, tracing and dumps by prctl", """
for option, *rest in ((62, 1, 0, 2, 0), (62, 2, @PID@, 1, 0), (0x59616d61, -1 & 0xffffffff), (4, 1), (36, 1), (1, 0)):
    libc.prctl(option, *rest)
return None"""),
    # what the interpreter offers
    reaches("a trace function that changes what is returned", """
import sys
def trace(frame, event, argument):
    frame.f_locals['points'] = 2
    return trace
sys.settrace(trace)
sys.setprofile(trace)
return None"""),
    case("reach", "a cycle of __wrapped__", """
def project(x_p, x, eps):
    raise ValueError('in the cycle')
project.__wrapped__ = project"""),
    case("reach", "a signature that lies", """
import inspect
def project(*things, **more):
    return None
project.__signature__ = inspect.Signature()"""),
    reaches("what stands in __main__, argv and the folder", """
import sys, __main__
names = [name for name in vars(__main__) if 'advcourse' in name or 'seed' in name]
raise ValueError(names + sys.argv + os.listdir())"""),
    case("reach", "a metaclass and a class body that run as they are defined", """
import os
class Meta(type):
    def __call__(cls, *_, **__):
        os._exit(0)
class Body(metaclass=Meta):
    os.environ.clear()
""", "def project(x_p, x, eps):\n    return Body()"),
    case("reach", "an import hook that gives its own torch to whoever asks", """
import sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        raise SystemExit(name)
sys.meta_path.insert(0, Hook())
hook = sys.path_hooks.clear()""", "def project(x_p, x, eps):\n    import json.tool, numpy.testing\n    return None"),
    reaches("questions to whoever sits there", "breakpoint()\nreturn input('points? ')"),
    reaches("an alarm, at exit and at faults", """
import atexit, faulthandler
atexit.register(lambda: os.write(3, b'x' * 100))
faulthandler.enable(file=3, all_threads=True)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while True:
    pass""", seconds=3),
    reaches("fifty threads that spin", """
import threading
def spin():
    while True: pass
for _ in range(50):
    try:
        threading.Thread(target=spin, daemon=True).start()
    except RuntimeError:
        pass
return None""", seconds=4),
    case("reach", "a thousand of torch's threads", "import torch\nmany = torch.set_num_threads(1000)",
         "def project(x_p, x, eps):\n    return torch.rand(2000, 2000) @ torch.rand(2000, 2000)"),
    case("reach", "other defaults for the next exercise: device, type, gradients", """
import torch
def project(x_p, x, eps):
    torch.set_default_dtype(torch.float16)
    torch.set_default_device('meta')
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.set_flush_denormal(True)
    return None"""),
    reaches("a garbage collector, a switch interval and limits that are no good", """
import gc, sys, resource
gc.disable()
sys.setswitchinterval(1e9)
sys.set_int_max_str_digits(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
return None""", beside=False),
    # our own functions among the probes, asked from the box
    case("reach", "hidden arguments of a probe", """
def to_the_boundary(is_wrong, x, x_wrong, steps):
    try:
        is_wrong(x, border=torch.zeros(len(x)).double() - 9)
    except RuntimeError:
        pass
    return x - 7""", notebook="05"),
    case("reach", "a probe is asked something huge, over and over", """
def accuracy_curve(model, attack, x, y, epsilons):
    large = x.repeat(1000, 1, 1, 1)
    while True:
        try:
            attack(model, large, y.repeat(1000), 0.1)
        except RuntimeError:
            pass""", seconds=3),
    case("reach", "a probe is asked in strange kinds", """
def accuracy_curve(model, attack, x, y, epsilons):
    for strange in (x.to_sparse(), x.half(), x.to(torch.complex64), x[:0], x * float('nan'), y, None, 'x', model, [x]):
        for other in (y, -y - 1, y + 10**9, y.double(), None):
            try:
                attack(model, strange, other, float('nan'))
            except RuntimeError:
                pass
    return [1.0] * len(epsilons)"""),
    # families of code that some parsers need for ever for
    case("parser", "sets in sets without values", "project = " + "{" * 80 + "}" * 80),
    case("parser", "dicts whose values are missing", "project = " + "{1:" * 60),
    case("parser", "with and its brackets", "with " + "(" * 90 + "a" + ")" * 90 + ":\n    pass"),
    case("parser", "patterns in patterns", "match a:\n    case " + "[" * 90 + "b" + "]" * 90 + ":\n        pass"),
    case("parser", "try in try", "".join(f"{' ' * depth}try:\n" for depth in range(90)) + " " * 90 + "pass"),
    case("parser", "f-strings in f-strings, lambdas in lambdas", "project = " + "f'{" * 40 + "1" + "}'" * 40,
         "project = " + "lambda: " * 5_000 + "1", "project = " + "[" * 60 + "x for x in " * 60),
]
