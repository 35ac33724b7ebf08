"""The walls of the box: what a process that will run a student's code gives up beforehand. Linux on x86-64 and ARM64.

`leave` and `enter` leave a process without network, without sight of other processes, without any file but Python's own
(read-only) and a small scratch folder in memory, without privileges, and with bounds on memory, time and threads.
"""

import os
import resource
import signal
import struct
import sys
import sysconfig
from contextlib import contextmanager, suppress
from pathlib import Path

from advcourse.grading.box import syscalls

STRANGERS = 1 << 30  # users of this number and above are nobody's: each box gets one, so that no bound is shared
SCRATCH = "/box"  # inside of the box; a name that no folder of Python's own bears


# --- namespaces: what a process sees of the system --------------------------------------------------------------------

def leave():
    """Leave the system's mounts, network, message queues and names; processes forked hereafter see only themselves.

    As root without more ado, else as the owner of a user namespace. OSError where the system allows neither.
    """
    syscalls.column()
    own = (syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWIPC
           | syscalls.CLONE_NEWUTS)
    if os.geteuid() == 0:
        try:
            syscalls.unshare(own)
            return
        except PermissionError:  # the root of a container may not
            pass
    user, group = os.geteuid(), os.getegid()
    syscalls.unshare(own | syscalls.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def die_with(parent):
    """Be killed when the process `parent`, which forked this one, ends."""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def needed_files(checkouts=()):
    """The folders and files that Python needs to run and to import; nothing that lies open in one of the checkouts."""
    paths = [*(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")), *sys.path,
             "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/usr/share/fonts", "/etc/fonts",
             "/etc/ld.so.cache", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]
    wanted = []
    for path in sorted({Path(path).resolve() for path in paths if path and Path(path).exists()}):
        is_inside = any(path.is_relative_to(other) for other in wanted)
        if not is_inside and not any(Path(checkout).is_relative_to(path) for checkout in checkouts):
            wanted.append(path)
    return wanted


def rebuild_files(paths, hidden, scratch):
    """Make a file system of `paths`, read-only, and a scratch folder of `scratch` bytes; everything else is gone.

    hidden: folders inside of `paths` that come out empty.
    """
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    new = Path("/proc")  # a folder that is everywhere and that nothing below needs
    mount_memory(new, "size=1m,mode=755")
    (new / SCRATCH.strip("/")).mkdir()
    mount_memory(new / SCRATCH.strip("/"), f"size={scratch},nr_inodes=2000,mode=1777", syscalls.MS_NOEXEC)
    for path in paths:
        mount_again(path, new / path.relative_to("/"))
    for folder in hidden:
        if (new / Path(folder).relative_to("/")).is_dir():
            mount_memory(new / Path(folder).relative_to("/"), "size=4k,mode=555")
    for name in ("lib", "lib64"):
        if Path("/", name).is_symlink() and not (new / name).exists():
            (new / name).symlink_to(os.readlink(f"/{name}"))
    syscalls.make_root(new)
    syscalls.read_only("/", recursive=False)
    os.chdir(SCRATCH)


def mount_memory(target, options, flags=0):
    """Mount an empty file system in memory."""
    syscalls.mount("tmpfs", target, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV | flags, options)


def mount_again(path, target):
    """Let a file or folder be seen at `target`, too, where nobody can write to it."""
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    syscalls.mount(path, target, None, syscalls.MS_BIND | syscalls.MS_REC)
    syscalls.read_only(target)


# --- rights: what a process may still do ------------------------------------------------------------------------------

def drop_privileges(user):
    """Become `user` where we are root, and keep no capability in any case."""
    for capability in range(64):
        try:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
        except OSError:  # the kernel knows no more of them, or we may not
            break
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:  # root of a user namespace that knows no other user: without capabilities root is nobody, too
            pass
    syscalls.drop_capabilities()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)


def landlock():
    """Write no file but in the scratch folder, use no port, signal nobody outside; an old kernel has no such wall."""
    try:
        version = syscalls.syscall(syscalls.LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return
    writing = sum(1 << bit for bit in (1, *range(4, 13), *([13] if version > 1 else []),
                                       *([14] if version > 2 else [])))
    network, scope = (3 if version > 3 else 0), (3 if version > 5 else 0)
    rules = struct.pack("QQQ", writing, network, scope)[:8 if version < 4 else 16 if version < 6 else 24]
    handle = syscalls.syscall(syscalls.LANDLOCK_CREATE, rules, len(rules), 0)
    for path, allowed in ((SCRATCH, writing), ("/dev/null", writing & (1 << 1 | 1 << 14))):
        if os.path.exists(path):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            syscalls.syscall(syscalls.LANDLOCK_ADD, handle, 1, struct.pack("=Qi", allowed, place), 0)
            os.close(place)
    syscalls.syscall(syscalls.LANDLOCK_RESTRICT, handle, 0)
    os.close(handle)


# --- bounds: how much a process may take ------------------------------------------------------------------------------

def control_group(limits, root=Path("/sys/fs/cgroup")):
    """The folder of a new control group (cgroup v2) that bounds the memory and threads of who joins it, or None.

    It lies beside the group that we are in: one with processes in it hands no bounds down.
    """
    try:
        here = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        beside = root / here[1:] if here == "/" else (root / here[1:]).parent
        if not {"memory", "pids"} <= set((beside / "cgroup.subtree_control").read_text().split()):
            return None
        for left in beside.glob("advcourse-*"):  # by a grader that was killed
            if not Path("/proc", left.name.split("-")[1]).exists():
                left.rmdir()
        group = beside / f"advcourse-{os.getpid()}"
        group.mkdir()
        for name, most in (("memory.max", limits.memory + limits.scratch), ("memory.swap.max", 0),
                           ("pids.max", limits.threads)):
            if (group / name).exists():  # without swap there is no bound on it
                (group / name).write_text(str(most))
        return group
    except (OSError, StopIteration):
        return None


def join(group):
    """Move this process into a control group, where there is one and we may; the other bounds stand without."""
    if group:
        with suppress(OSError):
            (group / "cgroup.procs").write_text("0")


def own_size():
    """The bytes of this process's address space."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@contextmanager
def bounded_memory(size):
    """Let this process take no more than `size` bytes more than it has, meanwhile: what asks for more fails."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = own_size() + size
    resource.setrlimit(resource.RLIMIT_AS, (most if before[0] == resource.RLIM_INFINITY else min(most, before[0]),
                                            before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def bound(limits, seconds, size):
    """Bounds on memory (beyond `size` bytes), CPU seconds, threads, open files and their size; no core dumps."""
    for name, value in (("AS", size + limits.memory), ("CPU", int(seconds) + 1), ("NPROC", limits.threads),
                        ("NOFILE", limits.files), ("FSIZE", limits.scratch), ("CORE", 0), ("MEMLOCK", 0),
                        ("MSGQUEUE", 0)):
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (value, value))


# --- all of them ------------------------------------------------------------------------------------------------------

def enter(limits, seconds, *, number, checkouts=(), hidden=()):
    """Put up every wall around this process, which was forked by one that called `leave`.

    seconds: of CPU time; number: one that no other box of this moment has; the folders are those of `needed_files` and
    `rebuild_files`.
    """
    paths = needed_files(checkouts)
    bound(limits, seconds, own_size())
    rebuild_files(paths, hidden, limits.scratch)
    landlock()
    drop_privileges(STRANGERS + number)
    die_with(None)  # again: the kernel forgets it when the user changes
    syscalls.refuse_calls()


def enter_bubblewrap(limits, seconds, size):
    """Put up the walls that bubblewrap leaves to us: it has made the namespaces and the files. `size`: see `bound`."""
    bound(limits, seconds, size)
    landlock()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.refuse_calls()
