"""Limits hold, and a process ends with its parent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.workers.processes import lives, until


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_memory_and_files_are_bounded() -> None:
    """Beyond the limit an allocation raises MemoryError; files end at 256 and no core is dumped."""
    code = """
import resource
from explainer.workers.limits import limit
limit(300)
try:
    bytearray(400 * 2**20)
except MemoryError:
    print("refused", resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))
"""
    assert run(code) == "refused (256, 256) (0, 0)"


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    """A child that asked for it is killed by the kernel when its parent is killed."""
    note = tmp_path / "pid"
    code = f"""
import os, time
from explainer.workers.limits import end_with_parent
parent = os.getpid()
if os.fork() == 0:
    end_with_parent(parent)
    open({str(note)!r}, "w").write(f"{{os.getpid()}} end")
    time.sleep(600)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: note.exists() and note.read_text().endswith("end"))
    child = int(note.read_text().split()[0])
    assert lives(child)
    parent.kill()
    parent.wait()
    until(lambda: not lives(child))


def test_a_process_whose_parent_is_gone_already_ends() -> None:
    """The parent may die between the fork and the request: then the child ends by itself."""
    code = f"""
from explainer.workers.limits import end_with_parent
end_with_parent({os.getpid()})
print("lives")
end_with_parent(1)
print("lives on")
"""
    assert run(code) == "lives"


def test_other_systems_have_no_such_options() -> None:
    """Where the kernel knows no prctl option it is said, not raised."""
    assert run("from explainer.workers.limits import prctl; print(prctl(9999, 0))") == "False"


def test_processor_time_is_bounded_between_questions() -> None:
    """A process that spins beyond what it was allowed is ended by the kernel; each allowance begins anew."""
    code = """
import os, signal, time
from explainer.workers.limits import allow_cpu, give_way
pid = os.fork()
if pid == 0:
    give_way()
    for _ in range(2):
        allow_cpu(1)
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass
    allow_cpu(0.1)
    while True:
        pass
used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(used[1]) == -signal.SIGXCPU, 0.8 < used[2].ru_utime + used[2].ru_stime < 5)
"""
    assert run(code) == "True True"
