"""Between the rows of the ledger and its records, and the one place where a status changes."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, update

from data.request import HistoryRequest
from errors import InvalidRequest
from jobs.job import Job, JobError, Metrics, Progress, Status, WorkerInfo, sources_of
from jobs.ledger import tables
from jobs.policy import TIMES, Shares

ID_PATTERN = re.compile(r"[a-z][A-Za-z0-9]{8,31}")  # what can be a job id at all

# Stands for a request that cannot be read: another version wrote it, or it is damaged.
UNREADABLE = HistoryRequest(("?",), ("?",), 0, 1)

_now = tables.now_ms()
# what reading JSON of another shape raises
_NONSENSE = (ValueError, TypeError, KeyError, AttributeError, InvalidRequest)


class LedgerBase:
    """An engine of the jobs database; opens no connection until used,
    holds none between calls that must survive a fork.
    """

    def __init__(self, engine: Engine, *, lease_ms: int = TIMES.lease_ms, shares: Shares | None = None) -> None:
        self.engine = engine
        self._lease_ms = lease_ms
        self._shares = shares or Shares()
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it takes the write lock at once,
        so that what it reads stays true.
        """
        with self._writing.begin() as connection:
            yield connection

    @staticmethod
    def _change(connection: Connection, target: Status, *conditions: ColumnElement[bool], **values: Any) -> bool:
        """Move the one job that fits to ``target``; return False when it is none or not legal."""
        if target.is_final:
            values = {"finished_ms": _now, "active_key": None, "worker": None, "lease_until_ms": None} | values
        statement = update(tables.job).where(tables.job.c.status.in_(sources_of(target)), *conditions)
        return connection.execute(statement.values(status=target, version=tables.job.c.version + 1, **values)).rowcount == 1


def new_id() -> str:
    """An unguessable job id (96 random bits), URL-safe;
    begins with a letter, so that it is never taken for an option.
    """
    return secrets.choice("abcdefghijklmnopqrstuvwxyz") + secrets.token_urlsafe(12).replace("-", "x").replace("_", "y")


def active_key(owner: str, kind: str, request: HistoryRequest, inquiry: str | None = None) -> str:
    """Return the key that is equal for equal requests of one owner:
    while one of them is active the next one joins it.
    """
    text = f"{owner}\0{kind}\0{request.to_json()}" + (f"\0{inquiry}" if inquiry else "")
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def key_after(job_id: str) -> str:
    """Return the key of jobs that are to begin after a job which runs, and are else equal to it."""
    return hashlib.blake2b(job_id.encode(), digest_size=16).hexdigest()


def job_of(row: Row[Any]) -> Job:
    """The record of a row of the table job. Never raises: what cannot be read is
    said in ``error`` or left out.
    """
    request = _request(row.request)
    return Job(
        id=row.id,
        owner=row.owner,
        share=row.share,
        kind=row.kind,
        queue=row.queue,
        request=request,
        inquiry=row.inquiry,
        status=Status(row.status),
        progress=_progress(row.progress),
        version=row.version,
        attempt=row.attempt,
        failures=row.failures,
        tries=row.tries,
        timeout_s=row.timeout_s,
        rows_estimate=row.rows_estimate,
        created_ms=row.created_ms,
        queued_ms=row.queued_ms,
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
        not_before_ms=row.not_before_ms,
        error=unreadable_error(row.request) if request is UNREADABLE else _error(row.error),
        metrics=metrics_of(row.metrics),
    )


def unreadable_error(text: str) -> JobError:
    """The error of a job whose request cannot be read; the request itself is in its details."""
    error = InvalidRequest("The request of this job cannot be read; another version may have written it. Load the data again.")
    return replace(JobError.of(error), details=text)


def _request(text: str) -> HistoryRequest:
    try:
        return HistoryRequest.from_json(text)
    except _NONSENSE:
        return UNREADABLE


def _progress(text: str | None) -> Progress | None:
    try:
        return None if text is None else Progress.from_json(text)
    except _NONSENSE:
        return None


def _error(text: str | None) -> JobError | None:
    try:
        return None if text is None else JobError.from_json(text)
    except _NONSENSE:
        return JobError("unexpected", "The load failed.", {}, False, text or "")


def metrics_of(text: str) -> Metrics:
    """The numbers of a job; none where they cannot be read."""
    try:
        return dict(json.loads(text))
    except _NONSENSE:
        return {}


def worker_of(row: Row[Any]) -> WorkerInfo:
    """The record of a row of the table worker."""
    try:
        queues = tuple(json.loads(row.queues))
    except _NONSENSE:
        queues = ()
    return WorkerInfo(row.id, row.host, row.pid, queues, row.slots, row.started_ms, row.seen_ms)
