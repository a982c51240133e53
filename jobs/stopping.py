"""Ending what a killed child has left: queries on the server of its source, half a workbook on the disk.

A process of its own does it, so that the supervisor never holds a connection to that server nor waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.site import open_site
from data.workbooks import WorkbookShelf
from jobs.process import fork_child, poll_child

CancelQuery = Callable[[str, int], None]

# Seconds after the kill: a session that was about to begin then shows its name only a little later.
_LOOKS_S = (0.0, 0.1, 0.3, 0.6, 1.0)
_END_S = 3.0  # a worker that ends waits at most this long
_POLL_S = 0.02

log = structlog.get_logger(__name__)


def session_name(job_id: str, attempt: int) -> str:
    """How the server shows the sessions of one attempt."""
    return f"riwayat-{job_id}-{attempt}"


def draft_name(job_id: str, attempt: int) -> str:
    """How the workbook that an attempt writes is called until it is finished."""
    return f"{job_id}-{attempt}"


def make_cancel_query(settings: Settings) -> CancelQuery | None:
    """``cancel_query(job_id, attempt)``, to be run in a process of its own; None where nothing can be left running."""
    if not open_site(settings).source.outlives_client:
        return None

    def cancel_query(job_id: str, attempt: int) -> None:
        source, began_s, stopped = open_site(settings, session_name="riwayat-stop").source, time.monotonic(), 0
        for look_s in _LOOKS_S:
            time.sleep(max(0.0, began_s + look_s - time.monotonic()))
            try:
                stopped += source.stop_queries(session_name(job_id, attempt))
            except SQLAlchemyError as exc:
                log.warning("the queries could not be stopped", job=job_id, error=str(exc).splitlines()[0])
        if stopped:
            log.info("queries stopped", job=job_id, attempt=attempt, sessions=stopped)

    return cancel_query


class QueryStopper:
    """The processes that are stopping queries now. The caller of :meth:`stop` holds no connection: it forks.

    ``shelf`` is where the attempt may have left half a workbook.
    """

    def __init__(self, cancel_query: CancelQuery | None, shelf: WorkbookShelf) -> None:
        self._cancel_query = cancel_query
        self._shelf = shelf
        self._pids: set[int] = set()

    def stop(self, job_id: str, attempt: int) -> None:
        """Remove the files that an attempt left, and begin to stop its queries; returns at once."""
        self._shelf.remove_draft(draft_name(job_id, attempt))
        if self._cancel_query is None:
            return
        try:
            self._pids.add(fork_child(partial(self._cancel_query, job_id, attempt)))
        except OSError as exc:  # no process or no memory left: then the server's own time limit holds
            log.warning("the queries could not be stopped", job=job_id, error=str(exc))

    def reap(self) -> None:
        """Notice those that have ended."""
        self._pids = {pid for pid in self._pids if poll_child(pid) is None}

    def finish(self) -> None:
        """Wait until all have ended, but not long."""
        deadline_s = time.monotonic() + _END_S
        while self._pids and time.monotonic() < deadline_s:
            self.reap()
            time.sleep(_POLL_S)
