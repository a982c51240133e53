"""Charts in other pages as the table ``embed`` has them, and what may be seen through each now. Times are int ms UTC."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Row, insert, select, update

from access.audit import write_entry
from access.grants import Rights
from access.names import EMBED_OWNER
from access.shown import Shows, shown_rights
from access.store import AccessStore
from access.tables import embed as embed_table

State = Literal["live", "expired", "revoked"]

_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Embed:
    """A chart in another page. ``id`` is public; ``origin`` the one that may frame it; no ``expires_ms``: it does not end."""

    id: str
    owner: str
    label: str
    shows: Shows
    origin: str
    created_ms: int
    expires_ms: int | None = None
    revoked_ms: int | None = None

    @property
    def user(self) -> str:
        """The name under which its jobs are loaded."""
        return EMBED_OWNER + self.id

    def state(self, now_ms: int) -> State:
        """Whether it can be looked at."""
        if self.revoked_ms is not None:
            return "revoked"
        return "expired" if self.expires_ms is not None and now_ms >= self.expires_ms else "live"


def new_embed(owner: str, label: str, shows: Shows, origin: str, expires_ms: int | None) -> Embed:
    """An embed that is in no table yet."""
    return Embed(secrets.token_hex(8), owner, label, shows, origin, time.time_ns() // 1_000_000, expires_ms)


def add_embed(store: AccessStore, made: Embed) -> None:
    """Enter an embed."""
    values = {name: getattr(made, name) for name in ("id", "owner", "label", "origin", "created_ms", "expires_ms", "revoked_ms")}
    with store.engine.begin() as connection:
        connection.execute(insert(embed_table).values(shows=made.shows.to_json(), **values))
        write_entry(connection, "embed_made", _told(made))


def find_embed(store: AccessStore, embed_id: object) -> Embed | None:
    """An embed by its public id, whatever is given for one; None when there is none."""
    if not isinstance(embed_id, str) or not _ID.fullmatch(embed_id):
        return None
    with store.engine.connect() as connection:
        row = connection.execute(select(embed_table).where(embed_table.c.id == embed_id)).one_or_none()
    return None if row is None else _embed(row)


def embeds(store: AccessStore, owner: str | None = None) -> list[Embed]:
    """An owner's embeds, or everybody's, newest first."""
    query = select(embed_table).order_by(embed_table.c.created_ms.desc(), embed_table.c.id)
    if owner is not None:
        query = query.where(embed_table.c.owner == owner)
    with store.engine.connect() as connection:
        return [_embed(row) for row in connection.execute(query)]


def end_embed(store: AccessStore, embed_id: str) -> None:
    """Nobody sees it any more; the first time counts."""
    with store.engine.begin() as connection:
        open_one = (embed_table.c.id == embed_id, embed_table.c.revoked_ms.is_(None))
        row = connection.execute(select(embed_table).where(embed_table.c.id == embed_id)).one_or_none()
        ended = update(embed_table).where(*open_one).values(revoked_ms=time.time_ns() // 1_000_000)
        if connection.execute(ended).rowcount and row is not None:
            write_entry(connection, "embed_revoked", _told(_embed(row)))


def embed_rights(store: AccessStore, found: Embed, now_ms: int) -> Rights:
    """What may be seen through an embed now: nothing once it has ended, and never more than its owner may embed today."""
    if found.state(now_ms) != "live":
        return Rights()
    return shown_rights(found.shows, store.standing(found.owner).rights, now_ms)


def rights_of_user(store: AccessStore, user: str, now_ms: int) -> Rights:
    """As :func:`embed_rights`, by the name under which an embed's jobs are loaded."""
    found = find_embed(store, user.removeprefix(EMBED_OWNER))
    return Rights() if found is None else embed_rights(store, found, now_ms)


def _told(found: Embed) -> dict[str, Any]:
    """An embed as the audit log tells it."""
    shows = found.shows
    subject = {"embed": found.id, "owner": found.owner, "label": found.label, "origin": found.origin}
    return subject | {"stations": list(shows.stations), "sensors": list(shows.sensors), "resolution": shows.resolution}


def _embed(row: Row[Any]) -> Embed:
    shows = Shows.from_json(row.shows)
    return Embed(row.id, row.owner, row.label, shows, row.origin, row.created_ms, row.expires_ms, row.revoked_ms)
