"""The worker under ``RIWAYAT_QUEUE=celery``: keeps one Celery pool a queue, the ledger, and the
broker in line.

It runs no job itself, and knows the broker only as a client. Its heartbeat says that jobs can be
run here; it fails attempts whose lease ran out, and sends the messages that were lost
(jobs/celery/dispatcher.py). A pool that ends unasked ends the worker, so that whoever starts
workers notices.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from errors import ConfigurationError, JobDied
from jobs import policy
from jobs.celery.attempt import Lifeline
from jobs.celery.broker import BROKER_TROUBLE, Broker
from jobs.celery.dispatcher import CeleryDispatcher
from jobs.celery.pool import PoolOrder, run_pool
from jobs.job import Status, WorkerInfo
from jobs.ledger.tables import job
from jobs.worker.attempt_cleanup import CancelQuery
from jobs.worker.chore import Chore
from jobs.worker.process import end_child, fork_child, poll_child
from jobs.worker.supervisor import Equipment, RunJob, Supervisor, WorkerEnd, preload_and_open
from jobs.worker.wake import WakeSocket

_END_S = 15.0  # pools that were told to stop have given their jobs back by then
_POLL_S = 0.02


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
    chores: Sequence[Chore] = (),
) -> WorkerEnd:
    """Run jobs of ``queues`` that come through the broker, until told to stop or a limit is
    reached; as ``run_worker``.

    Raises:
        ConfigurationError: the jobs database has not been migrated; ``max_jobs``, which only a
        local worker can count.
        JobDied: a pool has ended unasked.
    """
    if max_jobs is not None:
        raise ConfigurationError("--max-jobs is for RIWAYAT_QUEUE=local; with celery use --max-seconds.")
    limits = policy.Limits(None, max_seconds, stop_when_empty)
    equipment = replace(preload_and_open(settings, queues, slots, cancel_query, limits), chores=chores)
    pools = Pools(settings, run_job, equipment.me, equipment.slots)
    with closing(WakeSocket(settings, equipment.me.id)) as wakeup, closing(Broker(settings)) as broker:
        return CeleryWorker(equipment, wakeup, CeleryDispatcher(equipment.ledger, broker), pools).run()


class Pools:
    """One child that runs jobs/celery/pool.py a queue, and the lifeline by which they and their
    processes hear of the worker.

    Starts them at once; the caller has one thread and no connection.
    """

    def __init__(self, settings: Settings, run_job: RunJob, me: WorkerInfo, slots: Mapping[str, int]) -> None:
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
        """Return whether any runs."""
        self.ended()
        return bool(self._pids)

    def drain(self) -> None:
        """Let them finish their jobs, begin none, and end."""
        for pid in self._pids.values():  # not reaped yet, so they cannot be others'
            os.kill(pid, signal.SIGTERM)

    def requeue(self) -> None:
        """Let their processes finish what is nearly done and give the other jobs back; a second
        call does not wait for any.
        """
        with suppress(OSError):
            self._ours.send(b"!")

    def end(self) -> None:
        """Nothing of them is left when this returns: what did not end in time is killed with all
        its processes.
        """
        self.drain()
        self.requeue()
        self.requeue()
        deadline_s = time.monotonic() + _END_S
        while self.are_alive and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        for pid in self._pids.values():
            end_child(pid)
        self._ours.close()


class CeleryWorker(Supervisor):
    """The loop of :func:`run_celery_worker`; :meth:`run` raises JobDied when a pool dies."""

    def __init__(self, equipment: Equipment, wakeup: WakeSocket, dispatcher: CeleryDispatcher, pools: Pools) -> None:
        super().__init__(equipment, wakeup)
        self._dispatcher = dispatcher
        self._pools = pools
        self._broker_answers = False
        self._stops_told = 0
        self._told_to_end = False

    def _watch(self) -> None:
        """Send lost messages."""
        try:
            self._dispatcher.tick()
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))
        except BROKER_TROUBLE as exc:
            self._log.error("the broker does not answer", error=str(exc))
            self._broker_answers = False
            return
        if not self._broker_answers:
            self._broker_answers, self._heartbeat_at_s = True, 0.0  # say so at once

    def _sign_of_life(self) -> bool:
        """Say that jobs can be run here, if they can come here."""
        return self._broker_answers and self._ledger.heartbeat(self._me)

    def _work(self) -> None:
        if self._limits.stop_when_empty:
            self._empty = self._ledger.waiting(self._me.queues) == 0 and self._running() == 0

    def _running(self) -> int:
        """Return how many jobs run here."""
        query = select(func.count()).where(job.c.status == Status.RUNNING, job.c.worker == self._me.id)
        with self._ledger.engine.connect() as connection:
            return connection.scalar(query) or 0

    def _is_over(self) -> bool:
        """Pass on what the pools must know; True when they have ended, as they were told to."""
        if self._is_ending() and not self._told_to_end:
            self._told_to_end = True
            self._pools.drain()
        while self._stops_told < min(self._signals.stops, 2):
            self._stops_told += 1
            self._pools.requeue()
        if not self._told_to_end and (ended := self._pools.ended()):
            queue, status = next(iter(ended.items()))
            raise JobDied("The Celery worker of queue {queue} ended with exit code {status}.", queue=queue, status=status)
        return not self._pools.are_alive

    def _stop_all(self) -> None:
        self._pools.end()
