"""Attempts to read what is nobody's business. What is found is raised, and would stand in the feedback."""

from tests.hostile.case import case


def reads(name, body, *before, **more):
    """A 01.1 that raises whatever the body finds."""
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return case("reading", name, *before, f"""
def project(x_p, x, eps):
    def find():
{lines}
    try:
        found = find()
    except Exception as error:
        raise ValueError(f"no way: {{type(error).__name__}}")
    raise ValueError("GOT" " THROUGH: " + str(found) if found else "nothing")
""", **more)


CTYPES = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)"

CASES = [
    reads("another submission beside this one", "return open('@FOLDER@/submissions/anna/01.ipynb').read()[:300]"),
    reads("every file below the submissions", "import os\nreturn list(os.walk('@FOLDER@')) + os.listdir()"),
    reads("the gradebook, course.toml and the seed", """
import os
names = ('gradebook.db', 'course.toml', 'seed.txt', 'out/seed.txt')
return [name for name in names if os.path.exists('@FOLDER@/' + name)]"""),
    reads("a path that goes up out of the scratch folder", "return open('../../../../../..@FOLDER@/seed.txt').read()"),
    reads("a symbolic link in the scratch folder", """
import os
os.symlink('@FOLDER@/seed.txt', 'link')
return open('link').read()"""),
    reads("the homes, /etc/passwd, /etc/shadow", """
import os
homes = [os.path.join(base, name) for home in ('/root', '/home') for base, _, names in os.walk(home) for name in names]
own = [path for path in homes if 'python' not in path]  # Python itself may live in a home
return own[:5] + [path for path in ('/etc/passwd', '/etc/shadow', '/etc/hostname') if os.path.exists(path)]""",
seconds=60),
    reads("the grader's environment", """
import os
return [name for name in os.environ if 'CANARY' in name or 'TOKEN' in name or 'ADVCOURSE' in name]"""),
    reads("the grader's environment, in memory behind the arguments", """
import ctypes
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')
held, number = [], 0
while environ[number]:
    held.append(environ[number])
    number += 1
return [one for one in held if b'CANARY' in one]"""),
    reads("/proc: other processes, their memory, environment and files", """
import os
return [name for name in os.listdir('/proc') if name.isdigit()]"""),
    reads("/proc, mounted anew", """
if libc.mount(b'proc', b'.', b'proc', 0, None) == 0:
    import os
    return os.listdir()""", CTYPES),
    reads("/sys and /dev/mem", """
import os
paths = ('/sys', '/dev/mem', '/dev/kmem', '/dev/sda', '/dev/vda', '/dev/shm')
return [path for path in paths if os.path.exists(path)]"""),
    reads("files left open by the grader", """
import os
found = []
for number in range(3, 1024):
    try:
        found.append(os.readlink(f'/proc/self/fd/{number}'))
    except OSError:
        pass
    try:
        os.fchdir(number)
        found.append('a folder')
    except OSError:
        pass
return found"""),
    reads("the root before this one: chroot and a folder above", """
import os
os.mkdir('below')
os.chroot('below')
for _ in range(30):
    os.chdir('..')
return os.listdir('.')"""),
    reads("another user namespace gives back all rights", """
if libc.unshare(0x10000000) == 0 or libc.unshare(0x00020000) == 0 or libc.syscall(435, 0, 0) > 0:
    return 'a namespace'""", CTYPES),
    reads("root again", "import os\nfor number in (0, 1000):\n    os.setuid(number)\n    return os.getuid()"),
    reads("another process's memory", """
for number in range(2, 3000):
    if libc.ptrace(16, number, 0, 0) == 0:
        return number
here, there = (ctypes.c_ulong * 2)(0, 8), (ctypes.c_ulong * 2)(0x400000, 8)
for number in range(2, 3000):
    if libc.process_vm_readv(number, here, 1, there, 1, 0) > 0:
        return number""", CTYPES),
    reads("odd doors into the kernel: bpf, io_uring, keyctl, memfd, userfaultfd, perf, fanotify", """
doors = {321: 'bpf', 425: 'io_uring', 250: 'keyctl', 319: 'memfd', 323: 'userfaultfd', 298: 'perf',
         300: 'fanotify', 304: 'by handle', 434: 'pidfd', 438: 'pidfd_getfd'}
return [name for number, name in doors.items()
        if libc.syscall(number, 1, 0, 0, 0, 0) >= 0 or ctypes.get_errno() not in (1, 38)]""", CTYPES),
    reads("the same doors by the x32 numbers", "return libc.syscall(0x40000000 + 319, b'x', 0) >= 0", CTYPES),
    case("reading", "the seed, out of the random state into the feedback", """
import random
def project(x_p, x, eps):
    raise ValueError(f"seeds {torch.initial_seed()} {torch.seed()} {random.getstate()[1][:3]}")
"""),
    reads("network: the grader's own machine", """
import socket
with socket.create_connection(('127.0.0.1', @PORT@), timeout=2) as connection:
    connection.send(b'canary')
    return 'connected'"""),
    reads("network: outside, by name and by number, and datagrams", """
import socket
found = []
for make in (lambda: socket.create_connection(('1.1.1.1', 53), timeout=2),
             lambda: socket.getaddrinfo('example.org', 80),
             lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @PORT@)),
             lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), lambda: socket.socketpair()):
    try:
        found.append(make())
    except OSError:
        pass
return found"""),
    reads("network: a Unix socket of the grader's, by path and by abstract name", """
import socket
for name in ('@FOLDER@/door', '\\0advcourse-@PORT@'):
    try:
        door = socket.socket(socket.AF_UNIX)
        door.connect(name)
        return name
    except OSError:
        pass"""),
    reads("a shell", "import subprocess\nreturn subprocess.run(['/bin/sh', '-c', 'id'], capture_output=True).stdout"),
    reads("os.system and posix_spawn", """
import os
return os.system('true') == 0 or os.posix_spawn('/bin/true', ['true'], {})"""),
    reads("shared memory and message queues of others", """
return [number for number in range(100) if libc.shmget(number, 8, 0o1666) >= 0 or libc.msgget(number, 0o1666) >= 0]""",
CTYPES),
    reads("what the submission before this one left in the scratch folder", "import os\nreturn os.listdir()"),
]
