"""When a lease that has run out means that its worker is gone.

Leases are times of the database's clock, and clocks are set. For a moment after a jump ahead every
lease has run out, until its worker renews it, every two seconds. So an attempt is lost only when
the very same lease was seen to have run out for longer than that, by the monotonic clock of whoever
looks.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class ExpiredLease(NamedTuple):
    """A running attempt whose lease ran out at ``lease_until_ms`` of the database's clock."""

    job_id: str
    attempt: int
    lease_until_ms: int


class LeaseWatch:
    """Remembers since when which lease was seen to have run out.
    Time is passed in: seconds of a monotonic clock.
    """

    def __init__(self, certain_s: float) -> None:
        self._certain_s = certain_s
        self._since_s: dict[ExpiredLease, float] = {}

    def lost(self, expired: Collection[ExpiredLease], now_s: float) -> list[ExpiredLease]:
        """Return those of the expired leases whose worker has had time enough to renew them."""
        self._since_s = {lease: self._since_s.get(lease, now_s) for lease in expired}
        return [lease for lease, since_s in self._since_s.items() if now_s - since_s >= self._certain_s]
