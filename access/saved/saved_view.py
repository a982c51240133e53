"""Saved views as the table ``saved_view`` has them: saving, finding, changing and removing.
Times are int ms UTC.

One's own are there for oneself, shared ones also for others, as far as they may see the stations
and sensors; anything else does not exist for them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from access.audit.log import write_entry
from access.grants import Rights
from access.identity import Identity
from access.restricted_site import restricted_site
from access.saved.saved_selection import SavedSelection, check_saved_name
from access.store import AccessStore
from access.tables import saved_view as table
from data.site import Site
from data.time.epoch import DAY_MS, epoch_ms
from errors import Conflict, NotFound, NotPermitted, UnknownSensor

MOST_SAVED: Final = 200  # of one user
MOST_LISTED: Final = 200  # of other users

_ID: Final = re.compile(r"[0-9a-f]{16}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SavedView:
    """A saved view. ``id`` stands in its address; at most one of its owner's is ``home``."""

    id: str
    owner: str
    name: str
    shows: SavedSelection
    shared: bool
    home: bool
    created_ms: int
    changed_ms: int


def save_view(
    store: AccessStore,
    site: Site,
    identity: Identity,
    name: str,
    shows: SavedSelection,
    *,
    shared: bool = False,
    home: bool = False,
) -> SavedView:
    """Save a view of the identity's; a home replaces the one that was.

    Raises:
        InvalidRequest: the name cannot be one.
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted.
        Conflict: the identity has one of that name, or too many.
    """
    _require_known(site, identity, shows)
    now_ms, view_id = epoch_ms(), secrets.token_hex(8)
    values: dict[str, Any] = {"id": view_id, "owner": identity.user, "name": check_saved_name(name), "shows": shows.to_json()}
    values |= {"shared": shared, "home": home, "created_ms": now_ms, "changed_ms": now_ms}
    try:
        with store.engine.begin() as connection:
            own = select(func.count()).select_from(table).where(table.c.owner == identity.user)
            if connection.execute(own).scalar_one() >= MOST_SAVED:
                raise Conflict("{name} has {most} saved views; remove some first.", name=identity.user, most=MOST_SAVED)
            if home:
                _leave_home(connection, identity.user)
            connection.execute(insert(table).values(values))
            write_entry(connection, "view_saved", _audit_fields(values, shows))
    except IntegrityError:
        raise _taken(name) from None
    return _required(store, view_id)


def change_view(
    store: AccessStore,
    site: Site,
    identity: Identity,
    view_id: object,
    *,
    name: str | None = None,
    shows: SavedSelection | None = None,
    shared: bool | None = None,
    home: bool | None = None,
) -> SavedView:
    """Change what is given of a view of the identity's.

    Raises:
        NotFound: as :func:`visible_view`.
        NotPermitted: it is somebody else's.
        InvalidRequest, UnknownStation, UnknownSensor, Conflict: as :func:`save_view`.
    """
    found = visible_view(store, identity, view_id)
    if found.owner != identity.user:
        raise NotPermitted("Only {name} can change this saved view.", name=found.owner)
    if shows is not None:
        _require_known(site, identity, shows)
    values = {"name": None if name is None else check_saved_name(name), "shared": shared, "home": home}
    values |= {"shows": None if shows is None else shows.to_json()}
    changed = {column: value for column, value in values.items() if value is not None} | {"changed_ms": epoch_ms()}
    try:
        with store.engine.begin() as connection:
            if home:
                _leave_home(connection, identity.user)
            connection.execute(update(table).where(table.c.id == found.id).values(changed))
            write_entry(connection, "view_saved", _audit_fields(vars(found) | changed, shows or found.shows))
    except IntegrityError:
        raise _taken(name or found.name) from None
    return _required(store, found.id)


def remove_view(store: AccessStore, identity: Identity, view_id: object) -> None:
    """Remove a view of the identity's; an administrator may remove any that is shared.

    Raises:
        NotFound: as :func:`visible_view`.
        NotPermitted: it is somebody else's.
    """
    found = visible_view(store, identity, view_id)
    if found.owner != identity.user and not identity.admin:
        raise NotPermitted("Only {name} can remove this saved view.", name=found.owner)
    with store.engine.begin() as connection:
        if connection.execute(delete(table).where(table.c.id == found.id)).rowcount:
            write_entry(connection, "view_removed", _audit_fields(vars(found), found.shows))


def visible_view(store: AccessStore, identity: Identity, view_id: object) -> SavedView:
    """Return a view that is there for the identity, whatever is given for its id.

    Raises:
        NotFound: there is none, it is another user's and private, or its stations and sensors are
            not granted to the identity; all alike.
    """
    if isinstance(view_id, str) and _ID.fullmatch(view_id):
        with store.engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.id == view_id)).one_or_none()
        found = _view(row) if row is not None else None
        if found is not None and _is_visible(found, identity):
            return found
    raise NotFound("There is no saved view {view_id}.", view_id=str(view_id)[:40])


def visible_views(store: AccessStore, identity: Identity) -> list[SavedView]:
    """Return the views that are there for the identity: its own, then of the shared ones that were
    changed last, by name.
    """
    own = select(table).where(table.c.owner == identity.user)
    others = select(table).where(table.c.owner != identity.user, table.c.shared.is_(True))
    with store.engine.connect() as connection:
        rows = [*connection.execute(own), *connection.execute(others.order_by(table.c.changed_ms.desc()).limit(MOST_LISTED))]
    found = [_view(row) for row in rows]
    there = [one for one in found if one is not None and _is_visible(one, identity)]
    return sorted(there, key=lambda one: (one.owner != identity.user, one.name.casefold(), one.name, one.id))


def views_named(store: AccessStore, name: str, owner: str | None = None) -> list[SavedView]:
    """Return the views of a name, of one owner or of all, by owner; for commands, which may see
    everything.
    """
    query = select(table).where(table.c.name == name).order_by(table.c.owner)
    query = query if owner is None else query.where(table.c.owner == owner)
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [one for row in rows if (one := _view(row)) is not None and one.name == name]


def home_view(store: AccessStore, identity: Identity) -> SavedView | None:
    """Return the view that the identity has pinned as home, or None."""
    query = select(table).where(table.c.owner == identity.user, table.c.home.is_(True)).order_by(table.c.changed_ms.desc())
    with store.engine.connect() as connection:
        row = connection.execute(query.limit(1)).one_or_none()
    return _view(row) if row is not None else None


def _is_visible(found: SavedView, identity: Identity) -> bool:
    """One's own is; what its stations are called one has said oneself."""
    return found.owner == identity.user or (found.shared and _names_all(identity.rights, found.shows))


def _names_all(rights: Rights, shows: SavedSelection) -> bool:
    """Return whether something is granted of each of its series."""
    return rights.everything or all(rights.named(shows.request((0, DAY_MS))))


def _require_known(site: Site, identity: Identity, shows: SavedSelection) -> None:
    seen = restricted_site(site, identity.rights)
    for sensor in shows.sensors:
        seen.catalogue[sensor]
    seen.inventory.named(shows.stations)
    if not _names_all(identity.rights, shows):  # each of them, but not of one another
        raise UnknownSensor("Not all of these sensors are there at all of these stations.", field="sensors")


def _leave_home(connection: Connection, owner: str) -> None:
    connection.execute(update(table).where(table.c.owner == owner, table.c.home.is_(True)).values(home=False))


def _required(store: AccessStore, view_id: str) -> SavedView:
    with store.engine.connect() as connection:
        row = connection.execute(select(table).where(table.c.id == view_id)).one_or_none()
    found = None if row is None else _view(row)
    if found is None:  # removed meanwhile
        raise NotFound("There is no saved view {view_id}.", view_id=view_id)
    return found


def _taken(name: str) -> Conflict:
    return Conflict("You have a saved view {name} already.", field="name", name=name.strip())


def _audit_fields(values: Mapping[str, Any], shows: SavedSelection) -> dict[str, Any]:
    """A saved view as the audit log tells it."""
    subject = {"view": values["id"], **{name: values[name] for name in ("owner", "name", "shared")}}
    return subject | {"stations": list(shows.stations), "sensors": list(shows.sensors)}


def _view(row: Row[Any]) -> SavedView | None:
    """A row as a view; None of what another version wrote, which hides no other."""
    try:
        shows = SavedSelection.from_json(row.shows)
    except ValueError as exc:
        log.warning("what a saved view shows cannot be read", view=row.id, reason=str(exc))
        return None
    return SavedView(row.id, row.owner, row.name, shows, row.shared, row.home, row.created_ms, row.changed_ms)
