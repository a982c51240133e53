"""Attempts to sign in, slowed down by name and by address: each failure beyond a few doubles the wait.

An attempt is counted before its password is looked at, so that many at once count as many; one that succeeds is taken back.
Counts lie in a cache that all web processes of a host share.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import Final

import diskcache

from access.addresses import parse_address
from errors import TooManyAttempts
from i18n import format_duration

FIRST_WAIT_S: Final = 5
LONGEST_WAIT_S: Final = 900
FORGOTTEN_S: Final = 3600  # after the last attempt
_IPV6_SITE: Final = 64  # bits that one site may have to itself: single addresses of it cost nothing


@dataclass(frozen=True)
class Subject:
    """What attempts are counted of: a name, or an address; ``free`` of them may fail without a wait."""

    key: str
    free: int
    forgives: bool  # whether a success forgets all failures, not only itself


def of_name(name: str) -> Subject:
    """Attempts at one name, from anywhere. The key does not tell the name: people type passwords there."""
    return Subject(f"name-{hashlib.blake2b(name.encode('utf-8', 'replace'), digest_size=16).hexdigest()}", 5, forgives=True)


def of_browser(mark: str) -> Subject:
    """Attempts at one name from a browser in which it has signed in before."""
    return Subject(f"browser-{mark}", 5, forgives=True)


def of_address(address: str) -> Subject:
    """Attempts from one address (of IPv6 its /64), at any name. Offices share one, so more are free.

    A success takes back itself only: an own account must not buy attempts at others.
    """
    found = parse_address(address)
    if isinstance(found, IPv6Address):
        return Subject(f"address-{ip_network((found, _IPV6_SITE), strict=False)}", 20, forgives=False)
    return Subject(f"address-{found}", 20, forgives=False)


def wait_s(failures: int, free: int) -> int:
    """How long the next attempt must wait after the last failure, in seconds."""
    return 0 if failures < free else min(FIRST_WAIT_S * 2 ** min(failures - free, 30), LONGEST_WAIT_S)


def too_many(seconds: int) -> TooManyAttempts:
    """The refusal that says how long to wait."""
    return TooManyAttempts("Too many attempts. Wait {wait}, then try again.", wait_s=seconds, wait=format_duration(seconds))


class Attempts:
    """Counts of attempts; ``now_s`` is the clock (seconds since 1970)."""

    def __init__(self, cache: diskcache.Cache, now_s: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._now_s = now_s

    def begin(self, subjects: Sequence[Subject]) -> None:
        """Count an attempt.

        Raises:
            TooManyAttempts: saying how long to wait; then it is not counted.
        """
        now_s = self._now_s()
        with self._cache.transact():
            counts = {subject: self._count(subject) for subject in subjects}
            left_s = max(at_s + wait_s(failures, subject.free) - now_s for subject, (failures, at_s) in counts.items())
            if left_s <= 0:
                for subject, (failures, _at_s) in counts.items():
                    self._keep(subject, failures + 1, now_s)
        if left_s > 0:
            raise too_many(int(left_s) + 1)

    def succeeded(self, subjects: Sequence[Subject]) -> None:
        """Take an attempt back that was right."""
        with self._cache.transact():
            for subject in subjects:
                failures, at_s = self._count(subject)
                if subject.forgives or failures <= 1:
                    self._cache.delete(subject.key)
                else:
                    self._keep(subject, failures - 1, at_s)

    def _count(self, subject: Subject) -> tuple[int, float]:
        """Failures and when the last was; those long ago are forgotten, as are those of the future (the clock was set back)."""
        failures, _, at_s = str(self._cache.get(subject.key, "0 0")).partition(" ")
        fresh = 0 <= self._now_s() - float(at_s) <= FORGOTTEN_S
        return (int(failures), float(at_s)) if fresh else (0, 0.0)

    def _keep(self, subject: Subject, failures: int, at_s: float) -> None:
        self._cache.set(subject.key, f"{failures} {at_s}", expire=FORGOTTEN_S)
