"""Attempts to sign in, slowed down by name and by address:
each failure beyond a few doubles the wait.

An attempt is counted before its password is looked at, so that many at once count as many; one that
succeeds is taken back. Counts lie in a cache that all web processes of a host share.
"""

from __future__ import annotations

import hashlib
import math
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
class ThrottleKey:
    """What attempts are counted by: a name or an address; ``free`` of them may fail first."""

    text: str
    free: int
    forgives: bool  # whether a success forgets all failures, not only itself


def of_name(name: str) -> ThrottleKey:
    """Return the key of a name. It does not tell the name: people type passwords there."""
    return ThrottleKey(f"name-{hashlib.blake2b(name.encode('utf-8', 'replace'), digest_size=16).hexdigest()}", 5, forgives=True)


def of_browser(mark: str, name: str = "") -> ThrottleKey:
    """Attempts at one name from a browser in which it has signed in before."""
    return ThrottleKey(f"browser-{of_name(name).text}-{mark}", 5, forgives=True)


def of_address(address: str) -> ThrottleKey:
    """Attempts from one address (of IPv6 its /64), at any name.
    Offices share one, so more are free.

    A success takes back itself only: an own account must not buy attempts at others.
    """
    found = parse_address(address)
    if isinstance(found, IPv6Address):
        return ThrottleKey(f"address-{ip_network((found, _IPV6_SITE), strict=False)}", 20, forgives=False)
    return ThrottleKey(f"address-{found}", 20, forgives=False)


def of_proxy(peer: str) -> ThrottleKey:
    """Attempts that a peer without a proof says to be of other addresses:
    a little more than of one address, of all together.
    """
    return ThrottleKey(f"proxy-{peer}", 25, forgives=False)


def wait_s(failures: int, free: int) -> int:
    """Return how long the next attempt must wait after the last failure, in seconds."""
    return 0 if failures < free else min(FIRST_WAIT_S * 2 ** min(failures - free, 30), LONGEST_WAIT_S)


def too_many(seconds: int) -> TooManyAttempts:
    """The refusal that says how long to wait."""
    return TooManyAttempts("Too many attempts. Wait {wait}, then try again.", wait_s=seconds, wait=format_duration(seconds))


@dataclass(frozen=True)
class Count:
    """How many attempts failed, and when the last two were made (seconds since 1970)."""

    failures: int = 0
    at_s: float = 0.0
    before_s: float = 0.0

    def ends_s(self, key: ThrottleKey) -> float:
        """Return when the next attempt may be made."""
        return self.at_s + wait_s(self.failures, key.free)


def read_count(kept: object) -> Count:
    """A count as the cache keeps it; none of what nobody counted."""
    failures, at_s, *before_s = str(kept).split() or ("0", "0")
    return Count(int(failures), float(at_s), float(before_s[0] if before_s else at_s))


class Attempts:
    """Counts of attempts; ``now_s`` is the clock (seconds since 1970)."""

    def __init__(self, cache: diskcache.Cache, now_s: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._now_s = now_s

    def begin(self, keys: Sequence[ThrottleKey]) -> None:
        """Count an attempt.

        Raises:
            TooManyAttempts: saying how long to wait; then it is not counted.
        """
        now_s = self._now_s()
        with self._cache.transact():
            counts = {key: self._count(key) for key in keys}
            left_s = max(count.ends_s(key) - now_s for key, count in counts.items())
            if left_s <= 0:
                for key, count in counts.items():
                    self._keep(key, Count(count.failures + 1, now_s, count.at_s))
        if left_s > 0:
            raise too_many(int(left_s) + 1)

    def succeeded(self, keys: Sequence[ThrottleKey]) -> None:
        """Take an attempt back that was right: nobody waits for it,
        and of an address no wait ends by it either.
        """
        with self._cache.transact():
            for key in keys:
                count = self._count(key)
                if key.forgives or count.failures <= 1:
                    self._cache.delete(key.text)
                else:
                    self._keep(key, Count(count.failures - 1, count.before_s, count.before_s))

    def left_s(self, key: ThrottleKey) -> int:
        """Return how long the next attempt must wait; 0: not at all."""
        return max(0, math.ceil(self._count(key).ends_s(key) - self._now_s()))

    def waiting(self, prefix: str, free: int) -> dict[str, int]:
        """Keys that begin so and must wait now, without that beginning, and how long."""
        keys = [key for key in self._cache.iterkeys() if isinstance(key, str) and key.startswith(prefix)]
        waits = {key.removeprefix(prefix): self.left_s(ThrottleKey(key, free, forgives=False)) for key in keys}
        return {key: seconds for key, seconds in waits.items() if seconds}

    def forget(self, key: str) -> None:
        """Forget the failures of a key; of all that begin so, where it ends with a hyphen."""
        found = [one for one in self._cache.iterkeys() if isinstance(one, str)]
        for one in found:
            if one == key or (key.endswith("-") and one.startswith(key)):
                self._cache.delete(one)

    def _count(self, key: ThrottleKey) -> Count:
        """Return the count of a key; one long ago, or of the future (a clock set back), is none."""
        count = read_count(self._cache.get(key.text, ""))
        return count if 0 <= self._now_s() - count.at_s <= FORGOTTEN_S else Count()

    def _keep(self, key: ThrottleKey, count: Count) -> None:
        self._cache.set(key.text, f"{count.failures} {count.at_s} {count.before_s}", expire=FORGOTTEN_S)
