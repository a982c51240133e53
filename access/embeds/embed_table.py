"""Charts in other pages as the table ``embed`` has them, and what may be seen through each now.
Times are int ms UTC.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog
from sqlalchemy import Row, insert, select, update

from access.audit.log import write_entry
from access.embeds.shown_rights import shown_rights
from access.embeds.spec import UNREADABLE, EmbedSpec
from access.grants import Rights
from access.names import EMBED_OWNER
from access.store import AccessStore
from access.tables import embed as embed_table
from data.time.epoch import epoch_ms

State = Literal["live", "expired", "revoked", "unreadable"]

log = structlog.get_logger(__name__)

_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Embed:
    """A chart in another page. ``id`` is public; ``origin`` the one that may frame it;
    no ``expires_ms``: it does not end.
    """

    id: str
    owner: str
    label: str
    spec: EmbedSpec
    origin: str
    created_ms: int
    expires_ms: int | None = None
    revoked_ms: int | None = None

    @property
    def user(self) -> str:
        """The name under which its jobs are loaded."""
        return EMBED_OWNER + self.id

    def state(self, now_ms: int) -> State:
        """Return whether it can be looked at."""
        if self.revoked_ms is not None:
            return "revoked"
        if self.spec is UNREADABLE:
            return "unreadable"
        return "expired" if self.expires_ms is not None and now_ms >= self.expires_ms else "live"


def new_embed(owner: str, label: str, spec: EmbedSpec, origin: str, expires_ms: int | None) -> Embed:
    """An embed that is in no table yet."""
    return Embed(secrets.token_hex(8), owner, label, spec, origin, epoch_ms(), expires_ms)


def add_embed(store: AccessStore, made: Embed) -> None:
    """Enter an embed."""
    values = {name: getattr(made, name) for name in ("id", "owner", "label", "origin", "created_ms", "expires_ms", "revoked_ms")}
    with store.engine.begin() as connection:
        connection.execute(insert(embed_table).values(shows=made.spec.to_json(), **values))
        write_entry(connection, "embed_made", _audit_fields(made))


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
    """Revoke an embed, so that no viewer sees it any more; the first time counts."""
    with store.engine.begin() as connection:
        open_one = (embed_table.c.id == embed_id, embed_table.c.revoked_ms.is_(None))
        row = connection.execute(select(embed_table).where(embed_table.c.id == embed_id)).one_or_none()
        ended = update(embed_table).where(*open_one).values(revoked_ms=epoch_ms())
        if connection.execute(ended).rowcount and row is not None:
            write_entry(connection, "embed_revoked", _audit_fields(_embed(row)))


def embed_rights(store: AccessStore, found: Embed, now_ms: int) -> Rights:
    """Return the rights of a viewer of an embed now:
    nothing once it has ended, and never more than its owner may embed today.
    """
    if found.state(now_ms) != "live":
        return Rights()
    return shown_rights(found.spec, store.account_rights(found.owner).rights, now_ms)


def rights_of_user(store: AccessStore, user: str, now_ms: int) -> tuple[Rights, str]:
    """Return what :func:`embed_rights` does, by the name under which an embed's jobs are loaded;
    and who made it (empty: not known).
    """
    found = find_embed(store, user.removeprefix(EMBED_OWNER))
    return (Rights(), "") if found is None else (embed_rights(store, found, now_ms), found.owner)


def _audit_fields(found: Embed) -> dict[str, Any]:
    """An embed as the audit log tells it."""
    spec = found.spec
    subject = {"embed": found.id, "owner": found.owner, "label": found.label, "origin": found.origin}
    return subject | {"stations": list(spec.stations), "sensors": list(spec.sensors), "resolution": spec.resolution}


def _embed(row: Row[Any]) -> Embed:
    try:
        spec = EmbedSpec.from_json(row.shows)
    except ValueError as exc:  # no reason to hide the others
        log.warning("what an embedded chart shows cannot be read", embed=row.id, reason=str(exc))
        spec = UNREADABLE
    return Embed(row.id, row.owner, row.label, spec, row.origin, row.created_ms, row.expires_ms, row.revoked_ms)
