"""What a worker sees to besides jobs, now and then: something of a layer above, handed to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from jobs.worker.process import die_with, single_threaded, stop_process

EVERY_S = 60.0
_STOP_S = 2.0
_MANAGE = Path(__file__).parents[2] / "manage.py"

log = structlog.get_logger(__name__)


class Chore:
    """A command of manage.py that runs in a process of its own whenever something is ``due``, which
    is asked once a minute. The worker itself neither waits for it nor imports what it needs.
    """

    def __init__(
        self,
        due: Callable[[Engine], bool],
        command: Sequence[str],
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._due, self._command, self._every_s, self._clock = due, tuple(command), every_s, clock
        self._next_s = float("-inf")
        self.process: subprocess.Popen[bytes] | None = None
        self._failed = False

    def look(self, engine: Engine) -> None:
        """Ask whether something is due, if it is time to, and start the command. Never raises what
        a database says: jobs go on.
        """
        if self.process is not None and self.process.poll() is not None:
            self.process = None
        if self.process is not None or self._clock() < self._next_s:
            return
        self._next_s = self._clock() + self._every_s
        try:
            due = self._due(engine)
            self._failed = False
        except SQLAlchemyError as exc:
            if not self._failed:  # such as tables that are not migrated yet: once is enough
                log.warning("what is due cannot be asked", error=str(exc))
            self._failed = True
            return
        if due:
            self._start()

    def stop(self) -> None:
        """End the command; what it has begun is found by the next one."""
        if self.process is not None:
            stop_process(self.process, _STOP_S)
            self.process = None

    def _start(self) -> None:
        log.info("starting what is due", command=" ".join(self._command))
        self.process = subprocess.Popen(
            [sys.executable, str(_MANAGE), *self._command],
            env=single_threaded(os.environ),
            stdin=subprocess.DEVNULL,
            preexec_fn=partial(die_with, os.getpid(), signal.SIGTERM),
        )
