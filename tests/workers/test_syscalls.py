"""The numbers of system calls are those of this machine's headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from explainer.workers import syscalls

HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+)\s+(\d+)"),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
}
TABLE = {**syscalls._ALWAYS, **syscalls._NETWORK, **syscalls._TO_ITSELF_ONLY, **syscalls._THREADS_ONLY}


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_the_kernels(machine: str) -> None:
    """Every call in the tables has the number that the kernel's header gives it."""
    header, pattern = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    known = {name: int(number) for name, number in re.findall(pattern, header.read_text())}
    ours = {name: pair[syscalls._COLUMN[machine]] for name, pair in TABLE.items()}
    assert ours == {name: known.get(name) for name in ours}


def test_the_network_can_be_let_through() -> None:
    """With network only the calls that make connections leave the list."""
    for machine in syscalls.AUDIT_ARCH:
        closed, opened = (set(syscalls.never(machine, network=network)) for network in (False, True))
        assert closed - opened == set(syscalls._column(syscalls._NETWORK, machine))
