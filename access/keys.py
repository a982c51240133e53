"""Keys for scripts: ``rwk_ID_SECRET``. The database holds SHA-256 of the secret (256
random bits need no slow hash).

What a key may is never more than what its owner may at this moment; its scopes only take away.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from hmac import compare_digest
from ipaddress import ip_network
from typing import Any, Final

import structlog
from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from access.addresses import parse_address
from access.audit.log import Actor, acting, write_entry
from access.identity import Identity, present_identity
from access.names import LOCAL_USER, check_name
from access.scopes import ALL_SCOPES, SCOPES, Scope
from access.store import AccessStore
from access.tables import api_key
from config import Settings
from data.time.epoch import MINUTE_MS
from errors import InvalidKey, InvalidRequest, NotFound

PREFIX: Final = "rwk_"
MOST_KEYS: Final = 50  # valid keys of one owner
_TEXT: Final = re.compile(r"rwk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_ID: Final = re.compile(r"[0-9a-f]{16}")
_LONGEST_LABEL: Final = 100
_USED_EVERY_MS: Final = MINUTE_MS
_NOBODY: Final = hashlib.sha256(b"").hexdigest()

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept; times are int ms UTC. Its secret is not known to us.

    ``addresses`` are networks (``192.0.2.0/24``) from which it may be used; none: from anywhere.
    """

    id: str
    owner: str
    label: str
    scopes: frozenset[Scope]
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None
    used_ms: int | None
    addresses: tuple[str, ...] = ()

    def works(self, now_ms: int) -> bool:
        """Return whether it opens anything."""
        return self.revoked_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)


def new_key(
    access: AccessStore,
    owner: str,
    *,
    label: str,
    scopes: Collection[str],
    expires_ms: int | None,
    now_ms: int,
    addresses: Collection[str] = (),
) -> tuple[str, ApiKey]:
    """Make a key; its text is told this once.

    Raises:
        InvalidRequest: no name of a user, no label, an unknown scope or none,
            an end that has passed, no address, too many keys.
    """
    if owner != LOCAL_USER:
        check_name(owner)
    label = label.strip()
    if not 0 < len(label) <= _LONGEST_LABEL or not label.isprintable():
        raise InvalidRequest("Describe what the key is for, in 1 to {longest} characters.", field="label", longest=_LONGEST_LABEL)
    chosen = [scope for scope in SCOPES if scope in scopes]
    if not chosen or unknown_scopes(scopes):
        raise InvalidRequest("A key is for one or more of {scopes}.", field="scopes", scopes=", ".join(SCOPES))
    if expires_ms is not None and expires_ms <= now_ms:
        raise InvalidRequest("The key must expire in the future.", field="expires")
    if sum(key.works(now_ms) for key in keys_of(access, owner)) >= MOST_KEYS:
        raise InvalidRequest("{name} has {most} keys; revoke one first.", field="label", name=owner, most=MOST_KEYS)
    networks = tuple(_network(text) for text in addresses)
    made = ApiKey(secrets.token_hex(8), owner, label, frozenset(chosen), now_ms, expires_ms, None, None, networks)
    secret = secrets.token_urlsafe(32)
    values = {
        "id": made.id,
        "owner": owner,
        "label": label,
        "digest": _digest(secret),
        "scopes": json.dumps(chosen),
        "created_ms": now_ms,
        "expires_ms": expires_ms,
        "addresses": json.dumps(networks) if networks else None,
    }
    with access.engine.begin() as connection:
        connection.execute(insert(api_key).values(values))
        limits = {"addresses": list(networks)} if networks else {}
        write_entry(connection, "key_made", _audit_fields(made) | {"scopes": chosen} | limits)
    return f"{PREFIX}{made.id}_{secret}", made


def unknown_scopes(scopes: Collection[str]) -> list[str]:
    """Return those of some scopes that do not exist."""
    return [scope for scope in scopes if scope not in ALL_SCOPES]


def keys_of(access: AccessStore, owner: str | None = None) -> list[ApiKey]:
    """Keys of one owner, or of all, newest first; also those that no longer work."""
    query = select(api_key).order_by(api_key.c.created_ms.desc(), api_key.c.id)
    if owner is not None:
        query = query.where(api_key.c.owner == owner)
    with access.engine.connect() as connection:
        return [_key_of(row) for row in connection.execute(query)]


def revoke_key(access: AccessStore, key_id: str, now_ms: int, *, owner: str | None = None) -> ApiKey:
    """End a key for good; repeating it changes nothing. ``owner``: only if it is theirs.

    Raises:
        NotFound: there is no such key, or it is another user's.
    """
    if not _ID.fullmatch(key_id):
        raise NotFound("There is no key {key}.", key=repr(key_id[:40]))
    with access.engine.begin() as connection:
        row = connection.execute(select(api_key).where(api_key.c.id == key_id)).one_or_none()
        if row is None or owner not in (None, row.owner):
            raise NotFound("There is no key {key}.", key=key_id[:40])
        this = (api_key.c.id == key_id, api_key.c.revoked_ms.is_(None))
        if connection.execute(update(api_key).where(*this).values(revoked_ms=now_ms)).rowcount:
            write_entry(connection, "key_revoked", _audit_fields(_key_of(row)))
    return replace(_key_of(row), revoked_ms=row.revoked_ms or now_ms)


def find_key(settings: Settings, access: AccessStore, text: str, now_ms: int, address: str = "") -> Identity:
    """Return the identity that a key stands for, with today's rights and the key's scopes;
    ``address`` is where it is sent from.

    Raises:
        InvalidKey: it is no key of this site, or it was revoked, or its time is over, or it is not
            for this address, or it is this machine's own on a site with sign-in.
        NotPermitted: its owner's account is disabled.
    """
    parts = _TEXT.fullmatch(text)
    row = None
    if parts:
        with access.engine.connect() as connection:
            row = connection.execute(select(api_key).where(api_key.c.id == parts[1])).one_or_none()
    right = compare_digest(_digest(parts[2] if parts else ""), row.digest if row else _NOBODY)
    if row is None or not right:
        raise InvalidKey("This is not a key of this site.")
    key = _key_of(row)
    # made before anybody had to sign in; now it would open everything
    if key.owner == LOCAL_USER and settings.auth != "none":
        raise InvalidKey("This is not a key of this site.")
    if key.revoked_ms is not None:
        raise InvalidKey("This key was revoked.")
    if not key.works(now_ms):
        raise InvalidKey("This key has expired.")
    if key.addresses and not _is_in(address, key.addresses):
        raise InvalidKey("This key cannot be used from the address {address}.", address=address or "?")
    found = present_identity(settings, access, key.owner, via="key")
    _note_use(access, key, now_ms)
    return replace(found, scopes=key.scopes, admin=found.admin and "admin" in key.scopes)


def _network(text: str) -> str:
    """An address or a network, as it is written."""
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError:
        raise InvalidRequest(
            "{text} is not an address or network, such as 192.0.2.7 or 192.0.2.0/24.", field="addresses", text=repr(text[:60])
        ) from None


def _is_in(address: str, networks: Iterable[str]) -> bool:
    found = parse_address(address)
    return found is not None and any(found in ip_network(network) for network in networks)


def _note_use(access: AccessStore, key: ApiKey, now_ms: int) -> None:
    """Note the use of a key, once a minute at most:
    a write at each request would be in everybody's way.
    """
    if key.used_ms is not None and now_ms - key.used_ms < _USED_EVERY_MS:
        return
    try:
        with access.engine.begin() as connection:
            connection.execute(update(api_key).where(api_key.c.id == key.id).values(used_ms=now_ms))
            if key.used_ms is None:
                write_entry(connection, "key_used", _audit_fields(key), actor=Actor(key.owner, "key", acting().address))
    except SQLAlchemyError as error:  # a database that cannot be written can still be read
        log.error("the use of a key could not be noted", key=key.id, error=str(error))


def _audit_fields(key: ApiKey) -> dict[str, str]:
    """A key as the audit log names it."""
    return {"key": key.id, "owner": key.owner, "label": key.label}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key_of(row: Row[Any]) -> ApiKey:
    times = (row.created_ms, row.expires_ms, row.revoked_ms, row.used_ms)
    try:
        scopes = frozenset(json.loads(row.scopes)) & ALL_SCOPES
        addresses = tuple(str(ip_network(text)) for text in json.loads(row.addresses or "[]"))
    except (ValueError, TypeError):  # it opens nothing, and hides no other
        scopes, addresses = frozenset(), ()
    return ApiKey(row.id, row.owner, row.label, scopes, *times, addresses)
