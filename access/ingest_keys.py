"""Keys with which gateways and loggers send observations in: RIWAYAT_INGEST_KEYS. Each is for the
stations that it names, and for nothing else; no user stands behind one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from access.grants import Grant, Rights
from access.identity import Identity
from config import LEAST_SECRET, Settings
from errors import ConfigurationError

_KEY: Final = re.compile(r"[A-Za-z0-9_.~+/=-]+")
_EXPECTED: Final = "KEY:STATION,STATION;KEY:STATION, where a station may be a pattern such as aws*"


@dataclass(frozen=True)
class IngestKey:
    """A key and the stations (shell patterns, case counts) whose observations it may send."""

    text: str
    stations: tuple[str, ...]

    @property
    def label(self) -> str:
        """How logs, limits and the audit log call it; tells nothing of the key."""
        return f"ingest:{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    def identity(self) -> Identity:
        """Return the identity that it stands for."""
        return Identity(self.label, via="ingest", rights=Rights((Grant(self.stations),)), scopes=frozenset({"ingest"}))


def ingest_keys(settings: Settings) -> tuple[IngestKey, ...]:
    """Return the keys of a site; none: it takes no observations in.

    Raises:
        ConfigurationError: what is written is no list of keys; names none of them.
    """
    found = [
        _parsed(number, part) for number, part in enumerate(settings.ingest_keys.get_secret_value().split(";"), 1) if part.strip()
    ]
    if len({key.text for key in found}) < len(found):
        raise ConfigurationError("RIWAYAT_INGEST_KEYS names a key twice; write its stations behind one.")
    if found and settings.source is not None:
        raise ConfigurationError(
            "RIWAYAT_INGEST_KEYS takes observations into Riwayat's own table, which is not shown while RIWAYAT_SOURCE maps"
            " another. Leave one of them empty."
        )
    return tuple(found)


def find_ingest_key(settings: Settings, token: str) -> Identity | None:
    """Return the identity of a key that a request has sent; None: it is no such key."""
    given = token.encode()
    found = [key for key in ingest_keys(settings) if compare_digest(key.text.encode(), given)]
    return found[0].identity() if found else None


def _parsed(number: int, part: str) -> IngestKey:
    text, colon, names = part.strip().partition(":")
    stations = tuple(name.strip() for name in names.split(",") if name.strip())
    if not colon or not stations or not _KEY.fullmatch(text):
        raise ConfigurationError("RIWAYAT_INGEST_KEYS, entry {number}: expected {expected}.", number=number, expected=_EXPECTED)
    if len(text) < LEAST_SECRET:
        raise ConfigurationError(
            "RIWAYAT_INGEST_KEYS, entry {number}: expected a key of at least {least} characters, such as what"
            " 'openssl rand -hex 32' prints.",
            number=number,
            least=LEAST_SECRET,
        )
    return IngestKey(text, stations)
