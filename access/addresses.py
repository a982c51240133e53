"""Addresses of machines, and what a trusted proxy says of the one behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hmac import compare_digest
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from config import Settings
from errors import ConfigurationError

SECRET_HEADER: Final = "x-riwayat-proxy-secret"  # noqa: S105 - its name

Address = IPv4Address | IPv6Address


def refuse_open_door(settings: Settings, hosts: Iterable[str]) -> None:
    """Without sign-in whoever reaches the site is its one user, so it listens on this machine only.

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
    """Whether a host's name or address (without a port, IPv6 without brackets) means this machine to itself."""
    address = parse_address(host)
    return address.is_loopback if address else host.lower() == "localhost" or host.lower().endswith(".localhost")


def parse_address(text: str | None) -> Address | None:
    """An address; an IPv4 one that came in IPv6's clothes is the IPv4 one. None: it is no address."""
    try:
        address = ip_address((text or "").strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parse_addresses(text: str) -> frozenset[Address]:
    """Addresses with commas between; what is none is left out."""
    return frozenset(found for part in text.split(",") if (found := parse_address(part)) is not None)


def is_trusted_proxy(settings: Settings, remote_addr: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the peer of the socket is the site's proxy: by its secret where there is one, else by its address.

    ``headers`` have names in lower case.
    """
    secret = settings.proxy_secret.get_secret_value()
    if secret:
        return compare_digest(headers.get(SECRET_HEADER, "").encode(), secret.encode())
    return parse_address(remote_addr) in parse_addresses(settings.proxy_addresses)


def came_by_tls(settings: Settings, remote_addr: str | None, headers: Mapping[str, str], scheme: str) -> bool:
    """Whether a browser's request was encrypted on its way; ``scheme`` is that of the socket."""
    if scheme == "https":
        return True
    says = headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
    return says == "https" and is_trusted_proxy(settings, remote_addr, headers)


def site_address(settings: Settings, remote_addr: str | None, headers: Mapping[str, str], scheme: str, host: str) -> str:
    """Scheme and host by which a browser has reached the site, to be told to that browser; ``host`` is the request's."""
    tls = came_by_tls(settings, remote_addr, headers, scheme)
    named = headers.get("x-forwarded-host", "").split(",")[-1].strip()
    shown = named if named and is_trusted_proxy(settings, remote_addr, headers) else host
    return f"{'https' if tls else 'http'}://{shown}"


def client_address(settings: Settings, remote_addr: str | None, headers: Mapping[str, str]) -> str:
    """The address that a request came from: the peer's, or behind a trusted proxy the last one that is no proxy of ours."""
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
