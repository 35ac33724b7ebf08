"""System calls that Python has no functions for, through the C library, and the numbers of those that a box refuses.

Linux on x86-64 and ARM64.
"""

import ctypes
import os
import platform
import struct
import sys

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
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "kcmp": (312, 272),
    # the priority of others, and of groups of others
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "setpgid": (109, 154), "setsid": (112, 157),
    # the walls themselves
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "open_tree_attr": (467, 467), "lsm_set_self_attr": (460, 460),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268), "mknod": (133, None), "mknodat": (259, 33),
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143), "setresuid": (117, 147),
    "setresgid": (119, 149), "setgroups": (116, 159), "capset": (126, 91), "personality": (135, 92),
    # memory and messages that outlive a process or count for nobody
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180), "memfd_create": (319, 279), "memfd_secret": (447, 447), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219),
    # the machine and the less trodden paths into the kernel
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "syslog": (103, 116), "sethostname": (170, 161), "setdomainname": (171, 162), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "iopl": (172, None), "ioperm": (173, None), "vhangup": (153, 58), "uselib": (134, None), "nfsservctl": (180, 42),
    "lookup_dcookie": (212, 18), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "fanotify_init": (300, 262), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "modify_ldt": (154, None), "quotactl_fd": (443, 443),
    "statmount": (457, 457), "listmount": (458, 458), "process_mrelease": (448, 448), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "migrate_pages": (256, 238), "move_pages": (279, 239), "sysfs": (139, None),
    "sendmsg": (46, 211), "sendmmsg": (307, 269),
}
CLONE, CLONE3, PRCTL, PRLIMIT = (56, 220), (435, 435), (157, 167), (302, 261)  # refused in part

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


def unshare(flags):
    """Leave the namespaces that the CLONE_NEW… flags name."""
    call(libc.unshare, flags)


def mount(source, target, kind, flags, options=None):
    """mount(2)."""
    encoded = [os.fsencode(text) if text is not None else None for text in (source, target, kind)]
    call(libc.mount, *encoded, ctypes.c_ulong(flags), os.fsencode(options) if options else None)


def read_only(target, recursive=True):
    """Let nobody write below the mount `target`, nor gain rights from a file there."""
    attributes = struct.pack("QQQQ", ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    syscall(MOUNT_SETATTR, AT_FDCWD, os.fsencode(target), AT_RECURSIVE if recursive else 0, attributes, len(attributes))


def make_root(folder):
    """Make a mount the root of the file system; what was the root before is gone."""
    os.chdir(folder)
    syscall(FORBIDDEN["pivot_root"][column()], b".", b".")
    call(libc.umount2, b".", MNT_DETACH)


def drop_capabilities():
    """Keep no capability."""
    syscall(FORBIDDEN["capset"][column()], struct.pack("Ii", 0x20080522, 0), bytes(24))


def refuse_calls():
    """Refuse what no computation needs; a thread may be made, a process may not, nor may it outlive the grader.

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
    program += [(equal, 0, 4, PRLIMIT[here]), (load, 0, 0, 16), (equal, 1, 0, 0), (give, 0, 0, refuse),  # one's own: 0
                (give, 0, 0, allow)]
    program += [(equal, 0, 3, CLONE[here]), (load, 0, 0, 16), (any_bit, 1, 0, CLONE_THREAD), (give, 0, 0, refuse),
                (give, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(header))
