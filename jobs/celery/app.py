"""Celery as Riwayat uses it: a broker that carries ids of jobs, and processes that stand ready.
No results, no pickles.

Only imported where ``RIWAYAT_QUEUE=celery``.
"""

from __future__ import annotations

import math
import os
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from kombu import Connection, Exchange, Queue

from config import Settings
from jobs.celery.message import Transport
from jobs.policy import QUEUES

LANES = 10  # Redis lists a queue, the first served first; see jobs/celery/dispatcher.py
SEPARATOR = ":"  # between a queue and its lane in the name of a list

# The supervisor of an attempt ends it at the job's own limit and writes why.
# Celery's limits are for a supervisor that hangs.
_SOFT_AFTER_S = 60
_HARD_AFTER_S = 90
_LEAST_VISIBILITY_S = 3600
_RETRY_S = 3.0
# for an answer of the broker: what a page did not send workers send,
# and a pool that waits neither works nor ends
WAIT_S = 1.0

# Celery's own would beat our settings
_OVERRULING = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")


def time_limits(timeout_s: float, patience_s: float) -> tuple[int, int]:
    """Celery's (soft, hard) limit, whole seconds, of a task whose job may take ``timeout_s``.

    Above it by what writing the end may take: ``patience_s`` with a ledger that does not answer.
    """
    base_s = math.ceil(timeout_s + patience_s)
    return base_s + _SOFT_AFTER_S, base_s + _HARD_AFTER_S


def visibility_timeout_s(settings: Settings) -> int:
    """Return after how many seconds Redis gives a message that nobody acknowledged to another
    worker: above any task's hard limit.
    """
    return max(_LEAST_VISIBILITY_S, 2 * time_limits(settings.job_timeout, settings.ledger_patience)[1])


class _Connection(Connection):
    """Tries again every few seconds when Redis is away, however long that was;
    Celery would wait half a minute in the end.

    What comes through it are messages of ours alone (jobs/celery/message.py).
    """

    def get_transport_cls(self) -> type[Transport]:
        return Transport

    def ensure_connection(self, *args: Any, **options: Any) -> Connection:
        return super().ensure_connection(*args, **{"interval_max": _RETRY_S} | options)


class _Amqp(AMQP):
    Connection = _Connection


def make_app(settings: Settings, *, client: bool = True) -> Celery:
    """The Celery application of a site; opens no connection.
    ``client``: it sends only, and gives up soon when it cannot.
    """
    transport: dict[str, Any] = {
        "global_keyprefix": settings.redis_prefix,
        "visibility_timeout": visibility_timeout_s(settings),
        "priority_steps": list(range(LANES)),
        "sep": SEPARATOR,
        "socket_connect_timeout": WAIT_S,
        "socket_timeout": WAIT_S,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    if client:
        transport |= {"max_retries": 1, "interval_start": 0, "interval_step": 0.1}
    for name in _OVERRULING:
        os.environ.pop(name, None)
    app = Celery("riwayat", broker=settings.redis_url, amqp=_Amqp, set_as_current=False, fixups=[])
    app.conf.update(
        broker_transport_options=transport,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=WAIT_S,
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
        task_default_queue=QUEUES[0],
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,  # a message stays the broker's until its task has ended
        task_reject_on_worker_lost=True,
        # A worker takes what it has a free process for. A multiplier counts the messages that are
        # not acknowledged instead, and would lose a process for good with each acknowledgement that
        # Redis did not get.
        worker_disable_prefetch=True,
        worker_prefetch_multiplier=0,
        # the ledger says who may go on, not the broker
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,  # whoever can write to Redis could shut workers down
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_proc_alive_timeout=60.0,  # a busy machine
        enable_utc=True,
    )
    return app
