"""The walls of the box: what a process that will run a student's code gives up beforehand. Linux on x86-64 and ARM64.

`leave` and `enter` leave a process without network, without sight of other processes, without any file but Python's own
(read-only) and a small scratch folder in memory, without privileges, and with bounds on memory, time and threads.
Python has no functions for most of these system calls, so they are called through the C library.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
import sysconfig
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STRANGERS = 1 << 30  # users of this number and above are nobody's: each box gets one, so that no bound is shared
SCRATCH = "/box"  # inside of the box; a name that no folder of Python's own bears

# From the kernel's headers.
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_THREAD = 0x10000000, 0x20000000, 0x40000000, 0x00010000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH, AT_FDCWD, AT_RECURSIVE, ATTR_RDONLY, ATTR_NOSUID = 2, -100, 0x8000, 1, 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
MOUNT_SETATTR, LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 442, 444, 445, 446  # the same on every architecture
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}

# What no computation needs, as (x86-64, ARM64); None where that architecture has no such call.
FORBIDDEN = {
    # other machines, other processes, new programs
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242), "bind": (49, 200),
    "listen": (50, 201), "socketpair": (53, 199), "fork": (57, None), "vfork": (58, None), "execve": (59, 221),
    "execveat": (322, 281), "kill": (62, 129), "tkill": (200, 130), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272),
    # the walls themselves
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268), "mknod": (133, None), "mknodat": (259, 33),
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143), "setresuid": (117, 147),
    "setresgid": (119, 149), "setgroups": (116, 159), "capset": (126, 91), "personality": (135, 92),
    # memory and messages that outlive a process or count for nobody
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219),
    # the machine and the less trodden paths into the kernel
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "syslog": (103, 116), "sethostname": (170, 161), "setdomainname": (171, 162), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "iopl": (172, None), "ioperm": (173, None), "vhangup": (153, 58), "uselib": (134, None), "nfsservctl": (180, 42),
    "lookup_dcookie": (212, 18), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "modify_ldt": (154, None),
    "quotactl_fd": (443, 443),
    "statmount": (457, 457), "listmount": (458, 458), "process_mrelease": (448, 448), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "migrate_pages": (256, 238), "move_pages": (279, 239), "sysfs": (139, None),
    "sendmsg": (46, 211),
}
CLONE, CLONE3, PRCTL = (56, 220), (435, 435), (157, 167)
PIVOT_ROOT = FORBIDDEN["pivot_root"]


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    seconds: float = 30  # for all calls of one exercise, by the clock
    memory: int = 2 << 30  # bytes, beyond what Python and PyTorch take themselves
    scratch: int = 64 << 20  # bytes in the scratch folder
    threads: int = 64
    files: int = 64  # open at a time


libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    """The result of a function of the C library; OSError where it is -1."""
    ctypes.set_errno(0)
    result = function(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), f"{function.__name__}: {os.strerror(ctypes.get_errno())}")
    return result


def syscall(number, *arguments):
    """Make a system call that the C library has no function for."""
    return call(libc.syscall, ctypes.c_long(number), *arguments)


def prctl(option, *arguments):
    """Set something of this process."""
    return call(libc.prctl, option, *(ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]))


def column():
    """The place of this machine's architecture in the tables of system calls."""
    if sys.platform != "linux" or platform.machine() not in COLUMN:
        raise OSError(f"the box needs Linux on {' or '.join(COLUMN)}; this is {sys.platform} on {platform.machine()}")
    return COLUMN[platform.machine()]


# --- namespaces: what a process sees of the system --------------------------------------------------------------------

def leave():
    """Leave the system's mounts, network, message queues and names; processes forked hereafter see only themselves.

    As root without more ado, else as the owner of a user namespace. OSError where the system allows neither.
    """
    column()
    own = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    if os.geteuid() == 0:
        try:
            call(libc.unshare, own)
            return
        except PermissionError:  # the root of a container may not
            pass
    user, group = os.geteuid(), os.getegid()
    call(libc.unshare, own | CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def die_with(parent):
    """Be killed when the process `parent`, which forked this one, ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def needed_files(checkouts=()):
    """The folders and files that Python needs in order to run and to import; nothing that lies open in a checkout of
    the course."""
    paths = [*(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")), *sys.path,
             "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/usr/share/fonts", "/etc/fonts",
             "/etc/ld.so.cache",
             "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]
    real = sorted({Path(path).resolve() for path in paths if path and Path(path).exists()})
    wanted = []
    for path in real:
        if not any(path.is_relative_to(other) for other in wanted) and not any(Path(checkout).is_relative_to(path)
                                                                               for checkout in checkouts):
            wanted.append(path)
    return wanted


def mount(source, target, kind, flags, options=None):
    """mount(2)."""
    encoded = [os.fsencode(text) if text is not None else None for text in (source, target, kind)]
    call(libc.mount, *encoded, ctypes.c_ulong(flags), os.fsencode(options) if options else None)


def rebuild_files(paths, hidden, scratch):
    """Make a file system of `paths`, read-only, and a scratch folder of `scratch` bytes; everything else is gone.

    hidden: folders inside of `paths` that come out empty.
    """
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    new = Path("/proc")  # a folder that is everywhere and that nothing below needs
    mount("tmpfs", new, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    inside = new / SCRATCH.strip("/")
    inside.mkdir()
    mount("tmpfs", inside, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, f"size={scratch},nr_inodes=2000,mode=1777")
    for path in paths:
        target = new / path.relative_to("/")
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        mount(path, target, None, MS_BIND | MS_REC)
        read_only(target)
    for folder in hidden:
        if (new / Path(folder).relative_to("/")).is_dir():
            mount("tmpfs", new / Path(folder).relative_to("/"), "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=555")
    for name in ("lib", "lib64"):
        if Path("/", name).is_symlink() and not (new / name).exists():
            (new / name).symlink_to(os.readlink(f"/{name}"))
    os.chdir(new)
    syscall(PIVOT_ROOT[column()], b".", b".")
    call(libc.umount2, b".", MNT_DETACH)
    read_only("/", recursive=False)
    os.chdir(SCRATCH)


def read_only(target, recursive=True):
    """Let nobody write below `target`, nor gain rights from a file there."""
    attributes = struct.pack("QQQQ", ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    syscall(MOUNT_SETATTR, AT_FDCWD, os.fsencode(target), AT_RECURSIVE if recursive else 0, attributes, len(attributes))


# --- rights: what a process may still do ------------------------------------------------------------------------------

def drop_privileges(user):
    """Become `user` where we are root, and keep no capability in any case."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # the kernel knows no more of them, or we may not
            break
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:  # root of a user namespace that knows no other user: without capabilities root is nobody, too
            pass
    syscall((126, 91)[column()], struct.pack("Ii", 0x20080522, 0), bytes(24))  # capset: none
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_DUMPABLE, 0)


def landlock():
    """No file may be written but in the scratch folder, no port used, nobody outside signalled; False on an old
    kernel."""
    try:
        version = syscall(LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return False
    writing = sum(1 << bit for bit in (1, *range(4, 13), *([13] if version > 1 else []),
                                       *([14] if version > 2 else [])))
    network, scope = (3 if version > 3 else 0), (3 if version > 5 else 0)
    rules = struct.pack("QQQ", writing, network, scope)[:8 if version < 4 else 16 if version < 6 else 24]
    handle = syscall(LANDLOCK_CREATE, rules, len(rules), 0)
    for path, allowed in ((SCRATCH, writing), ("/dev/null", writing & (1 << 1 | 1 << 14))):
        if os.path.exists(path):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            syscall(LANDLOCK_ADD, handle, 1, struct.pack("=Qi", allowed, place), 0)
            os.close(place)
    syscall(LANDLOCK_RESTRICT, handle, 0)
    os.close(handle)
    return True


def filter_calls():
    """Refuse the system calls that no computation needs; a thread may be made, a process may not, nor may it outlive
    the grader.

    A filter program (seccomp) of (operation, jump if true, jump if false, constant) instructions.
    """
    here = column()
    load, equal, any_bit, give = 0x20, 0x15, 0x45, 0x06
    allow, refuse, kill, absent = 0x7FFF0000, 0x00050001, 0x80000000, 0x00050026  # EPERM, ENOSYS
    program = [(load, 0, 0, 4), (equal, 1, 0, AUDIT_ARCH[platform.machine()]), (give, 0, 0, kill), (load, 0, 0, 0)]
    if here == 0:  # the x32 numbers are a second way to every call
        program += [(0x35, 0, 1, 0x40000000), (give, 0, 0, kill)]  # jump if greater or equal
    # its flags lie out of sight; the C library falls back to clone
    program += [(equal, 0, 1, CLONE3[here]), (give, 0, 0, absent)]
    for numbers in FORBIDDEN.values():
        if numbers[here] is not None:
            program += [(equal, 0, 1, numbers[here]), (give, 0, 0, refuse)]
    program += [(equal, 0, 4, PRCTL[here]), (load, 0, 0, 16), (equal, 0, 1, PR_SET_PDEATHSIG), (give, 0, 0, refuse),
                (give, 0, 0, allow)]
    program += [(equal, 0, 3, CLONE[here]), (load, 0, 0, 16), (any_bit, 1, 0, CLONE_THREAD), (give, 0, 0, refuse),
                (give, 0, 0, allow)]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    code = ctypes.create_string_buffer(code)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(header))


def control_group(limits, root=Path("/sys/fs/cgroup")):
    """The folder of a new, empty control group (cgroup v2) that bounds the memory and the threads of who joins it; None
    where we get none.

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
    try:
        if group:
            (group / "cgroup.procs").write_text("0")
    except OSError:
        pass


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
                        ("NOFILE", limits.files),
                        ("FSIZE", limits.scratch), ("CORE", 0), ("MEMLOCK", 0), ("MSGQUEUE", 0)):
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (value, value))


def enter(limits, seconds, number, checkouts=(), hidden=()):
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
    filter_calls()


def enter_bubblewrap(limits, seconds, size):
    """Put up the walls that bubblewrap leaves to us: it has made the namespaces and the files. `size`: see `bound`."""
    bound(limits, seconds, size)
    landlock()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    filter_calls()
