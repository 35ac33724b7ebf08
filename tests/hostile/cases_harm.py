"""Attempts to take the grader down, to do harm, or to live on."""

from tests.hostile.case import HONEST, case, function


def harms(name, body, *before, **more):
    return case("harm", name, *before, function("project(x_p, x, eps)", body), **more)


def at_import(name, code, **more):
    """Harm when the definitions are run: it takes all of the notebook's exercises along."""
    return case("harm", name, code, "def project(x_p, x, eps):\n    return harm",
                HONEST["01.2"].replace("return", "harm\n    return"), beside=False, **more)


CASES = [
    harms("os._exit", "import os\nos._exit(0)"),
    harms("sys.exit", "import sys\nsys.exit(0)"),
    harms("os.abort", "import os\nos.abort()"),
    harms("a segmentation fault", "import ctypes\nctypes.string_at(0)"),
    harms("SIGKILL to itself", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
    harms("a signal to itself by another call", "import signal\nsignal.raise_signal(signal.SIGKILL)"),
    harms("SIGKILL to the parent", """
import os, signal
os.kill(os.getppid(), signal.SIGKILL)
os.kill(@PID@, signal.SIGKILL)"""),
    harms("SIGKILL to everybody", "import os, signal\nos.kill(-1, signal.SIGKILL)"),
    harms("signals in all the other ways", """
import ctypes
libc = ctypes.CDLL(None)
for number in (@PID@, 1, 2, 3):
    for call in (129, 200, 234, 297, 424):
        if number != 1:
            libc.syscall(call, number, number, 9, 0)
return None"""),
    harms("the connection is closed", "import os\nos.closerange(3, 256)\nreturn None"),
    harms("the connection is shut down and kept", """
import os
for number in range(3, 64):
    try:
        os.dup2(0, number)
    except OSError:
        pass
import time
time.sleep(60)""", seconds=2),
    harms("a fork bomb", "import os\nwhile True:\n    os.fork()"),
    harms("a fork bomb by clone and clone3", """
import ctypes
libc = ctypes.CDLL(None)
for _ in range(100):
    libc.syscall(56, 17, 0, 0, 0, 0)
    libc.syscall(435, bytes(64), 64)
return None"""),
    harms("a storm of threads", """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"""),
    harms("all the memory, bit by bit", "kept = []\nwhile True:\n    kept.append(bytearray(50_000_000))"),
    harms("all the memory at once", "return bytearray(1 << 40)"),
    harms("memory by tensors", "return torch.ones(1 << 36)"),
    harms("a file that fills the disk", """
with open('flood', 'wb') as file:
    while True:
        file.write(bytes(1 << 22))"""),
    harms("a million small files", "for number in range(1_000_000):\n    open(f'{number}', 'w').close()"),
    harms("output without end", """
import sys
for _ in range(200):
    print('<script>alert(1)</script>' * 10_000)
    sys.stderr.write('x' * 100_000)
return None"""),
    harms("a flood of bytes to the grader", """
import os
while True:
    for number in range(3, 10):
        try:
            os.write(number, b'x' * 65536)
        except OSError:
            pass""", seconds=3),
    harms("a message that promises four gigabytes", """
import os, struct
for number in range(3, 10):
    try:
        os.write(number, struct.pack('<4sII', b'adv1', 2**32 - 1, 2**32 - 1))
    except OSError:
        pass
return None"""),
    harms("a message that promises little and sends it never", """
import os, struct, time
for number in range(3, 10):
    try:
        os.write(number, struct.pack('<4sII', b'adv1', 1000, 0) + b'{')
    except OSError:
        pass
time.sleep(60)""", seconds=2),
    harms("sleep past the limit", "import time\ntime.sleep(1000)", seconds=2),
    harms("a busy loop that catches everything", """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass""", seconds=2),
    harms("a regular expression that never ends", "import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b')", seconds=2),
    harms("a number that is too large to compute", "return 10 ** 10 ** 10", seconds=2),
    harms("an alarm that never rings: signals are blocked",
          "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(60)", seconds=2),
    harms("recursion without end", """
import sys
sys.setrecursionlimit(10**9)
def again():
    return again()
return again()"""),
    harms("a thread that lives on and spoils the next exercise's answer", """
import threading, time, os
def spoil():
    while True:
        time.sleep(0.001)
threading.Thread(target=spoil, daemon=True).start()
return None"""),
    harms("a process that shall outlive the box", """
import ctypes, os
libc = ctypes.CDLL(None)
libc.prctl(1, 0, 0, 0, 0)
libc.setsid()
if libc.fork() == 0 or libc.vfork() == 0:
    import time
    time.sleep(1000)
return None"""),
    harms("a file in site-packages", """
import torch, os
open(os.path.join(os.path.dirname(torch.__file__), '__init__.py'), 'a').write('harm')"""),
    harms("a .pth file, a module in the path, a cached module", """
import os, sys
for folder in [*sys.path, '/usr/lib', '/', os.path.dirname(os.__file__)]:
    for name in ('harm.pth', 'sitecustomize.py', '__pycache__/harm.pyc'):
        try:
            open(os.path.join(folder, name), 'w').write('harm')
        except OSError:
            continue
        return ['GOT' ' THROUGH to', folder]"""),
    harms("the canary is overwritten, removed, renamed", """
import os
for harm in (lambda: open('@FOLDER@/canary', 'w').write('harm'), lambda: os.remove('@FOLDER@/canary'),
             lambda: os.rename('@FOLDER@/canary', 'c'),
             lambda: os.truncate('@FOLDER@/canary', 0), lambda: os.mkdir('@FOLDER@/harmed')):
    try:
        harm()
    except OSError:
        pass
return None"""),
    harms("read-only is taken back", """
import ctypes
libc = ctypes.CDLL(None)
for target in (b'/', b'/usr', b'/usr/lib', b'.'):
    if libc.mount(None, target, None, 32 | 4096, None) == 0:
        return ['GOT' ' THROUGH', str(target)]
return None"""),
    harms("the machine is rebooted, its clock and name set", """
import ctypes, socket
libc = ctypes.CDLL(None)
libc.syscall(169, 0xfee1dead, 672274793, 0x1234567, None)
libc.syscall(170, b'harmed', 6)
return libc.syscall(227, 0, (ctypes.c_long * 2)(0, 0)) == 0"""),
    harms("/dev/null is removed and the scratch folder made executable", "import os\nos.remove('/dev/null')"),
    harms("bounds are lifted", """
import resource
for name in ('RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_NPROC', 'RLIMIT_FSIZE', 'RLIMIT_NOFILE'):
    try:
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY,) * 2)
        return ['GOT' ' THROUGH', name]
    except (OSError, ValueError):
        pass"""),
    at_import("an infinite loop as the notebook's definitions run", "harm = [0 for _ in iter(int, 1)]", seconds=1),
    at_import("an exit as the notebook's definitions run", "import os\nharm = os._exit(0)"),
    at_import("a memory flood as the notebook's definitions run", "harm = bytearray(1 << 33) or 'x' * (1 << 40)"),
    case("harm", "loops and calls at top level are not run at all", "import os, time\nwhile True:\n    time.sleep(60)",
         "os._exit(0)", "time.sleep(60)",
         "def project(x_p, x, eps):\n    return None"),
    case("harm", "a default argument that sleeps", "import time",
         "def project(x_p, x, eps, wait=time.sleep(1000)):\n    return None", HONEST["01.2"], beside=False, seconds=1),
    case("harm", "a decorator that exits", "import os\ndef out(function):\n    os._exit(0)",
         "@out\ndef project(x_p, x, eps):\n    return None", beside=False),
    # the grader reads before anything runs: what is hard to parse
    case("parser", "a hundred thousand brackets", "project = " + "(" * 100_000 + ")" * 100_000),
    case("parser", "a hundred thousand signs and nots", "project = " + "-" * 100_000 + "1",
         "linear = " + "not " * 50_000 + "1"),
    case("parser", "a chain of a hundred thousand attributes", "project = a" + ".b" * 100_000),
    case("parser", "a sum of a hundred thousand terms", "project = " + "1+" * 100_000 + "1"),
    case("parser", "functions in functions, a hundred deep",
         "".join(f"{' ' * depth}def project(x_p, x, eps):\n" for depth in range(99)) + " " * 99 + "pass"),
    case("parser", "a number of half a million digits", "project = " + "9" * 500_000),
    case("parser", "zeros, surrogates and marks of direction", "project = '\u202e\x00 \U000e0041'\n",
         "def project(x_p, x, eps):\n    return '\u202e'"),
    case("parser", "fifty thousand statements in a line", ";".join(["project = 1"] * 50_000), beside=False),
]
