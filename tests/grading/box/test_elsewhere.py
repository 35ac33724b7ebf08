"""What who grades on another system is told: one sentence that says what to do there."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

from advcourse import files
from advcourse.grading.box import boxes as module
from advcourse.grading.box import elsewhere
from advcourse.grading.box.boxes import Boxes, WallsRefused
from advcourse.grading.box.elsewhere import remedy

# From a system to (as sys.platform says, files, environment, what the sentence says).
SYSTEMS = {
    "macOS": ("darwin", {}, {}, "Linux virtual machine"),
    "macOS, to a cluster": ("darwin", {}, {}, "--scheduler tcp://HOST:8786"),
    "Windows": ("win32", {}, {}, "WSL 2 (`wsl --install`)"),
    "Ubuntu 24.04 as a user": ("linux", {"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}, {},
                               "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
    "Debian of old": ("linux", {"proc/sys/kernel/unprivileged_userns_clone": "0\n"}, {},
                      "kernel.unprivileged_userns_clone=1"),
    "Red Hat of old": ("linux", {"proc/sys/user/max_user_namespaces": "0\n"}, {}, "user.max_user_namespaces=10000"),
    "Docker": ("linux", {".dockerenv": "", "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}, {},
               "docker run --privileged"),
    "Podman": ("linux", {"run/.containerenv": ""}, {}, "seccomp=unconfined"),
    "Codespaces": ("linux", {".dockerenv": ""}, {"CODESPACES": "true"}, '"runArgs": ["--privileged"]'),
    "Kubernetes": ("linux", {}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "securityContext: {privileged: true}"),
    "WSL 1": ("linux", {"proc/version": "Linux version 4.4.0-19041-Microsoft"}, {}, "makes it WSL 2"),
    "WSL 2": ("linux", {"proc/version": "Linux version 5.15.90.1-microsoft-standard-WSL2"}, {}, "grade as root"),
    "an unknown one": ("linux", {}, {}, "grade as root or as a user who may make user namespaces"),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_is_told_what_to_do(name, tmp_path):
    platform, seen, environment, words = SYSTEMS[name]
    for path, text in seen.items():
        files.write(tmp_path / path, text)
    said = remedy(platform, tmp_path, environment)
    assert words in said and "\n" not in said and ". " not in said


def test_bubblewrap_is_asked_for_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "apt install bubblewrap" in remedy("linux", tmp_path, {})


def told(*failures):
    """What `next_line` makes of a box that says why it has no walls."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(json.dumps({"failed": "PermissionError: [Errno 1] unshare: Operation not permitted"}).encode())
        theirs.sendall(b"\n")
        with pytest.raises(WallsRefused) as refused:
            module.next_line(ours)
    return str(refused.value)


def test_walls_that_are_refused_are_told_with_the_way_out(monkeypatch):
    monkeypatch.setattr(module, "remedy", lambda: "do this")
    words = "PermissionError: [Errno 1] unshare: Operation not permitted"
    assert told() == f"the walls cannot be put up ({words}): do this"


@pytest.mark.parametrize("words", ["bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
                                   "bwrap: setting up uid map: Permission denied",
                                   "bwrap: No permissions to create new namespace, likely because the kernel does not "
                                   "allow non-privileged user namespaces."])
def test_bubblewrap_that_is_refused_is_told_with_the_way_out(words, tmp_path, monkeypatch):
    """As Ubuntu 24.04 and Docker refuse it."""
    monkeypatch.setattr(module, "remedy", lambda: "do this")
    monkeypatch.setattr(module, "bubblewrap_command", lambda request: ["sh", "-c", f"echo '{words}' >&2; exit 1"])
    with Boxes(bubblewrap=True) as boxes, pytest.raises(OSError) as refused, boxes.open():
        pass
    assert str(refused.value) == f"bubblewrap opens no box ({words}): do this"


def test_what_is_no_fault_of_the_system_brings_no_advice(monkeypatch):
    monkeypatch.setattr(module, "bubblewrap_command", lambda request: ["sh", "-c", "echo KeyError >&2; exit 1"])
    with Boxes(bubblewrap=True) as boxes, pytest.raises(OSError, match=r"no box \(KeyError\)$"), boxes.open():
        pass


# A user namespace in which nobody may make another, and a user without capabilities in it: nothing opens a box there.
CLOSED = """
echo 0 > /proc/sys/user/max_user_namespaces
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""


def test_a_machine_that_gives_no_namespaces_is_told_what_to_do():
    tried = ["unshare", "--user", "--map-root-user", "bash", "-ec", CLOSED, "-"]
    if not shutil.which("setpriv") or subprocess.run([*tried, "true"], capture_output=True).returncode:
        pytest.skip("this system gives no walls: no user namespace to close")
    done = subprocess.run([*tried, sys.executable, "-m", "advcourse", "grade", "doctor"], capture_output=True,
                          text=True, timeout=200, env=os.environ | {"CODESPACES": "", "KUBERNETES_SERVICE_HOST": ""})
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ") and done.returncode == 1
    assert "user.max_user_namespaces=10000" in line or elsewhere.remedy() in line
