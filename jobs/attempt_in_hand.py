"""What a kind of job that is made above jobs/ is given: one attempt, and the site around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from access.identity import Identity
from access.store import AccessStore
from data.site import Site
from jobs.job import Job, Metrics, Progress


@dataclass(frozen=True)
class AttemptInHand:
    """One attempt at a job whose request is granted to its ``owner`` today. ``seen`` is the site
    as the owner sees it, ``draft`` a name that no other attempt has; ``report`` publishes
    progress, and raises StaleAttempt when nobody wants the attempt any more.
    """

    site: Site
    seen: Site
    owner: Identity
    access: AccessStore
    job: Job
    draft: str
    report: Callable[[Progress], None]


Work = Callable[[AttemptInHand], Metrics]
"""Does what a job of a kind does, and returns its metrics."""

Works = Mapping[str, Work]
"""What to do for kinds of jobs that jobs/ itself does not know how to do."""
