"""What the Linux kernel keeps a worker from: writing files, reading others than its own, new processes, connections.

Landlock bounds the files, seccomp the system calls; both need no privilege, hold for every thread and cannot be undone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import explainer
from explainer.workers import syscalls
from explainer.workers.limits import PR_SET_NO_NEW_PRIVS, prctl

CREATE_RULESET, ADD_RULE, RESTRICT_SELF, SECCOMP = 444, 445, 446, {"x86_64": 317, "aarch64": 277}
LANDLOCK_VERSION_FLAG, LANDLOCK_PATH_BENEATH = 1, 1
READ: Final = 1 << 2 | 1 << 3  # read a file, list a folder
SCOPED: Final = 3  # no abstract socket and no signal leaves the sandbox (from version 6 of Landlock)
EPERM, ENOSYS, CLONE_THREAD = 1, 38, 0x00010000
SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl", "/etc/pki"),
    *("/etc/ca-certificates", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf"),
    *("/etc/mime.types", "/run/systemd/resolve", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/proc/sys/vm", "/sys/devices/system", "/sys/fs/cgroup"),
)


def enclose(readable: Iterable[Path], *, network: bool) -> tuple[str, ...]:
    """Close this process in for good and return, a sentence each, what is active and what is not and why."""
    if not sys.platform.startswith("linux"):
        return (f"no sandbox: {sys.platform} has neither Landlock nor seccomp",)
    if not prctl(PR_SET_NO_NEW_PRIVS, 1):
        return ("no sandbox: this kernel refuses PR_SET_NO_NEW_PRIVS",)
    return ("no new privileges", _landlock([*_libraries(), *readable]), _seccomp(network=network))


def _libraries() -> list[Path]:
    """Where Python, its packages and the system's libraries lie."""
    found = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    packages = [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    own = [Path(place) for place in explainer.__path__]
    numba = [Path(os.environ["NUMBA_CACHE_DIR"])] if "NUMBA_CACHE_DIR" in os.environ else []
    return [*found, *packages, *own, *numba, Path(sys.base_prefix) / "lib", *map(Path, SYSTEM)]


def _landlock(readable: Iterable[Path]) -> str:
    version = _call(CREATE_RULESET, None, 0, LANDLOCK_VERSION_FLAG)
    if version < 1:
        return f"files not closed off: this kernel has no Landlock ({os.strerror(ctypes.get_errno())})"
    ruleset = _call(CREATE_RULESET, *_sized(_ruleset(version)), 0)
    if ruleset < 0:
        return f"files not closed off: Landlock refuses the rules ({os.strerror(ctypes.get_errno())})"
    try:
        for path in readable:
            _allow(ruleset, path)
        if _call(RESTRICT_SELF, ruleset, 0) != 0:
            return f"files not closed off: Landlock refuses ({os.strerror(ctypes.get_errno())})"
    finally:
        os.close(ruleset)
    return f"files closed off by Landlock {version}: none can be written, only libraries and the model can be read"


def _ruleset(version: int) -> bytes:
    """struct landlock_ruleset_attr, as far as the kernel knows it: file rights, network rights, scopes."""
    files = (1 << 13) - 1
    for since, bit in ((2, 13), (3, 14), (5, 15)):
        files |= (1 << bit) if version >= since else 0
    if version >= 6:
        return struct.pack("=QQQ", files, 0, SCOPED)
    return struct.pack("=QQ", files, 0) if version >= 4 else struct.pack("=Q", files)


def _allow(ruleset: int, path: Path) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a place that this machine does not have needs no permission
    try:
        rights = READ if path.is_dir() else 1 << 2
        attribute = struct.pack("=Qi", rights, place)
        _call(ADD_RULE, ruleset, LANDLOCK_PATH_BENEATH, ctypes.create_string_buffer(attribute, len(attribute)), 0)
    finally:
        os.close(place)


def _seccomp(*, network: bool) -> str:
    machine = platform.machine()
    if machine not in SECCOMP:
        return f"system calls not filtered: no table for {machine}"
    program = _program(machine, network=network)
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(code)), 16)
    if _call(SECCOMP[machine], 1, 1, header) != 0:  # SECCOMP_SET_MODE_FILTER for all threads
        return f"system calls not filtered: seccomp refuses ({os.strerror(ctypes.get_errno())})"
    return "system calls filtered by seccomp: no new process, no foreign signal" + ("" if network else ", no network")


def _program(machine: str, *, network: bool) -> bytes:
    """Assemble the filter as classic BPF: load the call's number, compare, return a verdict."""
    load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, deny, missing, kill = 0x7FFF0000, 0x00050000 | EPERM, 0x00050000 | ENOSYS, 0x80000000
    argument = 16  # offset of the low half of the first argument
    lines = [(load, 0, 0, 4), (equal, 1, 0, syscalls.AUDIT_ARCH[machine]), (give, 0, 0, kill), (load, 0, 0, 0)]
    if machine == "x86_64":
        lines += [(at_least, 0, 1, syscalls.X32_BIT), (give, 0, 0, kill)]
    for number in syscalls.never(machine, network=network):
        lines += [(equal, 0, 1, number), (give, 0, 0, deny)]
    lines += [(equal, 0, 1, syscalls.CLONE3), (give, 0, 0, missing)]
    for number in syscalls.threads_only(machine):
        lines += [(equal, 0, 4, number), (load, 0, 0, argument), (any_bit, 0, 1, CLONE_THREAD)]
        lines += [(give, 0, 0, allow), (give, 0, 0, deny)]
    for number in syscalls.to_itself_only(machine):
        lines += [(equal, 0, 4, number), (load, 0, 0, argument), (equal, 0, 1, os.getpid())]
        lines += [(give, 0, 0, allow), (give, 0, 0, deny)]
    return b"".join(struct.pack("=HBBI", *line) for line in [*lines, (give, 0, 0, allow)])


def _sized(raw: bytes) -> tuple[ctypes.Array[ctypes.c_char], int]:
    return ctypes.create_string_buffer(raw, len(raw)), len(raw)


def _call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return int(library.syscall(ctypes.c_long(number), *wide))
