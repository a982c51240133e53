"""A job that the one who asks may see. What comes from a Store or a URL is the browser's, so it is untrusted."""

from __future__ import annotations

from structlog.contextvars import bind_contextvars

from access.identity import Identity, may_see
from errors import JobNotFound
from jobs.job import Job
from jobs.ledger import Ledger


def visible_job(ledger: Ledger, identity: Identity, job_id: object) -> Job:
    """The job of that id.

    Raises:
        JobNotFound: there is none, it is not the identity's, or ``job_id`` is not even text; all alike.
    """
    if not isinstance(job_id, str):
        raise JobNotFound("There is no job {job_id}.", job_id="")
    job = ledger.get(job_id)
    bind_contextvars(job=job.id)  # for the lines of the request in hand
    if not may_see(identity, job.owner):
        raise JobNotFound("There is no job {job_id}.", job_id=job_id[:40])
    return job
