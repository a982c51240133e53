"""A job that the one who asks may see. What comes from a Store or a URL is the browser's, so it is untrusted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from sqlalchemy import select
from structlog.contextvars import bind_contextvars

from access.grants import Purpose
from access.identity import Identity, authorise, may_see
from errors import JobNotFound, UnknownSensor, UnknownStation
from jobs.job import Job, Status
from jobs.ledger import Ledger
from jobs.rows import ID_PATTERN, job_of
from jobs.tables import job as job_table

_LEAST_A_QUERY = 100  # jobs: where few of many are granted, few questions are enough


def visible_job(ledger: Ledger, identity: Identity, job_id: object) -> Job:
    """The job of that id, if its request is granted to the identity today.

    Raises:
        JobNotFound: there is none, it is not the identity's, nothing is granted of one of its stations or sensors (any more), or
            ``job_id`` is not even text; all alike.
        NotPermitted: it is the identity's, but its range, length or resolution is not granted (any more).
    """
    if not isinstance(job_id, str) or not ID_PATTERN.fullmatch(job_id):
        raise JobNotFound("There is no job {job_id}.", job_id=str(job_id)[:40])
    job = ledger.get(job_id)
    bind_contextvars(job=job.id)  # for the lines of the request in hand
    refuse_hidden(identity, job)
    return job


def refuse_hidden(identity: Identity, job: Job) -> None:
    """Raise as :func:`visible_job` unless the job is the identity's to see."""
    if not may_see(identity, job.owner):
        raise JobNotFound("There is no job {job_id}.", job_id=job.id)
    try:
        authorise(identity, job.request, Purpose.VIEW)
    except (UnknownStation, UnknownSensor):
        raise JobNotFound("There is no job {job_id}.", job_id=job.id) from None


def visible_jobs(
    ledger: Ledger, identity: Identity, owner: str | None, status: Status | None, limit: int, before: str | None = None
) -> list[Job]:
    """At most ``limit`` jobs, newest first, of an owner (None: everybody), leaving out what is not granted to the identity."""
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


def find_jobs(ledger: Ledger, job_ids: Collection[str]) -> dict[str, Job]:
    """Those of the jobs that are there, by id, whoever may see them; one question."""
    with ledger.engine.connect() as connection:
        rows = connection.execute(select(job_table).where(job_table.c.id.in_(job_ids)))
        return {found.id: found for found in map(job_of, rows)}
