"""People of tests."""

from __future__ import annotations

from access.grants import EVERYTHING, Grant, Rights
from access.identity import Identity
from access.store import open_access
from config import Settings


def person(user: str, *, admin: bool = False) -> Identity:
    """Somebody who may see everything: for tests that are about something else than rights."""
    return Identity(user, admin=admin, rights=EVERYTHING)


def granted(user: str, *grants: Grant) -> Identity:
    """Somebody with these grants and no other."""
    return Identity(user, via="proxy", rights=Rights(grants))


def grant_everyone(settings: Settings, grant: Grant | None = None) -> int:
    """Let everybody who signs in to a migrated site see all, or what a grant says; the id of the grant."""
    access = open_access(settings)
    try:
        return access.add_grant("everyone", "", grant or Grant(), by="test")
    finally:
        access.engine.dispose()
