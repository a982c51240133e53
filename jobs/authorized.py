"""Jobs that an identity is authorized to see. Job ids come from a Store or a URL,
so they are untrusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from structlog.contextvars import bind_contextvars

from access.grants import Purpose
from access.identity import Identity, authorise, may_see
from errors import JobNotFound, UnknownSensor, UnknownStation
from jobs.job import Job, Status
from jobs.ledger.job_records import ID_PATTERN
from jobs.ledger.ledger import Ledger

_LEAST_A_QUERY = 100  # jobs: where few of many are granted, few questions are enough


def authorized_job(ledger: Ledger, identity: Identity, job_id: object) -> Job:
    """Return the job of that id, if its request is granted to the identity today.

    Raises:
        JobNotFound: there is none, it is not the identity's, nothing is granted of one of its
            stations or sensors (any more), or ``job_id`` is not even text; all alike.
        NotPermitted: it is the identity's, but its range,
            length or resolution is not granted (any more).
    """
    return _allowed(identity, ledger.get(_usable(job_id)))


def followed_job(ledger: Ledger, identity: Identity, job_id: object, page: str) -> Job:
    """Return a job as :func:`authorized_job`, and note that the page goes on asking for it.

    Raises:
        JobNotFound, NotPermitted: as :func:`authorized_job`.
    """
    found, due = ledger.followed(_usable(job_id), page)
    job = _allowed(identity, found)
    if due:
        ledger.note_page(job.id, page)
    return job


def _usable(job_id: object) -> str:
    if not isinstance(job_id, str) or not ID_PATTERN.fullmatch(job_id):
        raise JobNotFound("There is no job {job_id}.", job_id=str(job_id)[:40])
    return job_id


def _allowed(identity: Identity, job: Job) -> Job:
    bind_contextvars(job=job.id)  # for the lines of the request in hand
    refuse_hidden(identity, job)
    return job


def refuse_hidden(identity: Identity, job: Job) -> None:
    """Raise as :func:`authorized_job` unless the job is the identity's to see."""
    if not may_see(identity, job.owner):
        raise JobNotFound("There is no job {job_id}.", job_id=job.id)
    try:
        authorise(identity, job.request, Purpose.VIEW)
    except (UnknownStation, UnknownSensor):
        raise JobNotFound("There is no job {job_id}.", job_id=job.id) from None


def may_embed(identity: Identity, job: Job) -> bool:
    """Return whether the identity may embed what one of its jobs shows."""
    return "embed" in identity.scopes and identity.rights.allows(job.request, Purpose.EMBED)


def authorized_jobs(
    ledger: Ledger, identity: Identity, owner: str | None, status: Status | None, limit: int, before: str | None = None
) -> list[Job]:
    """Return at most ``limit`` jobs, newest first, of an owner (None:
    of all), leaving out those not granted to the identity.
    """
    return list(islice(_granted(ledger, identity, owner, status, max(limit, _LEAST_A_QUERY), before), limit))


def _granted(
    ledger: Ledger, identity: Identity, owner: str | None, status: Status | None, some: int, before: str | None
) -> Iterator[Job]:
    while True:
        found = ledger.jobs(owner, status, some, before)
        yield from (job for job in found if identity.rights.allows(job.request, Purpose.VIEW))
        if len(found) < some:
            return
        before = found[-1].id
