"""What the kernel keeps a worker from, tried from inside one; and the filter's program, checked by hand."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest

from explainer.errors import ModelFailed
from explainer.workers import sandbox
from explainer.workers.pool import WorkerPools
from tests.workers import fake_models as fake
from tests.workers.fakes import order_of, remote, row


def landlock_version() -> int:
    return sandbox._call(sandbox.CREATE_RULESET, None, 0, sandbox.LANDLOCK_VERSION_FLAG)


needs_landlock = pytest.mark.skipif(landlock_version() < 1, reason="this kernel has no Landlock")


@needs_landlock
def test_a_worker_reads_its_model_and_nothing_else(pools: WorkerPools, tmp_path: Path) -> None:
    """No write, no foreign read, no process, no connection, no signal; its model, threads and randomness work."""
    model = tmp_path / "model"
    model.write_bytes(b"model")
    (tmp_path / "secret").write_bytes(b"secret")
    order = order_of(path=model)
    pools.open(order)
    assert pools.predict(order.digest, row(fake.PROBE)).tolist() == [[6.0]]
    assert model.read_bytes() == b"model"
    assert not (tmp_path / "written").exists()
    isolation = " ".join(pools.state()[order.digest].isolation)
    assert "closed off by Landlock" in isolation
    assert "no network" in isolation
    pools.close(order.digest)


def test_the_probe_finds_an_open_door(open_pools: WorkerPools, tmp_path: Path) -> None:
    """Without a sandbox the same probe succeeds, so that its silence above means something; the state says so."""
    model = tmp_path / "model"
    model.write_bytes(b"model")
    (tmp_path / "secret").write_bytes(b"secret")
    order = order_of("probe", path=model)
    open_pools.open(order)
    with pytest.raises(ModelFailed, match=r"write, overwrite, .*read beside, .*program, exec, internet socket"):
        open_pools.predict(order.digest, row(fake.PROBE))
    assert "no sandbox: switched off" in open_pools.state()[order.digest].isolation
    open_pools.close(order.digest)


@needs_landlock
def test_only_remote_models_reach_the_network(pools: WorkerPools) -> None:
    """A worker of a remote model connects, by name; one of a local model cannot."""
    local, distant = order_of(), remote(order_of())
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        for order in (local, distant):
            pools.open(order)
        with pytest.raises(ModelFailed, match="PermissionError"):
            pools.predict(local.digest, row(fake.CONNECT, port))
        assert pools.predict(distant.digest, row(fake.CONNECT, port)).tolist() == [[2.0 * port]]
    for order in (local, distant):
        pools.close(order.digest)


def verdict(program: bytes, *, arch: int, number: int, first: int = 0) -> int:
    """Run a classic BPF program the way the kernel does, over one system call."""
    data = struct.pack("=IIQ6Q", number, arch, 0, first, 0, 0, 0, 0, 0)
    lines = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    accumulator, at = 0, 0
    while True:
        code, yes, no, operand = lines[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif code == 0x06:
            return operand
        else:
            holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}
            at += yes if holds[code] else no


ALLOW, DENY, MISSING, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000


@pytest.mark.parametrize(
    ("machine", "arch", "calls"),
    [
        (
            "x86_64",
            0xC000003E,
            {"read": 0, "execve": 59, "socket": 41, "clone": 56, "clone3": 435, "fork": 57, "kill": 62},
        ),
        ("aarch64", 0xC00000B7, {"read": 63, "execve": 221, "socket": 198, "clone": 220, "clone3": 435, "kill": 129}),
    ],
)
def test_the_filter_decides_as_it_should(machine: str, arch: int, calls: dict[str, int]) -> None:
    """Reading goes, programs and sockets do not, clone makes threads only, kill reaches the caller only."""
    closed = sandbox._program(machine, network=False)
    opened = sandbox._program(machine, network=True)
    assert verdict(closed, arch=arch, number=calls["read"]) == ALLOW
    assert verdict(closed, arch=arch, number=calls["execve"]) == DENY
    assert verdict(closed, arch=arch, number=calls["socket"]) == DENY
    assert verdict(opened, arch=arch, number=calls["socket"]) == ALLOW
    assert verdict(opened, arch=arch, number=calls["execve"]) == DENY
    assert verdict(closed, arch=arch, number=calls["clone3"]) == MISSING
    assert verdict(closed, arch=arch, number=calls["clone"], first=0x00010000) == ALLOW
    assert verdict(closed, arch=arch, number=calls["clone"], first=0x11) == DENY
    assert verdict(closed, arch=arch, number=calls["kill"], first=os.getpid()) == ALLOW
    assert verdict(closed, arch=arch, number=calls["kill"], first=1) == DENY
    assert verdict(closed, arch=0x40000003, number=calls["read"]) == KILL


def test_the_other_table_of_x86_is_closed() -> None:
    """Calls by the x32 numbers of x86_64, which would slip past the list, kill the process."""
    program = sandbox._program("x86_64", network=False)
    assert verdict(program, arch=0xC000003E, number=0x40000000 + 59) == KILL
