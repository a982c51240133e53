"""People of tests."""

from __future__ import annotations

from access.grants import EVERYTHING, Grant, Rights
from access.identity import Identity
from access.store import AccessStore, open_access
from config import Settings
from jobs.ledger.ledger import Ledger


def person(user: str, *, admin: bool = False) -> Identity:
    """Somebody who may see everything: for tests that are about something else than rights."""
    return Identity(user, admin=admin, rights=EVERYTHING)


def granted(user: str, *grants: Grant) -> Identity:
    """Somebody with these grants and no other."""
    return Identity(user, via="proxy", rights=Rights(grants))


def grant_everyone(settings: Settings, grant: Grant | None = None) -> int:
    """Let everybody who signs in to a migrated site see all, or what a grant says;
    the id of the grant.
    """
    access = open_access(settings)
    try:
        return access.add_grant("everyone", "", grant or Grant(), by="test")
    finally:
        access.engine.dispose()


def forget_all(access: AccessStore, ledger: Ledger) -> None:
    """Leave a site that tests share without a grant and without a job."""
    for row in access.grants():
        access.remove_grant(row.id)
    for job in ledger.jobs(limit=1000):
        if not job.status.is_final:
            ledger.cancel(job.id)
    ledger.prune(older_than_s=-3600)
