"""Addresses of machines, and what a trusted proxy says of the one behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hmac import compare_digest
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from config import Settings
from errors import ConfigurationError

SECRET_HEADER: Final = "x-riwayat-proxy-secret"  # noqa: S105 - its name

_PORT: Final = re.compile(r":[0-9]*$")

Address = IPv4Address | IPv6Address


def refuse_open_door(settings: Settings, hosts: Iterable[str]) -> None:
    """Refuse to listen beyond this machine without sign-in,
    where whoever reaches the site is its one user.

    Raises:
        ConfigurationError: AUTH=none, and one of the hosts to listen on is not this machine's own.
    """
    for host in hosts:
        if settings.auth == "none" and not is_local_host(host):
            raise ConfigurationError(
                "RIWAYAT_AUTH=none has no sign-in, so whoever reaches {host} would see everything. Listen on 127.0.0.1, or set"
                " RIWAYAT_AUTH=login or, behind a proxy that signs users in, RIWAYAT_AUTH=proxy.",
                host=host or "every address",
            )


def is_local_host(host: str) -> bool:
    """Return whether a host's name or address (without a port, IPv6 without brackets)
    means this machine to itself.
    """
    address = parse_address(host)
    return address.is_loopback if address else host.lower() == "localhost" or host.lower().endswith(".localhost")


def is_allowed_host(settings: Settings, host: str) -> bool:
    """Return whether the site may be called so; the port of the Host header does not count."""
    allowed = [_host_name(name) for name in settings.allowed_hosts.split(",") if name.strip()]
    name = _host_name(host)
    return not allowed or any(name == one or (one.startswith("*.") and name.endswith(one[1:])) for one in allowed)


def _host_name(host: str) -> str:
    """A host's name or address as all ways to write it have in common:
    without port, brackets, a dot at the end, capitals.
    """
    text = host.strip().lower()
    if text.count(":") == 1 or "]" in text:  # else the colons are those of an address
        text = _PORT.sub("", text)
    return text.removeprefix("[").removesuffix("]").rstrip(".")


def parse_address(text: str | None) -> Address | None:
    """Parse an address, one of IPv4 in IPv6's clothes as IPv4; None where it is none."""
    try:
        address = ip_address((text or "").strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=16)  # of the settings: each request asks several times
def parse_addresses(text: str) -> frozenset[Address]:
    """Addresses with commas between; what is none is left out."""
    return frozenset(found for part in text.split(",") if (found := parse_address(part)) is not None)


def is_trusted_proxy(settings: Settings, remote_addr: str | None, headers: Mapping[str, str]) -> bool:
    """Return whether the peer of the socket is the site's proxy:
    by its secret where there is one, else by its address.

    ``headers`` have names in lower case.
    """
    secret = settings.proxy_secret.get_secret_value()
    if secret:
        return compare_digest(headers.get(SECRET_HEADER, "").encode(), secret.encode())
    return parse_address(remote_addr) in parse_addresses(settings.proxy_addresses)


def came_by_tls(settings: Settings, remote_addr: str | None, headers: Mapping[str, str], scheme: str) -> bool:
    """Return whether a browser's request was encrypted; ``scheme`` is that of the socket."""
    if scheme == "https":
        return True
    says = headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
    return says == "https" and is_trusted_proxy(settings, remote_addr, headers)


def site_address(settings: Settings, remote_addr: str | None, headers: Mapping[str, str], scheme: str, host: str) -> str:
    """Scheme and host by which a browser has reached the site, to be told to that browser;
    ``host`` is the request's.
    """
    tls = came_by_tls(settings, remote_addr, headers, scheme)
    named = headers.get("x-forwarded-host", "").split(",")[-1].strip()
    shown = named if named and is_trusted_proxy(settings, remote_addr, headers) else host
    return f"{'https' if tls else 'http'}://{shown}"


def client_address(settings: Settings, remote_addr: str | None, headers: Mapping[str, str]) -> str:
    """The address that a request came from: the peer's,
    or behind a trusted proxy the last one that is no proxy of ours.
    """
    peer = remote_addr or ""
    if not is_trusted_proxy(settings, remote_addr, headers):
        return peer
    ours = parse_addresses(settings.proxy_addresses)
    for text in reversed(headers.get("x-forwarded-for", "").split(",")):
        found = parse_address(text)
        if found is None:
            return peer
        if found not in ours:
            return str(found)
        peer = str(found)
    return peer


def counted_addresses(settings: Settings, remote_addr: str | None, headers: Mapping[str, str]) -> tuple[str, str]:
    """What limits count a request by: the address that it came from,
    and the peer that says so without a proof; or empty.

    A proxy on this machine that is trusted by its address alone is such a peer: everybody with an
    account on this machine could say the same. Addresses that are made up for each request would
    never be counted twice, so the peer is counted as well.
    """
    address, peer = client_address(settings, remote_addr, headers), parse_address(remote_addr)
    proved = bool(settings.proxy_secret.get_secret_value())
    says = address != (remote_addr or "")
    return address, str(peer) if peer is not None and peer.is_loopback and says and not proved else ""
