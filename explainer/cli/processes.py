"""The supervisor: starts the processes of a service, starts anew what ends, and ends them all in order."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from explainer import logs

log = logging.getLogger(__name__)

EARLY_S: Final = 5.0  # a program that ends by itself within this time of the very first start cannot be started at all
LONGEST_S: Final = 5.0  # between two starts of a program that keeps ending
LOOK_S: Final = 0.5
# The collector rests while a program is loaded: it would take a fifth of that time and find nothing.
BEGIN: Final = """\
import gc, importlib, sys
gc.disable()
main = importlib.import_module(sys.argv.pop(1)).main
gc.enable()
main()
"""


@dataclass(slots=True)
class Program:
    """One process of the service: how it is started, and how long it may take to end when it is asked to."""

    name: str
    command: Sequence[str]
    files: Sequence[int] = ()  # numbers of the open files that it inherits
    ends_within_s: float = 5.0
    waits_s: float = 0.0  # so much later it is started than the others, which are more urgent
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    failures: int = field(default=0)

    def start(self) -> None:
        # In a session of its own: Ctrl-C reaches the supervisor alone, which ends all in order.
        self.process = subprocess.Popen(  # noqa: S603 -- our own interpreter and modules
            self.command, pass_fds=self.files, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.started = time.monotonic()

    def ended(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def pause(self) -> float:
        """Seconds to wait before it is started anew: none for the first time in a while, then ever more."""
        lived = time.monotonic() - self.started
        self.failures = 1 if lived > LONGEST_S else self.failures + 1
        return 0.0 if self.failures == 1 else min(LONGEST_S, 0.1 * 2**self.failures)


class Supervisor:
    """Runs programs until it is asked to end; the last in the list is ended first."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self._programs = list(programs)
        self._stopping = False

    def run(self, meanwhile: Callable[[], None] = lambda: None) -> int:
        """Return the exit status: 0 after SIGTERM or SIGINT, 1 when a program could not be started at all.

        `meanwhile` is called once the first program has been started, which takes longest, and before the others are.
        """
        woken, waker = os.pipe()
        for end in (woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            for program in self._programs:
                program.due = time.monotonic() + program.waits_s
            self._programs[0].start()
            meanwhile()
            return self._watch(woken, time.monotonic())
        finally:
            for program in reversed(self._programs):
                _end(program)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _watch(self, woken: int, began: float) -> int:
        while not self._stopping:
            for program in self._programs:
                if program.process is None and time.monotonic() >= program.due:
                    program.start()
                elif (status := program.ended()) is not None:
                    if status > 0 and program.started - began < EARLY_S and time.monotonic() - began < EARLY_S:
                        return 1  # it has said why
                    self._note_end(program, status)
            if select.select([woken], [], [], LOOK_S)[0]:
                os.read(woken, 512)
        return 0

    def _note_end(self, program: Program, status: int) -> None:
        pause = program.pause()
        again = f"in {pause:.1f} s" if pause else "at once"
        log.warning(
            "the %s process ended (%s); it is started anew %s",
            *(program.name, _words(status), again),
            extra=logs.event("process.ended", ended=program.name, status=status),
        )
        program.process, program.due = None, time.monotonic() + pause
        if not pause:
            program.start()


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs `main` of one of our modules."""
    return [sys.executable, "-c", BEGIN, name, *arguments]


def _end(program: Program) -> None:
    process = program.process
    if process is None:
        return
    process.terminate()
    try:
        process.wait(program.ends_within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _words(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status}"
