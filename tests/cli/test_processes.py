"""The supervisor with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SUPERVISED = """
import sys
from explainer.cli.processes import Program, Supervisor
note = sys.argv[1]
def program(name, code):
    begin = f"import os, signal, sys, time; note = {note!r}; print('{name} begins', os.getpid(), file=open(note, 'a'));"
    return Program(name, [sys.executable, "-c", begin + code], ends_within_s=2)
end = "signal.signal(signal.SIGTERM, lambda *_: (print('%s ends', file=open(note, 'a')), sys.exit(0))); time.sleep(60)"
programs = [program("first", end % "first"), program("second", end % "second")]
if len(sys.argv) > 2:
    programs.append(program("third", sys.argv[2]))
sys.exit(Supervisor(programs).run(lambda: print("meanwhile", file=open(note, "a"))))
"""


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "this never came to hold"
        time.sleep(0.02)


def supervised(note: Path, *third: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SUPERVISED, str(note), *third]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def lines(note: Path, start: str) -> list[str]:
    return [line for line in note.read_text().splitlines() if line.startswith(start)] if note.exists() else []


def test_what_is_killed_is_started_anew_and_all_ends_in_order(tmp_path: Path) -> None:
    """After a kill a new process is there at once; SIGTERM ends the last program first, with status 0.

    What is to be done meanwhile is done before the second program is started.
    """
    note = tmp_path / "note"
    service = supervised(note)
    until(lambda: len(lines(note, "first begins")) == 1 and len(lines(note, "second begins")) == 1)
    os.kill(int(lines(note, "first begins")[0].split()[-1]), signal.SIGKILL)
    until(lambda: len(lines(note, "first begins")) == 2)
    time.sleep(0.5)  # it has to reach its own signal handler
    service.send_signal(signal.SIGTERM)
    _, told = service.communicate(timeout=20)
    assert service.returncode == 0
    assert [line.split()[0] for line in note.read_text().splitlines() if line.endswith("ends")] == ["second", "first"]
    assert note.read_text().index("meanwhile") < note.read_text().index("second begins")
    assert "the first process ended (signal 9); it is started anew at once" in told


def test_a_program_that_cannot_start_ends_the_service(tmp_path: Path) -> None:
    """What ends with an error straight after the very first start is not tried for ever: status 1, the others end."""
    note = tmp_path / "note"
    service = supervised(note, "sys.exit('it cannot')")
    _, told = service.communicate(timeout=20)
    assert service.returncode == 1
    assert "it cannot" in told
    assert len(lines(note, "third begins")) == 1


def test_a_program_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """One that ignores SIGTERM is killed after its time, and the service ends."""
    note = tmp_path / "note"
    ignoring = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', file=open(note, 'a')); time.sleep(60)"
    service = supervised(note, ignoring)
    until(lambda: bool(lines(note, "deaf")))
    began = time.monotonic()
    service.send_signal(signal.SIGTERM)
    service.communicate(timeout=20)
    assert service.returncode == 0
    assert 2 <= time.monotonic() - began < 15
