"""Who is asking, and what they may see. Web process,
manager and job child all ask here before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from access.addresses import is_local_host, is_trusted_proxy, parse_address, parse_addresses
from access.denials import denial_reason
from access.embeds.embed_table import rights_of_user
from access.grants import Purpose, Rights
from access.names import EMBED_OWNER, LOCAL_USER, is_reserved, is_usable
from access.scopes import ALL_SCOPES, Scope
from access.store import AccessStore
from config import Settings
from data.request import HistoryRequest
from data.time.epoch import epoch_ms
from errors import NotAuthenticated, NotPermitted

Via = Literal["none", "login", "proxy", "key", "embed", "ingest", "command"]

_MOST_GROUPS = 200  # that a proxy may name of one user
# what may stand around a header's value; any other space is part of a name, and makes it unusable
_HEADER_SPACE = " \t"
_PROXY_HEADERS = frozenset({"forwarded", "x-real-ip", "via"})


@dataclass(frozen=True)
class Identity:
    """A user, key or viewer who asks, with the rights of this moment: it is never stored.

    ``via`` is how we know who it is, ``scopes`` what a key or a token may be used for.
    An administrator may see everybody's jobs.
    """

    user: str
    admin: bool = False
    via: Via = "none"
    rights: Rights = field(default_factory=Rights)
    scopes: frozenset[Scope] = ALL_SCOPES
    maker: str = ""  # of the embedded chart that is looked at

    @property
    def counts_with(self) -> str:
        """The user among whose shares of queue and threads this one's are:
        the viewer of a chart takes its maker's.
        """
        return self.maker or self.user


def identify(settings: Settings, access: AccessStore, remote_addr: str | None, headers: Mapping[str, str]) -> Identity:
    """The identity behind a request.

    ``remote_addr`` must be the peer address of the socket,
    not one that a header claims (no ProxyFix before this).

    Raises:
        NotAuthenticated: AUTH=proxy, and the proxy named no user.
        NotPermitted: the request came a way that AUTH forbids, or the user's account is disabled.
        SQLAlchemyError: the database does not answer.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if settings.auth == "none":
        return owner_identity(settings, access, _local_user(remote_addr, lower))
    return present_identity(settings, access, _proxy_user(settings, remote_addr, lower), _proxy_groups(settings, lower))


def present_identity(
    settings: Settings, access: AccessStore, user: str, groups: Iterable[str] | None = None, *, via: Via | None = None
) -> Identity:
    """Return the identity of ``user``, who has just proved it; ``groups`` as a proxy names them.

    Raises:
        NotPermitted: the account is disabled.
    """
    found = access.account_rights(user, None if groups is None else frozenset(groups))
    if found.disabled:
        raise NotPermitted("The account {name} is disabled. Ask your administrator.", name=user)
    return Identity(user, found.admin, via or settings.auth, found.rights)


def owner_identity(settings: Settings, access: AccessStore, owner: str) -> Identity:
    """The identity of a user who was identified before, such as the owner of a job,
    with today's rights; disabled: none.
    """
    if owner.startswith(EMBED_OWNER):
        rights, maker = rights_of_user(access, owner, epoch_ms())
        return Identity(owner, via="embed", rights=rights, maker=maker)
    found = access.account_rights(owner)
    return Identity(owner, found.admin, settings.auth, found.rights)


def may_see(identity: Identity, owner: str) -> bool:
    """Return whether the jobs of ``owner`` are the identity's to see, cancel and retry."""
    return identity.admin or identity.user == owner


def may_see_details(settings: Settings, identity: Identity) -> bool:
    """Return whether the identity may see tracebacks: they hold paths, hosts, statements.
    Without sign-in there is one user.
    """
    return settings.auth == "none" or identity.admin


def authorise(identity: Identity, request: HistoryRequest, purpose: Purpose = Purpose.VIEW) -> None:
    """Raise unless the whole request is granted to the identity for the purpose.

    Raises:
        NotAuthenticated: the identity is no user's.
        UnknownStation, UnknownSensor: nothing at all is granted of one. Where the site is at hand,
            ask :func:`access.restricted_site.require_permission` instead: its errors have the same
            words as those of unknown names.
        NotPermitted: it is known, but not granted so; says what is.
    """
    if not identity.user:
        raise NotAuthenticated("Please sign in.")
    if not identity.rights.allows(request, purpose):
        raise denial_reason(identity.rights, request, purpose)


def may_read_metrics(settings: Settings, remote_addr: str | None, headers: Mapping[str, str]) -> None:
    """Raise NotPermitted unless the request comes straight from one of METRICS_ADDRESSES.

    Behind a proxy of this machine everybody has its address,
    so what came through a proxy is refused.
    """
    trusted = parse_addresses(settings.metrics_addresses)
    if _came_through_proxy(name.lower() for name in headers) or parse_address(remote_addr) not in trusted:
        raise NotPermitted


def _came_through_proxy(names: Iterable[str]) -> bool:
    """Return whether one of the headers (their names in lower case) is a proxy's."""
    return any(name.startswith("x-forwarded-") or name in _PROXY_HEADERS for name in names)


def _local_user(remote_addr: str | None, headers: Mapping[str, str]) -> str:
    """The one user of AUTH=none: only from this machine, and only without a proxy,
    behind which anybody may be.
    """
    if _came_through_proxy(headers):
        raise NotPermitted("This site has no sign-in, so it cannot be used through a proxy; set RIWAYAT_AUTH=proxy.")
    address = parse_address(remote_addr)
    if address is None or not address.is_loopback:
        raise NotPermitted("This site has no sign-in, so it serves this computer only; set RIWAYAT_AUTH=proxy behind a proxy.")
    if not _is_local_name(headers.get("host", "localhost")):
        # A page elsewhere may point a name of its own to 127.0.0.1 and so read what only this
        # machine may (DNS rebinding).
        raise NotPermitted(
            "This site has no sign-in, so open it as localhost or 127.0.0.1; set RIWAYAT_AUTH=proxy for other names."
        )
    return LOCAL_USER


def _is_local_name(host: str) -> bool:
    """Return whether a Host header (a port may follow) means this machine."""
    name = host[: host.rfind(":")] if host.rfind(":") > host.rfind("]") else host
    return is_local_host(name.strip("[]"))


def _proxy_user(settings: Settings, remote_addr: str | None, headers: Mapping[str, str]) -> str:
    if not is_trusted_proxy(settings, remote_addr, headers):
        raise NotPermitted("Open the site through its proxy; this address is not trusted to identify users.")
    user = headers.get(settings.proxy_user_header.lower(), "").strip(_HEADER_SPACE)
    if not user:
        raise NotAuthenticated("Please sign in.")
    if not is_usable(user) or is_reserved(user):
        raise NotAuthenticated("The proxy sent a user name that cannot be used.")
    return user


def _proxy_groups(settings: Settings, headers: Mapping[str, str]) -> frozenset[str] | None:
    """Groups that the proxy names, those that can be one; None: it is not asked to name any."""
    if not settings.proxy_groups_header:
        return None
    names = [name.strip(_HEADER_SPACE) for name in headers.get(settings.proxy_groups_header.lower(), "").split(",")]
    return frozenset(name for name in names[:_MOST_GROUPS] if is_usable(name) and not is_reserved(name))
