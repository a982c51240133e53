"""Making, finding and revoking charts in other pages, and the token that opens one.

A token is signed by the site's secret with a salt of its own, so that no session cookie is a token
and no token a cookie. It names the embed and its end, nothing else: what the chart shows stands in
the table, and so changes at once.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from access.embeds.embed_table import Embed, add_embed, embed_rights, embeds, end_embed, find_embed, new_embed
from access.embeds.origin import check_origin
from access.embeds.spec import EmbedSpec, check_label
from access.grants import Purpose
from access.identity import Identity
from access.names import EMBED_OWNER
from access.restricted_site import require_permission
from access.scopes import Scope
from access.store import AccessStore
from data.request import HistoryRequest
from data.site import Site
from data.time.epoch import MINUTE_MS
from data.time.months import iso_utc
from errors import Conflict, EmbedExpired, EmbedInvalid, EmbedRevoked, InvalidRequest, NotFound, NotPermitted

_SALT: Final = "riwayat embedded chart 1"
# of one owner that can be looked at; a token for each reader needs no embed of its own
MOST_EMBEDS: Final = 500
_MOST_TOKEN: Final = 500  # characters


def make_embed(
    store: AccessStore,
    site: Site,
    identity: Identity,
    spec: EmbedSpec,
    origin: str,
    expires_ms: int | None,
    *,
    now_ms: int,
    label: str = "",
) -> Embed:
    """Enter an embed of the identity's; :func:`embed_token` makes what opens it.

    Raises:
        NotPermitted, UnknownStation, UnknownSensor:
            the identity may not embed all of what would be shown now.
        InvalidRequest: the origin or the label is wrong, or the end has passed.
        Conflict: the identity has too many of them.
    """
    if "embed" not in identity.scopes:
        raise NotPermitted
    if expires_ms is not None and expires_ms <= now_ms:
        raise InvalidRequest("The link must expire in the future.", field="expires")
    if sum(one.state(now_ms) == "live" for one in embeds(store, identity.user)) >= MOST_EMBEDS:
        raise Conflict("{name} has {most} embedded charts; revoke some first.", name=identity.user, most=MOST_EMBEDS)
    checked = new_embed(identity.user, check_label(label), spec, check_origin(origin), expires_ms)
    shown = spec.request(now_ms)
    require_permission(site, identity, shown, Purpose.EMBED).inventory.named(
        shown.stations
    )  # a pattern may name a station that is not there
    add_embed(store, checked)
    return checked


def own_embed(store: AccessStore, identity: Identity, embed_id: str) -> Embed:
    """An embed that is the identity's to revoke: one's own, to administrators any.

    Raises:
        NotFound: there is none, or it is another user's; all alike.
    """
    found = find_embed(store, embed_id)
    if found is None or not (identity.admin or identity.user == found.owner):
        raise NotFound("There is no embedded chart {embed_id}.", embed_id=embed_id[:40])
    return found


def revoke(store: AccessStore, identity: Identity, embed_id: str) -> Embed:
    """Revoke an embed: no viewer sees it from now on, with any token; repeating it changes nothing.

    Raises:
        NotFound: as :func:`own_embed`.
    """
    end_embed(store, own_embed(store, identity, embed_id).id)
    return own_embed(store, identity, embed_id)


def embed_token(secret: str, found: Embed, now_ms: int, expires_ms: int | None = None) -> str:
    """A token that opens an embed until the embed ends, or until an earlier end.

    Raises:
        Conflict: the embed is revoked or expired.
        InvalidRequest: the earlier end has passed.
    """
    if found.state(now_ms) != "live":
        raise Conflict("This embedded chart is revoked or has expired; create a new one.")
    if expires_ms is not None and expires_ms <= now_ms:
        raise InvalidRequest("The link must expire in the future.", field="expires")
    return _signer(secret).dumps({"embed": found.id, "expires": _earlier(expires_ms, found.expires_ms)})


def identity_of_token(store: AccessStore, secret: str, token: str, now_ms: int) -> Identity:
    """Return the identity of who views the embed that a token opens, with today's rights.

    Raises:
        EmbedInvalid: the token is not ours, was changed, or names an embed that is gone.
        EmbedExpired, EmbedRevoked: it was right once.
    """
    embed_id, expires_ms = _read(secret, token)
    found = find_embed(store, embed_id)
    if found is None or found.state(now_ms) == "unreadable":
        raise EmbedInvalid
    if found.revoked_ms is not None:
        raise EmbedRevoked
    end_ms = _earlier(expires_ms, found.expires_ms)
    if end_ms is not None and now_ms >= end_ms:
        date = iso_utc(end_ms // MINUTE_MS * MINUTE_MS)
        raise EmbedExpired("The link of this chart expired on {date}; ask its owner for a new one.", date=date)
    return _identity(store, found, now_ms)


def refuse_other_than_shown(store: AccessStore, identity: Identity, request: HistoryRequest, now_ms: int) -> None:
    """Refuse the viewer of an embed any request but what it shows; let every other identity pass.

    Raises:
        NotPermitted: the request is another one.
    """
    if identity.via != "embed":
        return
    found = find_embed(store, identity.user.removeprefix(EMBED_OWNER))
    if found is None or not found.spec.is_shown(request, now_ms):
        raise NotPermitted("The link of an embedded chart gives access to that chart only.")


def _identity(store: AccessStore, found: Embed, now_ms: int) -> Identity:
    rights = embed_rights(store, found, now_ms)
    scopes: set[Scope] = {"load", "read"}
    if any(one.may_export for one in rights.grants):
        scopes.add("export")
    return Identity(found.user, via="embed", rights=rights, scopes=frozenset(scopes), maker=found.owner)


def _signer(secret: str) -> URLSafeTimedSerializer:
    # The salt goes into the key: the same secret signs sessions with another one.
    return URLSafeTimedSerializer(secret, salt=_SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256})


def _read(secret: str, token: str) -> tuple[str, int | None]:
    """The embed's id and the end that a token of ours names."""
    try:
        found: Any = _signer(secret).loads(token) if len(token) <= _MOST_TOKEN and _is_as_spelt(token) else None
    except (BadData, ValueError):
        raise EmbedInvalid from None
    if not isinstance(found, dict) or not isinstance(found.get("embed"), str):
        raise EmbedInvalid
    expires = found.get("expires", 0)
    if expires is not None and (not isinstance(expires, int) or isinstance(expires, bool)):
        raise EmbedInvalid
    return found["embed"], expires


def _is_as_spelt(token: str) -> bool:
    """Return whether the signature is spelt as we spell it:
    base64 has other texts for the same bytes. The rest is signed.
    """
    signature = token.rpartition(".")[2].encode()
    return base64_encode(base64_decode(signature)) == signature


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((end for end in (one, other) if end is not None), default=None)
