"""The words of the queue: a job, its status, its progress, its error. Plain frozen records;
no database.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from data.flag_choice import USUAL_FLAGS, FlagChoice, read_flags
from data.request import HistoryRequest
from data.time.months import iso_utc, month_name
from errors import RiwayatError
from jobs.policy import FILE_FORMATS
from redaction import without_secrets

Metrics = Mapping[str, float | int]


class Status(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"  # waits for a worker, or for the end of its back-off
    RUNNING = "running"  # a child process of a worker holds it under a lease
    COMPLETED = "completed"  # every tile of the request is there
    FAILED = "failed"  # no attempt is left, or trying again cannot help
    CANCELLED = "cancelled"  # a user said so; what was read stays

    @property
    def is_final(self) -> bool:
        """Return whether nothing more happens unless a user retries it."""
        return self in ENDED


_NO_STACK = "can't start new thread"  # Python's RuntimeError when memory for its stack is refused

ACTIVE = (Status.QUEUED, Status.RUNNING)
ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.FAILED}),
    Status.RUNNING: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.QUEUED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.CANCELLED: frozenset({Status.QUEUED}),
}


def sources_of(target: Status) -> tuple[Status, ...]:
    """The statuses from which a job may become ``target``."""
    return tuple(status for status in Status if target in TRANSITIONS[status])


@dataclass(frozen=True)
class Progress:
    """How far a job is. ``fraction`` is 0..1; ``month`` as in data/time/months.py;
    ``rows`` are observations × sensors.
    """

    fraction: float
    tiles_done: int
    tiles_total: int
    rows: int
    rows_total: int
    station: str | None = None
    month: int | None = None
    seconds_left: float | None = None

    def to_json(self) -> str:
        """JSON; :meth:`from_json` is the inverse."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Progress:
        """The progress that :meth:`to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class JobError:
    """Why an attempt failed: an English template (a msgid), its fields, and details to copy."""

    code: str
    template: str
    params: Mapping[str, Any] = field(default_factory=dict)
    retryable: bool = False
    details: str = ""

    @property
    def message(self) -> str:
        """The English sentence."""
        return self.template.format(**self.params) if self.params else self.template

    @classmethod
    def of(cls, exc: BaseException) -> JobError:
        """The error of any exception, with its traceback as details;
        what looks like a password is left out of them.
        """
        details = without_secrets("".join(traceback.format_exception(exc))) if exc.__traceback__ else ""
        if isinstance(exc, RiwayatError):
            return cls(exc.code, exc.template, exc.params, exc.retryable, details)
        if isinstance(exc, MemoryError) or str(exc) == _NO_STACK:
            return cls(
                "memory",
                "The job needed more memory than it is allowed; load a shorter range or fewer sensors at a time.",
                {},
                False,
                details,
            )
        return cls("unexpected", "Something unexpected happened: {kind}.", {"kind": type(exc).__name__}, False, details)

    def to_json(self) -> str:
        """JSON; fields that are not JSON become text."""
        return json.dumps(asdict(self), default=str, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> JobError:
        """The error that :meth:`to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Job:
    """One run of load_history for one request and one owner; a row of the ledger.
    Times are int ms UTC.

    ``attempt`` numbers the claims: what an older attempt writes is refused. ``failures`` counts
    failed attempts; the job fails for good at ``tries`` of them. ``version`` grows with every
    published progress and change of status. ``error`` is the last attempt's, also while the job
    waits for its next one. ``share`` is the user with whom it counts (jobs/ledger/fair_order.py).
    ``inquiry`` is what a job of an analysis is asked: analysis.inquiry.Inquiry as JSON.
    """

    id: str
    owner: str
    kind: str
    queue: str
    request: HistoryRequest
    status: Status
    progress: Progress | None
    version: int
    attempt: int
    failures: int
    tries: int
    timeout_s: float
    rows_estimate: int
    created_ms: int
    queued_ms: int
    started_ms: int | None
    finished_ms: int | None
    not_before_ms: int
    error: JobError | None
    metrics: Metrics
    share: str = ""
    inquiry: str | None = None


@dataclass(frozen=True)
class WorkerInfo:
    """A worker that sent a sign of life lately. ``seen_ms`` and ``started_ms`` are int
    ms UTC of the database's clock.
    """

    id: str
    host: str
    pid: int
    queues: tuple[str, ...]
    slots: int
    started_ms: int
    seen_ms: int


def file_flags(job: Job) -> FlagChoice | None:
    """Return the flags of rules that count in the file that a job writes; None of a job that
    writes none.
    """
    if job.kind not in FILE_FORMATS:
        return None
    return read_flags(json.loads(job.inquiry)["flags"]) if job.inquiry else USUAL_FLAGS


def job_json(job: Job) -> dict[str, Any]:
    """A job as ``GET /api/jobs/ID`` and ``queue list --json`` give it:
    times ISO 8601 UTC, null where there is none.
    """
    return {
        "id": job.id,
        "status": job.status.value,
        "queue": job.queue,
        "owner": job.owner,
        "kind": job.kind,
        "inquiry": _inquiry_json(job.inquiry),
        "flags": file_flags(job),
        "request": {
            "stations": list(job.request.stations),
            "sensors": list(job.request.sensors),
            "start": iso_utc(job.request.start_ms),
            "end": iso_utc(job.request.end_ms),
            "resolution": job.request.resolution,
            "timezone": job.request.timezone,
        },
        "progress": _progress_json(job.progress),
        "version": job.version,
        "created": iso_utc(job.created_ms),
        "started": None if job.started_ms is None else iso_utc(job.started_ms),
        "finished": None if job.finished_ms is None else iso_utc(job.finished_ms),
        "attempts": job.attempt,
        "failures": job.failures,
        "tries": job.tries,
        "error": None if job.error is None else {"code": job.error.code, "message": job.error.message},
        "metrics": dict(job.metrics),
    }


def _inquiry_json(text: str | None) -> dict[str, Any] | None:
    """What an analysis is asked, as ``GET /api/jobs/ID`` gives it."""
    if text is None:
        return None
    told = json.loads(text)
    if "analysis" not in told:  # of a file
        return None
    window = {"from": iso_utc(told["start_ms"]), "to": iso_utc(told["end_ms"])}
    return {
        "analysis": told["analysis"],
        **window,
        "options": json.loads(told["options"]),
        "flagged": told["flagged"],
        "flags": told.get("flags", "none"),
    }


def _progress_json(progress: Progress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    return asdict(progress) | {"month": None if progress.month is None else month_name(progress.month)}
