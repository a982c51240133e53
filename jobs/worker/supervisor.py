"""Workers: single-threaded supervisors that claim jobs, fork a child for each, and watch them.

A child runs ``run_job(job_id, attempt)`` and writes its own result to the ledger. Whatever else may
end it (cancel, time limit, a crash, kill -9, no memory) is seen here and written down: no job ever
hangs in silence. The supervisor holds no database connection while it forks. :class:`Supervisor` is
what every worker does; jobs/celery/worker.py has another one.
"""

from __future__ import annotations

import gc
import importlib
import os
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum

import structlog
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.site import open_shelf
from errors import ConfigurationError
from jobs.job import Job, WorkerInfo
from jobs.ledger.leases import LeaseWatch
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import HISTORY, LARGE, QUEUES, TIMES, Limits, WorkerTimes
from jobs.worker.attempt_cleanup import AttemptCleanup, CancelQuery
from jobs.worker.attempt_errors import lost_error
from jobs.worker.children import Children
from jobs.worker.chore import Chore
from jobs.worker.pending_outcomes import PendingOutcomes
from jobs.worker.process import thread_count
from jobs.worker.signals import SignalWaiter
from jobs.worker.wake import WakeSocket

RunJob = Callable[[str, int], None]

IDLE_TICK_S = 1.0  # a job that nobody woke us for waits at most this long
BUSY_TICK_S = 0.4  # a cancelled child is gone within a second
TROUBLE_TICK_S = 1.0  # wait after the ledger did not answer
SUSPICIOUS_TICK_S = 0.5  # a worker seems to be dead
LEDGER_BUSY_MS = 1_000  # a ledger that others hold: children and signals do not wait longer for it

PRELOADED = ("numpy", "pyarrow", "connectorx")  # so that a fork finds them loaded

log = structlog.get_logger(__name__)


class WorkerEnd(Enum):
    """Why a worker returned."""

    ENDED = "ended"  # asked to stop, or its limits are reached
    RESTART = "restart"  # asked to begin anew


@dataclass(frozen=True)
class Equipment:
    """What a worker begins with. ``slots`` are the jobs of each queue that it runs at a time;
    ``chores`` are what it sees to besides.
    """

    ledger: Ledger
    me: WorkerInfo
    slots: Mapping[str, int]
    cleanup: AttemptCleanup
    limits: Limits
    times: WorkerTimes
    chores: Sequence[Chore] = ()


def preload_and_open(
    settings: Settings,
    queues: Sequence[str],
    slots: int | None,
    cancel_query: CancelQuery | None,
    limits: Limits,
    times: WorkerTimes = TIMES,
) -> Equipment:
    """Load what children need, and open the ledger; no connection is open on return.

    Each queue has slots of its own, so that none keeps another waiting: ``slots``, or what the
    settings say.

    Raises:
        ConfigurationError: when the jobs database has not been migrated.
    """
    for module in PRELOADED:
        importlib.import_module(module)
    ledger = open_ledger(settings, busy_ms=LEDGER_BUSY_MS, lease_ms=times.lease_ms)
    _require_tables(ledger)
    own_slots = {HISTORY: settings.worker_slots, LARGE: settings.worker_slots_large}
    own_slots = {queue: slots or own_slots.get(queue, settings.worker_slots) for queue in queues}
    name, total = f"{os.getpid()}-{secrets.token_hex(4)}", sum(own_slots.values())
    me = WorkerInfo(name, socket.gethostname(), os.getpid(), tuple(queues), total, 0, 0)
    cleanup = AttemptCleanup(ledger, cancel_query, open_shelf(settings))
    ledger.engine.dispose()
    gc.collect()
    gc.freeze()  # children share what is here; a collection in one of them must not copy it
    return Equipment(ledger, me, own_slots, cleanup, limits, times)


def _require_tables(ledger: Ledger) -> None:
    """Raise when the tables are not there; a database that does not answer yet may still come."""
    try:
        ready = inspect(ledger.engine).has_table("job")
    except SQLAlchemyError:
        return
    if not ready:
        raise ConfigurationError("The jobs database is not prepared; run manage.py migrate first.")


class Supervisor(ABC):
    """The loop of a worker: heartbeats, leases of dead workers, signals and limits, the end."""

    def __init__(self, equipment: Equipment, wakeup: WakeSocket) -> None:
        self._ledger = equipment.ledger
        self._me = equipment.me
        self._slots = equipment.slots
        self._cleanup = equipment.cleanup
        self._limits = equipment.limits
        self._times = equipment.times
        self._chores = equipment.chores
        self._signals = SignalWaiter(wakeup)
        self._leases = LeaseWatch(equipment.times.certain_s)
        self._outcomes = PendingOutcomes(equipment.ledger)
        self._claimed = 0
        self._heartbeat_at_s = 0.0
        self._restart = False
        self._empty = False
        self._started_s = time.monotonic()
        self._log = log.bind(worker=equipment.me.id)

    def run(self) -> WorkerEnd:
        """Work until it is time to end."""
        self._log.info("worker started", pid=self._me.pid, slots=dict(self._slots), threads=thread_count())
        with self._signals:
            try:
                while True:
                    wait_s = self._step()
                    if self._is_over():
                        break
                    self._signals.sleep(wait_s)
            finally:
                self._end()
        self._log.info("worker ended", restart=self._restart)
        return WorkerEnd.RESTART if self._restart and not self._signals.stops else WorkerEnd.ENDED

    @abstractmethod
    def _watch(self) -> None:
        """Look after what runs here, whether the ledger answers or not."""

    @abstractmethod
    def _sign_of_life(self) -> bool:
        """Renew what says that this worker lives; True when it is asked to restart."""

    @abstractmethod
    def _work(self) -> None:
        """Do what there is to do in the ledger."""

    @abstractmethod
    def _is_over(self) -> bool:
        """Return whether the loop has ended."""

    @abstractmethod
    def _stop_all(self) -> None:
        """End what still runs here."""

    def _step(self) -> float:
        """Everything that may be due; returns how long nothing else will be, in seconds."""
        self._cleanup.reap()
        self._watch()
        try:
            self._outcomes.flush()
            self._heartbeat()
            self._work()
            self._see_to_chores()
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))
            return TROUBLE_TICK_S
        return self._next_due_s()

    def _heartbeat(self) -> None:
        """Give a sign of life, and fail the attempts of workers that did not."""
        if time.monotonic() < self._heartbeat_at_s:
            return
        if self._sign_of_life() and not self._restart:
            self._log.info("asked to restart")
            self._restart = True
        expired = self._ledger.expired()
        for lease in self._leases.lost(expired, time.monotonic()):
            self._outcomes.note(lease.job_id, lease.attempt, lost_error())
            self._cleanup.start(lease.job_id, lease.attempt)
        self._outcomes.flush()
        self._heartbeat_at_s = time.monotonic() + (SUSPICIOUS_TICK_S if expired else self._times.heartbeat_s)

    def _see_to_chores(self) -> None:
        if not self._is_ending():
            for chore in self._chores:
                chore.look(self._ledger.engine)

    def _is_ending(self) -> bool:
        worked_s = time.monotonic() - self._started_s
        enough = self._limits.reached(claimed=self._claimed, worked_s=worked_s, empty=self._empty)
        return self._signals.stops > 0 or self._restart or enough

    def _next_due_s(self) -> float:
        return IDLE_TICK_S

    def _end(self) -> None:
        """Sign off. Without the ledger, leases run out by themselves."""
        self._stop_all()
        for chore in self._chores:
            chore.stop()
        try:
            self._outcomes.flush()
            self._ledger.leave(self._me.id)
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))
        self._ledger.engine.dispose()
        self._cleanup.finish()


def run_worker(
    settings: Settings,
    run_job: RunJob,
    *,
    queues: Sequence[str] = QUEUES,
    slots: int | None = None,
    max_jobs: int | None = None,
    max_seconds: float | None = None,
    stop_when_empty: bool = False,
    cancel_query: CancelQuery | None = None,
    times: WorkerTimes = TIMES,
    chores: Sequence[Chore] = (),
) -> WorkerEnd:
    """Run jobs of ``queues`` until told to stop or a limit is reached; running jobs then finish.

    SIGTERM, SIGINT or SIGHUP: jobs that are nearly done finish, others go back into the line
    without losing a try; a second signal does not wait. ``cancel_query(job_id, attempt)`` stops
    what a killed child left running on the server of its source (jobs/worker/attempt_cleanup.py);
    ``chores`` are what the worker sees to besides.

    Raises:
        ConfigurationError: as :func:`preload_and_open`.
    """
    limits = Limits(max_jobs, max_seconds, stop_when_empty)
    equipment = replace(preload_and_open(settings, queues, slots, cancel_query, limits, times), chores=chores)
    with closing(WakeSocket(settings, equipment.me.id)) as wakeup:

        def in_child(job: Job) -> None:
            wakeup.close_copy()
            run_job(job.id, job.attempt)

        return Worker(equipment, wakeup, in_child, settings.worker_memory_mb).run()


class Worker(Supervisor):
    """The worker of one host: it claims jobs itself and runs each in a child."""

    def __init__(self, equipment: Equipment, wakeup: WakeSocket, in_child: Callable[[Job], None], memory_mb: int) -> None:
        super().__init__(equipment, wakeup)
        self._children = Children(self._ledger, in_child, self._outcomes, self._cleanup, memory_mb)

    def _watch(self) -> None:
        self._children.watch()

    def _sign_of_life(self) -> bool:
        return self._ledger.heartbeat(self._me, self._children.attempts())

    def _work(self) -> None:
        self._children.stop_unwanted()
        self._empty = False
        while queues := self._free_queues():
            job = self._ledger.claim(self._me.id, queues)
            if job is None:
                self._empty = not self._children and self._ledger.waiting(self._me.queues) == 0
                return
            self._claimed += 1
            self._children.start(job)

    def _free_queues(self) -> list[str]:
        """Queues of which one more job may be claimed."""
        if self._is_ending():
            return []
        return [queue for queue, slots in self._slots.items() if self._children.in_queue(queue) < slots]

    def _is_over(self) -> bool:
        first_stop_s = self._signals.first_stop_s
        if self._signals.stops > 1 or (first_stop_s is not None and time.monotonic() - first_stop_s >= self._times.stop_grace_s):
            return True
        return self._is_ending() and not self._children and not self._outcomes

    def _next_due_s(self) -> float:
        now_s = time.monotonic()
        due = [now_s + (BUSY_TICK_S if self._children else IDLE_TICK_S), self._heartbeat_at_s]
        due += [child.deadline_s for child in self._children]
        due += [] if self._signals.first_stop_s is None else [self._signals.first_stop_s + self._times.stop_grace_s]
        due += [] if self._limits.max_seconds is None or self._is_ending() else [self._started_s + self._limits.max_seconds]
        return max(0.0, min(due) - now_s)

    def _stop_all(self) -> None:
        self._children.watch()
        self._children.give_back()
