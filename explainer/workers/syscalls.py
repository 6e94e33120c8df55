"""Numbers of the Linux system calls that a worker has no use for, by machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT: Final = 0x40000000
CLONE3: Final = 435

_ALWAYS: Final = {  # name: (x86_64, aarch64)
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "setns": (308, 268),
    "unshare": (272, 97),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
}
_NETWORK: Final = {
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
}
_TO_ITSELF_ONLY: Final = {"kill": (62, 129), "tgkill": (234, 131)}
_THREADS_ONLY: Final = {"clone": (56, 220)}

_COLUMN: Final = {"x86_64": 0, "aarch64": 1}


def never(machine: str, *, network: bool) -> list[int]:
    """Calls that are always refused; with `network` those that make connections are let through."""
    return _column(_ALWAYS if network else {**_ALWAYS, **_NETWORK}, machine)


def to_itself_only(machine: str) -> list[int]:
    """Calls whose first argument is a process and must be the caller."""
    return _column(_TO_ITSELF_ONLY, machine)


def threads_only(machine: str) -> list[int]:
    """Calls whose first argument are clone's flags and must ask for a thread."""
    return _column(_THREADS_ONLY, machine)


def _column(table: Mapping[str, tuple[int, int | None]], machine: str) -> list[int]:
    return [number for pair in table.values() if (number := pair[_COLUMN[machine]]) is not None]
