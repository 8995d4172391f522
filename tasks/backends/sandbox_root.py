"""A root folder that holds only what a judged program needs, for machines without bubblewrap. Standard library only.

Source: pivot_root(2), mount_namespaces(7).
"""

from __future__ import annotations

import os
from typing import Any

from tasks.backends import sandbox_kernel as kernel


def build_root(config: dict[str, Any]) -> None:
    """Moves this process into namespaces with a root folder that holds nothing but what the config binds.

    Does what bubblewrap does, for machines without it. The parent waits outside and ends with the child.
    """
    uid, gid = os.getuid(), os.getgid()
    outside = os.open("/proc", os.O_RDONLY)
    user = kernel.NEWUSER if uid else 0
    kernel.unshare(user | kernel.NEWNS | kernel.NEWPID | kernel.NEWIPC | kernel.NEWUTS | kernel.NEWNET)
    if user:
        kernel.map_ids(outside, uid, uid, gid)
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os._exit(status if status >= 0 else 1)
    kernel.die_with_parent()
    os.close(outside)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    root = config["scratch"]
    kernel.mount("tmpfs", root, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    for folder in ("proc", "dev", "dev/shm", "scratch"):
        os.makedirs(f"{root}/{folder}", 0o755)
    for path in config["readable"]:
        _bind(path, root + path, read_only=True)
    for path in config["devices"]:
        _bind(path, root + path, read_only=False)
    for link, target in config["links"]:
        os.symlink(target, root + link)
    kernel.mount("proc", f"{root}/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.mount("none", root, None, kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV)
    kernel.pivot(root)


def _bind(source: str, target: str, *, read_only: bool) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "x"):
            pass
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)
    if read_only:
        flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | _kept(target)
        kernel.mount("none", target, None, flags)


def _kept(path: str) -> int:
    """Returns the flags of the copied mount, as mount(2) writes them: a user namespace may not clear one."""
    found = os.statvfs(path).f_flag
    relatime = 1 << 21 if found & 4096 else 0
    return (found & (kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC | 1024 | 2048)) | relatime
