"""Addresses of pages: which paths a browser is led to the sign-in from, and back to."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode, urlsplit

LOGIN: Final = "login"
LOGOUT: Final = "logout"
ACCOUNT: Final = "account"

_PAGES: Final = frozenset({"", "jobs", "jobs/", "admin", "admin/", ACCOUNT})
_LONGEST: Final = 6000  # characters of an address that names many stations


def is_page(path: str, prefix: str) -> bool:
    """Whether a path is a page of the site, looked at by people."""
    return path.startswith(prefix) and path.removeprefix(prefix) in _PAGES


def login_address(prefix: str, path: str = "", query: str = "") -> str:
    """Address of the sign-in that leads back to a page; ``query`` as the browser sent it."""
    back = f"{path}?{query}" if query else path
    return f"{prefix}{LOGIN}" + (f"?{urlencode({'next': back})}" if back and back != prefix else "")


def way_back(wanted: str, prefix: str) -> str:
    """Return where to go after the sign-in: the page of this site that was wanted,
    else the history page.

    The address is made anew from a known path and a quoted query, so that it can lead nowhere else,
    however it is written.
    """
    if len(wanted) > _LONGEST or not wanted.isprintable() or "\\" in wanted:
        return prefix
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return prefix
    if parts.scheme or parts.netloc or not is_page(parts.path, prefix) or "//" in parts.path:
        return prefix
    query = quote(parts.query, safe="=&%+,:;/@!$'()*~-._")
    return quote(parts.path) + (f"?{query}" if query else "")
