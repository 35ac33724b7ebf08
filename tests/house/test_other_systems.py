"""What students use runs on Windows and macOS too: nothing that Unix or Linux alone has, and no text in the system's
own encoding. Neither system is here: what they lack is taken away from the course's own files."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIX_MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
# What Windows' Python has not (macOS' lacks the ones of Linux among them).
UNIX_NAMES = {
    "os": {"WEXITSTATUS", "chown", "chroot", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid",
           "getgroups", "getloadavg", "getpgid", "getpgrp", "getresuid", "getsid", "getuid", "killpg", "lchown",
           "memfd_create", "mkfifo", "nice", "openpty", "pidfd_open", "pipe2", "posix_spawn", "pread", "pwrite",
           "sched_getaffinity", "sched_setaffinity", "sendfile", "setgroups", "setpgid", "setresuid", "setsid",
           "statvfs", "sync", "sysconf", "uname", "unshare", "wait", "wait3", "wait4", "O_PATH", "O_CLOEXEC",
           "O_NONBLOCK"},
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1",
               "SIGUSR2", "alarm", "pause", "pidfd_send_signal", "pthread_kill", "pthread_sigmask", "setitimer",
               "siginterrupt", "sigpending", "sigwait"},
    "socket": {"AF_UNIX", "recv_fds", "send_fds", "socketpair"},
    "select": {"epoll", "kqueue", "poll"},
    "time": {"clock_settime", "pthread_getcpuclockid", "tzset"},
}
STUDENTS = [path for path in sorted((ROOT / "advcourse").rglob("*.py"))
            if "grading" not in path.relative_to(ROOT).parts and path.name != "grading.py"]


def of_unix(text):
    """What a file imports or asks of the modules above that Windows has not; `hasattr(os, …)` is the way to ask."""
    tree = ast.parse(text)
    asked = {node.args[1].value for node in ast.walk(tree)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hasattr"
             and isinstance(node.args[1], ast.Constant)}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names if name.name in UNIX_MODULES)
            case ast.ImportFrom(module, names) if module in UNIX_MODULES:
                yield module
            case ast.ImportFrom(module, names):
                yield from (f"{module}.{name.name}" for name in names if name.name in UNIX_NAMES.get(module, ()))
            case ast.Attribute(ast.Name(module), name) if name in UNIX_NAMES.get(module, ()) and name not in asked:
                yield f"{module}.{name}"


@pytest.mark.parametrize("folder", [None, "notebooks/source"])
def test_nothing_students_use_asks_for_unix(folder):
    paths = sorted((ROOT / folder).glob("*.py")) if folder else STUDENTS
    assert paths and not [f"{path.relative_to(ROOT)}: {found}" for path in paths
                          for found in of_unix(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("line", ["import fcntl", "from resource import getrlimit", "import os\nos.fork()",
                                  "from signal import SIGALRM", "import signal\nsignal.setitimer(0, 1)"])
def test_what_asks_for_unix_would_be_noticed(line):
    assert list(of_unix(line))


def unsaid_encodings(text):
    """The lines that read or write text without naming its encoding."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and not any(keyword.arg == "encoding" for keyword in node.keywords):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            mode = [value.value for value in [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "mode")]
                    if isinstance(value, ast.Constant)]
            if ((name == "read_text" and not node.args) or (name == "write_text" and len(node.args) < 2)
                    or (name == "open" and isinstance(node.func, ast.Name) and "b" not in "".join(map(str, mode)))):
                yield node.lineno


def test_text_is_read_and_written_as_utf_8():
    # The box runs on Linux alone, where the system's own encoding is UTF-8.
    paths = [path for path in sorted((ROOT / "advcourse").rglob("*.py")) if "box" not in path.parts]
    assert not [f"{path.relative_to(ROOT)}:{line}" for path in paths
                for line in unsaid_encodings(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("line, lines", [
    ("path.read_text()", [1]), ("path.write_text(text)", [1]), ("open(name)", [1]), ("open(name, 'w')", [1]),
    ("path.read_text('utf-8')", []), ("path.write_text(text, encoding='utf-8')", []), ("open(name, 'rb')", []),
    ("open(name, mode='wb')", []), ("archive.open(name)", [])])
def test_an_encoding_that_is_not_named_would_be_noticed(line, lines):
    assert list(unsaid_encodings(line)) == lines



def test_a_clone_on_windows_has_the_same_bytes(tmp_path):
    origin, names = tmp_path / "origin", [".gitattributes", "Makefile", "notebooks/00_welcome.ipynb"]
    for name in names:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, origin / name)
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "all"],
                  ["-c", "core.autocrlf=true", "clone", "--quiet", ".", tmp_path / "windows"]):
        subprocess.run(["git", *words], cwd=origin, check=True)
    assert not [name for name in names if (tmp_path / "windows" / name).read_bytes() != (ROOT / name).read_bytes()]


def test_every_name_can_be_a_file_s_on_windows_and_macos():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no clone")
    names = listed.stdout.splitlines()
    odd = r'[:<>|?*"\\]|[. ](/|$)|(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)'
    assert not [name for name in names if re.search(odd, name, re.IGNORECASE)]
    assert len({name.casefold() for name in names}) == len(names)
