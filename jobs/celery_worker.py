"""The worker under ``RIWAYAT_QUEUE=celery``: keeps one Celery pool a queue, the ledger, and the broker in line.

It runs no job itself, and knows the broker only as a client. Its heartbeat says that jobs can be run here; it fails attempts
whose lease ran out, and sends the messages that were lost (jobs/celery_line.py). A pool that ends unasked ends the worker,
so that whoever starts workers notices.
"""

from __future__ import annotations

import gc
import importlib
import os
import random
import secrets
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import partial

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.site import open_shelf
from errors import ConfigurationError, JobDied, StaleAttempt
from jobs import policy
from jobs.celery_attempt import Lifeline
from jobs.celery_broker import BROKER_TROUBLE, Broker
from jobs.celery_line import CeleryLine
from jobs.celery_pool import PoolOrder, run_pool
from jobs.job import Status, WorkerInfo
from jobs.leases import LeaseWatch
from jobs.ledger import Ledger, open_ledger
from jobs.process import end_child, fork_child, poll_child
from jobs.signals import Bell
from jobs.stopping import CancelQuery, QueryStopper
from jobs.tables import job
from jobs.wake import WakeSocket
from jobs.worker import PRELOADED, Outcome, RunJob, require_ledger, slots_of

TICK_S = 1.0
_END_S = 15.0  # pools that were told to stop have given their jobs back by then
_POLL_S = 0.02

log = structlog.get_logger(__name__)


def run_celery_worker(
    settings: Settings,
    run_job: RunJob,
    *,
    queues: Sequence[str] = policy.QUEUES,
    slots: int | None = None,
    max_jobs: int | None = None,
    max_seconds: float | None = None,
    stop_when_empty: bool = False,
    cancel_query: CancelQuery | None = None,
) -> Outcome:
    """Run jobs of ``queues`` that come through the broker, until told to stop or a limit is reached; as ``run_worker``.

    Raises:
        ConfigurationError: the jobs database has not been migrated; ``max_jobs``, which only a local worker can count.
        JobDied: a pool has ended unasked.
    """
    if max_jobs is not None:
        raise ConfigurationError("--max-jobs is for RIWAYAT_QUEUE=local; with celery use --max-seconds.")
    for module in PRELOADED:
        importlib.import_module(module)
    ledger = open_ledger(settings)
    require_ledger(ledger)
    own_slots = {queue: slots or slots_of(settings, queue) for queue in queues}
    name, total = f"{os.getpid()}-{secrets.token_hex(4)}", sum(own_slots.values())
    me = WorkerInfo(name, socket.gethostname(), os.getpid(), tuple(queues), total, 0, 0)
    limits = policy.Limits(None, max_seconds, stop_when_empty)
    ledger.engine.dispose()  # nothing is open when the pools are forked
    pools = Pools(settings, run_job, me, own_slots)
    with closing(WakeSocket(settings, me.id)) as wakeup, closing(Broker(settings)) as broker:
        return CeleryWorker(
            ledger, me, broker, pools, limits, Bell(wakeup), QueryStopper(cancel_query, open_shelf(settings))
        ).run()


class Pools:
    """One child that runs jobs/celery_pool.py a queue, and the lifeline by which they and their processes hear of the worker.

    Starts them at once; the caller has one thread and no connection.
    """

    def __init__(self, settings: Settings, run_job: RunJob, me: WorkerInfo, slots: Mapping[str, int]) -> None:
        gc.collect()
        gc.freeze()  # all of them share what is here; a collection in one must not copy it
        self._ours, theirs = socket.socketpair()
        self._codes: dict[str, int] = {}
        self._pids: dict[str, int] = {}
        for queue, number in slots.items():
            order = PoolOrder(me, queue, number, Lifeline(theirs))
            self._pids[queue] = fork_child(partial(self._in_pool, settings, run_job, order))
        theirs.close()

    def _in_pool(self, settings: Settings, run_job: RunJob, order: PoolOrder) -> None:
        self._ours.close()
        run_pool(settings, run_job, order)

    def ended(self) -> Mapping[str, int]:
        """Exit codes of those that have ended, by queue; nothing of them is left."""
        for queue, pid in list(self._pids.items()):
            code = poll_child(pid)
            if code is not None:
                del self._pids[queue]
                self._codes[queue] = code
        return self._codes

    @property
    def are_alive(self) -> bool:
        """Whether any runs."""
        self.ended()
        return bool(self._pids)

    def take_no_more(self) -> None:
        """Let them finish their jobs, begin none, and end."""
        for pid in self._pids.values():  # not reaped yet, so they cannot be others'
            os.kill(pid, signal.SIGTERM)

    def give_back(self) -> None:
        """Let their processes finish what is nearly done and give the other jobs back; a second call does not wait for any."""
        with suppress(OSError):
            self._ours.send(b"!")

    def end(self) -> None:
        """Nothing of them is left when this returns: what did not end in time is killed with all its processes."""
        self.take_no_more()
        self.give_back()
        self.give_back()
        deadline_s = time.monotonic() + _END_S
        while self.are_alive and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        for pid in self._pids.values():
            end_child(pid)
        self._ours.close()


class CeleryWorker:
    """The loop of :func:`run_celery_worker`."""

    def __init__(
        self,
        ledger: Ledger,
        me: WorkerInfo,
        broker: Broker,
        pools: Pools,
        limits: policy.Limits,
        bell: Bell,
        stopper: QueryStopper,
    ) -> None:
        self._ledger = ledger
        self._me = me
        self._line = CeleryLine(ledger, broker)
        self._pools = pools
        self._limits = limits
        self._bell = bell
        self._stopper = stopper
        self._leases = LeaseWatch()
        self._heartbeat_at_s = 0.0
        self._restart = False
        self._empty = False
        self._started_s = time.monotonic()
        self._stops_told = 0
        self._told_to_end = False
        self._log = log.bind(worker=me.id)

    def run(self) -> Outcome:
        """Work until it is time to end.

        Raises:
            JobDied: a pool has ended unasked.
        """
        self._log.info("worker started", pid=self._me.pid, queues=self._me.queues, slots=self._me.slots, broker="redis")
        try:
            with self._bell:
                while self._go_on():
                    self._step()
                    self._bell.sleep(TICK_S)
        finally:
            self._end()
        self._log.info("worker ended", restart=self._restart)
        return Outcome.RESTART if self._restart and not self._bell.stops else Outcome.ENDED

    def _go_on(self) -> bool:
        """Pass on what the pools must know; False when they have ended, as they were told to."""
        worked_s = time.monotonic() - self._started_s
        enough = self._limits.reached(claimed=0, worked_s=worked_s, empty=self._empty)
        if (enough or self._restart or self._bell.stops) and not self._told_to_end:
            self._told_to_end = True
            self._pools.take_no_more()
        while self._stops_told < min(self._bell.stops, 2):
            self._stops_told += 1
            self._pools.give_back()
        if not self._told_to_end and (ended := self._pools.ended()):
            queue, status = next(iter(ended.items()))
            raise JobDied("The Celery worker of queue {queue} ended with exit code {status}.", queue=queue, status=status)
        return self._pools.are_alive

    def _step(self) -> None:
        """Everything that may be due."""
        self._stopper.reap()
        broker_answers = self._mend()
        try:
            self._heartbeat(broker_answers)
            if self._limits.stop_when_empty:
                self._empty = self._ledger.waiting(self._me.queues) == 0 and self._running() == 0
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))

    def _mend(self) -> bool:
        """Send lost messages; whether the broker answers."""
        try:
            self._line.tick()
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))
        except BROKER_TROUBLE as exc:
            self._log.error("the broker does not answer", error=str(exc))
            return False
        return True

    def _heartbeat(self, broker_answers: bool) -> None:
        """Say that jobs can be run here, if they can come here, and fail the attempts that lost their lease."""
        if time.monotonic() < self._heartbeat_at_s:
            return
        if broker_answers and self._ledger.heartbeat(self._me) and not self._restart:
            self._log.info("asked to restart")
            self._restart = True
        expired = self._ledger.expired()
        for lease in self._leases.lost(expired, time.monotonic()):
            with suppress(StaleAttempt):  # another worker was first
                self._ledger.fail(lease.job_id, lease.attempt, policy.lost_error(), jitter=random.random())  # noqa: S311 # nosec B311
                self._log.warning("attempt lost", job=lease.job_id, attempt=lease.attempt)
            self._ledger.engine.dispose()  # no connection may be carried across the fork
            self._stopper.stop(lease.job_id, lease.attempt)
        self._heartbeat_at_s = time.monotonic() + (0.0 if expired else policy.HEARTBEAT_MS / 1000)

    def _running(self) -> int:
        """How many jobs run here."""
        query = select(func.count()).where(job.c.status == Status.RUNNING, job.c.worker == self._me.id)
        with self._ledger.engine.connect() as connection:
            return connection.scalar(query) or 0

    def _end(self) -> None:
        """End the pools and sign off."""
        self._pools.end()
        try:
            self._ledger.leave(self._me.id)
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))
        self._ledger.engine.dispose()
        self._stopper.finish()
