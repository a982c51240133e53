"""Keeps one command of manage.py running beside ``python app.py``, such as the worker: starts it,
starts it again when it dies, ends it with the site.

A process of its own, because the web process runs threads and so must not fork.
Only the standard library here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

from jobs.worker.process import die_with, stop_process

MANAGE = Path(__file__).parents[2] / "manage.py"

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0  # a command that lived this long begins with the first pause again
_POLL_S = 0.5
_STOP_S = 12.0


def next_pause(pause_s: float, lived_s: float) -> float:
    """Seconds to wait after a command died: doubling to half a minute,
    from the beginning after a steady life.
    """
    return _FIRST_PAUSE_S if lived_s >= _STEADY_S else min(_LONGEST_PAUSE_S, pause_s * 2)


class Keeper:
    """One command, kept running until :meth:`stop` or until ``parent`` (process id) is gone."""

    def __init__(self, command: list[str], parent: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._command, self._parent, self._clock = command, parent, clock
        self._stopping = False

    def stop(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        """End the command and then :meth:`run`."""
        self._stopping = True

    def run(self) -> None:
        """Start the command, again whenever it dies, and end it at last."""
        pause_s = _FIRST_PAUSE_S / 2
        while not self._over():
            began = self._clock()
            # A keeper that is killed takes its worker along, which requeues its jobs.
            process = subprocess.Popen(self._command, preexec_fn=partial(die_with, os.getpid(), signal.SIGTERM))
            while process.poll() is None and not self._over():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
            if process.poll() is None:
                stop_process(process, _STOP_S)
                return
            pause_s = next_pause(pause_s, self._clock() - began)
            name = self._command[-1]
            print(f"The {name} ended with {process.returncode}; starting it again in {pause_s:g} s.", file=sys.stderr)  # noqa: T201
            self._pause(pause_s)

    def _over(self) -> bool:
        return self._stopping or os.getppid() != self._parent

    def _pause(self, seconds: float) -> None:
        until = self._clock() + seconds
        while not self._over() and self._clock() < until:
            time.sleep(min(_POLL_S, max(0.0, until - self._clock())))


def main(arguments: list[str]) -> None:
    """``python -m jobs.worker.keeper COMMAND PARENT_PID``."""
    keeper = Keeper([sys.executable, str(MANAGE), *arguments[0].split()], int(arguments[1]))
    signal.signal(signal.SIGTERM, keeper.stop)
    keeper.run()


if __name__ == "__main__":
    main(sys.argv[1:])
