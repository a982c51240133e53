"""Cleanup after a killed child: its queries on the server of its source,
its half-written file on the disk.

A process of its own does it, so that the supervisor never holds a connection
to that server nor waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.export.shelf import Shelf
from data.site import open_site
from data.source.connection.server_sessions import queries_survive_disconnect, stop_queries
from jobs.chromium import remove_browser_folder
from jobs.ledger.ledger import Ledger
from jobs.worker.process import fork_child, poll_child

CancelQuery = Callable[[str, int], None]

# Seconds after the kill: a session that was about to begin then shows its name only a little later.
_PAUSES_S = (0.0, 0.1, 0.3, 0.6, 1.0)
_END_S = 3.0  # a worker that ends waits at most this long
_POLL_S = 0.02

log = structlog.get_logger(__name__)


def session_name(job_id: str, attempt: int) -> str:
    """Return the name under which the server lists the sessions of one attempt."""
    return f"riwayat-{job_id}-{attempt}"


def draft_name(job_id: str, attempt: int) -> str:
    """Return the name of the file that an attempt writes, until it is finished."""
    return f"{job_id}-{attempt}"


def make_cancel_query(settings: Settings) -> CancelQuery | None:
    """``cancel_query(job_id, attempt)``, to be run in a process of its own;
    None where nothing can be left running.
    """
    if not queries_survive_disconnect(open_site(settings).source.engine):
        return None

    def cancel_query(job_id: str, attempt: int) -> None:
        source, began_s, stopped = open_site(settings, session_name="riwayat-stop").source, time.monotonic(), 0
        for pause_s in _PAUSES_S:
            time.sleep(max(0.0, began_s + pause_s - time.monotonic()))
            try:
                stopped += stop_queries(source.engine, session_name(job_id, attempt))
            except SQLAlchemyError as exc:
                log.warning("the queries could not be stopped", job=job_id, error=str(exc).splitlines()[0])
        if stopped:
            log.info("queries stopped", job=job_id, attempt=attempt, sessions=stopped)

    return cancel_query


class AttemptCleanup:
    """Cleanup after attempts, in processes of its own.
    The caller of :meth:`start` has one thread: it forks.

    ``shelf`` is where the attempt may have left half a file; ``ledger`` is
    the caller's.
    """

    def __init__(self, ledger: Ledger, cancel_query: CancelQuery | None, shelf: Shelf) -> None:
        self._ledger = ledger
        self._cancel_query = cancel_query
        self._shelf = shelf
        self._pids: set[int] = set()

    def start(self, job_id: str, attempt: int) -> None:
        """Remove the files that an attempt left, and begin to stop its queries; returns at once."""
        self._shelf.remove_draft(draft_name(job_id, attempt))
        remove_browser_folder(draft_name(job_id, attempt))
        if self._cancel_query is None:
            return
        self._ledger.engine.dispose()  # no connection may be carried across the fork
        try:
            self._pids.add(fork_child(partial(self._cancel_query, job_id, attempt)))
        except OSError as exc:
            # no process or no memory left: then the server's own time limit holds
            log.warning("the queries could not be stopped", job=job_id, error=str(exc))

    def reap(self) -> None:
        """Forget the processes that have ended."""
        self._pids = {pid for pid in self._pids if poll_child(pid) is None}

    def finish(self) -> None:
        """Wait until all processes have ended, 3 s at most."""
        deadline_s = time.monotonic() + _END_S
        while self._pids and time.monotonic() < deadline_s:
            self.reap()
            time.sleep(_POLL_S)
