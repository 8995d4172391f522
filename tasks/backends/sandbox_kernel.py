"""What the sandbox asks of the Linux kernel: namespaces, mounts, capabilities, seccomp, Landlock.

Source: the manual pages user_namespaces(7), seccomp(2), landlock(7), capabilities(7).

Runs inside the sandbox as well as outside, so it imports the standard library alone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterable

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    1,
    2,
    4,
    8,
    32,
    4096,
    16384,
    1 << 18,
)
MNT_DETACH = 2
_NAMESPACE_FLAGS = 0x7E020080  # every CLONE_NEW* flag, NEWTIME included
_CLONE_THREAD = 0x10000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

DENIED = {  # name -> number on x86_64, on aarch64; None where the machine has no such call
    "socket": (41, 198), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "swapon": (167, 224), "swapoff": (168, 225),
    "reboot": (169, 142), "kexec_load": (246, 104), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "acct": (163, 89), "quotactl": (179, 60), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "personality": (135, 92),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "syslog": (103, 116), "vhangup": (153, 58), "mknod": (133, None), "mknodat": (259, 33), "iopl": (172, None),
    "ioperm": (173, None), "modify_ldt": (154, None), "pidfd_send_signal": (424, 424),
    "setpriority": (141, 140), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274), "sched_setaffinity": (203, 122), "ioprio_set": (251, 30),
}  # fmt: skip
LONE_DENIED = {  # without a pid namespace: no child, no signal to others, no change of others' metadata
    "fork": (57, None), "vfork": (58, None), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53),
    "fchmodat2": (452, 452), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
_SPECIAL = {
    "clone": (56, 220), "clone3": (435, 435), "prlimit64": (302, 261), "kill": (62, 129), "tgkill": (234, 131),
    "fcntl": (72, 25), "ioctl": (16, 29),
}  # fmt: skip
_OWNERS = {"fcntl": (8, 10, 15), "ioctl": (0x8901, 0x8902)}  # whom a descriptor signals: F_SETOWN, F_SETSIG, FIOSETOWN

_libc = ctypes.CDLL(None, use_errno=True) if platform.system() == "Linux" else None


def _call(name: str, *arguments: object) -> int:
    """Calls libc and returns its answer.

    Raises:
        OSError: the call failed, or this is no Linux.
    """
    if _libc is None:
        raise OSError(_ENOSYS, f"{name}: not on this system")
    result: int = getattr(_libc, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Moves this process (or its next child, for a pid namespace) into fresh namespaces."""
    _call("unshare", ctypes.c_int(flags))


def enter_namespaces(proc: int, inside: int = 1000) -> None:
    """Moves this process into fresh user, mount, pid, ipc and uts namespaces.

    Args:
        proc: a descriptor of a mounted /proc.
        inside: the user and group id it has there.
    """
    uid, gid = os.getuid(), os.getgid()
    unshare(NEWUSER | NEWNS | NEWPID | NEWIPC | NEWUTS)
    map_ids(proc, inside, uid, gid)


def map_ids(proc: int, inside: int, uid: int, gid: int) -> None:
    """Maps this process's ids in its new user namespace."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inside} {uid} 1"), ("gid_map", f"{inside} {gid} 1")):
        descriptor = os.open(f"self/{name}", os.O_WRONLY, dir_fd=proc)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mounts a filesystem or binds a folder, with the flags of the manual page."""
    kind_bytes = kind.encode() if kind else None
    _call("mount", source.encode(), target.encode(), kind_bytes, ctypes.c_ulong(flags), data.encode() or None)


def pivot(root: str) -> None:
    """Makes ``root`` (a mount point) the root folder and lets the old one go."""
    os.chdir(root)
    if _libc is None:
        raise OSError(_ENOSYS, "pivot_root: not on this system")
    _call("syscall", ctypes.c_long(_number("pivot_root", DENIED)), b".", b".")
    _call("umount2", b".", ctypes.c_int(MNT_DETACH))
    os.chdir("/")


def hide() -> None:
    """Lets no process of the same user read or trace this one."""
    _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def show() -> None:
    """Gives this process its own /proc entries back, which a change of user takes away."""
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def die_with_parent(signal: int = 9) -> None:
    """Has the kernel send this signal when the parent ends."""
    _call("prctl", _PR_SET_PDEATHSIG, signal, 0, 0, 0)


def drop_capabilities() -> None:
    """Gives up every capability, for good."""
    header = struct.pack("=Ii", 0x20080522, 0)
    _call("capset", header, struct.pack("=6I", *[0] * 6))
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def seccomp(*, lone: bool) -> None:
    """Refuses the calls that no judged program needs; what is refused fails with EPERM.

    Args:
        lone: also refuse children, and signals to anyone else: for where there is no pid namespace.

    Raises:
        OSError: unknown machine, or the kernel refuses.
    """
    program = _filter(lone)
    buffer = ctypes.create_string_buffer(program, len(program))
    address = ctypes.addressof(buffer)
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = struct.pack("=HxxxxxxQ", len(program) // 8, address)
    _call("prctl", _PR_SET_SECCOMP, 2, header, 0, 0)


def _number(name: str, table: dict[str, tuple[int, int | None]] | dict[str, tuple[int, int]]) -> int:
    column = ("x86_64", "aarch64").index(platform.machine())
    number = table[name][column]
    assert number is not None
    return number


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value & 0xFFFFFFFF)


def _load(offset: int) -> bytes:
    return _op(0x20, offset)


def _equal(value: int, if_true: int, if_false: int) -> bytes:
    return _op(0x15, value, if_true, if_false)


def _filter(lone: bool) -> bytes:
    """Returns the classic BPF program."""
    machine = platform.machine()
    if machine not in _AUDIT:
        raise OSError(_ENOSYS, f"no seccomp table for {machine}")
    column = 0 if machine == "x86_64" else 1
    refuse, absent = _op(0x06, _ERRNO | _EPERM), _op(0x06, _ERRNO | _ENOSYS)
    out = [_load(4), _equal(_AUDIT[machine], 1, 0), _op(0x06, _KILL), _load(0)]
    if machine == "x86_64":  # the x32 numbers would walk round the table
        out += [_op(0x35, 0x40000000, 0, 1), refuse]
    for row in [*DENIED.values(), *(LONE_DENIED.values() if lone else ())]:
        if row[column] is not None:
            out += [_equal(row[column] or 0, 0, 1), refuse]
    special = {name: row[column] for name, row in _SPECIAL.items()}
    out += [_equal(special["clone3"], 0, 1), absent]  # its flags lie in memory, out of a filter's sight
    out += [_equal(special["clone"], 0, 4), _load(16), _op(0x45, _NAMESPACE_FLAGS, 0, 1), refuse, _load(0)]
    out += [_equal(special["prlimit64"], 0, 4), _load(16), _equal(0, 1, 0), refuse, _load(0)]
    if lone:
        out += [_equal(special["clone"], 0, 4), _load(16), _op(0x45, _CLONE_THREAD, 1, 0), refuse, _load(0)]
        for name in ("kill", "tgkill"):
            out += [_equal(special[name], 0, 4), _load(16), _equal(os.getpid(), 1, 0), refuse, _load(0)]
        for name, commands in _OWNERS.items():
            checks = [op for command in commands for op in (_equal(command, 0, 1), refuse)]
            out += [_equal(special[name], 0, len(checks) + 2), _load(24), *checks, _load(0)]
    return b"".join([*out, _op(0x06, _ALLOW)])


_READ, _ALL_V1 = (1 << 0) | (1 << 2) | (1 << 3), (1 << 13) - 1


def landlock_version() -> int:
    """Returns the kernel's Landlock ABI; 0 where there is none."""
    try:
        return _call("syscall", ctypes.c_long(444), None, ctypes.c_size_t(0), ctypes.c_uint(1))
    except OSError:
        return 0


def landlock(readable: Iterable[str], writable: Iterable[str], devices: Iterable[str] = ()) -> None:
    """Restricts this process to reading these folders and writing those; no TCP, no signals to others.

    Raises:
        OSError: the kernel has no Landlock.
    """
    version = landlock_version()
    files = _ALL_V1 | (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    files |= 1 << 15 if version >= 5 else 0
    words = [files] + ([0b11] if version >= 4 else []) + ([0b11] if version >= 6 else [])
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = _call("syscall", ctypes.c_long(444), attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    device = (1 << 1) | (1 << 2)
    for paths, access in ((readable, _READ), (writable, files & ~0b1), (devices, device)):
        for path in paths:
            if os.path.exists(path):
                _allow(ruleset, path, access)
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("syscall", ctypes.c_long(446), ctypes.c_int(ruleset), ctypes.c_uint(0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    descriptor = os.open(path, getattr(os, "O_PATH", os.O_RDONLY))
    if not os.path.isdir(path):
        access &= (1 << 0) | (1 << 1) | (1 << 2)
    rule = struct.pack("=Qi", access, descriptor)
    _call("syscall", ctypes.c_long(445), ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint(0))
    os.close(descriptor)
