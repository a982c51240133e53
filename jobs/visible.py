"""A job that the one who asks may see. What comes from a Store or a URL is the browser's, so it is untrusted."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from structlog.contextvars import bind_contextvars

from access.identity import Identity, may_see
from errors import JobNotFound
from jobs.job import Job
from jobs.ledger import Ledger
from jobs.rows import ID_PATTERN, job_of
from jobs.tables import job as job_table


def visible_job(ledger: Ledger, identity: Identity, job_id: object) -> Job:
    """The job of that id.

    Raises:
        JobNotFound: there is none, it is not the identity's, or ``job_id`` is not even text; all alike.
    """
    if not isinstance(job_id, str) or not ID_PATTERN.fullmatch(job_id):
        raise JobNotFound("There is no job {job_id}.", job_id=str(job_id)[:40])
    job = ledger.get(job_id)
    bind_contextvars(job=job.id)  # for the lines of the request in hand
    if not may_see(identity, job.owner):
        raise JobNotFound("There is no job {job_id}.", job_id=job_id[:40])
    return job


def find_jobs(ledger: Ledger, job_ids: Collection[str]) -> dict[str, Job]:
    """Those of the jobs that are there, by id, whoever may see them; one question."""
    with ledger.engine.connect() as connection:
        rows = connection.execute(select(job_table).where(job_table.c.id.in_(job_ids)))
        return {found.id: found for found in map(job_of, rows)}
