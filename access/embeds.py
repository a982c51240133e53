"""Making, finding and revoking charts in other pages, and the token that opens one.

A token is signed by the site's secret with a salt of its own, so that no session cookie is a token and no token a cookie. It
names the embed and its end, nothing else: what the chart shows stands in the table, and so changes at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from access.embed_table import Embed, add_embed, embed_rights, embeds, end_embed, find_embed, new_embed
from access.grants import Purpose
from access.identity import Identity
from access.names import EMBED_OWNER
from access.scopes import Scope
from access.seen import permit
from access.shown import Shows, check_label, check_origin
from access.store import AccessStore
from data.months import iso_utc
from data.request import HistoryRequest
from data.site import Site
from errors import Conflict, EmbedExpired, EmbedInvalid, EmbedRevoked, InvalidRequest, NotFound, NotPermitted

_SALT: Final = "riwayat embedded chart 1"
MOST_EMBEDS: Final = 500  # of one owner that can be looked at; a token for each reader needs no embed of its own
_MOST_TOKEN: Final = 500  # characters


@dataclass(frozen=True)
class Viewed:
    """An embed whose token was right, and the identity of whoever looks at it."""

    embed: Embed
    identity: Identity


def make_embed(
    store: AccessStore,
    site: Site,
    identity: Identity,
    shows: Shows,
    origin: str,
    expires_ms: int | None,
    *,
    now_ms: int,
    label: str = "",
) -> Embed:
    """Enter an embed of the identity's; :func:`embed_token` makes what opens it.

    Raises:
        NotPermitted, UnknownStation, UnknownSensor: the identity may not embed all of what would be shown now.
        InvalidRequest: the origin or the label is wrong, or the end has passed.
        Conflict: the identity has too many of them.
    """
    if "embed" not in identity.scopes:
        raise NotPermitted
    if expires_ms is not None and expires_ms <= now_ms:
        raise InvalidRequest("The end of the link must lie in the future.", field="expires")
    if sum(one.state(now_ms) == "live" for one in embeds(store, identity.user)) >= MOST_EMBEDS:
        raise Conflict("{name} has {most} embedded charts; revoke some first.", name=identity.user, most=MOST_EMBEDS)
    checked = new_embed(identity.user, check_label(label), shows, check_origin(origin), expires_ms)
    shown = shows.request(now_ms)
    permit(site, identity, shown, Purpose.EMBED).inventory.named(shown.stations)  # a pattern may name a station that is not there
    add_embed(store, checked)
    return checked


def own_embed(store: AccessStore, identity: Identity, embed_id: str) -> Embed:
    """An embed that is the identity's to revoke: one's own, to administrators any.

    Raises:
        NotFound: there is none, or it is somebody else's; all alike.
    """
    found = find_embed(store, embed_id)
    if found is None or not (identity.admin or identity.user == found.owner):
        raise NotFound("There is no embedded chart {embed_id}.", embed_id=embed_id[:40])
    return found


def revoke(store: AccessStore, identity: Identity, embed_id: str) -> Embed:
    """From now on nobody sees it, whoever has a token; repeating it changes nothing.

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
        raise Conflict("This embedded chart is revoked or has expired; make a new one.")
    if expires_ms is not None and expires_ms <= now_ms:
        raise InvalidRequest("The end of the link must lie in the future.", field="expires")
    return _signer(secret).dumps({"embed": found.id, "expires": _earlier(expires_ms, found.expires_ms)})


def view_embed(store: AccessStore, secret: str, token: str, now_ms: int) -> Viewed:
    """The embed that a token opens, with an identity that has today's rights.

    Raises:
        EmbedInvalid: the token is not ours, was changed, or names an embed that is gone.
        EmbedExpired, EmbedRevoked: it was right once.
    """
    embed_id, expires_ms = _read(secret, token)
    found = find_embed(store, embed_id)
    if found is None:
        raise EmbedInvalid
    if found.revoked_ms is not None:
        raise EmbedRevoked
    end_ms = _earlier(expires_ms, found.expires_ms)
    if end_ms is not None and now_ms >= end_ms:
        raise EmbedExpired(
            "The link of this chart expired on {date}; ask its owner for a new one.", date=iso_utc(end_ms // 60_000 * 60_000)
        )
    return Viewed(found, _identity(store, found, now_ms))


def refuse_other_than_shown(store: AccessStore, identity: Identity, request: HistoryRequest, now_ms: int) -> None:
    """Who looks at an embed may load what it shows, and no part of it; nothing is said of any other identity.

    Raises:
        NotPermitted: the request is another one.
    """
    if identity.via != "embed":
        return
    found = find_embed(store, identity.user.removeprefix(EMBED_OWNER))
    if found is None or not found.shows.is_shown(request, now_ms):
        raise NotPermitted("The link of an embedded chart opens nothing else.")


def identity_of_token(store: AccessStore, secret: str, token: str, now_ms: int) -> Identity:
    """The identity of whoever looks at an embed; raises as :func:`view_embed`."""
    return view_embed(store, secret, token, now_ms).identity


def _identity(store: AccessStore, found: Embed, now_ms: int) -> Identity:
    rights = embed_rights(store, found, now_ms)
    scopes: set[Scope] = {"load", "read"}
    if any(one.may_export for one in rights.grants):
        scopes.add("export")
    return Identity(found.user, via="embed", rights=rights, scopes=frozenset(scopes))


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
    """Whether the signature is written as we write it: base64 has other texts for the same bytes. The rest is signed as text."""
    signature = token.rpartition(".")[2].encode()
    return base64_encode(base64_decode(signature)) == signature


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((end for end in (one, other) if end is not None), default=None)
